// One dimension of a mapping with remainders (docs/mapper.md, "Remainders"): every level cuts the tile of the level
// above into blocks of split * tile, a block into one tile for each instance; what comes last is as large as what is
// left. Counts how many tiles of which size exist, all or some loops and instances only at their first index; the first
// is never smaller than another one. At most one size more a level, so that the lists stay short.
#pragma once
#include <array>
#include <cstdint>
#include <utility>

#include "sched/mapping/mapping.h"

namespace accsim::sched {

struct RaggedDim {
  std::size_t levels = 0;
  std::array<std::int64_t, kMostMapLevels> tile{}, split{};  // tile[0]: the dimension, split[0]: 1
  [[nodiscard]] std::int64_t block(std::size_t level) const { return tile[level] * split[level]; }
  // Iterations of the loop in `level` when nothing is cut short; in the innermost level: over single indices.
  [[nodiscard]] std::int64_t trips(std::size_t level) const {
    return level + 1 < levels ? (tile[level] + block(level + 1) - 1) / block(level + 1) : tile[level];
  }
  // Nothing is cut short anywhere.
  [[nodiscard]] bool whole() const;
};

// Of a mapping with Mapping::tile.
RaggedDim ragged_dim(const Mapping& mapping, std::size_t dim);

struct SizeCount {
  std::int64_t size = 0;
  double count = 0;
};
struct SizeCounts {
  std::array<SizeCount, 2 * kMostMapLevels> list{};
  std::size_t used = 0;
  void add(std::int64_t size, double count);
  [[nodiscard]] const SizeCount* begin() const { return list.data(); }
  [[nodiscard]] const SizeCount* end() const { return list.data() + used; }
  [[nodiscard]] double total() const;  // tiles
  [[nodiscard]] double sum() const;    // indices
};
// Tiles of `level`. Bit j of first_time: the loop in level j only at index 0; of first_place: only the first instance
// along the split over level j.
SizeCounts tile_counts(const RaggedDim& dim, std::size_t level, std::uint32_t first_time, std::uint32_t first_place);

// Tile sizes that cut a dimension into n tiles for some n, as small as possible: ceil(size / n), rising.
std::vector<std::int64_t> even_tile_sizes(std::int64_t size);
// Whether `split` tiles side by side are the fewest that cover the dimension in their number of rounds.
bool fewest_instances(std::int64_t size, std::int64_t tile, std::int64_t split);
// Number of chains of tiles and splits of one dimension that the space has; `meshes`: bit l = a split over level l.
double ragged_chains(std::int64_t size, std::size_t levels, std::uint32_t meshes);

// What a level fetches of a tensor in a nest of ragged dimensions, given the loops above it.
struct RaggedFetch {
  std::array<std::uint32_t, kMostMapDims> dropped{};  // [dim]: levels whose loop is in the innermost run
  int slide_dim = -1;                                 // the first loop that indexes the tensor; -1: none
  std::size_t slide_level = 0;
};
// Words fetched into `level` by all its instances, or by those only that `first_place` leaves in each dimension.
double ragged_words(const MapTensor& tensor, const RaggedDim* dims, std::size_t dim_count, std::size_t level,
                    const RaggedFetch& fetch, const std::array<std::uint32_t, kMostMapDims>& first_place);
// Requests of the units, one word a step and unit.
double ragged_steps(const RaggedDim* dims, std::size_t dim_count,
                    const std::array<std::uint32_t, kMostMapDims>& first_place);
// Words of an output that the instances see at least once.
double ragged_touches(const MapTensor& tensor, const RaggedDim* dims, std::size_t dim_count, std::size_t level,
                      bool first_instance);
// Share of requests of the levels above+1 .. below that stays where instances share what sits at the same place along a
// window (only of dimensions where nothing is cut short). `merges`: bit l = level l shares at all.
double ragged_sharing(const MapTensor& tensor, const RaggedDim* dims, std::size_t above, std::size_t below,
                      std::uint32_t merges);

// ConfigError where the problem is not one that remainders are defined for: an output's axis that is no plain
// dimension, a tensor with one dimension along two axes.
void check_ragged_problem(const MapProblem& problem);

}  // namespace accsim::sched
