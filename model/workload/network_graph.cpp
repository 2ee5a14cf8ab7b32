#include "model/workload/network_graph.h"

#include <algorithm>
#include <boost/graph/reverse_graph.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/graph/topological_sort.hpp>
#include <iterator>

#include "model/base/error.h"

namespace accsim::model {
namespace {

using PlainGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS>;

// A shortest-first walk inside one strongly connected component until a vertex comes again.
std::vector<std::size_t> find_cycle(const PlainGraph& graph) {
  const std::size_t count = boost::num_vertices(graph);
  std::vector<std::size_t> component(count);
  const std::size_t components = boost::strong_components(
      graph, boost::make_iterator_property_map(component.begin(), boost::get(boost::vertex_index, graph)));
  std::vector<std::size_t> size(components, 0);
  for (const std::size_t c : component) ++size[c];
  for (std::size_t start = 0; start < count; ++start) {
    const bool loop = boost::edge(start, start, graph).second;
    if (loop) return {start};
    if (size[component[start]] < 2) continue;
    std::vector<std::size_t> walk;
    std::vector<std::ptrdiff_t> seen(count, -1);
    std::size_t at = start;
    while (seen[at] < 0) {
      seen[at] = static_cast<std::ptrdiff_t>(walk.size());
      walk.push_back(at);
      const auto [begin, end] = boost::adjacent_vertices(at, graph);
      at = *std::find_if(begin, end, [&](std::size_t next) { return component[next] == component[start]; });
    }
    return {walk.begin() + seen[at], walk.end()};
  }
  return {};
}

}  // namespace

VertexOrder stable_topological_order(std::size_t vertices,
                                     const std::vector<std::pair<std::size_t, std::size_t>>& edges) {
  PlainGraph graph(vertices);
  for (const auto& [from, to] : edges) boost::add_edge(from, to, graph);
  VertexOrder result;
  try {
    // Depth first against the edges, from the vertices in their order: what a vertex needs is emitted just before it.
    const auto backwards = boost::make_reverse_graph(graph);
    boost::topological_sort(backwards, std::back_inserter(result.order));
  } catch (const boost::not_a_dag&) {
    result.order.clear();
    result.cycle = find_cycle(graph);
  }
  return result;
}

void link(Network& network) {
  for (std::size_t i = 0; i < network.tensors.size(); ++i) {
    Tensor& tensor = network.tensors[i];
    tensor.id = TensorId(static_cast<std::int32_t>(i));
    tensor.producer = OpId();
    tensor.consumers.clear();
    tensor.storage = tensor.id;
    tensor.network_output = false;
  }
  for (const TensorId id : network.outputs) network.tensors[id.index()].network_output = true;
  network.graph = OpGraph(network.operators.size());
  for (std::size_t i = 0; i < network.operators.size(); ++i) {
    Operator& op = network.operators[i];
    op.id = OpId(static_cast<std::int32_t>(i));
    network.graph[i] = op.id;
    for (const TensorId id : op.outputs) network.tensors[id.index()].producer = op.id;
    if (is_alias(op.type)) {  // inputs are linked before: operators are in topological order
      network.tensors[op.outputs.at(0).index()].storage = network.tensor(op.inputs.at(0)).storage;
    }
    for (const TensorId id : op.inputs) {
      Tensor& tensor = network.tensors[id.index()];
      if (tensor.consumers.empty() || tensor.consumers.back() != op.id) tensor.consumers.push_back(op.id);
      if (tensor.producer.valid()) boost::add_edge(tensor.producer.index(), i, id, network.graph);
      if (tensor.kind == TensorKind::activation && !tensor.producer.valid()) {
        throw InternalError("operator " + op.name + " reads tensor " + tensor.name + " before it is produced");
      }
    }
  }
}

}  // namespace accsim::model
