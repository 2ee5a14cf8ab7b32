// What a user demands of a mapping beyond the hierarchy (accsim-constraints/1, docs/mapper.md): factors of loops and
// splits, fewer instances, axes of splits, orders of loops, a stationary tensor, tensors kept or left out. The search
// covers exactly the mappings that satisfy them. Orders are kept as "lies inside": what a user lists is a chain of it.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sched/mapping/mapping.h"

namespace accsim::sched {

struct LevelConstraints {
  std::vector<std::int64_t> factor, most_factor;     // [dim] of the level's loops; 0: free
  std::vector<std::int64_t> split, most_split;       // [dim] of the split over the level; 0: free
  std::int64_t most_instances = 0;                   // 0: as the mesh
  std::array<std::uint32_t, 2> axis_dims{~0U, ~0U};  // X, Y: dimensions that may be split along it
  std::vector<std::uint32_t> inside;                 // [dim]: dimensions whose loops lie inside its own
  bool loops = false;                                // says something about factors or order of its loops
  [[nodiscard]] bool allows_split(std::size_t dim, std::int64_t n) const {
    return (split[dim] == 0 || n == split[dim]) && (most_split[dim] == 0 || n <= most_split[dim]);
  }
  [[nodiscard]] bool allows_loop(std::size_t dim, std::int64_t n) const {
    return (factor[dim] == 0 || n == factor[dim]) && (most_factor[dim] == 0 || n <= most_factor[dim]);
  }
};

struct MapConstraints {
  std::vector<LevelConstraints> levels;  // one for each level of the hierarchy; empty: none
  [[nodiscard]] bool none() const { return levels.empty(); }
  [[nodiscard]] std::vector<std::array<std::uint32_t, 2>> axes() const {
    std::vector<std::array<std::uint32_t, 2>> list;
    for (const LevelConstraints& level : levels) list.push_back(level.axis_dims);
    return list;
  }
  // Whether loops that change nothing may be moved out of `level` into the one above.
  [[nodiscard]] bool fixes_loops(std::size_t level) const {
    return !levels.empty() && (levels[level].loops || (level > 0 && levels[level - 1].loops));
  }
};

// No demand at any level.
MapConstraints free_constraints(const MapHierarchy& hierarchy, const MapProblem& problem);

// Reads the file. Tensors kept or left out go into `rules`, sides of meshes into `hierarchy`. ConfigError for unknown
// names, factors that cannot be, orders that contradict each other, a tensor both kept and left out.
// `divide`: factors must divide the dimensions.
MapConstraints parse_constraints(const model::Json& json, MapHierarchy& hierarchy, const MapProblem& problem,
                                 KeepRules& rules, bool divide, const std::string& file);

// Both together; the same hierarchy and problem.
MapConstraints both(const MapConstraints& a, const MapConstraints& b);

// Whether a mapping satisfies them; `rules` and meshes are check_mapping's business.
bool satisfies(const MapConstraints& constraints, const Mapping& mapping);

}  // namespace accsim::sched
