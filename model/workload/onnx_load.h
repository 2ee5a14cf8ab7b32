// Networks from ONNX files: a NetworkSpec, and the values of its weights where they are asked for. Loading an ONNX file
// is converting it and reading the result, so both give the same network.
// Leaves out: training, control flow, sequences, strings; docs/networks.md has the list of operators.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/workload/network_spec.h"

namespace accsim::model {

struct NetworkFileOptions {
  std::map<std::string, std::int64_t> dims;  // symbolic dimensions of an ONNX file
  DataType precision = DataType::int8;       // of a network from an ONNX file; JSON files say theirs
  bool precision_given = false;
};

// By its name: *.onnx.
bool is_onnx_file(const std::filesystem::path& file);

// The network as accsim-net/1: a JSON file as it is, an ONNX file converted. ConfigError.
Json read_network_json(const std::filesystem::path& file, const NetworkFileOptions& options = {});

// A network spec as accsim-net/1; keys with their default value are left out.
Json to_json(const NetworkSpec& spec);

// Values of a tensor, as float.
struct TensorValues {
  Shape shape;
  std::vector<float> values;
};

struct OnnxNetwork {
  NetworkSpec spec;
  std::map<std::string, TensorValues> weights;  // by tensor name, if asked for
  std::vector<std::string> inputs;              // names in the file, in the file's order, weights aside
  std::vector<std::string> outputs;             // tensors of the network, in the file's order of outputs
  std::vector<std::string> output_names;        // their names in the file
};
OnnxNetwork import_onnx(const std::filesystem::path& file, const NetworkFileOptions& options, bool with_values);

// A tensor file of ONNX's backend tests (TensorProto).
TensorValues read_tensor_values(const std::filesystem::path& file);

}  // namespace accsim::model
