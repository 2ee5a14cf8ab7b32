// Operators of an ONNX graph that become several operators of the network:
//   Split, Gather of neighbouring indices   Slices
//   BatchNormalization that is left         a product and a sum
//   ConvTranspose                           one convolution for each place that an output has between the strides of
//   the
//                                           input, their results interleaved (DepthToSpace); no zeros are multiplied
//   Conv over three axes                    a sum of convolutions over two, one for each plane of the window
//   integer operators (ConvInteger, …)      the plain operator between DequantizeLinear and QuantizeLinear
//   LSTM, GRU                               onnx_recurrent.cpp
#include "model/workload/onnx_expand.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "model/base/error.h"

namespace accsim::model::importer {

using Integers = std::vector<std::int64_t>;

int Expander::step(const Node& of, const std::string& suffix, const std::string& op, std::vector<int> inputs,
                   Shape shape, std::map<std::string, Attribute> attributes) {
  const int result = g.add_value(of.name + suffix, std::move(shape), g.value(of.outputs[0]).type);
  add(of, suffix, op, std::move(inputs), result, std::move(attributes));
  return result;
}

void Expander::add(const Node& of, const std::string& suffix, const std::string& op, std::vector<int> inputs,
                   int result, std::map<std::string, Attribute> attributes) {
  Node node;
  node.name = of.name + suffix;
  node.op = op;
  node.inputs = std::move(inputs);
  node.outputs = {result};
  node.attributes = std::move(attributes);
  g.nodes.push_back(std::move(node));
}

std::vector<int> Expander::slice_inputs(int from, std::int64_t axis, std::int64_t first, std::int64_t count,
                                        std::int64_t step) {
  return {from, g.add_constant("", make_integers({first})),
          g.add_constant("", make_integers({first + (count - 1) * step + 1})),
          g.add_constant("", make_integers({axis})), g.add_constant("", make_integers({step}))};
}

int Expander::slice(const Node& of, const std::string& suffix, int from, std::int64_t axis, std::int64_t first,
                    std::int64_t count, std::int64_t step_size) {
  Shape shape = g.shape(from);
  if (first == 0 && count == shape[static_cast<std::size_t>(axis)] && step_size == 1) return from;
  shape[static_cast<std::size_t>(axis)] = count;
  return step(of, suffix, "Slice", slice_inputs(from, axis, first, count, step_size), std::move(shape));
}

ConstantPtr Expander::picked(const Constant& from, Shape shape,
                             const std::function<std::int64_t(const Integers&)>& place) {
  if (!from.known) return make_unknown(std::move(shape), Element::float32);
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  std::vector<float> values(static_cast<std::size_t>(count));
  Integers at(shape.size(), 0);
  for (float& value : values) {
    const std::int64_t index = place(at);
    if (index >= from.size()) throw ConfigError("the weights of an operator do not go together");
    value = index < 0 ? 0.0F : static_cast<float>(from.number(static_cast<std::size_t>(index)));
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (++at[axis] < shape[axis]) break;
      at[axis] = 0;
    }
  }
  return make_floats(std::move(shape), std::move(values));
}

namespace {

class Operators : public Expander {
 public:
  using Expander::Expander;

  void run() {
    std::vector<Node> nodes = std::move(g.nodes);
    g.nodes.clear();
    for (Node& node : nodes) {
      if (!expand(node)) g.nodes.push_back(std::move(node));
    }
  }

 private:
  bool expand(const Node& node) {
    if (node.op == "ScaleShift") return scale_shift(node);
    if (node.op == "Split") return split(node);
    if (node.op == "Gather") return gather(node);
    if (node.op == "ConvTranspose") return conv_transpose(node);
    if (node.op == "Conv" && g.shape(node.inputs[0]).size() == 5) return conv_planes(node);
    if (node.op == "ConvInteger" || node.op == "MatMulInteger") return integer_product(node);
    if (node.op == "QLinearConv" || node.op == "QLinearMatMul") return quantised_product(node);
    if (node.op == "LSTM" || node.op == "GRU") {
      expand_recurrent(*this, node);
      return true;
    }
    if (node.op == "Reciprocal") {
      add(node, "", "Div", {g.add_constant(node.name + ".one", make_floats({}, {1.0F})), node.inputs[0]},
          node.outputs[0]);
      return true;
    }
    return false;
  }

