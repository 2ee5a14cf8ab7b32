#include "sim/core/queue_unit.h"

#include <algorithm>

namespace accsim::sim {
namespace {

// What wait `w` of an instruction needs, together with those before it for the same semaphore.
std::int64_t needed_by(const std::vector<model::Wait>& waits, std::size_t w) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i <= w; ++i) count += waits[i].semaphore == waits[w].semaphore ? waits[i].count : 0;
  return count;
}

}  // namespace

bool QueueUnit::may_start(Cycles now) {
  if (!has_head()) return false;
  const List& list = lists_.front();
  const Cycles opens = border(list);
  if (opens > now) {
    if (opens != kNever) wake_at(opens);
    return false;
  }
  Cycles from = now;
  const std::vector<model::Wait>& waits = head().waits;
  for (std::size_t w = 0; w < waits.size(); ++w) {
    const std::int64_t needed = needed_by(waits, w);
    from = std::max(from, core->semaphores().available_from(list.group->set, waits[w].semaphore, needed, now));
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
  running_instructions_.push_back(started);
  groups->instruction_started(*started.group, now);
  if (data_ != nullptr) data_->start(core->id(), queue_, *started.instruction, now);
  return started;
}

void QueueUnit::end(const Started& started, Cycles at) {
  if (data_ != nullptr) data_->end(core->id(), queue_, at);
  bool local = false;
  for (const model::Signal& signal : started.instruction->signals) {
    if (signal.core == core->id()) {
      core->semaphores().signal(started.group->set, signal.semaphore, signal.count, at + Cycles(1));
      local = true;
    } else {
      core->signal_remote(signal.core, {signal.semaphore, signal.count, static_cast<std::int8_t>(started.group->set)},
                          at);
    }
  }
  if (local) core->wake_queues(at + Cycles(1));
  running_instructions_.pop_front();
  groups->instruction_ended(*started.group, at);
}

void QueueUnit::report_waiting(const GroupRun&, Cycles begin) {
  report(Activity::idle, std::min(begin, waiting_since_));
  report(Activity::sync_wait, begin);
}

QueueHead QueueUnit::head_state() {
  QueueHead state;
  state.core = core->id();
  state.queue = queue_;
  for (const Started& running : running_instructions_) state.running.push_back({running.group, running.instruction});
  if (!has_head()) return state;
  const List& list = lists_.front();
  state.group = list.group;
  state.next = list.next;
  state.border_closed = border(list) == kNever;
  const std::vector<model::Wait>& waits = head().waits;
  for (std::size_t w = 0; w < waits.size(); ++w) {
    const std::int64_t has = core->semaphores().total(list.group->set, waits[w].semaphore);
    const std::int64_t needed = needed_by(waits, w);
    if (has < needed) state.missing.push_back({waits[w].semaphore, has, needed});
  }
  return state;
}

}  // namespace accsim::sim
