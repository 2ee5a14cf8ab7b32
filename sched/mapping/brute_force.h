// Every mapping of a small problem, one after the other, by plain loops and the plain evaluator: what the search must
// equal. Nothing is shared with the search but the formats and `evaluate`. Orders of loops of the innermost level, and
// axes, change no count: they are counted, and evaluated once.
#pragma once
#include <vector>

#include "sched/mapping/search.h"

namespace accsim::sched {

struct BruteForceResult {
  std::vector<MapPoint> points;  // as search_mapping returns them
  double raw = 0;                // closed formula's count, by enumeration
  double on_mesh = 0;            // X and Y products fit
  double valid = 0;              // and capacities hold
  double nonredundant = 0;       // and order counts only among loops > 1, axes only for splits > 1
  double evaluated = 0;
};

// Most mappings that it accepts to evaluate; more is a ConfigError that says how many there are.
inline constexpr double kMostBruteForce = 2e8;

BruteForceResult brute_force(const MapHierarchy& hierarchy, const MapProblem& problem, const KeepRules& rules,
                             const MapSearchOptions& options);

}  // namespace accsim::sched
