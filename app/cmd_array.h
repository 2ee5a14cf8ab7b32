// accsim array: cycles of matrix products on one array, operands always ready, by the closed forms that the simulator
// uses (model/program/timing.h). The layers come as CSV with columns name, M, K, N; the figures go out as CSV.
#pragma once
#include "app/command.h"

namespace accsim::app {

void register_array(CLI::App& root, Registry& registry);

}  // namespace accsim::app
