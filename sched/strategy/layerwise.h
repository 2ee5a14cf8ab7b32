// layerwise: the baseline without fusion and without a second core. One operator at a time on core 0, results to DRAM,
// every tile ring double buffered, first weights prefetched. Objective: latency or energy: the sum over operators, each
// operator's best. EDP: (sum of latencies) * (sum of energies), which is not additive: each operator's Pareto set over
// (latency, energy), and of all combinations the one with the least product (pareto.h: exact). Promise: exact over all
// tile candidates that fit and all loop orders under the cost model (operator_search.h). Operators with equal nests are
// searched once. Operators that move no data (Reshape) get no group.
#pragma once
#include "sched/strategy/strategy.h"

namespace accsim::sched {

class Layerwise : public Strategy {
 public:
  [[nodiscard]] std::string name() const override { return "layerwise"; }
  [[nodiscard]] SearchResult search(const SearchRequest& request) const override;
};

}  // namespace accsim::sched
