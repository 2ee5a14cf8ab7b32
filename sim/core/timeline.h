// Cycle accounting: every cycle of an engine has exactly one state; a core's state in a cycle follows from its four
// engines' states. Engines report in order of time, each for itself; the core's account catches up as far as all have.
#pragma once
#include <array>
#include <cstdint>
#include <deque>

#include "model/program/program.h"
#include "model/result/result.h"

namespace accsim::sim {

using model::Cycles;
using model::CycleState;

// What an engine does, told apart finer than the account: a DMA queue that moves data of DRAM computes, as an engine,
// but a core whose array waits for it waits for DRAM.
enum class Activity : std::uint8_t {
  compute,
  operand_stall,
  dram_wait,
  noc_wait,
  sync_wait,
  idle,
  dram_transfer,
  transfer
};

CycleState engine_state(Activity activity);

class CoreTimeline {
 public:
  // The engine of `queue` was in `activity` from where it was last reported to `until`; nothing if that is not later.
  void report(model::Queue queue, Activity activity, Cycles until);
  [[nodiscard]] Cycles reported(model::Queue queue) const { return engine(queue).until; }
  // All engines idle until `end`.
  void finish(Cycles end);

  [[nodiscard]] const model::CycleAccount& account(model::Queue queue) const { return engine(queue).account; }
  [[nodiscard]] const model::CycleAccount& core() const { return core_; }

 private:
  struct Segment {
    Activity activity;
    Cycles end;
  };
  struct EngineLine {
    Cycles until;
    std::deque<Segment> segments;  // not yet in the core's account
    model::CycleAccount account;
  };
  [[nodiscard]] EngineLine& engine(model::Queue q) { return engines_[static_cast<std::size_t>(q)]; }
  [[nodiscard]] const EngineLine& engine(model::Queue q) const { return engines_[static_cast<std::size_t>(q)]; }
  void merge();

  std::array<EngineLine, 4> engines_;
  Cycles merged_;
  model::CycleAccount core_;
};

}  // namespace accsim::sim
