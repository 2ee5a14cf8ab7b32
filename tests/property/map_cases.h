// Random small problems, hierarchies and constraints for the mapper, and the comparison of its search with brute force
// over the unpruned space, for the three objectives and Pareto sets.
#pragma once
#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "model/base/error.h"
#include "sched/mapping/brute_force.h"
#include "sched/mapping/search.h"
#include "tests/catch.h"

namespace accsim::tests {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  // Exact in binary, so that the order of sums changes nothing; zero now and then.
  double coefficient(std::int64_t most) { return chance(10) ? 0.0 : static_cast<double>(below(8 * most)) / 8; }

 private:
  std::mt19937_64 engine_;
};

inline sched::MapProblem random_problem(Random& random, std::int64_t most_points) {
  model::Json json = {{"schema", "accsim-problem/1"}, {"name", "random"}, {"dims", model::Json::object()}};
  const std::int64_t dims = 1 + random.below(5);
  std::vector<std::string> names;
  std::int64_t points = 1;
  for (std::int64_t d = 0; d < dims; ++d) {
    names.emplace_back(1, static_cast<char>('A' + d));
    std::int64_t size = 1 + random.below(dims <= 2 ? 16 : dims == 3 ? 8 : 4);
    while (points * size > most_points) --size;
    points *= size;
    json["dims"][names.back()] = size;
  }
  const std::int64_t tensors = 2 + random.below(2);
  std::vector<bool> used(names.size(), false);
  json["tensors"] = model::Json::array();
  for (std::int64_t t = 0; t < tensors; ++t) {
    const bool last = t + 1 == tensors;
    model::Json axes = model::Json::array();
    std::vector<std::string> free;
    for (std::size_t d = 0; d < names.size(); ++d) {
      if (random.chance(65) || (last && !used[d])) {
        free.push_back(names[d]);
        used[d] = true;
      }
    }
    if (free.empty()) {
      free.push_back(names[0]);
      used[0] = true;
    }
    while (!free.empty()) {
      const auto take = [&] {
        const auto i = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(free.size())));
        std::string name = free[i];
        free.erase(free.begin() + static_cast<std::ptrdiff_t>(i));
        if (random.chance(25)) name += "*" + std::to_string(2 + random.below(2));
        return name;
      };
      std::string axis = take();
      // The output has windows rarely, inputs often.
      if (!free.empty() && random.chance(last ? 10 : 45)) axis += "+" + take();
      axes.push_back(axis);
    }
    if (!last && names.size() > 1 && random.chance(8)) axes.push_back(names[0]);  // one dimension along two axes
    if (!last && axes.size() > 1 && axes.back() == names[0]) used[0] = true;
    json["tensors"].push_back({{"name", "T" + std::to_string(t)}, {"dims", axes}});
    if (last) json["tensors"].back()["output"] = true;
  }
  return sched::parse_problem(json, "random problem");
}

inline sched::MapHierarchy random_hierarchy(Random& random, const sched::MapProblem& problem) {
  sched::MapHierarchy h;
  h.name = "random";
  const std::int64_t levels = 1 + random.below(4);
  for (std::int64_t l = 0; l < levels; ++l) {
    sched::MapLevel level;
    level.name = "L" + std::to_string(l);
    level.read_pj = random.coefficient(100 >> (2 * l));
    level.write_pj = random.coefficient(100 >> (2 * l));
    level.update_pj = random.coefficient(100 >> (2 * l));
    if (random.chance(40)) level.read_rate = static_cast<double>(1 + random.below(8)) / 2;
    if (random.chance(40)) level.write_rate = static_cast<double>(1 + random.below(8)) / 2;
    if (random.chance(40)) level.shared_rate = static_cast<double>(1 + random.below(8)) / 2;
    if (l > 0) {
      if (random.chance(90)) level.capacity_words = static_cast<double>(1 + random.below(l + 1 == levels ? 12 : 60));
      level.has_mesh = random.chance(l + 1 == levels ? 70 : 30);
      if (level.has_mesh) level.mesh = {1 + random.below(4), 1 + random.below(3)};
      level.multicast = random.chance(80);
      level.reduction = random.chance(80);
      if (random.chance(20)) level.buffering = 2;
      for (const sched::MapTensor& tensor : problem.tensors) {
        if (random.chance(10)) level.must_keep.push_back(tensor.name);
        if (random.chance(10)) level.buffering_of.emplace_back(tensor.name, 1 + random.below(2));
      }
      if (random.chance(25)) {
        level.may_keep_all = false;
        for (const sched::MapTensor& tensor : problem.tensors) {
          const bool must = std::count(level.must_keep.begin(), level.must_keep.end(), tensor.name) > 0;
          if (must || random.chance(50)) level.may_keep.push_back(tensor.name);
        }
      }
    } else {
      level.must_keep_all = true;
    }
    h.levels.push_back(level);
  }
  h.mac_pj = random.coefficient(4);
  h.ops_per_cycle = random.chance(80) ? 1 : 0.5 * static_cast<double>(1 + random.below(6));
  return h;
}

inline bool near(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b)); }

