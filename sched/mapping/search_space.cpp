#include "sched/mapping/search_space.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace accsim::sched {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kMostSharedTiles = 1e5;  // then one list of all shapes serves every level

double extent_of(const TensorAxis& axis, const Sizes& sizes) {
  std::int64_t extent = 1;
  for (const AxisPart& part : axis) extent += part.coefficient * (sizes[static_cast<std::size_t>(part.dim)] - 1);
  return static_cast<double>(extent);
}

}  // namespace

SearchSpace::SearchSpace(const MapHierarchy& h, const MapProblem& p, const KeepRules& r, const MapConstraints& c,
                         bool remainders)
    : hierarchy(h),
      problem(p),
      rules(r),
      constraints(c),
      imperfect(remainders),
      divisors(p, remainders),
      loops(looped_dims(p)) {
  const std::size_t levels = h.levels.size(), tensors = p.tensors.size();
  Sizes sizes;
  sizes.fill(1);
  for (std::size_t d = 0; d < p.dims.size(); ++d) sizes[d] = static_cast<std::int32_t>(p.dims[d].size);
  whole = divisors.key(sizes);
  for (const MapTensor& tensor : p.tensors) {
    double words = 1;
    for (const TensorAxis& axis : tensor.axes) words *= extent_of(axis, sizes);
    totals.push_back(words);
  }
  fitting.resize(levels);
  for (const MapTensor& tensor : p.tensors) {
    for (const TensorAxis& axis : tensor.axes) {
      for (const AxisPart& part : axis) pieces_matter = pieces_matter || (imperfect && part.coefficient > 1);
    }
  }
  for (std::size_t l = 0; l < levels; ++l) {
    splits.push_back(splits_of(p, divisors, h.levels[l].mesh, c.none() ? nullptr : &c.levels[l]));
    if (splits.back().empty()) return;  // no placement
  }
  for (std::size_t l = 0; l < levels; ++l) {
    Serving best;
    std::fill_n(best.per_instance, kMostMapTensors, kInfinite);
    std::fill_n(best.per_different, kMostMapTensors, kInfinite);
    std::fill_n(best.least_shared, kMostMapTensors, kInfinite);
    std::fill_n(best.most_shared, kMostMapTensors, 0.0);
    std::map<std::vector<double>, ServingClass> found;
    for (std::size_t i = 0; i < splits[l].size(); ++i) {
      const Split& split = splits[l][i];
      std::vector<double> name{-split.instances};  // most instances first
      Serving serving{};
      for (std::size_t t = 0; t < tensors; ++t) {
        const bool merges = p.tensors[t].output ? h.levels[l].reduction : h.levels[l].multicast;
        double groups = merges ? split.instances / split.shared[t] : split.instances;
        if (merges &&
            (split.joint >> t & 1U) != 0) {  // sums of progressions: at least the sum of their lengths - 1 each
          groups = 1;
          for (std::size_t d = 0; d < p.dims.size(); ++d) {
            if (p.tensors[t].uses(static_cast<int>(d))) groups += split.sizes[d] - 1;
          }
        }
        serving.per_instance[t] = groups / split.instances;
        serving.per_different[t] = serving.per_instance[t] * split.shared[t];
        serving.least_shared[t] = serving.most_shared[t] = split.shared[t];
        best.per_instance[t] = std::min(best.per_instance[t], serving.per_instance[t]);
        best.per_different[t] = std::min(best.per_different[t], serving.per_different[t]);
        best.least_shared[t] = std::min(best.least_shared[t], split.shared[t]);
        best.most_shared[t] = std::max(best.most_shared[t], split.shared[t]);
        name.insert(name.end(), {groups, split.shared[t]});
      }
      ServingClass& entry = found[name];
      entry.serving = serving;
      entry.instances = split.instances;
      entry.splits.push_back(i);
    }
    classes.emplace_back();
    for (auto& entry : found) classes.back().push_back(std::move(entry.second));
    best_servings.push_back(best);
  }
  for (const Dataflow& flow : dataflows(p, loops)) {
    std::uint32_t set = 0;
    for (std::size_t t = 0; t < tensors; ++t) set |= flow.reuse[t].dropped != 0 ? 1U << t : 0U;
    if (std::any_of(drop_sets.begin(), drop_sets.end(), [&](std::uint32_t s) { return (set & ~s) == 0; })) continue;
    drop_sets.erase(
        std::remove_if(drop_sets.begin(), drop_sets.end(), [&](std::uint32_t s) { return (s & ~set) == 0; }),
        drop_sets.end());
    drop_sets.push_back(set);
  }
  double outermost = 0;
  for (std::size_t t = 0; t < tensors; ++t) outermost += r.copies[0][t] * totals[t];
  outermost_words = outermost;
  if (outermost > h.levels[0].capacity_words) return;  // nothing fits: no placement
  std::vector<std::uint32_t> placement(tensors, 1U);
  const auto extend = [&](const auto& self, std::size_t t) -> void {
    if (t == tensors) {
      placements.push_back(placement);
      return;
    }
    for (std::uint32_t keep = 1; keep < 1U << levels; keep += 2) {
      if ((keep & r.must[t]) != r.must[t] || (keep & ~r.may[t]) != 0) continue;
      placement[t] = keep;
      self(self, t + 1);
    }
  };
  extend(extend, 0);
  double combinations = 1;
  for (std::size_t d = 0; d < p.dims.size(); ++d) combinations *= static_cast<double>(divisors.of(d).size());
  for (const auto& each : placements) {
    for (std::size_t l = 1; l < levels; ++l) {
      if (!is_stage(each, l)) continue;
      const std::uint32_t kept = kept_at(each, l);
      if (tiles.contains({l, kept})) continue;
      std::uint32_t free_dims = loops;
      if (l + 1 == levels && !c.fixes_loops(l)) {
        for (std::size_t d = 0; d < p.dims.size(); ++d) {
          bool free = imperfect && h.levels[l].mesh[0] * h.levels[l].mesh[1] > 1;  // who idles depends on it
          for (std::size_t t = 0; t < tensors; ++t) {
            const bool here = (kept >> t & 1U) != 0;
            free = free || (here && p.tensors[t].uses(static_cast<int>(d))) ||
                   (!here && slides_along(p, p.tensors[t], static_cast<int>(d)));
          }
          if (!free) free_dims &= ~(1U << d);
        }
      }
      std::vector<const Tile*>& list = tiles[{l, kept}];
      if (combinations <= kMostSharedTiles) {
        if (shapes.empty()) {
          shapes.push_back(tiles_of(p, divisors, r.copies[l], kInfinite, 0, loops));
          for (Tile& tile : shapes.back()) tile.number = tile_count++;
        }
        for (const Tile& tile : shapes.front()) {
          bool free = true;
          for (std::size_t d = 0; d < p.dims.size(); ++d)
            free = free && (tile.sizes[d] == 1 || (free_dims >> d & 1U) != 0);
          if (free && fits(l, kept, tile)) list.push_back(&tile);
        }
      } else {
        shapes.push_back(tiles_of(p, divisors, r.copies[l], h.levels[l].capacity_words, kept, free_dims));
        for (Tile& tile : shapes.back()) {
          tile.number = tile_count++;
          list.push_back(&tile);
        }
      }
      if (l + 1 < levels || c.none()) continue;
      std::erase_if(list, [&](const Tile* tile) {  // the loops of the innermost level are its tile
        for (std::size_t d = 0; d < p.dims.size(); ++d) {
          if (!c.levels[l].allows_loop(d, tile->sizes[d])) return true;
        }
        return false;
      });
    }
  }
}

