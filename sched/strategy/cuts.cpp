#include "sched/strategy/cuts.h"

#include <cstdint>
#include <limits>

#include "model/base/error.h"

namespace accsim::sched {
namespace {

struct Path {
  Figure sum;
  std::vector<Cut> cuts;
};

class Cutter {
 public:
  Cutter(std::size_t operators, const std::vector<Segment>& segments)
      : operators_(operators), segments_(segments), ending_(operators) {
    for (std::size_t s = 0; s < segments.size(); ++s) ending_[segments[s].last].push_back(s);
  }

  // Least cycles * weight.cycles + energy * weight.energy.
  [[nodiscard]] Path best(const Figure& weight) const {
    constexpr double kNone = std::numeric_limits<double>::infinity();
    struct Step {
      double cost = kNone;
      std::size_t groups = 0;
      Cut cut;
    };
    std::vector<Step> steps(operators_ + 1);  // by operators that are done
    steps[0].cost = 0;
    for (std::size_t end = 1; end <= operators_; ++end) {
      Step& step = steps[end];
      for (const std::size_t s : ending_[end - 1]) {
        const Segment& segment = segments_[s];
        const Step& before = steps[segment.first];
        if (before.cost == kNone) continue;
        for (std::size_t w = 0; w < segment.ways.size(); ++w) {
          const Figure& way = segment.ways[w];
          const double cost = before.cost + way.cycles * weight.cycles + way.energy * weight.energy;
          const std::size_t groups = before.groups + 1;
          if (cost > step.cost || (cost == step.cost && groups >= step.groups)) continue;
          step = {cost, groups, {s, w}};
        }
      }
    }
    if (steps[operators_].cost == kNone) throw model::InternalError("the segments do not reach the last operator");
    Path path;
    for (std::size_t end = operators_; end > 0; end = segments_[steps[end].cut.segment].first) {
      const Cut cut = steps[end].cut;
      path.cuts.insert(path.cuts.begin(), cut);
      path.sum.cycles += segments_[cut.segment].ways[cut.way].cycles;
      path.sum.energy += segments_[cut.segment].ways[cut.way].energy;
    }
    return path;
  }

  // Least product over all corners between two of them.
  void between(const Path& fast, const Path& frugal, Path& found) const {
    const Figure weight{fast.sum.energy - frugal.sum.energy, frugal.sum.cycles - fast.sum.cycles};
    if (weight.cycles <= 0 || weight.energy <= 0) return;
    const Path corner = best(weight);
    const auto value = [&](const Figure& f) { return f.cycles * weight.cycles + f.energy * weight.energy; };
    constexpr double kRounding = 1e-12;
    if (value(corner.sum) >= value(fast.sum) * (1 - kRounding)) return;  // nothing below the line through both
    if (product(corner) < product(found)) found = corner;
    between(fast, corner, found);
    between(corner, frugal, found);
  }
  static double product(const Path& path) { return path.sum.cycles * path.sum.energy; }

 private:
  std::size_t operators_;
  const std::vector<Segment>& segments_;
  std::vector<std::vector<std::size_t>> ending_;  // by last operator
};

}  // namespace

std::vector<Cut> best_cuts(std::size_t operators, const std::vector<Segment>& segments, Objective objective) {
  if (operators == 0) return {};
  const Cutter cutter(operators, segments);
  const Path fast = cutter.best({1, 0});
  if (objective == Objective::latency) return fast.cuts;
  const Path frugal = cutter.best({0, 1});
  if (objective == Objective::energy) return frugal.cuts;
  Path found = Cutter::product(frugal) < Cutter::product(fast) ? frugal : fast;
  cutter.between(fast, frugal, found);
  return found.cuts;
}

}  // namespace accsim::sched
