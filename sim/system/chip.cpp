#include "sim/system/chip.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace accsim::sim {
namespace {

// What the engines of a core waited for, longest first within each state of each engine.
std::vector<model::WaitMeasurement> waits_of(CoreModule& core) {
  std::vector<model::WaitMeasurement> waits;
  for (QueueUnit* unit : core.queues()) {
    for (const WaitTable::Entry& entry : unit->waits().entries()) {
      waits.push_back({static_cast<std::int64_t>(unit->queue()), entry.state, entry.cause.what, entry.cause.index,
                       entry.cause.giver, entry.cycles});
    }
  }
  std::sort(waits.begin(), waits.end(), [](const model::WaitMeasurement& a, const model::WaitMeasurement& b) {
    return std::tie(a.engine, a.state, b.cycles, a.what, a.index, a.giver) <
           std::tie(b.engine, b.state, a.cycles, b.what, b.index, b.giver);
  });
  return waits;
}

std::vector<model::BankConflicts> conflicts_of(const BankedMemory& memory) {
  std::vector<model::BankConflicts> banks;
  for (std::size_t bank = 0; bank < memory.banks(); ++bank) {
    const auto of = [&](Master master) { return memory.conflict_cycles(bank, master); };
    const model::BankConflicts conflicts{static_cast<std::int64_t>(bank),
                                         of(Master::array),
                                         of(Master::vector),
                                         of(Master::load),
                                         of(Master::store),
                                         of(Master::remote)};
    if (conflicts.array + conflicts.vector + conflicts.load + conflicts.store + conflicts.remote > 0) {
      banks.push_back(conflicts);
    }
  }
  return banks;
}

// From each node to each other.
std::vector<std::int64_t> routers_between(const model::Architecture& arch) {
  const model::NocPlacement placement = model::place_nodes(arch);
  std::vector<std::int64_t> routers;
  for (std::int64_t from = 0; from < arch.node_count(); ++from) {
    for (std::int64_t to = 0; to < arch.node_count(); ++to) {
      routers.push_back(model::routers_passed(arch, placement, from, to));
    }
  }
  return routers;
}

// Splits `total` in proportion to weights so that the parts sum to it exactly.
class Splitter {
 public:
  Splitter(model::Femtojoules total, double weight) : total_(static_cast<double>(total.value())), weight_(weight) {}
  model::Femtojoules take(double weight) {
    taken_weight_ += weight;
    const auto upto = weight_ > 0 ? std::llround(total_ * (taken_weight_ / weight_)) : 0;
    const model::Femtojoules part(upto - given_);
    given_ = upto;
    return part;
  }

 private:
  double total_, weight_;
  double taken_weight_ = 0;
  long long given_ = 0;
};

}  // namespace

GlobalBufferModule::GlobalBufferModule(const sc_core::sc_module_name& name, Clock clock,
                                       const model::Architecture& arch, TransactionPool& pool)
    : sc_core::sc_module(name),
      noc("noc"),
      in("in"),
      memory("memory", *arch.global_buffer),
      server("server", clock, static_cast<std::int32_t>(arch.node_of_global_buffer()), arch.noc.flit_bytes, pool) {
  in.bind(*this);
  server.memory.bind(memory.port);
  server.noc.bind(noc);
}

