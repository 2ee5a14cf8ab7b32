// Closed forms for how long an instruction occupies its engine when nothing disturbs it: what the simulator adds stalls
// to and the cost model prices. R rows, C columns of the array; M, K, N the extents of the product.
//
// Systolic array, F folds (edge folds counted as full ones), L the streamed extent (M weight stationary, N input
// stationary, K output stationary):
//   weight, input stationary: overlapped (F-1)*max(L,R) + 2R+C+L-2, un-overlapped F*(2R+C+L-2)
//   output stationary:        overlapped (F-1)*max(K,R) + R+C+K-2 (+R to drain), un-overlapped F*(R+C+K-2) (+R)
// Groups: where a group's K x N block is smaller than the array, weight-stationary arrays and vector_mac lay
// min(R/K, C/N) groups on the diagonal of one fold; the others take the groups one after the other.
// vector_mac: C dot-product units of length R with an adder tree: one row of results a cycle, no skew; weights load one
// row a cycle behind shadow registers where double buffered: overlapped R + F*max(M, R) if F > 1, R + M if F = 1.
// Source: the formulas of SCALE-Sim v3 (docs/array.md says how they were checked).
#pragma once
#include "model/arch/arch.h"
#include "model/program/program.h"

namespace accsim::model {

struct ProductShape {
  std::int64_t groups = 1, m = 1, k = 1, n = 1;
};
ProductShape shape_of(const ArrayPass& pass);

struct ArrayTiming {
  std::int64_t folds = 1;
  std::int64_t streamed = 1;  // L
  Cycles latency;             // first to last active cycle, drain included: end - start
  Cycles interval;            // start to the earliest start of the next pass (= latency where folds do not overlap)
  // Accesses in lines of the memory's port, over the pass
  std::int64_t input_lines = 0, weight_lines = 0, output_lines = 0;
};
ArrayTiming array_timing(const ProductShape& shape, const ArrayConfig& array);
// With the accesses filled in. A step that needs more than one line from a memory takes as many cycles.
ArrayTiming array_timing(const ProductShape& shape, const CoreConfig& core);

// Index, from 0, of the last active cycle, output drain not counted: the figure that SCALE-Sim prints.
std::int64_t last_active_cycle(const ProductShape& shape, const ArrayConfig& array);

inline constexpr std::int64_t kVectorStartup = 8;  // pipeline depth of the vector unit, cycles
struct VectorWork {
  VectorKind kind = VectorKind::requantize;
  std::int64_t results = 1;  // elements written
  std::int64_t row = 1;      // elements of a pooling window, or of a normalised row (then results counts all of them)
  int transcendental_activations = 0;  // Sigmoid, Tanh, Gelu; Relu and Clip are free
};
VectorWork work_of(const VectorOp& op);
// Times that each element of a normalised source is read: softmax for maximum, exponential and sum, scale; layer
// normalisation for mean, variance, scale; the mean of squares for sum and scale. 1 for other operations.
constexpr std::int64_t passes_of(VectorKind kind) {
  if (kind == VectorKind::softmax || kind == VectorKind::layer_normalization) return 3;
  return kind == VectorKind::rms_normalization ? 2 : 1;
}
// Elements of its window that one result of a pool reads: all of them; an interpolation takes its neighbours, two an
// axis.
constexpr std::int64_t window_reads(VectorKind kind, std::int64_t row) {
  if (kind != VectorKind::interpolate) return row;
  constexpr std::int64_t kLine = 3;
  return row <= 1 ? 1 : row <= kLine ? 2 : 4;
}
Cycles vector_cycles(const VectorWork& work, const VectorConfig& vector);
// Lane operations, for energy.
std::int64_t vector_lane_operations(const VectorWork& work, const VectorConfig& vector);

// Bursts of `burst` bytes that a copy touches on its DRAM side; a burst that two neighbouring rows share is moved
// once. Rows that follow each other without a gap count as one row.
std::int64_t burst_count(const Copy::Side& dram_side, const Copy& copy, std::int64_t burst);

}  // namespace accsim::model
