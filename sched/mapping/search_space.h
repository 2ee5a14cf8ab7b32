// What the searches of all dataplacements share: lists of tiles and splits for each level, what one order of loops lets
// the tensors drop, the dataplacements themselves; and the best figures so far.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "sched/mapping/dataflow.h"
#include "sched/mapping/search.h"
#include "sched/mapping/tile_space.h"

namespace accsim::sched {

struct StageTable;

// What all dataplacements share; built once, then only read (but for the tables).
struct SearchSpace {
  SearchSpace(const MapHierarchy& h, const MapProblem& p, const KeepRules& r, const MapConstraints& c, bool remainders);
  const MapHierarchy& hierarchy;
  const MapProblem& problem;
  const KeepRules& rules;
  const MapConstraints& constraints;
  bool imperfect;
  Divisors divisors;
  Key whole;  // of the dimensions themselves
  std::uint32_t loops;
  std::vector<std::vector<Split>> splits;  // [level]
  // How a split serves a tensor, for bounds: requests that differ in proportion to all instances and to those whose
  // data differ, and the instances that share data (least and most, equal but for the best case over all splits).
  struct Serving {
    double per_instance[kMostMapTensors], per_different[kMostMapTensors];
    double least_shared[kMostMapTensors], most_shared[kMostMapTensors];
  };
  struct ServingClass {
    Serving serving;
    double instances = 1;
    std::vector<std::size_t> splits;  // those that serve in this way
  };
  std::vector<std::vector<ServingClass>> classes;      // [level]
  std::vector<Serving> best_servings;                  // [level]
  std::vector<std::uint32_t> drop_sets;                // tensors that one order lets drop loops, maximal sets
  std::vector<std::vector<std::uint32_t>> placements;  // [i][tensor]: bit l = level l
  std::deque<std::vector<Tile>> shapes;                // what `tiles` points to
  std::map<std::pair<std::size_t, std::uint32_t>, std::vector<const Tile*>> tiles;  // by level and kept tensors
  std::vector<double> totals;                                                       // words of each tensor
  // With remainders, two levels cut a dimension into numbers of pieces that one cannot; where strides leave holes
  // between pieces this is worth loops in a level that keeps nothing.
  bool pieces_matter = false;
  std::uint32_t tile_count = 0;
  double outermost_words = 0;  // of all tensors, buffering included
  // By stage and the levels that serve it; made when first asked for.
  mutable std::map<std::vector<std::uint32_t>, std::shared_ptr<const StageTable>> tables;
  mutable std::mutex tables_guard;
  // Splits over `level` under which a tile can be, class by class. Kept once found.
  struct Fitting {
    std::size_t class_index = 0, first = 0, last = 0;  // of `splits`
  };
  struct FittingSplits {
    std::vector<Fitting> classes;
    std::vector<std::uint32_t> splits;
  };
  [[nodiscard]] const FittingSplits& fitting_splits(std::size_t level, const Tile& tile) const;
  mutable std::vector<std::vector<std::unique_ptr<const FittingSplits>>> fitting;  // [level][tile]
  // Size of the space without redundant orders, axes and factors of the innermost level; and of that with only tiles
  // and splits that fit each level by itself.
  [[nodiscard]] double dataflow_space_log10() const;
  [[nodiscard]] double fitting_space_log10() const;
  [[nodiscard]] std::uint32_t kept_at(const std::vector<std::uint32_t>& placement, std::size_t level) const;
  // The level above may have no loops and this one has one instance: both have the same tile.
  [[nodiscard]] bool is_twin(std::size_t level) const;
  [[nodiscard]] bool fits(std::size_t level, std::uint32_t kept, const Tile& tile) const {
    return tile.used_words(rules.copies[level], kept) <= hierarchy.levels[level].capacity_words;
  }
  // A level that keeps nothing and has one instance could hold loops only in a redundant way.
  [[nodiscard]] bool is_stage(const std::vector<std::uint32_t>& placement, std::size_t level) const;
};

// Bounds are sums in another order than the figures that they bound.
inline constexpr double kBoundRounding = 1 - 1e-12;

// Best figures so far, and whether a bound can still enter.
class Incumbent {
 public:
  struct Entry {
    double energy = 0, cycles = 0;
    std::vector<double> words;  // used words of limited levels, for fronts over them
  };
  explicit Incumbent(const MapSearchOptions& options) : options_(options) {}
  [[nodiscard]] bool excludes(double energy, double cycles, const std::vector<double>& words) const {
    if (entries_.empty()) return false;
    if (options_.pareto) return covered(energy, cycles, words);
    const Entry& best = entries_.front();
    switch (options_.objective) {
      case MapObjective::energy:
        return energy > best.energy || (energy >= best.energy * kBoundRounding && cycles >= best.cycles);
      case MapObjective::latency:
        return cycles > best.cycles || (cycles >= best.cycles && energy >= best.energy * kBoundRounding);
      case MapObjective::edp:
        break;
    }
    return energy * cycles >= best.energy * best.cycles * kBoundRounding;
  }
  // The entry improves; those that it makes superfluous go.
  void add(const Entry& entry);
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] bool empty() const { return entries_.empty(); }

 private:
  [[nodiscard]] bool covered(double energy, double cycles, const std::vector<double>& words) const;
  MapSearchOptions options_;
  std::vector<Entry> entries_;
};

}  // namespace accsim::sched
