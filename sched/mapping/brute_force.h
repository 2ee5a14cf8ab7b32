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

// What it accepts; more is a ConfigError before anything is evaluated: mappings, and cuts of all dimensions into
// factors times placements of the tensors.
inline constexpr double kMostBruteForce = 3e7, kMostBruteForceCuts = 1e9;

BruteForceResult brute_force(const MapHierarchy& hierarchy, const MapProblem& problem, const KeepRules& rules,
                             const MapSearchOptions& options);

}  // namespace accsim::sched
