#include "model/workload/onnx_rewrite.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "model/base/error.h"

namespace accsim::model::importer {
namespace {

using Integers = std::vector<std::int64_t>;

const std::set<std::string>& unary_operators() {
  static const std::set<std::string> kNames{"Relu",        "Clip",      "Sigmoid", "Tanh", "Gelu", "Silu", "HardSwish",
                                            "HardSigmoid", "LeakyRelu", "Neg",     "Sqrt", "Exp",  "Erf"};
  return kNames;
}

// Dropped where it passes on its input.
bool drop_copies(Editor& e) {
  bool changed = false;
  for (Node& node : e.g.nodes) {
    bool pass = node.op == "Identity";
    if (node.op == "Dropout") {
      const bool training = node.input(2) != kAbsent && !e.is_scalar(node.input(2), 0);
      const bool keeps_all = node.input(1) != kAbsent && e.is_scalar(node.input(1), 0);
      if (training && !keeps_all) e.g.refuse(node, "is in training mode, which is not supported");
      if (node.outputs.size() > 1 && (!e.users(node.outputs[1]).empty() || e.is_output(node.outputs[1])))
        e.g.refuse(node, "its mask is read, which is not supported");
      pass = true;
    }
    if (node.op == "Cast") {
      const bool to_float = is_float(e.g.value(node.outputs[0]).type);
      const bool from_float = is_float(e.g.value(node.inputs[0]).type);
      if (from_float && !to_float) e.g.refuse(node, "casts computed floats to integers, which is not supported");
      pass = true;
    }
    if (node.op == "Expand" || node.op == "Reshape" || node.op == "Transpose" || node.op == "Resize" ||
        node.op == "Upsample" || node.op == "Pad" || node.op == "Slice" || node.op == "Concat") {
      const Value& from = e.g.value(node.inputs[0]);
      const Value& to = e.g.value(node.outputs[0]);
      pass = from.has_shape && to.has_shape && from.shape == to.shape && node.op != "Slice";
      if (node.op == "Concat") pass = node.inputs.size() == 1;
      if (node.op == "Transpose" && pass) {
        const Integers perm = node.integers("perm");
        pass = !perm.empty() && std::is_sorted(perm.begin(), perm.end());
      }
      if (node.op == "Slice" && from.has_shape && to.has_shape && from.shape == to.shape) {
        const ConstantPtr steps = e.g.constant_input(node, 4);
        pass = steps == nullptr ||
               (steps->known && std::all_of(steps->ints.begin(), steps->ints.end(), [](auto s) { return s == 1; }));
      }
    }
    if ((node.op == "Mul" || node.op == "Div") && e.is_scalar(node.input(1), 1)) pass = true;
    if ((node.op == "Add" || node.op == "Sub") && e.is_scalar(node.input(1), 0)) pass = true;
    if (pass && (node.op == "Mul" || node.op == "Div" || node.op == "Add" || node.op == "Sub"))
      pass = e.g.value(node.outputs[0]).shape == e.g.value(node.inputs[0]).shape;
    if (!pass || e.g.constant(node.inputs[0]) != nullptr) continue;
    e.redirect(node.outputs[0], node.inputs[0]);
    changed = true;
  }
  if (changed) e.relink();
  return changed;
}

// Nodes with the same operator, inputs and attributes compute the same.
bool drop_equal_nodes(Editor& e) {
  std::map<std::tuple<std::string, Integers, std::map<std::string, Attribute>, std::size_t>, const Node*> seen;
  bool changed = false;
  for (Node& node : e.g.nodes) {
    Integers inputs(node.inputs.begin(), node.inputs.end());
    const auto [it, fresh] =
        seen.emplace(std::make_tuple(node.op, std::move(inputs), node.attributes, node.outputs.size()), &node);
    if (fresh) continue;
    bool read_as_output = false;
    for (const int output : node.outputs) read_as_output = read_as_output || e.is_output(output);
    if (read_as_output) continue;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) e.redirect(node.outputs[i], it->second->outputs[i]);
    changed = true;
  }
  if (changed) e.relink();
  return changed;
}

// Constants to the right of commutative operators; division and subtraction of a constant as product and sum; small
// powers as products.
bool normalise(Editor& e) {
  bool changed = false;
  for (Node& node : e.g.nodes) {
    if ((node.op == "Add" || node.op == "Mul") && e.g.constant(node.inputs[0]) && !e.g.constant(node.inputs[1])) {
      std::swap(node.inputs[0], node.inputs[1]);
      changed = true;
    }
    if ((node.op == "Div" || node.op == "Sub") && e.g.constant(node.inputs[1]) && !e.g.constant(node.inputs[0]) &&
        is_float(e.g.constant(node.inputs[1])->type)) {
      const bool division = node.op == "Div";
      const ConstantPtr inverse =
          mapped(*e.g.constant(node.inputs[1]), [&](float v, std::size_t) { return division ? 1 / v : -v; });
      node.inputs[1] =
          e.g.add_constant(e.g.value(node.inputs[1]).name + (division ? ".inverse" : ".negative"), inverse);
      node.op = division ? "Mul" : "Add";
      changed = true;
    }
    if (node.op == "Pow" && e.is_scalar(node.input(1), 2)) {
      node.op = "Mul";
      node.inputs = {node.inputs[0], node.inputs[0]};
      changed = true;
    } else if (node.op == "Pow" && e.is_scalar(node.input(1), 0.5)) {
      node.op = "Sqrt";
      node.inputs = {node.inputs[0]};
      changed = true;
    }
    if ((node.op == "Min" || node.op == "Max") && node.inputs.size() == 2 && e.scalar(node.inputs[1]) &&
        !e.g.constant(node.inputs[0])) {
      node.attributes[node.op == "Min" ? "max" : "min"] = *e.scalar(node.inputs[1]);
      node.op = "Clip";
      node.inputs = {node.inputs[0]};
      changed = true;
    }
  }
  if (changed) e.relink();
  return changed;
}

// Scale and shift of a BatchNormalization in inference: y = x * scale + shift, one number a channel.
struct ScaleShift {
  ConstantPtr scale;
  ConstantPtr shift;
};
ScaleShift scale_shift(Editor& e, const Node& node) {
  std::array<ConstantPtr, 4> c;  // gamma, beta, mean, variance
  for (std::size_t i = 0; i < c.size(); ++i) {
    c[i] = e.g.constant_input(node, i + 1);
    if (c[i] == nullptr) e.g.refuse(node, "its statistics are computed, which is not supported");
    if (c[i]->shape != c[0]->shape || c[i]->shape.size() != 1 || !is_float(c[i]->type))
      e.g.refuse(node, "its statistics differ in shape, or are no lists of floats");
  }
  if (node.integer("training_mode", 0) != 0) e.g.refuse(node, "is in training mode, which is not supported");
  const bool known = std::all_of(c.begin(), c.end(), [](const auto& p) { return p->known; });
  if (!known) return {make_unknown(c[0]->shape, Element::float32), make_unknown(c[0]->shape, Element::float32)};
  const double epsilon = node.number("epsilon", 1e-5);
  std::vector<float> scale;
  std::vector<float> shift;
  for (std::size_t i = 0; i < c[0]->floats.size(); ++i) {
    const double s = c[0]->number(i) / std::sqrt(c[3]->number(i) + epsilon);
    scale.push_back(static_cast<float>(s));
    shift.push_back(static_cast<float>(c[1]->number(i) - c[2]->number(i) * s));
  }
  return {make_floats(c[0]->shape, std::move(scale)), make_floats(c[0]->shape, std::move(shift))};
}

bool fold_batch_normalization(Editor& e) {
  bool changed = false;
  for (Node& node : e.g.nodes) {
    if (node.op != "BatchNormalization") continue;
    const ScaleShift ss = scale_shift(e, node);
    const std::int64_t channels = ss.scale->size();
    Node* const conv = e.producer(node.inputs[0]);
    const bool into = conv != nullptr && (conv->op == "Conv" || conv->op == "ConvTranspose") &&
                      e.only_user(node.inputs[0]) && e.g.constant(conv->input(1)) != nullptr &&
                      (conv->input(2) == kAbsent || e.g.constant(conv->input(2)) != nullptr);
    if (!into) {  // handled by the emitter as a product and a sum
      if (node.has("folded")) continue;
      Shape shape(e.g.shape(node.inputs[0]).size(), 1);
      if (shape.size() < 2 || e.g.shape(node.inputs[0])[1] != channels) e.g.refuse(node, "needs one number a channel");
      shape[1] = channels;
      auto scale = std::make_shared<Constant>(*ss.scale);
      auto shift = std::make_shared<Constant>(*ss.shift);
      scale->shape = shift->shape = shape;
      node.inputs = {node.inputs[0], e.g.add_constant(node.name + ".scale", scale),
                     e.g.add_constant(node.name + ".shift", shift)};
      node.op = "ScaleShift";
      node.attributes.clear();
      changed = true;
      continue;
    }
    const Constant& weight = *e.g.constant(conv->inputs[1]);
    const ConstantPtr bias = e.g.constant(conv->input(2));
    const std::int64_t groups = std::max<std::int64_t>(conv->integer("group", 1), 1);
    const bool direct = conv->op == "Conv";
    const bool fits = weight.shape.size() > 2 && (direct ? weight.shape[0] : weight.shape[1] * groups) == channels &&
                      (direct || weight.shape[0] % groups == 0) && is_float(weight.type) &&
                      (bias == nullptr || (bias->size() == channels && is_float(bias->type)));
    if (!fits) e.g.refuse(node, "its statistics do not go with the convolution before it");
    ConstantPtr new_weight = make_unknown(weight.shape, weight.type);
    ConstantPtr new_bias = make_unknown({channels}, Element::float32);
    if (weight.known && ss.scale->known && (bias == nullptr || bias->known)) {
      const std::int64_t group = conv->integer("group", 1);
      const std::int64_t inner = weight.size() / std::max<std::int64_t>(weight.shape[0], 1);
      const auto channel = [&](std::size_t i) {
        const auto at = static_cast<std::int64_t>(i);
        if (conv->op == "Conv") return at / inner;
        const std::int64_t outputs = weight.shape[1];  // [in, out / group, window]
        const std::int64_t of_group = at / inner / (weight.shape[0] / group);
        return of_group * outputs + at % inner / (inner / outputs);
      };
      new_weight = mapped(
          weight, [&](float v, std::size_t i) { return v * ss.scale->floats[static_cast<std::size_t>(channel(i))]; });
      new_bias = mapped(*ss.shift, [&](float v, std::size_t i) {
        return v + (bias == nullptr ? 0.0F : bias->floats[i] * ss.scale->floats[i]);
      });
    }
    conv->inputs.resize(3, kAbsent);
    conv->inputs[1] = e.g.add_constant(e.g.value(conv->inputs[1]).name, new_weight);
    conv->inputs[2] = e.g.add_constant(conv->name + ".bias", new_bias);
    e.redirect(node.outputs[0], conv->outputs[0]);
    changed = true;
  }
  if (changed) e.relink();
  return changed;
}

// Begin and end of every axis; nullopt where the padding is not of zeros or not constant.
std::optional<Integers> zero_padding(Editor& e, const Node& pad) {
  if (pad.text("mode", "constant") != "constant" || pad.number("value", 0) != 0) return std::nullopt;
  if (pad.input(2) != kAbsent && !e.is_scalar(pad.input(2), 0)) return std::nullopt;
  Integers pads = pad.integers("pads");
  if (pad.input(1) != kAbsent) {
    const ConstantPtr c = e.g.constant(pad.input(1));
    if (c == nullptr || !c->known) return std::nullopt;
    pads = c->ints;
  }
  if (pad.input(3) != kAbsent) {  // only these axes
    const ConstantPtr axes = e.g.constant(pad.input(3));
    const std::size_t rank = e.g.shape(pad.inputs[0]).size();
    if (axes == nullptr || !axes->known || pads.size() != 2 * axes->ints.size()) return std::nullopt;
    Integers all(2 * rank, 0);
    for (std::size_t i = 0; i < axes->ints.size(); ++i) {
      const std::int64_t axis = axes->ints[i] < 0 ? axes->ints[i] + static_cast<std::int64_t>(rank) : axes->ints[i];
      all.at(static_cast<std::size_t>(axis)) = pads[i];
      all.at(static_cast<std::size_t>(axis) + rank) = pads[i + axes->ints.size()];
    }
    pads = all;
  }
  if (pads.size() != 2 * e.g.shape(pad.inputs[0]).size()) return std::nullopt;
  return pads;
}

bool fold_padding(Editor& e) {
  bool changed = false;
  for (Node& node : e.g.nodes) {
    if (node.op != "Pad" || e.g.constant(node.inputs[0])) continue;
    const auto pads = zero_padding(e, node);
    if (!pads) continue;
    const std::size_t rank = pads->size() / 2;
    node.attributes["pads"] = *pads;
    node.inputs.resize(1);
    Node* const user = e.single_user(node.outputs[0]);
    const bool negative = std::any_of(pads->begin(), pads->end(), [](auto p) { return p < 0; });
    const bool inner = (*pads)[0] == 0 && (*pads)[1] == 0 && (*pads)[rank] == 0 && (*pads)[rank + 1] == 0;
    if (user == nullptr || negative || !inner || user->inputs[0] != node.outputs[0]) continue;
    if (user->text("auto_pad", "NOTSET") != "NOTSET") continue;
    Integers own = user->integers("pads");
    own.resize(2 * (rank - 2), 0);
    const bool average = user->op == "AveragePool" && user->integer("ceil_mode", 0) == 0 &&
                         (user->integer("count_include_pad", 0) == 1 ||
                          std::all_of(own.begin(), own.end(), [](auto p) { return p == 0; }));
    if (user->op != "Conv" && !average) continue;
    for (std::size_t i = 0; i + 2 < rank; ++i) {
      own[i] += (*pads)[i + 2];
      own[i + rank - 2] += (*pads)[i + 2 + rank];
    }
    user->attributes["pads"] = own;
    if (average) user->attributes["count_include_pad"] = std::int64_t{1};
    user->inputs[0] = node.inputs[0];
    changed = true;
    e.relink();
    break;  // nodes have moved
  }
  return changed;
}

// Transposes and Reshapes one after the other.
bool merge_movements(Editor& e) {
  bool changed = false;
  for (Node& node : e.g.nodes) {
    const bool reshape = node.op == "Reshape" || node.op == "Flatten" || node.op == "Squeeze" || node.op == "Unsqueeze";
    if (reshape) {
      Node* const before = e.producer(node.inputs[0]);
      if (before != nullptr && (before->op == "Reshape" || before->op == "Flatten" || before->op == "Squeeze" ||
                                before->op == "Unsqueeze")) {
        node.inputs = {before->inputs[0]};
        node.op = "Reshape";
        changed = true;
      }
      continue;
    }
    if (node.op != "Transpose") continue;
    const Shape& in = e.g.shape(node.inputs[0]);
    Integers perm = node.integers("perm");
    if (perm.empty()) {
      perm.resize(in.size());
      std::iota(perm.rbegin(), perm.rend(), 0);
      node.attributes["perm"] = perm;
    }
    if (Node* const before = e.producer(node.inputs[0], "Transpose"); before != nullptr) {
      Integers first = before->integers("perm");
      if (!first.empty()) {
        Integers both = perm;
        for (std::int64_t& axis : both) axis = first[static_cast<std::size_t>(axis)];
        if (runs_of(e.g.shape(before->inputs[0]), both) <= kMostRuns) {
          node.attributes["perm"] = both;
          node.inputs[0] = before->inputs[0];
          changed = true;
        }
        continue;
      }
    }
    // Only axes of extent 1 change places.
    Integers moved;
    for (const std::int64_t axis : perm)
      if (in[static_cast<std::size_t>(axis)] != 1) moved.push_back(axis);
    if (std::is_sorted(moved.begin(), moved.end())) {
      node.op = "Reshape";
      node.attributes.clear();
      changed = true;
      continue;
    }
  }
  if (changed) e.relink();
  return changed;
}

// Where a Transpose is only read in slices, the slices are taken first: each of them has fewer axes to move.
bool sink_slices(Editor& e) {
  std::map<int, Node> before_node;  // what comes before which node
  for (std::size_t i = 0; i < e.g.nodes.size(); ++i) {
    const Node transpose = e.g.nodes[i];
    if (transpose.op != "Transpose" || e.is_output(transpose.outputs[0])) continue;
    const std::vector<int> users = e.users(transpose.outputs[0]);
    const auto one_axis = [&](int user) {
      const Node& slice = e.g.nodes[static_cast<std::size_t>(user)];
      const ConstantPtr axes = e.g.constant_input(slice, 3);
      return slice.op == "Slice" && axes != nullptr && axes->known && axes->size() == 1 && axes->ints[0] >= 0;
    };
    if (users.empty() || !std::all_of(users.begin(), users.end(), one_axis)) continue;
    const Integers perm = transpose.integers("perm");
    for (const int user : users) {
      Node& node = e.g.nodes[static_cast<std::size_t>(user)];
      const std::int64_t axis = e.g.constant_input(node, 3)->ints[0];
      Node slice = node;
      Shape shape = e.g.shape(transpose.inputs[0]);
      const auto before = static_cast<std::size_t>(perm[static_cast<std::size_t>(axis)]);
      shape[before] = e.g.shape(node.outputs[0])[static_cast<std::size_t>(axis)];
      slice.name += ".before";
      slice.inputs[0] = transpose.inputs[0];
      slice.inputs[3] = e.g.add_constant("", make_integers({perm[static_cast<std::size_t>(axis)]}));
      slice.outputs = {e.g.add_value(slice.name, shape, e.g.value(node.outputs[0]).type)};
      node.op = "Transpose";
      node.inputs = {slice.outputs[0]};
      node.attributes = transpose.attributes;
      before_node.emplace(user, std::move(slice));
    }
  }
  if (before_node.empty()) return false;
  std::vector<Node> nodes;
  for (std::size_t i = 0; i < e.g.nodes.size(); ++i) {
    if (const auto it = before_node.find(static_cast<int>(i)); it != before_node.end())
      nodes.push_back(std::move(it->second));
    nodes.push_back(std::move(e.g.nodes[i]));
  }
  e.g.nodes = std::move(nodes);
  e.relink();
  return true;
}

// A transposition of more runs of axes than a copy has dimensions becomes two of fewer, where there are two.
void split_transposes(Graph& graph) {
  std::vector<Node> nodes;
  for (Node& node : graph.nodes) {
    const Integers perm = node.integers("perm");
    if (node.op != "Transpose" || runs_of(graph.shape(node.inputs[0]), perm) <= kMostRuns) {
      nodes.push_back(std::move(node));
      continue;
    }
    const Shape in = graph.shape(node.inputs[0]);
    Integers first(perm.size());
    std::iota(first.begin(), first.end(), 0);
    Integers second(perm.size());
    Shape middle(perm.size());
    do {
      for (std::size_t i = 0; i < perm.size(); ++i) {
        second[i] = std::find(first.begin(), first.end(), perm[i]) - first.begin();
        middle[i] = in[static_cast<std::size_t>(first[i])];
      }
      if (runs_of(in, first) <= kMostRuns && runs_of(middle, second) <= kMostRuns) {
        Node half = node;
        half.name += ".half";
        half.attributes["perm"] = first;
        half.outputs = {graph.add_value(half.name, middle, graph.value(node.outputs[0]).type)};
        node.inputs = half.outputs;
        node.attributes["perm"] = second;
        nodes.push_back(std::move(half));
        break;
      }
    } while (std::next_permutation(first.begin(), first.end()));
    nodes.push_back(std::move(node));
  }
  graph.nodes = std::move(nodes);
}

// An activation after a Transpose goes before it, to its producer.
bool sink_transposes(Editor& e) {
  bool changed = false;
  for (Node& node : e.g.nodes) {
    if (unary_operators().count(node.op) == 0 || node.inputs.size() != 1) continue;
    Node* const before = e.producer(node.inputs[0], "Transpose");
    if (before == nullptr || !e.only_user(node.inputs[0])) continue;
    const int middle = node.inputs[0];
    e.g.value(middle).shape = e.g.shape(before->inputs[0]);
    std::swap(node.op, before->op);
    std::swap(node.attributes, before->attributes);
    std::swap(node.name, before->name);
    changed = true;
  }
  if (changed) e.relink();
  return changed;
}

}  // namespace

