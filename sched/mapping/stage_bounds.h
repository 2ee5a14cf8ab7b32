// The stages of one dataplacement and lower bounds on their costs (docs/mapper.md, "Bounds"): what a tile and a split
// must cost whatever the loops above them are. Loops of all levels above count as one nest in which one set of tensors
// that some order allows drops its whole run; halos and first touches count at their best.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "sched/mapping/search_space.h"

namespace accsim::sched {

inline constexpr std::size_t kMostPorts = 3 * kMostMapLevels + 1, kFewPorts = 8;
// Words through each limited port (index as in Ports). What different stages move through one port adds up.
using PortLoads = std::array<double, kMostPorts>;

// Where the words of a level go: indices of its limited ports, or the one that nobody looks at.
struct Ports {
  std::size_t read = 0, write = 0, shared = 0;
  double instances = 1;  // most used instances of the level
  double part = 1;       // 1 / instances
};

struct KeptHere {  // a tensor that a stage's level keeps, or (last stage) that the units ask for
  std::size_t tensor = 0;
  std::size_t parent = 0;  // level that serves it
  // Least part of the requests that the meshes between the parent and this level pass on: of all, and of those whose
  // data differ.
  double passed = 1, passed_different = 1;
  Ports ports;             // of the parent
  double first_reads = 0;  // of outputs: most words that the instances of the parent touch for the first time
};

struct Pair {
  const Tile* tile;
  const Split* split;
  double energy, cycles;  // relaxed cost of the stage, and of the twin below it
  std::size_t loads;      // of the same, into PlacementSearch's list
  std::size_t words;      // of the tensors that the stage and its twin keep, as NestCounts::at_least wants them
  const SearchSpace::Serving* serving = nullptr;
  const Tile* twin = nullptr;  // of the stage below, where that is a twin
};

// Candidates of one stage with equal number of instances, by rising energy.
struct Group {
  double instances;
  std::vector<Pair> pairs;
  // Bit p of row (dimension, size of the tile above): pair p fits into it along this dimension. Made when it pays.
  std::vector<std::uint64_t> rows;
  int visits = 0;
};

struct Cost {
  double energy = std::numeric_limits<double>::infinity();
  double cycles = std::numeric_limits<double>::infinity();
  PortLoads loads{};
};

// What each tile of a stage must cost under its best split, together with the twin below it. Shared by all placements
// in which the same levels serve the stage's tensors.
struct StageTable {
  struct Entry {
    const Tile* tile;
    const Tile* twin;  // of the stage below, where that is a twin
    double energy, cycles;
    std::size_t loads;  // into `loads`
    double twin_energy, twin_cycles;
    std::size_t twin_loads;
  };
  std::vector<Entry> entries;
  std::vector<double> energies;  // of the entries
  std::vector<double> loads;     // a port each, from index 1 of the rates
  double least_energy = std::numeric_limits<double>::infinity();
  double least_cycles = std::numeric_limits<double>::infinity();
  PortLoads least_loads{};
};

struct Stage {
  std::size_t level = 0;
  std::vector<KeptHere> kept;
  std::vector<KeptHere> compute;  // last stage only
  Ports ports;
  bool windows = false;  // of a kept tensor
  bool twin = false;     // the tile is that of the stage before
  std::uint32_t kept_set = 0;
  const std::vector<const Tile*>* tiles = nullptr;
  const std::vector<Split>* splits = nullptr;
  const std::vector<SearchSpace::ServingClass>* classes = nullptr;
  std::uint32_t canonical_free = 0;  // dimensions whose tile may exceed 1 only under a joint split (last stage)
  std::vector<Group> groups;
  double most_instances = 1;
  std::shared_ptr<const StageTable> table;  // none for a twin
};

// Least cost of some stages together: no choice in them is better than one of these points in all three.
struct RestPoint {
  double energy = 0, cycles = 0, instances = 1;
};

// Keeps the mutually undominated ones.
void add_point(std::vector<RestPoint>& points, const RestPoint& point);

struct StageBounds {
  StageBounds(const SearchSpace& s, const std::vector<std::uint32_t>& p);
  const SearchSpace& space;
  const std::vector<std::uint32_t>& placement;
  const MapHierarchy& hierarchy;
  const MapProblem& problem;
  std::size_t levels, dims, tensors;
  std::vector<Stage> stages;
  double macs = 0;
  double base = 0;                                               // energy of the arithmetic
  std::vector<double> rest_energy, rest_cycles, rest_instances;  // [k]: of stages k and later
  std::vector<double> rates;                                     // of the limited ports, from index 1
  PortLoads pace{};                                              // their inverse, for bounds; 0 beyond them
  std::vector<Ports> level_ports;
  std::vector<PortLoads> rest_loads;             // [k]: of stages k and later
  std::vector<std::vector<double>> most_copies;  // [level][output]: instances that may add to one word, at most
  bool other_meshes = false;                     // beside the innermost level's

  // Least cost of the stages k and later, from the best case of every tile.
  void bound_rest();
  struct TileWords {
    double all[kMostMapTensors], once[kMostMapTensors];  // fetched where nothing, or the whole run, is dropped
  };
  // Without a split: no more than with any.
  [[nodiscard]] TileWords tile_words_of(const Stage& stage, const Tile& tile, const Split* split) const;
  // At most the cost of the accesses that belong to the stage in any mapping.
  [[nodiscard]] Cost relaxed(const Stage& stage, const TileWords& tile, const SearchSpace::Serving& serving) const;
  // A tile larger than 1 in a dimension that no kept tensor has is only of use where it changes which words of a window
  // the units share.
  [[nodiscard]] bool redundant(const Stage& stage, const Tile& tile, const Split& split) const;
  [[nodiscard]] double mesh_size(std::size_t level) const;
  // Cycles that the fullest port takes.
  [[nodiscard]] double port_cycles(const double* loads) const {
    double cycles = 0;
    for (std::size_t i = 1; i < rates.size(); ++i) cycles = std::max(cycles, loads[i] * pace[i]);
    return std::ceil(cycles * kBoundRounding);
  }
  void add_loads(PortLoads& to, const PortLoads& more) const {
    for (std::size_t i = 1; i < rates.size(); ++i) to[i] += more[i];
  }

 private:
  void build_stages();
  template <std::size_t ports>
  [[nodiscard]] Cost relaxed_over(const Stage& stage, const TileWords& tile, const SearchSpace::Serving& serving) const;
  [[nodiscard]] std::shared_ptr<const StageTable> table_of(std::size_t k) const;
};

}  // namespace accsim::sched
