#include "sim/core/queue_unit.h"

#include <algorithm>

namespace accsim::sim {

bool QueueUnit::may_start(Cycles now) {
  if (!has_head()) return false;
  const List& list = lists_.front();
  const Cycles opens = border(list);
  if (opens > now) {
    if (opens != kNever) wake_at(opens);
    return false;
  }
  Cycles from = now;
  for (const model::Wait& wait : head().waits) {
    from = std::max(from, core->semaphores().available_from(list.group->set, wait.semaphore, wait.count, now));
  }
  if (from == now) return true;
  if (from != kNever) wake_at(from);
  return false;
}

QueueUnit::Started QueueUnit::start(Cycles now) {
  List& list = lists_.front();
  const Started started{&head(), list.group};
  for (const model::Wait& wait : started.instruction->waits) {
    core->semaphores().take(list.group->set, wait.semaphore, wait.count, now);
  }
  waiting_since_ = border(list);
  ++list.next;
  if (list.next == list.instructions->size()) lists_.pop_front();
  groups->instruction_started(*started.group, now);
  return started;
}

void QueueUnit::end(const Started& started, Cycles at) {
  bool local = false;
  for (const model::Signal& signal : started.instruction->signals) {
    if (signal.core == core->id()) {
      core->semaphores().signal(started.group->set, signal.semaphore, signal.count, at + Cycles(1));
      local = true;
    } else {
      core->signal_remote(signal.core,
                          {signal.semaphore, signal.count, static_cast<std::int8_t>(started.group->set)}, at);
    }
  }
  if (local) core->wake_queues(at + Cycles(1));
  groups->instruction_ended(*started.group, at);
}

void QueueUnit::report_waiting(const GroupRun&, Cycles begin) {
  report(Activity::idle, std::min(begin, waiting_since_));
  report(Activity::sync_wait, begin);
}

std::string QueueUnit::waiting_for() {
  if (!has_head()) return "";
  const List& list = lists_.front();
  std::string text = "core " + std::to_string(core->id().value()) + " " + std::string(model::name_of(queue_)) +
                     ", instruction " + std::to_string(list.next) + " of group " +
                     std::to_string(list.group->program.group.value());
  if (border(list) == kNever) return text + " waits for the border of its group";
  for (const model::Wait& wait : head().waits) {
    const std::int64_t has = core->semaphores().total(list.group->set, wait.semaphore);
    if (has < wait.count) {
      return text + " waits for semaphore " + std::to_string(wait.semaphore) + " (has " + std::to_string(has) +
             ", needs " + std::to_string(wait.count) + ")";
    }
  }
  return text + " waits for its engine";
}

}  // namespace accsim::sim
