// oracle: what measuring gives at best, to judge the other strategies by. Reduced space: blocks of at most
// kMostOperators consecutive operators, on 1, 2, 4, … and all cores, each run the way that the cost model finds best
// (block_ways.h). Every block on every core count is measured alone, cold and drained; an exact dynamic program over
// the measured figures ranks whole schedules; the best kMeasured of them are measured, or all where there are at most
// kAllSchedules in the space. The best measured one is the result.
// Objective: sums over the groups. For EDP, which is no sum, schedules are ranked by the weighting of cycles and energy
// at the best product (cuts.h); the product of what was measured decides.
// Promise: the best of the whole schedules that were measured. That is the best of the reduced space where all were;
// else what blocks lose or gain by their neighbours may hide a better one below rank kMeasured. Cost: thousands of
// simulations. ConfigError where the space has more than kMostTrials blocks times core counts.
#pragma once
#include "sched/strategy/strategy.h"

namespace accsim::sched {

class Oracle : public Strategy {
 public:
  static constexpr std::size_t kMostOperators = 6;
  static constexpr std::size_t kMeasured = 50;
  static constexpr std::int64_t kAllSchedules = 2000;
  static constexpr std::size_t kMostTrials = 1000;  // distinct blocks times core counts
  [[nodiscard]] std::string name() const override { return "oracle"; }
  // ConfigError where the request has no measurer.
  [[nodiscard]] SearchResult search(const SearchRequest& request) const override;
};

}  // namespace accsim::sched
