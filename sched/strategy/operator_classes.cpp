#include "sched/strategy/operator_classes.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <string>
#include <thread>

#include "model/workload/loop_nest.h"

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

OperatorClasses operator_classes(const Network& network) {
  OperatorClasses classes;
  std::map<std::string, std::size_t> known;
  for (const Operator& op : network.operators) {
    if (is_alias(op.type)) continue;
    const auto [it, fresh] = known.try_emplace(search_key(network, op.id), classes.distinct.size());
    if (fresh) classes.distinct.push_back(op.id);
    classes.ops.push_back(op.id);
    classes.class_of.push_back(it->second);
  }
  return classes;
}

void for_each_parallel(std::size_t count, int threads, const std::function<void(std::size_t)>& work) {
  std::vector<std::exception_ptr> errors(count);
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    }
  };
  {
    const std::size_t most =
        std::clamp<std::size_t>(static_cast<std::size_t>(std::max(threads, 1)), 1, std::max<std::size_t>(count, 1));
    std::vector<std::jthread> workers;
    for (std::size_t t = 1; t < most; ++t) workers.emplace_back(run);
    run();
  }
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

}  // namespace accsim::sched
