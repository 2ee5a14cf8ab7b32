#include "model/workload/network_spec.h"

#include <algorithm>
#include <limits>

#include "model/workload/operator_table.h"

namespace accsim::model {
namespace {

constexpr std::string_view kSchema = "accsim-net/1";
constexpr std::size_t kMostDeclared = 100'000;
constexpr std::size_t kLongestName = 256;
constexpr double kLargestFloat = std::numeric_limits<float>::max();
using Integers = std::vector<std::int64_t>;

const Choices<DataType>& precisions() {
  static const Choices<DataType> kChoices{{"int4", DataType::int4},   {"int8", DataType::int8},
                                          {"int16", DataType::int16}, {"fp16", DataType::fp16},
                                          {"bf16", DataType::bf16},   {"fp32", DataType::fp32}};
  return kChoices;
}

void add_window(Record<LayerSpec>& record, bool convolution) {
  const std::string kernel_doc = convolution ? "window, one number a spatial axis; [] = as the weight tensor"
                                             : "window, one number a spatial axis";
  if (convolution) {
    record.integers("kernel_shape", &LayerSpec::kernel_shape, {1, kLargestWindow}, 0, kMostAxes, Integers{},
                    kernel_doc);
  } else {
    record.integers("kernel_shape", &LayerSpec::kernel_shape, {1, kLargestWindow}, 1, kMostAxes, {}, kernel_doc);
  }
  record
      .integers("strides", &LayerSpec::strides, {1, kLargestWindow}, 0, kMostAxes, Integers{},
                "distance of windows, one number a spatial axis; [] = all 1")
      .integers("pads", &LayerSpec::pads, {0, kLargestWindow}, 0, 2 * kMostAxes, Integers{},
                "begin of every spatial axis, then end of every spatial axis; [] = all 0")
      .integers("dilations", &LayerSpec::dilations, {1, kLargestWindow}, 0, kMostAxes, Integers{},
                "distance of elements in the window, one number a spatial axis; [] = all 1")
      .choice("auto_pad", &LayerSpec::auto_pad,
              {{"NOTSET", AutoPad::notset},
               {"SAME_UPPER", AutoPad::same_upper},
               {"SAME_LOWER", AutoPad::same_lower},
               {"VALID", AutoPad::valid}},
              std::optional(AutoPad::notset),
              "SAME: output = ceil(input / stride), the odd element of padding at the end or begin");
}

void add_pool(Record<LayerSpec>& record) {
  add_window(record, false);
  record.integer("ceil_mode", &LayerSpec::ceil_mode, {0, 1}, 0,
                 "1: a last window that is only partly inside counts too, if it starts inside");
}

void add_axis(Record<LayerSpec>& record, std::optional<std::int64_t> fallback, const std::string& doc) {
  constexpr auto kMost = static_cast<std::int64_t>(kMostAxes);
  record.integer("axis", &LayerSpec::axis, {-kMost, kMost}, fallback, doc + "; negative = counted from the end");
}

constexpr IntegerRange kAnyInteger{};
constexpr IntegerRange kAxisRange{-static_cast<std::int64_t>(kMostAxes), static_cast<std::int64_t>(kMostAxes) - 1};

void add_quantization(Record<LayerSpec>& record) {
  record.number("scale", &LayerSpec::scale, {std::numeric_limits<float>::denorm_min(), kLargestFloat}, {}, "step")
      .integer("zero_point", &LayerSpec::zero_point, {-kLargestDimension, kLargestDimension}, 0, "integer of 0.0");
}

Record<LayerSpec> make_layer_record(const OpInfo& op) {
  Record<LayerSpec> record(std::string(op.name), std::string(op.doc));
  record.text("name", &LayerSpec::name, {}, "unique; also the name of the output tensor")
      .choice("op", &LayerSpec::op, {{std::string(op.name), op.type}}, {}, "operator")
      .texts("inputs", &LayerSpec::inputs, op.min_inputs, op.max_inputs, {}, std::string(op.inputs))
      .texts("outputs", &LayerSpec::outputs, 0, 1, std::vector<std::string>{},
             "another name for the output tensor; [] = the layer's name");
  switch (op.type) {
    case OpType::conv:
      record.integer("out_channels", &LayerSpec::out_channels, {0, kLargestDimension}, 0,
                     "output channels; 0 = as the weight tensor");
      add_window(record, true);
      record
          .integer("group", &LayerSpec::group, {1, kLargestDimension}, 1,
                   "groups; as many as input channels = depthwise")
          .boolean("bias", &LayerSpec::bias, true,
                   "adds a bias; with explicit weights: whether a third input is there");
      break;
    case OpType::gemm:
      record
          .integer("out_features", &LayerSpec::out_features, {0, kLargestDimension}, 0,
                   "columns of the result; 0 = as the weight tensor")
          .boolean("bias", &LayerSpec::bias, true, "adds a bias; with explicit weights: whether a third input is there")
          .integer("transA", &LayerSpec::trans_a, {0, 1}, 0, "1: A is stored as [K, M]")
          .integer("transB", &LayerSpec::trans_b, {0, 1}, 0, "1: B is stored as [N, K], else [K, N]");
      break;
    case OpType::max_pool:
      add_pool(record);
      break;
    case OpType::average_pool:
      add_pool(record);
      record.integer("count_include_pad", &LayerSpec::count_include_pad, {0, 1}, 0,
                     "1: padding counts as zeros in the mean");
      break;
    case OpType::clip:
      record.number("min", &LayerSpec::min, {-kLargestFloat, kLargestFloat}, -kLargestFloat, "lower limit")
          .number("max", &LayerSpec::max, {-kLargestFloat, kLargestFloat}, kLargestFloat, "upper limit");
      break;
    case OpType::softmax:
      add_axis(record, -1, "the axis that sums to 1");
      break;
    case OpType::gelu:
      record.choice("approximate", &LayerSpec::by_tanh, {{"none", 0}, {"tanh", 1}}, std::optional(0),
                    "none: by the error function, tanh: by a hyperbolic tangent");
      break;
    case OpType::leaky_relu:
      record.number("alpha", &LayerSpec::alpha, {-kLargestFloat, kLargestFloat}, 0.01, "slope of negative numbers");
      break;
    case OpType::hard_sigmoid:
      record.number("alpha", &LayerSpec::alpha, {-kLargestFloat, kLargestFloat}, 0.2, "slope")
          .number("beta", &LayerSpec::beta, {-kLargestFloat, kLargestFloat}, 0.5, "value at 0");
      break;
    case OpType::quantize_linear:
      add_quantization(record);
      record.number("min", &LayerSpec::min, {-kLargestFloat, kLargestFloat}, -128, "smallest integer")
          .number("max", &LayerSpec::max, {-kLargestFloat, kLargestFloat}, 127, "largest integer");
      break;
    case OpType::dequantize_linear:
      add_quantization(record);
      break;
    case OpType::rms_normalization:
      add_axis(record, -1, "first normalised axis");
      record.number("epsilon", &LayerSpec::epsilon, {0, 1}, 1e-5, "added to the mean of squares");
      break;
    case OpType::reduce_mean:
      record
          .integers("axes", &LayerSpec::axes, kAxisRange, 1, kMostAxes, {},
                    "axes that the mean is taken over, next to each other; negative = counted from the end")
          .integer("keepdims", &LayerSpec::keep_dims, {0, 1}, 1, "1: these axes stay with extent 1; 0: they are gone");
      break;
    case OpType::slice:
      record
          .integers("axes", &LayerSpec::axes, kAxisRange, 1, kMostAxes, {},
                    "axes that are cut; negative = counted from the end")
          .integers("starts", &LayerSpec::starts, kAnyInteger, 1, kMostAxes, {},
                    "first element on each of these axes; negative = counted from the end")
          .integers("ends", &LayerSpec::ends, kAnyInteger, 1, kMostAxes, {},
                    "the element behind the last; negative = counted from the end, beyond it = to the end")
          .integers("steps", &LayerSpec::steps, {1, kLargestDimension}, 0, kMostAxes, Integers{},
                    "distance of the elements taken; [] = all 1");
      break;
    case OpType::expand:
      record.integers("shape", &LayerSpec::shape, {1, kLargestDimension}, 0, kMostAxes, {},
                      "what the input is broadcast to; 1 = the input's extent");
      break;
    case OpType::pad:
      record.integers("pads", &LayerSpec::pads, {0, kLargestWindow}, 2, 2 * kMostAxes, {},
                      "zeros before every axis, then behind every axis");
      break;
    case OpType::resize:
      record
          .integers("scales", &LayerSpec::scales, {1, kLargestWindow}, 3, kMostAxes, {},
                    "whole factor of every axis, 1 for the first two")
          .choice("mode", &LayerSpec::resize_mode,
                  {{"nearest", ResizeMode::nearest},
                   {"half_pixel", ResizeMode::half_pixel},
                   {"align_corners", ResizeMode::align_corners},
                   {"asymmetric", ResizeMode::asymmetric}},
                  std::optional(ResizeMode::nearest),
                  "nearest: every element repeated; the others: linear interpolation, by where the pixels lie");
      break;
    case OpType::depth_to_space:
      record.integer("blocksize", &LayerSpec::block, {1, kLargestWindow}, {}, "rows and columns of a block")
          .choice("mode", &LayerSpec::column_row, {{"DCR", false}, {"CRD", true}}, std::optional(false),
                  "DCR: the place in the block is the outer part of the channel, CRD: the inner part");
      break;
    case OpType::layer_normalization:
      add_axis(record, -1, "first normalised axis");
      record.number("epsilon", &LayerSpec::epsilon, {0, 1}, 1e-5, "added to the variance")
          .boolean("bias", &LayerSpec::bias, true,
                   "adds a bias; with explicit weights: whether a third input is there");
      break;
    case OpType::gather:
      add_axis(record, 0, "axis of the table that the indices select from");
      break;
    case OpType::flatten:
      add_axis(record, 1, "first axis of the second dimension");
      break;
    case OpType::reshape:
      record.integers("shape", &LayerSpec::shape, {-1, kLargestDimension}, 0, kMostAxes, {},
                      "new shape; one -1 = what is left, 0 = the input's extent at this place");
      break;
    case OpType::transpose:
      record.integers("perm", &LayerSpec::perm, {0, static_cast<std::int64_t>(kMostAxes) - 1}, 0, kMostAxes, Integers{},
                      "output axis i is input axis perm[i]; [] = reversed");
      break;
    case OpType::concat:
      add_axis(record, {}, "axis along which the inputs are joined");
      break;
    default:  // no attributes
      break;
  }
  return record;
}

void check_name(const std::string& name, const Origin& at) {
  if (name.empty()) fail(at, "expected a name, found an empty string");
  if (name.size() > kLongestName) fail(at, "name longer than " + std::to_string(kLongestName) + " bytes");
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) fail(at, "control character in a name, " + describe(name));
  }
}

