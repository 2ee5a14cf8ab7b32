// How the engines of a core reach its memories.
#pragma once
#include <systemc>

#include "sim/core/banked_memory.h"

namespace accsim::sim {

class MemoryPort : public virtual sc_core::sc_interface {
 public:
  virtual BankedMemory& memory() = 0;
};

class MemoryModule : public sc_core::sc_module, public MemoryPort {
 public:
  MemoryModule(const sc_core::sc_module_name& name, const model::MemoryConfig& config)
      : sc_core::sc_module(name), port("port"), memory_(config) {
    port.bind(*this);
  }
  sc_core::sc_export<MemoryPort> port;
  BankedMemory& memory() override { return memory_; }

 private:
  BankedMemory memory_;
};

}  // namespace accsim::sim
