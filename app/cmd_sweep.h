// A grid over JSON-pointer axes of an architecture x networks x strategies (accsim-sweep/1). Each point is a job of a
// worker process and one row in <out>/sweep.sqlite, written in a transaction as soon as it is done: kill the sweep at
// any time, run the same command again and it goes on.
#pragma once
#include "app/command.h"

namespace accsim::app {

void register_sweep(CLI::App& root, Registry& registry);

}  // namespace accsim::app
