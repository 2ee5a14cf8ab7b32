// optimal-layer: every operator on as many cores as are worth it, no fusion, results to DRAM. For each operator every
// split (rows, columns, channels, batch) over 1, 2, 4, … and all cores, and for each of these the mappings of
// operator_search.h; each operator's choice from the Pareto set of all of them.
// Objective: as layerwise (sums, or the product of the sums).
// Promise: of every division the Pareto set of mappings over tile candidates x loop orders is exact for a core that has
// as much as the others; these mappings are priced again with the shares as they are (those that then do not fit are
// left out), and the choice among all of them is exact. Cores: in order of their arrays' size, largest first; shares in
// proportion to it. Every division on the array is searched again with its input, and with its weights, loaded once for
// all cores where the split allows it; such a mapping is taken where it is better by a margin (optimal_layer.cpp), and
// is no part of the promise. Cost: about splits x log2(cores) times that of layerwise, and up to twice that for these.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "sched/strategy/operator_classes.h"
#include "sched/strategy/operator_divisions.h"
#include "sched/strategy/pareto.h"
#include "sched/strategy/strategy.h"

namespace accsim::sched {

// Each operator's ways to run alone.
struct LayerOptions {
  std::vector<std::int64_t> cores;  // of the chip, those with the largest arrays first
  OperatorClasses classes;
  std::vector<std::vector<ParetoSet<DividedMapping>::Entry>> fronts;  // by class, by rising cycles
  std::vector<double> spaces;                                         // by class: mappings, all divisions together
  std::int64_t candidates = 0;

  // A group (without a number) that runs operator `op` of classes.ops as entry `choice` of its front says.
  [[nodiscard]] model::Group group(const model::Network& network, std::size_t op, std::size_t choice) const;
  [[nodiscard]] double mapspace_log10() const;
};
// `only` (where not empty): those of these operators and of operators that look the same alone.
LayerOptions layer_options(const SearchRequest& request, const std::vector<model::OpId>& only = {});

class OptimalLayer : public Strategy {
 public:
  [[nodiscard]] std::string name() const override { return "optimal-layer"; }
  [[nodiscard]] SearchResult search(const SearchRequest& request) const override;
};

}  // namespace accsim::sched
