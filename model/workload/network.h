// A network: tensors, operators and the graph between them, shapes known. Names and attributes as in ONNX, NCHW.
// Weights have shapes but no values (values are made where a run is executed on data).
// Leaves out: training operators, control flow, sparse tensors.
#pragma once
#include <array>
#include <boost/graph/adjacency_list.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/base/data_type.h"
#include "model/base/units.h"
#include "model/config/json.h"

namespace accsim::model {

using Shape = std::vector<std::int64_t>;
std::int64_t element_count(const Shape& shape);
std::string shape_text(const Shape& shape);  // "[1, 64, 56, 56]"

enum class TensorKind : std::uint8_t { input, weight, activation };

struct Tensor {
  TensorId id;
  std::string name;
  Shape shape;
  DataType type = DataType::int8;
  TensorKind kind = TensorKind::activation;
  OpId producer;                // invalid for inputs and weights
  std::vector<OpId> consumers;  // in operator order
  // Tensor whose bytes this one shares (Flatten, Reshape, …: the same elements in the same order); itself if none.
  TensorId storage;
  bool network_output = false;
};

enum class OpType : std::uint8_t {
  conv,
  gemm,
  matmul,
  max_pool,
  average_pool,
  global_average_pool,
  add,
  mul,
  relu,
  clip,
  sigmoid,
  tanh,
  gelu,
  softmax,
  layer_normalization,
  gather,
  flatten,
  reshape,
  transpose,
  concat,
  sub,
  div,
  pow,
  prelu,
  where,
  neg,
  sqrt,
  exp,
  erf,
  leaky_relu,
  hard_sigmoid,
  hard_swish,
  silu,
  quantize_linear,
  dequantize_linear,
  rms_normalization,
  reduce_mean,
  slice,
  expand,
  pad,
  resize,
  depth_to_space
};
std::string_view name_of(OpType type);  // as in ONNX: "Conv", "Gemm", …

// Two spatial dimensions: [height, width]; one-dimensional operators have height 1.
struct ConvAttributes {
  std::int64_t out_channels = 0;
  std::array<std::int64_t, 2> kernel{1, 1};
  std::array<std::int64_t, 2> stride{1, 1};
  std::array<std::int64_t, 2> dilation{1, 1};
  std::array<std::int64_t, 4> pads{0, 0, 0, 0};  // top, left, bottom, right, as ONNX orders them
  std::int64_t group = 1;
  bool bias = true;
};
struct PoolAttributes {
  std::array<std::int64_t, 2> kernel{1, 1};
  std::array<std::int64_t, 2> stride{1, 1};
  std::array<std::int64_t, 2> dilation{1, 1};
  std::array<std::int64_t, 4> pads{0, 0, 0, 0};
  bool ceil_mode = false;
  bool count_include_pad = false;
};
struct GemmAttributes {  // Y = A' B' + C; only the layout of B matters to a weight
  bool trans_a = false;
  bool trans_b = false;
  bool bias = true;
};
// Softmax, LayerNormalization (normalises axis and all after it), Concat, Gather, Flatten.
struct AxisAttributes {
  std::int64_t axis = -1;  // in a Network: counted from the front, never negative
  double epsilon = 1e-5;   // LayerNormalization
};
// Numbers of an activation: bounds of Clip and of QuantizeLinear's integers; alpha of LeakyRelu; alpha and beta of
// HardSigmoid; alpha = 1: Gelu by tanh; alpha and beta: scale and zero point of QuantizeLinear and DequantizeLinear.
struct ClipAttributes {
  double min = 0;
  double max = 6;
  double alpha = 0;
  double beta = 0;
};
struct TransposeAttributes {
  std::vector<std::int64_t> perm;
};
struct ReshapeAttributes {
  Shape shape;  // as given: -1 = inferred, 0 = copied
};
struct SliceAttributes {  // one entry an axis of the input; how many are taken stands in the output's shape
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> steps;
};
struct PadAttributes {
  std::vector<std::int64_t> begins;  // zeros before each axis; those behind it follow from the output's shape
};
enum class ResizeMode : std::uint8_t { nearest, half_pixel, align_corners, asymmetric };  // the last three: linear
struct ResizeAttributes {
  std::vector<std::int64_t> scales;  // whole factors, one an axis
  ResizeMode mode = ResizeMode::nearest;
};
struct DepthToSpaceAttributes {
  std::int64_t block = 1;
  bool column_row = false;  // CRD: the channel is the outermost part; else DCR
};
struct ReduceAttributes {  // axes first … last become one element
  std::int64_t first = 0;
  std::int64_t last = 0;
};
using Attributes = std::variant<std::monostate, ConvAttributes, PoolAttributes, GemmAttributes, AxisAttributes,
                                ClipAttributes, TransposeAttributes, ReshapeAttributes, SliceAttributes, PadAttributes,
                                ResizeAttributes, DepthToSpaceAttributes, ReduceAttributes>;

// A unary activation that the producer applies to its result before it is written (see fuse_activations).
struct FusedActivation {
  OpType type = OpType::relu;
  ClipAttributes clip;  // of those that have numbers
  std::string name;     // the layer it was in the network file
};

struct Operator {
  OpId id;
  std::string name;
  OpType type = OpType::relu;
  // Conv: {X, W, B?}; Gemm: {A, B, C?}; MatMul: {A, B}; LayerNormalization: {X, scale, bias}; Gather: {table, indices}.
  std::vector<TensorId> inputs;
  std::vector<TensorId> outputs;
  Attributes attributes;
  std::vector<FusedActivation> activations;  // applied in order
  // Names of all layers of the file that this operator stands for: its own and its fused activations.
  [[nodiscard]] std::vector<std::string> layer_names() const;
};

// Vertices are operators (vertex index = OpId), an edge for each tensor from producer to consumer.
using OpGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS, OpId, TensorId>;

struct Network {
  std::string name;
  DataType precision = DataType::int8;
  std::vector<Tensor> tensors;      // index = TensorId
  std::vector<Operator> operators;  // index = OpId; already in a topological order, file order where possible
  std::vector<TensorId> inputs;
  std::vector<TensorId> outputs;
  OpGraph graph;