Chip::Chip(const sc_core::sc_module_name& name, const model::Architecture& arch, model::ProgramSource& source,
           const SimulationOptions& options)
    : sc_core::sc_module(name), arch_(&arch) {
  const Clock clock(model::core_clock(arch));
  map_ = {&arch, arch.dram.derived.burst_bytes, arch.node_count(), routers_between(arch), model::place_nodes(arch), {}};
  noc_ = std::make_unique<ChipNetwork>("noc", clock, arch);
  sequencer_ = std::make_unique<GroupSequencer>("sequencer", clock, arch, source);

  std::vector<CoreModule*> cores;
  std::size_t type = 0;
  std::int64_t left = arch.core_types.front().count;
  for (std::int64_t i = 0; i < arch.core_count(); ++i) {
    while (left == 0) left = arch.core_types[++type].count;
    --left;
    map_.core_types.push_back(type);
    const std::string core_name = "core" + std::to_string(i);
    cores_.push_back(std::make_unique<CoreModule>(core_name.c_str(), clock, model::CoreId(static_cast<std::int32_t>(i)),
                                                  arch.core_types[type], type, map_, pool_));
    CoreModule& core = *cores_.back();
    core.noc.bind(noc_->entry(arch.node_of_core(core.id())));
    core.groups.bind(sequencer_->out);
    noc_->connect_exit(arch.node_of_core(core.id()), core);
    cores.push_back(&core);
  }
  sequencer_->connect(std::move(cores));

  if (arch.global_buffer) {
    global_buffer_ = std::make_unique<GlobalBufferModule>("global_buffer", clock, arch, pool_);
    global_buffer_->noc.bind(noc_->entry(arch.node_of_global_buffer()));
    noc_->connect_exit(arch.node_of_global_buffer(), *global_buffer_);
  }
  for (std::int32_t c = 0; c < arch.dram.channels; ++c) {
    const std::string channel_name = "dram" + std::to_string(c);
    DramModule::Trace trace;
    if (options.dram_trace) {
      trace = [&options](std::int64_t cycle, std::int64_t address, bool write) {
        options.dram_trace({cycle, address, write});
      };
    }
    const auto node = static_cast<std::int32_t>(arch.node_of_channel(c));
    channels_.push_back(std::make_unique<DramModule>(channel_name.c_str(), arch.dram, c, clock, node,
                                                     arch.noc.flit_bytes, pool_, std::move(trace)));
    if (options.trace != nullptr) {
      taps_.push_back(std::make_unique<DramTap>(c, *channels_.back(), noc_->entry(node), pool_, *options.trace));
      channels_.back()->noc.bind(*taps_.back());
      noc_->connect_exit(node, *taps_.back());
    } else {
      channels_.back()->noc.bind(noc_->entry(node));
      noc_->connect_exit(node, *channels_.back());
    }
  }
  watchdog_ = std::make_unique<Watchdog>(
      "watchdog", clock, options.patience, [this] { return progress(); }, [this] { throw_no_progress(); });
  if (options.data != nullptr) set_data(options.data);
  for (const auto& core : cores_) core->set_trace(options.trace);
}

void Chip::set_data(FunctionalChip* data) {
  sequencer_->set_data(data);
  for (const auto& core : cores_) core->set_data(data);
  if (global_buffer_) global_buffer_->server.set_data(data);
  for (const auto& channel : channels_) channel->set_data(data);
}

Watchdog::State Chip::progress() const {
  Watchdog::State state{sequencer_->progress() + pool_.given_back(), false, sequencer_->finished()};
  for (const auto& core : cores_) state.computing = state.computing || core->array.busy() || core->vector.busy();
  return state;
}

void Chip::throw_no_progress() {
  std::vector<QueueHead> queues;
  for (const auto& core : cores_) {
    for (QueueUnit* unit : core->queues()) queues.push_back(unit->head_state());
  }
  throw NoProgressError("the program makes no progress after cycle " +
                        std::to_string(sequencer_->last_progress().value()) + ":" + wait_graph(queues));
}

