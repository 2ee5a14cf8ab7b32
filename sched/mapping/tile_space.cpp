#include "sched/mapping/tile_space.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <numeric>

#include "model/base/error.h"
#include "sched/mapping/ragged.h"

namespace accsim::sched {
namespace {

Sizes all_ones() {
  Sizes sizes;
  sizes.fill(1);
  return sizes;
}

double words_of(const MapTensor& tensor, const Sizes& sizes) {
  double words = 1;
  for (const TensorAxis& axis : tensor.axes) {
    std::int64_t extent = 1;
    for (const AxisPart& part : axis) extent += part.coefficient * (sizes[static_cast<std::size_t>(part.dim)] - 1);
    words *= static_cast<double>(extent);
  }
  return words;
}

// No dimension moves several axes.
bool simple_axes(const MapTensor& tensor) {
  std::uint32_t seen = 0;
  for (const TensorAxis& axis : tensor.axes) {
    for (const AxisPart& part : axis) {
      if ((seen >> part.dim & 1U) != 0) return false;
      seen |= 1U << part.dim;
    }
  }
  return true;
}

// With remainders the number of tiles is only known to be at least dimension / tile. A tile has at least as many words
// along an axis as indices of any dimension of it; sliding along one brings at least its new indices.
double ragged_words_at_least(const MapProblem& problem, const MapTensor& tensor, const Tile& tile) {
  double product = 1;
  for (const TensorAxis& axis : tensor.axes) {
    double most = 0, least = std::numeric_limits<double>::infinity();
    for (const AxisPart& slide : axis) {
      const auto j = static_cast<std::size_t>(slide.dim);
      double words = static_cast<double>(problem.dims[j].size);
      for (const AxisPart& part : axis) {
        const auto i = static_cast<std::size_t>(part.dim);
        if (i != j) words *= static_cast<double>(problem.dims[i].size) / tile.sizes[i];
      }
      most = std::max(most, words);
      if (tile.sizes[j] < problem.dims[j].size) least = std::min(least, words);
    }
    product *= std::min(least, most);
  }
  return product;
}

void set_least_words(const MapProblem& problem, bool imperfect, Tile& tile) {
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    const MapTensor& tensor = problem.tensors[t];
    if (imperfect && tensor.strided) {
      const double words = ragged_words_at_least(problem, tensor, tile);
      tile.all[t] = words * tile.repeats / tile.own_repeats[t];
      tile.once[t] = words;
    } else {
      const double share = tensor.windows ? slide_share(problem, tensor, tile.sizes, nullptr) : 1;
      tile.all[t] = tile.words[t] * tile.repeats * share;
      tile.once[t] = tile.words[t] * tile.own_repeats[t] * share;
    }
  }
}

}  // namespace

double tile_extent(const TensorAxis& axis, const Sizes& sizes) {
  std::int64_t extent = 1;
  for (const AxisPart& part : axis) extent += part.coefficient * (sizes[static_cast<std::size_t>(part.dim)] - 1);
  return static_cast<double>(extent);
}

double slide_share(const MapProblem& problem, const MapTensor& tensor, const Sizes& tile, const Split* split) {
  if (!simple_axes(tensor)) return 0;
  double best = 1;
  for (const TensorAxis& axis : tensor.axes) {
    if (axis.size() == 1) continue;
    const double extent = tile_extent(axis, tile);
    for (const AxisPart& part : axis) {
      const auto d = static_cast<std::size_t>(part.dim);
      const double size = static_cast<double>(tile[d]) * (split != nullptr ? split->sizes[d] : 1);
      const double move = static_cast<double>(part.coefficient) * size;
      const double n = static_cast<double>(problem.dims[d].size) / size;
      if (n <= 1 || move >= extent) continue;
      best = std::min(best, (extent + (n - 1) * move) / (extent * n));
    }
  }
  return best;
}

Divisors::Divisors(const MapProblem& problem, bool imperfect) {
  if (imperfect) {
    for (const MapDim& dim : problem.dims) {
      const std::vector<std::int64_t> tiles = even_tile_sizes(dim.size);
      divisors_.emplace_back(tiles.begin(), tiles.end());
      splits_.emplace_back(static_cast<std::size_t>(std::min(dim.size, kLargestMesh)));
      std::iota(splits_.back().begin(), splits_.back().end(), 1);
    }
    fields_.resize(problem.dims.size());
    for (const auto& list : divisors_) keys_.emplace_back(list.size());
    return;
  }
  std::size_t word = 0;
  int used = 0;
  for (const MapDim& dim : problem.dims) {
    std::vector<std::int32_t> list;
    for (std::int64_t i = 1; i * i <= dim.size; ++i) {
      if (dim.size % i != 0) continue;
      list.push_back(static_cast<std::int32_t>(i));
      if (i * i != dim.size) list.push_back(static_cast<std::int32_t>(dim.size / i));
    }
    std::sort(list.begin(), list.end());
    divisors_.push_back(std::move(list));
    fields_.emplace_back();
    std::int64_t rest = dim.size;
    for (std::int64_t p = 2; rest > 1; ++p) {
      if (p * p > rest) p = rest;
      unsigned exponent = 0;
      for (; rest % p == 0; rest /= p) ++exponent;
      if (exponent == 0) continue;
      const int bits = static_cast<int>(std::bit_width(2 * exponent)) + 1;  // sums of two keys, and the guard
      if (used + bits > 64) {
        ++word;
        used = 0;
      }
      if (word == kKeyWords) throw model::ConfigError("", "", "the dimensions have too many prime factors");
      fields_.back().push_back({static_cast<std::int32_t>(p), word, used});
      guards_.words[word] |= std::uint64_t{1} << (used + bits - 1);
      used += bits;
    }
  }
  words_ = word + 1;
  Sizes sizes = all_ones();
  for (std::size_t d = 0; d < divisors_.size(); ++d) {
    keys_.emplace_back();
    for (const std::int32_t size : divisors_[d]) {
      sizes[d] = size;
      keys_.back().push_back(key(sizes));
    }
    sizes[d] = 1;
  }
}

