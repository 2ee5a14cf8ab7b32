// dlfusion: core count and fusion blocks tuned jointly, after DLFusion (Liu et al., 2020). The machine was
// characterised by measurements of synthetic layers (characterize/card.h). Operation count and channels of a layer say
// how many cores are best for it and how much work per core is critical. A block of consecutive operators grows until
// its work per core passes the critical operation count; its core count is the mean of its layers', weighted with their
// time alone. A block that cannot run is cut until it fits. Operators of little work ride along. Beyond the paper: a
// block that the cost model finds slower than its operators alone is cut, too.
// Objective: the card's choices for it; of a block's ways to run the one with the fewest cycles, the least energy or
// the least product of both under the cost model.
// Promise: none but a valid schedule: a greedy pass over the network.
// Cost: near linear: a block is looked at once and again for each cut, blocks that look the same once.
#pragma once
#include "sched/strategy/strategy.h"

namespace accsim::sched {

class DlFusion : public Strategy {
 public:
  static constexpr std::size_t kMostOperators = 6;  // of a block
  [[nodiscard]] std::string name() const override { return "dlfusion"; }
  // ConfigError where the request has no characterisation.
  [[nodiscard]] SearchResult search(const SearchRequest& request) const override;
};

}  // namespace accsim::sched
