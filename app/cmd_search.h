// Search only: finds a schedule, verifies and saves it, prints what the cost model expects of it. Nothing is simulated.
#pragma once
#include "app/command.h"

namespace accsim::app {

void register_search(CLI::App& root, Registry& registry);

}  // namespace accsim::app
