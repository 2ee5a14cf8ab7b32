// The ranking of cuts against all cuts, listed by plain recursion.
#include "sched/strategy/ranked_cuts.h"

#include <algorithm>
#include <random>
#include <vector>

#include "tests/catch.h"

using namespace accsim::sched;

namespace {

void list_all(std::size_t operators, const std::vector<Segment>& segments, std::size_t done, double cost,
              const Figure& weight, std::vector<double>& costs) {
  if (done == operators) {
    costs.push_back(cost);
    return;
  }
  for (const Segment& segment : segments) {
    if (segment.first != done) continue;
    for (const Figure& way : segment.ways)
      list_all(operators, segments, segment.last + 1, cost + way.cycles * weight.cycles + way.energy * weight.energy,
               weight, costs);
  }
}

std::vector<Segment> random_segments(std::mt19937& random, std::size_t operators) {
  std::vector<Segment> segments;
  for (std::size_t first = 0; first < operators; ++first)
    for (std::size_t last = first; last < std::min(operators, first + 4); ++last) {
      if (last > first && random() % 3 == 0) continue;
      segments.push_back({first, last, {}});
      for (std::size_t w = random() % 3 + 1; w > 0; --w)  // whole numbers: sums are exact in any order
        segments.back().ways.push_back(
            {static_cast<double>(random() % 50 + 1), static_cast<double>(random() % 50 + 1)});
    }
  return segments;
}

}  // namespace

TEST_CASE("ranked cuts are the best of all cuts, in order") {
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i) {
    const std::size_t operators = random() % 6 + 1;
    const std::vector<Segment> segments = random_segments(random, operators);
    const Figure weight{static_cast<double>(random() % 4), static_cast<double>(random() % 4)};
    std::vector<double> costs;
    list_all(operators, segments, 0, 0, weight, costs);
    std::sort(costs.begin(), costs.end());
    const auto all = static_cast<std::int64_t>(costs.size());
    CHECK(count_cuts(operators, segments, 1'000'000) == all);
    CHECK(count_cuts(operators, segments, all - 1) == all);  // one above the limit stands for more
    for (const std::size_t most : {std::size_t{1}, std::size_t{7}, costs.size() + 5}) {
      const std::vector<RankedCut> ranked = ranked_cuts(operators, segments, weight, most);
      REQUIRE(ranked.size() == std::min(most, costs.size()));
      for (std::size_t r = 0; r < ranked.size(); ++r) {
        REQUIRE(ranked[r].cost == costs[r]);
        double cost = 0;
        std::size_t done = 0;
        for (const Cut& cut : ranked[r].cuts) {
          REQUIRE(segments[cut.segment].first == done);
          done = segments[cut.segment].last + 1;
          const Figure& way = segments[cut.segment].ways[cut.way];
          cost += way.cycles * weight.cycles + way.energy * weight.energy;
        }
        REQUIRE(done == operators);
        REQUIRE(cost == ranked[r].cost);
      }
    }
  }
}

TEST_CASE("no two ranked cuts are the same") {
  std::mt19937 random(11);
  const std::vector<Segment> segments = random_segments(random, 6);
  const std::vector<RankedCut> ranked = ranked_cuts(6, segments, {1, 0}, 10'000);
  std::vector<std::vector<std::pair<std::size_t, std::size_t>>> seen;
  for (const RankedCut& cut : ranked) {
    seen.emplace_back();
    for (const Cut& c : cut.cuts) seen.back().emplace_back(c.segment, c.way);
  }
  std::sort(seen.begin(), seen.end());
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}
