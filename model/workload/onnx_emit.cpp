// From a rewritten ONNX graph to a NetworkSpec: one layer a node, weights made by the layer where the JSON form makes
// them, so that a converted file reads like one written by hand.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <unordered_map>

#include "model/base/error.h"
#include "model/workload/onnx_graph.h"
#include "model/workload/onnx_load.h"
#include "model/workload/onnx_rewrite.h"
#include "model/workload/operator_table.h"

namespace accsim::model {
namespace importer {
namespace {

using Integers = std::vector<std::int64_t>;
constexpr std::size_t kLongestName = 200;  // a suffix fits behind it

std::optional<OpType> operator_named(const std::string& name) {
  for (const OpInfo& op : operator_table())
    if (op.name == name) return op.type;
  return std::nullopt;
}

std::string clean(const std::string& name, const std::string& fallback) {
  std::string out;
  for (const char c : name) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '_' : c;
  if (out.size() > kLongestName) out.resize(kLongestName);
  return out.empty() ? fallback : out;
}

std::int64_t product(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

class Emitter {
 public:
  Emitter(Graph graph, bool with_values) : g_(std::move(graph)), with_values_(with_values) {
    out_.spec.name = clean(g_.name, "network");
    count_uses();
    reserve_names();
  }

  OnnxNetwork run() {
    for (const Node& node : g_.nodes) emit(node);
    for (std::size_t i = 0; i < g_.outputs.size(); ++i) add_output(i);
    return std::move(out_);
  }

  static const std::map<std::string, void (Emitter::*)(const Node&)>& table() {
    static const std::map<std::string, void (Emitter::*)(const Node&)> kTable{
        {"Conv", &Emitter::conv},
        {"Gemm", &Emitter::gemm},
        {"Linear", &Emitter::linear},
        {"MatMul", &Emitter::plain},
        {"MaxPool", &Emitter::pool},
        {"AveragePool", &Emitter::pool},
        {"GlobalAveragePool", &Emitter::plain},
        {"Add", &Emitter::plain},
        {"Mul", &Emitter::plain},
        {"Relu", &Emitter::plain},
        {"Sigmoid", &Emitter::plain},
        {"Tanh", &Emitter::plain},
        {"Gelu", &Emitter::gelu},
        {"Clip", &Emitter::clip},
        {"Softmax", &Emitter::softmax},
        {"LayerNormalization", &Emitter::normalization},
        {"Gather", &Emitter::gather},
        {"Flatten", &Emitter::axis_only},
        {"Concat", &Emitter::axis_only},
        {"Reshape", &Emitter::reshape},
        {"Squeeze", &Emitter::reshape},
        {"Unsqueeze", &Emitter::reshape},
        {"Transpose", &Emitter::transpose},
        {"Sub", &Emitter::plain},
        {"Div", &Emitter::plain},
        {"Pow", &Emitter::plain},
        {"PRelu", &Emitter::prelu},
        {"Where", &Emitter::plain},
        {"Neg", &Emitter::plain},
        {"Sqrt", &Emitter::plain},
        {"Exp", &Emitter::plain},
        {"Erf", &Emitter::plain},
        {"Silu", &Emitter::plain},
        {"HardSwish", &Emitter::plain},
        {"LeakyRelu", &Emitter::with_alpha},
        {"HardSigmoid", &Emitter::with_alpha},
        {"QuantizeLinear", &Emitter::quantize},
        {"DequantizeLinear", &Emitter::quantize},
        {"RMSNormalization", &Emitter::normalization},
        {"ReduceMean", &Emitter::reduce_mean},
        {"Slice", &Emitter::slice},
        {"Expand", &Emitter::expand},
        {"Pad", &Emitter::pad},
        {"Resize", &Emitter::resize},
        {"Upsample", &Emitter::resize},
        {"DepthToSpace", &Emitter::depth_to_space},
    };
    return kTable;
  }

 private:
  void count_uses() {
    uses_.assign(g_.values.size(), 0);
    for (const Node& node : g_.nodes)
      for (const int input : node.inputs)
        if (input != kAbsent) ++uses_[static_cast<std::size_t>(input)];
  }

  void reserve_names() {
    tensor_.resize(g_.values.size());
    for (const int id : g_.inputs) {
      const Value& value = g_.value(id);
      TensorSpec tensor;
      tensor.name = unique(clean(value.name, "input"));
      tensor.shape = value.shape;
      tensor_[static_cast<std::size_t>(id)] = tensor.name;
      out_.inputs.push_back(value.name);
      out_.spec.inputs.push_back(std::move(tensor));
    }
    for (std::size_t i = 0; i < g_.outputs.size(); ++i) {
      const auto at = static_cast<std::size_t>(g_.outputs[i]);
      if (g_.values[at].constant == nullptr && tensor_[at].empty()) {
        tensor_[at] = unique(clean(g_.output_names[i], "output"));
        reserved_.insert(tensor_[at]);
      }
    }
  }

  std::string unique(const std::string& wanted) {
    std::string name = wanted;
    for (int i = 2; !names_.insert(name).second; ++i) name = wanted + "_" + std::to_string(i);
    return name;
  }

  [[nodiscard]] const Shape& shape(int id, const Node& node) const {
    const Value& value = g_.value(id);
    if (!value.has_shape) g_.refuse(node, "the shape of tensor " + quote_name(value.name) + " is unknown");
    return value.shape;
  }

  // The tensor's name in the network; a constant becomes a declared weight.
  std::string tensor(int id, const Node& node) {
    const auto at = static_cast<std::size_t>(id);
    if (!tensor_[at].empty()) return tensor_[at];
    const ConstantPtr constant = g_.values[at].constant;
    if (constant == nullptr) g_.refuse(node, "tensor " + quote_name(g_.values[at].name) + " is computed by nothing");
    TensorSpec weight;
    weight.name = unique(clean(g_.values[at].name, node.name + ".constant"));
    weight.shape = constant->shape;
    keep(weight.name, *constant, node);
    tensor_[at] = weight.name;
    out_.spec.weights.push_back(std::move(weight));
    return tensor_[at];
  }

  void keep(const std::string& name, const Constant& constant, const Node& node) {
    if (!with_values_) return;
    if (!constant.known) g_.refuse(node, "the values of tensor " + quote_name(name) + " are not in the file");
    TensorValues values{constant.shape, constant.floats};
    for (const std::int64_t v : constant.ints) values.values.push_back(static_cast<float>(v));
    out_.weights[name] = std::move(values);
  }

  LayerSpec layer(const Node& node, OpType type, const std::string& suffix = "") {
    LayerSpec spec;
    spec.op = type;
    spec.name = unique(clean(node.name + suffix, "layer"));
    return spec;
  }

  // Adds the layer; its result is the value.
  void add(LayerSpec spec, int result) {
    std::string& name = tensor_[static_cast<std::size_t>(result)];
    if (reserved_.count(name) > 0 && name != spec.name) spec.outputs = {name};
    if (name.empty()) name = spec.name;
    out_.spec.layers.push_back(std::move(spec));
  }
  // Adds the layer as a step of a node; returns its tensor.
  std::string add_step(LayerSpec spec) {
    out_.spec.layers.push_back(std::move(spec));
    return out_.spec.layers.back().name;
  }

  // Whether a constant input can be the tensor "<layer>.<suffix>" that the layer makes itself.
  [[nodiscard]] bool own(int id) const {
    return id != kAbsent && g_.constant(id) != nullptr && uses_[static_cast<std::size_t>(id)] == 1 &&
           tensor_[static_cast<std::size_t>(id)].empty();
  }
  void keep_own(const LayerSpec& spec, const std::string& suffix, int id, const Node& node) {
    names_.insert(spec.name + "." + suffix);
    keep(spec.name + "." + suffix, *g_.constant(id), node);
  }
  [[nodiscard]] bool free_suffixes(const LayerSpec& spec) const {
    return names_.count(spec.name + ".weight") == 0 && names_.count(spec.name + ".bias") == 0 &&
           names_.count(spec.name + ".scale") == 0;
  }

  void emit(const Node& node) {
    const auto it = table().find(node.op);
    const bool known = it != table().end();
    if (!known) g_.refuse(node, "is not supported; supported: " + supported_operators());
    for (std::size_t i = 1; i < node.outputs.size(); ++i) {
      const int output = node.outputs[i];
      const bool wanted = uses_[static_cast<std::size_t>(output)] > 0 ||
                          std::find(g_.outputs.begin(), g_.outputs.end(), output) != g_.outputs.end();
      if (wanted) g_.refuse(node, "its output " + quote_name(g_.value(output).name) + " is not supported");
    }
    for (const int input : node.inputs)
      if (input != kAbsent) static_cast<void>(shape(input, node));
    static_cast<void>(shape(node.outputs[0], node));
    (this->*it->second)(node);
  }

  void add_output(std::size_t i) {
    const int id = g_.outputs[i];
    Node node;
    node.name = g_.output_names[i];
    node.op = "output";
    const bool computed =
        g_.constant(id) == nullptr && std::find(g_.inputs.begin(), g_.inputs.end(), id) == g_.inputs.end();
    const std::string from = tensor(id, node);
    const bool twice = std::find(out_.outputs.begin(), out_.outputs.end(), from) != out_.outputs.end();
    out_.output_names.push_back(g_.output_names[i]);
    if (computed && !twice) {
      out_.outputs.push_back(from);
    } else {  // an input, a constant, or another output under a second name: the same bytes
      LayerSpec alias = layer(node, OpType::reshape);
      alias.inputs = {from};
      alias.shape = shape(id, node);
      out_.outputs.push_back(add_step(std::move(alias)));
    }
    out_.spec.outputs.push_back(out_.outputs.back());
  }

  void plain(const Node& node) {
    const auto type = operator_named(node.op);
    if (!type) g_.refuse(node, "is not supported; supported: " + supported_operators());
    LayerSpec spec = layer(node, *type);
    for (const int input : node.inputs) spec.inputs.push_back(tensor(input, node));
    add(std::move(spec), node.outputs[0]);
  }

  // The slope of a channel stands before the spatial axes; the rule of broadcasting aligns it at the last one.
  void prelu(const Node& node) {
    LayerSpec spec = layer(node, OpType::prelu);
    spec.inputs = {tensor(node.inputs[0], node), tensor(node.inputs.at(1), node)};
    add(std::move(spec), node.outputs[0]);
  }

  void gelu(const Node& node) {
    LayerSpec spec = layer(node, OpType::gelu);
    spec.by_tanh = node.text("approximate", "none") == "tanh" ? 1 : 0;
    spec.inputs = {tensor(node.inputs[0], node)};
    add(std::move(spec), node.outputs[0]);
  }

  void with_alpha(const Node& node) {
    const bool leaky = node.op == "LeakyRelu";
    LayerSpec spec = layer(node, leaky ? OpType::leaky_relu : OpType::hard_sigmoid);
    spec.alpha = node.number("alpha", leaky ? 0.01 : 0.2);
    spec.beta = leaky ? 0 : node.number("beta", 0.5);
    spec.inputs = {tensor(node.inputs[0], node)};
    add(std::move(spec), node.outputs[0]);
  }

  // One scale for the whole tensor.
  void quantize(const Node& node) {
    const bool quantizes = node.op == "QuantizeLinear";
    LayerSpec spec = layer(node, quantizes ? OpType::quantize_linear : OpType::dequantize_linear);
    const ConstantPtr scale = g_.constant_input(node, 1);
    const ConstantPtr zero = g_.constant_input(node, 2);
    if (scale == nullptr || (node.input(2) != kAbsent && zero == nullptr))
      g_.refuse(node, "its scale is computed, which is not supported");
    if (scale->size() != 1) g_.refuse(node, "a scale for each channel of activations is not supported");
    spec.scale = scale->known ? scale->number(0) : 1;
    spec.zero_point = zero != nullptr && zero->known ? static_cast<std::int64_t>(zero->number(0)) : 0;
    if (quantizes) {
      const Element type = g_.value(node.outputs[0]).type;
      const bool is_signed = type == Element::int8;
      spec.min = is_signed ? -128 : 0;
      spec.max = is_signed ? 127 : 255;
    }
    spec.inputs = {tensor(node.inputs[0], node)};
    add(std::move(spec), node.outputs[0]);
  }

  [[nodiscard]] Integers known_list(const Node& node, std::size_t input, const std::string& attribute) const {
    const int id = node.input(input);
    if (id == kAbsent) return node.integers(attribute);
    const ConstantPtr c = g_.constant(id);
    if (c == nullptr || !c->known || is_float(c->type))
      g_.refuse(node, "its " + attribute + " are computed at run time, which is not supported");
    return c->ints;
  }

  void reduce_mean(const Node& node) {
    LayerSpec spec = layer(node, OpType::reduce_mean);
    spec.axes = known_list(node, 1, "axes");
    if (spec.axes.empty())
      for (std::size_t i = 0; i < shape(node.inputs[0], node).size(); ++i)
        spec.axes.push_back(static_cast<std::int64_t>(i));
    spec.keep_dims = static_cast<int>(node.integer("keepdims", 1));
    spec.inputs = {tensor(node.inputs[0], node)};
    add(std::move(spec), node.outputs[0]);
  }

  void slice(const Node& node) {
    LayerSpec spec = layer(node, OpType::slice);
    const Shape& in = shape(node.inputs[0], node);
    spec.starts = known_list(node, 1, "starts");
    spec.ends = known_list(node, 2, "ends");
    spec.axes = known_list(node, 3, "axes");
    spec.steps = known_list(node, 4, "steps");
    if (spec.axes.empty())
      for (std::size_t i = 0; i < spec.starts.size(); ++i) spec.axes.push_back(static_cast<std::int64_t>(i));
    for (const std::int64_t step : spec.steps)
      if (step < 1) g_.refuse(node, "a step of " + std::to_string(step) + " is not supported, steps from 1 on are");
    if (spec.axes.size() != spec.starts.size() || spec.ends.size() != spec.starts.size())
      g_.refuse(node, "its lists differ in length");
    // Axes that are taken whole say nothing.
    LayerSpec cut = spec;
    cut.axes.clear();
    cut.starts.clear();
    cut.ends.clear();
    cut.steps.clear();
    for (std::size_t i = 0; i < spec.axes.size(); ++i) {
      const std::int64_t axis = spec.axes[i] < 0 ? spec.axes[i] + static_cast<std::int64_t>(in.size()) : spec.axes[i];
      if (axis < 0 || axis >= static_cast<std::int64_t>(in.size())) g_.refuse(node, "an axis is outside of its input");
      const std::int64_t step = spec.steps.empty() ? 1 : spec.steps[i];
      const std::int64_t extent = in[static_cast<std::size_t>(axis)];
      if (step == 1 && (spec.starts[i] == 0 || spec.starts[i] <= -extent) && spec.ends[i] >= extent) continue;
      cut.axes.push_back(axis);
      cut.starts.push_back(spec.starts[i]);
      cut.ends.push_back(spec.ends[i]);
      cut.steps.push_back(step);
    }
    if (std::all_of(cut.steps.begin(), cut.steps.end(), [](auto s) { return s == 1; })) cut.steps.clear();
    cut.inputs = {tensor(node.inputs[0], node)};
    add(std::move(cut), node.outputs[0]);
  }

  void expand(const Node& node) {
    LayerSpec spec = layer(node, OpType::expand);
    spec.shape = shape(node.outputs[0], node);
    const Shape& in = shape(node.inputs[0], node);
    const std::size_t missing = spec.shape.size() - in.size();
    for (std::size_t i = 0; i < in.size(); ++i)  // where nothing is repeated the input decides
      if (in[i] == spec.shape[i + missing]) spec.shape[i + missing] = 1;
    spec.inputs = {tensor(node.inputs[0], node)};
    add(std::move(spec), node.outputs[0]);
  }

  void pad(const Node& node) {
    LayerSpec spec = layer(node, OpType::pad);
    const Shape& in = shape(node.inputs[0], node);
    spec.pads = node.integers("pads");
    const bool zeros = node.inputs.size() == 1 && spec.pads.size() == 2 * in.size() &&
                       node.text("mode", "constant") == "constant" && node.number("value", 0) == 0;
    if (!zeros) g_.refuse(node, "only padding with a constant number of zeros is supported");
    for (const std::int64_t p : spec.pads)
      if (p < 0) g_.refuse(node, "has negative padding, which is not supported");
    spec.inputs = {tensor(node.inputs[0], node)};
    add(std::move(spec), node.outputs[0]);
  }

  void resize(const Node& node) {
    LayerSpec spec = layer(node, OpType::resize);
    const Shape& in = shape(node.inputs[0], node);
    const Shape& out = shape(node.outputs[0], node);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const bool whole = out[i] % in[i] == 0 && (i >= 2 || out[i] == in[i]);
      if (!whole || in.size() > 4 || in.size() < 3) {
        g_.refuse(node, "from " + shape_text(in) + " to " + shape_text(out) +
                            ": only whole factors along one or two spatial axes are supported");
      }
      spec.scales.push_back(out[i] / in[i]);
    }
    const std::string mode = node.text("mode", "nearest");
    const std::string where = node.text("coordinate_transformation_mode",
                                        node.op == "Upsample" || g_.opset < 11 ? "asymmetric" : "half_pixel");
    if (mode == "nearest") {
      const std::string rounding =
          node.text("nearest_mode", node.op == "Upsample" || g_.opset < 11 ? "floor" : "round_prefer_floor");
      if (!repeats(where, rounding, spec.scales)) {
        g_.refuse(node, "nearest with " + where + " and " + rounding +
                            " does not repeat every element equally often, which is not supported");
      }
    } else if (mode == "linear") {
      if (where == "asymmetric") {
        spec.resize_mode = ResizeMode::asymmetric;
      } else if (where == "align_corners") {
        spec.resize_mode = ResizeMode::align_corners;
      } else if (where == "half_pixel" || where == "pytorch_half_pixel") {
        spec.resize_mode = ResizeMode::half_pixel;
      } else {
        g_.refuse(node, "coordinate_transformation_mode " + quote_name(where) + " is not supported");
      }
    } else {
      g_.refuse(node, "mode " + quote_name(mode) + " is not supported, nearest and linear are");
    }
    spec.inputs = {tensor(node.inputs[0], node)};
    add(std::move(spec), node.outputs[0]);
  }

  // Whether output element i is input element floor(i / scale), for every scale.
  static bool repeats(const std::string& where, const std::string& rounding, const Integers& scales) {
    for (const std::int64_t scale : scales) {
      for (std::int64_t i = 0; i < 2 * scale; ++i) {
        const auto s = static_cast<double>(scale);
        double at = static_cast<double>(i) / s;
        if (where == "half_pixel" || where == "pytorch_half_pixel") at = (static_cast<double>(i) + 0.5) / s - 0.5;
        if (where != "asymmetric" && where != "half_pixel" && where != "pytorch_half_pixel") return false;
        double place = std::floor(at);
        if (rounding == "ceil") place = std::ceil(at);
        if (rounding == "round_prefer_floor") place = std::ceil(at - 0.5);
        if (rounding == "round_prefer_ceil") place = std::floor(at + 0.5);
        if (std::max<std::int64_t>(static_cast<std::int64_t>(place), 0) != i / scale) return false;
      }
    }
    return true;
  }

  void depth_to_space(const Node& node) {
    LayerSpec spec = layer(node, OpType::depth_to_space);
    spec.block = node.integer("blocksize", 1);
    spec.column_row = node.text("mode", "DCR") == "CRD";
    spec.inputs = {tensor(node.inputs[0], node)};
    add(std::move(spec), node.outputs[0]);
  }

  static void window(const Node& node, LayerSpec& spec) {
    spec.kernel_shape = node.integers("kernel_shape");
    const auto unless = [](Integers list, std::int64_t fallback) {
      return std::all_of(list.begin(), list.end(), [&](auto v) { return v == fallback; }) ? Integers{} : list;
    };
    spec.strides = unless(node.integers("strides"), 1);
    spec.pads = unless(node.integers("pads"), 0);
    spec.dilations = unless(node.integers("dilations"), 1);
    const std::string pad = node.text("auto_pad", "NOTSET");
    spec.auto_pad = pad == "SAME_UPPER"   ? AutoPad::same_upper
                    : pad == "SAME_LOWER" ? AutoPad::same_lower
                    : pad == "VALID"      ? AutoPad::valid
                                          : AutoPad::notset;
    if (spec.auto_pad != AutoPad::notset) spec.pads.clear();
  }
  void check_pads(const Node& node) const {
    for (const std::int64_t pad : node.integers("pads"))
      if (pad < 0) g_.refuse(node, "has negative padding, which is not supported");
  }

  void conv(const Node& node) {
    check_pads(node);
    LayerSpec spec = layer(node, OpType::conv);
    window(node, spec);
    spec.group = node.integer("group", 1);
    spec.inputs = {tensor(node.inputs[0], node)};
    const int weight = node.inputs.at(1);
    const int bias = node.input(2);
    const Shape& w = shape(weight, node);
    if (w.size() < 3) g_.refuse(node, "has weights of shape " + shape_text(w));
    spec.kernel_shape = Integers(w.begin() + 2, w.end());
    if (own(weight) && (bias == kAbsent || own(bias)) && free_suffixes(spec)) {
      spec.out_channels = w[0];
      spec.bias = bias != kAbsent;
      keep_own(spec, "weight", weight, node);
      if (spec.bias) keep_own(spec, "bias", bias, node);
    } else {
      spec.inputs.push_back(tensor(weight, node));
      if (bias != kAbsent) spec.inputs.push_back(tensor(bias, node));
    }
    add(std::move(spec), node.outputs[0]);
  }

  // A constant times a number; the value's place in the graph is kept unless the number is 1.
  [[nodiscard]] ConstantPtr scaled(int id, double factor, const Node& node) const {
    if (g_.constant(id) == nullptr) g_.refuse(node, "alpha or beta of a computed matrix is not supported");
    return mapped(*g_.constant(id), [&](float v, std::size_t) { return static_cast<float>(v * factor); });
  }

  void gemm(const Node& node) {
    const double alpha = node.number("alpha", 1);
    const double beta = node.number("beta", 1);
    Gemm product;
    product.a = node.inputs[0];
    product.b = node.inputs.at(1);
    product.c = beta == 0 ? kAbsent : node.input(2);
    product.trans_a = node.integer("transA", 0) != 0;
    product.trans_b = node.integer("transB", 0) != 0;
    if (alpha != 1) {
      if (g_.constant(product.b) == nullptr && g_.constant(product.a) == nullptr)
        g_.refuse(node, "alpha of a product of two computed matrices is not supported");
      int& factor = g_.constant(product.b) != nullptr ? product.b : product.a;
      factor = replaced(factor, scaled(factor, alpha, node));
    }
    if (beta != 1 && product.c != kAbsent) product.c = replaced(product.c, scaled(product.c, beta, node));
    add(gemm_layer(node, product, tensor(product.a, node)), node.outputs[0]);
  }

  struct Gemm {
    int a = kAbsent;
    int b = kAbsent;
    int c = kAbsent;
    bool trans_a = false;
    bool trans_b = false;
  };

  // A constant of this emitter's own, read once.
  int replaced(int id, ConstantPtr constant) {
    const int made = g_.add_constant(g_.value(id).name, std::move(constant));
    uses_.resize(g_.values.size(), 1);
    tensor_.resize(g_.values.size());
    return made;
  }

  LayerSpec gemm_layer(const Node& node, const Gemm& p, const std::string& a) {
    LayerSpec spec = layer(node, OpType::gemm);
    spec.trans_a = p.trans_a ? 1 : 0;
    spec.trans_b = p.trans_b ? 1 : 0;
    spec.inputs = {a};
    const Shape& b = shape(p.b, node);
    if (b.size() != 2) g_.refuse(node, "has a matrix of shape " + shape_text(b));
    const std::int64_t columns = b[p.trans_b ? 0 : 1];
    const bool row = p.c == kAbsent || shape(p.c, node) == Shape{columns};
    if (own(p.b) && row && (p.c == kAbsent || own(p.c)) && free_suffixes(spec)) {
      spec.out_features = columns;
      spec.bias = p.c != kAbsent;
      keep_own(spec, "weight", p.b, node);
      if (spec.bias) keep_own(spec, "bias", p.c, node);
    } else {
      spec.inputs.push_back(tensor(p.b, node));
      if (p.c != kAbsent) spec.inputs.push_back(tensor(p.c, node));
    }
    return spec;
  }

  // A product with weights over the last axis: rows are taken together before and apart after it.
  void linear(const Node& node) {
    const Shape in = shape(node.inputs[0], node);
    Gemm product;
    product.a = node.inputs[0];
    product.b = node.inputs[1];
    product.c = node.input(2);
    std::string from = tensor(product.a, node);
    if (in.size() != 2) {
      LayerSpec rows = layer(node, OpType::reshape, ".rows");
      rows.inputs = {from};
      rows.shape = {-1, in.back()};
      from = add_step(std::move(rows));
    }
    LayerSpec spec = gemm_layer(node, product, from);
    if (in.size() == 2) return add(std::move(spec), node.outputs[0]);
    from = add_step(std::move(spec));
    LayerSpec back = layer(node, OpType::reshape, ".shape");
    back.inputs = {from};
    back.shape = open_shape(shape(node.outputs[0], node));
    add(std::move(back), node.outputs[0]);
  }

  // The first extent follows the batch.
  static Shape open_shape(Shape shape) {
    if (!shape.empty()) shape[0] = -1;
    return shape;
  }

  void pool(const Node& node) {
    check_pads(node);
    LayerSpec spec = layer(node, node.op == "MaxPool" ? OpType::max_pool : OpType::average_pool);
    window(node, spec);
    if (node.integer("storage_order", 0) != 0) g_.refuse(node, "storage_order is not supported");
    spec.ceil_mode = static_cast<int>(node.integer("ceil_mode", 0));
    spec.count_include_pad = static_cast<int>(node.integer("count_include_pad", 0));
    if (spec.op == OpType::max_pool) spec.count_include_pad = 0;
    spec.inputs = {tensor(node.inputs[0], node)};
    add(std::move(spec), node.outputs[0]);
  }

  void clip(const Node& node) {
    constexpr double kLimit = std::numeric_limits<float>::max();
    LayerSpec spec = layer(node, OpType::clip);
    const auto bound = [&](std::size_t input, const char* key, double fallback) {
      const int id = node.input(input);
      if (id == kAbsent) return std::clamp(node.number(key, fallback), -kLimit, kLimit);
      const ConstantPtr c = g_.constant(id);
      if (c == nullptr || !c->known || c->size() != 1)
        g_.refuse(node, "its bounds are computed, which is not supported");
      return std::clamp(c->number(0), -kLimit, kLimit);
    };
    spec.min = bound(1, "min", -kLimit);
    spec.max = bound(2, "max", kLimit);
    spec.inputs = {tensor(node.inputs[0], node)};
    add(std::move(spec), node.outputs[0]);
  }

  void softmax(const Node& node) {
    constexpr std::int64_t kOneAxis = 13;  // before this operator set the axes from `axis` on are one row
    const Shape& in = shape(node.inputs[0], node);
    const auto rank = static_cast<std::int64_t>(in.size());
    std::int64_t axis = node.integer("axis", g_.opset >= kOneAxis ? -1 : 1);
    if (axis < 0) axis += rank;
    const bool row = g_.opset < kOneAxis && product(Shape(in.begin() + std::min(axis + 1, rank), in.end())) != 1;
    if (row) g_.refuse(node, "over several axes is not supported");
    LayerSpec spec = layer(node, OpType::softmax);
    spec.axis = axis == rank - 1 ? -1 : axis;
    spec.inputs = {tensor(node.inputs[0], node)};
    add(std::move(spec), node.outputs[0]);
  }

  void normalization(const Node& node) {
    const auto type = operator_named(node.op);
    if (!type) g_.refuse(node, "is not supported; supported: " + supported_operators());
    LayerSpec spec = layer(node, *type);
    const Shape& in = shape(node.inputs[0], node);
    const auto rank = static_cast<std::int64_t>(in.size());
    const std::int64_t axis = node.integer("axis", -1) < 0 ? node.integer("axis", -1) + rank : node.integer("axis", -1);
    const Shape normalised(in.begin() + std::clamp<std::int64_t>(axis, 0, rank), in.end());
    spec.axis = axis - rank;
    spec.epsilon = node.number("epsilon", 1e-5);
    spec.inputs = {tensor(node.inputs[0], node)};
    int scale = node.input(1);
    const int bias = node.input(2);
    if (scale == kAbsent) {
      scale = replaced(node.inputs[0],
                       make_floats(normalised, std::vector<float>(static_cast<std::size_t>(product(normalised)), 1)));
    }
    if (own(scale) && (bias == kAbsent || own(bias)) && shape(scale, node) == normalised &&
        (bias == kAbsent || shape(bias, node) == normalised) && free_suffixes(spec)) {
      spec.bias = bias != kAbsent;
      keep_own(spec, "scale", scale, node);
      if (spec.bias) keep_own(spec, "bias", bias, node);
    } else {
      spec.inputs.push_back(tensor(scale, node));
      if (bias != kAbsent) spec.inputs.push_back(tensor(bias, node));
    }
    add(std::move(spec), node.outputs[0]);
  }

  void gather(const Node& node) {
    LayerSpec spec = layer(node, OpType::gather);
    spec.axis = node.integer("axis", 0);
    for (const int input : node.inputs) spec.inputs.push_back(tensor(input, node));
    add(std::move(spec), node.outputs[0]);
  }

  void axis_only(const Node& node) {
    LayerSpec spec = layer(node, *operator_named(node.op));
    spec.axis = node.integer("axis", 1);
    for (const int input : node.inputs) spec.inputs.push_back(tensor(input, node));
    if (node.op == "Flatten") spec.inputs.resize(1);
    add(std::move(spec), node.outputs[0]);
  }

  void reshape(const Node& node) {
    LayerSpec spec = layer(node, OpType::reshape);
    spec.inputs = {tensor(node.inputs[0], node)};
    spec.shape = open_shape(shape(node.outputs[0], node));
    add(std::move(spec), node.outputs[0]);
  }

  void transpose(const Node& node) {
    LayerSpec spec = layer(node, OpType::transpose);
    spec.inputs = {tensor(node.inputs[0], node)};
    spec.perm = node.integers("perm");
    add(std::move(spec), node.outputs[0]);
  }

  Graph g_;
  bool with_values_;
  OnnxNetwork out_;
  std::vector<int> uses_;            // by value
  std::vector<std::string> tensor_;  // by value: its name in the network
  std::set<std::string> names_;
  std::set<std::string> reserved_;  // names of outputs
};

}  // namespace

std::string supported_operators() {
  std::set<std::string> names{
      "BatchNormalization", "Cast", "Constant",      "ConvInteger", "ConvTranspose", "Dropout",     "GRU",
      "Identity",           "LSTM", "MatMulInteger", "Max",         "Min",           "QLinearConv", "QLinearMatMul",
      "Reciprocal",         "Split"};
  for (const auto& [name, function] : Emitter::table()) names.insert(name);
  for (const char* internal : {"Linear", "Silu", "RMSNormalization"}) names.erase(internal);
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text + "; any operator on constants";
}

}  // namespace importer

bool is_onnx_file(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".onnx";
}

OnnxNetwork import_onnx(const std::filesystem::path& file, const NetworkFileOptions& options, bool with_values) {
  importer::ReadOptions read;
  read.dims = options.dims;
  read.keep_values = with_values;
  importer::Graph graph = importer::read_graph(file, read);
  importer::rewrite(graph);
  OnnxNetwork network = importer::Emitter(std::move(graph), with_values).run();
  network.spec.precision = options.precision;
  return network;
}

Json to_json(const NetworkSpec& spec) {
  // Keys of a record whose value is not the default.
  const auto compact = [](const auto& record, const auto& value) {
    Json all = record.dump(value);
    for (const FieldDoc& field : record.docs())
      if (!field.default_value.empty() && all.contains(field.key) && all[field.key].dump() == field.default_value)
        all.erase(field.key);
    return all;
  };
  Json json = {{"schema", "accsim-net/1"}, {"name", spec.name}};
  NetworkSpec head = spec;
  head.layers.clear();
  const Json all = network_record().dump(head);
  json["precision"] = all.at("precision");
  const auto tensors = [&](const std::vector<TensorSpec>& list) {
    Json out = Json::array();
    for (const TensorSpec& tensor : list) out.push_back(compact(tensor_record(), tensor));
    return out;
  };
  json["inputs"] = tensors(spec.inputs);
  if (!spec.weights.empty()) json["weights"] = tensors(spec.weights);
  if (!spec.outputs.empty()) json["outputs"] = spec.outputs;
  json["layers"] = Json::array();
  for (const LayerSpec& layer : spec.layers) json["layers"].push_back(compact(layer_record(layer.op), layer));
  return json;
}

Json read_network_json(const std::filesystem::path& file, const NetworkFileOptions& options) {
  if (is_onnx_file(file)) return to_json(import_onnx(file, options, false).spec);
  if (!options.dims.empty()) {
    throw ConfigError("--dim " + options.dims.begin()->first + ": " + file.string() +
                      " is no ONNX file and has no symbolic dimensions");
  }
  if (options.precision_given) {
    throw ConfigError("--precision: " + file.string() + " is no ONNX file and names its precision itself");
  }
  return read_json_file(file);
}

TensorValues read_tensor_values(const std::filesystem::path& file) {
  importer::Constant constant = importer::read_tensor(file);
  TensorValues out{constant.shape, std::move(constant.floats)};
  for (const std::int64_t v : constant.ints) out.values.push_back(static_cast<float>(v));
  return out;
}

}  // namespace accsim::model
