#include "sim/functional/tile_walk.h"

#include <algorithm>

#include "model/base/error.h"

namespace accsim::sim {

using model::TileAxis;

std::int64_t tile_span(const model::TileRef& tile) {
  std::int64_t last = 0;
  for (const TileAxis& axis : tile.axes) {
    if (axis.count == 0) return 0;
    last += (axis.count - 1) * axis.stride;
  }
  return last + 1;
}

Stretch inside(std::int64_t start, std::int64_t step, std::int64_t limit, std::int64_t count) {
  const std::int64_t end = start + step * (count - 1);
  if (std::min(start, end) >= 0 && std::max(start, end) < limit) return {0, count};
  if (step == 0 || std::max(start, end) < 0 || std::min(start, end) >= limit) return {0, 0};
  if (step > 0) {
    const std::int64_t low = start >= 0 ? 0 : model::ceil_div(-start, step);
    return {low, std::min(count, start < limit ? (limit - 1 - start) / step + 1 : 0)};
  }
  const std::int64_t low = start < limit ? 0 : model::ceil_div(start - limit + 1, -step);
  return {low, std::min(count, start >= 0 ? start / -step + 1 : 0)};
}

TileWalk::TileWalk(const model::TileRef& tile, const std::vector<model::Loop>& loops,
                   const std::vector<std::size_t>& order, const std::vector<std::int64_t>& at) {
  if (order.size() > kMost || tile.axes.size() > kMost) {
    throw model::InternalError("execution on data: more loops or axes than an instruction may have");
  }
  steps_.resize(order.size());
  std::int64_t flat = 1;
  for (std::size_t s = order.size(); s-- > 0;) {
    steps_[s].extent = loops[order[s]].extent;
    steps_[s].flat = flat;
    flat *= steps_[s].extent;
  }
  for (const TileAxis& axis : tile.axes) add_axis(axis, order, at);
  std::erase_if(steps_, [](const Step& step) { return step.extent == 1; });
  if (steps_.empty()) steps_.emplace_back();
  merge_loops();
  const auto longest = std::max_element(steps_.rbegin(), steps_.rend(),
                                        [](const Step& a, const Step& b) { return a.extent < b.extent; });
  std::rotate(longest.base() - 1, longest.base(), steps_.end());
}

void TileWalk::add_axis(const TileAxis& axis, const std::vector<std::size_t>& order,
                        const std::vector<std::int64_t>& at) {
  std::int64_t start = axis.offset;
  for (std::size_t l = 0; l < at.size(); ++l) start += axis.coefficient[l] * at[l];
  for (const std::size_t l : order) start -= axis.coefficient[l] * at[l];
  std::int64_t low = start;
  std::int64_t high = start;
  bool on_step = start % axis.step == 0;
  for (std::size_t s = 0; s < order.size(); ++s) {
    const std::int64_t reach = axis.coefficient[order[s]] * (steps_[s].extent - 1);
    (reach < 0 ? low : high) += reach;
    on_step = on_step && (reach == 0 || axis.coefficient[order[s]] % axis.step == 0);
  }
  if (axis.count == 0) empty_ = true;
  const std::int64_t unit = on_step ? axis.step : 1;  // coordinates are counted in this
  if (on_step) {
    first_element_ += start / unit * axis.stride;
    for (std::size_t s = 0; s < order.size(); ++s) {
      steps_[s].element += axis.coefficient[order[s]] / unit * axis.stride;
    }
    if (low >= 0 && high / unit < axis.count) return;  // never left
  } else {
    coarse_ = true;
  }
  const std::size_t a = checked_.size();
  checked_.push_back({axis.count, on_step ? 1 : axis.step, axis.stride});
  first_[a] = start / unit;
  for (std::size_t s = 0; s < order.size(); ++s) steps_[s].coordinate[a] = axis.coefficient[order[s]] / unit;
}

void TileWalk::merge_loops() {
  const auto unchecked = [](const Step& step) {
    return std::all_of(step.coordinate.begin(), step.coordinate.end(), [](std::int64_t c) { return c == 0; });
  };
  for (std::size_t s = steps_.size() - 1; s > 0; --s) {
    Step& outer = steps_[s - 1];
    const Step& inner = steps_[s];
    if (!unchecked(outer) || !unchecked(inner) || outer.flat != inner.flat * inner.extent ||
        outer.element != inner.element * inner.extent) {
      continue;
    }
    outer.extent *= inner.extent;
    outer.flat = inner.flat;
    outer.element = inner.element;
    steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(s));
  }
}

}  // namespace accsim::sim
