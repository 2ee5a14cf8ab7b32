// The thin module around a pure machine: one method process that runs when the machine said that something can change,
// and never otherwise.
#pragma once
#include <algorithm>
#include <cstdint>
#include <systemc>

#include "sim/kernel/clock.h"
#include "sim/kernel/context.h"

namespace accsim::sim {

// Modules that want to run in the same cycle run in this order, whatever else the chip holds: each phase is a
// picosecond of its own at the beginning of the cycle (the shortest clock period is 100 ps). Modules of one phase do
// not share anything but what counts from the next cycle on.
enum class Phase : std::uint8_t { first, array, vector, store, load, receive, memory, network, last };

class EventModule : public sc_core::sc_module {
 public:
  EventModule(const sc_core::sc_module_name& name, Clock clock, Phase phase)
      : sc_core::sc_module(name), clock_(clock), phase_(static_cast<std::int64_t>(phase)) {
    SC_HAS_PROCESS(EventModule);
    SC_METHOD(wake_up);
    sensitive << wake_;
    dont_initialize();
  }

  // Runs the machine at cycle `at`, or as soon as its phase comes if that has passed. The earliest of all requests
  // counts; run asks again.
  void wake_at(Cycles at) {
    if (at >= next_) return;
    if (running_) {
      next_ = at;
    } else {
      notify(at);
    }
  }

 protected:
  // Does all that is due at `now`, then asks for the next wake-up with wake_at.
  virtual void run(Cycles now) = 0;
  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  void notify(Cycles at) {
    const auto now = static_cast<std::int64_t>(sc_core::sc_time_stamp().value());
    std::int64_t delay = clock_.picoseconds(at) + phase_ - now;
    if (delay < 0) {
      at = clock_.cycle_from(std::max<std::int64_t>(now - phase_, 0));
      if (at >= next_) return;
      delay = clock_.picoseconds(at) + phase_ - now;
    }
    next_ = at;
    wake_.notify(sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(delay)));  // replaces a later one
  }
  void wake_up() {
    if (next_ == kNever) return;  // it has run in this instant already
    const Cycles now = next_;
    running_ = true;
    try {
      do {
        next_ = kNever;
        run(now);
      } while (next_ <= now);
    } catch (...) {
      SimulationContext::stop_with(std::current_exception());
    }
    running_ = false;
    if (next_ == kNever) return;
    const Cycles next = next_;
    next_ = kNever;
    notify(next);
  }

  Clock clock_;
  std::int64_t phase_;  // picoseconds
  Cycles next_ = kNever;
  bool running_ = false;  // run collects its requests; the kernel hears of the earliest
  sc_core::sc_event wake_;
};

}  // namespace accsim::sim