std::size_t runs_of(const Shape& in, const Integers& perm) {
  std::size_t runs = 0;
  std::int64_t last = -2;
  for (const std::int64_t axis : perm) {
    if (in[static_cast<std::size_t>(axis)] == 1) continue;
    bool follows = last >= 0 && axis > last;
    for (std::int64_t between = last + 1; follows && between < axis; ++between)
      follows = in[static_cast<std::size_t>(between)] == 1;
    if (!follows) ++runs;
    last = axis;
  }
  return runs;
}

void Editor::relink() {
  const auto read = [&](int value) { return !users_[static_cast<std::size_t>(value)].empty() || is_output(value); };
  std::vector<Node> kept;
  std::vector<bool> alive(g.nodes.size(), false);
  users_.assign(g.values.size(), {});
  for (std::size_t i = g.nodes.size(); i-- > 0;) {
    const Node& node = g.nodes[i];
    alive[i] = std::any_of(node.outputs.begin(), node.outputs.end(), read);
    if (!alive[i]) continue;
    for (const int input : node.inputs)
      if (input != kAbsent) users_[static_cast<std::size_t>(input)].push_back(static_cast<int>(i));
  }
  for (std::size_t i = 0; i < g.nodes.size(); ++i)
    if (alive[i]) kept.push_back(std::move(g.nodes[i]));
  g.nodes = std::move(kept);
  users_.assign(g.values.size(), {});
  for (Value& value : g.values) value.producer = -1;
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    for (const int input : g.nodes[i].inputs)
      if (input != kAbsent) users_[static_cast<std::size_t>(input)].push_back(static_cast<int>(i));
    for (const int output : g.nodes[i].outputs) g.value(output).producer = static_cast<int>(i);
  }
}

