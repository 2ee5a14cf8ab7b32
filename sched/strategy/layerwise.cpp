#include "sched/strategy/layerwise.h"

#include "sched/strategy/operator_classes.h"
#include "sched/strategy/operator_search.h"

namespace accsim::sched {

using namespace model;

SearchResult Layerwise::search(const SearchRequest& request) const {
  const Network& network = *request.network;
  const Architecture& arch = *request.arch;
  constexpr std::int64_t kCore = 0;
  const CoreConfig& core = arch.core(CoreId(static_cast<std::int32_t>(kCore)));

  const OperatorClasses classes = operator_classes(network);
  const std::vector<OpId>& ops = classes.ops;
  std::vector<OperatorSearchResult> results(classes.distinct.size());
  for_each_parallel(results.size(), request.threads, [&](std::size_t i) {
    results[i] = search_operator(network, classes.distinct[i], *request.cost, core, kCore);
  });

  std::vector<std::vector<Figure>> fronts;
  for (const std::size_t s : classes.class_of) {
    auto& front = fronts.emplace_back();
    for (const MappedFigure& mapped : results[s].front) front.push_back(mapped.figure);
  }
  const std::vector<std::size_t> chosen = choose(fronts, request.objective);

  SearchResult found;
  found.exact = true;
  for (const OperatorSearchResult& result : results) found.candidates += result.candidates;
  Schedule& schedule = found.schedule;
  schedule.arch = arch.name;
  schedule.net = network.name;
  schedule.strategy = name();
  schedule.objective = std::string(name_of(request.objective));
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const OperatorSearchResult& result = results[classes.class_of[i]];
    found.mapspace_log10 += result.mapspace_log10;
    Group group;
    group.id = GroupId(static_cast<std::int32_t>(i));
    const Operator& op = network.op(ops[i]);
    group.layers = {op.name};
    group.cores = {kCore};
    group.mappings = {result.front[chosen[i]].mapping};
    group.mappings.front().layer = op.name;
    found.groups.push_back(request.cost->predict(network, ops[i], group.mappings.front(), core));
    schedule.groups.push_back(std::move(group));
  }
  return found;
}

}  // namespace accsim::sched
