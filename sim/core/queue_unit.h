// One of a core's four queues with its place in the order of things: instructions start in order when the border of
// their group is open and their waits are met; they end in order and then signal. The engines derive from it.
#pragma once
#include <deque>
#include <string>
#include <vector>

#include "sim/core/banked_memory.h"
#include "sim/core/semaphores.h"
#include "sim/core/timeline.h"
#include "sim/core/trace_sink.h"
#include "sim/functional/functional_chip.h"
#include "sim/kernel/module.h"
#include "sim/noc/packet.h"
#include "sim/system/group_run.h"
#include "sim/system/wait_graph.h"

namespace accsim::sim {

// What the four queues of a core share: semaphores and the account of cycles.
class CoreControl : public virtual sc_core::sc_interface {
 public:
  virtual SemaphoreFile& semaphores() = 0;
  virtual CoreTimeline& timeline() = 0;
  // Semaphores of this core have been signalled: its queues look again at `at`.
  virtual void wake_queues(Cycles at) = 0;
  virtual void signal_remote(model::CoreId core, const SignalMessage& message, Cycles at) = 0;
  [[nodiscard]] virtual model::CoreId id() const = 0;
};

// Cycles that an instruction of the array or vector unit lost to a bank or port.
struct Stall {
  WaitCause cause;
  Cycles cycles;
};
// Appends what a stream on a memory waited for; `bank` and `port`: the causes of that memory.
inline void add_stalls(std::vector<Stall>& stalls, const std::vector<BankedMemory::Late>& late, WaitFor bank,
                       WaitFor port) {
  for (const BankedMemory::Late& part : late) {
    stalls.push_back({part.bank < 0 ? WaitCause{port} : WaitCause{bank, part.bank}, part.cycles});
  }
}

class QueueUnit : public EventModule {
 public:
  static constexpr Phase phase_of(model::Queue queue) {
    switch (queue) {
      case model::Queue::array:
        return Phase::array;
      case model::Queue::vector:
        return Phase::vector;
      case model::Queue::store:
        return Phase::store;
      case model::Queue::load:
        break;
    }
    return Phase::load;
  }

  QueueUnit(const sc_core::sc_module_name& name, Clock clock, model::Queue queue)
      : EventModule(name, clock, phase_of(queue)), core("core"), groups("groups"), queue_(queue) {}

  sc_core::sc_port<CoreControl> core;
  sc_core::sc_port<GroupControl> groups;

  // The group's instructions for this queue; the list outlives the group's run.
  void load_group(GroupRun& group, const std::vector<model::Instruction>& list) {
    if (!list.empty()) lists_.push_back({&group, &list, 0});
  }
  [[nodiscard]] model::Queue queue() const { return queue_; }
  // Execution on data, told what happens; null = none.
  void set_data(FunctionalChip* data) { data_ = data; }
  // Who draws a timeline; null = nobody.
  void set_trace(TraceSink* trace) { trace_ = trace; }
  // What it waited for, all cycles that are not compute.
  [[nodiscard]] const WaitTable& waits() const { return waits_; }
  // Idle from where it was last reported to the end of the run.
  void finish(Cycles end) { report(Activity::idle, end, {WaitFor::end}); }
  // Whether an instruction has started and not ended.
  [[nodiscard]] bool busy() const { return !running_instructions_.empty(); }
  // How it stands, for diagnosis.
  [[nodiscard]] QueueHead head_state();

 protected:
  struct Started {
    const model::Instruction* instruction = nullptr;
    GroupRun* group = nullptr;
  };
  [[nodiscard]] bool has_head() const { return !lists_.empty(); }
  [[nodiscard]] const model::Instruction& head() const { return (*lists_.front().instructions)[lists_.front().next]; }
  // Whether the head may start at `now`. If only time is missing, asks to be woken then.
  [[nodiscard]] bool may_start(Cycles now);
  // Takes the head's semaphores and removes it from the queue.
  Started start(Cycles now);
  // Signals and leaves the group's account; `at` is now.
  void end(const Started& started, Cycles at);
  // Reports what the engine did before an instruction of `group` began to use it at `begin`.
  void report_waiting(const GroupRun& group, Cycles begin);
  void report(Activity activity, Cycles until) { core->timeline().report(queue_, activity, until); }
  // Of an activity that is a wait.
  void report(Activity activity, Cycles until, const WaitCause& cause) {
    const Cycles before = reported();
    if (until <= before) return;
    report(activity, until);
    waits_.add(engine_state(activity), cause, until - before);
  }
  // Of an instruction that banks or ports hold up until then.
  void report_stalls(const std::vector<Stall>& stalls, Cycles until);
  // All cycles up to here are reported, the last ones for this instruction: the timeline gets them.
  void draw(const Started& started, const std::vector<Stall>& stalls = {}) {
    if (trace_ != nullptr) draw_slices(started, stalls.empty() ? WaitCause() : stalls.front().cause);
  }
  [[nodiscard]] Cycles reported() { return core->timeline().reported(queue_); }
  [[nodiscard]] FunctionalChip* data() const { return data_; }

 private:
  struct List {
    GroupRun* group;
    const std::vector<model::Instruction>* instructions;
    std::size_t next;
  };
  [[nodiscard]] Cycles border(const List& list) const {
    return (*list.instructions)[list.next].prefetch ? list.group->prefetch_open : list.group->open;
  }

  // A semaphore that the head waits for, or none (-1): from `since` on.
  struct Missing {
    std::int32_t semaphore;
    Cycles since;
  };
  struct Spell {  // of waiting, for the timeline
    WaitCause cause;
    Cycles until;
  };
  void note_missing(std::int32_t semaphore, Cycles since) {
    if (missing_.empty() ? semaphore < 0 : missing_.back().semaphore == semaphore) return;
    missing_.push_back({semaphore, since});
  }
  void draw_slices(const Started& started, const WaitCause& stalled_by);

  model::Queue queue_;
  FunctionalChip* data_ = nullptr;
  TraceSink* trace_ = nullptr;
  WaitTable waits_;
  std::vector<Missing> missing_;  // of the head
  std::vector<Missing> waited_;   // of the instruction that started last
  std::vector<Spell> spells_;     // since the timeline was drawn last
  Cycles drawn_;
  model::CycleAccount drawn_account_;
  std::deque<List> lists_;
  std::deque<Started> running_instructions_;  // started and not ended
  Cycles waiting_since_;
};

}  // namespace accsim::sim
