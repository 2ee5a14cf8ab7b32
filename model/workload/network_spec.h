// A network as it stands in a file: names and attributes, nothing resolved. Every loader (JSON now, others later)
// makes a NetworkSpec; build_network resolves names, infers shapes and checks the graph.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/config/json.h"
#include "model/config/record.h"
#include "model/workload/network.h"

namespace accsim::model {

inline constexpr std::size_t kMostAxes = 8;
inline constexpr std::int64_t kLargestDimension = std::int64_t{1} << 31;
inline constexpr std::int64_t kMostElements = std::int64_t{1} << 40;   // of one tensor
inline constexpr std::int64_t kLargestWindow = std::int64_t{1} << 20;  // kernel, stride, dilation, padding
inline constexpr std::int64_t kMostMacs = std::int64_t{1} << 60;       // of a network
inline constexpr std::size_t kMostLayers = 100'000;
inline constexpr std::int64_t kLargestBatch = 65'536;

enum class AutoPad : std::uint8_t { notset, same_upper, same_lower, valid };

// "auto": int32 for Gather indices and, in integer networks, for biases and LayerNormalization's scale; else the
// network's precision.
enum class DeclaredType : std::uint8_t { automatic, int4, int8, int16, int32, fp16, bf16, fp32 };

struct TensorSpec {
  std::string name;
  Shape shape;
  DeclaredType type = DeclaredType::automatic;
};

// One layer with the attributes of all operators; each operator's field table fills in its own.
struct LayerSpec {
  std::string name;
  OpType op = OpType::relu;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;  // empty: one tensor with the layer's name
  std::int64_t out_channels = 0;     // 0: from the weight tensor
  std::int64_t out_features = 0;
  std::vector<std::int64_t> kernel_shape;
  std::vector<std::int64_t> strides;
  std::vector<std::int64_t> pads;
  std::vector<std::int64_t> dilations;
  std::int64_t group = 1;
  AutoPad auto_pad = AutoPad::notset;
  bool bias = true;
  bool bias_given = false;  // the key stands in the file
  int trans_a = 0;          // 0 or 1, as in ONNX
  int trans_b = 0;
  int ceil_mode = 0;
  int count_include_pad = 0;
  std::int64_t axis = 0;
  double epsilon = 1e-5;
  double min = 0;
  double max = 0;
  double alpha = 0;
  double beta = 0;
  double scale = 1;
  std::int64_t zero_point = 0;
  int by_tanh = 0;
  std::vector<std::int64_t> perm;
  Shape shape;
  std::vector<std::int64_t> axes;
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> ends;
  std::vector<std::int64_t> steps;
  std::vector<std::int64_t> scales;
  ResizeMode resize_mode = ResizeMode::nearest;
  std::int64_t block = 1;
  bool column_row = false;
  int keep_dims = 1;
};

struct NetworkSpec {
  std::string name;
  DataType precision = DataType::int8;
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> weights;
  std::vector<LayerSpec> layers;
  std::vector<std::string> outputs;  // empty: every tensor that nobody consumes
};

// The field tables: what the parser accepts and what the documentation shows.
const Record<LayerSpec>& layer_record(OpType type);
const Record<TensorSpec>& tensor_record();
const Record<NetworkSpec>& network_record();  // without "layers", whose fields depend on "op"

NetworkSpec parse_network_spec(const Json& json, const std::string& file);
// Paths in messages are those of the JSON form: layers[3].inputs[0].
Network build_network(const NetworkSpec& spec, const std::string& file, std::int64_t batch);

// JSON schema of accsim-net/1.
Json network_schema();

// A name from a file for a message: quoted, escaped, at most 80 characters.
std::string quote_name(const std::string& name);

}  // namespace accsim::model
