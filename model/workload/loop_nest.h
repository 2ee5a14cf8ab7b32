// Any operator as a loop nest: dimensions, and tensors as affine projections of them. This is the one view of an
// operator that the cost model, the mapper, lowering and the verifiers share.
// A coordinate on a tensor's axis is  offset + sum(coefficient_d * index_d), valid in [0, extent); outside is padding
// (zero, or the neutral element of the reduction), which is never fetched.
// Source of the view: affine tensor projections as in Timeloop (Parashar et al., ISPASS 2019).
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/workload/network.h"

namespace accsim::model {

// What a dimension means to the engines.
enum class DimKind : std::uint8_t {
  group,  // in input, weight and output: convolution groups, batch of a batched MatMul
  m,      // in input and output: pixels, rows
  n,      // in weight and output: output channels, columns
  k,      // reduced: input channels and kernel window
  row     // vector operators: a dimension that is reduced or normalised inside one vector instruction
};

struct Dim {
  std::string name;  // "N", "P", …
  std::int64_t extent = 1;
  DimKind kind = DimKind::m;
  bool tileable = true;  // kernel windows and normalised axes stay whole
};

struct AxisTerm {
  int dim = 0;  // index into LoopNest::dims
  std::int64_t coefficient = 1;
};

struct Axis {
  std::vector<AxisTerm> terms;  // empty: always coordinate `offset`
  std::int64_t offset = 0;      // -padding
  std::int64_t extent = 1;      // of the tensor along this axis
  std::int64_t stride = 1;      // elements in the stored tensor from one coordinate to the next; 0 = broadcast
};

enum class OperandRole : std::uint8_t { input, weight, bias, output };

// Roles go by position: the second operand of Conv, Gemm and MatMul is the weight, whatever kind of tensor it is; both
// operands of Add and Mul are inputs; scale and bias of LayerNormalization are weight and bias.
struct Operand {
  TensorId tensor;
  OperandRole role = OperandRole::input;
  DataType type = DataType::int8;
  // Largest stride first, 1 to 4 of them (lowering copies at most four dimensions). Where an operand is broadcast it
  // has no axis; with none left, it is one element: a single axis without terms.
  std::vector<Axis> axes;
};

// Which engine does the arithmetic.
enum class Engine : std::uint8_t { array, vector, dma };

struct LoopNest {
  OpId op;
  OpType type = OpType::relu;
  Engine engine = Engine::array;
  std::vector<Dim> dims;
  std::vector<Operand> operands;  // inputs and weights first, then bias, the output last
  [[nodiscard]] const Operand& output() const { return operands.back(); }
};

// The dimensions, by operator (kinds in brackets); those not mentioned are of kind m and tileable:
//   Conv                G[group] B N[n] P Q C[k] R[k, whole] S[k, whole]; channel axes are G * per group + N or C
//   Gemm, MatMul        G[group] M N[n] K[k]. Batches that share B are folded into M; where batches cannot be folded,
//                       those that only A has are M0, M1 [m], those that only B has are N0, N1 [n]
//   pooling             B N P Q R[row, whole] S[row, whole]; N are the channels, all of kind m
//   elementwise         D0 … D3: adjacent axes with the same operands are one; extents of 1 left out
//   Softmax, LayerNorm  OUTER AXIS[row, whole] INNER (only if it is not 1)
//   Transpose           D0 … D3 in output order; axes that stay together are one
//   Concat              one nest for each input: D0 = axes before, D1 = the axis and all after it; the input's place in
//                       the output is the offset of the output's second axis
//   Slice, Pad           D0 … D3: axes taken whole go with the axis before; a padding is a negative offset
//   Resize               N P Q A[whole] B[whole], interpolating also R[row, whole] S[row, whole]; row = P * factor + A
//   DepthToSpace         N C P Q A[whole] B[whole]
//   Expand               as elementwise; ReduceMean as pooling, RMSNormalization as LayerNormalization
//   Gather              OUTER (only if not 1) ROWS WIDTH. Operands: table, indices, output. Along the table's row axis
//   a
//                       coordinate is a position in the list of indices; which row that is shows at run time.
// Engines: Conv, Gemm, MatMul on the array; Gather, Concat, a Transpose that leaves the innermost axis in place and a
// Slice without a step along the innermost axis are copies (dma); the rest runs on the vector unit.
// Operators that are aliases have no nest (InternalError). An operand that needs more than 4 axes is a ConfigError
// naming the layer; load_network reports it. Fused activations change nothing here.
LoopNest loop_nest_of(const Network& network, OpId op);
// Whether axes of a tensor that are always walked together are taken as one. Operators that run fused tile the tensors
// between them, so that all must see the same axes: then elementwise operators, batches of a MatMul and what lies
// before the normalised axis keep the tensor's own. Their dimensions are called B N P Q, G M N, M N or N, by the number
// of the tensor's axes; extents of 1 are left out.
enum class TensorAxes : std::uint8_t { merged, own };
// One nest for each input of a Concat: a copy into its part of the output. Other operators: one nest.
std::vector<LoopNest> loop_nests_of(const Network& network, OpId op, TensorAxes axes = TensorAxes::merged);

// The part of an operand that a tile needs, clipped to the tensor: along each axis `count` coordinates from `low`,
// `step` apart (a strided 1x1 convolution needs every other row only; the innermost axis is always dense).
struct BoxAxis {
  std::int64_t low = 0;
  std::int64_t count = 0;  // 0: the tile lies in the padding altogether
  std::int64_t step = 1;
};
using Box = std::vector<BoxAxis>;
// tile_low, tile_size: one entry a dim of the nest, inside it (InternalError otherwise). Both ends of every axis are
// coordinates that the tile touches; step is the greatest common divisor of the coefficients that the tile walks.
// Elements smaller than a byte: boxes are widened to whole bytes. Along an axis of odd stride they begin and end at
// even coordinates (or at the tensor's end); inside rows of an odd number of elements an axis is taken whole.
Box box_of(const LoopNest& nest, const Operand& operand, const std::vector<std::int64_t>& tile_low,
           const std::vector<std::int64_t>& tile_size);
std::int64_t element_count(const Box& box);
// Whether an axis lies inside rows of an odd number of elements, which begin in the middle of a byte where elements are
// half a byte.
bool inside_odd_rows(const Operand& operand, std::size_t axis);
// What a tile of a dimension must be a multiple of (unless it is the whole dimension) so that tiles of the result are
// whole bytes: 1, 2 or the extent. More than 1 only for elements smaller than a byte.
std::int64_t tile_unit(const LoopNest& nest, std::size_t dim);
// Largest element count over all positions of a tile of this size, aligned or not: what a buffer must hold (an upper
// bound where boxes are widened to whole bytes).
std::int64_t largest_box(const LoopNest& nest, const Operand& operand, const std::vector<std::int64_t>& tile_size);

}  // namespace accsim::model
