#include "sched/mapping/ragged.h"

#include <algorithm>
#include <map>

#include "model/base/error.h"
#include "sched/mapping/evaluate.h"

namespace accsim::sched {

bool RaggedDim::whole() const {
  for (std::size_t l = 1; l < levels; ++l) {
    if (tile[l - 1] % block(l) != 0) return false;
  }
  return true;
}

RaggedDim ragged_dim(const Mapping& mapping, std::size_t dim) {
  RaggedDim chain;
  chain.levels = mapping.tile.size();
  for (std::size_t l = 0; l < chain.levels; ++l) {
    chain.tile[l] = mapping.tile[l][dim];
    chain.split[l] = mapping.spatial[l][dim];
  }
  return chain;
}

void SizeCounts::add(std::int64_t size, double count) {
  if (size <= 0 || count <= 0) return;
  for (std::size_t i = 0; i < used; ++i) {
    if (list[i].size == size) {
      list[i].count += count;
      return;
    }
  }
  list[used++] = {size, count};
}

double SizeCounts::total() const {
  double sum = 0;
  for (std::size_t i = 0; i < used; ++i) sum += list[i].count;
  return sum;
}

double SizeCounts::sum() const {
  double sum = 0;
  for (std::size_t i = 0; i < used; ++i) sum += list[i].count * static_cast<double>(list[i].size);
  return sum;
}

SizeCounts tile_counts(const RaggedDim& dim, std::size_t level, std::uint32_t first_time, std::uint32_t first_place) {
  SizeCounts now;
  now.add(dim.tile[0], 1);
  for (std::size_t l = 1; l <= level; ++l) {
    SizeCounts next;
    const std::int64_t tile = dim.tile[l], block = dim.block(l);
    const auto place = [&](std::int64_t size, double count) {  // one block over the instances
      if ((first_place >> l & 1U) != 0) {
        next.add(std::min(size, tile), count);
        return;
      }
      next.add(tile, count * static_cast<double>(size / tile));
      next.add(size % tile, count);
    };
    for (const SizeCount& each : now) {
      if ((first_time >> (l - 1) & 1U) != 0) {
        place(std::min(each.size, block), each.count);
        continue;
      }
      const std::int64_t full = each.size / block, rest = each.size % block;
      if (full > 0) place(block, each.count * static_cast<double>(full));
      if (rest > 0) place(rest, each.count);
    }
    now = next;
  }
  return now;
}

namespace {

// Tiles of `level` at all indices but 0 of the loop in `slide_level`, by the size that the same instance held before.
// Between the two the dimension has no other loop of more than one iteration.
SizeCounts sizes_before(const RaggedDim& dim, std::size_t level, std::size_t slide_level, std::uint32_t first_place) {
  SizeCounts before;
  const std::int64_t block = dim.block(slide_level + 1);
  const auto place = [&](const auto& self, std::size_t l, std::int64_t old, std::int64_t now, double count) -> void {
    if (count <= 0) return;
    const std::int64_t tile = dim.tile[l];
    const auto next = [&](std::int64_t o, std::int64_t n, double times) {
      if (l == level) {
        before.add(o, times);
      } else {
        self(self, l + 1, o, n, times);
      }
    };
    if ((first_place >> l & 1U) != 0) {
      next(std::min(old, tile), std::min(now, tile), count);
      return;
    }
    const std::int64_t full = now / tile, rest = now % tile;
    if (full > 0) next(tile, tile, count * static_cast<double>(full));
    if (rest > 0) next(std::min(tile, old - full * tile), rest, count);
  };
  for (const SizeCount& each : tile_counts(dim, slide_level, 0, first_place)) {
    const std::int64_t full = each.size / block, rest = each.size % block;
    place(place, slide_level + 1, block, block, each.count * static_cast<double>(full - 1));
    if (rest > 0 && full > 0) place(place, slide_level + 1, block, rest, each.count);
  }
  return before;
}

}  // namespace

std::vector<std::int64_t> even_tile_sizes(std::int64_t size) {
  std::vector<std::int64_t> tiles;
  for (std::int64_t n = 1; n <= size;) {
    const std::int64_t tile = (size + n - 1) / n;
    tiles.push_back(tile);
    if (tile == 1) break;
    n = (size - 1) / (tile - 1) + 1;  // the fewest tiles of a smaller size
  }
  std::reverse(tiles.begin(), tiles.end());
  return tiles;
}

bool fewest_instances(std::int64_t size, std::int64_t tile, std::int64_t split) {
  if (split == 1) return true;
  const std::int64_t tiles = (size + tile - 1) / tile;
  return split <= tiles && (tiles + split - 2) / (split - 1) > (tiles + split - 1) / split;
}

double ragged_chains(std::int64_t size, std::size_t levels, std::uint32_t meshes) {
  const std::vector<std::int64_t> tiles = even_tile_sizes(size);
  std::vector<double> below(tiles.size(), 1);  // ways inside a tile of that size
  for (std::size_t l = levels; l-- > 1;) {
    std::vector<double> here(tiles.size(), 0);
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      std::vector<std::int64_t> splits{1};
      if ((meshes >> l & 1U) != 0) {
        for (const std::int64_t s : even_tile_sizes((size + tiles[i] - 1) / tiles[i])) {
          if (s > 1) splits.push_back(s);
        }
      }
      for (std::size_t above = i; above < tiles.size(); ++above) {
        for (const std::int64_t s : splits) {
          if ((s - 1) * tiles[i] < tiles[above]) here[above] += below[i];
        }
      }
    }
    below = here;
  }
  return below.back();
}

