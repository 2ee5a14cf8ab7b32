#include "model/program/verify_order.h"

#include <algorithm>
#include <deque>
#include <utility>

namespace accsim::model {

// Runs the queues as far as they go. `kept`: an instruction that may start but never ends (-1: none).
struct GroupOrder::Execution {
  const GroupOrder& order;
  std::vector<std::int64_t> count;  // of each semaphore
  std::vector<std::int32_t> head;   // of each queue: the next instruction to start
  Node kept = -1;

  explicit Execution(const GroupOrder& from)
      : order(from), count(from.semaphores_.size(), 0), head(from.queues_.size(), 0) {}

  [[nodiscard]] Node next_of(std::size_t queue) const { return order.queues_[queue].first + head[queue]; }

  // First wait of the queue's next instruction that is not met.
  [[nodiscard]] const Wait* unmet(std::size_t queue) const {
    const QueueInfo& info = order.queues_[queue];
    const Instruction& instruction = order.instruction(next_of(queue));
    const auto& waits = instruction.waits;
    for (std::size_t w = 0; w < waits.size(); ++w) {
      std::int64_t needed = waits[w].count;
      for (std::size_t v = 0; v < w; ++v) needed += waits[v].semaphore == waits[w].semaphore ? waits[v].count : 0;
      if (count[order.semaphore(info.core, waits[w].semaphore)] < needed) return &waits[w];
    }
    return nullptr;
  }

  void run(std::vector<Node>* sequence) {
    std::deque<std::size_t> ready;
    std::vector<bool> listed(head.size(), true);
    for (std::size_t q = 0; q < head.size(); ++q) ready.push_back(q);
    while (!ready.empty()) {
      const std::size_t queue = ready.front();
      ready.pop_front();
      listed[queue] = false;
      const QueueInfo& info = order.queues_[queue];
      while (head[queue] < info.size && unmet(queue) == nullptr) {
        const Node node = next_of(queue);
        const bool stuck = kept >= 0 && order.queue_of(kept) == queue && node >= kept;  // has started, does not end
        if (stuck && node > kept && info.kind == Queue::vector) break;
        ++head[queue];
        const Instruction& instruction = order.instruction(node);
        for (const Wait& wait : instruction.waits) count[order.semaphore(info.core, wait.semaphore)] -= wait.count;
        if (sequence != nullptr) sequence->push_back(node);
        if (stuck) continue;
        for (const Signal& signal : instruction.signals) {
          const std::size_t s = order.semaphore(signal.core, signal.semaphore);
          count[s] += signal.count;
          const std::int32_t waiting = order.semaphores_[s].waiting_queue;
          if (waiting >= 0 && !listed[static_cast<std::size_t>(waiting)]) {
            listed[static_cast<std::size_t>(waiting)] = true;
            ready.push_back(static_cast<std::size_t>(waiting));
          }
        }
      }
    }
  }
};

GroupOrder::GroupOrder(const GroupProgram& group) {
  std::size_t total = 0;
  for (const CoreProgram& core : group.cores) {
    if (semaphore_base_.size() <= core.core.index()) semaphore_base_.resize(core.core.index() + 1);
    semaphore_base_[core.core.index()] = semaphores_.size();
    for (std::int32_t s = 0; s < core.semaphores; ++s) {
      semaphores_.emplace_back();
      semaphores_.back().core = core.core;
      semaphores_.back().number = s;
    }
    for (const Queue queue : kQueues) total += core.queue(queue).size();
  }
  nodes_.reserve(total);
  for (const CoreProgram& core : group.cores) {
    for (const Queue queue : kQueues) {
      const auto& instructions = core.queue(queue);
      if (instructions.empty()) continue;
      const auto number = static_cast<std::uint32_t>(queues_.size());
      queues_.push_back(
          {core.core, queue, static_cast<Node>(nodes_.size()), static_cast<std::int32_t>(instructions.size())});
      for (std::size_t i = 0; i < instructions.size(); ++i) {
        nodes_.push_back({&instructions[i], number, static_cast<std::int32_t>(i)});
        for (const Wait& wait : instructions[i].waits) {
          semaphores_[semaphore(core.core, wait.semaphore)].waiting_queue = static_cast<std::int32_t>(number);
        }
      }
    }
  }
  add_signals();
}

void GroupOrder::add_signals() {
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    for (const Signal& signal : nodes_[n].instruction->signals) {
      auto& by_queue = semaphores_[semaphore(signal.core, signal.semaphore)].signals;
      auto it = std::find_if(by_queue.begin(), by_queue.end(),
                             [&](const auto& entry) { return entry.queue == nodes_[n].queue; });
      if (it == by_queue.end()) it = by_queue.insert(by_queue.end(), {nodes_[n].queue, {}});
      const std::int64_t before = it->points.empty() ? 0 : it->points.back().sum;
      if (!it->points.empty() && it->points.back().node == static_cast<Node>(n)) {
        it->points.back().sum += signal.count;  // two signals of one instruction
      } else {
        it->points.push_back({static_cast<Node>(n), before + signal.count});
      }
    }
  }
  for (const SemaphoreInfo& info : semaphores_) several_signallers_ = several_signallers_ || info.signals.size() > 1;
}

std::string GroupOrder::name(Node node) const {
  return instruction_name(core(node), queue(node), static_cast<std::size_t>(nodes_[index(node)].position));
}

std::optional<Finding> GroupOrder::run() {
  Execution execution(*this);
  sequence_.reserve(nodes_.size());
  execution.run(&sequence_);
  if (sequence_.size() < nodes_.size()) return Finding{"deadlock", diagnose(execution)};
  for (std::size_t s = 0; s < semaphores_.size(); ++s) {
    if (execution.count[s] != 0) {
      return Finding{"semaphore", semaphore_name(semaphores_[s].core, semaphores_[s].number) + " is " +
                                      std::to_string(execution.count[s]) + " at the end of the group, must be 0"};
    }
  }
  compute_clocks();
  return std::nullopt;
}