// Demands of every kind, some of which contradict each other or fit nothing.
inline model::Json random_constraints(Random& random, const sched::MapHierarchy& h, const sched::MapProblem& problem,
                                      bool divide) {
  model::Json levels = model::Json::object();
  const auto dim = [&] {
    return problem.dims[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(problem.dims.size())))];
  };
  const auto tensor = [&] {
    return problem.tensors[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(problem.tensors.size())))]
        .name;
  };
  const auto factor = [&](const sched::MapDim& d) {
    std::int64_t f = 1 + random.below(d.size);
    while (divide && d.size % f != 0) f = 1 + random.below(d.size);
    return f;
  };
  for (std::size_t l = 0; l < h.levels.size(); ++l) {
    model::Json level = model::Json::object();
    if (random.chance(12)) {  // no loops at all
      for (const sched::MapDim& d : problem.dims) level["loops"][d.name] = 1;
    } else if (random.chance(20)) {
      const sched::MapDim d = dim();
      level["loops"][d.name] = factor(d);
    }
    if (random.chance(20)) level["max_loops"][dim().name] = 1 + random.below(4);
    if (random.chance(25)) {
      model::Json order = model::Json::array();
      std::vector<std::string> names{"*"};
      for (const sched::MapDim& d : problem.dims) names.push_back(d.name);
      while (!names.empty() && random.chance(70)) {
        const auto i = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(names.size())));
        order.push_back(names[i]);
        names.erase(names.begin() + static_cast<std::ptrdiff_t>(i));
      }
      level["order"] = order;
    } else if (random.chance(30)) {
      level["stationary"] = tensor();
    }
    if (random.chance(10)) level["keep"] = {tensor()};
    if (l > 0) {
      if (random.chance(10)) level["bypass"] = {tensor()};
      if (random.chance(10)) {
        const sched::MapDim d = dim();
        level["split"][d.name] = factor(d);
      }
      if (random.chance(15)) level["max_split"][dim().name] = 1 + random.below(3);
      if (random.chance(15)) level["max_fanout"] = 1 + random.below(6);
      if (random.chance(10)) level["max_fanout"] = {1 + random.below(3), 1 + random.below(3)};
      if (random.chance(15)) level["x"] = {dim().name};
      if (random.chance(15)) level["y"] = {dim().name, dim().name};
    }
    if (!level.empty()) levels[h.levels[l].name] = level;
  }
  return {{"schema", "accsim-constraints/1"}, {"levels", levels}};
}

// The search against brute force; false where no mapping fits (then both say so). `options`: constraints, tilings and
// seed_tiles.
inline bool equals_brute_force(const sched::MapHierarchy& hierarchy, const sched::MapProblem& problem,
                               const sched::KeepRules& rules, sched::MapSearchOptions options, bool words) {
  options.pareto = true;
  options.pareto_words = words;
  sched::BruteForceResult all;
  try {
    all = sched::brute_force(hierarchy, problem, rules, options);
  } catch (const model::InfeasibleError&) {
    CHECK_THROWS_AS(sched::search_mapping(hierarchy, problem, rules, options), model::InfeasibleError);
    return false;
  }
  CHECK(near(std::log10(all.raw), sched::raw_space_log10(hierarchy, problem, rules, options.imperfect)));
  const sched::MapSearchResult front = sched::search_mapping(hierarchy, problem, rules, options);
  REQUIRE(front.points.size() == all.points.size());
  const auto figures = [](const std::vector<sched::MapPoint>& points) {
    std::vector<std::vector<double>> rows;
    for (const sched::MapPoint& p : points) {
      rows.push_back({p.evaluation.cycles, p.evaluation.energy_pj});
      rows.back().insert(rows.back().end(), p.evaluation.used_words.begin(), p.evaluation.used_words.end());
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  };
  const auto found = figures(front.points), expected = figures(all.points);
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i][0] == expected[i][0]);
    CHECK(near(found[i][1], expected[i][1]));
  }
  options.pareto = options.pareto_words = false;
  const auto best_of = [&](auto key) {
    auto best = key(all.points.front().evaluation);
    for (const sched::MapPoint& p : all.points) best = std::min(best, key(p.evaluation));
    return best;
  };
  using Pair = std::pair<double, double>;
  options.objective = sched::MapObjective::energy;
  const sched::MapSearchResult least_energy = sched::search_mapping(hierarchy, problem, rules, options);
  const Pair energy = best_of([](const sched::Evaluation& e) { return Pair{e.energy_pj, e.cycles}; });
  CHECK(near(least_energy.points.front().evaluation.energy_pj, energy.first));
  CHECK(least_energy.points.front().evaluation.cycles == energy.second);
  options.objective = sched::MapObjective::latency;
  const sched::MapSearchResult fastest = sched::search_mapping(hierarchy, problem, rules, options);
  const Pair latency = best_of([](const sched::Evaluation& e) { return Pair{e.cycles, e.energy_pj}; });
  CHECK(fastest.points.front().evaluation.cycles == latency.first);
  CHECK(near(fastest.points.front().evaluation.energy_pj, latency.second));
  options.objective = sched::MapObjective::edp;
  const sched::MapSearchResult product = sched::search_mapping(hierarchy, problem, rules, options);
  CHECK(near(product.points.front().evaluation.edp(), best_of([](const sched::Evaluation& e) { return e.edp(); })));
  for (const sched::MapSearchResult* r : {&front, &least_energy, &fastest, &product}) {
    for (const sched::MapPoint& p : r->points) {
      CHECK_NOTHROW(sched::check_mapping(hierarchy, problem, rules, p.mapping, {"found", ""}));
      CHECK(sched::satisfies(options.constraints, p.mapping));
    }
  }
  return true;
}

}  // namespace accsim::tests
