#include "tests/support/equivalence.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/support/effects.h"
#include "tests/support/program_graph.h"
#include "tests/support/symbolic.h"

namespace accsim::tests {

namespace {

// Small numbers for normal forms, the same in both programs.
class Numbers {
 public:
  int of(const Canonical& form) { return forms_.try_emplace(form, static_cast<int>(forms_.size())).first->second; }
  int named(const std::tuple<std::size_t, std::int32_t, int, int, int>& key) {
    return keys_.try_emplace(key, static_cast<int>(keys_.size())).first->second;
  }

 private:
  std::map<Canonical, int> forms_;
  std::map<std::tuple<std::size_t, std::int32_t, int, int, int>, int> keys_;
};

// A program with its instructions known by what they do: group, core, queue, normal form, and the how many-th of this
// form in the queue.
struct Normal {
  const ProgramGraph* graph = nullptr;
  std::vector<Effect> effects;  // by node
  std::vector<int> name;        // by node
};

Normal normal_of(const ProgramGraph& graph, Numbers& numbers) {
  Normal normal{&graph, {}, {}};
  std::map<std::tuple<std::size_t, std::int32_t, int, int>, int> seen;
  for (const GraphNode& node : graph.nodes()) {
    normal.effects.push_back(effect_of(*node.instruction));
    const int form = numbers.of(normal.effects.back().form);
    const int queue = static_cast<int>(node.queue);
    const int number = seen[{node.group, node.core.value(), queue, form}]++;
    normal.name.push_back(numbers.named({node.group, node.core.value(), queue, form, number}));
  }
  return normal;
}

// Pairs of the order, and who may run ahead, by name.
std::vector<std::tuple<int, int, int>> order_of(const Normal& normal) {
  std::vector<std::tuple<int, int, int>> order;
  const auto& nodes = normal.graph->nodes();
  for (std::size_t a = 0; a < nodes.size(); ++a) {
    if (nodes[a].ahead) order.emplace_back(normal.name[a], -1, 0);
    for (std::size_t b = 0; b < nodes.size(); ++b) {
      if (a == b || nodes[a].group != nodes[b].group) continue;
      if (normal.graph->ended_before_start(a, b)) order.emplace_back(normal.name[a], normal.name[b], 1);
      if (normal.graph->ends_before(a, b)) order.emplace_back(normal.name[a], normal.name[b], 2);
    }
  }
  std::sort(order.begin(), order.end());
  return order;
}

struct CellHash {
  std::size_t operator()(const Cell& cell) const { return static_cast<std::size_t>(cell.address) * 1024 + cell.memory; }
};

// For every cell that an instruction reads, who wrote it; and who wrote each cell of the DRAM last.
std::vector<std::tuple<int, std::size_t, std::int64_t, int>> flow_of(const Normal& normal) {
  constexpr int kAtTheEnd = -1;
  constexpr int kNobody = -1;
  std::vector<std::tuple<int, std::size_t, std::int64_t, int>> flow;
  std::unordered_map<Cell, int, CellHash> writer;
  for (const std::size_t node : normal.graph->sequence()) {
    for (const Cell& cell : normal.effects[node].reads) {
      const auto it = writer.find(cell);
      flow.emplace_back(normal.name[node], cell.memory, cell.address, it == writer.end() ? kNobody : it->second);
    }
    for (const Cell& cell : normal.effects[node].writes) writer[cell] = normal.name[node];
  }
  for (const auto& [cell, by] : writer)
    if (cell.memory == model::kDramMemory) flow.emplace_back(kAtTheEnd, cell.memory, cell.address, by);
  std::sort(flow.begin(), flow.end());
  return flow;
}

std::vector<std::tuple<std::string, std::int64_t, std::int64_t>> homes_of(const std::vector<model::Region>& regions) {
  std::vector<std::tuple<std::string, std::int64_t, std::int64_t>> list;
  for (const model::Region& region : regions) list.emplace_back(region.name, region.place.address, region.size.value());
  std::sort(list.begin(), list.end());
  return list;
}

// Where the tensors are, and which of them are constant.
bool same_homes(const model::ProgramHeader& a, const model::ProgramHeader& b) {
  return homes_of(a.dram) == homes_of(b.dram) && homes_of(a.constant) == homes_of(b.constant);
}

// All tensors that leave the chip in `b` are where they are in `a`.
bool homes_among(const model::ProgramHeader& a, const model::ProgramHeader& b) {
  const auto all = homes_of(a.dram);
  const auto some = homes_of(b.dram);
  return std::includes(all.begin(), all.end(), some.begin(), some.end()) &&
         homes_of(a.constant) == homes_of(b.constant);
}

}  // namespace

std::string_view name_of(Proof proof) {
  switch (proof) {
    case Proof::none:
      return "none";
    case Proof::same_values:
      return "same values";
    case Proof::same_flow:
      return "same flow";
    case Proof::same_graph:
      return "same graph";
  }
  return "";
}

bool same_values(const model::Program& a, const model::Program& b) {
  const auto graph_a = ProgramGraph::of(a);
  const auto graph_b = ProgramGraph::of(b);
  if (!graph_a || !graph_b || !homes_among(a.header, b.header)) return false;
  const auto all = expressions_of(a, *graph_a);
  const auto some = expressions_of(b, *graph_b);
  return !some.empty() && std::includes(all.begin(), all.end(), some.begin(), some.end());
}

Proof prove_equivalent(const model::Program& original, const model::Program& changed) {
  const auto graph_a = ProgramGraph::of(original);
  const auto graph_b = ProgramGraph::of(changed);
  if (!graph_a || !graph_b || !same_homes(original.header, changed.header)) return Proof::none;
  Numbers numbers;
  const Normal a = normal_of(*graph_a, numbers);
  const Normal b = normal_of(*graph_b, numbers);
  std::vector<int> names_a = a.name;
  std::vector<int> names_b = b.name;
  std::sort(names_a.begin(), names_a.end());
  std::sort(names_b.begin(), names_b.end());
  if (names_a == names_b) {
    if (order_of(a) == order_of(b)) return Proof::same_graph;
    if (flow_of(a) == flow_of(b)) return Proof::same_flow;
  }
  return expressions_of(original, *graph_a) == expressions_of(changed, *graph_b) ? Proof::same_values : Proof::none;
}

}  // namespace accsim::tests
