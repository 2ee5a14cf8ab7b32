// From an ONNX file to a Graph: parsing, the library's checker, and one sweep over the nodes that infers shapes with
// the library's own rules and folds every node whose inputs are all constant. The only file that includes ONNX's
// headers.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <set>
#include <unordered_map>
#include <utility>

#include "model/base/error.h"
#include "model/workload/checked.h"
#include "model/workload/network_spec.h"
#include "model/workload/onnx_graph.h"
#include "model/workload/onnx_wire.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <google/protobuf/stubs/logging.h>
#include <onnx/checker.h>
#include <onnx/defs/schema.h>
#include <onnx/onnx_pb.h>
#pragma GCC diagnostic pop

namespace accsim::model::importer {
namespace {

constexpr std::int64_t kOldestOpset = 9;
constexpr std::int64_t kNewestChecked = 17;  // what the library knows
constexpr std::int64_t kNewestOpset = 25;
constexpr std::int64_t kNewestFormat = 8;      // IR version of the library
constexpr std::int64_t kMostShapeData = 4096;  // elements of a constant that shape inference may look at
constexpr std::int64_t kMostFolded = 1 << 22;  // elements of a folded constant whose values are kept
constexpr std::int64_t kMostConstant = std::int64_t{1} << 33;
constexpr std::size_t kMostAxesRead = 16;

// One line of what the library says.
std::string short_line(const std::string& text) {
  constexpr std::size_t kLongest = 400;
  const std::string line = one_line(text);
  return line.size() > kLongest ? line.substr(0, kLongest) + "..." : line;
}

Element element_of(std::int32_t type) {
  switch (type) {
    case onnx::TensorProto::FLOAT:
      return Element::float32;
    case onnx::TensorProto::DOUBLE:
      return Element::float64;
    case onnx::TensorProto::FLOAT16:
      return Element::float16;
    case onnx::TensorProto::BFLOAT16:
      return Element::bfloat16;
    case onnx::TensorProto::INT8:
      return Element::int8;
    case onnx::TensorProto::UINT8:
      return Element::uint8;
    case onnx::TensorProto::INT16:
      return Element::int16;
    case onnx::TensorProto::UINT16:
      return Element::uint16;
    case onnx::TensorProto::INT32:
      return Element::int32;
    case onnx::TensorProto::UINT32:
      return Element::uint32;
    case onnx::TensorProto::INT64:
      return Element::int64;
    case onnx::TensorProto::UINT64:
      return Element::uint64;
    case onnx::TensorProto::BOOL:
      return Element::boolean;
    default:
      return Element::unknown;
  }
}

std::int32_t proto_type(Element e) {
  switch (e) {
    case Element::float32:
      return onnx::TensorProto::FLOAT;
    case Element::float64:
      return onnx::TensorProto::DOUBLE;
    case Element::float16:
      return onnx::TensorProto::FLOAT16;
    case Element::bfloat16:
      return onnx::TensorProto::BFLOAT16;
    case Element::int8:
      return onnx::TensorProto::INT8;
    case Element::uint8:
      return onnx::TensorProto::UINT8;
    case Element::int16:
      return onnx::TensorProto::INT16;
    case Element::uint16:
      return onnx::TensorProto::UINT16;
    case Element::int32:
      return onnx::TensorProto::INT32;
    case Element::uint32:
      return onnx::TensorProto::UINT32;
    case Element::int64:
      return onnx::TensorProto::INT64;
    case Element::uint64:
      return onnx::TensorProto::UINT64;
    case Element::boolean:
      return onnx::TensorProto::BOOL;
    case Element::unknown:
      break;
  }
  return onnx::TensorProto::UNDEFINED;
}

std::size_t bytes_of(Element e) {
  switch (e) {
    case Element::float64:
    case Element::int64:
    case Element::uint64:
      return 8;
    case Element::float32:
    case Element::int32:
    case Element::uint32:
      return 4;
    case Element::float16:
    case Element::bfloat16:
    case Element::int16:
    case Element::uint16:
      return 2;
    default:
      return 1;
  }
}

float float_of_half(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16U;
  const std::uint32_t exponent = half >> 10U & 0x1FU;
  const std::uint32_t mantissa = half & 0x3FFU;
  if (exponent == 0) {
    const float value = std::ldexp(static_cast<float>(mantissa), -24);
    return sign != 0 ? -value : value;
  }
  const std::uint32_t wide = exponent == 0x1F ? 0x7F800000U : (exponent + 112) << 23U;
  return std::bit_cast<float>(sign | wide | mantissa << 13U);
}
float float_of_bfloat(std::uint16_t half) { return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16U); }

template <class T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

// Little-endian elements, as ONNX stores them.
void decode(std::string_view raw, Constant& into) {
  const std::size_t step = bytes_of(into.type);
  const auto count = static_cast<std::size_t>(into.size());
  const auto each = [&](auto convert, auto& to) {
    to.resize(count);
    for (std::size_t i = 0; i < count; ++i) to[i] = convert(raw.data() + i * step);
  };
  const auto as_int = [](auto value) { return static_cast<std::int64_t>(value); };
  switch (into.type) {
    case Element::float32:
      return each([](const char* p) { return load<float>(p); }, into.floats);
    case Element::float64:
      return each([](const char* p) { return static_cast<float>(load<double>(p)); }, into.floats);
    case Element::float16:
      return each([](const char* p) { return float_of_half(load<std::uint16_t>(p)); }, into.floats);
    case Element::bfloat16:
      return each([](const char* p) { return float_of_bfloat(load<std::uint16_t>(p)); }, into.floats);
    case Element::int8:
      return each([&](const char* p) { return as_int(load<std::int8_t>(p)); }, into.ints);
    case Element::uint8:
    case Element::boolean:
      return each([&](const char* p) { return as_int(load<std::uint8_t>(p)); }, into.ints);
    case Element::int16:
      return each([&](const char* p) { return as_int(load<std::int16_t>(p)); }, into.ints);
    case Element::uint16:
      return each([&](const char* p) { return as_int(load<std::uint16_t>(p)); }, into.ints);
    case Element::int32:
      return each([&](const char* p) { return as_int(load<std::int32_t>(p)); }, into.ints);
    case Element::uint32:
      return each([&](const char* p) { return as_int(load<std::uint32_t>(p)); }, into.ints);
    case Element::int64:
    case Element::uint64:
      return each([&](const char* p) { return load<std::int64_t>(p); }, into.ints);
    case Element::unknown:
      break;
  }
}

// Tensors of one file.
class TensorReader {
 public:
  TensorReader(std::filesystem::path file, std::string_view bytes, bool keep_values)
      : file_(std::move(file)), bytes_(bytes), keep_values_(keep_values) {}

