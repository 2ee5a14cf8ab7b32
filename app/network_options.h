// How a network file is read: options that every command with --net has.
#pragma once
#include <string>
#include <vector>

#include "app/command.h"
#include "model/workload/onnx_load.h"

namespace accsim::app {

struct NetworkOptions {
  std::vector<std::string> dims;   // "name=value"
  std::string precision;  // of a network from an ONNX file; empty: int8
};

void add_network_options(CLI::App& command, NetworkOptions& options);

// ConfigError for what is no "name=value".
model::NetworkFileOptions network_file_options(const NetworkOptions& options);

}  // namespace accsim::app
