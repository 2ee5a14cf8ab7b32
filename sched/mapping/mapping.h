// One mapping of a problem onto a hierarchy: per level the tensors that it keeps, the temporal loops in it (they walk
// the tiles of the next level) with their order, and the split over the instances of the level. Nest: loops of level 0,
// split over level 1, loops of level 1, …, loops of the innermost level, multiply-accumulate. accsim-mapping/1:
// {"schema", "nest": [...]} or the bare list, from the outermost in:
//   {"store": tensor, "level": name}, {"spatial": dim, "axis": "X" | "Y", "factor": n, "below": level above the mesh},
//   {"loop": dim, "factor": n}: in the level of the last store or split before it, or in "at": level.
// With remainders loops and splits have a "step": the indices that an iteration covers, or an instance takes.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sched/mapping/hierarchy.h"

namespace accsim::sched {

struct Mapping {
  std::vector<std::uint32_t> keep;                  // per tensor: bit l = level l; bit 0 always set
  std::vector<std::vector<std::int64_t>> temporal;  // [level][dim]
  std::vector<std::vector<std::int64_t>> spatial;   // [level][dim]: over the instances of the level
  std::vector<std::vector<int>> axis;               // [level][dim]: 0 = X, 1 = Y
  std::vector<std::vector<int>> order;              // [level]: dims with temporal > 1, innermost first
  // [level][dim] sizes of tiles where remainders are allowed (docs/mapper.md); then a factor of a loop is the
  // iterations of a tile that nothing cuts short. Empty: the products of the factors.
  std::vector<std::vector<std::int64_t>> tile;
};

// Everything in level 0, all factors there.
Mapping empty_mapping(const MapHierarchy& hierarchy, const MapProblem& problem);

// Per level the sizes of the tiles in one instance: the product of all factors below the split over that level.
std::vector<std::vector<std::int64_t>> tile_sizes(const Mapping& mapping);
// Words of a tensor's tile.
double tile_words(const MapTensor& tensor, const std::vector<std::int64_t>& tile);

// Chooses axes so that every mesh fits (a dimension lies wholly on one axis). False where it cannot.
// `allowed` (where given): [level] the dimensions that may lie on X and on Y.
bool assign_axes(const MapHierarchy& hierarchy, Mapping& mapping,
                 const std::vector<std::array<std::uint32_t, 2>>& allowed = {});

// Factors multiply to the sizes, tensors are kept where they must and may be, meshes and capacities hold.
// Throws ConfigError (at.file, what) for the first thing wrong.
void check_mapping(const MapHierarchy& hierarchy, const MapProblem& problem, const KeepRules& rules,
                   const Mapping& mapping, const model::Origin& at);
void check_mapping(const MapHierarchy& hierarchy, const MapProblem& problem, const Mapping& mapping,
                   const model::Origin& at);

Mapping parse_mapping(const model::Json& json, const MapHierarchy& hierarchy, const MapProblem& problem,
                      const std::string& file);
model::Json mapping_json(const MapHierarchy& hierarchy, const MapProblem& problem, const Mapping& mapping);
// The loop nest as people draw it, one line a loop.
std::string mapping_text(const MapHierarchy& hierarchy, const MapProblem& problem, const Mapping& mapping);

}  // namespace accsim::sched
