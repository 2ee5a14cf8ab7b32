// A group while it runs: its program, its borders in time, and what is counted for it.
#pragma once
#include <systemc>

#include "model/program/program.h"
#include "model/result/result.h"
#include "sim/energy/action_counts.h"
#include "sim/kernel/time.h"

namespace accsim::sim {

struct GroupRun {
  model::GroupProgram program;
  model::GroupMeasurement measured;
  int set = 0;                    // of semaphores
  std::int64_t remaining = 0;     // instructions that have not ended
  Cycles open = kNever;           // from this cycle on its instructions may start
  Cycles prefetch_open = kNever;  // and its prefetch loads from this one on
  bool started = false;
  std::vector<ActionCounts> actions;  // by core type

  // Who signals a semaphore, as model::WaitMeasurement names it.
  [[nodiscard]] std::int64_t giver(model::CoreId core, std::int32_t semaphore) const {
    for (std::size_t i = 0; i < program.cores.size(); ++i) {
      if (program.cores[i].core == core) return givers[i][static_cast<std::size_t>(semaphore)];
    }
    return model::kNoGiver;
  }
  std::vector<std::vector<std::int64_t>> givers;  // by core of the program, by semaphore
};

// The group border and the account of groups: what queues tell the chip.
class GroupControl : public virtual sc_core::sc_interface {
 public:
  virtual void instruction_started(GroupRun& group, Cycles at) = 0;
  virtual void instruction_ended(GroupRun& group, Cycles at) = 0;
};

}  // namespace accsim::sim
