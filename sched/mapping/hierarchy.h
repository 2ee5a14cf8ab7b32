// The memories for the mapper (accsim-hierarchy/1): levels from the outermost in, with energies, bandwidths, capacities
// and the fan-out of each level below the one above it; the multiply-accumulate units below the innermost level.
// The outermost level keeps every tensor. Bandwidths are of one instance; 0 in the structure = unlimited.
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "model/config/json.h"
#include "sched/mapping/problem.h"

namespace accsim::sched {

struct MapLevel {
  std::string name;
  double capacity_words = std::numeric_limits<double>::infinity();
  double read_pj = 0, write_pj = 0, update_pj = 0;
  double read_rate = 0, write_rate = 0, shared_rate = 0;  // words a cycle and instance; 0 = unlimited
  bool must_keep_all = false, may_keep_all = true;
  std::vector<std::string> must_keep, may_keep;
  std::int64_t buffering = 1;                                      // 2: a tile takes its place twice
  std::vector<std::pair<std::string, std::int64_t>> buffering_of;  // by tensor; the others: `buffering`
  bool has_mesh = false;                                           // a spatial level even where it is 1 x 1
  std::array<std::int64_t, 2> mesh{1, 1};
  bool multicast = true, reduction = true;  // from the level above to instances that need the same, and back
};

struct MapHierarchy {
  std::string name;
  std::int64_t word_bits = 16;
  std::vector<MapLevel> levels;  // from the outermost in
  std::string compute_name = "MAC";
  double mac_pj = 0;
  double ops_per_cycle = 1;  // of a unit below one instance of the innermost level
};

inline constexpr std::size_t kMostMapLevels = 8;
inline constexpr std::int64_t kLargestMesh = 4096;  // a side

MapHierarchy parse_hierarchy(const model::Json& json, const std::string& file);
MapHierarchy load_hierarchy(const std::string& file);
// Every key, defaults included.
model::Json hierarchy_json(const MapHierarchy& hierarchy);

// What the levels' tensor names mean for one problem. ConfigError where a name is no tensor of it.
struct KeepRules {
  std::vector<std::uint32_t> must, may;     // per tensor: bit l = level l
  std::vector<std::vector<double>> copies;  // [level][tensor]: 1 or 2
};
KeepRules keep_rules(const MapHierarchy& hierarchy, const MapProblem& problem, const std::string& file = "hierarchy");

}  // namespace accsim::sched
