// Time inside the simulator: cycles of a clock domain, and the cycle that never comes.
#pragma once
#include <limits>

#include "model/base/units.h"

namespace accsim::sim {

using model::Cycles;

inline constexpr Cycles kNever{std::numeric_limits<std::int64_t>::max()};

}  // namespace accsim::sim
