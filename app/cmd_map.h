// accsim map: the optimal mapping of one problem onto a hierarchy (docs/mapper.md), the counts of a given mapping, or
// brute force over every mapping of a small one. Figures go out as accsim-map-result/1.
#pragma once
#include "app/command.h"

namespace accsim::app {

void register_map(CLI::App& root, Registry& registry);

}  // namespace accsim::app
