#include "sched/lower/tile_access.h"

#include <algorithm>

#include "model/base/error.h"

namespace accsim::sched {

using namespace model;

std::vector<int> instruction_dims(const LoopNest& nest, const TileIndex& tile, bool reduced) {
  std::vector<int> dims;
  for (std::size_t d = 0; d < nest.dims.size(); ++d) {
    if (tile.size[d] <= 1 || (nest.dims[d].kind == DimKind::k && !reduced)) continue;
    dims.push_back(static_cast<int>(d));
  }
  return dims;
}

TileRef tile_ref(const Operand& operand, const Box& box, const TileIndex& tile, const std::vector<int>& dims,
                 Place place, DataType type) {
  TileRef ref;
  ref.place = place;
  ref.type = type;
  ref.axes.resize(box.size());
  std::int64_t dense = 1;
  for (std::size_t a = box.size(); a-- > 0;) {
    const Axis& axis = operand.axes[a];
    TileAxis& out = ref.axes[a];
    out.count = box[a].count;
    out.step = box[a].step;
    out.stride = dense;
    out.coefficient.assign(dims.size(), 0);
    dense *= std::max<std::int64_t>(box[a].count, 1);
    if (axis.stride == 0) continue;  // the one coordinate, whatever the indices
    out.offset = axis.offset - box[a].low;
    for (const AxisTerm& term : axis.terms) {
      out.offset += term.coefficient * tile.low[static_cast<std::size_t>(term.dim)];
      const auto loop = std::find(dims.begin(), dims.end(), term.dim);
      if (loop != dims.end()) out.coefficient[static_cast<std::size_t>(loop - dims.begin())] += term.coefficient;
    }
  }
  return ref;
}

TileRef tile_ref_within(const Operand& operand, const Box& box, const Box& held, const TileIndex& tile,
                        const std::vector<int>& dims, Place place, DataType type) {
  TileRef ref = tile_ref(operand, box, tile, dims, place, type);
  std::int64_t dense = 1;
  std::int64_t start = 0;  // elements
  for (std::size_t a = box.size(); a-- > 0;) {
    ref.axes[a].stride = dense * std::max<std::int64_t>(box[a].step / held[a].step, 1);
    start += (box[a].low - held[a].low) / held[a].step * dense;
    dense *= held[a].count;
  }
  ref.place.address += storage_bytes(type, start).value();
  return ref;
}

std::vector<Copy> box_copies(const Operand& operand, const Box& box, Place memory, Place tile, bool to_tile) {
  std::vector<CopyAxis> axes(box.size());
  std::int64_t dense = 1;
  std::int64_t start = 0;
  for (std::size_t a = box.size(); a-- > 0;) {
    start += box[a].low * operand.axes[a].stride;
    axes[a] = {box[a].count, box[a].step * operand.axes[a].stride, dense};
    dense *= box[a].count;
  }
  return strided_copies(std::move(axes), operand.type, memory, start, tile, to_tile);
}

std::vector<Copy> strided_copies(std::vector<CopyAxis> axes, DataType type, Place memory, std::int64_t memory_start,
                                 Place tile, bool to_tile) {
  std::int64_t run = 1;
  std::vector<CopyAxis> outer;  // innermost first
  for (std::size_t a = axes.size(); a-- > 0;) {
    const CopyAxis& axis = axes[a];
    if (axis.count == 1) continue;
    if (outer.empty() && axis.memory_stride == run && axis.tile_stride == run) {
      run *= axis.count;
    } else if (!outer.empty() && axis.memory_stride == outer.back().memory_stride * outer.back().count &&
               axis.tile_stride == outer.back().tile_stride * outer.back().count) {
      outer.back().count *= axis.count;
    } else {
      outer.push_back(axis);
    }
  }
  const auto in_bytes = [type](std::int64_t elements) {
    const std::int64_t bits = elements * bits_of(type);
    if (bits % 8 != 0) throw InternalError("a copy would begin or end inside a byte");
    return bits / 8;
  };
  memory.address += in_bytes(memory_start);
  run = outer.empty() ? storage_bytes(type, run).value() : in_bytes(run);
  for (CopyAxis& axis : outer) {
    axis.memory_stride = in_bytes(axis.memory_stride);
    axis.tile_stride = in_bytes(axis.tile_stride);
  }

  constexpr std::size_t kOuter = kCopyDims - 1;
  Copy copy;
  Copy::Side in_memory{memory, {}};
  Copy::Side in_tile{tile, {}};
  copy.extent.fill(1);
  copy.extent[kOuter] = run;
  for (std::size_t i = 0; i < std::min(outer.size(), kOuter); ++i) {
    const std::size_t d = kOuter - 1 - i;
    copy.extent[d] = outer[i].count;
    in_memory.stride[d] = outer[i].memory_stride;
    in_tile.stride[d] = outer[i].tile_stride;
  }

  // What four dimensions cannot express: a copy for each index of the outermost axes.
  std::vector<Copy> copies;
  std::vector<std::int64_t> index(outer.size() > kOuter ? outer.size() - kOuter : 0, 0);
  for (;;) {
    Copy::Side memory_side = in_memory;
    Copy::Side tile_side = in_tile;
    for (std::size_t i = 0; i < index.size(); ++i) {
      memory_side.place.address += index[i] * outer[kOuter + i].memory_stride;
      tile_side.place.address += index[i] * outer[kOuter + i].tile_stride;
    }
    copy.src = to_tile ? memory_side : tile_side;
    copy.dst = to_tile ? tile_side : memory_side;
    copies.push_back(copy);
    std::size_t i = 0;
    while (i < index.size() && ++index[i] == outer[kOuter + i].count) index[i++] = 0;
    if (i == index.size()) return copies;
  }
}

}  // namespace accsim::sched
