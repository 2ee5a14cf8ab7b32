#include "sched/mapping/tile_space.h"

#include <algorithm>
#include <bit>
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

}  // namespace

Divisors::Divisors(const MapProblem& problem, bool imperfect) {
  if (imperfect) {
    for (const MapDim& dim : problem.dims) {
      const std::vector<std::int64_t> tiles = even_tile_sizes(dim.size);
      divisors_.emplace_back(tiles.begin(), tiles.end());
      splits_.emplace_back(static_cast<std::size_t>(std::min(dim.size, kLargestMesh)));
      std::iota(splits_.back().begin(), splits_.back().end(), 1);
    }
    fields_.resize(problem.dims.size());
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
  const auto extend = [&](const auto& self, std::size_t dim) -> void {
    if (dim == problem.dims.size()) {
      Tile tile;
      tile.sizes = sizes;
      tile.key = divisors.key(sizes);
      for (std::size_t t = 0; t < problem.tensors.size(); ++t) tile.words[t] = words_of(problem.tensors[t], sizes);
      for (std::size_t d = 0; d < problem.dims.size(); ++d) {
        tile.repeats *= static_cast<double>(problem.dims[d].size) / sizes[d];
      }
      for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
        tile.own_repeats[t] = 1;
        for (std::size_t d = 0; d < problem.dims.size(); ++d) {
          if (problem.tensors[t].uses(static_cast<int>(d))) {
            tile.own_repeats[t] *= static_cast<double>(problem.dims[d].size) / sizes[d];
          }
        }
      }
      tile.used_words = used();
      tiles.push_back(tile);
      return;
    }
    for (const std::int32_t size : divisors.of(dim)) {
      if (size > 1 && (free_dims >> dim & 1U) == 0) break;
      sizes[dim] = size;
      if (used() > capacity) break;  // tiles only grow
      self(self, dim + 1);
    }
    sizes[dim] = 1;
  };
  if (used() <= capacity) extend(extend, 0);
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
