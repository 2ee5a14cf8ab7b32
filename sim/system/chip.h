// The chip of an architecture: cores, network, global buffer, DRAM channels, the sequencer of groups, each its own
// module connected by ports. Building it needs a SimulationContext.
#pragma once
#include <memory>
#include <vector>

#include "sim/dram/dram_module.h"
#include "sim/noc/chip_network.h"
#include "sim/system/dram_tap.h"
#include "sim/system/group_sequencer.h"
#include "sim/system/simulate.h"
#include "sim/system/watchdog.h"

namespace accsim::sim {

// The global buffer at its node: a banked memory that answers requests.
class GlobalBufferModule : public sc_core::sc_module, public PacketSink {
 public:
  GlobalBufferModule(const sc_core::sc_module_name& name, Clock clock, const model::Architecture& arch,
                     TransactionPool& pool);
  sc_core::sc_port<NocPort> noc;
  sc_core::sc_export<PacketSink> in;
  MemoryModule memory;
  MemoryServer server;
  void receive(const Packet& packet, Cycles at) override { server.serve(packet, at); }
};

class Chip : public sc_core::sc_module {
 public:
  Chip(const sc_core::sc_module_name& name, const model::Architecture& arch, model::ProgramSource& source,
       const SimulationOptions& options);

  [[nodiscard]] GroupSequencer& sequencer() { return *sequencer_; }
  // Throws NoProgressError: since when nothing happens, and why.
  [[noreturn]] void throw_no_progress();
  [[nodiscard]] model::Measurement measurement();

 private:
  void set_data(FunctionalChip* data);
  [[nodiscard]] Watchdog::State progress() const;

  const model::Architecture* arch_;
  NocMap map_;
  TransactionPool pool_;
  std::unique_ptr<ChipNetwork> noc_;
  std::vector<std::unique_ptr<CoreModule>> cores_;
  std::unique_ptr<GlobalBufferModule> global_buffer_;
  std::vector<std::unique_ptr<DramModule>> channels_;
  std::vector<std::unique_ptr<DramTap>> taps_;  // on the channels, where a timeline is drawn
  std::unique_ptr<GroupSequencer> sequencer_;
  std::unique_ptr<Watchdog> watchdog_;
};

}  // namespace accsim::sim
