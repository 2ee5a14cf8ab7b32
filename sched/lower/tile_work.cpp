#include "sched/lower/tile_work.h"

#include <algorithm>
#include <string_view>

#include "model/base/error.h"
#include "model/workload/operator_table.h"

namespace accsim::sched {

using namespace model;

namespace {

// An average that counts padding; null for other operators.
const PoolAttributes* padding_counted(const Operator& op) {
  const auto* pool = std::get_if<PoolAttributes>(&op.attributes);
  return op.type == OpType::average_pool && pool != nullptr && pool->count_include_pad ? pool : nullptr;
}

// Elements of the window of output row (column) `index` that lie in the input or its pads: all of them, unless
// ceil_mode lets the last window reach beyond.
std::int64_t window_elements(const PoolAttributes& pool, std::size_t axis, std::int64_t extent, std::int64_t index) {
  const std::int64_t start = index * pool.stride[axis] - pool.pads[axis];
  const std::int64_t room = ceil_div(extent + pool.pads[axis + 2] - start, pool.dilation[axis]);
  return std::min(pool.kernel[axis], room);
}

// Of the operator, where the nest is a part of it: the coordinate of the result at index 0 of a dimension.
std::int64_t first_index(const LoopNest& nest, std::size_t dim) {
  for (const Axis& axis : nest.output().axes)
    for (const AxisTerm& term : axis.terms)
      if (term.dim == static_cast<int>(dim)) return axis.offset;
  return 0;
}

std::size_t dim_named(const LoopNest& nest, std::string_view name) {
  for (std::size_t d = 0; d < nest.dims.size(); ++d)
    if (nest.dims[d].name == name) return d;
  throw InternalError("a nest has no dimension " + std::string(name));
}

}  // namespace

std::vector<FusedActivation> activations_of(const Operator& op) {
  std::vector<FusedActivation> all;
  if (is_activation(op.type)) {
    FusedActivation own{op.type, {}, op.name};
    if (const auto* clip = std::get_if<ClipAttributes>(&op.attributes)) own.clip = *clip;
    all.push_back(std::move(own));
  }
  all.insert(all.end(), op.activations.begin(), op.activations.end());
  return all;
}

std::vector<Loop> vector_loops(const LoopNest& nest, const std::vector<int>& dims, const TileIndex& at) {
  std::vector<Loop> loops;
  for (const int dim : dims) {
    const auto d = static_cast<std::size_t>(dim);
    loops.push_back({at.size[d], nest.dims[d].kind == DimKind::row ? DimKind::row : DimKind::m});
  }
  return loops;
}

std::vector<TilePart> tile_parts(const Network& network, const Operator& op, const LoopNest& nest,
                                 const TileIndex& at) {
  const PoolAttributes* pool = padding_counted(op);
  if (pool == nullptr) return {{at, 0}};
  const Shape& shape = network.tensor(op.inputs[0]).shape;
  std::vector<TilePart> parts{{at, 1}};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::size_t dim = dim_named(nest, axis == 0 ? "P" : "Q");
    const std::int64_t extent = shape.size() == 3 && axis == 0 ? 1 : shape[shape.size() - 2 + axis];
    std::vector<TilePart> split;
    for (const TilePart& part : parts) {
      const auto elements_at = [&](std::int64_t i) {
        return window_elements(*pool, axis, extent, first_index(nest, dim) + at.low[dim] + i);
      };
      for (std::int64_t i = 0; i < at.size[dim];) {
        const std::int64_t elements = elements_at(i);
        TilePart next = part;
        next.at.low[dim] = at.low[dim] + i;
        next.at.size[dim] = 0;
        next.divisor *= elements;
        for (; i < at.size[dim] && elements_at(i) == elements; ++i) {
          ++next.at.size[dim];
        }
        split.push_back(std::move(next));
      }
    }
    parts = std::move(split);
  }
  return parts;
}

}  // namespace accsim::sched
