#include "model/schedule/tile_sequence.h"

#include <algorithm>

#include "model/base/error.h"
#include "model/schedule/tiling.h"

namespace accsim::model {

TileSequence::TileSequence(const LoopNest& nest, const OperatorMapping& mapping)
    : nest_(&nest), tile_(tile_sizes(nest, mapping)) {
  const std::vector<std::int64_t> trips = trip_counts(nest, tile_);
  for (const int dim : loop_order(nest, mapping)) {
    if (trips[static_cast<std::size_t>(dim)] <= 1) continue;
    const bool reduced = nest.dims[static_cast<std::size_t>(dim)].kind == DimKind::k;
    if (!reduced && !reduced_.empty())
      throw InternalError("layer " + mapping.layer + ": the loop over " +
                          nest.dims[static_cast<std::size_t>(dim)].name + " is inside a reduction loop");
    (reduced ? reduced_ : outer_).push_back(dim);
  }
  at_.low.assign(nest.dims.size(), 0);
  at_.size = tile_;
}

bool TileSequence::advance(const std::vector<int>& dims) {
  for (std::size_t i = dims.size(); i-- > 0;) {
    const auto d = static_cast<std::size_t>(dims[i]);
    const std::int64_t extent = nest_->dims[d].extent;
    at_.low[d] += tile_[d];
    const bool inside = at_.low[d] < extent;
    if (!inside) at_.low[d] = 0;
    at_.size[d] = std::min(tile_[d], extent - at_.low[d]);
    if (inside) return true;
  }
  return false;
}

Box tile_box(const LoopNest& nest, const Operand& operand, const TileIndex& tile) {
  Box box = box_of(nest, operand, tile.low, tile.size);
  for (std::size_t a = 0; a < box.size(); ++a)
    if (operand.axes[a].stride == 0 && box[a].count > 0) box[a] = {0, 1, 1};
  return box;
}

bool same_box(const Box& a, const Box& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const BoxAxis& x, const BoxAxis& y) {
    return x.low == y.low && x.count == y.count && x.step == y.step;
  });
}

bool is_empty(const Box& box) {
  return std::any_of(box.begin(), box.end(), [](const BoxAxis& axis) { return axis.count == 0; });
}

}  // namespace accsim::model
