// The systolic (or dot-product) array of a core and its queue. A pass takes the cycles of model::array_timing; its
// operands, weights and results are streams on the banks of scratchpad and accumulator, and every cycle that a stream
// is late stalls the whole array. The next pass may begin `interval` cycles after this one: its weights load behind the
// shadow registers while the last fold streams, and it streams while the last results drain.
// When the streams run: stationary operand from the first cycle, streamed operand from cycle R on (output stationary:
// both from the first), results from the first one that leaves the array.
#pragma once
#include <deque>

#include "model/program/timing.h"
#include "sim/core/memory_port.h"
#include "sim/core/queue_unit.h"

namespace accsim::sim {

// The pure machine: when passes begin and end.
class ArrayMachine {
 public:
  ArrayMachine(const model::CoreConfig& core, BankedMemory& scratchpad, BankedMemory& accumulator)
      : core_(&core), scratchpad_(&scratchpad), accumulator_(&accumulator) {}

  struct Pass {
    Cycles begin;
    Cycles end;    // after the last result is written
    Cycles stall;  // cycles lost to ports and banks
    model::ArrayTiming timing;
  };
  // First cycle in which a pass may begin.
  [[nodiscard]] Cycles next_begin() const { return next_begin_; }
  Pass begin(const model::ArrayPass& pass, Cycles at);
  // What the last pass lost its stalls to.
  [[nodiscard]] const std::vector<Stall>& stalls() const { return stalls_; }

 private:
  const model::CoreConfig* core_;
  BankedMemory* scratchpad_;
  BankedMemory* accumulator_;
  Cycles next_begin_;
  Cycles last_end_;
  std::vector<Stall> stalls_;
};

class ArrayUnit : public QueueUnit {
 public:
  ArrayUnit(const sc_core::sc_module_name& name, Clock clock, const model::CoreConfig& config, std::size_t core_type)
      : QueueUnit(name, clock, model::Queue::array),
        scratchpad("scratchpad"),
        accumulator("accumulator"),
        config_(&config),
        core_type_(core_type) {}
  sc_core::sc_port<MemoryPort> scratchpad;
  sc_core::sc_port<MemoryPort> accumulator;

 protected:
  void start_of_simulation() override {
    machine_ = std::make_unique<ArrayMachine>(*config_, scratchpad->memory(), accumulator->memory());
  }
  void run(Cycles now) override;

 private:
  struct Running {
    Started started;
    Cycles end;
  };
  void account(const Started& started, const ArrayMachine::Pass& pass);

  const model::CoreConfig* config_;
  std::size_t core_type_;
  std::unique_ptr<ArrayMachine> machine_;
  std::deque<Running> running_;
};

}  // namespace accsim::sim
