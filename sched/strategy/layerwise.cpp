#include "sched/strategy/layerwise.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <thread>

#include "model/base/error.h"
#include "sched/strategy/operator_search.h"

namespace accsim::sched {

using namespace model;

namespace {

// Everything of an operator that the search depends on, as text.
std::string search_key(const Network& network, OpId id) {
  const Operator& op = network.op(id);
  std::string key(name_of(op.type));
  const auto add = [&key](std::int64_t value) { key += ' ' + std::to_string(value); };
  for (const FusedActivation& a : op.activations) add(static_cast<std::int64_t>(a.type));
  for (const LoopNest& nest : loop_nests_of(network, id)) {
    key += " |";
    add(static_cast<std::int64_t>(nest.engine));
    for (const Dim& dim : nest.dims) {
      key += ' ' + dim.name;
      add(dim.extent);
      add(static_cast<std::int64_t>(dim.kind));
      add(dim.tileable ? 1 : 0);
    }
    for (const Operand& operand : nest.operands) {
      key += " :";
      add(static_cast<std::int64_t>(operand.role));
      add(static_cast<std::int64_t>(operand.type));
      for (const Axis& axis : operand.axes) {
        key += " ,";
        add(axis.offset);
        add(axis.extent);
        add(axis.stride);
        for (const AxisTerm& term : axis.terms) {
          add(term.dim);
          add(term.coefficient);
        }
      }
    }
  }
  return key;
}

}  // namespace

SearchResult Layerwise::search(const SearchRequest& request) const {
  const Network& network = *request.network;
  const Architecture& arch = *request.arch;
  constexpr std::int64_t kCore = 0;
  const CoreConfig& core = arch.core(CoreId(static_cast<std::int32_t>(kCore)));

  std::vector<OpId> ops;
  std::vector<std::size_t> search_of;  // by entry of ops
  std::vector<OpId> distinct;
  std::map<std::string, std::size_t> known;
  for (const Operator& op : network.operators) {
    if (is_alias(op.type)) continue;
    const auto [it, fresh] = known.try_emplace(search_key(network, op.id), distinct.size());
    if (fresh) distinct.push_back(op.id);
    ops.push_back(op.id);
    search_of.push_back(it->second);
  }

  std::vector<OperatorSearchResult> results(distinct.size());
  std::vector<std::exception_ptr> errors(distinct.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < distinct.size(); i = next++) {
      try {
        results[i] = search_operator(network, distinct[i], *request.cost, core, kCore);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    }
  };
  {
    const std::size_t threads = std::clamp<std::size_t>(static_cast<std::size_t>(std::max(request.threads, 1)), 1,
                                                        std::max<std::size_t>(distinct.size(), 1));
    std::vector<std::jthread> workers;
    for (std::size_t t = 1; t < threads; ++t) workers.emplace_back(work);
    work();
  }
  for (const std::exception_ptr& error : errors)  // the first in network order, whoever found it first
    if (error) std::rethrow_exception(error);

  std::vector<std::vector<Figure>> fronts;
  for (const std::size_t s : search_of) {
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
    const OperatorSearchResult& result = results[search_of[i]];
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
