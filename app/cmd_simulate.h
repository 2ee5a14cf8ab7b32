// Runs a saved schedule (--schedule) on the simulator: the default command without its search.
#pragma once
#include "app/command.h"

namespace accsim::app {

void register_simulate(CLI::App& root, Registry& registry);

}  // namespace accsim::app
