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

// How the coordinates of an axis are fetched: each that is touched (or every step-th of them), all between the first
// and the last one, or, where elements are smaller than a byte, whole bytes: pairs from an even coordinate on, or the
// axis.
enum class Reach : std::uint8_t { steps, dense, pairs, whole };

Reach reach_of(const Operand& operand, std::size_t a) {
  const Axis& axis = operand.axes[a];
  if (bits_of(operand.type) < 8 && axis.stride % 2 != 0)
    return inside_odd_rows(operand, a) ? Reach::whole : Reach::pairs;
  return a + 1 == operand.axes.size() ? Reach::dense : Reach::steps;
}

BoxAxis clip(const Axis& axis, const Touched& t, Reach reach) {
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
  switch (reach) {
    case Reach::steps:
      return {low, (high - low) / t.step + 1, t.step};
    case Reach::dense:
      return {low, high - low + 1, 1};
    case Reach::pairs:
      low = low / 2 * 2;
      return {low, std::min(high / 2 * 2 + 2, axis.extent) - low, 1};
    case Reach::whole:
      break;
  }
  return {0, axis.extent, 1};
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
std::int64_t largest_count(const LoopNest& nest, const Axis& axis, const Sizes& size, Reach reach) {
  if (reach == Reach::whole) return axis.extent;
  Sizes low(size.size(), 0);
  const Touched at_zero = touched_by(axis, low, size);
  const std::int64_t step = reach == Reach::steps ? at_zero.step : 1;
  const std::int64_t unclipped = (at_zero.last - at_zero.base) / step + 1;
  // The dimensions that can move.
  std::vector<AxisTerm> moving;
  for (const AxisTerm& term : axis.terms) {
    const auto dim = static_cast<std::size_t>(term.dim);
    if (size[dim] < nest.dims[dim].extent) moving.push_back(term);
  }
  // Pairs: at most one more at either end.
  if (reach == Reach::pairs && moving.empty()) return clip(axis, at_zero, reach).count;
  if (reach == Reach::pairs) return std::min(unclipped / 2 * 2 + 2, axis.extent);
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
    best = std::max(best, clip(axis, touched_by(axis, low, size), reach).count);
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

bool inside_odd_rows(const Operand& operand, std::size_t axis) {
  for (std::size_t a = 0; a < axis; ++a)
    if (operand.axes[a].extent > 1 && operand.axes[a].stride % 2 != 0) return true;
  return false;
}

std::int64_t tile_unit(const LoopNest& nest, std::size_t dim) {
  const bool copied = nest.engine == Engine::dma;
  std::int64_t unit = 1;
  for (const Operand& operand : nest.operands) {
    if (bits_of(operand.type) >= 8 || !(copied || &operand == &nest.output())) continue;
    for (std::size_t a = 0; a < operand.axes.size(); ++a) {
      const Axis& axis = operand.axes[a];
      if (axis.stride % 2 == 0) continue;
      bool moves = false;
      bool odd = false;     // a step of this dimension is an odd number of elements
      bool beside = false;  // so is one of another dimension of the axis
      for (const AxisTerm& term : axis.terms) {
        const bool own = term.dim == static_cast<int>(dim);
        const bool step_odd = term.coefficient % 2 != 0 && nest.dims[static_cast<std::size_t>(term.dim)].extent > 1;
        moves = moves || own;
        (own ? odd : beside) = (own ? odd : beside) || step_odd;
      }
      if (!moves) continue;
      if (inside_odd_rows(operand, a) || (odd && beside)) return nest.dims[dim].extent;
      if (odd) unit = 2;
    }
  }
  return std::min(unit, nest.dims[dim].extent);
}

Box box_of(const LoopNest& nest, const Operand& operand, const Sizes& tile_low, const Sizes& tile_size) {
  check_tile(nest, tile_low, tile_size);
  Box box;
  box.reserve(operand.axes.size());
  for (std::size_t a = 0; a < operand.axes.size(); ++a) {
    box.push_back(clip(operand.axes[a], touched_by(operand.axes[a], tile_low, tile_size), reach_of(operand, a)));
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
  for (std::size_t a = 0; a < operand.axes.size(); ++a) {
    count *= largest_count(nest, operand.axes[a], tile_size, reach_of(operand, a));
  }
  return count;
}

}  // namespace accsim::model
