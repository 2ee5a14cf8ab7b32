// What is ordered in every execution of a group, whatever the timing. An instruction is two events, start and end:
//   start_i <= start_i+1 in every queue; end_i <= end_i+1 in load, array and store queues; end_i <= start_i+1 in the
//   vector queue; start_i <= end_i; the end of a signal that a wait cannot do without <= the start of the waiting one.
// run() executes the queues abstractly, one instruction at a time. A semaphore has one waiting queue, so no instruction
// ever disables another: any maximal execution runs the same instructions, and a deadlock found is a deadlock always.
// Where each semaphore is signalled by one queue, order is reachability in the graph of these edges (vector clocks).
// Where several queues signal it, a wait may be met in more than one way. Then the clocks know only the signals that no
// other sum can replace, counting out those that come after the wait anyway (found by repeating the pass with the
// clocks of the one before), and a pair they do not order is decided by executing with the first instruction kept from
// ending.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/program/program.h"
#include "model/program/verify_structure.h"

namespace accsim::model {

class GroupOrder {
 public:
  explicit GroupOrder(const GroupProgram& group);  // of correct structure; must outlive this

  // Deadlock or semaphores that are not zero at the end.
  std::optional<Finding> run();

  using Node = std::int32_t;  // an instruction
  // All instructions in an order that some execution runs them in, one after the other. Valid after run().
  [[nodiscard]] const std::vector<Node>& sequence() const { return sequence_; }
  [[nodiscard]] const Instruction& instruction(Node node) const { return *nodes_[index(node)].instruction; }
  [[nodiscard]] Queue queue(Node node) const { return queues_[queue_of(node)].kind; }
  [[nodiscard]] std::size_t queue_of(Node node) const { return nodes_[index(node)].queue; }  // running number
  [[nodiscard]] CoreId core(Node node) const { return queues_[queue_of(node)].core; }
  [[nodiscard]] std::string name(Node node) const;

  // Whether `first` has ended when `second` starts, in every execution. `first` stands before `second` in sequence().
  // Otherwise some execution has both running at the same time.
  [[nodiscard]] bool ended_before(Node first, Node second) const;

 private:
  struct NodeInfo {
    const Instruction* instruction = nullptr;
    std::uint32_t queue = 0;
    std::int32_t position = 0;
  };
  struct QueueInfo {
    CoreId core;
    Queue kind = Queue::load;
    Node first = 0;
    std::int32_t size = 0;
  };
  struct SignalPoint {  // an instruction that signals, with the sum of its queue up to and including it
    Node node = 0;
    std::int64_t sum = 0;
  };
  struct QueueSignals {
    std::uint32_t queue = 0;
    std::vector<SignalPoint> points;
  };
  struct SemaphoreInfo {
    CoreId core;
    std::int32_t number = 0;
    std::int32_t waiting_queue = -1;
    std::vector<QueueSignals> signals;
  };
  struct Execution;

  static std::size_t index(Node node) { return static_cast<std::size_t>(node); }
  [[nodiscard]] std::size_t semaphore(CoreId core, std::int32_t number) const {
    return semaphore_base_[core.index()] + static_cast<std::size_t>(number);
  }
  void add_signals();
  void compute_clocks();
  void join_necessary(const SemaphoreInfo& info, std::int64_t needed, Node waiting,
                      const std::vector<std::int32_t>& known, std::int32_t* clock) const;
  void pass_over_clocks(const std::vector<std::int32_t>& known);
  [[nodiscard]] std::string diagnose(const Execution& execution) const;

  std::vector<NodeInfo> nodes_;
  std::vector<QueueInfo> queues_;            // those that are not empty
  std::vector<std::size_t> semaphore_base_;  // by core
  std::vector<SemaphoreInfo> semaphores_;
  bool several_signallers_ = false;
  std::vector<Node> sequence_;
  // For each node and queue: how many instructions of the queue have ended before the node starts, and before (with)
  // its end.
  std::vector<std::int32_t> at_start_;
  std::vector<std::int32_t> at_end_;
};

}  // namespace accsim::model