Key Divisors::key(const Sizes& sizes) const {
  Key key;
  for (std::size_t d = 0; d < fields_.size(); ++d) {
    std::int32_t rest = sizes[d];
    for (const Field& field : fields_[d]) {
      std::uint64_t exponent = 0;
      for (; rest % field.prime == 0; rest /= field.prime) ++exponent;
      key.words[field.word] += exponent << field.shift;
    }
  }
  return key;
}

std::vector<Tile> tiles_of(const MapProblem& problem, const Divisors& divisors, const std::vector<double>& copies,
                           double capacity, std::uint32_t kept, std::uint32_t free_dims) {
  std::vector<Tile> tiles;
  Sizes sizes = all_ones();
  const auto used = [&] {
    double words = 0;
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
      if ((kept >> t & 1U) != 0) words += copies[t] * words_of(problem.tensors[t], sizes);
    }
    return words;
  };
  const auto extend = [&](const auto& self, std::size_t dim, const Key& key) -> void {
    if (dim == problem.dims.size()) {
      Tile& tile = tiles.emplace_back();
      tile.sizes = sizes;
      tile.key = key;
      for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
        tile.words[t] = words_of(problem.tensors[t], sizes);
        tile.own_repeats[t] = 1;
      }
      for (std::size_t d = 0; d < problem.dims.size(); ++d) {
        const double repeats = static_cast<double>(problem.dims[d].size) / sizes[d];
        tile.repeats *= repeats;
        for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
          if (problem.tensors[t].uses(static_cast<int>(d))) tile.own_repeats[t] *= repeats;
        }
      }
      set_least_words(problem, divisors.imperfect(), tile);
      return;
    }
    for (std::size_t i = 0; i < divisors.of(dim).size(); ++i) {
      const std::int32_t size = divisors.of(dim)[i];
      if (size > 1 && (free_dims >> dim & 1U) == 0) break;
      sizes[dim] = size;
      if (kept != 0 && used() > capacity) break;  // tiles only grow
      self(self, dim + 1, Divisors::sum(key, divisors.key_of(dim, i)));
    }
    sizes[dim] = 1;
  };
  if (used() <= capacity) extend(extend, 0, {});
  return tiles;
}

std::vector<Split> splits_of(const MapProblem& problem, const Divisors& divisors,
                             const std::array<std::int64_t, 2>& mesh, const LevelConstraints* constraints) {
  std::map<std::vector<std::int32_t>, bool> found;  // sorted: the order does not depend on how they were found
  std::vector<std::int32_t> sizes(problem.dims.size(), 1);
  const auto extend = [&](const auto& self, std::size_t dim, std::int64_t x, std::int64_t y) -> void {
    if (dim == sizes.size()) {
      if (constraints != nullptr && constraints->most_instances > 0 && x * y > constraints->most_instances) return;
      found[sizes] = true;
      return;
    }
    for (const std::int32_t size : divisors.splits(dim)) {
      if (size * x > mesh[0] && size * y > mesh[1]) break;
      if (constraints != nullptr && !constraints->allows_split(dim, size)) continue;
      const auto on = [&](std::size_t axis) {
        return size == 1 || constraints == nullptr || (constraints->axis_dims[axis] >> dim & 1U) != 0;
      };
      sizes[dim] = size;
      if (size * x <= mesh[0] && on(0)) self(self, dim + 1, x * size, y);
      if (size > 1 && size * y <= mesh[1] && on(1)) self(self, dim + 1, x, y * size);
    }
    sizes[dim] = 1;
  };
  extend(extend, 0, 1, 1);
  std::vector<Split> splits;
  for (const auto& entry : found) {
    Split split;
    split.sizes = all_ones();
    std::copy(entry.first.begin(), entry.first.end(), split.sizes.begin());
    split.key = divisors.key(split.sizes);
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) split.shared[t] = 1;
    for (std::size_t d = 0; d < problem.dims.size(); ++d) {
      split.instances *= split.sizes[d];
      for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
        if (!problem.tensors[t].uses(static_cast<int>(d))) split.shared[t] *= split.sizes[d];
      }
    }
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
      for (const TensorAxis& axis : problem.tensors[t].axes) {
        const auto moving = std::count_if(axis.begin(), axis.end(), [&](const AxisPart& part) {
          return split.sizes[static_cast<std::size_t>(part.dim)] > 1;
        });
        if (moving < 2) continue;
        split.joint |= 1U << t;
        for (const AxisPart& part : axis) {
          if (split.sizes[static_cast<std::size_t>(part.dim)] > 1) split.joint_dims |= 1U << part.dim;
        }
      }
    }
    splits.push_back(split);
  }
  return splits;
}

}  // namespace accsim::sched