model::Measurement Chip::measurement() {
  model::Measurement m;
  m.cycles = sequencer_->end();
  m.latency_ns = model::nanoseconds(*arch_, m.cycles);
  const double seconds = m.latency_ns * 1e-9;

  DramEnergy dram_energy;
  for (const auto& module : channels_) {
    DramChannel& channel = module->channel();
    channel.advance(std::max(channel.now(), module->dram_cycle(m.cycles)));
    const DramStatistics s = channel.statistics();
    m.dram.bytes_read += model::Bytes(s.reads_accepted * map_.burst_bytes);
    m.dram.bytes_written += model::Bytes(s.writes_accepted * map_.burst_bytes);
    m.dram.activates += s.activates;
    m.dram.precharges += s.precharges;
    m.dram.reads += s.reads;
    m.dram.writes += s.writes;
    m.dram.refreshes += s.refreshes;
    m.dram.row_hits += s.row_hits;
    m.bursts += s.reads_accepted + s.writes_accepted;
    const DramEnergy e = energy_of(s, arch_->dram);
    dram_energy.act += e.act;
    dram_energy.read += e.read;
    dram_energy.write += e.write;
    dram_energy.refresh += e.refresh;
    dram_energy.active_standby += e.active_standby;
    dram_energy.precharge_standby += e.precharge_standby;
  }
  const std::int64_t columns = m.dram.reads + m.dram.writes;
  m.dram.row_hit_rate = columns > 0 ? static_cast<double>(m.dram.row_hits) / static_cast<double>(columns) : 0;
  m.dram.energy = model::Femtojoules(std::llround(dram_energy.total() * 1000));
  m.dram.peak_gb_s = arch_->dram.peak_gb_s();
  // Of the pins: requests for one burst that wait together are served by one command.
  m.dram.bandwidth_gb_s =
      seconds > 0 ? static_cast<double>(columns * arch_->dram.derived.burst_bytes) / seconds * 1e-9 : 0;

  m.noc.bytes = model::Bytes(noc_->flits() * arch_->noc.flit_bytes);
  m.noc.max_link_utilization = noc_->busiest_link(m.cycles);

  for (const auto& tap : taps_) tap->finish();
  for (const auto& core : cores_) {
    CoreTimeline& timeline = core->timeline();
    for (QueueUnit* unit : core->queues()) unit->finish(m.cycles);
    timeline.finish(m.cycles);
    model::CoreMeasurement c;
    c.waits = waits_of(*core);
    c.scratchpad_banks = conflicts_of(core->scratchpad.memory());
    c.accumulator_banks = conflicts_of(core->accumulator.memory());
    c.id = core->id().value();
    c.core = timeline.core();
    c.load = timeline.account(model::Queue::load);
    c.array = timeline.account(model::Queue::array);
    c.vector = timeline.account(model::Queue::vector);
    c.store = timeline.account(model::Queue::store);
    c.scratchpad_conflicts = core->scratchpad.memory().conflict_cycles();
    c.accumulator_conflicts = core->accumulator.memory().conflict_cycles();
    m.cores.push_back(c);
  }

  if (global_buffer_) m.global_buffer_banks = conflicts_of(global_buffer_->memory.memory());

  // Energy by group. What DRAM commands cost goes by bursts, what time costs by cycles.
  const std::vector<GroupSequencer::Finished>& groups = sequencer_->results();
  const model::Femtojoules commands(std::llround((dram_energy.act + dram_energy.read + dram_energy.write) * 1000));
  const model::Femtojoules leakage(std::llround(model::leakage_mw(*arch_).total() * m.latency_ns * 1000));
  double bursts = 0;
  for (const auto& group : groups) {
    bursts += static_cast<double>(group.measured.read_bursts + group.measured.write_bursts);
  }
  const auto cycles = static_cast<double>(m.cycles.value());
  Splitter command_share(commands, bursts);
  Splitter standby_share(m.dram.energy - commands, cycles);
  Splitter leakage_share(leakage, cycles);
  for (const auto& group : groups) {
    model::GroupMeasurement g = group.measured;
    for (std::size_t type = 0; type < group.actions.size(); ++type) {
      const model::EnergyAccount part = energy_of(group.actions[type], *arch_, arch_->core_types[type]);
      for (std::size_t b = 0; b < model::kEnergyBlocks; ++b) g.energy.energy[b] += part.energy[b];
      const ActionCounts& counted = group.actions[type];
      g.scratchpad_read += model::Bytes(counted.scratchpad_read_bytes);
      g.scratchpad_written += model::Bytes(counted.scratchpad_write_bytes);
      g.accumulator_read += model::Bytes(counted.accumulator_read_bytes);
      g.accumulator_written += model::Bytes(counted.accumulator_write_bytes);
    }
    const auto own_cycles = static_cast<double>(g.cycles.value());
    g.energy[model::EnergyBlock::dram] =
        command_share.take(static_cast<double>(g.read_bursts + g.write_bursts)) + standby_share.take(own_cycles);
    g.energy[model::EnergyBlock::leakage] = leakage_share.take(own_cycles);
    const Cycles dma = std::max(g.load_busy, g.store_busy);
    const Cycles slowest = std::max({dma, g.array_busy, g.vector_busy});
    g.bound_by = slowest == Cycles(0)       ? "none"
                 : slowest == g.array_busy  ? "array"
                 : slowest == g.vector_busy ? "vector"
                                            : "dram";
    m.macs += g.macs;
    for (std::size_t b = 0; b < model::kEnergyBlocks; ++b) m.energy.energy[b] += g.energy.energy[b];
    m.groups.push_back(std::move(g));
  }
  return m;
}

}  // namespace accsim::sim
