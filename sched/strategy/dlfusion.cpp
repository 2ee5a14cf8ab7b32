#include "sched/strategy/dlfusion.h"

#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "model/base/error.h"
#include "sched/strategy/block_ways.h"
#include "sched/strategy/dlfusion_blocks.h"
#include "sched/strategy/operator_classes.h"
#include "sched/strategy/operator_divisions.h"

namespace accsim::sched {

using namespace model;

SearchResult DlFusion::search(const SearchRequest& request) const {
  if (!request.characterization) {
    throw ConfigError("strategy dlfusion needs a characterisation of architecture \"" + request.arch->name +
                      "\": accsim characterize makes one, --characterization FILE names it");
  }
  const Network& network = *request.network;
  const std::shared_ptr<const Characterization> card = request.characterization();
  const OperatorClasses classes = operator_classes(network);
  const std::vector<std::int64_t> cores = cores_by_size(*request.arch);
  const std::vector<LayerAdvice> advice = advice_for(network, classes.ops, *card, request.objective);

  SearchResult found;
  // What was found for a block of these classes, wired like this, on so many cores.
  std::map<std::vector<std::int64_t>, std::optional<BlockWay>> known;
  const auto way_of = [&](std::size_t first, std::size_t last) -> std::optional<BlockWay> {
    const std::vector<OpId> ops(classes.ops.begin() + static_cast<std::ptrdiff_t>(first),
                                classes.ops.begin() + static_cast<std::ptrdiff_t>(last) + 1);
    if (!can_be_block(network, ops)) return std::nullopt;
    const std::int64_t count = block_cores(advice, first, last, card->core_counts);
    std::vector<std::int64_t> key = block_signature(network, classes, first, last);
    key.push_back(count);
    const auto [it, is_new] = known.try_emplace(std::move(key));
    if (is_new) {
      it->second = best_block_way(network, ops, *request.cost, cores, static_cast<std::size_t>(count),
                                  request.objective, found.candidates);
    }
    std::optional<BlockWay> way = it->second;
    if (way) rename_layers(way->group, network, ops);
    return way;
  };

  // What the operators are worth one by one.
  const auto alone = [&](std::size_t first, std::size_t last) {
    Figure sum;
    for (std::size_t i = first; i <= last; ++i) {
      const Figure figure = way_of(i, i)->figure;
      sum.cycles += figure.cycles;
      sum.energy += figure.energy;
    }
    return value_of(sum, request.objective);
  };

  Schedule& schedule = found.schedule;
  schedule.arch = request.arch->name;
  schedule.net = network.name;
  schedule.strategy = name();
  schedule.objective = std::string(name_of(request.objective));
  for (std::size_t first = 0; first < classes.ops.size();) {
    std::size_t last = block_end(advice, first, kMostOperators, card->core_counts);
    std::optional<BlockWay> way = way_of(first, last);
    while (last > first && (!way || value_of(way->figure, request.objective) > alone(first, last))) {
      way = way_of(first, --last);  // an operator alone always has one
    }
    Group group = std::move(way->group);
    group.id = GroupId(static_cast<std::int32_t>(schedule.groups.size()));
    found.groups.push_back(request.cost->predict(network, group));
    schedule.groups.push_back(std::move(group));
    first = last + 1;
  }
  found.mapspace_log10 = std::log10(static_cast<double>(std::max<std::int64_t>(found.candidates, 1)));
  return found;
}

}  // namespace accsim::sched
