#include "sched/mapping/placement_search.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>

#include "sched/mapping/nest_counts.h"

namespace accsim::sched {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr int kVisitsForRows = 8;                            // of a group, before its rows are worth their making
constexpr std::size_t kMostRowWords = std::size_t{1} << 21;  // 16 MiB

}  // namespace

struct PlacementSearch::State : NestCounts {
  std::vector<std::vector<RestPoint>> rest;                        // [k]: of stages k and later, from their lists
  std::vector<std::unique_ptr<std::vector<Dataflow>>> flow_cache;  // by level (where it matters) and set of dimensions

  const MapSearchOptions* options = nullptr;
  Incumbent* incumbent = nullptr;
  PlacementResult result;
  std::vector<double> words;       // used of each limited level, 0 where not known yet
  std::vector<double> pair_loads;  // of Pair::loads: a port each, from index 1 of the rates
  std::vector<double> pair_words;  // of Pair::words

  State(const SearchSpace& s, const std::vector<std::uint32_t>& p) : NestCounts(s, p) {
    flow_cache.resize((space.constraints.none() ? 1 : levels) << dims);
  }

  std::size_t limited_before(std::size_t level) const {
    std::size_t count = 0;
    for (std::size_t l = 0; l < level; ++l) count += hierarchy.levels[l].capacity_words < kInfinite ? 1 : 0;
    return count;
  }

  const std::vector<Dataflow>& flows(std::uint32_t mask, std::size_t level) {
    const bool free = space.constraints.none();
    std::unique_ptr<std::vector<Dataflow>>& entry = flow_cache[(free ? 0 : level << dims) + mask];
    if (!entry) {
      entry = std::make_unique<std::vector<Dataflow>>(
          free ? dataflows(problem, mask) : dataflows(problem, mask, space.constraints.levels[level].inside));
    }
    return *entry;
  }

  // Whether the loops of nest[k] satisfy the constraints of its level.
  bool allowed(const Placed& at) const {
    if (space.constraints.none()) return true;
    const LevelConstraints& level = space.constraints.levels[at.level];
    for (std::size_t d = 0; d < dims; ++d) {
      if (!level.allows_loop(d, at.temporal[d])) return false;
    }
    return true;
  }

  // Whether the space with remainders has this tile and split at all.
  bool follows(const Tile& tile, const Split& split) const {
    for (std::size_t d = 0; d < dims; ++d) {
      if (!fewest_instances(problem.dims[d].size, tile.sizes[d], split.sizes[d])) return false;
    }
    return true;
  }

  // The loops of nest[k - 1] and the place of nest[k] in the chains; false where the tiles do not follow each other.
  bool chain(std::size_t k) {
    Placed& above = nest[k - 1];
    const Placed& here = nest[k];
    for (std::size_t d = 0; d < dims; ++d) {
      const std::int64_t outer = above.tile[d], tile = here.tile[d], split = here.split[d];
      if (tile > outer || (split - 1) * tile >= outer) return false;
      above.temporal[d] = static_cast<std::int32_t>((outer + tile * split - 1) / (tile * split));
    }
    for (std::size_t d = 0; d < dims; ++d) {
      chains[d].levels = k + 1;
      chains[d].tile[k] = here.tile[d];
      chains[d].split[k] = here.split[d];
    }
    return true;
  }

  Mapping mapping() {
    Mapping out = empty_mapping(hierarchy, problem);
    out.keep = placement;
    for (std::size_t k = 0; k < nest.size(); ++k) {
      const std::size_t l = nest[k].level;
      for (std::size_t d = 0; d < dims; ++d) {
        out.spatial[l][d] = nest[k].split[d];
        out.temporal[l][d] = k + 1 < nest.size() ? nest[k].temporal[d] : nest[k].tile[d];
      }
      if (k + 1 < nest.size() && nest[k].flow != nullptr) {
        out.order[l] = nest[k].flow->order;
      } else {
        std::uint32_t mask = 0;
        for (std::size_t d = 0; d < dims; ++d) mask |= out.temporal[l][d] > 1 ? 1U << d : 0U;
        out.order[l] = flows(mask, l).front().order;
      }
    }
    if (space.imperfect) {
      out.tile.assign(levels, std::vector<std::int64_t>(dims, 1));
      for (std::size_t l = levels, k = nest.size(); l-- > 0;) {
        const bool stage = nest[k - 1].level == l;
        if (stage) --k;
        for (std::size_t d = 0; d < dims; ++d) {  // a level without loops holds one block of the level below
          const std::int64_t here = nest[stage ? k : k - 1].tile[d];
          out.tile[l][d] = stage ? here : std::min(here, out.tile[l + 1][d] * out.spatial[l + 1][d]);
        }
      }
    }
    assign_axes(hierarchy, out, space.constraints.axes());
    return out;
  }