Node* Editor::producer(int value) {
  if (value == kAbsent || g.value(value).producer < 0) return nullptr;
  return &g.nodes[static_cast<std::size_t>(g.value(value).producer)];
}

Node* Editor::producer(int value, const std::string& op) {
  Node* const node = producer(value);
  return node != nullptr && node->op == op ? node : nullptr;
}

bool Editor::is_output(int value) const {
  return std::find(g.outputs.begin(), g.outputs.end(), value) != g.outputs.end();
}

Node* Editor::single_user(int value) {
  return only_user(value) ? &g.nodes[static_cast<std::size_t>(users(value).front())] : nullptr;
}

std::optional<double> Editor::scalar(int value) const {
  const ConstantPtr c = g.constant(value);
  if (c == nullptr || !c->known || c->size() != 1) return std::nullopt;
  return c->number(0);
}

bool Editor::is_scalar(int value, double expected) const {
  if (value == kAbsent) return false;
  const auto found = scalar(value);
  return found && *found == expected;
}

bool Editor::is_near(int value, double expected) const {
  constexpr double kRelative = 1e-3;  // exporters round sqrt(2), 1/6 and the like
  if (value == kAbsent) return false;
  const auto found = scalar(value);
  return found && std::fabs(*found - expected) <= kRelative * std::fabs(expected);
}

