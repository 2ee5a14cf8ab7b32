#include "model/schedule/split.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>

#include "model/base/error.h"
#include "model/base/wide.h"
#include "model/schedule/tiling.h"

namespace accsim::model {
namespace {

int dim_named(const LoopNest& nest, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    for (std::size_t d = 0; d < nest.dims.size(); ++d)
      if (nest.dims[d].name == name && nest.dims[d].extent > 1) return static_cast<int>(d);
  return -1;
}

bool is_window(OpType type) {
  return type == OpType::conv || type == OpType::max_pool || type == OpType::average_pool ||
         type == OpType::global_average_pool;
}

}  // namespace

int split_dimension(const LoopNest& nest, const std::string& split) {
  if (split == "none" || split == "reduction" || split == "pipeline") return -1;
  if (is_window(nest.type) || dim_named(nest, {"P", "Q"}) >= 0) {
    if (split == "rows") return dim_named(nest, {"P"});
    if (split == "columns") return dim_named(nest, {"Q"});
    if (split == "channels") return dim_named(nest, {"N", "G"});
    if (split == "batch") return dim_named(nest, {"B"});
    return -1;
  }
  if (nest.engine == Engine::array || dim_named(nest, {"M"}) >= 0) {
    if (split == "rows") return dim_named(nest, {"M", "M0", "M1"});
    if (split == "columns" || split == "channels") return dim_named(nest, {"N", "N0", "N1"});
    return dim_named(nest, {"G"});
  }
  for (std::size_t d = 0; d < nest.dims.size(); ++d)
    if (nest.dims[d].tileable && nest.dims[d].kind != DimKind::row && nest.dims[d].extent > 1)
      return static_cast<int>(d);
  return -1;
}

std::vector<Share> shares_of(std::int64_t extent, std::int64_t tile, const std::vector<std::int64_t>& weights) {
  const std::int64_t tiles = ceil_div(extent, tile);
  const std::int64_t all = std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
  std::vector<Share> shares;
  std::int64_t before = 0;
  for (const std::int64_t weight : weights) {
    const auto border = [&](std::int64_t sum) {
      const Wide tiles_below = static_cast<Wide>(tiles) * sum / all;
      return std::min(extent, static_cast<std::int64_t>(tiles_below) * tile);
    };
    shares.push_back({border(before), border(before + weight)});
    before += weight;
  }
  return shares;
}

std::vector<std::int64_t> core_weights(const Architecture& arch, const std::vector<std::int64_t>& cores) {
  std::vector<std::int64_t> weights;
  for (const std::int64_t core : cores) {
    const ArrayConfig& array = arch.core(CoreId(static_cast<std::int32_t>(core))).array;
    weights.push_back(array.rows * array.cols);
  }
  return weights;
}

LoopNest part_of(const LoopNest& nest, int dim, const Share& share) {
  LoopNest part = nest;
  part.dims[static_cast<std::size_t>(dim)].extent = share.size();
  for (Operand& operand : part.operands)
    for (Axis& axis : operand.axes)
      for (const AxisTerm& term : axis.terms)
        if (term.dim == dim) axis.offset += term.coefficient * share.low;
  return part;
}

std::vector<LoopNest> nests_of_core(const std::vector<LoopNest>& nests, const OperatorMapping& mapping,
                                    const std::string& split, const std::vector<std::int64_t>& weights,
                                    std::size_t place) {
  if (weights.size() == 1) return nests;
  std::vector<LoopNest> parts;
  for (const LoopNest& nest : nests) {
    const int dim = split_dimension(nest, split);
    if (dim < 0) throw InternalError("layer " + mapping.layer + " has no dimension to split by " + split);
    const auto d = static_cast<std::size_t>(dim);
    const Share share = shares_of(nest.dims[d].extent, tile_sizes(nest, mapping)[d], weights)[place];
    if (share.size() > 0) parts.push_back(part_of(nest, dim, share));
  }
  return parts;
}

}  // namespace accsim::model
