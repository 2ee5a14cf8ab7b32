// Who draws a timeline of a run: told what every engine did, instruction by instruction, and when DRAM channels moved
// data. Slices of one engine come in order of time and do not overlap; cycles in no slice are idle ones. Times are core
// cycles.
#pragma once
#include "model/program/program.h"
#include "sim/core/wait_table.h"

namespace accsim::sim {

struct TraceSlice {
  model::CoreId core;
  model::Queue queue = model::Queue::load;
  Cycles begin, end;
  const model::GroupProgram* group = nullptr;
  const model::Instruction* instruction = nullptr;
  // compute: the instruction runs. Else the engine waits for `cause`, before the instruction or (operand_stall) in it.
  CycleState state = CycleState::compute;
  WaitCause cause;
  // Load and store: the slice's cycles by state; all of it is the instruction's.
  model::CycleAccount account;
};

class TraceSink {
 public:
  virtual ~TraceSink() = default;
  virtual void slice(const TraceSlice& slice) = 0;
  // The channel had requests from `begin` to `end`; it moved that many bytes.
  virtual void channel_busy(std::int64_t channel, Cycles begin, Cycles end, std::int64_t bytes_read,
                            std::int64_t bytes_written) = 0;
  // A burst was answered in cycle `at`.
  virtual void burst(bool write, std::int64_t bytes, Cycles at) = 0;
};

}  // namespace accsim::sim