double ragged_words(const MapTensor& tensor, const RaggedDim* dims, std::size_t dim_count, std::size_t level,
                    const RaggedFetch& fetch, const std::array<std::uint32_t, kMostMapDims>& first_place) {
  double repeats = 1;
  for (std::size_t d = 0; d < dim_count; ++d) {
    if (!tensor.uses(static_cast<int>(d))) {
      repeats *= tile_counts(dims[d], level, fetch.dropped[d], first_place[d]).total();
    }
  }
  double words = repeats;
  for (const TensorAxis& axis : tensor.axes) {
    // Sum of the extents over all combinations of tiles, less what stays when the sliding loop goes on.
    double sum = 0, stays = 0;
    std::array<SizeCounts, kMostMapDims> sizes;
    double combinations = 1;
    std::int64_t fixed = 1;
    const AxisPart* slide = nullptr;
    for (std::size_t p = 0; p < axis.size(); ++p) {
      const auto d = static_cast<std::size_t>(axis[p].dim);
      sizes[p] = tile_counts(dims[d], level, 0, first_place[d]);
      combinations *= sizes[p].total();
      fixed -= axis[p].coefficient;
      if (axis[p].dim == fetch.slide_dim && axis.size() > 1) slide = &axis[p];
    }
    sum = static_cast<double>(fixed) * combinations;
    for (std::size_t p = 0; p < axis.size(); ++p) {
      sum += static_cast<double>(axis[p].coefficient) * sizes[p].sum() * (combinations / sizes[p].total());
    }
    if (slide != nullptr) {
      const auto d = static_cast<std::size_t>(slide->dim);
      const SizeCounts before = sizes_before(dims[d], level, fetch.slide_level, first_place[d]);
      const std::int64_t step = dims[d].block(fetch.slide_level + 1);
      const auto add = [&](const auto& self, std::size_t p, std::int64_t overlap, double count) -> void {
        if (p == axis.size()) {
          stays += count * static_cast<double>(std::max<std::int64_t>(overlap, 0));
          return;
        }
        if (&axis[p] == slide) {
          for (const SizeCount& s : before) {
            self(self, p + 1, overlap + slide->coefficient * (s.size - step), count * s.count);
          }
          return;
        }
        for (const SizeCount& s : sizes[p]) self(self, p + 1, overlap + axis[p].coefficient * s.size, count * s.count);
      };
      add(add, 0, fixed, 1);
    }
    words *= sum - stays;
  }
  return words;
}

double ragged_steps(const RaggedDim* dims, std::size_t dim_count,
                    const std::array<std::uint32_t, kMostMapDims>& first_place) {
  double steps = 1;
  for (std::size_t d = 0; d < dim_count; ++d) {
    steps *= tile_counts(dims[d], dims[d].levels - 1, 0, first_place[d]).sum();
  }
  return steps;
}

double ragged_touches(const MapTensor& tensor, const RaggedDim* dims, std::size_t dim_count, std::size_t level,
                      bool first_instance) {
  double words = 1;
  for (std::size_t d = 0; d < dim_count; ++d) {
    const bool used = tensor.uses(static_cast<int>(d));
    const SizeCounts sizes = tile_counts(dims[d], level, used ? 0U : ~0U, first_instance ? ~0U : 0U);
    words *= used ? sizes.sum() : sizes.total();
  }
  return words;
}

double ragged_sharing(const MapTensor& tensor, const RaggedDim* dims, std::size_t above, std::size_t below,
                      std::uint32_t merges) {
  double share = 1;
  for (const TensorAxis& axis : tensor.axes) {
    std::vector<SpatialLoop> loops;
    double apart = 1;
    bool whole = true;
    std::uint32_t moving = 0;
    for (const AxisPart& part : axis) {
      const RaggedDim& dim = dims[static_cast<std::size_t>(part.dim)];
      for (std::size_t l = above + 1; l <= below; ++l) {
        if (dim.split[l] == 1 || (merges >> l & 1U) == 0) continue;
        loops.push_back({part.dim, dim.split[l], dim.tile[l]});
        apart *= static_cast<double>(dim.split[l]);
        moving |= 1U << part.dim;
        whole = whole && dim.whole();
      }
    }
    if ((moving & (moving - 1U)) == 0 || !whole) continue;
    MapTensor window;
    window.axes = {axis};
    window.dims = moving;
    share *= distinct_positions(window, loops) / apart;
  }
  return share;
}

void check_ragged_problem(const MapProblem& problem) {
  for (const MapTensor& tensor : problem.tensors) {
    const auto refuse = [&](const std::string& what) {
      throw model::ConfigError("", "--imperfect",
                               "tensor \"" + tensor.name + "\" of problem \"" + problem.name + "\" " + what +
                                   ": remainders are not defined for it");
    };
    std::uint32_t seen = 0;
    for (const TensorAxis& axis : tensor.axes) {
      if (tensor.output && (axis.size() > 1 || axis.front().coefficient > 1)) {
        refuse("is an output with the axis \"" + axis_text(problem, axis) + "\"");
      }
      for (const AxisPart& part : axis) {
        if ((seen >> part.dim & 1U) != 0) {
          refuse("has dimension \"" + problem.dims[static_cast<std::size_t>(part.dim)].name + "\" along two axes");
        }
        seen |= 1U << part.dim;
      }
    }
  }
}

}  // namespace accsim::sched
