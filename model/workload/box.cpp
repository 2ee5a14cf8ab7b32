// Boxes: which coordinates of an operand a tile touches, axis by axis.
#include <algorithm>
#include <numeric>
#include <optional>

#include "model/base/error.h"
#include "model/workload/loop_nest.h"

namespace accsim::model {
namespace {

using Sizes = std::vector<std::int64_t>;

struct Progression {
  std::int64_t coefficient = 1;
  std::int64_t count = 1;
};

// The coordinates that a tile touches on one axis: base + the sum of some progressions.
struct Touched {
  std::int64_t base = 0;
  std::int64_t last = 0;
  std::int64_t step = 1;           // gcd of the coefficients: every coordinate is base + i * step
  std::vector<Progression> terms;  // those with more than one index
};

Touched touched_by(const Axis& axis, const Sizes& low, const Sizes& size) {
  Touched t;
  t.base = axis.offset;
  std::int64_t gcd = 0;
  std::int64_t span = 0;
  for (const AxisTerm& term : axis.terms) {
    const auto dim = static_cast<std::size_t>(term.dim);
    t.base += term.coefficient * low[dim];
    if (size[dim] == 1) continue;
    t.terms.push_back({term.coefficient, size[dim]});
    gcd = std::gcd(gcd, term.coefficient);
    span += term.coefficient * (size[dim] - 1);
  }
  t.last = t.base + span;
  t.step = gcd == 0 ? 1 : gcd;
  return t;
}

// Smallest sum of the terms that is at least `target`; nullopt if none is. All but the longest term are enumerated:
// those are kernel windows.
std::optional<std::int64_t> smallest_sum(std::vector<Progression> terms, std::int64_t target) {
  if (terms.empty()) return target <= 0 ? std::optional<std::int64_t>(0) : std::nullopt;
  std::sort(terms.begin(), terms.end(), [](auto a, auto b) { return a.count < b.count; });
  const Progression first = terms.front();
  if (terms.size() == 1) {
    const std::int64_t index = target <= 0 ? 0 : ceil_div(target, first.coefficient);
    return index < first.count ? std::optional(index * first.coefficient) : std::nullopt;
  }
  terms.erase(terms.begin());
  std::optional<std::int64_t> best;
  for (std::int64_t i = 0; i < first.count; ++i) {
    const std::int64_t part = i * first.coefficient;
    const auto rest = smallest_sum(terms, target - part);
    if (rest && (!best || part + *rest < *best)) best = part + *rest;
    if (best == target) break;
  }
  return best;
}

BoxAxis clip(const Axis& axis, const Touched& t, bool innermost) {
  std::int64_t low = t.base;
  std::int64_t high = t.last;
  if (low < 0) {
    const auto inside = smallest_sum(t.terms, -t.base);
    if (!inside || t.base + *inside >= axis.extent) return {0, 0, 1};
    low = t.base + *inside;
  }
  if (high >= axis.extent) {
    // Seen from the last coordinate backwards the same sums are subtracted.
    const auto outside = smallest_sum(t.terms, t.last - (axis.extent - 1));
    if (!outside || t.last - *outside < 0) return {0, 0, 1};
    high = t.last - *outside;
  }
  if (low > high) return {0, 0, 1};
  const std::int64_t step = innermost ? 1 : t.step;
  return {low, (high - low) / step + 1, step};
}

void check_tile(const LoopNest& nest, const Sizes& low, const Sizes& size) {
  if (low.size() != nest.dims.size() || size.size() != nest.dims.size()) {
    throw InternalError("a tile has not one entry for each dimension of its nest");
  }
  for (std::size_t i = 0; i < size.size(); ++i) {
    if (low[i] < 0 || size[i] < 1 || low[i] > nest.dims[i].extent - size[i]) {
      throw InternalError("tile " + std::to_string(low[i]) + " + " + std::to_string(size[i]) + " of dimension " +
                          nest.dims[i].name + " lies outside [0, " + std::to_string(nest.dims[i].extent) + ")");
    }
  }
}

// Largest count along one axis over all positions of the tile.
std::int64_t largest_count(const LoopNest& nest, const Axis& axis, const Sizes& size, bool innermost) {
  Sizes low(size.size(), 0);
  const Touched at_zero = touched_by(axis, low, size);
  const std::int64_t step = innermost ? 1 : at_zero.step;
  const std::int64_t unclipped = (at_zero.last - at_zero.base) / step + 1;
  // The dimensions that can move.
  std::vector<AxisTerm> moving;
  for (const AxisTerm& term : axis.terms) {
    const auto dim = static_cast<std::size_t>(term.dim);
    if (size[dim] < nest.dims[dim].extent) moving.push_back(term);
  }
  // One move that brings the tile inside: nothing is clipped there.
  for (std::size_t i = 0; i <= moving.size(); ++i) {
    std::int64_t shift = 0;
    if (i < moving.size()) {
      const auto dim = static_cast<std::size_t>(moving[i].dim);
      const std::int64_t needed = at_zero.base < 0 ? ceil_div(-at_zero.base, moving[i].coefficient) : 0;
      shift = std::min(needed, nest.dims[dim].extent - size[dim]) * moving[i].coefficient;
    }
    if (at_zero.base + shift >= 0 && at_zero.last + shift < axis.extent) return unclipped;
  }
  // The tile is nearly as large as the axis: few positions, all tried.
  std::int64_t best = 0;
  while (true) {
    best = std::max(best, clip(axis, touched_by(axis, low, size), innermost).count);
    std::size_t i = 0;
    for (; i < moving.size(); ++i) {
      const auto dim = static_cast<std::size_t>(moving[i].dim);
      if (++low[dim] <= nest.dims[dim].extent - size[dim]) break;
      low[dim] = 0;
    }
    if (i == moving.size() || best == unclipped) return best;
  }
}

}  // namespace

Box box_of(const LoopNest& nest, const Operand& operand, const Sizes& tile_low, const Sizes& tile_size) {
  check_tile(nest, tile_low, tile_size);
  Box box;
  box.reserve(operand.axes.size());
  for (const Axis& axis : operand.axes) {
    box.push_back(clip(axis, touched_by(axis, tile_low, tile_size), &axis == &operand.axes.back()));
  }
  return box;
}

std::int64_t element_count(const Box& box) {
  std::int64_t count = 1;
  for (const BoxAxis& axis : box) count *= axis.count;
  return count;
}

std::int64_t largest_box(const LoopNest& nest, const Operand& operand, const Sizes& tile_size) {
  check_tile(nest, Sizes(nest.dims.size(), 0), tile_size);
  // A dimension moves one axis only, so the axes reach their largest counts together.
  std::int64_t count = 1;
  for (const Axis& axis : operand.axes) {
    count *= largest_count(nest, axis, tile_size, &axis == &operand.axes.back());
  }
  return count;
}

}  // namespace accsim::model
