// Answers the requests of other nodes to a banked memory: the global buffer, or a core's scratchpad. One request after
// the other, each as soon as its banks are free; the answer leaves when the last line has been read or written.
#pragma once
#include <deque>

#include "sim/core/memory_port.h"
#include "sim/functional/functional_chip.h"
#include "sim/kernel/module.h"
#include "sim/noc/packet.h"

namespace accsim::sim {

class MemoryServer : public EventModule {
 public:
  MemoryServer(const sc_core::sc_module_name& name, Clock clock, std::int32_t node, std::int64_t flit_bytes,
               TransactionPool& pool)
      : EventModule(name, clock, Phase::memory),
        memory("memory"),
        noc("noc"),
        node_(node),
        flit_bytes_(flit_bytes),
        pool_(&pool) {}

  sc_core::sc_port<MemoryPort> memory;
  sc_core::sc_port<NocPort> noc;

  // Execution on data, told what happens; null = none.
  void set_data(FunctionalChip* data, model::CoreId core = {}) {
    data_ = data;
    core_ = core;
  }
  void serve(const Packet& request, Cycles at) {
    requests_.push_back({request, at});
    wake_at(at);
  }

 protected:
  void run(Cycles now) override;

 private:
  struct Request {
    Packet packet;
    Cycles at;
  };
  std::int32_t node_;
  std::int64_t flit_bytes_;
  TransactionPool* pool_;
  FunctionalChip* data_ = nullptr;
  model::CoreId core_;  // whose scratchpad it is, if it is one
  std::deque<Request> requests_;
  Cycles last_ready_;
};

// The answer to a request from `node`: data for a read, an acknowledgment of one flit for a write.
// The data of a multicast go to all who take it.
Packet answer_to(const Packet& request, const TransactionPool& pool, std::int32_t node, std::int64_t flit_bytes,
                 Cycles ready);

}  // namespace accsim::sim