  void leaf(const Counts& counts) {
    ++result.evaluated;
    if (stages.empty() && !satisfies(space.constraints, mapping())) return;
    double steps = macs / nest.back().instances;
    if (space.imperfect) {
      std::array<std::uint32_t, kMostMapDims> first{};
      first.fill(~0U);
      steps = ragged_steps(chains.data(), dims, first);
    }
    const double cycles = std::max(whole_cycles(steps, hierarchy.ops_per_cycle), cycles_of(counts));
    if (incumbent->excludes(counts.energy, cycles, words)) return;
    const Incumbent::Entry entry{counts.energy, cycles, words};
    incumbent->add(entry);
    result.found.push_back({entry, mapping()});
  }

  // Fewest steps with each point of rest[k].
  std::vector<double> steps_with(std::size_t k, double instances) const {
    std::vector<double> steps;
    for (const RestPoint& point : rest[k]) steps.push_back(step_cycles(instances * point.instances));
    return steps;
  }

  // Whether nothing that the stages k and later could add enters any more.
  // `loads`: through each port so far; `steps`: as steps_with.
  bool hopeless(std::size_t k, double energy, double cycles, const PortLoads& loads, const std::vector<double>& steps,
                const std::vector<double>& used) const {
    for (std::size_t i = 1; i < rates.size(); ++i) {
      cycles = std::max(cycles, (loads[i] + rest_loads[k][i]) * pace[i] * kBoundRounding);
    }
    cycles = std::ceil(cycles);
    for (std::size_t i = 0; i < rest[k].size(); ++i) {
      const RestPoint& point = rest[k][i];
      if (!incumbent->excludes(energy + point.energy, std::max({cycles, point.cycles, steps[i]}), used)) return false;
    }
    return true;
  }
  bool hopeless(std::size_t k, double energy, double cycles, const PortLoads& loads, double instances,
                const std::vector<double>& used) const {
    return hopeless(k, energy, cycles, loads, steps_with(k, instances), used);
  }

  // Whether a tile and split follow a tile of this size above them.
  bool fits_along(std::size_t d, std::int64_t outer, const Pair& pair) const {
    const std::int64_t tile = pair.tile->sizes[d], split = pair.split->sizes[d];
    return space.imperfect ? tile <= outer && (split - 1) * tile < outer : outer % (tile * split) == 0;
  }

  // The rows of a group: which pairs fit into a tile, dimension by dimension.
  void make_rows(Group& group) const {
    const std::size_t row_words = (group.pairs.size() + 63) / 64;
    std::size_t count = 0;
    for (std::size_t d = 0; d < dims; ++d) count += space.divisors.of(d).size();
    if (count * row_words > kMostRowWords) return;
    group.rows.assign(count * row_words, 0);
    std::uint64_t* row = group.rows.data();
    for (std::size_t d = 0; d < dims; ++d) {
      std::map<std::pair<std::int32_t, std::int32_t>, std::vector<std::size_t>> alike;
      for (std::size_t p = 0; p < group.pairs.size(); ++p) {
        alike[{group.pairs[p].tile->sizes[d], group.pairs[p].split->sizes[d]}].push_back(p);
      }
      for (const std::int32_t outer : space.divisors.of(d)) {
        for (const auto& entry : alike) {
          if (!fits_along(d, outer, group.pairs[entry.second.front()])) continue;
          for (const std::size_t p : entry.second) row[p / 64] |= std::uint64_t{1} << (p % 64);
        }
        row += row_words;
      }
    }
  }

