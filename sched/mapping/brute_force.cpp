#include "sched/mapping/brute_force.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/base/error.h"
#include "sched/mapping/ragged.h"

namespace accsim::sched {
namespace {

constexpr int kSampledCuts = 300'000;

double factorial(std::size_t n) {
  double product = 1;
  for (std::size_t i = 2; i <= n; ++i) product *= static_cast<double>(i);
  return product;
}

// All ordered ways to write n as a product of `slots` factors.
void factorise(std::int64_t n, std::size_t slots, std::vector<std::int64_t>& head,
               std::vector<std::vector<std::int64_t>>& out) {
  if (slots == 1) {
    head.push_back(n);
    out.push_back(head);
    head.pop_back();
    return;
  }
  for (std::int64_t f = 1; f <= n; ++f) {
    if (n % f != 0) continue;
    head.push_back(f);
    factorise(n / f, slots - 1, head, out);
    head.pop_back();
  }
}

struct Enumeration {
  const MapHierarchy& hierarchy;
  const MapProblem& problem;
  const KeepRules& rules;
  const MapSearchOptions& options;
  std::vector<std::vector<std::uint32_t>> placements{};
  std::vector<std::vector<std::vector<std::int64_t>>> factors{};  // [dim][i][slot]
  std::vector<std::size_t> meshes{};                              // levels with a mesh
  BruteForceResult result{};
  bool sampling = false;  // while counting: some cuts alone
  bool counting = false;
  double to_evaluate = 0;
  Mapping mapping{};

  [[nodiscard]] std::size_t levels() const { return hierarchy.levels.size(); }
  [[nodiscard]] std::size_t dims() const { return problem.dims.size(); }

  // Assignments of X or Y to all dimensions (first) and to those with a split (second) that fit the level's mesh.
  [[nodiscard]] std::pair<double, double> axis_choices(std::size_t level) const {
    double all = 0, split = 0;
    for (std::uint32_t choice = 0; choice < 1U << dims(); ++choice) {
      std::int64_t used[2] = {1, 1};
      bool redundant = false;
      bool allowed = true;
      for (std::size_t d = 0; d < dims(); ++d) {
        used[choice >> d & 1U] *= mapping.spatial[level][d];
        allowed = allowed && (options.constraints.none() || mapping.spatial[level][d] == 1 ||
                              (options.constraints.levels[level].axis_dims[choice >> d & 1U] >> d & 1U) != 0);
        redundant = redundant || (mapping.spatial[level][d] == 1 && (choice >> d & 1U) != 0);
      }
      if (used[0] > hierarchy.levels[level].mesh[0] || used[1] > hierarchy.levels[level].mesh[1]) continue;
      if (!allowed) continue;
      all += 1;
      split += redundant ? 0 : 1;
    }
    return {all, split};
  }

  [[nodiscard]] std::vector<double> words_of(const Evaluation& e) const {
    std::vector<double> words;
    for (std::size_t l = 0; l < levels(); ++l) {
      if (hierarchy.levels[l].capacity_words < std::numeric_limits<double>::infinity())
        words.push_back(e.used_words[l]);
    }
    return words;
  }

  [[nodiscard]] bool no_worse(const Evaluation& a, const Evaluation& b) const {
    if (a.energy_pj > b.energy_pj || a.cycles > b.cycles) return false;
    if (!options.pareto_words) return true;
    const std::vector<double> x = words_of(a), y = words_of(b);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (x[i] > y[i]) return false;
    }
    return true;
  }

  void consider() {
    const Evaluation e = evaluate(hierarchy, problem, rules, mapping);
    result.evaluated += 1;
    std::vector<MapPoint>& points = result.points;
    if (options.pareto) {
      for (const MapPoint& p : points) {
        if (no_worse(p.evaluation, e)) return;
      }
      points.erase(
          std::remove_if(points.begin(), points.end(), [&](const MapPoint& p) { return no_worse(e, p.evaluation); }),
          points.end());
      points.push_back({mapping, e});
      return;
    }
    if (!points.empty()) {
      const Evaluation& best = points.front().evaluation;
      const auto key = [&](const Evaluation& x) -> std::pair<double, double> {
        switch (options.objective) {
          case MapObjective::energy:
            return {x.energy_pj, x.cycles};
          case MapObjective::latency:
            return {x.cycles, x.energy_pj};
          case MapObjective::edp:
            break;
        }
        return {x.edp(), 0.0};
      };
      if (key(e) >= key(best)) return;
    }
    points.assign(1, {mapping, e});
  }

