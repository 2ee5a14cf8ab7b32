// What a core does with bursts of multicasts that another core's load queue issues: they are written to the
// scratchpad's banks as that queue's own bursts are, in cycles that no stream has reserved. When all bursts of an
// instruction are written, one message says so to the core that issued it. Bursts are taken at once and wait here for
// their banks without a limit of their own: the issuing queue's `outstanding` limits them.
#pragma once
#include <cstdint>
#include <vector>

#include "sim/core/memory_port.h"
#include "sim/dma/dma_unit.h"
#include "sim/dma/line_writer.h"

namespace accsim::sim {

class MulticastReceiver : public EventModule {
 public:
  MulticastReceiver(const sc_core::sc_module_name& name, Clock clock, model::CoreId core, std::size_t core_type,
                    const NocMap& map, TransactionPool& pool);

  sc_core::sc_port<MemoryPort> scratchpad;
  sc_core::sc_port<NocPort> noc;

  // Execution on data, told what happens; null = none.
  void set_data(FunctionalChip* data) { data_ = data; }
  // A burst whose last flit arrives at `at`.
  void receive(std::int32_t transaction, Cycles at);

 protected:
  void run(Cycles now) override;

 private:
  struct Burst {  // some lines of which wait
    std::int32_t transaction = -1;
    std::int32_t waiting = 0;
  };
  struct Progress {  // of a multicast
    std::int64_t serial = 0;
    std::int64_t written = 0;  // bursts
    Cycles last_done;
  };
  void take_in(std::int32_t transaction, Cycles done);

  model::CoreId core_;
  std::size_t core_type_;
  const NocMap* map_;
  TransactionPool* pool_;
  FunctionalChip* data_ = nullptr;
  LineWriter writer_{Master::remote};
  std::vector<Burst> waiting_;
  std::vector<std::int32_t> free_waiting_;
  std::vector<Progress> progress_;  // by multicast
};

}  // namespace accsim::sim
