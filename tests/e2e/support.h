// What the tests of the whole program share: shipped architectures, a small network, results without their host.
#pragma once
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "model/config/json.h"
#include "tests/run_program.h"

namespace accsim::tests {

using model::Json;

inline std::string shipped(const std::string& name) { return std::string(ACCSIM_SOURCE_DIR) + "/" + name; }

inline void write_file(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

// Two convolutions with a residual connection, pooling and a classifier: a fraction of a second to simulate.
inline constexpr char kSmallNet[] = R"({
  "schema": "accsim-net/1", "name": "small", "precision": "int8",
  "inputs": [{"name": "image", "shape": [1, 16, 28, 28]}],
  "layers": [
    {"name": "conv1", "op": "Conv", "inputs": ["image"], "out_channels": 32, "kernel_shape": [3, 3], "pads": [1, 1, 1, 1]},
    {"name": "relu1", "op": "Relu", "inputs": ["conv1"]},
    {"name": "conv2", "op": "Conv", "inputs": ["relu1"], "out_channels": 32, "kernel_shape": [3, 3], "pads": [1, 1, 1, 1]},
    {"name": "sum", "op": "Add", "inputs": ["conv2", "relu1"]},
    {"name": "relu2", "op": "Relu", "inputs": ["sum"]},
    {"name": "pool", "op": "MaxPool", "inputs": ["relu2"], "kernel_shape": [2, 2], "strides": [2, 2]},
    {"name": "average", "op": "GlobalAveragePool", "inputs": ["pool"]},
    {"name": "flat", "op": "Flatten", "inputs": ["average"]},
    {"name": "fc", "op": "Gemm", "inputs": ["flat"], "out_features": 100}
  ]
})";

// A folder with the small network in it as net.json.
class Workspace : public TemporaryFolder {
 public:
  Workspace() { write_file(*this / "net.json", kSmallNet); }
  [[nodiscard]] Outcome run(const std::vector<std::string>& arguments) const { return run_program(path(), arguments); }
  // The default command on a shipped architecture, with its result in `out`; where nothing else says what to run, with
  // one operator a group, so that tests can name them.
  [[nodiscard]] Outcome run_net(const std::string& out, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"--arch", shipped("configs/edge-4core.json"), "--net", "net.json", "--out", out};
    const auto given = [&](const char* option) { return std::find(more.begin(), more.end(), option) != more.end(); };
    if (!given("--strategy") && !given("--schedule") && !given("--program"))
      arguments.insert(arguments.end(), {"--strategy", "optimal-layer"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  [[nodiscard]] Json read(const std::string& name) const { return model::read_json_file(*this / name); }
  [[nodiscard]] Json read_without_host(const std::string& name) const {
    Json json = read(name);
    json.erase("host");
    return json;
  }
};

inline std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

}  // namespace accsim::tests
