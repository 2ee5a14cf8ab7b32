// A named suite of runs held against stored goldens: simulated cycles and energy must match exactly (exit 4 otherwise);
// time is reported as a ratio to a fixed loop on the same machine, never judged. The suite file is accsim-bench/1.
#pragma once
#include "app/command.h"

namespace accsim::app {

void register_bench(CLI::App& root, Registry& registry);

}  // namespace accsim::app
