// The best ways to cut a row of operators into groups, in order: an exact dynamic program that keeps the best so many
// at every operator. Costs add up. Of equal costs the cut with fewer groups, then the one whose segments come first.
#pragma once
#include <cstdint>
#include <vector>

#include "sched/strategy/cuts.h"

namespace accsim::sched {

struct RankedCut {
  double cost = 0;
  std::vector<Cut> cuts;
};
// At most `most` of them, the best first; a way costs cycles * weight.cycles + energy * weight.energy.
std::vector<RankedCut> ranked_cuts(std::size_t operators, const std::vector<Segment>& segments, const Figure& weight,
                                   std::size_t most);

// How many ways there are to cut and run all operators; at most `limit` + 1, which stands for more.
std::int64_t count_cuts(std::size_t operators, const std::vector<Segment>& segments, std::int64_t limit);

}  // namespace accsim::sched
