#include "sched/cost/machine_rates.h"

#include <algorithm>
#include <vector>

#include "model/arch/noc_placement.h"

namespace accsim::sched {

using namespace model;

namespace {

constexpr std::int64_t kSampledBursts = 4096;  // covers all bank groups of every address mapping that interleaves them

// Core cycles in one cycle of the DRAM clock.
double core_cycles_a_dram_cycle(const Architecture& arch) {
  constexpr double kNsTimesMhz = 1e-3;
  return arch.dram.tck_ns() * static_cast<double>(arch.clock_mhz) * kNsTimesMhz;
}

// DRAM cycles that the busiest channel needs for the first bursts of memory, read in order.
double sequential_cycles(const DramConfig& dram, std::int64_t bursts) {
  struct Channel {
    std::int64_t cycles = 0;
    DramAddress last;
    bool used = false;
  };
  std::vector<Channel> channels(static_cast<std::size_t>(dram.channels));
  for (std::int64_t i = 0; i < bursts; ++i) {
    const DramAddress at = dram.decode(static_cast<std::uint64_t>(i * dram.derived.burst_bytes));
    Channel& channel = channels[static_cast<std::size_t>(at.channel)];
    std::int64_t distance = dram.derived.column_cycles;
    if (channel.used) {
      const std::int64_t least = at.rank != channel.last.rank             ? dram.distances.rd_rd_other_rank
                                 : at.bankgroup != channel.last.bankgroup ? dram.distances.rd_rd_other_group
                                                                          : dram.distances.rd_rd_same_group;
      distance = std::max(distance, least);
    }
    channel.cycles += distance;
    channel.last = at;
    channel.used = true;
  }
  std::int64_t busiest = 0;
  for (const Channel& channel : channels) busiest = std::max(busiest, channel.cycles);
  return static_cast<double>(busiest);
}

// Consecutive addresses from 0 until a bank sees a second row, and the rows open by then.
void fill_open_rows(const DramConfig& dram, DramRates& rates) {
  const std::int64_t ranks_banks = dram.channels * dram.ranks * dram.bankgroups * dram.banks_per_group;
  std::vector<std::int32_t> open(static_cast<std::size_t>(ranks_banks), -1);
  std::int64_t rows = 0;
  std::int64_t bursts = 0;
  const std::int64_t all = dram.capacity().value() / dram.derived.burst_bytes;
  const std::int64_t row_bursts = rates.row_bytes / dram.derived.burst_bytes;
  std::int64_t filled = 0;  // bursts in rows so far: when all open rows are full, the next burst opens another one
  for (; bursts < all; ++bursts) {
    const DramAddress at = dram.decode(static_cast<std::uint64_t>(bursts * dram.derived.burst_bytes));
    const auto bank = static_cast<std::size_t>(
        ((at.channel * dram.ranks + at.rank) * dram.bankgroups + at.bankgroup) * dram.banks_per_group + at.bank);
    if (open[bank] < 0) {
      if (rows > 0 && filled == rows * row_bursts) break;
      open[bank] = at.row;
      ++rows;
    } else if (open[bank] != at.row) {
      break;
    }
    ++filled;
  }
  rates.open_bytes = std::max<std::int64_t>(bursts, 1) * dram.derived.burst_bytes;
  rates.open_rows = std::max<std::int64_t>(rows, 1);
}

// Bytes a cycle of a unit that moves one burst every ceil(burst / width) cycles.
double burst_rate(std::int64_t burst, std::int64_t width) {
  return static_cast<double>(burst) / static_cast<double>(ceil_div(burst, width));
}

}  // namespace

DramRates dram_rates(const Architecture& arch) {
  const DramConfig& dram = arch.dram;
  const DramDerived& derived = dram.derived;
  const double clock = core_cycles_a_dram_cycle(arch);
  DramRates rates;
  rates.config = &dram;
  rates.burst_bytes = derived.burst_bytes;
  const double refresh = derived.refresh_interval > 0
                             ? 1.0 - std::min(0.5, static_cast<double>(dram.t_rfc) / static_cast<double>(dram.t_refi))
                             : 1.0;
  const std::int64_t sampled = std::min(kSampledBursts * dram.channels, dram.capacity().value() / derived.burst_bytes);
  rates.bytes_per_cycle =
      static_cast<double>(sampled * derived.burst_bytes) / (sequential_cycles(dram, sampled) * clock) * refresh;
  rates.read_latency = static_cast<double>(dram.distances.act_rd + derived.read_delay) * clock;
  rates.write_latency = static_cast<double>(dram.distances.act_wr + derived.write_delay) * clock;
  rates.row_bytes = dram.columns * dram.bus_width / 8;
  fill_open_rows(dram, rates);
  rates.read_pj = derived.read_pj;
  rates.write_pj = derived.write_pj;
  rates.activate_pj = derived.act_pj;
  const auto ranks = static_cast<double>(dram.channels * dram.ranks);
  const double refreshes = derived.refresh_interval > 0 ? derived.refresh_pj / static_cast<double>(dram.t_refi) : 0.0;
  rates.standby_pj_cycle = ranks * (derived.active_standby_pj + refreshes) / clock;
  return rates;
}

MachineRates machine_rates(const Architecture& arch, const DramRates& dram, const CoreConfig& core) {
  MachineRates rates;
  rates.dram = dram;
  const std::int64_t burst = dram.burst_bytes;
  const double link = burst_rate(burst, arch.noc.flit_bytes) * static_cast<double>(arch.noc.core_ports);
  const auto issue = static_cast<double>(core.dma.bytes_per_cycle);
  // There and back: routers, and a link between each two of them.
  const double passed = mean_routers_to_memory(arch);
  const double routers = 2 * (passed * static_cast<double>(arch.noc.router_cycles) + passed - 1);
  const auto flits = static_cast<double>(ceil_div(burst, arch.noc.flit_bytes));
  rates.multicast_latency = routers + 2;
  rates.load_latency = dram.read_latency + routers + flits + 1;
  rates.store_latency = dram.write_latency + routers + flits + 1;
  const auto in_flight = static_cast<double>(core.dma.outstanding * burst);
  rates.load_bytes_per_cycle = std::min({issue, link, dram.bytes_per_cycle, in_flight / rates.load_latency});
  rates.store_bytes_per_cycle = std::min({issue, link, dram.bytes_per_cycle, in_flight / rates.store_latency});
  rates.load_share = rates.load_bytes_per_cycle / dram.bytes_per_cycle;
  rates.store_share = rates.store_bytes_per_cycle / dram.bytes_per_cycle;
  rates.dma_channels = static_cast<double>(core.dma.channels);

  const double hops = mean_routers_on_chip(arch);
  const double across = 2 * (hops * static_cast<double>(arch.noc.router_cycles) + hops - 1);
  rates.chip_latency = across + flits + 2;
  rates.chip_bytes_per_cycle = std::min({issue, link, in_flight / rates.chip_latency});
  rates.burst_flits = flits;
  rates.burst_lines = static_cast<double>(ceil_div(burst, core.scratchpad.port_bytes));
  rates.node_ports = static_cast<double>(arch.noc.core_ports);
  if (arch.global_buffer) {
    const MemoryEnergy buffer = global_buffer_energy(arch.energy, *arch.global_buffer);
    rates.buffer_read_burst = buffer.read_pj_byte * static_cast<double>(burst);
    rates.buffer_write_burst = buffer.write_pj_byte * static_cast<double>(burst);
  }

  const MemoryEnergy scratchpad = scratchpad_energy(arch.energy, core.scratchpad);
  const MemoryEnergy accumulator = accumulator_energy(arch.energy, core.accumulator);
  rates.mac = arch.energy.mac_pj(core.array.operand_type);
  rates.lane_operation = arch.energy.vector_op_pj;
  rates.scratchpad_read_byte = scratchpad.read_pj_byte;
  rates.scratchpad_write_byte = scratchpad.write_pj_byte;
  rates.accumulator_read_byte = accumulator.read_pj_byte;
  rates.accumulator_write_byte = accumulator.write_pj_byte;
  // Data, and a flit for the request or the acknowledgment, through every router.
  rates.noc_burst = passed * arch.energy.noc_pj_byte_hop * (flits + 1) * static_cast<double>(arch.noc.flit_bytes);
  rates.chip_noc_burst = hops * arch.energy.noc_pj_byte_hop * (flits + 1) * static_cast<double>(arch.noc.flit_bytes);
  rates.dma_burst = arch.energy.dma_pj_byte * static_cast<double>(burst);
  constexpr double kNsTimesMhz = 1e-3;
  rates.leakage_cycle = leakage_mw(arch).total() / (static_cast<double>(arch.clock_mhz) * kNsTimesMhz);
  return rates;
}

}  // namespace accsim::sched
