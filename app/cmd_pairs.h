// The command "pairs": what fusing two consecutive operators is worth, for a list of pairs (accsim-pairs/1).
#pragma once
#include "app/command.h"

namespace accsim::app {

void register_pairs(CLI::App& root, Registry& registry);

}  // namespace accsim::app
