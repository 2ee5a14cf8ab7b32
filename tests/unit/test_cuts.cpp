// The best cut of a row of operators into groups, against all cuts.
#include "sched/strategy/cuts.h"

#include <algorithm>
#include <limits>

#include "model/base/error.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"

namespace {

using namespace accsim;
using namespace accsim::sched;
using tests::Random;

double value_of(const Figure& sum, Objective objective) {
  if (objective == Objective::latency) return sum.cycles;
  return objective == Objective::energy ? sum.energy : sum.cycles * sum.energy;
}

// Tries everything from operator `at` on.
double least(const std::vector<Segment>& segments, std::size_t operators, std::size_t at, const Figure& before,
             Objective objective) {
  if (at == operators) return value_of(before, objective);
  double best = std::numeric_limits<double>::infinity();
  for (const Segment& segment : segments) {
    if (segment.first != at) continue;
    for (const Figure& way : segment.ways)
      best = std::min(best, least(segments, operators, segment.last + 1,
                                  {before.cycles + way.cycles, before.energy + way.energy}, objective));
  }
  return best;
}

}  // namespace

TEST_CASE("the best cut is that of all cuts, for each objective") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    Random random(seed);
    const auto operators = static_cast<std::size_t>(random.range(1, 6));
    std::vector<Segment> segments;
    for (std::size_t first = 0; first < operators; ++first)
      for (std::size_t last = first; last < operators; ++last) {
        if (last > first && random.chance(40)) continue;
        Segment segment{first, last, {}};
        for (std::int64_t ways = random.range(1, 3); ways > 0; --ways)
          segment.ways.push_back({static_cast<double>(random.range(1, 60)), static_cast<double>(random.range(1, 60))});
        segments.push_back(segment);
      }
    for (const Objective objective : {Objective::latency, Objective::energy, Objective::edp}) {
      CAPTURE(seed, name_of(objective));
      Figure sum;
      std::size_t next = 0;
      for (const Cut& cut : best_cuts(operators, segments, objective)) {
        REQUIRE(segments[cut.segment].first == next);
        next = segments[cut.segment].last + 1;
        sum.cycles += segments[cut.segment].ways[cut.way].cycles;
        sum.energy += segments[cut.segment].ways[cut.way].energy;
      }
      CHECK(next == operators);
      CHECK(value_of(sum, objective) == least(segments, operators, 0, {}, objective));
    }
  }
}

TEST_CASE("cuts that cannot reach the end are a bug of the caller") {
  CHECK_THROWS_AS(best_cuts(2, {{0, 0, {{1, 1}}}}, Objective::edp), model::InternalError);
  CHECK(best_cuts(0, {}, Objective::edp).empty());
}