LayerSpec parse_layer(const Json& json, const Origin& at) {
  if (!json.is_object()) fail(at, "expected an object (a layer), " + describe(json));
  const auto name = json.find("name");
  const std::string who =
      name != json.end() && name->is_string() ? " (layer " + quote_name(name->get<std::string>()) + ")" : "";
  std::vector<std::string> operators;
  for (const OpInfo& op : operator_table()) operators.emplace_back(op.name);
  try {
    const auto op = json.find("op");
    if (op == json.end()) fail(at, "missing key \"op\" (the operator, as in ONNX)");
    const auto type = operator_table()[read_choice(*op, operators, at.key("op"))].type;
    LayerSpec layer = layer_record(type).parse(json, at);
    layer.bias_given = json.contains("bias");
    check_name(layer.name, at.key("name"));
    for (std::size_t i = 0; i < layer.inputs.size(); ++i) check_name(layer.inputs[i], at.key("inputs").index(i));
    for (std::size_t i = 0; i < layer.outputs.size(); ++i) check_name(layer.outputs[i], at.key("outputs").index(i));
    return layer;
  } catch (const ConfigError& error) {
    throw ConfigError(error.what() + who);
  }
}

}  // namespace

std::string quote_name(const std::string& name) {
  constexpr std::size_t kLongestShown = 80;
  std::string shown = name;
  if (shown.size() > kLongestShown) shown = shown.substr(0, kLongestShown) + "...";
  return Json(shown).dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Record<LayerSpec>& layer_record(OpType type) {
  static const std::vector<Record<LayerSpec>> kRecords = [] {
    std::vector<Record<LayerSpec>> made;
    for (const OpInfo& op : operator_table()) made.push_back(make_layer_record(op));
    return made;
  }();
  return kRecords.at(static_cast<std::size_t>(type));
}

const Record<TensorSpec>& tensor_record() {
  static const Record<TensorSpec> kRecord = [] {
    Record<TensorSpec> made("tensor", "a network input or a constant");
    made.text("name", &TensorSpec::name, {}, "unique among all tensors")
        .integers("shape", &TensorSpec::shape, {1, kLargestDimension}, 0, kMostAxes, {},
                  "extents, outermost first; [] = scalar")
        .choice("type", &TensorSpec::type,
                {{"auto", DeclaredType::automatic},
                 {"int4", DeclaredType::int4},
                 {"int8", DeclaredType::int8},
                 {"int16", DeclaredType::int16},
                 {"int32", DeclaredType::int32},
                 {"fp16", DeclaredType::fp16},
                 {"bf16", DeclaredType::bf16},
                 {"fp32", DeclaredType::fp32}},
                std::optional(DeclaredType::automatic),
                "auto = by use: indices and integer biases int32, else the network's precision");
    return made;
  }();
  return kRecord;
}

const Record<NetworkSpec>& network_record() {
  static const Record<NetworkSpec> kRecord = [] {
    Record<NetworkSpec> made("network", "accsim-net/1");
    made.text("name", &NetworkSpec::name, {}, "name of the network, for reports")
        .choice("precision", &NetworkSpec::precision, precisions(), std::optional(DataType::int8),
                "type of weights and activations")
        .list("inputs", &NetworkSpec::inputs, tensor_record(), 1, kMostDeclared, "network inputs")
        .list("weights", &NetworkSpec::weights, tensor_record(), 0, kMostDeclared,
              "named constants that any layer may take as an input")
        .texts("outputs", &NetworkSpec::outputs, 0, kMostDeclared, std::vector<std::string>{},
               "network outputs; [] = every tensor that no layer takes");
    return made;
  }();
  return kRecord;
}

NetworkSpec parse_network_spec(const Json& json, const std::string& file) {
  require_schema(json, kSchema, file);
  const Origin root{file, ""};
  std::vector<std::string> allowed = network_record().keys();
  allowed.insert(allowed.begin(), "schema");
  allowed.emplace_back("layers");
  Json head = Json::object();
  for (const auto& [key, value] : json.items()) {
    if (!key.empty() && key[0] == '_') continue;
    if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) fail_unknown_key(key, allowed, root);
    if (key != "schema" && key != "layers") head[key] = value;
  }
  NetworkSpec spec = network_record().parse(head, root);
  check_name(spec.name, root.key("name"));
  for (std::size_t i = 0; i < spec.inputs.size(); ++i)
    check_name(spec.inputs[i].name, root.key("inputs").index(i).key("name"));
  for (std::size_t i = 0; i < spec.weights.size(); ++i)
    check_name(spec.weights[i].name, root.key("weights").index(i).key("name"));
  for (std::size_t i = 0; i < spec.outputs.size(); ++i) check_name(spec.outputs[i], root.key("outputs").index(i));

  const auto layers = json.find("layers");
  const Origin at = root.key("layers");
  if (layers == json.end()) fail(root, "missing key \"layers\" (list: the operators)");
  if (!layers->is_array()) fail(at, "expected a list of layers, " + describe(*layers));
  if (layers->empty() || layers->size() > kMostLayers) {
    fail(at, "expected 1 to " + std::to_string(kMostLayers) + " layers, found " + std::to_string(layers->size()));
  }
  for (std::size_t i = 0; i < layers->size(); ++i) spec.layers.push_back(parse_layer((*layers)[i], at.index(i)));
  return spec;
}

Json network_schema() {
  Json schema = network_record().schema();
  Json variants = Json::array();
  for (const OpInfo& op : operator_table()) variants.push_back(layer_record(op.type).schema());
  Json properties = {{"schema", {{"type", "string"}, {"const", kSchema}}}};
  for (const auto& [key, value] : schema["properties"].items()) properties[key] = value;
  properties["layers"] = {
      {"type", "array"}, {"minItems", 1}, {"maxItems", kMostLayers}, {"items", {{"oneOf", std::move(variants)}}}};
  schema["properties"] = std::move(properties);
  schema["required"].push_back("schema");
  schema["required"].push_back("layers");
  return schema;
}

}  // namespace accsim::model
