// Measures synthetic layers on an architecture and makes its characterisation card (card.h). Layers alone are measured
// on all cores, then on ever fewer until fewer no longer pay; chains of equal layers, fused, of 2, 3, … layers on the
// best count of one layer, twice and four times as many, as long as another layer makes each of them cheaper. Each
// runs the way that the cost model with its shipped coefficients finds best (strategy/block_ways.h).
// Deterministic: threads and the number of worker processes change nothing. Leaves out: batches, strides, chains of
// unequal layers, chains of depthwise and vector layers.
#pragma once
#include <functional>
#include <string>

#include "model/measure.h"
#include "sched/characterize/card.h"

namespace accsim::sched {

struct SyntheticLayer {
  LayerKind kind = LayerKind::window;
  std::int64_t channels = 0;  // in and out
  std::int64_t size = 0;      // rows and columns; rows of a GEMM
  std::int64_t kernel = 1;
};
std::vector<SyntheticLayer> synthetic_layers();

// accsim-net/1 of so many such layers in a row.
model::Json chain_network(const SyntheticLayer& layer, std::int64_t layers, const std::string& precision);

// Longest chain that is tried.
inline constexpr std::int64_t kLongestChain = 6;

// `precision`: element type of the layers. InfeasibleError where none of the layers runs at all.
Characterization characterize(const model::Architecture& arch, model::DataType precision, model::Measurer& measurer,
                              int threads, const std::function<void(const std::string&)>& say = {});

}  // namespace accsim::sched