// Follows, from the first queue that is stuck, the semaphore it waits for and a queue that would signal it, until a
// queue comes up again or nobody is left to signal.
std::string GroupOrder::diagnose(const Execution& execution) const {
  std::size_t queue = 0;
  while (execution.head[queue] == queues_[queue].size) ++queue;
  std::string text;
  std::vector<std::size_t> seen;
  for (;;) {
    const Node node = execution.next_of(queue);
    const Wait& wait = *execution.unmet(queue);
    const std::size_t s = semaphore(queues_[queue].core, wait.semaphore);
    text += (text.empty() ? "" : "; ") + name(node) + " waits for " +
            semaphore_name(queues_[queue].core, wait.semaphore) + " (has " + std::to_string(execution.count[s]) +
            ", needs " + std::to_string(wait.count) + ")";
    seen.push_back(queue);
    Node signaller = -1;
    for (const QueueSignals& signals : semaphores_[s].signals) {
      const auto left = std::find_if(signals.points.begin(), signals.points.end(), [&](const SignalPoint& point) {
        return point.node >= execution.next_of(signals.queue);
      });
      if (left != signals.points.end() && signaller < 0) signaller = left->node;
    }
    if (signaller < 0) return text + ", which nobody signals any more";
    text += ", which " + name(signaller) + " would signal";
    queue = queue_of(signaller);
    const Node head = execution.next_of(queue);
    if (head != signaller) text += " after " + name(head);
    if (std::find(seen.begin(), seen.end(), queue) != seen.end()) return text;
  }
}

// Joins what is known at the signals without which the semaphore's sum cannot reach `needed` before `waiting` starts.
// `known`: clocks at the ends of an earlier pass, or empty.
void GroupOrder::join_necessary(const SemaphoreInfo& info, std::int64_t needed, Node waiting,
                                const std::vector<std::int32_t>& known, std::int32_t* clock) const {
  const std::size_t width = queues_.size();
  const NodeInfo& waits = nodes_[index(waiting)];
  // Of one queue, the sum of the signals that may come before.
  const auto available = [&](const std::vector<SignalPoint>& points) {
    const auto after = std::partition_point(points.begin(), points.end(), [&](const SignalPoint& point) {
      if (queue_of(point.node) == waits.queue) return point.node < waiting;
      return known.empty() || known[index(point.node) * width + waits.queue] <= waits.position;
    });
    return after == points.begin() ? 0 : std::prev(after)->sum;
  };
  std::int64_t total = 0;
  if (info.signals.size() > 1) {
    for (const QueueSignals& signals : info.signals) total += available(signals.points);
  }
  for (const QueueSignals& signals : info.signals) {
    const std::vector<SignalPoint>& points = signals.points;
    const std::int64_t others = info.signals.size() > 1 ? total - available(points) : 0;
    // The last signal of this queue before which queue and others together stay below `needed`.
    const auto behind = std::partition_point(points.begin(), points.end(), [&](const SignalPoint& point) {
      const std::int64_t before = &point == points.data() ? 0 : (&point - 1)->sum;
      return before + others < needed;
    });
    if (behind == points.begin()) continue;
    const std::int32_t* ended = &at_end_[index(std::prev(behind)->node) * width];
    for (std::size_t q = 0; q < width; ++q) clock[q] = std::max(clock[q], ended[q]);
  }
}

void GroupOrder::compute_clocks() {
  constexpr int kMostPasses = 8;  // each is correct; more order more pairs
  std::vector<std::int32_t> known;
  for (int pass = 0; pass < kMostPasses; ++pass) {
    pass_over_clocks(known);
    if (!several_signallers_ || known == at_end_) return;
    known = at_end_;
  }
}

void GroupOrder::pass_over_clocks(const std::vector<std::int32_t>& known) {
  const std::size_t width = queues_.size();
  at_start_.assign(nodes_.size() * width, 0);
  at_end_.assign(nodes_.size() * width, 0);
  std::vector<std::int64_t> waited(semaphores_.size(), 0);
  const auto join = [&](std::int32_t* clock, const std::int32_t* other) {
    for (std::size_t q = 0; q < width; ++q) clock[q] = std::max(clock[q], other[q]);
  };
  for (const Node node : sequence_) {
    const NodeInfo& info = nodes_[index(node)];
    std::int32_t* start = &at_start_[index(node) * width];
    std::int32_t* end = &at_end_[index(node) * width];
    if (info.position > 0) {
      const std::size_t before = index(node - 1) * width;
      join(start, queues_[info.queue].kind == Queue::vector ? &at_end_[before] : &at_start_[before]);
      join(end, &at_end_[before]);
    }
    for (const Wait& wait : info.instruction->waits) {
      const std::size_t s = semaphore(queues_[info.queue].core, wait.semaphore);
      waited[s] += wait.count;
      join_necessary(semaphores_[s], waited[s], node, known, start);
    }
    join(end, start);
    end[info.queue] = info.position + 1;
  }
}

bool GroupOrder::ended_before(Node first, Node second) const {
  const NodeInfo& before = nodes_[index(first)];
  if (at_start_[index(second) * queues_.size() + before.queue] > before.position) return true;
  if (!several_signallers_) return false;
  Execution execution(*this);
  execution.kept = first;
  execution.run(nullptr);
  const NodeInfo& after = nodes_[index(second)];
  return execution.head[after.queue] <= after.position;  // never started
}

}  // namespace accsim::model
