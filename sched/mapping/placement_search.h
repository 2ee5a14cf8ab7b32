// The search inside one dataplacement (which level keeps which tensor). Levels are taken from the outermost in; a stage
// picks the split over a level and the tile in it from lists, then the order of the loops above, then counts exactly.
// Bounds: exact costs of the stages taken + least relaxed cost of those to come (every run of loops that do not index a
// tensor dropped in full, halos at their best), with the multiply-accumulate steps that the most units would need.
#pragma once
#include <memory>
#include <vector>

#include "sched/mapping/search_space.h"

namespace accsim::sched {

struct Found {
  Incumbent::Entry figures;
  Mapping mapping;
};

struct PlacementResult {
  std::vector<Found> found;  // improvements in the order in which they were met
  std::int64_t evaluated = 0, visited = 0;
  double shapes = 0;  // tile shapes and splits that fit
};

class PlacementSearch {
 public:
  PlacementSearch(const SearchSpace& space, const std::vector<std::uint32_t>& placement);
  ~PlacementSearch();
  PlacementSearch(PlacementSearch&&) noexcept;
  PlacementSearch(const PlacementSearch&) = delete;
  PlacementSearch& operator=(const PlacementSearch&) = delete;
  PlacementSearch& operator=(PlacementSearch&&) = delete;
  // Least energy and cycles that any mapping of this placement could have; infinite where none fits.
  [[nodiscard]] double energy_bound() const;
  [[nodiscard]] double cycles_bound() const;
  // `most_tiles`: only so many tiles a stage, those with the least bounds (0: all, then the search is exact).
  PlacementResult run(const MapSearchOptions& options, const Incumbent& incumbent, std::size_t most_tiles = 0);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace accsim::sched