  [[nodiscard]] ConstantPtr read(const onnx::TensorProto& tensor) const {
    auto out = std::make_shared<Constant>();
    const std::string who = "tensor " + quote_name(tensor.name());
    out->type = element_of(tensor.data_type());
    if (out->type == Element::unknown) {
      const bool named = onnx::TensorProto_DataType_IsValid(tensor.data_type());
      refuse(who + " has elements of type " +
             (named ? onnx::TensorProto_DataType_Name(static_cast<onnx::TensorProto_DataType>(tensor.data_type()))
                    : std::to_string(tensor.data_type())) +
             ", which is not supported (floats, integers and booleans are)");
    }
    out->shape.assign(tensor.dims().begin(), tensor.dims().end());
    if (out->shape.size() > kMostAxesRead) refuse(who + " has " + std::to_string(out->shape.size()) + " axes");
    for (const std::int64_t extent : out->shape)
      if (extent < 0) refuse(who + " has the negative extent " + std::to_string(extent));
    const auto count = checked_product(out->shape);
    if (!count || *count > kMostConstant) refuse(who + " has too many elements: " + shape_text(out->shape));
    if (tensor.has_segment()) refuse(who + " is stored in segments, which is not supported");
    if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
      read_outside(tensor, who, *out);
    } else if (tensor.has_raw_data()) {
      check_size(who, tensor.raw_data().size(), *out);
      decode(tensor.raw_data(), *out);
      out->known = true;
    } else {
      read_fields(tensor, who, *out);
    }
    return out;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { throw ConfigError(one_line(file_.string() + ": " + what)); }

  void check_size(const std::string& who, std::size_t found, const Constant& c) const {
    const std::size_t expected = static_cast<std::size_t>(c.size()) * bytes_of(c.type);
    if (found == expected) return;
    refuse(who + " " + shape_text(c.shape) + " has " + std::to_string(found) + " bytes of data, expected " +
           std::to_string(expected));
  }

  void read_fields(const onnx::TensorProto& t, const std::string& who, Constant& out) const {
    const auto count = static_cast<int>(out.size());
    const auto check = [&](int found) {
      if (found != count) {
        refuse(who + " " + shape_text(out.shape) + " has " + std::to_string(found) + " elements, expected " +
               std::to_string(count));
      }
    };
    switch (out.type) {
      case Element::float32:
        check(t.float_data_size());
        out.floats.assign(t.float_data().begin(), t.float_data().end());
        break;
      case Element::float64:
        check(t.double_data_size());
        for (const double v : t.double_data()) out.floats.push_back(static_cast<float>(v));
        break;
      case Element::float16:
      case Element::bfloat16:
        check(t.int32_data_size());
        for (const std::int32_t v : t.int32_data()) {
          const auto bits = static_cast<std::uint16_t>(v);
          out.floats.push_back(out.type == Element::float16 ? float_of_half(bits) : float_of_bfloat(bits));
        }
        break;
      case Element::int64:
        check(t.int64_data_size());
        out.ints.assign(t.int64_data().begin(), t.int64_data().end());
        break;
      case Element::uint32:
      case Element::uint64:
        check(t.uint64_data_size());
        for (const std::uint64_t v : t.uint64_data()) out.ints.push_back(static_cast<std::int64_t>(v));
        break;
      default:
        check(t.int32_data_size());
        out.ints.assign(t.int32_data().begin(), t.int32_data().end());
    }
    out.known = true;
  }

