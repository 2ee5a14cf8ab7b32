// The optimal mapping of a problem onto a hierarchy, proven: the whole space of docs/mapper.md is covered by bounds.
// check (the readers, keep_rules) -> search (here) -> verify (check_mapping and evaluate, by code of their own).
// Objectives: energy (ties by cycles), latency (ties by energy), EDP; or the Pareto set over (energy, cycles) and,
// where asked, the words that each level of limited capacity holds. Exact: what is left out is at least as bad as what
// is returned, to a relative 1e-12 of energy. InfeasibleError where no mapping fits. Same result for any number of
// jobs.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "sched/mapping/constraints.h"
#include "sched/mapping/evaluate.h"

namespace accsim::sched {

enum class MapObjective : std::uint8_t { energy, latency, edp };

struct MapSearchOptions {
  MapObjective objective = MapObjective::edp;
  bool imperfect = false;     // tilings with remainders (ragged.h) as well as divisors
  bool pareto = false;        // the whole front instead of one mapping
  bool pareto_words = false;  // with the words of each limited level as further criteria
  int jobs = 1;
  std::size_t seed_tiles = 32;         // tiles a stage of the first, inexact passes; changes the time only
  MapConstraints constraints;          // what the mapping must satisfy (rules and hierarchy hold their part)
  std::vector<std::uint32_t> without;  // a dataplacement (Mapping::keep) that is left out; empty: none
};

struct MapPoint {
  Mapping mapping;
  Evaluation evaluation;
};

struct Certificate {
  double raw_log10 = 0;                                      // size of the unpruned space
  std::vector<std::pair<std::string, double>> pruned_log10;  // what is left after each step
  std::int64_t evaluated = 0;                                // mappings whose cost was computed in full
  double root_bound = 0;   // of the objective, known before the first mapping (0 for Pareto sets)
  double lower_bound = 0;  // of the objective at the end: equal to the result
};

struct MapSearchResult {
  std::vector<MapPoint> points;  // one, or the front by rising cycles
  Certificate certificate;
};

MapSearchResult search_mapping(const MapHierarchy& hierarchy, const MapProblem& problem, const KeepRules& rules,
                               const MapSearchOptions& options);

// log10 of the closed formula for the unpruned space (docs/mapper.md, "Size of the space").
double raw_space_log10(const MapHierarchy& hierarchy, const MapProblem& problem, const KeepRules& rules,
                       bool imperfect = false);
// Of it, the ways to cut one dimension; `meshes`: bit l = a split over level l.
double log10_chains(std::int64_t size, std::size_t levels, std::uint32_t meshes, bool imperfect);

}  // namespace accsim::sched
