// The tiles of one operator in the order in which they are worked on. Shared by everything that walks a mapping.
#pragma once
#include <cstdint>
#include <vector>

#include "model/schedule/schedule.h"

namespace accsim::model {

// Position and size of a tile in the iteration space, one entry a dimension of the nest.
struct TileIndex {
  std::vector<std::int64_t> low;
  std::vector<std::int64_t> size;
};

// Output tiles in the mapping's order, reduction tiles inside. The nest must outlive the sequence.
class TileSequence {
 public:
  TileSequence(const LoopNest& nest, const OperatorMapping& mapping);
  [[nodiscard]] const TileIndex& at() const { return at_; }
  bool next_reduction() { return advance(reduced_); }  // false after the last; then at the first again
  bool next_output() { return advance(outer_); }

 private:
  bool advance(const std::vector<int>& dims);

  const LoopNest* nest_;
  std::vector<std::int64_t> tile_;
  std::vector<int> outer_, reduced_;  // dimensions with more than one tile, outermost first
  TileIndex at_;
};

// The box that the tile needs, axes of stride 0 (broadcast) reduced to one coordinate.
Box tile_box(const LoopNest& nest, const Operand& operand, const TileIndex& tile);
bool same_box(const Box& a, const Box& b);
bool is_empty(const Box& box);

}  // namespace accsim::model
