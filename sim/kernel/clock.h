// Clock domains as data: cycles are counted as integers, picoseconds exist only at the kernel's edge. Cycle n begins at
// floor(n * numerator / denominator) ps, so a period that is no whole number of picoseconds does not drift.
#pragma once
#include <cstdint>
#include <limits>
#include <systemc>

#include "model/arch/arch.h"
#include "model/base/wide.h"
#include "sim/kernel/time.h"

namespace accsim::sim {

class Clock {
 public:
  explicit constexpr Clock(model::ClockPeriod period)
      : period_(period),
        narrow_cycles_(std::numeric_limits<std::int64_t>::max() / period.numerator),
        narrow_ps_((std::numeric_limits<std::int64_t>::max() - period.numerator) / period.denominator) {}

  [[nodiscard]] const model::ClockPeriod& period() const { return period_; }
  // Picoseconds at which cycle `n` begins.
  [[nodiscard]] std::int64_t picoseconds(Cycles n) const {
    if (period_.denominator == 1) return n.value() * period_.numerator;
    if (n.value() <= narrow_cycles_) return n.value() * period_.numerator / period_.denominator;
    return static_cast<std::int64_t>(static_cast<model::Wide>(n.value()) * period_.numerator / period_.denominator);
  }
  // First cycle that begins at or after `ps`.
  [[nodiscard]] Cycles cycle_from(std::int64_t ps) const {
    if (ps <= narrow_ps_) return Cycles((ps * period_.denominator + period_.numerator - 1) / period_.numerator);
    const model::Wide scaled = static_cast<model::Wide>(ps) * period_.denominator;
    return Cycles(static_cast<std::int64_t>((scaled + period_.numerator - 1) / period_.numerator));
  }
  // The cycle that has begun last.
  [[nodiscard]] Cycles now() const {
    const auto ps = static_cast<std::int64_t>(sc_core::sc_time_stamp().value());
    return cycle_from(ps + 1) - Cycles(1);
  }

 private:
  model::ClockPeriod period_;
  // Up to here 64 bits hold every product.
  std::int64_t narrow_cycles_;
  std::int64_t narrow_ps_;
};

}  // namespace accsim::sim