  bool scale_shift(const Node& node) {
    const int product = step(node, ".scaled", "Mul", {node.inputs[0], node.inputs[1]}, g.shape(node.outputs[0]));
    add(node, "", "Add", {product, node.inputs[2]}, node.outputs[0]);
    return true;
  }

  bool split(const Node& node) {
    const Shape in = g.shape(node.inputs[0]);
    std::int64_t axis = node.integer("axis", 0);
    if (axis < 0) axis += static_cast<std::int64_t>(in.size());
    std::int64_t first = 0;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (!g.value(node.outputs[i]).has_shape) g.refuse(node, "the sizes of its parts are unknown");
      const std::int64_t count = g.shape(node.outputs[i]).at(static_cast<std::size_t>(axis));
      add(node, "." + std::to_string(i), "Slice", slice_inputs(node.inputs[0], axis, first, count, 1), node.outputs[i]);
      first += count;
    }
    return true;
  }

  bool gather(const Node& node) {
    const ConstantPtr indices = g.constant_input(node, 1);
    if (indices == nullptr || !indices->known || g.constant(node.inputs[0]) != nullptr || indices->size() == 0)
      return false;
    const Shape in = g.shape(node.inputs[0]);
    std::int64_t axis = node.integer("axis", 0);
    if (axis < 0) axis += static_cast<std::int64_t>(in.size());
    const std::int64_t extent = in.at(static_cast<std::size_t>(axis));
    Integers rows = indices->ints;
    for (std::int64_t& row : rows) row += row < 0 ? extent : 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] < 0 || rows[i] >= extent) g.refuse(node, "an index is outside of its axis");
      if (rows[i] != rows[0] + static_cast<std::int64_t>(i)) return false;
    }
    const auto count = static_cast<std::int64_t>(rows.size());
    const int part = slice(node, ".part", node.inputs[0], axis, rows[0], count);
    add(node, "", "Reshape", {part}, node.outputs[0]);
    return true;
  }

  // One spatial axis of a transposed convolution, seen from outputs place, place + stride, place + 2 stride, …: a
  // convolution of stride 1 whose taps are window elements first_tap, first_tap + stride, …, last one first.
  struct Phase {
    std::int64_t first_tap = 0;
    std::int64_t taps = 1;
    std::int64_t before = 0;  // padding, negative = elements cut off
    std::int64_t after = 0;
    auto operator<=>(const Phase&) const = default;
  };
  struct Spatial {
    std::int64_t extent, kernel, stride, pad, output, places;  // places: outputs of one phase
  };
  static Phase phase_of(const Spatial& s, std::int64_t place) {
    Phase phase;
    phase.first_tap = (place + s.pad) % s.stride;
    phase.taps = std::max<std::int64_t>(1, ceil_div(s.kernel - phase.first_tap, s.stride));
    const std::int64_t newest = (place + s.pad) / s.stride;  // input of output 0 under the first tap
    phase.before = phase.taps - 1 - newest;
    phase.after = s.places - s.extent - phase.before + phase.taps - 1;
    return phase;
  }

  [[nodiscard]] std::vector<Spatial> spatial_of(const Node& node) const {
    const Shape& in = g.shape(node.inputs[0]);
    const Shape& weight = g.shape(node.inputs[1]);
    const Shape& out = g.shape(node.outputs[0]);
    const std::size_t axes = in.size() - 2;
    Integers strides = node.integers("strides");
    Integers pads = node.integers("pads");
    Integers more = node.integers("output_padding");
    strides.resize(axes, 1);
    pads.resize(2 * axes, 0);
    more.resize(axes, 0);
    for (const std::int64_t d : node.integers("dilations"))
      if (d != 1) g.refuse(node, "dilation is not supported");
    const std::string mode = node.text("auto_pad", "NOTSET");
    std::vector<Spatial> all;
    for (std::size_t i = 0; i < axes; ++i) {
      Spatial s{in[i + 2], weight[i + 2], strides[i], pads[i], out[i + 2], ceil_div(out[i + 2], strides[i])};
      if (mode == "SAME_UPPER" || mode == "SAME_LOWER" || node.has("output_shape")) {
        const std::int64_t total = std::max<std::int64_t>(0, s.stride * (s.extent - 1) + more[i] + s.kernel - s.output);
        s.pad = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
      }
      if (s.pad < 0) g.refuse(node, "has negative padding, which is not supported");
      all.push_back(s);
    }
    return all;
  }

  bool conv_transpose(const Node& node) {
    const ConstantPtr weight = g.constant_input(node, 1);
    const Shape in = g.shape(node.inputs[0]);
    if (weight == nullptr) g.refuse(node, "its weights are computed, which is not supported");
    if (in.size() < 3 || in.size() > 4) g.refuse(node, "over three axes is not supported, over one and two it is");
    const std::vector<Spatial> spatial = spatial_of(node);
    const Spatial line{1, 1, 1, 0, 1, 1};
    const Spatial rows = in.size() == 4 ? spatial[0] : line;
    const Spatial columns = spatial.back();
    const std::int64_t group = node.integer("group", 1);
    const std::int64_t results = weight->shape[1];  // of one group
    const std::int64_t channels = results * group;

    // Phases that pad alike and have as many taps are one convolution with more output channels.
    std::vector<int> parts;
    std::map<std::tuple<Phase, Phase>, std::vector<std::pair<std::int64_t, std::int64_t>>> alike;
    std::vector<std::pair<std::int64_t, std::int64_t>> all;
    for (std::int64_t a = 0; a < rows.stride; ++a)
      for (std::int64_t b = 0; b < columns.stride; ++b) all.emplace_back(a, b);
    const auto geometry = [&](std::pair<std::int64_t, std::int64_t> p) {
      Phase h = phase_of(rows, p.first);
      Phase w = phase_of(columns, p.second);
      h.first_tap = w.first_tap = 0;
      return std::make_tuple(h, w);
    };
    const bool one =
        group == 1 && std::all_of(all.begin(), all.end(), [&](auto p) { return geometry(p) == geometry(all[0]); });
    const std::size_t phases_at_once = one ? all.size() : 1;
    for (std::size_t i = 0; i < all.size(); i += phases_at_once) {
      const std::vector<std::pair<std::int64_t, std::int64_t>> some(
          all.begin() + static_cast<std::ptrdiff_t>(i), all.begin() + static_cast<std::ptrdiff_t>(i + phases_at_once));
      const std::string suffix = one ? ".taps" : ".taps" + std::to_string(i);
      parts.push_back(phase_conv(node, suffix, some, rows, columns, *weight, group));
    }
    int joined = parts.front();
    Shape shape = in;
    shape[1] = channels * rows.stride * columns.stride;
    shape.back() = columns.places;
    if (in.size() == 4) shape[2] = rows.places;
    if (parts.size() > 1) joined = step(node, ".phases", "Concat", parts, shape, {{"axis", std::int64_t{1}}});
    interleave(node, joined, rows, columns, channels);
    return true;
  }

  int phase_conv(const Node& node, const std::string& suffix,
                 const std::vector<std::pair<std::int64_t, std::int64_t>>& places, const Spatial& rows,
                 const Spatial& columns, const Constant& weight, std::int64_t group) {
    const Shape in = g.shape(node.inputs[0]);
    const bool plane = in.size() == 4;
    const Phase h = phase_of(rows, places[0].first);
    const Phase w = phase_of(columns, places[0].second);
    const std::int64_t results = weight.shape[1];
    const std::int64_t channels = results * group;
    const std::int64_t of_group = in[1] / group;  // input channels
    Shape shape{channels * static_cast<std::int64_t>(places.size()), of_group};
    if (plane) shape.push_back(h.taps);
    shape.push_back(w.taps);
    const auto place = [&](const Integers& at) -> std::int64_t {
      const auto [a, b] = places[static_cast<std::size_t>(at[0] / channels)];
      const std::int64_t channel = at[0] % channels;
      const std::int64_t r = plane ? phase_of(rows, a).first_tap + rows.stride * (h.taps - 1 - at[2]) : 0;
      const std::int64_t s = phase_of(columns, b).first_tap + columns.stride * (w.taps - 1 - at.back());
      if (r >= rows.kernel || s >= columns.kernel) return -1;
      return (((channel / results * of_group + at[1]) * results + channel % results) * rows.kernel + r) *
                 columns.kernel +
             s;
    };
    int from = node.inputs[0];
    Integers pads;
    if (plane) {
      from = cut(node, suffix + ".rows", from, 2, h);
      from = cut(node, suffix + ".columns", from, 3, w);
      pads = {std::max<std::int64_t>(h.before, 0), std::max<std::int64_t>(w.before, 0),
              std::max<std::int64_t>(h.after, 0), std::max<std::int64_t>(w.after, 0)};
    } else {
      from = cut(node, suffix + ".columns", from, 2, w);
      pads = {std::max<std::int64_t>(w.before, 0), std::max<std::int64_t>(w.after, 0)};
    }
    std::vector<int> inputs{from, g.add_constant(node.name + suffix + ".weight", picked(weight, shape, place))};
    if (node.input(2) != kAbsent) {
      const ConstantPtr bias = g.constant_input(node, 2);
      if (bias == nullptr) g.refuse(node, "its bias is computed, which is not supported");
      inputs.push_back(g.add_constant(node.name + suffix + ".bias",
                                      picked(*bias, {shape[0]}, [&](const Integers& at) { return at[0] % channels; })));
    }
    Shape out = in;
    out[1] = shape[0];
    out.back() = columns.places;
    if (plane) out[2] = rows.places;
    return step(node, suffix, "Conv", inputs, out, {{"pads", pads}, {"group", group}});
  }

  int cut(const Node& node, const std::string& suffix, int from, std::int64_t axis, const Phase& phase) {
    const std::int64_t extent = g.shape(from)[static_cast<std::size_t>(axis)];
    const std::int64_t first = std::max<std::int64_t>(-phase.before, 0);
    const std::int64_t count = extent - first - std::max<std::int64_t>(-phase.after, 0);
    if (count < 1) g.refuse(node, "an output lies in its padding altogether, which is not supported");
    return slice(node, suffix, from, axis, first, count);
  }

  // [N, rows' phase, columns' phase, C, places…] to [N, C, …], then what lies beyond the output is cut off.
  void interleave(const Node& node, int joined, const Spatial& rows, const Spatial& columns, std::int64_t channels) {
    const Shape in = g.shape(node.inputs[0]);
    const Shape out = g.shape(node.outputs[0]);
    const std::int64_t wide = columns.places * columns.stride;
    const std::int64_t high = rows.places * rows.stride;
    const bool whole = wide == columns.output && high == rows.output;
    Shape shape = in.size() == 4 ? Shape{in[0], channels, high, wide} : Shape{in[0], channels, wide};
    int result = whole ? node.outputs[0] : g.add_value(node.name + ".whole", shape, g.value(node.outputs[0]).type);
    if (rows.stride == 1 && columns.stride == 1) {
      add(node, whole ? "" : ".whole", "Identity", {joined}, result);
    } else if (in.size() == 4 && rows.stride == columns.stride) {
      add(node, whole ? "" : ".whole", "DepthToSpace", {joined}, result, {{"blocksize", rows.stride}});
    } else {
      const Shape apart{in[0], rows.stride, columns.stride, channels, rows.places, columns.places};
      const Shape together{in[0], channels, rows.places, rows.stride, columns.places, columns.stride};
      const int split = step(node, ".split", "Reshape", {joined}, apart);
      const int ordered =
          step(node, ".ordered", "Transpose", {split}, together, {{"perm", Integers{0, 3, 4, 1, 5, 2}}});
      add(node, whole ? "" : ".whole", "Reshape", {ordered}, result);
    }
    if (whole) return;
    if (in.size() == 4) result = slice(node, ".rows", result, 2, 0, rows.output);
    const auto last = static_cast<std::int64_t>(in.size()) - 1;
    result = slice(node, ".columns", result, last, 0, columns.output);
    add(node, "", "Identity", {result}, node.outputs[0]);
  }

  // A convolution over depth, rows and columns: planes become the batch.
  bool conv_planes(const Node& node) {
    const ConstantPtr weight = g.constant_input(node, 1);
    if (weight == nullptr) g.refuse(node, "its weights are computed, which is not supported over three axes");
    if (node.text("auto_pad", "NOTSET") != "NOTSET") g.refuse(node, "auto_pad over three axes is not supported");
    const Shape in = g.shape(node.inputs[0]);
    const Shape out = g.shape(node.outputs[0]);
    Integers strides = node.integers("strides");
    Integers dilations = node.integers("dilations");
    Integers pads = node.integers("pads");
    strides.resize(3, 1);
    dilations.resize(3, 1);
    pads.resize(6, 0);
    int from = node.inputs[0];
    Shape shape = in;
    if (pads[0] > 0 || pads[3] > 0) {
      shape[2] += pads[0] + pads[3];
      Integers all(10, 0);
      all[2] = pads[0];
      all[7] = pads[3];
      from = step(node, ".padded", "Pad", {from}, shape, {{"pads", all}});
    }
    const Integers swap{0, 2, 1, 3, 4};
    std::swap(shape[1], shape[2]);
    from = step(node, ".planes", "Transpose", {from}, shape, {{"perm", swap}});
    const std::int64_t planes = out[2];
    const Shape flat{in[0] * planes, in[1], in[3], in[4]};
    const Shape result{in[0] * planes, out[1], out[3], out[4]};
    int sum = kAbsent;
    for (std::int64_t t = 0; t < weight->shape[2]; ++t) {
      const std::string suffix = "." + std::to_string(t);
      const int part = slice(node, ".part" + suffix, from, 1, t * dilations[0], planes, strides[0]);
      const int rows = step(node, ".rows" + suffix, "Reshape", {part}, flat);
      const Shape window{weight->shape[0], weight->shape[1], weight->shape[3], weight->shape[4]};
      const auto place = [&](const Integers& at) {
        return (((at[0] * window[1] + at[1]) * weight->shape[2] + t) * window[2] + at[2]) * window[3] + at[3];
      };
      std::vector<int> inputs{rows, g.add_constant(node.name + ".weight" + suffix, picked(*weight, window, place))};
      if (t == 0 && node.input(2) != kAbsent) inputs.push_back(node.input(2));
      const int product = step(node, ".plane" + suffix, "Conv", inputs, result,
                               {{"strides", Integers{strides[1], strides[2]}},
                                {"dilations", Integers{dilations[1], dilations[2]}},
                                {"pads", Integers{pads[1], pads[2], pads[4], pads[5]}},
                                {"group", node.integer("group", 1)}});
      sum = sum == kAbsent ? product : step(node, ".sum" + suffix, "Add", {sum, product}, result);
    }
    const int apart = step(node, ".apart", "Reshape", {sum}, {in[0], planes, out[1], out[3], out[4]});
    add(node, "", "Transpose", {apart}, node.outputs[0], {{"perm", swap}});
    return true;
  }

  // An integer tensor as the numbers it stands for: a constant at once, an activation by DequantizeLinear.
  int dequantised(const Node& node, const std::string& suffix, int value, int scale, int zero) {
    const ConstantPtr s = g.constant(scale);
    const ConstantPtr z = g.constant(zero);
    if ((scale != kAbsent && s == nullptr) || (zero != kAbsent && z == nullptr))
      g.refuse(node, "its scale or zero point is computed, which is not supported");
    const ConstantPtr c = g.constant(value);
    if (c == nullptr) {
      const bool plain = (s == nullptr) && (z == nullptr || (z->known && z->size() == 1 && z->number(0) == 0));
      if (plain) return value;
      const int unit = scale != kAbsent ? scale : g.add_constant("", make_floats({}, {1.0F}));
      std::vector<int> inputs{value, unit};
      if (zero != kAbsent) inputs.push_back(zero);
      return step(node, suffix, "DequantizeLinear", inputs, g.shape(value));
    }
    const bool known = c->known && (s == nullptr || s->known) && (z == nullptr || z->known);
    if (!known) return g.add_constant(node.name + suffix, make_unknown(c->shape, Element::float32));
    // One number for all, or one for each output channel: the first axis of a convolution's weights, the last of a
    // matrix.
    const std::int64_t row = c->shape.empty() ? 1 : c->size() / c->shape[0];
    const bool matrix = node.op.find("MatMul") != std::string::npos;
    for (const ConstantPtr& p : {s, z}) {
      const std::int64_t channels = c->shape.empty() ? 1 : matrix ? c->shape.back() : c->shape[0];
      if (p != nullptr && p->size() != 1 && p->size() != channels)
        g.refuse(node, "its scale or zero point does not go with its weights");
    }
    const auto pick = [&](const ConstantPtr& p, std::size_t i, double fallback) {
      if (p == nullptr) return fallback;
      if (p->size() == 1) return p->number(0);
      const auto at = static_cast<std::int64_t>(i);
      return p->number(static_cast<std::size_t>(matrix ? at % c->shape.back() : at / row));
    };
    std::vector<float> values;
    for (std::size_t i = 0; i < static_cast<std::size_t>(c->size()); ++i)
      values.push_back(static_cast<float>((c->number(i) - pick(z, i, 0)) * pick(s, i, 1)));
    return g.add_constant(node.name + suffix, make_floats(c->shape, std::move(values)));
  }

  bool integer_product(const Node& node) {
    const bool conv = node.op == "ConvInteger";
    const int a = dequantised(node, ".a", node.inputs[0], kAbsent, node.input(2));
    const int b = dequantised(node, ".b", node.inputs[1], kAbsent, node.input(3));
    add(node, "", conv ? "Conv" : "MatMul", {a, b}, node.outputs[0], node.attributes);
    return true;
  }

  bool quantised_product(const Node& node) {
    const bool conv = node.op == "QLinearConv";
    const int a = dequantised(node, ".a", node.inputs[0], node.input(1), node.input(2));
    const int b = dequantised(node, ".b", node.inputs.at(3), node.input(4), node.input(5));
    std::vector<int> inputs{a, b};
    if (node.input(8) != kAbsent) {  // int32 in steps of both scales
      const ConstantPtr bias = g.constant_input(node, 8);
      const ConstantPtr x_scale = g.constant_input(node, 1);
      const ConstantPtr w_scale = g.constant_input(node, 4);
      if (bias == nullptr) g.refuse(node, "its bias is computed, which is not supported");
      if (x_scale == nullptr || w_scale == nullptr || x_scale->size() != 1 ||
          (w_scale->size() != 1 && w_scale->size() != bias->size()))
        g.refuse(node, "its bias does not go with its scales");
      ConstantPtr real = make_unknown(bias->shape, Element::float32);
      if (bias->known && x_scale->known && w_scale->known) {
        std::vector<float> values;
        for (std::size_t i = 0; i < static_cast<std::size_t>(bias->size()); ++i) {
          const double w = w_scale->number(w_scale->size() == 1 ? 0 : i);
          values.push_back(static_cast<float>(bias->number(i) * x_scale->number(0) * w));
        }
        real = make_floats(bias->shape, std::move(values));
      }
      inputs.push_back(g.add_constant(node.name + ".bias", real));
    }
    const int product =
        step(node, ".product", conv ? "Conv" : "MatMul", inputs, g.shape(node.outputs[0]), node.attributes);
    add(node, "", "QuantizeLinear", {product, node.input(6), node.input(7)}, node.outputs[0]);
    return true;
  }
};

}  // namespace

void expand_operators(Graph& graph) { Operators(graph).run(); }

}  // namespace accsim::model::importer
