// The nest that the search builds from the outermost level in, and its exact counts stage by stage (divisor tilings and
// those with remainders), with the bound that holds for a stage once the loops above it are known.
#pragma once
#include <algorithm>
#include <array>
#include <vector>

#include "sched/mapping/ragged.h"
#include "sched/mapping/stage_bounds.h"

namespace accsim::sched {

struct NestCounts : StageBounds {
  using StageBounds::StageBounds;

  // The nest under construction. Index 0 is the outermost level; k is stage k - 1.
  struct Placed {
    std::size_t level = 0;
    Sizes tile{}, split{}, temporal{};
    const Dataflow* flow = nullptr;
    double steps = 1;      // product of all temporal loops down to this level
    double instances = 1;  // used ones of this level
    double used_words = 0;
    Key key;
    const Tile* twin = nullptr;
  };
  std::vector<Placed> nest;
  std::array<RaggedDim, kMostMapDims> chains{};  // with remainders: the same by dimension, levels = places in the nest
  struct Counts {
    double energy = 0;
    double reads[kMostMapLevels] = {}, writes[kMostMapLevels] = {};
  };

  [[nodiscard]] double step_cycles(double instances) const {
    return whole_cycles(macs / instances, hierarchy.ops_per_cycle);
  }
  [[nodiscard]] double cycles_of(const Counts& counts) const {
    double cycles = 0;
    for (std::size_t l = 0; l < levels; ++l) {
      const MapLevel& level = hierarchy.levels[l];
      if (level.read_rate > 0) cycles = std::max(cycles, whole_cycles(counts.reads[l], level.read_rate));
      if (level.write_rate > 0) cycles = std::max(cycles, whole_cycles(counts.writes[l], level.write_rate));
      if (level.shared_rate > 0) {
        cycles = std::max(cycles, whole_cycles(counts.reads[l] + counts.writes[l], level.shared_rate));
      }
    }
    return cycles;
  }
  // Words through each limited port so far.
  [[nodiscard]] PortLoads loads_of(const Counts& counts) const {
    PortLoads loads{};
    for (std::size_t l = 0; l < levels; ++l) {
      loads[level_ports[l].read] += counts.reads[l];
      loads[level_ports[l].write] += counts.writes[l];
      loads[level_ports[l].shared] += counts.reads[l] + counts.writes[l];
    }
    return loads;
  }
  [[nodiscard]] double tile_words_at(const MapTensor& tensor, const Sizes& tile) const {
    double product = 1;
    for (const TensorAxis& axis : tensor.axes) product *= tile_extent(axis, tile);
    return product;
  }
  // Words of an output that an instance of nest[k] touches at least once.
  [[nodiscard]] double first_touches(const MapTensor& tensor, std::size_t k) const;
  // Words that an instance of nest[k] fetches, all loops above it chosen.
  [[nodiscard]] double fetches(const MapTensor& tensor, std::size_t t, std::size_t k) const;
  // Requests of the instances between nest[p] and nest[k] under one of nest[p] that differ.
  [[nodiscard]] double groups_between(const MapTensor& tensor, std::size_t p, std::size_t k) const;
  [[nodiscard]] std::size_t nest_index(std::size_t level) const {
    std::size_t k = 0;
    while (nest[k].level != level) ++k;
    return k;
  }
  // What does not depend on the order of the loops above a stage: for each tensor that it keeps, then for the units.
  struct Service {
    std::size_t parent = 0;                      // index into nest
    double groups = 1;                           // different requests for each instance of the parent
    double parent_touches = 0, own_touches = 0;  // of outputs: words seen at least once
  };
  [[nodiscard]] Service service_of(const MapTensor& tensor, std::size_t parent_level, std::size_t k) const;
  // What the parent of a tensor does for `requests` words of each of its instances.
  void serve(const MapTensor& tensor, const Service& service, double requests, Counts& counts) const;
  void count_units(std::size_t k, Counts& counts) const;
  void count_kept(std::size_t k, const Service* services, Counts& counts) const;
  // With remainders: what the units, or the tensors kept at nest[k], fetch from where; by the first instance (for the
  // cycles) and by all (for the energy).
  void count_ragged(std::size_t k, const std::vector<KeptHere>& asking, bool units, Counts& counts) const;
  // Iterations of the loops above nest[k - 1] that do not index a tensor and let it be fetched again: all of them where
  // nest[k - 1] itself has a loop that indexes it, else those outside the run.
  struct Outer {
    double all[kMostMapTensors], passing[kMostMapTensors];
  };
  [[nodiscard]] Outer outer_loops(std::size_t k) const;
  // Words of the tensors that stage k - 1 of `stages` and its twin keep, each fetched once (for at_least).
  void words_once(std::size_t stage, const Pair& pair, std::vector<double>& list) const;
  // What at_least needs of the nest above stage k, for each of these tensors.
  struct Asked {
    const KeptHere* kept;
    std::uint32_t dims;
    double all, passing;              // as in Outer
    double above;                     // instances of the parent; 0: the twin above it
    double first_reads, first_fills;  // of outputs: most first touches
    bool output;
    double read_pj, update_pj, write_pj;
    Ports parent, own;
  };
  [[nodiscard]] std::vector<Asked> asked_above(std::size_t k) const;
  // Raises energy and loads (of what was counted above) by the least that stage k (and its twin) adds with this tile
  // and split, whatever the order of the loops above.
  void at_least(std::size_t k, const Pair& pair, const std::vector<Asked>& asked, const double* words, double& energy,
                PortLoads& loads) const;
};

}  // namespace accsim::sched
