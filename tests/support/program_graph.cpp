#include "tests/support/program_graph.h"

#include <algorithm>
#include <map>
#include <utility>

namespace accsim::tests {

using model::Queue;

namespace {
constexpr std::size_t kWord = 64;
}

std::optional<ProgramGraph> ProgramGraph::of(const model::Program& program) {
  ProgramGraph graph;
  for (std::size_t g = 0; g < program.groups.size(); ++g) {
    const std::size_t first = graph.nodes_.size();
    if (!graph.add_group(program.groups[g], first, g) || !graph.close(2 * first, graph.next_.size()))
      return std::nullopt;
  }
  return graph;
}

bool ProgramGraph::add_group(const model::GroupProgram& group, std::size_t first, std::size_t position) {
  struct Signalled {
    std::size_t node = 0;
    std::int64_t sum = 0;  // of its queue, up to and including it
  };
  std::map<std::pair<model::CoreId, std::int32_t>, std::map<std::pair<model::CoreId, Queue>, std::vector<Signalled>>>
      signals;
  std::map<std::pair<model::CoreId, Queue>, std::size_t> first_of;
  for (const model::CoreProgram& core : group.cores) {
    for (const Queue queue : model::kQueues) {
      bool ahead = queue == Queue::load;
      first_of[{core.core, queue}] = nodes_.size();
      for (std::size_t i = 0; i < core.queue(queue).size(); ++i) {
        const model::Instruction& instruction = core.queue(queue)[i];
        ahead = ahead && instruction.prefetch;
        const std::size_t node = nodes_.size();
        nodes_.push_back({position, core.core, queue, i, &instruction, ahead});
        next_.resize(2 * nodes_.size());
        first_event_.resize(2 * nodes_.size(), 2 * first);
        add_edge(start_of(node), end_of(node));
        if (i > 0) {
          add_edge(start_of(node - 1), start_of(node));
          add_edge(end_of(node - 1), queue == Queue::vector ? start_of(node) : end_of(node));
        }
        for (const model::Signal& signal : instruction.signals) {
          auto& list = signals[{signal.core, signal.semaphore}][{core.core, queue}];
          const std::int64_t before = list.empty() ? 0 : list.back().sum;
          list.push_back({node, before + signal.count});
        }
      }
    }
  }
  for (const model::CoreProgram& core : group.cores) {
    std::map<std::int32_t, std::int64_t> taken;  // by semaphore, up to and including the wait
    for (const Queue queue : model::kQueues) {
      for (std::size_t i = 0; i < core.queue(queue).size(); ++i) {
        const std::size_t node = first_of[{core.core, queue}] + i;
        for (const model::Wait& wait : core.queue(queue)[i].waits) {
          const std::int64_t needed = taken[wait.semaphore] += wait.count;
          const auto& by_queue = signals[{core.core, wait.semaphore}];
          std::int64_t all = 0;
          for (const auto& [from, list] : by_queue) all += list.back().sum;
          if (all < needed) return false;
          for (const auto& [from, list] : by_queue) {
            const std::int64_t missing = needed - (all - list.back().sum);  // that only this queue can give
            if (missing <= 0) continue;
            const auto giver =
                std::find_if(list.begin(), list.end(), [&](const Signalled& s) { return s.sum >= missing; });
            add_edge(end_of(giver->node), start_of(node));
          }
        }
      }
    }
  }
  return true;
}

// Reachability within events [first, last), and the sequence; false where there is a circle.
bool ProgramGraph::close(std::size_t first, std::size_t last) {
  std::vector<std::size_t> before(last - first, 0);
  for (std::size_t e = first; e < last; ++e)
    for (const std::size_t to : next_[e]) ++before[to - first];
  std::vector<std::size_t> order;
  for (std::size_t e = first; e < last; ++e)
    if (before[e - first] == 0) order.push_back(e);
  for (std::size_t i = 0; i < order.size(); ++i)
    for (const std::size_t to : next_[order[i]])
      if (--before[to - first] == 0) order.push_back(to);
  if (order.size() != last - first) return false;
  reached_.resize(last);
  const std::size_t words = (last - first + kWord - 1) / kWord;
  for (std::size_t i = order.size(); i-- > 0;) {
    std::vector<std::uint64_t>& bits = reached_[order[i]];
    bits.assign(words, 0);
    for (const std::size_t to : next_[order[i]]) {
      bits[(to - first) / kWord] |= std::uint64_t{1} << ((to - first) % kWord);
      for (std::size_t w = 0; w < words; ++w) bits[w] |= reached_[to][w];
    }
  }
  for (const std::size_t e : order)
    if (e % 2 == 0) sequence_.push_back(e / 2);
  return true;
}

bool ProgramGraph::reaches(std::size_t from, std::size_t to) const {
  if (first_event_[from] != first_event_[to]) return nodes_[from / 2].group < nodes_[to / 2].group;
  const std::size_t bit = to - first_event_[from];
  return (reached_[from][bit / kWord] >> (bit % kWord) & 1U) != 0;
}

}  // namespace accsim::tests
