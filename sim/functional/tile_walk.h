// The elements of a tile in the order of an instruction's loops. A tile's coordinates are affine in the loop indices;
// coordinates outside of the box are padding. The walk goes along one loop in its innermost step, the longest, and
// hands over whole rows: a stretch of elements at equal distances both in the tile and in the flat order of the loops.
// Axes that the loops never leave need no check; loops that go on where the next one ends are one loop.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/program/program.h"

namespace accsim::sim {

// Elements in memory from a tile's first to its last one; 0 where the tile is empty.
std::int64_t tile_span(const model::TileRef& tile);

class TileWalk {
 public:
  // `order`: the loops of the instruction that are walked, outermost first; the flat index counts them in this order.
  // `at`: by loop of the instruction, the indices of those that are not walked.
  TileWalk(const model::TileRef& tile, const std::vector<model::Loop>& loops, const std::vector<std::size_t>& order,
           const std::vector<std::int64_t>& at);

  // Element i of the row (0 <= i < count): flat index `flat + i * flat_step`, in the tile's memory at element
  // `element + i * element_step`; for i outside [low, high) it is padding.
  struct Row {
    std::int64_t flat, flat_step;
    std::int64_t element, element_step;
    std::int64_t low, high, count;
  };
  template <class Visit>
  void each_row(Visit&& visit) const;

 private:
  static constexpr std::size_t kMost = 16;  // loops and axes of an instruction
  using Vector = std::array<std::int64_t, kMost>;

  struct Step {  // a loop that is walked
    std::int64_t extent = 1;
    std::int64_t flat = 0;
    std::int64_t element = 0;
    Vector coordinate{};  // by checked axis
  };
  struct Checked {  // an axis that the walk may leave
    std::int64_t count = 1;
    std::int64_t step = 1;  // 1 unless coordinates between the steps occur
    std::int64_t stride = 1;
  };
  void add_axis(const model::TileAxis& axis, const std::vector<std::size_t>& order,
                const std::vector<std::int64_t>& at);
  void merge_loops();
  template <class Visit>
  void visit_row(const Row& row, const Vector& coordinate, Visit& visit) const;

  std::vector<Step> steps_;  // outermost first, the innermost row last
  std::vector<Checked> checked_;
  Vector first_{};  // coordinates on checked axes where all indices are 0
  std::int64_t first_element_ = 0;
  bool empty_ = false;   // no element at all: every coordinate is padding
  bool coarse_ = false;  // some checked axis has a step
};

// The part [low, high) of i in [0, count) with 0 <= start + i * step < limit.
struct Stretch {
  std::int64_t low, high;
};
Stretch inside(std::int64_t start, std::int64_t step, std::int64_t limit, std::int64_t count);

template <class Visit>
void TileWalk::visit_row(const Row& row, const Vector& coordinate, Visit& visit) const {
  const Step& inner = steps_.back();
  Row clipped = row;
  if (empty_) {
    clipped.high = 0;
    visit(clipped);
    return;
  }
  if (!coarse_) {
    for (std::size_t a = 0; a < checked_.size(); ++a) {
      const Stretch stretch = inside(coordinate[a], inner.coordinate[a], checked_[a].count, row.count);
      clipped.low = std::max(clipped.low, stretch.low);
      clipped.high = std::min(clipped.high, stretch.high);
    }
    clipped.high = std::max(clipped.low, clipped.high);
    visit(clipped);
    return;
  }
  // Coordinates between the steps of an axis: element by element. Elements of such axes are not affine.
  for (std::int64_t i = 0; i < row.count; ++i) {
    Row single{row.flat + i * row.flat_step, 1, row.element + i * row.element_step, 1, 0, 1, 1};
    for (std::size_t a = 0; a < checked_.size(); ++a) {
      const Checked& axis = checked_[a];
      const std::int64_t at = coordinate[a] + i * inner.coordinate[a];
      if (at < 0 || at >= axis.count * axis.step || at % axis.step != 0) single.high = 0;
      if (axis.step > 1) single.element += at / axis.step * axis.stride;
    }
    visit(single);
  }
}

template <class Visit>
void TileWalk::each_row(Visit&& visit) const {
  const Step& inner = steps_.back();
  const std::size_t outer = steps_.size() - 1;
  std::array<std::int64_t, kMost + 1> index{};
  Vector coordinate = first_;
  Row row{0, inner.flat, first_element_, inner.element, 0, inner.extent, inner.extent};
  for (;;) {
    visit_row(row, coordinate, visit);
    std::size_t s = outer;
    for (; s > 0; --s) {
      const Step& step = steps_[s - 1];
      const bool last = ++index[s - 1] == step.extent;
      const std::int64_t moves = last ? 1 - step.extent : 1;
      row.flat += moves * step.flat;
      row.element += moves * step.element;
      for (std::size_t a = 0; a < checked_.size(); ++a) coordinate[a] += moves * step.coordinate[a];
      if (!last) break;
      index[s - 1] = 0;
    }
    if (s == 0) return;
  }
}

}  // namespace accsim::sim
