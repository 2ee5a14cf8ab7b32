// The order of a program's instructions as a graph, made from queue order, semaphores and borders alone (not with the
// program verifier's GroupOrder). Every instruction has a start and an end; edges say what comes before what in every
// execution.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "model/program/program.h"

namespace accsim::tests {

struct GraphNode {
  std::size_t group = 0;  // position in the program
  model::CoreId core;
  model::Queue queue = model::Queue::load;
  std::size_t position = 0;  // in the queue
  const model::Instruction* instruction = nullptr;
  bool ahead = false;  // may start before the group: a prefetch with nothing but prefetches before it in its queue
};

class ProgramGraph {
 public:
  // nullopt: the semaphores order in a circle (deadlock), or a wait is never met. `program` must outlive it.
  static std::optional<ProgramGraph> of(const model::Program& program);

  [[nodiscard]] const std::vector<GraphNode>& nodes() const { return nodes_; }
  // Nodes in an order that some execution has.
  [[nodiscard]] const std::vector<std::size_t>& sequence() const { return sequence_; }
  // Of two nodes of one group: a has ended when b starts; a ends before b ends.
  [[nodiscard]] bool ended_before_start(std::size_t a, std::size_t b) const { return reaches(end_of(a), start_of(b)); }
  [[nodiscard]] bool ends_before(std::size_t a, std::size_t b) const { return reaches(end_of(a), end_of(b)); }

 private:
  static std::size_t start_of(std::size_t node) { return 2 * node; }
  static std::size_t end_of(std::size_t node) { return 2 * node + 1; }
  void add_edge(std::size_t from, std::size_t to) { next_[from].push_back(to); }
  bool add_group(const model::GroupProgram& group, std::size_t first, std::size_t position);
  bool close(std::size_t first, std::size_t last);
  [[nodiscard]] bool reaches(std::size_t from, std::size_t to) const;

  std::vector<GraphNode> nodes_;
  std::vector<std::size_t> sequence_;
  std::vector<std::vector<std::size_t>> next_;       // by event
  std::vector<std::size_t> first_event_;             // of the event's group, by event
  std::vector<std::vector<std::uint64_t>> reached_;  // bits by event of the group, by event
};

}  // namespace accsim::tests
