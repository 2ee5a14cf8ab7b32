// Counted actions of the on-chip blocks. Counts are integers and are priced once, at the end, so that sums do not
// depend on the order of events.
#pragma once
#include <cstdint>
#include <vector>

#include "model/arch/arch.h"
#include "model/result/result.h"

namespace accsim::sim {

// Of one core, or of all cores of one type.
struct ActionCounts {
  std::int64_t macs = 0;
  std::int64_t lane_operations = 0;
  std::int64_t scratchpad_read_bytes = 0;  // whole lines of the port
  std::int64_t scratchpad_write_bytes = 0;
  std::int64_t accumulator_read_bytes = 0;
  std::int64_t accumulator_write_bytes = 0;
  std::int64_t dma_bytes = 0;
  std::int64_t noc_byte_hops = 0;
  std::int64_t global_buffer_read_bytes = 0;
  std::int64_t global_buffer_write_bytes = 0;
  ActionCounts& operator+=(const ActionCounts& other);
};

// Energy of the actions on a core of this type; DRAM and leakage are not part of it.
model::EnergyAccount energy_of(const ActionCounts& counts, const model::Architecture& arch,
                               const model::CoreConfig& core);

}  // namespace accsim::sim
