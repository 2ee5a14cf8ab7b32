// A core: four queues with their engines, scratchpad, accumulator, semaphores, and its node on the network.
#pragma once
#include <memory>

#include "sim/core/array_unit.h"
#include "sim/core/vector_unit.h"
#include "sim/dma/dma_unit.h"
#include "sim/dma/multicast_receiver.h"
#include "sim/noc/memory_server.h"

namespace accsim::sim {

class CoreModule : public sc_core::sc_module, public CoreControl, public PacketSink {
 public:
  CoreModule(const sc_core::sc_module_name& name, Clock clock, model::CoreId id, const model::CoreConfig& config,
             std::size_t core_type, const NocMap& map, TransactionPool& pool);

  sc_core::sc_port<NocPort> noc;
  sc_core::sc_port<GroupControl> groups;
  sc_core::sc_export<PacketSink> in;

  MemoryModule scratchpad;
  MemoryModule accumulator;
  DmaUnit load;
  ArrayUnit array;
  VectorUnit vector;
  DmaUnit store;
  MemoryServer server;         // other cores' accesses to the scratchpad
  MulticastReceiver receiver;  // what other cores load for this one, too

  SemaphoreFile& semaphores() override { return semaphores_; }
  CoreTimeline& timeline() override { return timeline_; }
  void wake_queues(Cycles at) override;
  void signal_remote(model::CoreId core, const SignalMessage& message, Cycles at) override;
  [[nodiscard]] model::CoreId id() const override { return id_; }
  void receive(const Packet& packet, Cycles at) override;

  // Execution on data, told what happens; null = none.
  void set_data(FunctionalChip* data);
  // Who draws a timeline; null = nobody.
  void set_trace(TraceSink* trace) {
    for (QueueUnit* unit : queues()) unit->set_trace(trace);
  }
  [[nodiscard]] std::array<QueueUnit*, 4> queues() { return {&load, &array, &vector, &store}; }
  [[nodiscard]] std::size_t core_type() const { return core_type_; }

 private:
  model::CoreId id_;
  std::size_t core_type_;
  const NocMap* map_;
  TransactionPool* pool_;
  SemaphoreFile semaphores_;
  CoreTimeline timeline_;
};

}  // namespace accsim::sim
