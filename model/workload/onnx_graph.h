// An ONNX graph as plain structures: what the reader (onnx_reader.cpp, the one file that knows the library's types)
// hands to the passes and to the emitter. Shapes are whole numbers, constants are folded, values of large constants may
// be left out. Source of operators and their meaning: the ONNX operator specifications
// (https://onnx.ai/onnx/operators). Leaves out: subgraphs (If, Loop), sequences, strings, sparse tensors.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/workload/network.h"

namespace accsim::model::importer {

enum class Element : std::uint8_t {
  unknown,
  float32,
  float64,
  float16,
  bfloat16,
  int8,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  boolean
};
constexpr bool is_float(Element e) {
  return e == Element::float32 || e == Element::float64 || e == Element::float16 || e == Element::bfloat16;
}

// A tensor whose elements are the same in every run. Extents may be 0 here. Floats of every width are kept as float,
// integers and booleans as int64.
struct Constant {
  Element type = Element::float32;
  Shape shape;
  bool known = false;  // the elements are here; else only shape and type
  std::vector<float> floats;
  std::vector<std::int64_t> ints;

  [[nodiscard]] std::int64_t size() const {
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) count *= extent;
    return count;
  }
  [[nodiscard]] double number(std::size_t i) const {
    return is_float(type) ? static_cast<double>(floats[i]) : static_cast<double>(ints[i]);
  }
};
using ConstantPtr = std::shared_ptr<const Constant>;

struct Value {
  std::string name;
  bool has_shape = false;
  Shape shape;
  Element type = Element::unknown;
  ConstantPtr constant;  // null: an activation
  int producer = -1;     // node, while the graph is linked
};

using Attribute =
    std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>, ConstantPtr>;

inline constexpr int kAbsent = -1;  // an input that is left out

struct Node {
  std::string name;  // for messages: the node's, or that of its first output
  std::string op;
  std::vector<int> inputs;   // values
  std::vector<int> outputs;  // values
  std::map<std::string, Attribute> attributes;

  [[nodiscard]] bool has(const std::string& key) const { return attributes.count(key) > 0; }
  [[nodiscard]] std::int64_t integer(const std::string& key, std::int64_t fallback) const;
  [[nodiscard]] double number(const std::string& key, double fallback) const;
  [[nodiscard]] std::string text(const std::string& key, const std::string& fallback) const;
  [[nodiscard]] std::vector<std::int64_t> integers(const std::string& key) const;  // empty if absent
  [[nodiscard]] int input(std::size_t i) const { return i < inputs.size() ? inputs[i] : kAbsent; }
};

struct Graph {
  std::string file;  // for messages
  std::string name;
  std::int64_t opset = 0;
  std::vector<Value> values;
  std::vector<Node> nodes;  // in a topological order
  std::vector<int> inputs;  // true inputs, weights aside
  std::vector<int> outputs;
  std::vector<std::string> output_names;  // as in the file, whatever a pass does to the values

  [[nodiscard]] const Value& value(int id) const { return values[static_cast<std::size_t>(id)]; }
  [[nodiscard]] Value& value(int id) { return values[static_cast<std::size_t>(id)]; }
  [[nodiscard]] ConstantPtr constant(int id) const { return id == kAbsent ? nullptr : value(id).constant; }
  [[nodiscard]] ConstantPtr constant_input(const Node& node, std::size_t i) const { return constant(node.input(i)); }
  [[nodiscard]] const Shape& shape(int id) const { return value(id).shape; }
  int add_value(std::string name, Shape shape, Element type);
  int add_constant(std::string name, ConstantPtr constant);
  // The message "<file>: node "x" (Op): what".
  [[noreturn]] void refuse(const Node& node, const std::string& what) const;
};

// Text of a file or a library for a message: control characters become single blanks.
std::string one_line(const std::string& text);

ConstantPtr make_floats(Shape shape, std::vector<float> values);
ConstantPtr make_integers(std::vector<std::int64_t> values);  // one axis
ConstantPtr make_unknown(Shape shape, Element type);

// Dimensions that the user gave: name -> extent.
using Dimensions = std::map<std::string, std::int64_t>;

struct ReadOptions {
  Dimensions dims;
  bool keep_values = false;  // values of all constants, else only of small ones
  std::int64_t batch = 1;    // multiplies the first dimension of every input
};

// Reads and checks a file, infers every shape, folds what is constant. ConfigError, one line, for what is wrong.
Graph read_graph(const std::filesystem::path& file, const ReadOptions& options);

// A tensor file of ONNX's backend tests (TensorProto), with its values.
Constant read_tensor(const std::filesystem::path& file);

// The value of a node with one output whose inputs are all constant; null if this operator is not evaluated here or an
// input's values are not known. `output` numbers the node's outputs (Split).
ConstantPtr evaluate(const Graph& graph, const Node& node, std::size_t output);

// Operators that the emitter takes, sorted, for messages.
std::string supported_operators();

}  // namespace accsim::model::importer