  void orders(std::size_t level) {
    std::vector<int>& order = mapping.order[level];
    std::sort(order.begin(), order.end());
    if (level + 1 >= levels()) {  // one order of the innermost loops that the constraints allow
      while (!satisfies(options.constraints, mapping)) {
        if (!std::next_permutation(order.begin(), order.end())) return;
      }
      consider();
      return;
    }
    do {
      orders(level + 1);
    } while (std::next_permutation(order.begin(), order.end()));
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw model::ConfigError("", "--brute-force",
                             "problem \"" + problem.name + "\" has more than " + what +
                                 " to evaluate; allowed: at most 3e7 mappings and 1e9 cuts of the dimensions and "
                                 "placements (the search without --brute-force has no such limit)");
  }

  void placement_choices() {
    double on_mesh = 1, apart = 1;
    for (const std::size_t level : meshes) {
      const auto [all, split] = axis_choices(level);
      on_mesh *= all;
      apart *= split;
    }
    const double all_orders = std::pow(factorial(dims()), static_cast<double>(levels()));
    const double axes = std::pow(2.0, static_cast<double>(dims() * meshes.size()));
    result.raw += all_orders * axes * static_cast<double>(placements.size());
    if (on_mesh == 0) return;
    result.on_mesh += all_orders * on_mesh * static_cast<double>(placements.size());
    double own_orders = 1;
    for (std::size_t l = 0; l < levels(); ++l) {
      mapping.order[l].clear();
      for (std::size_t d = 0; d < dims(); ++d) {
        if (mapping.temporal[l][d] > 1) mapping.order[l].push_back(static_cast<int>(d));
      }
      own_orders *= factorial(mapping.order[l].size());
    }
    assign_axes(hierarchy, mapping, options.constraints.axes());
    const auto tiles = tile_sizes(mapping);
    for (const auto& placement : placements) {
      bool fits = true;
      for (std::size_t l = 0; l < levels() && fits; ++l) {
        double words = 0;
        for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
          if ((placement[t] >> l & 1U) != 0) words += rules.copies[l][t] * tile_words(problem.tensors[t], tiles[l]);
        }
        fits = words <= hierarchy.levels[l].capacity_words;
      }
      if (!fits) continue;
      if (counting) {
        to_evaluate += own_orders / factorial(mapping.order.back().size());
        if (to_evaluate > kMostBruteForce && !sampling) refuse("3e7 mappings");
        continue;
      }
      result.valid += all_orders * on_mesh;
      result.nonredundant += own_orders * apart;
      mapping.keep = placement;
      orders(0);
    }
  }

  // All chains of tiles and splits of one dimension: tile sizes by level, then splits by mesh.
  void chains(std::int64_t size, std::size_t level, std::vector<std::int64_t>& tiles, std::vector<std::int64_t>& splits,
              std::vector<std::vector<std::int64_t>>& out) const {
    if (level == levels()) {
      out.push_back(tiles);
      out.back().insert(out.back().end(), splits.begin(), splits.end());
      return;
    }
    const bool mesh = hierarchy.levels[level].has_mesh;
    for (const std::int64_t tile : even_tile_sizes(size)) {
      for (std::int64_t split = 1; tile <= tiles.back() && (split - 1) * tile < tiles.back(); ++split) {
        if (split > 1 && !mesh) break;
        if (!fewest_instances(size, tile, split)) continue;
        tiles.push_back(tile);
        if (mesh) splits.push_back(split);
        chains(size, level + 1, tiles, splits, out);
        tiles.pop_back();
        if (mesh) splits.pop_back();
      }
    }
  }

