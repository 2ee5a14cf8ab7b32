#include "sched/strategy/block_ways.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "model/schedule/fused_group.h"
#include "sched/fusion/fused_candidates.h"
#include "sched/strategy/operator_divisions.h"

namespace accsim::sched {

using namespace model;

namespace {

void keep_better(std::optional<BlockWay>& best, BlockWay way, Objective objective) {
  const auto rank = [&](const BlockWay& w) {
    return std::tuple(value_of(w.figure, objective), w.figure.cycles, w.figure.energy, w.group.cores.size());
  };
  if (!best || rank(way) < rank(*best)) best = std::move(way);
}

// Divisions of an operator over these cores, or as many of them as a split has work for.
std::vector<Division> divisions_over(const Architecture& arch, const Network& network, OpId op,
                                     const std::vector<std::int64_t>& cores) {
  const auto like = [](const Division& a, const Division& b) {
    return a.split == b.split && a.multicast == b.multicast;
  };
  std::vector<Division> most;  // of each split the one over the most cores
  for (const Division& division : divisions_of(arch, network, op, cores)) {
    const auto same = std::find_if(most.begin(), most.end(), [&](const Division& d) { return like(d, division); });
    if (same == most.end()) {
      most.push_back(division);
    } else {
      *same = division;
    }
  }
  const bool any = std::any_of(most.begin(), most.end(), [](const Division& d) { return d.cores > 1; });
  if (any) std::erase_if(most, [](const Division& d) { return d.cores == 1; });
  return most;
}

}  // namespace

std::vector<std::size_t> core_counts(const Architecture& arch) {
  const auto cores = static_cast<std::size_t>(arch.core_count());
  std::vector<std::size_t> counts;
  for (std::size_t n = 1; n < cores; n *= 2) counts.push_back(n);
  counts.push_back(cores);
  return counts;
}

double value_of(const Figure& figure, Objective objective) {
  switch (objective) {
    case Objective::latency:
      return figure.cycles;
    case Objective::energy:
      return figure.energy;
    case Objective::edp:
      break;
  }
  return figure.cycles * figure.energy;
}

bool can_be_block(const Network& network, const std::vector<OpId>& ops) {
  if (ops.size() == 1) return true;
  Group group;
  for (const OpId op : ops) group.layers.push_back(network.op(op).name);
  return !find_not_fusable(group, network);
}

std::vector<std::int64_t> block_signature(const Network& network, const OperatorClasses& classes, std::size_t first,
                                          std::size_t last) {
  std::map<TensorId, std::int64_t> made;
  std::vector<std::int64_t> signature;
  for (std::size_t i = first; i <= last; ++i) {
    const Operator& op = network.op(classes.ops[i]);
    signature.push_back(static_cast<std::int64_t>(classes.class_of[i]));
    for (const TensorId input : op.inputs) {
      const auto source = made.find(network.tensor(input).storage);
      signature.push_back(source == made.end() ? -1 : source->second);
    }
    for (const TensorId output : op.outputs)
      made.emplace(network.tensor(output).storage, static_cast<std::int64_t>(i - first));
  }
  return signature;
}

void rename_layers(Group& group, const Network& network, const std::vector<OpId>& ops) {
  group.layers.clear();
  for (std::size_t i = 0; i < ops.size(); ++i) {
    group.layers.push_back(network.op(ops[i]).name);
    group.mappings[i].layer = group.layers.back();
  }
}

std::optional<BlockWay> best_block_way(const Network& network, const std::vector<OpId>& ops, const CostModel& cost,
                                       const std::vector<std::int64_t>& cores, std::size_t count, Objective objective,
                                       std::int64_t& candidates) {
  std::optional<BlockWay> best;
  const std::vector<std::int64_t> first(cores.begin(), cores.begin() + static_cast<std::ptrdiff_t>(count));
  if (ops.size() > 1) {
    Group group;
    for (const OpId op : ops) group.layers.push_back(network.op(op).name);
    if (!can_be_block(network, ops)) return best;
    const FusedOptions options = fused_options(group.layers, network, cost, first);
    candidates += options.candidates;
    for (const FusedOption& option : options.front) keep_better(best, {option.figure, option.group}, objective);
    return best;
  }
  const OpId op = ops.front();
  for (const TileGrid grid : {TileGrid::halves, TileGrid::all}) {
    for (const Division& division : divisions_over(cost.arch(), network, op, first)) {
      const DivisionResult found = search_division(network, op, cost, cores, division, grid);
      candidates += found.candidates;
      for (std::size_t i = 0; i < found.mappings.size(); ++i) {
        const DividedMapping& divided = found.mappings[i];
        Group group;
        group.layers = {network.op(op).name};
        group.cores = divided.cores;
        group.split = divided.split;
        group.mappings = {divided.mapping};
        keep_better(best, {found.figures[i], std::move(group)}, objective);
      }
    }
    if (best) return best;
  }
  throw InfeasibleError("layer \"" + network.op(op).name + "\" does not fit on " + std::to_string(count) +
                        " cores with any tile");
}

}  // namespace accsim::sched
