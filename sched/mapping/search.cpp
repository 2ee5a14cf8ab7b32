#include "sched/mapping/search.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>

#include "model/base/error.h"
#include "sched/mapping/placement_search.h"
#include "sched/mapping/ragged.h"

namespace accsim::sched {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr std::size_t kSeededPlacements = 8, kLargestBatch = 16;
constexpr std::array<double, 8> kSlacks{1.02, 1.05, 1.1, 1.2, 1.4, 2, 4, 16};

// f(i) for i in [from, to) on `jobs` threads; what f does must not depend on the others.
template <class F>
void parallel_for(std::size_t from, std::size_t to, int jobs, const F& f) {
  const std::size_t workers = std::min<std::size_t>(static_cast<std::size_t>(std::max(jobs, 1)), to - from);
  if (workers <= 1) {
    for (std::size_t i = from; i < to; ++i) f(i);
    return;
  }
  std::atomic<std::size_t> next{from};
  std::exception_ptr error;
  std::mutex guard;
  {
    std::vector<std::jthread> threads;
    for (std::size_t w = 0; w < workers; ++w) {
      threads.emplace_back([&] {
        try {
          for (std::size_t i = next++; i < to; i = next++) f(i);
        } catch (...) {
          const std::lock_guard lock(guard);
          error = std::current_exception();
        }
      });
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace

MapSearchResult search_mapping(const MapHierarchy& hierarchy, const MapProblem& problem, const KeepRules& rules,
                               const MapSearchOptions& options) {
  if (options.imperfect) check_ragged_problem(problem);
  const SearchSpace space(hierarchy, problem, rules, options.constraints, options.imperfect);
  const std::size_t count = space.placements.size();
  struct Bound {
    double energy = 0, cycles = 0;
    std::size_t index = 0;
  };
  std::vector<Bound> bounds(count);
  std::vector<std::unique_ptr<PlacementSearch>> searches(count);
  parallel_for(0, count, options.jobs, [&](std::size_t i) {
    searches[i] = std::make_unique<PlacementSearch>(space, space.placements[i]);
    bounds[i] = {searches[i]->energy_bound(), searches[i]->cycles_bound(), i};
    if (space.placements[i] == options.without) bounds[i].energy = kInfinite;
  });
  const auto value = [&](double energy, double cycles) {
    switch (options.objective) {
      case MapObjective::energy:
        return energy;
      case MapObjective::latency:
        return cycles;
      case MapObjective::edp:
        break;
    }
    return energy * cycles;
  };
  std::stable_sort(bounds.begin(), bounds.end(), [&](const Bound& a, const Bound& b) {
    const double x = value(a.energy, a.cycles), y = value(b.energy, b.cycles);
    return x != y ? x < y : a.energy < b.energy;
  });

  MapSearchResult result;
  Incumbent incumbent(options);
  std::vector<Found> found;
  double shapes = 0;
  std::int64_t visited = 0;
  const auto take = [&](PlacementResult& r) {
    result.certificate.evaluated += r.evaluated;
    visited += r.visited;
    shapes += r.shapes;
    for (Found& f : r.found) {
      if (incumbent.excludes(f.figures.energy, f.figures.cycles, f.figures.words)) continue;
      incumbent.add(f.figures);
      found.push_back(std::move(f));
    }
  };
  const auto promising = [&](std::size_t i) {
    return bounds[i].energy < kInfinite && !incumbent.excludes(bounds[i].energy, bounds[i].cycles, {});
  };
  // Everything that the incumbent does not exclude, in batches whose sizes do not depend on the number of threads:
  // inside one, nobody sees what the others find.
  const auto cover = [&] {
    shapes = 0;
    std::size_t done = 0;
    for (std::size_t batch = 1; done < count; batch = std::min<std::size_t>(batch * 2, kLargestBatch)) {
      const std::size_t end = std::min(done + batch, count);
      std::vector<PlacementResult> results(end - done);
      parallel_for(done, end, options.jobs, [&](std::size_t i) {
        if (promising(i)) results[i - done] = searches[bounds[i].index]->run(options, incumbent);
      });
      for (PlacementResult& r : results) take(r);
      done = end;
    }
  };
  // What is within a few per cent of the bound first, then within more, until something is there: the least of that is
  // the least of all.
  const double root = count > 0 ? value(bounds.front().energy, bounds.front().cycles) : 0;
  if (!options.pareto && root > 0 && root < kInfinite) {
    for (const double slack : kSlacks) {
      const double most = root * slack;
      incumbent = Incumbent(options);
      switch (options.objective) {
        case MapObjective::energy:
          incumbent.add({most, kInfinite, {}});
          break;
        case MapObjective::latency:
          incumbent.add({kInfinite, std::floor(most), {}});
          break;
        case MapObjective::edp:
          incumbent.add({most, 1, {}});
          break;
      }
      cover();
      if (!found.empty()) break;
    }
  }
  if (found.empty()) {
    incumbent = Incumbent(options);
    // Good mappings from few tiles of the most promising placements give the bounds something to exclude.
    for (std::size_t i = 0; i < std::min(count, kSeededPlacements); ++i) {
      if (!promising(i)) continue;
      PlacementResult r = searches[bounds[i].index]->run(options, incumbent, options.seed_tiles);
      take(r);
    }
    cover();
  }
  for (const Incumbent::Entry& entry : incumbent.entries()) {
    for (const Found& f : found) {
      if (f.figures.energy != entry.energy || f.figures.cycles != entry.cycles || f.figures.words != entry.words)
        continue;
      result.points.push_back({f.mapping, evaluate(hierarchy, problem, rules, f.mapping)});
      break;
    }
  }
  if (result.points.empty()) {
    throw model::InfeasibleError("no mapping of \"" + problem.name + "\" fits \"" + hierarchy.name + "\"" +
                                 (options.constraints.none() ? "" : " under the constraints"));
  }
  std::stable_sort(result.points.begin(), result.points.end(),
                   [](const MapPoint& a, const MapPoint& b) { return a.evaluation.cycles < b.evaluation.cycles; });
  Certificate& certificate = result.certificate;
  certificate.raw_log10 = raw_space_log10(hierarchy, problem, rules, options.imperfect);
  const double orders_left = space.dataflow_space_log10();
  certificate.pruned_log10.emplace_back("dataplacements_and_dataflows", orders_left);
  certificate.pruned_log10.emplace_back("tiles_that_fit", std::min(orders_left, space.fitting_space_log10()));
  certificate.pruned_log10.emplace_back("stages_within_bounds", std::log10(std::max(shapes, 1.0)));
  certificate.pruned_log10.emplace_back("partial_mappings",
                                        std::log10(static_cast<double>(std::max<std::int64_t>(visited, 1))));
  if (!options.pareto) {
    const Bound& first = bounds.front();
    const Evaluation& best = result.points.front().evaluation;
    certificate.root_bound = value(first.energy, first.cycles);
    certificate.lower_bound = value(best.energy_pj, best.cycles);
  }
  return result;
}

double log10_chains(std::int64_t size, std::size_t levels, std::uint32_t meshes, bool imperfect) {
  if (imperfect) return std::log10(ragged_chains(size, levels, meshes));
  const std::size_t slots = levels + static_cast<std::size_t>(std::popcount(meshes));
  double log = 0;
  for (std::int64_t p = 2; size > 1; ++p) {
    if (p * p > size) p = size;
    for (std::size_t e = 1; size % p == 0; size /= p, ++e) {  // C(e + slots - 1, slots - 1), factor by factor
      log += std::log10(static_cast<double>(e + slots - 1) / static_cast<double>(e));
    }
  }
  return log;
}

double raw_space_log10(const MapHierarchy& hierarchy, const MapProblem& problem, const KeepRules& rules,
                       bool imperfect) {
  std::uint32_t meshes = 0;
  for (std::size_t l = 0; l < hierarchy.levels.size(); ++l) meshes |= hierarchy.levels[l].has_mesh ? 1U << l : 0U;
  double log = 0;
  for (const MapDim& dim : problem.dims) log += log10_chains(dim.size, hierarchy.levels.size(), meshes, imperfect);
  for (std::size_t n = 2; n <= problem.dims.size(); ++n) {
    log += static_cast<double>(hierarchy.levels.size()) * std::log10(static_cast<double>(n));
  }
  log += static_cast<double>(problem.dims.size() * static_cast<std::size_t>(std::popcount(meshes))) * std::log10(2.0);
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    log += static_cast<double>(std::popcount(rules.may[t] & ~rules.must[t])) * std::log10(2.0);
  }
  return log;
}

}  // namespace accsim::sched
