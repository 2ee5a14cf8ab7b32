// joint: which operators run together (fusion), on how many cores and how divided, with which tiles, and where every
// tensor between groups lives (DRAM, scratchpads, global buffer), decided together.
//   groups: every operator alone with the divisions of optimal-layer and tiles of halved extents, and every run of
//   consecutive operators that corf
//     fuses; each searched with its tensors in DRAM and again with them on the chip, in which case its buffers may take
//     kBufferShare of a scratchpad. Of both searches the corners of the Pareto sets are kept.
//   prices: each of these ways under every combination of homes of what the group reads and of its result.
//   choice: home_cuts.h, over how many operators are done and where each live tensor is.
// Objective: sums of cycles or energy, or the product of the sums.
// Promise: exact under the cost model over these ways, except where a limit binds: groups of kMostOperators with
// kMostComplex products, and kMostAlive tensors at a time that may stay on the chip (those with the shortest stay).
// Where tensors on the chip do not fit beside each other at last, because the free space is in pieces, it searches
// again with less room. Cost: that of searching each group twice, and the pricing; about that of optimal-layer.
#pragma once
#include "sched/strategy/strategy.h"

namespace accsim::sched {

class Joint : public Strategy {
 public:
  static constexpr std::size_t kMostOperators = 6;
  static constexpr std::size_t kMostComplex = 3;
  static constexpr std::size_t kMostAlive = 4;
  [[nodiscard]] std::string name() const override { return "joint"; }
  [[nodiscard]] SearchResult search(const SearchRequest& request) const override;
};

}  // namespace accsim::sched
