// The vector unit of a core and its queue: one instruction at a time, model::vector_cycles long; its sources and its
// result are streams on the banks, and cycles that a stream is late stall it.
#pragma once
#include <optional>

#include "model/program/timing.h"
#include "sim/core/memory_port.h"
#include "sim/core/queue_unit.h"

namespace accsim::sim {

// The pure machine.
class VectorMachine {
 public:
  VectorMachine(const model::CoreConfig& core, BankedMemory& scratchpad, BankedMemory& accumulator)
      : core_(&core), scratchpad_(&scratchpad), accumulator_(&accumulator) {}
  struct Operation {
    Cycles begin, end, stall;
    std::int64_t scratchpad_read_lines = 0, scratchpad_write_lines = 0, accumulator_read_lines = 0;
  };
  Operation begin(const model::VectorOp& op, Cycles at);
  // What the last operation lost its stalls to.
  [[nodiscard]] const std::vector<Stall>& stalls() const { return stalls_; }

 private:
  const model::CoreConfig* core_;
  BankedMemory* scratchpad_;
  BankedMemory* accumulator_;
  std::vector<Stall> stalls_;
};

class VectorUnit : public QueueUnit {
 public:
  VectorUnit(const sc_core::sc_module_name& name, Clock clock, const model::CoreConfig& config, std::size_t core_type)
      : QueueUnit(name, clock, model::Queue::vector),
        scratchpad("scratchpad"),
        accumulator("accumulator"),
        config_(&config),
        core_type_(core_type) {}
  sc_core::sc_port<MemoryPort> scratchpad;
  sc_core::sc_port<MemoryPort> accumulator;

 protected:
  void start_of_simulation() override {
    machine_ = std::make_unique<VectorMachine>(*config_, scratchpad->memory(), accumulator->memory());
  }
  void run(Cycles now) override;

 private:
  void account(const Started& started, const VectorMachine::Operation& operation);

  const model::CoreConfig* config_;
  std::size_t core_type_;
  std::unique_ptr<VectorMachine> machine_;
  std::optional<Started> running_;
  Cycles running_end_;
};

}  // namespace accsim::sim
