// Rates, latencies and energies a unit of work that the cost model multiplies its counts with: everything that follows
// from the architecture and one core type alone, so that evaluating a mapping divides nothing it can know before. The
// DRAM rate is that of one long sequential stream: column distances of the address mapping and refresh; row misses,
// read/write turnarounds and contention are left to the coefficients.
// Units: bytes, cycles of the core clock, pJ.
#pragma once
#include <cstdint>

#include "model/arch/arch.h"

namespace accsim::sched {

struct DramRates {
  const model::DramConfig* config = nullptr;
  std::int64_t burst_bytes = 64;
  double bytes_per_cycle = 0;  // all channels, sequential stream, refresh taken off
  double read_latency = 0;     // closed row to last data
  double write_latency = 0;
  std::int64_t row_bytes = 1;   // of one bank
  std::int64_t open_bytes = 1;  // consecutive addresses that one set of open rows serves before the first row is left
  std::int64_t open_rows = 1;   // rows in that set
  double read_pj = 0, write_pj = 0;  // a burst
  double activate_pj = 0;            // with its precharge
  double standby_pj_cycle = 0;       // all ranks of all channels with open rows, refresh included
};
DramRates dram_rates(const model::Architecture& arch);

struct MachineRates {
  DramRates dram;
  double load_bytes_per_cycle = 1;  // what the load queue of one core gets when nobody else uses NoC and DRAM
  double store_bytes_per_cycle = 1;
  double load_share = 1;  // of the DRAM's rate that this takes
  double store_share = 1;
  double active_cores = 1;  // that work on the operator at the same time and ask the DRAM for as much
  double load_latency = 0;  // request sent to last byte arrived, one burst
  double store_latency = 0;
  double multicast_latency = 0;  // of the message that a taker has it, and of the signal that says so to all
  double dma_channels = 1;
  double chip_bytes_per_cycle = 1;  // between a core and a scratchpad or the global buffer, nobody else there
  double burst_flits = 1;           // of the data of a burst
  double burst_lines = 1;           // of the scratchpad that a burst takes
  double node_ports = 1;            // of a core's node at the network
  double chip_latency = 0;          // there and back, one burst
  // pJ
  double mac = 0;
  double lane_operation = 0;
  double scratchpad_read_byte = 0, scratchpad_write_byte = 0;
  double accumulator_read_byte = 0, accumulator_write_byte = 0;
  double noc_burst = 0;       // request and answer between core and memory controller
  double chip_noc_burst = 0;  // between two cores, or core and global buffer
  double buffer_read_burst = 0, buffer_write_burst = 0;
  double dma_burst = 0;
  double noc_multicast = 0;  // of a burst to all active cores
  double leakage_cycle = 0;  // whole chip
};
MachineRates machine_rates(const model::Architecture& arch, const DramRates& dram, const model::CoreConfig& core);

}  // namespace accsim::sched
