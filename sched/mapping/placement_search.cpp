#include "sched/mapping/placement_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "sched/mapping/nest_counts.h"

namespace accsim::sched {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

}  // namespace

struct PlacementSearch::State : NestCounts {
  std::vector<std::vector<RestPoint>> rest;                        // [k]: of stages k and later, from their lists
  std::vector<std::unique_ptr<std::vector<Dataflow>>> flow_cache;  // by level (where it matters) and set of dimensions

  const MapSearchOptions* options = nullptr;
  Incumbent* incumbent = nullptr;
  PlacementResult result;
  std::vector<double> words;       // used of each limited level, 0 where not known yet
  std::vector<double> pair_loads;  // of Pair::loads: a port each, from index 1 of the rates

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

  // Whether nothing that the stages k and later could add enters any more.
  // `loads`: through each port so far.
  bool hopeless(std::size_t k, double energy, double cycles, const PortLoads& loads, double instances,
                const std::vector<double>& used) const {
    for (std::size_t i = 1; i < rates.size(); ++i) {
      cycles = std::max(cycles, (loads[i] + rest_loads[k][i]) / rates[i] * kBoundRounding);
    }
    cycles = std::ceil(cycles);
    for (const RestPoint& point : rest[k]) {
      const double least = std::max({cycles, point.cycles, step_cycles(instances * point.instances)});
      if (!incumbent->excludes(energy + point.energy, least, used)) return false;
    }
    return true;
  }

