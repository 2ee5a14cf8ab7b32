// What the instructions of a lowered program move, counted from the instructions alone: the `machine` rules of the
// mapper. Bytes by memory and tensor (role of the buffer: input0, weight, bias, output). DRAM: the bytes that copies
// ask for, and apart from them the whole bursts that this moves; padding is never fetched, halos as lowering cuts them.
// Scratchpad, accumulator: whole lines of the port. The counts are those that the simulator's engines report
// (docs/mapper.md); which accesses wait for which does not change them. Leaves out: copies between scratchpads and the
// global buffer, which lowering does not make.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/arch/arch.h"
#include "model/program/program.h"

namespace accsim::sched {

struct MachineAccess {
  model::Space level = model::Space::dram;
  std::string tensor;
  std::int64_t read_bytes = 0, written_bytes = 0;
  std::int64_t read_burst_bytes = 0, written_burst_bytes = 0;  // DRAM: whole bursts
};

struct MachineCounts {
  std::vector<MachineAccess> accesses;  // by level from the outermost in, then by name
  std::int64_t macs = 0, lane_operations = 0;
  std::int64_t loads = 0, stores = 0, passes = 0, vector_operations = 0;
  [[nodiscard]] MachineAccess total(model::Space level) const;
};

// Adds what one group does. InternalError where a buffer has no name.
void count_program(const model::GroupProgram& group, const model::Architecture& arch, MachineCounts& counts);

}  // namespace accsim::sched
