// Pareto sets over (cycles, energy), and the best combination of one choice a layer.
// Why the corner points of the convex hulls suffice for the product of sums: on positive numbers x * y is
// quasi-concave, so over the set of all sums its minimum lies at a corner of the convex hull of that set, and every
// corner of a sum of sets is the sum of corners that minimise the same weighting of cycles and energy. Walking all
// weightings visits them all: exact.
#pragma once
#include <cstddef>
#include <vector>

#include "sched/strategy/strategy.h"

namespace accsim::sched {

struct Figure {
  double cycles = 0;
  double energy = 0;
};

// The mutually undominated ones of a set of candidates, by rising cycles and falling energy. Of equal figures the
// smaller footprint stays, then the one that came first.
template <class Candidate>
class ParetoSet {
 public:
  struct Entry {
    Figure figure;
    std::int64_t footprint = 0;
    Candidate candidate;
  };
  // No candidate with figures at least these and this footprint can enter.
  [[nodiscard]] bool covers(const Figure& f, std::int64_t footprint) const {
    const std::size_t i = upper(f.cycles);  // first entry with more cycles
    if (i == 0) return false;
    const Entry& e = entries_[i - 1];
    if (e.figure.energy != f.energy || e.figure.cycles != f.cycles) return e.figure.energy <= f.energy;
    return e.footprint <= footprint;
  }
  bool insert(const Figure& f, std::int64_t footprint, const Candidate& candidate) {
    if (covers(f, footprint)) return false;
    std::size_t end = upper(f.cycles);
    std::size_t begin = end;
    if (begin > 0 && entries_[begin - 1].figure.cycles == f.cycles) --begin;
    while (end < entries_.size() && entries_[end].figure.energy >= f.energy) ++end;
    const auto at = [this](std::size_t i) { return entries_.begin() + static_cast<std::ptrdiff_t>(i); };
    entries_.erase(at(begin), at(end));
    entries_.insert(at(begin), Entry{f, footprint, candidate});
    return true;
  }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  [[nodiscard]] std::size_t upper(double cycles) const {
    std::size_t low = 0, high = entries_.size();
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (entries_[middle].figure.cycles <= cycles) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
  std::vector<Entry> entries_;
};

// Indices of the corners of the lower left convex hull of points by rising cycles and falling energy.
std::vector<std::size_t> hull_corners(const std::vector<Figure>& front);

// For each layer's Pareto front (not empty, by rising cycles) the index of the point to take, so that the sum of
// cycles, the sum of energies, or the product of both is least.
std::vector<std::size_t> choose(const std::vector<std::vector<Figure>>& fronts, Objective objective);

}  // namespace accsim::sched