  // Takes stage k (nest[k] is filled by it), all earlier ones chosen.
  void search(std::size_t k, const Counts& counts) {
    if (k > stages.size()) {
      leaf(counts);
      return;
    }
    const Stage& stage = stages[k - 1];
    if (stage.twin) {
      enter(k, {nest[k - 1].twin, &stage.splits->front(), 0, 0, 0}, nest[k - 1].instances, counts);
      return;
    }
    const PortLoads so_far = loads_of(counts);
    const double counted = cycles_of(counts);
    PortLoads least_rest = so_far;
    add_loads(least_rest, rest_loads[k]);
    const double rest_least = std::max({counted, rest_cycles[k], port_cycles(least_rest.data())});
    const Outer outer = outer_loops(k);
    for (const Group& group : stage.groups) {
      const double instances = nest[k - 1].instances * group.instances;
      const double cycles = std::max(rest_least, step_cycles(instances * rest_instances[k]));
      for (const Pair& pair : group.pairs) {
        const double energy = counts.energy + pair.energy + rest_energy[k];
        if (incumbent->excludes(energy, cycles, words)) break;
        if (pair.cycles > cycles && incumbent->excludes(energy, pair.cycles, words)) continue;
        const Key part = Divisors::sum(pair.tile->key, pair.split->key);
        if (!space.divisors.divides(part, nest[k - 1].key)) continue;
        PortLoads loads = so_far;
        for (std::size_t i = 1; i < rates.size(); ++i) loads[i] += pair_loads[pair.loads + i];
        if (hopeless(k, counts.energy + pair.energy, std::max(counted, pair.cycles), loads, instances, words)) continue;
        if (!space.imperfect) {
          const Counts least = at_least(k, pair, outer, counts);
          if (hopeless(k, least.energy, pair.cycles, loads_of(least), instances, words)) continue;
        }
        enter(k, pair, instances, counts);
      }
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
    if (limited) words[place] = pair.tile->used_words;
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
    for (const Dataflow& flow : choices) {
      above.flow = &flow;
      Counts next = before;
      if (space.imperfect) {
        count_ragged(k, stage.kept, false, next);
      } else {
        count_kept(k, services, next);
      }
      if (hopeless(k, next.energy, std::max(pair.cycles, cycles_of(next)), loads_of(next), instances, words)) continue;
      search(k + 1, next);
    }
    if (limited) words[place] = 0;
  }

  // What the twin below stage k must cost.
  Cost twin_cost(std::size_t k, const Tile& twin_tile) const {
    const Stage& twin = stages[k + 1];
    return relaxed(twin, tile_words_of(twin, twin_tile, nullptr), twin.classes->front().serving);
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
  for (std::size_t k = s.stages.size(); k-- > 0;) {
    Stage& stage = s.stages[k];
    outer_energy -= stage.least_energy;
    outer_instances /= stage.most_instances;
    outer_cycles = 0;
    PortLoads outer_loads{};
    for (std::size_t j = 0; j < k; ++j) {
      outer_cycles = std::max(outer_cycles, s.stages[j].least_cycles);
      s.add_loads(outer_loads, s.stages[j].least_loads);
    }
    if (stage.twin) {  // counted with the stage before
      s.rest[k] = s.rest[k + 1];
      s.rest_energy[k] = s.rest_energy[k + 1];
      s.rest_cycles[k] = s.rest_cycles[k + 1];
      s.rest_loads[k] = s.rest_loads[k + 1];
      continue;
    }
    const auto cut = [&](const Cost& cost, double instances) {
      PortLoads loads = outer_loads;
      s.add_loads(loads, cost.loads);
      return s.hopeless(k + 1, cost.energy + outer_energy, std::max(outer_cycles, cost.cycles), loads, instances, {});
    };
    const auto with = [&](Cost cost, const Cost& twin) {
      cost.energy += twin.energy;
      cost.cycles = std::max(cost.cycles, twin.cycles);
      s.add_loads(cost.loads, twin.loads);
      return cost;
    };
    const bool has_twin = k + 1 < s.stages.size() && s.stages[k + 1].twin;
    struct Candidate {
      const Tile* tile;
      Cost cost, twin;
      const Tile* twin_tile;
    };
    std::vector<Candidate> candidates;
    for (const Tile& tile : *stage.tiles) {
      Cost cost = s.relaxed(stage, s.tile_words_of(stage, tile, nullptr), s.space.best_servings[stage.level]);
      Cost twin{0, 0, {}};
      const Tile* twin_tile = nullptr;
      if (has_twin) {
        const Stage& below = s.stages[k + 1];
        twin_tile = s.space.find_tile(below.level, below.kept_set, tile.sizes);
        if (twin_tile == nullptr) continue;  // does not fit
        twin = s.twin_cost(k, *twin_tile);
        cost = with(cost, twin);
      }
      if (cut(cost, outer_instances * stage.most_instances)) continue;
      candidates.push_back({&tile, cost, twin, twin_tile});
    }
    if (most_tiles > 0 && candidates.size() > most_tiles) {
      std::stable_sort(candidates.begin(), candidates.end(),
                       [](const Candidate& a, const Candidate& b) { return a.cost.energy < b.cost.energy; });
      candidates.resize(most_tiles);
    }
    std::map<double, std::vector<Pair>, std::greater<>> by_instances;
    PortLoads least_loads;
    least_loads.fill(kInfinite);
    for (const Candidate& candidate : candidates) {
      const Tile& tile = *candidate.tile;
      const State::TileWords tile_words = s.tile_words_of(stage, tile, nullptr);
      for (const SearchSpace::ServingClass& serving : *stage.classes) {
        const double instances = outer_instances * serving.instances;
        if (cut(candidate.cost, instances)) continue;
        Cost best_cost;  // of the tile under any of these splits; computed for the first that is possible
        bool costed = false;
        for (const std::size_t i : serving.splits) {
          const Split& split = (*stage.splits)[i];
          if (!s.space.divisors.divides(Divisors::sum(tile.key, split.key), s.space.whole)) continue;
          if (stage.canonical_free != 0 && s.redundant(stage, tile, split)) continue;
          if (s.space.imperfect && !s.follows(tile, split)) continue;
          if (!costed) {
            costed = true;
            best_cost = with(s.relaxed(stage, tile_words, serving.serving), candidate.twin);
            if (cut(best_cost, instances)) break;
          }
          Cost cost = best_cost;
          if (stage.windows) {
            cost = with(s.relaxed(stage, s.tile_words_of(stage, tile, &split), serving.serving), candidate.twin);
            if (cut(cost, instances)) continue;
          }
          by_instances[split.instances].push_back(
              {&tile, &split, cost.energy, cost.cycles, s.pair_loads.size(), &serving.serving, candidate.twin_tile});
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
      stage.groups.push_back({instances, std::move(pairs)});
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