std::uint32_t SearchSpace::kept_at(const std::vector<std::uint32_t>& placement, std::size_t level) const {
  std::uint32_t kept = 0;
  for (std::size_t t = 0; t < placement.size(); ++t) kept |= (placement[t] >> level & 1U) << t;
  return kept;
}

bool SearchSpace::is_stage(const std::vector<std::uint32_t>& placement, std::size_t level) const {
  return level + 1 == hierarchy.levels.size() || pieces_matter || constraints.fixes_loops(level) ||
         kept_at(placement, level) != 0 || hierarchy.levels[level].mesh[0] * hierarchy.levels[level].mesh[1] > 1;
}

bool SearchSpace::is_twin(std::size_t level) const {
  if (level < 2 || level + 1 == hierarchy.levels.size() || constraints.none()) return false;
  const std::array<std::int64_t, 2>& mesh = hierarchy.levels[level].mesh;
  if (mesh[0] * mesh[1] > 1) return false;
  const LevelConstraints& above = constraints.levels[level - 1];
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    if (problem.dims[d].size > 1 && above.most_factor[d] != 1 && above.factor[d] != 1) return false;
  }
  return true;
}

const SearchSpace::FittingSplits& SearchSpace::fitting_splits(std::size_t level, const Tile& tile) const {
  {
    const std::lock_guard lock(tables_guard);
    if (fitting[level].size() <= tile.number) fitting[level].resize(tile_count);
    if (fitting[level][tile.number]) return *fitting[level][tile.number];
  }
  auto made = std::make_unique<FittingSplits>();
  FittingSplits& found = *made;
  for (std::size_t c = 0; c < classes[level].size(); ++c) {
    const std::size_t first = found.splits.size();
    for (const std::size_t i : classes[level][c].splits) {
      if (divisors.divides(Divisors::sum(tile.key, splits[level][i].key), whole)) {
        found.splits.push_back(static_cast<std::uint32_t>(i));
      }
    }
    if (found.splits.size() > first) found.classes.push_back({c, first, found.splits.size()});
  }
  const std::lock_guard lock(tables_guard);
  std::unique_ptr<const FittingSplits>& entry = fitting[level][tile.number];
  if (!entry) entry = std::move(made);
  return *entry;
}

