// One of a core's four queues with its place in the order of things: instructions start in order when the border of
// their group is open and their waits are met; they end in order and then signal. The engines derive from it.
#pragma once
#include <deque>
#include <string>
#include <vector>

#include "sim/core/semaphores.h"
#include "sim/core/timeline.h"
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

class QueueUnit : public EventModule {
 public:
  static constexpr Phase phase_of(model::Queue queue) {
    switch (queue) {
      case model::Queue::array: return Phase::array;
      case model::Queue::vector: return Phase::vector;
      case model::Queue::store: return Phase::store;
      case model::Queue::load: break;
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
  [[nodiscard]] const model::Instruction& head() const {
    return (*lists_.front().instructions)[lists_.front().next];
  }
  // Whether the head may start at `now`. If only time is missing, asks to be woken then.
  [[nodiscard]] bool may_start(Cycles now);
  // Takes the head's semaphores and removes it from the queue.
  Started start(Cycles now);
  // Signals and leaves the group's account; `at` is now.
  void end(const Started& started, Cycles at);
  // Reports what the engine did before an instruction of `group` began to use it at `begin`.
  void report_waiting(const GroupRun& group, Cycles begin);
  void report(Activity activity, Cycles until) { core->timeline().report(queue_, activity, until); }
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

  model::Queue queue_;
  FunctionalChip* data_ = nullptr;
  std::deque<List> lists_;
  std::deque<Started> running_instructions_;  // started and not ended
  Cycles waiting_since_;
};

}  // namespace accsim::sim
