// Counts of one mapping under the `reference` rules: reads, fills and updates of every level and tensor, energy,
// cycles. The rules are those of the reference mapper figures (docs/mapper.md says them in full): temporal reuse by the
// innermost run of loops that do not index a tensor, halo credit of the innermost loop that does, multicast to
// instances that need exactly the same words, spatial reduction at no cost, bypass, perfect overlap of transfers and
// arithmetic. The code is written for clarity and shares nothing with the search, which it checks.
#pragma once
#include <cmath>
#include <vector>

#include "sched/mapping/mapping.h"

namespace accsim::sched {

// Words of one used instance.
struct Accesses {
  double reads = 0, fills = 0, updates = 0;
};

struct Evaluation {
  double energy_pj = 0;
  double cycles = 0;  // whole
  double macs = 0;
  double units = 1;                             // used multiply-accumulate units
  std::vector<double> instances;                // [level]: used ones
  std::vector<double> used_words;               // [level]: capacity taken, buffering included
  std::vector<std::vector<Accesses>> accesses;  // [level][tensor]: of one instance (with remainders: the first)
  std::vector<std::vector<Accesses>> totals;    // [level][tensor]: of all used instances
  std::vector<double> level_cycles;             // [level]: cycles that its bandwidth takes
  double compute_cycles = 0;
  double compute_pj = 0;
  std::vector<double> level_pj;
  [[nodiscard]] double edp() const { return energy_pj * cycles; }
};

// The mapping is taken as checked (check_mapping).
Evaluation evaluate(const MapHierarchy& hierarchy, const MapProblem& problem, const KeepRules& rules,
                    const Mapping& mapping);

// The same for a mapping with remainders (Mapping::tile), which evaluate() hands on.
Evaluation evaluate_ragged(const MapHierarchy& hierarchy, const MapProblem& problem, const KeepRules& rules,
                           const Mapping& mapping);

// Energy and cycles from `accesses`, `totals`, `instances` and `steps` of the first unit.
void price(const MapHierarchy& hierarchy, const MapProblem& problem, const KeepRules& rules, const Mapping& mapping,
           double steps, Evaluation& result);

// Smallest whole number of cycles in which `count` fits at `rate` a cycle; 0 for rate 0 (unlimited).
inline double whole_cycles(double count, double rate) {
  if (rate <= 0) return 0;
  constexpr double kWhole = 9e15;
  const double quotient = count / rate;
  double cycles = quotient < kWhole ? static_cast<double>(static_cast<std::int64_t>(quotient)) : std::floor(quotient);
  while (cycles * rate < count) ++cycles;
  return cycles;
}

// Different words that a fan-out asks for: loops (dimension, factor, size of one step in that dimension) side by side.
struct SpatialLoop {
  int dim = 0;
  std::int64_t factor = 1, step = 1;
};
double distinct_positions(const MapTensor& tensor, const std::vector<SpatialLoop>& loops);

}  // namespace accsim::sched