  void read_outside(const onnx::TensorProto& t, const std::string& who, Constant& out) const {
    std::string location;
    std::int64_t offset = 0;
    std::int64_t length = -1;
    for (const onnx::StringStringEntryProto& entry : t.external_data()) {
      if (entry.key() == kLeftOut) return read_left_out(entry.value(), who, out);
      if (entry.key() == "location") location = entry.value();
      if (entry.key() == "offset") offset = whole_number(entry.value(), who);
      if (entry.key() == "length") length = whole_number(entry.value(), who);
    }
    const std::filesystem::path path(location);
    const bool leaves = path.is_absolute() || std::any_of(path.begin(), path.end(), [](auto& p) { return p == ".."; });
    if (location.empty()) refuse(who + " is stored in another file, but which one is not said");
    if (leaves) refuse(who + ": its data file " + quote_name(location) + " leaves the folder of the model");
    const std::filesystem::path file = file_.parent_path() / path;
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    if (error) refuse(who + ": its data file " + quote_name(location) + " is missing");
    const std::size_t expected = static_cast<std::size_t>(out.size()) * bytes_of(out.type);
    if (length >= 0) check_size(who, static_cast<std::size_t>(length), out);
    if (offset < 0 || static_cast<std::uintmax_t>(offset) > size ||
        expected > size - static_cast<std::uintmax_t>(offset)) {
      refuse(who + ": its data file " + quote_name(location) + " has " + std::to_string(size) + " bytes, but " +
             std::to_string(expected) + " at byte " + std::to_string(offset) + " are needed");
    }
    if (!keep_values_ && static_cast<std::int64_t>(expected) > kLargestPayload) return;
    if (expected > 0) {
      const MappedFile data(file);
      decode(data.bytes().substr(static_cast<std::size_t>(offset), expected), out);
    }
    out.known = true;
  }

  [[nodiscard]] std::int64_t whole_number(const std::string& text, const std::string& who) const {
    constexpr std::size_t kDigits = 18;
    if (text.empty() || text.size() > kDigits || text.find_first_not_of("0123456789") != std::string::npos)
      refuse(who + ": " + quote_name(text) + " is no place in a data file");
    return std::stoll(text);
  }

  // "<field>:<offset>:<length>" of onnx_wire.h. A model that brings such an entry itself reads bytes of its own.
  void read_left_out(const std::string& place, const std::string& who, Constant& out) const {
    const std::size_t first = place.find(':');
    const std::size_t second = place.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) refuse(who + ": malformed external data");
    const std::int64_t field = whole_number(place.substr(0, first), who);
    const auto offset = static_cast<std::size_t>(whole_number(place.substr(first + 1, second - first - 1), who));
    const auto length = static_cast<std::size_t>(whole_number(place.substr(second + 1), who));
    if (offset > bytes_.size() || length > bytes_.size() - offset) refuse(who + ": malformed external data");
    constexpr std::int64_t kRaw = 9;
    if (field == kRaw) check_size(who, length, out);
    if (!keep_values_) return;
    const std::string_view data = bytes_.substr(offset, length);
    if (field == kRaw) {
      decode(data, out);
    } else {  // packed numbers: parsed as the one field of a tensor
      onnx::TensorProto one;
      std::string message(1, static_cast<char>(field << 3 | 2));
      for (std::size_t rest = length;; rest >>= 7U) {
        message.push_back(static_cast<char>(rest >= 0x80 ? rest | 0x80 : rest));
        if (rest < 0x80) break;
      }
      message.append(data);
      if (!one.ParseFromString(message)) refuse(who + " is damaged");
      read_fields(one, who, out);
    }
    out.known = true;
  }

  std::filesystem::path file_;
  std::string_view bytes_;
  bool keep_values_;
};

onnx::TensorProto proto_of(const Constant& c) {
  onnx::TensorProto t;
  t.set_data_type(proto_type(c.type));
  for (const std::int64_t extent : c.shape) t.add_dims(extent);
  for (const float v : c.floats) {
    if (c.type == Element::float64) t.add_double_data(v);
    if (c.type == Element::float32) t.add_float_data(v);
  }
  for (const std::int64_t v : c.ints) {
    if (c.type == Element::int64) {
      t.add_int64_data(v);
    } else if (c.type == Element::uint64 || c.type == Element::uint32) {
      t.add_uint64_data(static_cast<std::uint64_t>(v));
    } else {
      t.add_int32_data(static_cast<std::int32_t>(v));
    }
  }
  return t;
}

// What the library asks about a node when it infers the node's output types.
class NodeContext : public onnx::InferenceContext {
 public:
  std::unordered_map<std::string, const onnx::AttributeProto*> attributes;
  std::vector<const onnx::TypeProto*> inputs;
  std::vector<const onnx::TensorProto*> data;
  std::vector<onnx::TypeProto> outputs;

