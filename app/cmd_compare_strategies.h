// Several strategies on one network and machine, each searched and simulated: time, energy, DRAM traffic and what the
// search cost, beside the baseline and what no schedule can beat.
#pragma once
#include "app/command.h"

namespace accsim::app {

void register_compare_strategies(CLI::App& root, Registry& registry);

}  // namespace accsim::app
