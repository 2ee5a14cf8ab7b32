#include "sched/strategy/optimal_layer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

#include "model/schedule/multicast.h"
#include "model/schedule/split.h"
#include "model/schedule/tiling.h"
#include "sched/lower/lower_operator.h"
#include "sched/strategy/operator_classes.h"
#include "sched/strategy/operator_search.h"

namespace accsim::sched {

using namespace model;

namespace {

std::vector<std::int64_t> cores_by_size(const Architecture& arch) {
  std::vector<std::int64_t> cores(static_cast<std::size_t>(arch.core_count()));
  std::iota(cores.begin(), cores.end(), std::int64_t{0});
  const std::vector<std::int64_t> sizes = core_weights(arch, cores);
  std::stable_sort(cores.begin(), cores.end(), [&](std::int64_t a, std::int64_t b) {
    return sizes[static_cast<std::size_t>(a)] > sizes[static_cast<std::size_t>(b)];
  });
  return cores;
}

// Cores that share tiles wait for the slowest of them, and behind what the first one loads for all stand its own loads:
// the cost model knows nothing of either. A multicast is taken only where its cycles, made longer by this, are still
// worth it: docs/strategies.md has what that gives.
constexpr double kWaiting = 1.2;

// One core, then each split that divides something over 2, 4, … and all cores; no two of them divide the same
// dimension.
std::vector<Division> divisions_of(const std::vector<LoopNest>& nests, std::size_t cores) {
  std::vector<Division> divisions{{}};
  std::set<std::vector<int>> seen;
  for (const char* split : {"rows", "columns", "channels", "batch"}) {
    std::vector<int> dims;
    std::int64_t least = 0;
    for (const LoopNest& nest : nests) {
      dims.push_back(split_dimension(nest, split));
      if (dims.back() < 0) break;
      const auto d = static_cast<std::size_t>(dims.back());
      const std::int64_t units = ceil_div(nest.dims[d].extent, tile_unit(nest, d));
      least = dims.size() == 1 ? units : std::min(least, units);
    }
    if (dims.back() < 0 || !seen.insert(dims).second) continue;
    const auto most = static_cast<std::size_t>(std::min<std::int64_t>(least, static_cast<std::int64_t>(cores)));
    for (std::size_t n = 2; n < most; n *= 2) divisions.push_back({split, n});
    if (most > 1) divisions.push_back({split, most});
  }
  return divisions;
}

// Of the tiles of a whole operator there may be fewer than cores: then only as many cores as have work.
DividedMapping divided(const std::vector<LoopNest>& nests, const OperatorMapping& mapping, const Division& division,
                       const Architecture& arch, const std::vector<std::int64_t>& cores) {
  const auto all_work = [&](const std::vector<std::int64_t>& some) {
    const std::vector<std::int64_t> weights = core_weights(arch, some);
    for (std::size_t place = 0; place < some.size(); ++place)
      if (nests_of_core(nests, mapping, division.split, weights, place).empty()) return false;
    return true;
  };
  DividedMapping result{mapping, division.split, cores};
  result.cores.resize(division.cores);
  while (result.cores.size() > 1 && !all_work(result.cores)) result.cores.pop_back();
  if (result.cores.size() == 1) result.split = "none";
  return result;
}

// Whether there are mappings with which one core may load these operands for all: with whole tiles, as many on each
// core.
bool may_multicast(const Architecture& arch, const Network& network, OpId op, const Division& division,
                   std::vector<std::int64_t> cores) {
  if (division.cores < 2) return false;
  cores.resize(division.cores);
  const std::vector<LoopNest> nests = loop_nests_of(network, op);
  OperatorMapping mapping;
  mapping.layer = network.op(op).name;
  mapping.multicast = division.multicast;
  std::size_t entry = 0;
  return !multicast_refusal(arch, nests, mapping, division.split, cores, entry);
}

// Whether the buffers of every core's real share fit.
bool fits(const std::vector<LoopNest>& nests, const DividedMapping& divided, const Architecture& arch) {
  const std::vector<std::int64_t> weights = core_weights(arch, divided.cores);
  for (std::size_t place = 0; place < divided.cores.size(); ++place) {
    const CoreConfig& core = arch.core(CoreId(static_cast<std::int32_t>(divided.cores[place])));
    std::int64_t scratchpad = 0;
    std::int64_t accumulator = 0;
    const std::vector<LoopNest> parts = nests_to_hold(nests, divided.mapping, divided.split, weights, place);
    for (const BufferNeed& need : operator_needs(parts, divided.mapping, core))
      (need.accumulator ? accumulator : scratchpad) += need.buffers * need.bytes.value();
    const auto room = [](const MemoryConfig& memory) {
      return memory.size().value() / tile_alignment(memory) * tile_alignment(memory);
    };
    if (scratchpad > room(core.scratchpad) || accumulator > room(core.accumulator)) return false;
  }
  return true;
}

}  // namespace

LayerOptions layer_options(const SearchRequest& request) {
  const Network& network = *request.network;
  const Architecture& arch = *request.arch;
  LayerOptions options;
  options.cores = cores_by_size(arch);
  options.classes = operator_classes(network);
  const std::vector<std::int64_t>& cores = options.cores;
  const OperatorClasses& classes = options.classes;
  const CoreConfig& core = arch.core(CoreId(static_cast<std::int32_t>(cores.front())));

  struct Task {
    std::size_t op_class;
    Division division;
  };
  std::vector<Task> tasks;
  for (std::size_t c = 0; c < classes.distinct.size(); ++c)
    for (const Division& division : divisions_of(loop_nests_of(network, classes.distinct[c]), cores.size())) {
      tasks.push_back({c, division});
      for (const char* role : {"input", "weight"}) {
        tasks.push_back({c, division});
        tasks.back().division.multicast = {role};
        if (!may_multicast(arch, network, classes.distinct[c], tasks.back().division, cores)) tasks.pop_back();
      }
    }
  struct Found {
    std::vector<DividedMapping> mappings;
    std::vector<Figure> figures;
    std::vector<std::int64_t> footprints;
    std::int64_t candidates = 0;
    double mapspace_log10 = 0;
  };
  std::vector<Found> results(tasks.size());
  for_each_parallel(tasks.size(), request.threads, [&](std::size_t i) {
    const OpId op = classes.distinct[tasks[i].op_class];
    const OperatorSearchResult searched =
        search_operator(network, op, *request.cost, core, cores.front(), tasks[i].division);
    Found& result = results[i];
    result.candidates = searched.candidates;
    result.mapspace_log10 = searched.mapspace_log10;
    const std::vector<LoopNest> nests = loop_nests_of(network, op);
    for (const MappedFigure& mapped : searched.front) {
      DividedMapping mapping = divided(nests, mapped.mapping, tasks[i].division, arch, cores);
      if (!fits(nests, mapping, arch)) continue;
      std::size_t entry = 0;
      if (multicast_refusal(arch, nests, mapping.mapping, mapping.split, mapping.cores, entry)) continue;
      const Prediction p = request.cost->predict(network, op, mapping.mapping, mapping.cores, mapping.split);
      const bool mapping_multicast = !mapping.mapping.multicast.empty();
      result.mappings.push_back(std::move(mapping));
      const double waiting = mapping_multicast ? kWaiting : 1;
      result.figures.push_back({p.cycles * waiting, p.total_energy_pj()});
      result.footprints.push_back(mapped.footprint);
    }
  });

  std::vector<ParetoSet<const DividedMapping*>> sets(classes.distinct.size());
  options.spaces.assign(classes.distinct.size(), 0);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const std::size_t c = tasks[i].op_class;
    options.candidates += results[i].candidates;
    options.spaces[c] += std::pow(10.0, results[i].mapspace_log10);
    for (std::size_t m = 0; m < results[i].mappings.size(); ++m)
      sets[c].insert(results[i].figures[m], results[i].footprints[m], &results[i].mappings[m]);
  }
  options.fronts.resize(classes.distinct.size());
  for (std::size_t c = 0; c < sets.size(); ++c)
    for (const auto& entry : sets[c].entries())
      options.fronts[c].push_back({entry.figure, entry.footprint, *entry.candidate});
  return options;
}

