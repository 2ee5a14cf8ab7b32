#include "app/network_options.h"

#include <charconv>

#include "model/base/error.h"
#include "model/workload/network_spec.h"

namespace accsim::app {

void add_network_options(CLI::App& command, NetworkOptions& options) {
  command
      .add_option("--dim", options.dims, "extent of a symbolic dimension of an ONNX file; may be given several times")
      ->type_name("NAME=N")
      ->allow_extra_args(false);
  command.add_option("--precision", options.precision, "number type of a network from an ONNX file [int8]")
      ->check(CLI::IsMember(std::vector<std::string>{"int4", "int8", "int16", "fp16", "bf16", "fp32"}))
      ->type_name("TYPE");
}

model::NetworkFileOptions network_file_options(const NetworkOptions& options) {
  model::NetworkFileOptions out;
  for (const std::string& dim : options.dims) {
    const std::size_t equal = dim.rfind('=');
    std::int64_t extent = 0;
    const char* const end = dim.data() + dim.size();
    const bool split = equal != std::string::npos && equal > 0;
    const auto [rest, error] = std::from_chars(dim.data() + (split ? equal + 1 : 0), end, extent);
    if (!split || error != std::errc() || rest != end || extent < 1 || extent > model::kLargestDimension) {
      throw model::ConfigError("--dim " + dim + ": expected NAME=N with an integer N from 1 to " +
                               std::to_string(model::kLargestDimension));
    }
    if (!out.dims.emplace(dim.substr(0, equal), extent).second) {
      throw model::ConfigError("--dim " + dim + ": " + dim.substr(0, equal) + " is given twice");
    }
  }
  out.precision_given = !options.precision.empty();
  for (const model::DataTypeInfo& type : model::kDataTypes)
    if (type.name == options.precision) out.precision = type.type;
  return out;
}

}  // namespace accsim::app