  [[nodiscard]] const Tensor& tensor(TensorId id) const { return tensors[id.index()]; }
  [[nodiscard]] const Operator& op(OpId id) const { return operators[id.index()]; }
  [[nodiscard]] Bytes bytes_of(TensorId id) const;
};

// Reads accsim-net/1, infers shapes, checks the graph (cycles, missing tensors, mismatching shapes: ConfigError
// naming the layer). `batch` multiplies the first dimension of every network input (1 = as in the file).
Network load_network(const std::filesystem::path& file, std::int64_t batch = 1);
Network parse_network(const Json& json, const std::string& file, std::int64_t batch = 1);

// Moves each unary elementwise operator (Relu, Clip, Sigmoid, …) into its producer where the producer
// computes values (not a reshape or a movement) and has no other consumer and is no network output.
// Returns a network with the operators renumbered. Values and MACs are unchanged.
Network fuse_activations(const Network& network);

Macs macs_of(const Network& network, OpId op);  // 0 for operators without multiply-accumulates
Macs total_macs(const Network& network);
// macs_of, or nullopt where the number does not fit 64 bits (networks that loaded always fit).
std::optional<std::int64_t> checked_macs(const Network& network, OpId op);
std::int64_t total_parameters(const Network& network);  // elements of all weight tensors
// Bytes that must cross the memory border at least once: network inputs and weights that are read
// (Gather: the rows that are used, not the table) and network outputs.
Bytes compulsory_bytes(const Network& network);

// Operators that move no data: their output shares its input's storage.
bool is_alias(OpType type);

// Element i of every tensor of indices that is an input or weight: a fixed hash of (seed, i), of 31 bits. A Gather
// takes the row that the index is modulo its table's rows, in timing and in execution on data: also where tables of
// different sizes are read by the same indices.
std::int64_t gather_index(std::uint64_t seed, std::int64_t i);
std::int64_t gather_row(std::uint64_t seed, std::int64_t i, std::int64_t rows);

}  // namespace accsim::model
