// An ONNX file run in float by the plain reference executor on stored inputs, its outputs against stored ones: the
// layout of ONNX's backend tests (input_0.pb … output_0.pb …, TensorProto each).
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "model/workload/onnx_load.h"

namespace accsim::app {

struct ComparedOutput {
  std::string name;
  model::Shape shape;
  std::int64_t elements = 0;
  std::int64_t different = 0;  // not the same bits
  double largest_difference = 0;
  bool within_tolerance = true;
  std::int64_t worst = 0;  // element with the largest difference
  float found = 0, expected = 0;
};

struct TestDataReport {
  std::string network;
  double tolerance = 0;
  std::vector<ComparedOutput> outputs;
  [[nodiscard]] bool matches() const;
  [[nodiscard]] std::string message() const;  // the first output that does not match
};

// ConfigError where a file is missing or does not go with the network.
TestDataReport check_test_data(const std::filesystem::path& net, const std::filesystem::path& folder,
                               const model::NetworkFileOptions& options, double tolerance);

}  // namespace accsim::app
