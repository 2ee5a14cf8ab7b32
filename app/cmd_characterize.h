// The command "characterize": measures synthetic layers on an architecture and writes its characterisation card.
#pragma once
#include "app/command.h"

namespace accsim::app {

void register_characterize(CLI::App& root, Registry& registry);

}  // namespace accsim::app
