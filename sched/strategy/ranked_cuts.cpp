#include "sched/strategy/ranked_cuts.h"

#include <algorithm>
#include <tuple>

namespace accsim::sched {
namespace {

// A row of groups up to an operator, as a link to the row before.
struct Row {
  double cost = 0;
  std::size_t groups = 0;
  Cut last;
  std::size_t before = 0;  // which row of the operators before
};

bool better(const Row& a, const Row& b) {
  return std::tie(a.cost, a.groups, a.last.segment, a.last.way, a.before) <
         std::tie(b.cost, b.groups, b.last.segment, b.last.way, b.before);
}

}  // namespace

std::vector<RankedCut> ranked_cuts(std::size_t operators, const std::vector<Segment>& segments, const Figure& weight,
                                   std::size_t most) {
  std::vector<std::vector<Row>> rows(operators + 1);  // by operators that are done, the best first
  rows[0].push_back({});
  for (std::size_t end = 1; end <= operators; ++end) {
    std::vector<Row>& here = rows[end];
    for (std::size_t s = 0; s < segments.size(); ++s) {
      const Segment& segment = segments[s];
      if (segment.last + 1 != end) continue;
      for (std::size_t w = 0; w < segment.ways.size(); ++w) {
        const double cost = segment.ways[w].cycles * weight.cycles + segment.ways[w].energy * weight.energy;
        for (std::size_t b = 0; b < rows[segment.first].size(); ++b) {
          const Row& before = rows[segment.first][b];
          here.push_back({before.cost + cost, before.groups + 1, {s, w}, b});
        }
      }
    }
    std::sort(here.begin(), here.end(), better);
    if (here.size() > most) here.resize(most);
  }
  std::vector<RankedCut> ranked;
  for (std::size_t r = 0; r < rows[operators].size(); ++r) {
    RankedCut cut;
    cut.cost = rows[operators][r].cost;
    std::size_t row = r;
    for (std::size_t end = operators; end > 0;) {
      const Row& step = rows[end][row];
      cut.cuts.push_back(step.last);
      end = segments[step.last.segment].first;
      row = step.before;
    }
    std::reverse(cut.cuts.begin(), cut.cuts.end());
    ranked.push_back(std::move(cut));
  }
  return ranked;
}

std::int64_t count_cuts(std::size_t operators, const std::vector<Segment>& segments, std::int64_t limit) {
  std::vector<std::int64_t> counts(operators + 1, 0);
  counts[0] = 1;
  for (std::size_t end = 1; end <= operators; ++end) {
    for (const Segment& segment : segments) {
      if (segment.last + 1 != end) continue;
      for (std::size_t w = 0; w < segment.ways.size(); ++w)
        counts[end] = std::min(limit + 1, counts[end] + counts[segment.first]);
    }
  }
  return counts[operators];
}

}  // namespace accsim::sched
