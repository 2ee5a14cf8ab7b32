// Measured and predicted figures of a run (accsim-result/1), cycle accounting included.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/base/units.h"
#include "model/config/json.h"

namespace accsim::model {

// Every cycle of every engine falls in exactly one of these.
enum class CycleState : std::uint8_t { compute, operand_stall, dram_wait, noc_wait, sync_wait, idle };
inline constexpr std::size_t kCycleStates = 6;
std::string_view name_of(CycleState state);

struct CycleAccount {
  std::array<Cycles, kCycleStates> cycles{};
  Cycles& operator[](CycleState s) { return cycles[static_cast<std::size_t>(s)]; }
  const Cycles& operator[](CycleState s) const { return cycles[static_cast<std::size_t>(s)]; }
  [[nodiscard]] Cycles total() const;
};

// What an engine waited for in a cycle in which it did not compute; `index` and `giver` of a WaitMeasurement say which.
enum class WaitFor : std::uint8_t {
  semaphore,     // index: of the own core; giver: who signals it
  issue,         // the cycle in which its next instruction is issued
  border,        // of the group of its next instruction
  end,           // nothing: it has no instruction left
  dram_channel,  // index
  noc,
  global_buffer,
  other_scratchpad,  // index: whose
  scratchpad_bank,   // index
  scratchpad_port,   // more lines than cycles
  accumulator_bank,  // index
  accumulator_port
};
inline constexpr std::size_t kWaitsFor = 12;
std::string_view name_of(WaitFor what);

inline constexpr std::int64_t kNoGiver = -1;
inline constexpr std::int64_t kSeveralGivers = -2;
struct WaitMeasurement {
  std::int64_t engine = 0;  // load, array, vector, store: as the queues of a program
  CycleState state = CycleState::idle;
  WaitFor what = WaitFor::end;
  std::int64_t index = 0;
  std::int64_t giver = kNoGiver;  // 4 * core + engine
  Cycles cycles;
};

// Cycles that accesses to one bank waited for it, by who asked: array, vector unit, own load and store queue, other
// nodes.
struct BankConflicts {
  std::int64_t bank = 0;
  std::int64_t array = 0, vector = 0, load = 0, store = 0, remote = 0;
};

// Energy by block, in DESIGN chapter 10's order.
enum class EnergyBlock : std::uint8_t {
  array,
  vector,
  scratchpad,
  accumulator,
  global_buffer,
  noc,
  dma,
  dram,
  leakage
};
inline constexpr std::size_t kEnergyBlocks = 9;
std::string_view name_of(EnergyBlock block);
struct EnergyAccount {
  std::array<Femtojoules, kEnergyBlocks> energy{};
  Femtojoules& operator[](EnergyBlock b) { return energy[static_cast<std::size_t>(b)]; }
  const Femtojoules& operator[](EnergyBlock b) const { return energy[static_cast<std::size_t>(b)]; }
  [[nodiscard]] Femtojoules total() const;
};

// What one group did: the terms that the cost model predicts too. Summed over cores.
struct GroupMeasurement {
  std::int64_t id = 0;
  std::vector<std::string> layers;
  std::vector<std::int64_t> cores;
  Cycles start;   // first instruction of the group starts (prefetch included)
  Cycles end;     // last instruction ends
  Cycles cycles;  // attributed: max(0, own end - last end of earlier groups); sums to the run
  // Engine cycles spent on the group's instructions: busy, of which stalled on operands.
  Cycles array_busy;
  Cycles array_stall;
  Cycles vector_busy;
  Cycles vector_stall;
  Cycles load_busy;  // cycles with at least one load instruction of the group in flight
  Cycles store_busy;
  std::int64_t load_instructions = 0;
  std::int64_t store_instructions = 0;
  std::int64_t array_instructions = 0;
  std::int64_t vector_instructions = 0;
  Bytes dram_read;  // whole bursts that left DRAM
  Bytes dram_written;
  Bytes useful_read;  // bytes that instructions asked for
  Bytes useful_written;
  std::int64_t read_bursts = 0;
  std::int64_t write_bursts = 0;
  Bytes scratchpad_read;  // whole lines of the ports, all cores
  Bytes scratchpad_written;
  Bytes accumulator_read;
  Bytes accumulator_written;
  Macs macs;
  EnergyAccount energy;  // actions of the group's instructions (DRAM: its bursts' commands by share; leakage, refresh
                         // and standby by its cycles)
  std::string bound_by;  // "dram", "array", "vector", "noc", "sync"
};

struct CoreMeasurement {
  std::int64_t id = 0;
  CycleAccount core;  // a core computes when its array or vector unit does
  CycleAccount load, array, vector, store;
  std::vector<WaitMeasurement> waits;     // all cycles of its engines that are not compute
  std::int64_t scratchpad_conflicts = 0;  // cycles lost to busy banks
  std::int64_t accumulator_conflicts = 0;
  std::vector<BankConflicts> scratchpad_banks;  // those with conflicts
  std::vector<BankConflicts> accumulator_banks;
};

struct DramMeasurement {
  Bytes bytes_read, bytes_written;
  std::int64_t activates = 0, precharges = 0, reads = 0, writes = 0, refreshes = 0, row_hits = 0;
  Femtojoules energy;
  double row_hit_rate = 0;
  double bandwidth_gb_s = 0;
  double peak_gb_s = 0;
};

struct NocMeasurement {
  Bytes bytes;
  double max_link_utilization = 0;
};

// One simulation.
struct Measurement {
  Cycles cycles;
  double latency_ns = 0;
  EnergyAccount energy;
  Macs macs;
  std::vector<GroupMeasurement> groups;
  std::vector<CoreMeasurement> cores;
  DramMeasurement dram;
  NocMeasurement noc;
  std::vector<BankConflicts> global_buffer_banks;  // those with conflicts
  double simulation_seconds = 0;                   // CPU; host only
  std::int64_t bursts = 0;
};

Json to_json(const Measurement& measurement);  // lossless; parse_measurement reads it back (worker protocol, store)
Measurement parse_measurement(const Json& json, const std::string& file);

}  // namespace accsim::model
