// A DRAM channel as a module at its node of the network: requests wait here in order of arrival until the controller
// takes them; it sleeps until the controller's state can matter. While a request waits, nothing else can reach the
// controller: it runs ahead to the cycle in which that request is taken; answers leave in their own cycles all the
// same. Runs on the DRAM clock; messages are converted at the border (first edge at or after).
#pragma once
#include <functional>

#include "sim/dram/channel.h"
#include "sim/functional/functional_chip.h"
#include "sim/kernel/module.h"
#include "sim/noc/packet.h"

namespace accsim::sim {

class DramModule : public EventModule, public PacketSink {
 public:
  // Called with channel, DRAM cycle, address and direction when a request is first offered to the controller.
  using Trace = std::function<void(std::int64_t cycle, std::int64_t address, bool write)>;

  DramModule(const sc_core::sc_module_name& name, const model::DramConfig& config, std::int32_t channel,
             Clock core_clock, std::int32_t node, std::int64_t flit_bytes, TransactionPool& pool, Trace trace);

  sc_core::sc_port<NocPort> noc;
  sc_core::sc_export<PacketSink> in;

  void receive(const Packet& packet, Cycles at) override;
  // Execution on data, told what happens; null = none.
  void set_data(FunctionalChip* data) { data_ = data; }

  [[nodiscard]] DramChannel& channel() { return channel_; }
  // DRAM cycle that contains or follows core cycle `at`.
  [[nodiscard]] Cycles dram_cycle(Cycles at) const { return clock().cycle_from(core_clock_.picoseconds(at)); }

 protected:
  void run(Cycles now) override;

 private:
  struct Message {
    std::int32_t transaction = 0;
    bool write = false;
    Cycles at;  // DRAM cycle of its arrival, or of its answer
  };
  void answer(const Message& message);
  void answer_due(Cycles now);  // in order of their cycles

  Clock core_clock_;
  std::int32_t node_;
  std::int64_t flit_bytes_;
  TransactionPool* pool_;
  FunctionalChip* data_ = nullptr;
  Trace trace_;
  DramChannel channel_;
  GrowingFifo<Message> requests_;
  bool offered_ = false;        // the first request has been refused before
  GrowingFifo<Message> known_;  // answers whose cycle was known at acceptance, in order
};

}  // namespace accsim::sim