void Editor::redirect(int from, int to) {
  for (Node& node : g.nodes)
    for (int& input : node.inputs)
      if (input == from) input = to;
  for (int& output : g.outputs)
    if (output == from) output = to;
}

ConstantPtr mapped(const Constant& from, const std::function<float(float, std::size_t)>& function) {
  auto out = std::make_shared<Constant>(from);
  for (std::size_t i = 0; i < out->floats.size(); ++i) out->floats[i] = function(out->floats[i], i);
  return out;
}

Shape without_leading_ones(const Shape& shape) {
  std::size_t first = 0;
  while (first + 1 < shape.size() && shape[first] == 1) ++first;
  return {shape.begin() + static_cast<std::ptrdiff_t>(first), shape.end()};
}

void rewrite(Graph& graph) {
  constexpr int kMostRounds = 20;
  Editor e(graph);
  for (int round = 0; round < kMostRounds; ++round) {
    bool changed = drop_copies(e);
    changed = normalise(e) || changed;
    changed = drop_equal_nodes(e) || changed;
    changed = fold_batch_normalization(e) || changed;
    while (fold_padding(e)) changed = true;
    changed = recognise_patterns(e) || changed;
    changed = merge_movements(e) || changed;
    changed = sink_transposes(e) || changed;
    if (!changed) break;
  }
  expand_operators(graph);
  Editor last(graph);
  while (drop_copies(last) || sink_slices(last) || merge_movements(last)) {
  }
  split_transposes(graph);
}

}  // namespace accsim::model::importer