double SearchSpace::dataflow_space_log10() const {
  double log = std::log10(static_cast<double>(placements.size()));
  const std::size_t levels = hierarchy.levels.size();
  const double orders = std::log10(static_cast<double>(std::max<std::size_t>(dataflows(problem, loops).size(), 1)));
  std::uint32_t meshes = 0;
  for (std::size_t l = 0; l < levels; ++l) {
    if (hierarchy.levels[l].mesh[0] * hierarchy.levels[l].mesh[1] > 1) meshes |= 1U << l;
  }
  for (const MapDim& dim : problem.dims) log += log10_chains(dim.size, levels, meshes, imperfect);
  return log + orders * static_cast<double>(levels - 1);
}

double SearchSpace::fitting_space_log10() const {
  double sum = 0;
  const auto orders = static_cast<double>(std::max<std::size_t>(dataflows(problem, loops).size(), 1));
  for (const auto& placement : placements) {
    double all = 1;
    for (std::size_t l = 1; l < hierarchy.levels.size(); ++l) {
      if (!is_stage(placement, l)) continue;
      all *= orders * static_cast<double>(splits[l].size()) *
             static_cast<double>(tiles.at({l, kept_at(placement, l)}).size());
    }
    sum += all;
  }
  return std::log10(std::max(sum, 1.0));
}

bool Incumbent::covered(double energy, double cycles, const std::vector<double>& words) const {
  for (const Entry& entry : entries_) {
    if (entry.cycles > cycles || entry.energy * kBoundRounding > energy) continue;
    bool all = true;
    for (std::size_t i = 0; i < entry.words.size() && options_.pareto_words; ++i) {
      all = all && entry.words[i] <= (i < words.size() ? words[i] : 0);  // levels to come: at least 0
    }
    if (all) return true;
  }
  return false;
}

void Incumbent::add(const Entry& entry) {
  if (!options_.pareto) {
    entries_.assign(1, entry);
    return;
  }
  entries_.erase(std::remove_if(entries_.begin(), entries_.end(),
                                [&](const Entry& old) {
                                  if (old.cycles < entry.cycles || old.energy < entry.energy) return false;
                                  for (std::size_t i = 0; i < entry.words.size() && options_.pareto_words; ++i) {
                                    if (old.words[i] < entry.words[i]) return false;
                                  }
                                  return true;
                                }),
                 entries_.end());
  entries_.push_back(entry);
}

}  // namespace accsim::sched
