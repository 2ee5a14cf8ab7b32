// optimal-layer: every operator on as many cores as are worth it, no fusion, results to DRAM. For each operator every
// split (rows, columns, channels, batch) over 1, 2, 4, … and all cores, and for each of these the mappings of
// operator_search.h; each operator's choice from the Pareto set of all of them.
// Objective: as layerwise (sums, or the product of the sums).
// Promise: of every division the Pareto set of mappings over tile candidates x loop orders is exact for a core that has
// as much as the others; these mappings are priced again with the shares as they are (those that then do not fit are
// left out), and the choice among all of them is exact. Cores: in order of their arrays' size, largest first; shares in
// proportion to it. Cost: about splits x log2(cores) times that of layerwise.
#pragma once
#include "sched/strategy/strategy.h"

namespace accsim::sched {

class OptimalLayer : public Strategy {
 public:
  [[nodiscard]] std::string name() const override { return "optimal-layer"; }
  [[nodiscard]] SearchResult search(const SearchRequest& request) const override;
};

}  // namespace accsim::sched
