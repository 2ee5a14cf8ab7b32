#include "sim/system/wait_graph.h"

#include <algorithm>

namespace accsim::sim {
namespace {

std::string name_of(const QueueHead& queue) {
  return "core " + std::to_string(queue.core.value()) + " " + std::string(model::name_of(queue.queue));
}

std::string name_of(const QueueHead& queue, std::size_t index) {
  return name_of(queue) + "[" + std::to_string(index) + "]";
}

const std::vector<model::Instruction>* list_of(const GroupRun& group, const QueueHead& queue) {
  for (const model::CoreProgram& part : group.program.cores) {
    if (part.core == queue.core) return &part.queue(queue.queue);
  }
  return nullptr;
}

bool signals(const model::Instruction& instruction, model::CoreId core, std::int32_t semaphore) {
  return std::any_of(instruction.signals.begin(), instruction.signals.end(),
                     [&](const model::Signal& signal) { return signal.core == core && signal.semaphore == semaphore; });
}

struct Giver {
  std::size_t queue = 0;  // in the list of queues
  std::size_t index = 0;
  bool running = false;
};

// The first instruction of each queue that has not ended and signals the semaphore.
std::vector<Giver> givers_of(const std::vector<QueueHead>& queues, const GroupRun& group, model::CoreId core,
                             std::int32_t semaphore) {
  std::vector<Giver> givers;
  for (std::size_t q = 0; q < queues.size(); ++q) {
    const std::vector<model::Instruction>* list = list_of(group, queues[q]);
    if (list == nullptr) continue;
    const auto running = std::find_if(queues[q].running.begin(), queues[q].running.end(), [&](const auto& one) {
      return one.group == &group && signals(*one.instruction, core, semaphore);
    });
    if (running != queues[q].running.end()) {
      givers.push_back({q, static_cast<std::size_t>(running->instruction - list->data()), true});
      continue;
    }
    // A queue whose next instruction is of a later group has nothing left in this one.
    if (queues[q].group != &group) continue;
    for (std::size_t i = queues[q].next; i < list->size(); ++i) {
      if (!signals((*list)[i], core, semaphore)) continue;
      givers.push_back({q, i, false});
      break;
    }
  }
  return givers;
}

}  // namespace

std::string wait_graph(const std::vector<QueueHead>& queues) {
  std::string text;
  std::vector<std::optional<std::size_t>> waits_for(queues.size());  // the queue of the first giver
  for (std::size_t q = 0; q < queues.size(); ++q) {
    const QueueHead& queue = queues[q];
    for (const QueueHead::Running& running : queue.running) {
      const std::vector<model::Instruction>* list = list_of(*running.group, queue);
      const auto index = static_cast<std::size_t>(list == nullptr ? 0 : running.instruction - list->data());
      text += "\n  " + name_of(queue, index) + " of group " + std::to_string(running.group->program.group.value()) +
              " runs and does not end";
    }
    if (queue.group == nullptr) continue;
    const std::string head =
        "\n  " + name_of(queue, queue.next) + " of group " + std::to_string(queue.group->program.group.value());
    if (queue.border_closed) {
      text += head + " waits for the end of the group before";
      continue;
    }
    if (queue.missing.empty()) text += head + " waits for its engine";
    for (const QueueHead::Missing& missing : queue.missing) {
      text += head + " waits for semaphore " + std::to_string(missing.semaphore) + " of core " +
              std::to_string(queue.core.value()) + " (has " + std::to_string(missing.has) + ", needs " +
              std::to_string(missing.needs) + ")";
      const std::vector<Giver> givers = givers_of(queues, *queue.group, queue.core, missing.semaphore);
      if (givers.empty()) text += ", which nobody signals any more";
      for (const Giver& giver : givers) {
        text += (&giver == &givers.front() ? ", which " : ", or ") + name_of(queues[giver.queue], giver.index) +
                " would signal";
        if (giver.running) text += " at its end";
        if (!giver.running && giver.index != queues[giver.queue].next) {
          text += " after " + name_of(queues[giver.queue], queues[giver.queue].next);
        }
        if (!waits_for[q]) waits_for[q] = giver.queue;
      }
    }
  }
  // Follow first givers until a queue comes up again.
  for (std::size_t start = 0; start < queues.size(); ++start) {
    std::vector<std::size_t> path{start};
    while (waits_for[path.back()]) {
      const std::size_t next = *waits_for[path.back()];
      const bool again = std::find(path.begin(), path.end(), next) != path.end();
      path.push_back(next);
      if (!again) continue;
      if (next != start) break;  // the circle is told from one of its own queues
      text += "\n  circle: " + name_of(queues[start]);
      for (std::size_t i = 1; i < path.size(); ++i) text += " -> " + name_of(queues[path[i]]);
      return text;
    }
  }
  return text.empty() ? "\n  no queue has an instruction left" : text;
}

}  // namespace accsim::sim