  // Calls f for the pairs of a group that fit into a tile, by rising energy, until it returns false.
  template <class F>
  void for_each_fitting(Group& group, const Sizes& outer, const Key& outer_key, const F& f) {
    if (++group.visits == kVisitsForRows && group.pairs.size() > 64) make_rows(group);
    if (group.rows.empty()) {
      for (const Pair& pair : group.pairs) {
        if (!space.imperfect && !space.divisors.divides(Divisors::sum(pair.tile->key, pair.split->key), outer_key))
          continue;
        if (!f(pair)) return;
      }
      return;
    }
    const std::size_t row_words = (group.pairs.size() + 63) / 64;
    std::array<const std::uint64_t*, kMostMapDims> rows{};
    const std::uint64_t* first = group.rows.data();
    for (std::size_t d = 0; d < dims; ++d) {
      const std::vector<std::int32_t>& sizes = space.divisors.of(d);
      const auto at = std::lower_bound(sizes.begin(), sizes.end(), outer[d]) - sizes.begin();
      rows[d] = first + static_cast<std::size_t>(at) * row_words;
      first += sizes.size() * row_words;
    }
    for (std::size_t w = 0; w < row_words; ++w) {
      std::uint64_t fitting = rows[0][w];
      for (std::size_t d = 1; d < dims; ++d) fitting &= rows[d][w];
      for (; fitting != 0; fitting &= fitting - 1) {
        if (!f(group.pairs[w * 64 + static_cast<std::size_t>(std::countr_zero(fitting))])) return;
      }
    }
  }

  // Takes stage k (nest[k] is filled by it), all earlier ones chosen.
  void search(std::size_t k, const Counts& counts) {
    if (k > stages.size()) {
      leaf(counts);
      return;
    }
    Stage& stage = stages[k - 1];
    if (stage.twin) {
      enter(k, {nest[k - 1].twin, &stage.splits->front(), 0, 0, 0, 0}, nest[k - 1].instances, counts);
      return;
    }
    const PortLoads so_far = loads_of(counts);
    const double counted = cycles_of(counts);
    PortLoads least_rest = so_far;
    add_loads(least_rest, rest_loads[k]);
    const double rest_least = std::max({counted, rest_cycles[k], port_cycles(least_rest.data())});
    const std::vector<Asked> asked = asked_above(k);
    const Sizes outer_sizes = nest[k - 1].tile;
    const Key outer_key = nest[k - 1].key;
    for (Group& group : stage.groups) {
      const double instances = nest[k - 1].instances * group.instances;
      const double cycles = std::max(rest_least, step_cycles(instances * rest_instances[k]));
      const std::vector<double> steps = steps_with(k, instances);
      if (incumbent->excludes(counts.energy + group.pairs.front().energy + rest_energy[k], cycles, words)) continue;
      for_each_fitting(group, outer_sizes, outer_key, [&](const Pair& pair) {
        const double energy = counts.energy + pair.energy;
        if (incumbent->excludes(energy + rest_energy[k], cycles, words)) return false;
        PortLoads loads = so_far;
        double least = counts.energy;
        if (!space.imperfect) at_least(k, pair, asked, &pair_words[pair.words], least, loads);
        for (std::size_t i = 1; i < rates.size(); ++i)
          loads[i] = std::max(loads[i], so_far[i] + pair_loads[pair.loads + i]);
        if (!hopeless(k, std::max(energy, least), std::max(counted, pair.cycles), loads, steps, words)) {
          enter(k, pair, instances, counts);
        }
        return true;
      });
    }
  }

  // Goes on with this tile and split for stage k.
  void enter(std::size_t k, const Pair& pair, double instances, const Counts& counts) {
    const Stage& stage = stages[k - 1];
    const bool limited = hierarchy.levels[stage.level].capacity_words < kInfinite;
    const std::size_t place = limited ? limited_before(stage.level) : 0;
    ++result.visited;
    Placed& here = nest[k];
    Placed& above = nest[k - 1];
    here.level = stage.level;
    here.tile = pair.tile->sizes;
    here.split = pair.split->sizes;
    here.key = pair.tile->key;
    here.instances = instances;
    here.twin = pair.twin;
    std::uint32_t mask = 0;
    double steps = k > 1 ? nest[k - 2].steps : 1;
    if (space.imperfect && !chain(k)) return;
    for (std::size_t d = 0; d < dims; ++d) {
      if (!space.imperfect) above.temporal[d] = above.tile[d] / (here.tile[d] * here.split[d]);
      steps *= above.temporal[d];
      if (above.temporal[d] > 1) mask |= 1U << d;
    }
    above.steps = steps;
    if (!allowed(above)) return;
    const std::vector<Dataflow>& choices = flows(mask, above.level);
    if (limited) words[place] = pair.tile->used_words(space.rules.copies[stage.level], stage.kept_set);
    Counts before = counts;
    if (space.imperfect) {
      count_ragged(k, stage.compute, true, before);
    } else {
      count_units(k, before);
    }
    Service services[kMostMapTensors];
    for (std::size_t j = 0; j < stage.kept.size() && !space.imperfect; ++j) {
      const KeptHere& kept = stage.kept[j];
      services[j] = service_of(problem.tensors[kept.tensor], kept.parent, k);
    }
    const std::vector<double> fewest = steps_with(k, instances);
    for (const Dataflow& flow : choices) {
      above.flow = &flow;
      Counts next = before;
      if (space.imperfect) {
        count_ragged(k, stage.kept, false, next);
      } else {
        count_kept(k, services, next);
      }
      if (hopeless(k, next.energy, std::max(pair.cycles, cycles_of(next)), loads_of(next), fewest, words)) continue;
      search(k + 1, next);
    }
    if (limited) words[place] = 0;
  }
};

