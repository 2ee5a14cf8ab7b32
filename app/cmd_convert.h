// accsim convert: an ONNX file as a network file (accsim-net/1).
#pragma once
#include "app/command.h"

namespace accsim::app {

void register_convert(CLI::App& root, Registry& registry);

}  // namespace accsim::app
