// The thin module around a pure machine: one method process that runs when the machine said that something can change,
// and never otherwise.
#pragma once
#include <systemc>

#include "sim/kernel/clock.h"
#include "sim/kernel/context.h"

namespace accsim::sim {

class EventModule : public sc_core::sc_module {
 public:
  EventModule(const sc_core::sc_module_name& name, Clock clock) : sc_core::sc_module(name), clock_(clock) {
    SC_HAS_PROCESS(EventModule);
    SC_METHOD(wake_up);
    sensitive << wake_;
    dont_initialize();
  }

  // Runs the machine at cycle `at`, or now if that has passed. The earliest of all requests counts; run asks again.
  void wake_at(Cycles at) {
    if (at >= next_) return;
    const auto now = static_cast<std::int64_t>(sc_core::sc_time_stamp().value());
    std::int64_t delay = clock_.picoseconds(at) - now;
    if (delay < 0) {
      at = clock_.cycle_from(now);
      if (at >= next_) return;
      delay = clock_.picoseconds(at) - now;
    }
    next_ = at;
    wake_.cancel();
    wake_.notify(sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(delay)));
  }

 protected:
  // Does all that is due at `now`, then asks for the next wake-up with wake_at.
  virtual void run(Cycles now) = 0;
  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  void wake_up() {
    if (next_ == kNever) return;  // it has run in this instant already
    const Cycles now = next_;
    next_ = kNever;
    try {
      run(now);
    } catch (...) {
      SimulationContext::stop_with(std::current_exception());
    }
  }

  Clock clock_;
  Cycles next_ = kNever;
  sc_core::sc_event wake_;
};

}  // namespace accsim::sim
