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
  std::int32_t missing = -1;  // the first in the list that is
  const std::vector<model::Wait>& waits = head().waits;
  for (std::size_t w = 0; w < waits.size(); ++w) {
    const std::int64_t needed = needed_by(waits, w);
    const Cycles there = core->semaphores().available_from(list.group->set, waits[w].semaphore, needed, now);
    if (there > now && missing < 0) missing = waits[w].semaphore;
    from = std::max(from, there);
  }
  note_missing(missing, now);
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
  waited_.swap(missing_);
  missing_.clear();
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

void QueueUnit::report_waiting(const GroupRun& group, Cycles begin) {
  const auto spend = [&](Activity activity, Cycles until, const WaitCause& cause) {
    if (until <= reported()) return;
    report(activity, until, cause);
    if (trace_ != nullptr && activity == Activity::sync_wait) spells_.push_back({cause, until});
  };
  spend(Activity::idle, std::min(begin, waiting_since_), {WaitFor::border});
  for (std::size_t i = 0; i < waited_.size(); ++i) {
    if (waited_[i].semaphore < 0) continue;
    const Cycles until = i + 1 < waited_.size() ? waited_[i + 1].since : begin;
    spend(Activity::sync_wait, std::min(begin, until),
          {WaitFor::semaphore, waited_[i].semaphore, group.giver(core->id(), waited_[i].semaphore)});
  }
  spend(Activity::sync_wait, begin, {WaitFor::issue});
}

void QueueUnit::report_stalls(const std::vector<Stall>& stalls, Cycles until) {
  for (const Stall& stall : stalls) {
    report(Activity::operand_stall, std::min(until, reported() + stall.cycles), stall.cause);
  }
}

void QueueUnit::draw_slices(const Started& started, const WaitCause& stalled_by) {
  const model::CycleAccount& account = core->timeline().account(queue_);
  TraceSlice slice;
  slice.core = core->id();
  slice.queue = queue_;
  slice.group = &started.group->program;
  slice.instruction = started.instruction;
  slice.end = drawn_ + account[CycleState::idle] - drawn_account_[CycleState::idle];
  const auto next = [&](CycleState state, Cycles until) {
    slice.begin = slice.end;
    slice.end = until;
    slice.state = state;
    if (slice.end > slice.begin) trace_->slice(slice);
  };
  for (const Spell& spell : spells_) {
    slice.cause = spell.cause;
    next(CycleState::sync_wait, spell.until);
  }
  spells_.clear();
  slice.cause = {};
  if (queue_ == model::Queue::load || queue_ == model::Queue::store) {
    for (std::size_t s = 0; s < model::kCycleStates; ++s) {
      const auto state = CycleState(s);
      if (state == CycleState::idle || state == CycleState::sync_wait) continue;
      slice.account[state] = account[state] - drawn_account_[state];
    }
  } else {
    slice.cause = stalled_by;
    next(CycleState::operand_stall,
         slice.end + account[CycleState::operand_stall] - drawn_account_[CycleState::operand_stall]);
    slice.cause = {};
  }
  next(CycleState::compute, reported());
  drawn_ = reported();
  drawn_account_ = account;
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
