#include "sched/strategy/optimal_layer.h"

#include <algorithm>
#include <cmath>

#include "sched/strategy/operator_classes.h"

namespace accsim::sched {

using namespace model;

LayerOptions layer_options(const SearchRequest& request, const std::vector<OpId>& only) {
  const Network& network = *request.network;
  const Architecture& arch = *request.arch;
  LayerOptions options;
  options.cores = cores_by_size(arch);
  options.classes = operator_classes(network);
  const std::vector<std::int64_t>& cores = options.cores;
  const OperatorClasses& classes = options.classes;

  struct Task {
    std::size_t op_class;
    Division division;
  };
  std::vector<bool> asked(classes.distinct.size(), only.empty());
  for (std::size_t i = 0; i < classes.ops.size(); ++i)
    if (std::find(only.begin(), only.end(), classes.ops[i]) != only.end()) asked[classes.class_of[i]] = true;
  std::vector<Task> tasks;
  for (std::size_t c = 0; c < classes.distinct.size(); ++c)
    if (asked[c])
      for (const Division& division : divisions_of(arch, network, classes.distinct[c], cores))
        tasks.push_back({c, division});
  std::vector<DivisionResult> results(tasks.size());
  for_each_parallel(tasks.size(), request.threads, [&](std::size_t i) {
    results[i] = search_division(network, classes.distinct[tasks[i].op_class], *request.cost, cores, tasks[i].division);
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
