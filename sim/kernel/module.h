// The thin module around a pure machine: it runs when the machine said that something can change, and never otherwise.
// Modules of one clock and phase that wake in the same instant share the kernel's event (PhaseGroup): on a busy chip
// many do, and the kernel's queue costs more than most of them.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <systemc>
#include <vector>

#include "sim/kernel/clock.h"
#include "sim/kernel/context.h"

namespace accsim::sim {

// Modules that want to run in the same cycle run in this order, whatever else the chip holds: each phase is a
// picosecond of its own at the beginning of the cycle (the shortest clock period is 100 ps). Modules of one phase do
// not share anything but what counts from the next cycle on; they run in the order in which they were made.
enum class Phase : std::uint8_t { first, array, vector, store, load, receive, memory, network, last };

class EventModule;

// When the modules of one clock and phase want to run. The first of them holds the process.
class PhaseGroup {
 public:
  PhaseGroup(Clock clock, Phase phase) : clock_(clock), phase_(static_cast<std::int64_t>(phase)) {}
  // The group of the simulation that is being built.
  static std::shared_ptr<PhaseGroup> of(Clock clock, Phase phase);

  std::size_t add(EventModule& module);
  [[nodiscard]] const sc_core::sc_event& wake() const { return wake_; }
  void wake_at(std::size_t module, Cycles at);
  void run();

 private:
  void notify(Cycles at, std::int64_t delay) {
    scheduled_ = at;
    wake_.notify(sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(delay)));  // replaces a later one
  }
  [[nodiscard]] std::int64_t delay_to(Cycles at) const {
    return clock_.picoseconds(at) + phase_ - static_cast<std::int64_t>(sc_core::sc_time_stamp().value());
  }

  Clock clock_;
  std::int64_t phase_;  // picoseconds
  std::vector<EventModule*> modules_;
  std::vector<Cycles> next_;   // by module: it runs no later
  Cycles scheduled_ = kNever;  // the kernel's event
  Cycles now_;                 // while running
  bool running_ = false;
  bool again_ = false;  // a module wants to run in this cycle once more
  sc_core::sc_event wake_;
};

class EventModule : public sc_core::sc_module {
 public:
  EventModule(const sc_core::sc_module_name& name, Clock clock, Phase phase)
      : sc_core::sc_module(name), clock_(clock), group_(PhaseGroup::of(clock, phase)), place_(group_->add(*this)) {
    if (place_ > 0) return;
    SC_HAS_PROCESS(EventModule);
    SC_METHOD(wake_up);
    sensitive << group_->wake();
    dont_initialize();
  }

  // Runs the machine at cycle `at`, or as soon as its phase comes if that has passed. The earliest of all requests
  // counts; run asks again.
  void wake_at(Cycles at) { group_->wake_at(place_, at); }

 protected:
  // Does all that is due at `now`, then asks for the next wake-up with wake_at.
  virtual void run(Cycles now) = 0;
  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  friend class PhaseGroup;
  void wake_up() { group_->run(); }

  Clock clock_;
  std::shared_ptr<PhaseGroup> group_;
  std::size_t place_;
};

inline void PhaseGroup::wake_at(std::size_t module, Cycles at) {
  Cycles& next = next_[module];
  if (at >= next) return;
  if (running_) {
    again_ = again_ || at <= now_;
    next = at;
    return;
  }
  if (at < scheduled_) {
    std::int64_t delay = delay_to(at);
    if (delay < 0) {
      at = clock_.cycle_from(
          std::max<std::int64_t>(static_cast<std::int64_t>(sc_core::sc_time_stamp().value()) - phase_, 0));
      if (at >= next) return;
      delay = delay_to(at);
    }
    if (at < scheduled_) notify(at, delay);
  }
  next = at;
}

inline void PhaseGroup::run() {
  if (scheduled_ == kNever) return;  // it has run in this instant already
  now_ = scheduled_;
  scheduled_ = kNever;
  running_ = true;
  try {
    do {
      again_ = false;
      for (std::size_t i = 0; i < modules_.size(); ++i) {
        while (next_[i] <= now_) {
          next_[i] = kNever;
          modules_[i]->run(now_);
        }
      }
    } while (again_);
  } catch (...) {
    SimulationContext::stop_with(std::current_exception());
  }
  running_ = false;
  const Cycles earliest = *std::min_element(next_.begin(), next_.end());
  if (earliest != kNever) notify(earliest, delay_to(earliest));
}

}  // namespace accsim::sim
