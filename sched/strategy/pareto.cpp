#include "sched/strategy/pareto.h"

#include <algorithm>

#include "model/base/error.h"

namespace accsim::sched {

std::vector<std::size_t> hull_corners(const std::vector<Figure>& front) {
  std::vector<std::size_t> hull;
  for (std::size_t i = 0; i < front.size(); ++i) {
    while (hull.size() >= 2) {
      const Figure& a = front[hull[hull.size() - 2]];
      const Figure& b = front[hull.back()];
      const Figure& c = front[i];
      // b is a corner if it lies below the line from a to c.
      const double along = (b.energy - a.energy) * (c.cycles - a.cycles);
      const double straight = (c.energy - a.energy) * (b.cycles - a.cycles);
      if (along < straight) break;
      hull.pop_back();
    }
    hull.push_back(i);
  }
  return hull;
}

std::vector<std::size_t> choose(const std::vector<std::vector<Figure>>& fronts, Objective objective) {
  std::vector<std::size_t> chosen(fronts.size(), 0);
  for (std::size_t i = 0; i < fronts.size(); ++i) {
    if (fronts[i].empty()) throw model::InternalError("a layer without a candidate");
    if (objective == Objective::energy) chosen[i] = fronts[i].size() - 1;
  }
  if (objective != Objective::edp) return chosen;

  // Steps along the hulls, from the fastest points on: those that save most energy a cycle first.
  struct Step {
    std::size_t layer;
    std::size_t to;  // index into the front
    double cycles;   // more
    double energy;   // less
  };
  std::vector<Step> steps;
  Figure sum;
  for (std::size_t i = 0; i < fronts.size(); ++i) {
    const std::vector<std::size_t> hull = hull_corners(fronts[i]);
    sum.cycles += fronts[i][hull.front()].cycles;
    sum.energy += fronts[i][hull.front()].energy;
    chosen[i] = hull.front();
    for (std::size_t h = 1; h < hull.size(); ++h) {
      const Figure& from = fronts[i][hull[h - 1]];
      const Figure& to = fronts[i][hull[h]];
      steps.push_back({i, hull[h], to.cycles - from.cycles, from.energy - to.energy});
    }
  }
  std::stable_sort(steps.begin(), steps.end(),
                   [](const Step& a, const Step& b) { return a.energy * b.cycles > b.energy * a.cycles; });
  double best = sum.cycles * sum.energy;
  std::size_t taken = 0;
  for (std::size_t s = 0; s < steps.size(); ++s) {
    sum.cycles += steps[s].cycles;
    sum.energy -= steps[s].energy;
    if (sum.cycles * sum.energy < best) {
      best = sum.cycles * sum.energy;
      taken = s + 1;
    }
  }
  for (std::size_t s = 0; s < taken; ++s) chosen[steps[s].layer] = std::max(chosen[steps[s].layer], steps[s].to);
  return chosen;
}

}  // namespace accsim::sched
