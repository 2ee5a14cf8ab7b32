// The graph part of a network: who consumes what, operator order, shared storage.
#pragma once
#include <cstddef>
#include <utility>
#include <vector>

#include "model/workload/network.h"

namespace accsim::model {

// Order in which every vertex comes after those it depends on; a graph already in order keeps it. `edges` run from
// producer to consumer. If there is a cycle, `order` is empty and `cycle` holds its vertices in edge direction.
struct VertexOrder {
  std::vector<std::size_t> order;
  std::vector<std::size_t> cycle;
};
VertexOrder stable_topological_order(std::size_t vertices,
                                     const std::vector<std::pair<std::size_t, std::size_t>>& edges);

// Recomputes from tensors and operators: ids, producers, consumers, storage, the graph.
void link(Network& network);

}  // namespace accsim::model
