#include "sim/system/chip.h"

#include <algorithm>
#include <cmath>

namespace accsim::sim {
namespace {

// A DRAM channel takes as many requests from the network as its controller queues.
std::vector<Crossbar::Node> crossbar_nodes(const model::Architecture& arch) {
  std::vector<Crossbar::Node> nodes(static_cast<std::size_t>(arch.node_count()));
  for (std::int64_t core = 0; core < arch.core_count(); ++core) {
    nodes[static_cast<std::size_t>(core)].links = arch.noc.core_ports;
  }
  for (std::int64_t c = 0; c < arch.dram.channels; ++c) {
    nodes[static_cast<std::size_t>(arch.node_of_channel(c))].credits = arch.dram.trans_queue_size;
  }
  return nodes;
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
  map_ = {&arch, arch.dram.derived.burst_bytes};
  noc_ = std::make_unique<CrossbarModule>("noc", clock, arch.noc.router_cycles, crossbar_nodes(arch));
  sequencer_ = std::make_unique<GroupSequencer>("sequencer", clock, arch, source);

  std::vector<CoreModule*> cores;
  std::size_t type = 0;
  std::int64_t left = arch.core_types.front().count;
  for (std::int64_t i = 0; i < arch.core_count(); ++i) {
    while (left == 0) left = arch.core_types[++type].count;
    --left;
    const std::string core_name = "core" + std::to_string(i);
    cores_.push_back(std::make_unique<CoreModule>(core_name.c_str(), clock, model::CoreId(static_cast<std::int32_t>(i)),
                                                  arch.core_types[type], type, map_, pool_));
    CoreModule& core = *cores_.back();
    core.noc.bind(noc_->in);
    core.groups.bind(sequencer_->out);
    noc_->out[static_cast<std::size_t>(arch.node_of_core(core.id()))].bind(core.in);
    cores.push_back(&core);
  }
  sequencer_->connect(std::move(cores));

  if (arch.global_buffer) {
    global_buffer_ = std::make_unique<GlobalBufferModule>("global_buffer", clock, arch, pool_);
    global_buffer_->noc.bind(noc_->in);
    noc_->out[static_cast<std::size_t>(arch.node_of_global_buffer())].bind(global_buffer_->in);
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
    channels_.back()->noc.bind(noc_->in);
    noc_->out[static_cast<std::size_t>(node)].bind(channels_.back()->in);
  }
  watchdog_ = std::make_unique<Watchdog>("watchdog", clock, options.patience, [this] { return progress(); },
                                         [this] { throw_no_progress(); });
  if (options.data != nullptr) set_data(options.data);
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
  m.dram.bandwidth_gb_s =
      seconds > 0 ? static_cast<double>((m.dram.bytes_read + m.dram.bytes_written).value()) / seconds * 1e-9 : 0;

  const Crossbar& noc = noc_->machine();
  m.noc.bytes = model::Bytes(noc.flits() * arch_->noc.flit_bytes);
  m.noc.max_link_utilization = noc.busiest_output(m.cycles);

  for (const auto& core : cores_) {
    CoreTimeline& timeline = core->timeline();
    timeline.finish(m.cycles);
    model::CoreMeasurement c;
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
    }
    const auto own_cycles = static_cast<double>(g.cycles.value());
    g.energy[model::EnergyBlock::dram] = command_share.take(static_cast<double>(g.read_bursts + g.write_bursts)) +
                                         standby_share.take(own_cycles);
    g.energy[model::EnergyBlock::leakage] = leakage_share.take(own_cycles);
    const Cycles dma = std::max(g.load_busy, g.store_busy);
    const Cycles slowest = std::max({dma, g.array_busy, g.vector_busy});
    g.bound_by = slowest == Cycles(0)         ? "none"
                 : slowest == g.array_busy    ? "array"
                 : slowest == g.vector_busy   ? "vector"
                                              : "dram";
    m.macs += g.macs;
    for (std::size_t b = 0; b < model::kEnergyBlocks; ++b) m.energy.energy[b] += g.energy.energy[b];
    m.groups.push_back(std::move(g));
  }
  return m;
}

}  // namespace accsim::sim