  const onnx::AttributeProto* getAttribute(const std::string& name) const override {
    const auto it = attributes.find(name);
    return it == attributes.end() ? nullptr : it->second;
  }
  size_t getNumInputs() const override { return inputs.size(); }
  const onnx::TypeProto* getInputType(size_t i) const override { return i < inputs.size() ? inputs[i] : nullptr; }
  const onnx::TensorProto* getInputData(size_t i) const override { return i < data.size() ? data[i] : nullptr; }
  size_t getNumOutputs() const override { return outputs.size(); }
  onnx::TypeProto* getOutputType(size_t i) override { return &outputs.at(i); }
  onnx::GraphInferencer* getGraphAttributeInferencer(const std::string&) override { return nullptr; }
  const onnx::SparseTensorProto* getInputSparseData(size_t) const override { return nullptr; }
  const onnx::TensorShapeProto* getSymbolicInput(size_t) const override { return nullptr; }
};

// Operators that are newer than the library, and whose result has the shape and type of their input.
bool newer(const std::string& op) { return op == "Gelu" || op == "RMSNormalization"; }

bool standard(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

class Reader {
 public:
  Reader(std::filesystem::path file, const ReadOptions& options, std::string_view bytes)
      : file_(std::move(file)), options_(options), tensors_(file_, bytes, options.keep_values) {
    const std::string small = without_payloads(bytes, file_.string());
    if (small.size() > static_cast<std::size_t>(kLargestInputBytes)) {
      refuse("is larger than " + std::to_string(kLargestInputBytes >> 20) + " MiB without its weights");
    }
    if (!model_.ParseFromString(small)) refuse("is no ONNX model, or damaged");
  }

  Graph read() {
    check_model();
    graph_.file = file_.string();
    graph_.name = file_.stem().string();
    graph_.opset = opset_;
    read_initializers();
    read_inputs();
    read_known_shapes();
    for (const onnx::NodeProto& node : model_.graph().node()) read_node(node);
    for (const onnx::ValueInfoProto& output : model_.graph().output()) {
      const auto it = ids_.find(output.name());
      if (it == ids_.end()) refuse("output " + quote_name(output.name()) + " is not computed by any node");
      graph_.outputs.push_back(it->second);
      graph_.output_names.push_back(output.name());
    }
    return std::move(graph_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { throw ConfigError(one_line(file_.string() + ": " + what)); }

  void check_model() {
    if (!model_.has_graph() || model_.graph().node_size() == 0) refuse("has no graph, or one without nodes");
    if (static_cast<std::size_t>(model_.graph().node_size()) > kMostLayers) {
      refuse("has " + std::to_string(model_.graph().node_size()) + " nodes, at most " + std::to_string(kMostLayers) +
             " are possible");
    }
    for (const onnx::OperatorSetIdProto& set : model_.opset_import())
      if (standard(set.domain())) opset_ = set.version();
    if (opset_ < kOldestOpset || opset_ > kNewestOpset) {
      refuse("operator set " + std::to_string(opset_) + ", expected " + std::to_string(kOldestOpset) + " to " +
             std::to_string(kNewestOpset));
    }
    check_order();
    for (const onnx::NodeProto& node : model_.graph().node()) check_operator(node);
    if (model_.functions_size() > 0) refuse("defines functions of its own, which is not supported");
    if (model_.graph().sparse_initializer_size() > 0) refuse("has sparse initializers, which are not supported");
    if (opset_ > kNewestChecked) return;
    try {
      onnx::ModelProto copy = model_;
      copy.set_ir_version(std::clamp<std::int64_t>(copy.ir_version(), 3, kNewestFormat));
      strip_places(copy);
      onnx::checker::check_model(copy);
    } catch (const std::exception& error) {
      refuse("the ONNX checker refuses it: " + short_line(error.what()));
    }
  }

  // The checker would look for the files of external data; that is checked where tensors are read.
  static void strip_places(onnx::ModelProto& model) {
    const auto strip = [](onnx::TensorProto& tensor) {
      if (tensor.data_location() != onnx::TensorProto::EXTERNAL) return;
      tensor.clear_external_data();
      tensor.clear_data_location();
      tensor.clear_dims();
      tensor.add_dims(0);
    };
    for (onnx::TensorProto& tensor : *model.mutable_graph()->mutable_initializer()) strip(tensor);
    for (onnx::NodeProto& node : *model.mutable_graph()->mutable_node())
      for (onnx::AttributeProto& attribute : *node.mutable_attribute())
        if (attribute.has_t()) strip(*attribute.mutable_t());
    // Initializers are inputs as well in files older than IR 4, in others they need not be.
    model.set_ir_version(std::max<std::int64_t>(model.ir_version(), 4));
  }

  // Every node comes after those it depends on; else the message has the cycle, or what is missing.
  void check_order() const {
    const onnx::GraphProto& graph = model_.graph();
    std::set<std::string> known;
    std::unordered_map<std::string, int> producer;
    for (const onnx::ValueInfoProto& input : graph.input()) known.insert(input.name());
    for (const onnx::TensorProto& tensor : graph.initializer()) known.insert(tensor.name());
    for (int i = 0; i < graph.node_size(); ++i) {
      for (const std::string& output : graph.node(i).output()) {
        if (output.empty()) continue;
        if (!producer.emplace(output, i).second || known.count(output) > 0) {
          refuse("node " + quote_name(name_of_node(graph.node(i))) + ": a second tensor is called " +
                 quote_name(output));
        }
      }
    }
    for (int i = 0; i < graph.node_size(); ++i) {
      for (const std::string& input : graph.node(i).input()) {
        if (input.empty() || known.count(input) > 0) continue;
        const std::string who = "node " + quote_name(name_of_node(graph.node(i))) + ": ";
        const auto it = producer.find(input);
        if (it == producer.end()) refuse(who + "there is no tensor " + quote_name(input));
        refuse(who + "its input " + quote_name(input) +
               " is computed by a later node (a cycle, or nodes out of order)");
      }
      for (const std::string& output : graph.node(i).output()) known.insert(output);
    }
  }

  void check_operator(const onnx::NodeProto& node) const {
    const std::string who = "node " + quote_name(name_of_node(node)) + ": operator " + node.op_type();
    if (!standard(node.domain())) {
      refuse(who + " of domain " + quote_name(node.domain()) +
             " is not supported; supported: " + supported_operators());
    }
    if (newer(node.op_type()) && opset_ > kNewestChecked) return;
    if (onnx::OpSchemaRegistry::Schema(node.op_type(), static_cast<int>(std::min(opset_, kNewestChecked)), "") ==
        nullptr) {
      refuse(who + " is not supported; supported: " + supported_operators());
    }
  }

  static std::string name_of_node(const onnx::NodeProto& node) {
    if (!node.name().empty()) return node.name();
    return node.output_size() > 0 ? node.output(0) : node.op_type();
  }

  void set_type(int id, Element type, const Shape& shape) {
    Value& value = graph_.value(id);
    value.has_shape = true;
    value.shape = shape;
    value.type = type;
    types_.resize(graph_.values.size());
    onnx::TypeProto& proto = types_[static_cast<std::size_t>(id)];
    proto.Clear();
    proto.mutable_tensor_type()->set_elem_type(proto_type(type));
    onnx::TensorShapeProto* const dims = proto.mutable_tensor_type()->mutable_shape();
    for (const std::int64_t extent : shape) dims->add_dim()->set_dim_value(extent);
  }

  int new_value(const std::string& name) {
    const int id = graph_.add_value(name, {}, Element::unknown);
    graph_.value(id).has_shape = false;
    types_.resize(graph_.values.size());
    data_.resize(graph_.values.size());
    ids_[name] = id;
    return id;
  }

  void set_constant(int id, ConstantPtr constant) {
    set_type(id, constant->type, constant->shape);
    if (constant->known && constant->size() <= kMostShapeData)
      data_[static_cast<std::size_t>(id)] = std::make_unique<onnx::TensorProto>(proto_of(*constant));
    graph_.value(id).constant = std::move(constant);
  }

  void read_initializers() {
    for (const onnx::TensorProto& tensor : model_.graph().initializer()) {
      if (ids_.count(tensor.name()) > 0) refuse("a second tensor is called " + quote_name(tensor.name()));
      set_constant(new_value(tensor.name()), tensors_.read(tensor));
    }
  }

  // Inputs without values that are weights all the same: in a model that was saved without them. The metadata entry
  // "activation_inputs" lists the true inputs; without it, an input that only stands where operators have weights is
  // one.
  [[nodiscard]] std::set<std::string> weight_inputs() const {
    std::set<std::string> weights;
    for (const onnx::StringStringEntryProto& entry : model_.metadata_props()) {
      if (entry.key() != "activation_inputs") continue;
      std::set<std::string> activations;
      std::string word;
      for (const char c : entry.value() + " ") {
        if (c == ' ' || c == ',' || c == ';' || c == '\n') {
          if (!word.empty()) activations.insert(word);
          word.clear();
        } else {
          word += c;
        }
      }
      for (const onnx::ValueInfoProto& input : model_.graph().input())
        if (activations.count(input.name()) == 0) weights.insert(input.name());
      return weights;
    }
    static const std::set<std::string> kWeighted{
        "Conv",  "ConvTranspose", "Gemm", "BatchNormalization", "LayerNormalization",
        "PRelu", "LSTM",          "GRU",  "QLinearConv"};
    std::set<std::string> elsewhere;
    for (const onnx::NodeProto& node : model_.graph().node()) {
      for (int i = 0; i < node.input_size(); ++i) {
        const bool weight = i > 0 && kWeighted.count(node.op_type()) > 0;
        (weight ? weights : elsewhere).insert(node.input(i));
      }
    }
    for (const std::string& name : elsewhere) weights.erase(name);
    return weights;
  }

  void read_inputs() {
    const std::set<std::string> weights = weight_inputs();
    std::set<std::string> named;
    for (const onnx::ValueInfoProto& input : model_.graph().input()) {
      if (ids_.count(input.name()) > 0) continue;  // has an initializer
      const std::string who = "input " + quote_name(input.name());
      if (!input.type().has_tensor_type()) refuse(who + " is no tensor");
      const onnx::TypeProto_Tensor& type = input.type().tensor_type();
      const Element element = element_of(type.elem_type());
      if (element == Element::unknown) {
        refuse(who + " has elements of a type that is not supported (floats, integers and booleans are)");
      }
      if (!type.has_shape()) refuse(who + " has no shape");
      Shape shape;
      for (int axis = 0; axis < type.shape().dim_size(); ++axis)
        shape.push_back(extent_of(type.shape().dim(axis), input.name(), axis, named));
      const bool weight = weights.count(input.name()) > 0;
      if (!weight && options_.batch != 1) {
        if (shape.empty()) refuse(who + ": a scalar input has no batch dimension to multiply");
        shape[0] *= options_.batch;
      }
      check_shape_read(shape, who);
      const int id = new_value(input.name());
      if (weight) {
        set_constant(id, make_unknown(shape, element));
      } else {
        set_type(id, element, shape);
        graph_.inputs.push_back(id);
      }
    }
    for (const auto& [name, extent] : options_.dims) {
      if (named.count(name) > 0) continue;
      std::string list;
      for (const std::string& n : named) list += (list.empty() ? "" : ", ") + n;
      throw ConfigError("--dim " + name + "=" + std::to_string(extent) + ": " + file_.string() +
                        (named.empty() ? " has no symbolic dimensions" : " has the symbolic dimensions " + list));
    }
    if (graph_.inputs.empty()) refuse("has no inputs");
  }

  void check_shape_read(const Shape& shape, const std::string& who) const {
    const auto count = checked_product(shape);
    if (shape.size() > kMostAxesRead || !count || *count > kMostElements)
      refuse(who + " is too large: " + shape_text(shape));
  }

  std::int64_t extent_of(const onnx::TensorShapeProto_Dimension& dim, const std::string& input, int axis,
                         std::set<std::string>& named) const {
    if (dim.has_dim_value() && dim.dim_value() > 0 && dim.dim_value() <= kLargestDimension) return dim.dim_value();
    if (dim.has_dim_value() && dim.dim_value() > 0) {
      refuse("input " + quote_name(input) + " is too large: extent " + std::to_string(dim.dim_value()));
    }
    const std::string name = dim.dim_param().empty() ? input + "." + std::to_string(axis) : dim.dim_param();
    named.insert(name);
    const auto it = options_.dims.find(name);
    if (it != options_.dims.end()) return it->second;
    refuse("symbolic dimension " + quote_name(name) + " (axis " + std::to_string(axis) + " of input " +
           quote_name(input) + ") is unknown; give --dim " + name + "=EXTENT");
  }

  // Shapes that the file itself states, for where inference finds none.
  void read_known_shapes() {
    const auto add = [&](const onnx::ValueInfoProto& info) {
      if (!info.type().has_tensor_type() || !info.type().tensor_type().has_shape()) return;
      Shape shape;
      for (const auto& dim : info.type().tensor_type().shape().dim()) {
        const auto it = options_.dims.find(dim.dim_param());
        const bool given = !dim.has_dim_value() && !dim.dim_param().empty() && it != options_.dims.end();
        if (!given && (!dim.has_dim_value() || dim.dim_value() < 1)) return;
        shape.push_back(given ? it->second : dim.dim_value());
      }
      stated_[info.name()] = {element_of(info.type().tensor_type().elem_type()), shape};
    };
    if (options_.batch != 1) return;
    for (const onnx::ValueInfoProto& info : model_.graph().value_info()) add(info);
    for (const onnx::ValueInfoProto& info : model_.graph().output()) add(info);
  }

  [[nodiscard]] Attribute attribute_of(const onnx::AttributeProto& a, const Node& node) const {
    switch (a.type()) {
      case onnx::AttributeProto::INT:
        return a.i();
      case onnx::AttributeProto::FLOAT:
        return static_cast<double>(a.f());
      case onnx::AttributeProto::STRING:
        return a.s();
      case onnx::AttributeProto::INTS:
        return std::vector<std::int64_t>(a.ints().begin(), a.ints().end());
      case onnx::AttributeProto::FLOATS:
        return std::vector<double>(a.floats().begin(), a.floats().end());
      case onnx::AttributeProto::TENSOR:
        return tensors_.read(a.t());
      case onnx::AttributeProto::STRINGS: {
        std::string joined;
        for (const std::string& s : a.strings()) joined += (joined.empty() ? "" : " ") + s;
        return joined;
      }
      default:
        break;
    }
    graph_.refuse(node, "is not supported: attribute " + quote_name(a.name()) + " is a graph or of another kind; " +
                            "supported: " + supported_operators());
  }

  void read_node(const onnx::NodeProto& proto) {
    Node node;
    node.name = name_of_node(proto);
    node.op = proto.op_type();
    for (const std::string& input : proto.input()) node.inputs.push_back(input.empty() ? kAbsent : ids_.at(input));
    while (!node.inputs.empty() && node.inputs.back() == kAbsent) node.inputs.pop_back();
    for (const onnx::AttributeProto& a : proto.attribute()) node.attributes.emplace(a.name(), attribute_of(a, node));
    for (const std::string& output : proto.output()) {
      const int id = new_value(output.empty() ? "" : output);
      node.outputs.push_back(id);
    }
    infer(proto, node);
    if (fold(node)) return;
    for (const int output : node.outputs) {
      const Value& value = graph_.value(output);
      if (value.name.empty()) continue;
      if (value.type == Element::unknown || !value.has_shape) continue;  // an error where somebody needs it
      for (const std::int64_t extent : value.shape) {
        if (extent < 1) graph_.refuse(node, "computes an empty tensor " + shape_text(value.shape));
      }
      check_shape_read(value.shape, "node " + quote_name(node.name) + ": output");
    }
    graph_.nodes.push_back(std::move(node));
  }

  // What the library's inference takes for granted, and would crash on.
  void check_window(const Node& node) const {
    static const std::set<std::string> kWindowed{"Conv",          "ConvTranspose", "ConvInteger", "QLinearConv",
                                                 "MaxPool",       "AveragePool",   "LpPool",      "GlobalAveragePool",
                                                 "GlobalMaxPool", "GlobalLpPool",  "MaxUnpool",   "MaxRoiPool",
                                                 "RoiAlign"};
    if (kWindowed.count(node.op) == 0) return;
    const auto rank_of = [&](std::size_t input) {
      const int id = node.input(input);
      return id == kAbsent || !graph_.value(id).has_shape ? std::size_t{0} : graph_.value(id).shape.size();
    };
    const std::size_t rank = rank_of(0);
    if (rank < 3) graph_.refuse(node, "expected an input [N, C, …] with spatial axes");
    const bool weighted = node.op.find("Conv") != std::string::npos;
    const std::size_t weight = node.op == "QLinearConv" ? 3 : 1;
    if (weighted && rank_of(weight) != rank) graph_.refuse(node, "its weights have not as many axes as its input");
    const auto check = [&](const char* key, std::size_t times, std::int64_t least) {
      if (!node.has(key)) return;
      const std::vector<std::int64_t> list = node.integers(key);
      bool fits = list.size() == times * (rank - 2);
      for (const std::int64_t v : list) fits = fits && v >= least && v <= kLargestWindow;
      if (!fits) graph_.refuse(node, std::string(key) + " does not go with its input or is out of range");
    };
    check("kernel_shape", 1, 1);
    check("strides", 1, 1);
    check("dilations", 1, 1);
    check("pads", 2, -kLargestWindow);
    check("output_padding", 1, 0);
    check("output_shape", 1, 1);
    if (node.integer("group", 1) < 1) graph_.refuse(node, "group must be 1 or more");
  }

  void infer(const onnx::NodeProto& proto, const Node& node) {
    check_window(node);
    NodeContext context;
    onnx::NodeProto plain = proto;
    move_axes_to_attribute(plain, node);
    for (const onnx::AttributeProto& a : plain.attribute()) context.attributes[a.name()] = &a;
    for (int i = 0; i < plain.input_size(); ++i) {
      const int id = plain.input(i).empty() ? kAbsent : ids_.at(plain.input(i));
      const auto at = static_cast<std::size_t>(id);
      const bool typed = id != kAbsent && graph_.value(id).type != Element::unknown;
      context.inputs.push_back(typed ? &types_[at] : nullptr);
      context.data.push_back(id != kAbsent ? data_[at].get() : nullptr);
    }
    context.outputs.resize(node.outputs.size());
    const onnx::OpSchema* schema =
        onnx::OpSchemaRegistry::Schema(node.op, static_cast<int>(std::min(opset_, kNewestChecked)), "");
    if (schema == nullptr) {
      if (!context.inputs.empty() && context.inputs[0] != nullptr) context.outputs[0] = *context.inputs[0];
      for (std::size_t i = 0; i < node.outputs.size(); ++i) take_type(node.outputs[i], context.outputs[i], node);
      return;
    }
    try {
      schema->GetTypeAndShapeInferenceFunction()(context);
    } catch (const ConfigError&) {
      throw;
    } catch (const std::exception& error) {
      graph_.refuse(node, "shapes do not go together: " + short_line(error.what()));
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) take_type(node.outputs[i], context.outputs[i], node);
  }

  // From operator set 18 on reductions have their axes as an input; the library knows the older form.
  void move_axes_to_attribute(onnx::NodeProto& proto, const Node& node) const {
    if (opset_ <= kNewestChecked) return;
    if (node.op == "Split") {
      for (int i = proto.attribute_size(); i-- > 0;)
        if (proto.attribute(i).name() == "num_outputs") proto.mutable_attribute()->DeleteSubrange(i, 1);
    }
    if (node.op.rfind("Reduce", 0) != 0 || node.op == "ReduceSum" || proto.input_size() < 2) return;
    const ConstantPtr axes = graph_.constant_input(node, 1);
    if (axes != nullptr && axes->known && !axes->ints.empty()) {
      onnx::AttributeProto* const a = proto.add_attribute();
      a->set_name("axes");
      a->set_type(onnx::AttributeProto::INTS);
      for (const std::int64_t axis : axes->ints) a->add_ints(axis);
    }
    while (proto.input_size() > 1) proto.mutable_input()->RemoveLast();
  }

  void take_type(int id, const onnx::TypeProto& inferred, const Node& node) {
    const std::string name = graph_.value(id).name;
    if (inferred.has_sequence_type() || inferred.has_optional_type()) {
      graph_.refuse(node, "its result is a sequence or optional, which is not supported");
    }
    Element type = element_of(inferred.tensor_type().elem_type());
    const auto stated = stated_.find(name);
    bool whole = inferred.tensor_type().has_shape();
    Shape shape;
    for (const auto& dim : inferred.tensor_type().shape().dim()) {
      whole = whole && dim.has_dim_value() && dim.dim_value() >= 0;
      shape.push_back(dim.dim_value());
    }
    if (type == Element::unknown && stated != stated_.end()) type = stated->second.first;
    if (!whole && stated != stated_.end()) {
      shape = stated->second.second;
      whole = true;
    }
    if (type == Element::unknown && !inferred.has_tensor_type()) return;
    if (whole) {
      set_type(id, type, shape);
    } else {
      graph_.value(id).type = type;
      types_[static_cast<std::size_t>(id)].mutable_tensor_type()->set_elem_type(proto_type(type));
    }
  }

  // True if every output is constant; the node is then left out.
  bool fold(const Node& node) {
    static const std::set<std::string> kNever{"RandomNormal",      "RandomUniform", "RandomNormalLike",
                                              "RandomUniformLike", "Bernoulli",     "Multinomial"};
    if (kNever.count(node.op) > 0) graph_.refuse(node, "is not supported; supported: " + supported_operators());
    bool constant = true;
    bool known = true;
    const bool shape_only = node.op == "Shape" || node.op == "Size";
    for (const int input : node.inputs) {
      if (input == kAbsent) continue;
      const Value& value = graph_.value(input);
      if (shape_only && value.has_shape) continue;
      constant = constant && value.constant != nullptr;
      known = known && value.constant != nullptr && value.constant->known;
    }
    if (!constant) return false;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const int id = node.outputs[i];
      const Value& value = graph_.value(id);
      const bool small = !value.has_shape || options_.keep_values ||
                         checked_product(value.shape).value_or(kMostFolded + 1) <= kMostFolded;
      ConstantPtr result = known && small ? evaluate(graph_, node, i) : nullptr;
      if (result == nullptr) {
        if (!value.has_shape || value.type == Element::unknown) {
          if (value.name.empty()) continue;
          graph_.refuse(node, "cannot be computed while reading, so its shape stays unknown");
        }
        result = make_unknown(value.shape, value.type);
      }
      const auto count = checked_product(result->shape);
      if (!count || *count > kMostConstant) graph_.refuse(node, "makes a constant that is too large");
      set_constant(id, std::move(result));
    }
    return true;
  }

  std::filesystem::path file_;
  const ReadOptions& options_;
  TensorReader tensors_;
  onnx::ModelProto model_;
  std::int64_t opset_ = 0;
  Graph graph_;
  std::unordered_map<std::string, int> ids_;
  std::vector<onnx::TypeProto> types_;                    // by value
  std::vector<std::unique_ptr<onnx::TensorProto>> data_;  // by value: small constants
  std::unordered_map<std::string, std::pair<Element, Shape>> stated_;
};

// The library writes what it dislikes to stderr; what matters comes as an error.
void keep_quiet() {
  static const bool kDone = [] {
    google::protobuf::SetLogHandler(nullptr);
    return true;
  }();
  static_cast<void>(kDone);
}

}  // namespace

Graph read_graph(const std::filesystem::path& file, const ReadOptions& options) {
  keep_quiet();
  const MappedFile bytes(file);
  return Reader(file, options, bytes.bytes()).read();
}

Constant read_tensor(const std::filesystem::path& file) {
  keep_quiet();
  const MappedFile bytes(file);
  onnx::TensorProto tensor;
  if (!tensor.ParseFromArray(bytes.bytes().data(),
                             static_cast<int>(std::min<std::size_t>(bytes.bytes().size(), 1U << 30U)))) {
    throw ConfigError(file.string() + ": is no tensor (TensorProto), or damaged");
  }
  return *TensorReader(file, bytes.bytes(), true).read(tensor);
}

}  // namespace accsim::model::importer
