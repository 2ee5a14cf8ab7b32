// accsim check: what an architecture and a network resolve to, before anything is searched or simulated: every default,
// peak and sustained rates, area, layers with shapes, MACs and parameters, and the bounds that no schedule can beat.
#pragma once
#include "app/command.h"

namespace accsim::app {

void register_check(CLI::App& root, Registry& registry);

}  // namespace accsim::app
