// What a worker process does: it answers the jobs of measurers, sweeps and bench suites (see worker_pool.h).
#pragma once

namespace accsim::app {

// Serves until the parent closes the connection. Returns the exit code.
int run_worker();

}  // namespace accsim::app