PlacementSearch::PlacementSearch(const SearchSpace& space, const std::vector<std::uint32_t>& placement)
    : state_(std::make_unique<State>(space, placement)) {}
PlacementSearch::~PlacementSearch() = default;
PlacementSearch::PlacementSearch(PlacementSearch&&) noexcept = default;

double PlacementSearch::energy_bound() const { return state_->base + state_->rest_energy.front(); }
double PlacementSearch::cycles_bound() const {
  const double energy = state_->rest_energy.front();
  return energy < kInfinite ? std::max(state_->step_cycles(state_->rest_instances.front()), state_->rest_cycles.front())
                            : kInfinite;
}

PlacementResult PlacementSearch::run(const MapSearchOptions& options, const Incumbent& incumbent,
                                     std::size_t most_tiles) {
  State& s = *state_;
  Incumbent best = incumbent;
  s.options = &options;
  s.incumbent = &best;
  s.result = {};
  s.bound_rest();
  double outer_energy = s.base + s.rest_energy.front(), outer_cycles = 0, outer_instances = s.rest_instances.front();
  s.rest.assign(s.stages.size() + 1, {});
  s.rest.back().push_back({});
  s.pair_loads.clear();
  s.pair_words.clear();
  for (std::size_t k = s.stages.size(); k-- > 0;) {
    Stage& stage = s.stages[k];
    outer_instances /= stage.most_instances;
    outer_cycles = 0;
    PortLoads outer_loads{};
    for (std::size_t j = 0; j < k; ++j) {
      if (s.stages[j].table == nullptr) continue;
      outer_cycles = std::max(outer_cycles, s.stages[j].table->least_cycles);
      s.add_loads(outer_loads, s.stages[j].table->least_loads);
    }
    if (stage.twin) {  // counted with the stage before
      s.rest[k] = s.rest[k + 1];
      s.rest_energy[k] = s.rest_energy[k + 1];
      s.rest_cycles[k] = s.rest_cycles[k + 1];
      s.rest_loads[k] = s.rest_loads[k + 1];
      continue;
    }
    const StageTable& table = *stage.table;
    outer_energy -= table.least_energy;
    const std::vector<double> unknown;
    const auto cut_with = [&](double energy, double cycles, const double* more, const std::vector<double>& steps) {
      PortLoads loads;
      for (std::size_t i = 1; i < s.rates.size(); ++i) loads[i] = outer_loads[i] + more[i];
      return s.hopeless(k + 1, energy + outer_energy, std::max(outer_cycles, cycles), loads, steps, unknown);
    };
    const std::vector<double> fewest_steps = s.steps_with(k + 1, outer_instances * stage.most_instances);
    std::vector<std::vector<double>> class_steps;
    for (const SearchSpace::ServingClass& serving : *stage.classes) {
      class_steps.push_back(s.steps_with(k + 1, outer_instances * serving.instances));
    }
    std::vector<const StageTable::Entry*> candidates;
    double too_much = kInfinite;  // energy that is cut whatever the cycles
    for (std::size_t i = 0; i < table.entries.size(); ++i) {
      if (table.energies[i] >= too_much) continue;
      const StageTable::Entry& entry = table.entries[i];
      if (!cut_with(entry.energy, entry.cycles, &table.loads[entry.loads], fewest_steps)) {
        candidates.push_back(&entry);
      } else if (cut_with(entry.energy, table.least_cycles, table.least_loads.data(), fewest_steps)) {
        too_much = entry.energy;
      }
    }
    if (most_tiles > 0 && candidates.size() > most_tiles) {
      std::stable_sort(candidates.begin(), candidates.end(),
                       [](const StageTable::Entry* a, const StageTable::Entry* b) { return a->energy < b->energy; });
      candidates.resize(most_tiles);
    }
    std::map<double, std::vector<Pair>, std::greater<>> by_instances;
    PortLoads least_loads;
    least_loads.fill(kInfinite);
    for (const StageTable::Entry* candidate : candidates) {
      const Tile& tile = *candidate->tile;
      const State::TileWords tile_words = s.tile_words_of(stage, tile, nullptr);
      const auto with_twin = [&](Cost cost) {
        if (candidate->twin == nullptr) return cost;
        cost.energy += candidate->twin_energy;
        cost.cycles = std::max(cost.cycles, candidate->twin_cycles);
        for (std::size_t i = 1; i < s.rates.size(); ++i) cost.loads[i] += table.loads[candidate->twin_loads + i];
        return cost;
      };
      const SearchSpace::FittingSplits& fitting = s.space.fitting_splits(stage.level, tile);
      for (const SearchSpace::Fitting& some : fitting.classes) {
        const SearchSpace::ServingClass& serving = (*stage.classes)[some.class_index];
        const std::vector<double>& steps = class_steps[some.class_index];
        if (cut_with(candidate->energy, candidate->cycles, &table.loads[candidate->loads], steps)) continue;
        const Cost best_cost = with_twin(s.relaxed(stage, tile_words, serving.serving));  // under any of these splits
        if (cut_with(best_cost.energy, best_cost.cycles, best_cost.loads.data(), steps)) continue;
        for (std::size_t place = some.first; place < some.last; ++place) {
          const Split& split = (*stage.splits)[fitting.splits[place]];
          if (stage.canonical_free != 0 && s.redundant(stage, tile, split)) continue;
          if (s.space.imperfect && !s.follows(tile, split)) continue;
          Cost cost = best_cost;
          if (stage.windows) {
            cost = with_twin(s.relaxed(stage, s.tile_words_of(stage, tile, &split), serving.serving));
            if (cut_with(cost.energy, cost.cycles, cost.loads.data(), steps)) continue;
          }
          by_instances[split.instances].push_back({&tile, &split, cost.energy, cost.cycles, s.pair_loads.size(),
                                                   s.pair_words.size(), &serving.serving, candidate->twin});
          if (!s.space.imperfect) s.words_once(k, by_instances[split.instances].back(), s.pair_words);
          s.pair_loads.insert(s.pair_loads.end(), cost.loads.begin(),
                              cost.loads.begin() + static_cast<std::ptrdiff_t>(s.rates.size()));
          for (std::size_t port = 1; port < s.rates.size(); ++port) {
            least_loads[port] = std::min(least_loads[port], cost.loads[port]);
          }
        }
      }
    }
    stage.groups.clear();
    for (auto& [instances, pairs] : by_instances) {
      std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.energy < b.energy; });
      s.result.shapes += static_cast<double>(pairs.size());
      double least_cycles = kInfinite;
      for (const Pair& pair : pairs) {
        if (pair.cycles >= least_cycles) continue;
        least_cycles = pair.cycles;
        for (const RestPoint& later : s.rest[k + 1]) {
          add_point(s.rest[k],
                    {pair.energy + later.energy, std::max(pair.cycles, later.cycles), instances * later.instances});
        }
      }
      stage.groups.push_back({instances, std::move(pairs), {}, 0});
    }
    if (stage.groups.empty()) return std::move(s.result);
    double least = kInfinite;
    for (const Group& group : stage.groups) least = std::min(least, group.pairs.front().energy);
    s.rest_energy[k] = s.rest_energy[k + 1] + least;
    s.rest_loads[k] = s.rest_loads[k + 1];
    s.add_loads(s.rest_loads[k], least_loads);
    s.rest_cycles[k] = std::max(s.rest_cycles[k + 1], s.port_cycles(s.rest_loads[k].data()));
  }
  s.nest.assign(s.stages.size() + 1, {});
  State::Placed& outer = s.nest.front();
  outer.tile.fill(1);
  outer.split.fill(1);
  for (std::size_t d = 0; d < s.dims; ++d) outer.tile[d] = static_cast<std::int32_t>(s.problem.dims[d].size);
  outer.key = s.space.whole;
  for (std::size_t d = 0; d < s.dims; ++d) {
    s.chains[d].levels = 1;
    s.chains[d].tile[0] = s.problem.dims[d].size;
    s.chains[d].split[0] = 1;
  }
  s.words.assign(s.limited_before(s.levels), 0);
  if (s.hierarchy.levels.front().capacity_words < kInfinite) s.words.front() = s.space.outermost_words;
  State::Counts counts;
  counts.energy = s.base;
  s.search(1, counts);
  return std::move(s.result);
}

}  // namespace accsim::sched
