// The best way to cut a row of operators into groups, where each group has several ways to run. Exact for sums of
// cycles or energy by dynamic programming. For the product of both: every corner of the convex hull of all (cycles,
// energy) that can be reached is the best for some weighting of the two, and the product is least at a corner
// (pareto.h); the weightings are found by going from corner to corner, a dynamic program each.
#pragma once
#include <cstddef>
#include <vector>

#include "sched/strategy/pareto.h"

namespace accsim::sched {

// Operators first … last as one group: its ways to run.
struct Segment {
  std::size_t first = 0, last = 0;
  std::vector<Figure> ways;
};
struct Cut {
  std::size_t segment = 0;  // index into the segments
  std::size_t way = 0;
};
// Segments that follow each other from operator 0 to `operators` - 1. Of equals the one with fewer groups, then the one
// that came first. InternalError where the segments do not reach the end.
std::vector<Cut> best_cuts(std::size_t operators, const std::vector<Segment>& segments, Objective objective);

}  // namespace accsim::sched
