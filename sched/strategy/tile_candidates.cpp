#include "sched/strategy/tile_candidates.h"

#include <algorithm>
#include <numeric>

#include "model/schedule/tiling.h"

namespace accsim::sched {

using namespace model;

std::vector<std::int64_t> even_tiles(std::int64_t extent) {
  std::vector<std::int64_t> tiles;
  for (std::int64_t tile = extent; tile >= 1;) {
    tiles.push_back(tile);
    if (tile == 1) break;
    // The next smaller value of ceil(extent / n): n is one more than the most tiles that `tile` is enough for.
    const std::int64_t more = (extent - 1) / (tile - 1) + 1;
    tile = ceil_div(extent, more);
  }
  std::reverse(tiles.begin(), tiles.end());
  return tiles;
}

namespace {

std::vector<std::int64_t> half_tiles(std::int64_t extent) {
  std::vector<std::int64_t> tiles;
  for (std::int64_t parts = 1;; parts *= 2) {
    tiles.push_back(ceil_div(extent, std::min(parts, extent)));
    if (tiles.back() == 1) break;
  }
  std::reverse(tiles.begin(), tiles.end());
  return tiles;
}

}  // namespace

std::vector<std::int64_t> tile_candidates(const LoopNest& nest, std::size_t dim, const CoreConfig& core,
                                          std::int64_t burst_bytes, TileGrid grid) {
  const Dim& d = nest.dims[dim];
  if (!d.tileable) return {d.extent};
  const ArrayConfig& array = core.array;
  std::vector<std::int64_t> grains;
  const TileFlow flow = flow_of(nest);
  if (flow == TileFlow::array) {
    std::int64_t others = 1;  // of the same kind, always whole: kernel windows
    for (const Dim& other : nest.dims)
      if (other.kind == d.kind && !other.tileable) others *= other.extent;
    const auto whole = [&](std::int64_t width) { return width / std::gcd(width, others); };
    const bool output_stationary = array.dataflow == Dataflow::output_stationary;
    const bool input_stationary = array.dataflow == Dataflow::input_stationary;
    if (d.kind == DimKind::k && !output_stationary) grains.push_back(whole(array.rows));
    if (d.kind == DimKind::n && !input_stationary) grains.push_back(whole(array.cols));
    if (d.kind == DimKind::m && output_stationary) grains.push_back(whole(array.rows));
    if (d.kind == DimKind::m && input_stationary) grains.push_back(whole(array.cols));
    if (d.kind == DimKind::group) {
      // Groups on the diagonal of one fold.
      std::int64_t k = 1, n = 1;
      for (const Dim& other : nest.dims) {
        if (other.kind == DimKind::k) k *= other.extent;
        if (other.kind == DimKind::n) n *= other.extent;
      }
      grains.push_back(std::max<std::int64_t>(1, std::min(array.rows / k, array.cols / n)));
    }
  }
  if (flow == TileFlow::vector && d.kind == DimKind::m) grains.push_back(core.vector.lanes);
  for (const Operand& operand : nest.operands) {
    const Axis& axis = operand.axes.back();
    for (const AxisTerm& term : axis.terms) {
      if (term.dim != static_cast<int>(dim) || axis.stride != 1) continue;
      grains.push_back(std::max<std::int64_t>(1, burst_bytes * 8 / bits_of(operand.type)));
    }
  }
  std::vector<std::int64_t> tiles = grid == TileGrid::all ? even_tiles(d.extent) : half_tiles(d.extent);
  const std::size_t even = tiles.size();
  for (const std::int64_t grain : grains) {
    if (grain <= 1) continue;
    for (std::size_t i = 0; i < even; ++i) {
      const std::int64_t down = tiles[i] / grain * grain;
      const std::int64_t up = ceil_div(tiles[i], grain) * grain;
      if (down >= 1) tiles.push_back(down);
      if (up <= d.extent) tiles.push_back(up);
    }
  }
  std::sort(tiles.begin(), tiles.end());
  tiles.erase(std::unique(tiles.begin(), tiles.end()), tiles.end());
  const std::int64_t unit = tile_unit(nest, dim);
  std::erase_if(tiles, [&](std::int64_t tile) { return tile != d.extent && tile % unit != 0; });
  if (unit == 2 && unit < d.extent && tiles.front() != unit) tiles.insert(tiles.begin(), unit);
  return tiles;
}

}  // namespace accsim::sched
