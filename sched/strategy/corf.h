// corf: consecutive operators fused, after CORF (fusion of complex operators, with an input-centric direction), on all
// cores. A group is a run of operators in the network's order that can be fused: at most kMostOperators, at most
// kMostComplex of them with reduction loops of their own on the array; the others ride along. An operator that stays
// alone runs as optimal-layer has it run.
// Objective: sums over the groups, or the product of the sums.
// Promise: the best cut into groups is exact for the groups' ways to run that fusion/fused_candidates.h lists and the
// Pareto sets of optimal-layer, under the cost model. Runs that look the same are searched once. Cost: that of
// optimal-layer, and some hundred candidates for each run.
#pragma once
#include "sched/strategy/strategy.h"

namespace accsim::sched {

class Corf : public Strategy {
 public:
  static constexpr std::size_t kMostOperators = 6;
  static constexpr std::size_t kMostComplex = 3;
  [[nodiscard]] std::string name() const override { return "corf"; }
  [[nodiscard]] SearchResult search(const SearchRequest& request) const override;
};

}  // namespace accsim::sched
