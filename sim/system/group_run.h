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
  int set = 0;                      // of semaphores
  std::int64_t remaining = 0;       // instructions that have not ended
  Cycles open = kNever;             // from this cycle on its instructions may start
  Cycles prefetch_open = kNever;    // and its prefetch loads from this one on
  bool started = false;
  std::vector<ActionCounts> actions;  // by core type
};

// The group border and the account of groups: what queues tell the chip.
class GroupControl : public virtual sc_core::sc_interface {
 public:
  virtual void instruction_started(GroupRun& group, Cycles at) = 0;
  virtual void instruction_ended(GroupRun& group, Cycles at) = 0;
};

}  // namespace accsim::sim