  // One cut of a dimension.
  void take(std::size_t dim, const std::vector<std::int64_t>& parts) {
    for (std::size_t l = 0; l < levels(); ++l) mapping.temporal[l][dim] = parts[l];
    for (std::size_t m = 0; m < meshes.size(); ++m) mapping.spatial[meshes[m]][dim] = parts[levels() + m];
    if (!options.imperfect) return;
    for (std::size_t l = 0; l < levels(); ++l) mapping.tile[l][dim] = parts[l];
    const RaggedDim chain = ragged_dim(mapping, dim);
    for (std::size_t l = 0; l < levels(); ++l) mapping.temporal[l][dim] = chain.trips(l);
  }

  void choose(std::size_t dim) {
    if (dim == dims()) {
      placement_choices();
      return;
    }
    for (const std::vector<std::int64_t>& parts : factors[dim]) {
      take(dim, parts);
      choose(dim + 1);
    }
  }

  // Mappings to evaluate, estimated from some of the cuts (the same ones every time).
  double estimate() {
    double all = 1;
    for (const auto& list : factors) all *= static_cast<double>(list.size());
    if (all <= kSampledCuts) return 0;  // counted soon enough
    std::uint64_t state = 1;
    for (int i = 0; i < kSampledCuts; ++i) {
      for (std::size_t d = 0; d < dims(); ++d) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        take(d, factors[d][(state >> 33U) % factors[d].size()]);
      }
      placement_choices();
    }
    return to_evaluate / kSampledCuts * all;
  }
};

}  // namespace

BruteForceResult brute_force(const MapHierarchy& hierarchy, const MapProblem& problem, const KeepRules& rules,
                             const MapSearchOptions& options) {
  if (options.imperfect) check_ragged_problem(problem);
  Enumeration all{hierarchy, problem, rules, options};
  for (std::size_t l = 0; l < hierarchy.levels.size(); ++l) {
    if (hierarchy.levels[l].has_mesh) all.meshes.push_back(l);
  }
  all.placements.push_back({});
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    std::vector<std::vector<std::uint32_t>> longer;
    for (const auto& head : all.placements) {
      for (std::uint32_t keep = 0; keep < 1U << hierarchy.levels.size(); ++keep) {
        if ((keep & rules.must[t]) != rules.must[t] || (keep & ~rules.may[t]) != 0) continue;
        longer.push_back(head);
        longer.back().push_back(keep);
      }
    }
    all.placements = std::move(longer);
  }
  double cuts = static_cast<double>(all.placements.size());
  for (const MapDim& dim : problem.dims) {
    std::uint32_t meshes = 0;
    for (const std::size_t level : all.meshes) meshes |= 1U << level;
    cuts *= std::pow(10.0, log10_chains(dim.size, hierarchy.levels.size(), meshes, options.imperfect));
  }
  if (cuts > kMostBruteForceCuts) all.refuse("1e9 cuts of the dimensions and placements");
  for (const MapDim& dim : problem.dims) {
    std::vector<std::int64_t> head;
    all.factors.emplace_back();
    if (options.imperfect) {
      std::vector<std::int64_t> tiles{dim.size}, splits;
      all.chains(dim.size, 1, tiles, splits, all.factors.back());
      continue;
    }
    factorise(dim.size, hierarchy.levels.size() + all.meshes.size(), head, all.factors.back());
  }
  all.mapping = empty_mapping(hierarchy, problem);
  if (options.imperfect) all.mapping.tile = all.mapping.temporal;
  all.counting = all.sampling = true;
  // The sample is rough: only what is far above the limit is refused without counting.
  if (all.estimate() > 1.5 * kMostBruteForce) all.refuse("3e7 mappings");
  all.sampling = false;
  all.to_evaluate = 0;
  all.choose(0);
  all.counting = false;
  all.result = {};
  all.choose(0);
  if (all.result.points.empty()) {
    throw model::InfeasibleError("no mapping of \"" + problem.name + "\" fits \"" + hierarchy.name + "\"" +
                                 (options.constraints.none() ? "" : " under the constraints"));
  }
  std::stable_sort(all.result.points.begin(), all.result.points.end(),
                   [](const MapPoint& a, const MapPoint& b) { return a.evaluation.cycles < b.evaluation.cycles; });
  return std::move(all.result);
}

}  // namespace accsim::sched