Group LayerOptions::group(const Network& network, std::size_t op, std::size_t choice) const {
  const DividedMapping& chosen = fronts[classes.class_of[op]][choice].candidate;
  Group group;
  group.layers = {network.op(classes.ops[op]).name};
  group.cores = chosen.cores;
  group.split = chosen.split;
  group.mappings = {chosen.mapping};
  group.mappings.front().layer = group.layers.front();
  return group;
}

double LayerOptions::mapspace_log10() const {
  double sum = 0;
  for (const std::size_t c : classes.class_of) sum += std::log10(spaces[c]);
  return sum;
}

SearchResult OptimalLayer::search(const SearchRequest& request) const {
  const Network& network = *request.network;
  const LayerOptions options = layer_options(request);
  std::vector<std::vector<Figure>> fronts;
  for (const std::size_t c : options.classes.class_of) {
    auto& front = fronts.emplace_back();
    for (const auto& entry : options.fronts[c]) front.push_back(entry.figure);
  }
  const std::vector<std::size_t> chosen = choose(fronts, request.objective);

  SearchResult found;
  found.exact = true;
  found.candidates = options.candidates;
  found.mapspace_log10 = options.mapspace_log10();
  Schedule& schedule = found.schedule;
  schedule.arch = request.arch->name;
  schedule.net = network.name;
  schedule.strategy = name();
  schedule.objective = std::string(name_of(request.objective));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    Group group = options.group(network, i, chosen[i]);
    group.id = GroupId(static_cast<std::int32_t>(i));
    found.groups.push_back(request.cost->predict(network, group));
    schedule.groups.push_back(std::move(group));
  }
  return found;
}

}  // namespace accsim::sched
