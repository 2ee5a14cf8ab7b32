// Which tile sizes of a dimension a search tries. For every number of tiles the even split (the smallest tile that
// gives that number: divisors are among them, and imperfect ones), and each of these rounded up and down to what the
// hardware likes: whole array columns or rows, vector lanes, DRAM bursts along contiguous axes. Leaves out: sizes in
// between, which cost the same number of tiles and folds for larger buffers.
#pragma once
#include <cstdint>
#include <vector>

#include "model/arch/arch.h"
#include "model/workload/loop_nest.h"

namespace accsim::sched {

// halves: only even splits into 1, 2, 4, 8, … tiles, and these rounded: for searches that must be quick.
enum class TileGrid : std::uint8_t { all, halves };

// Ascending, the first is tile_unit (1 but for elements smaller than a byte), the last the extent. Only the extent
// where the dimension may not be tiled.
std::vector<std::int64_t> tile_candidates(const model::LoopNest& nest, std::size_t dim, const model::CoreConfig& core,
                                          std::int64_t burst_bytes, TileGrid grid = TileGrid::all);

// ceil(extent / n) for all n >= 1, ascending.
std::vector<std::int64_t> even_tiles(std::int64_t extent);

}  // namespace accsim::sched
