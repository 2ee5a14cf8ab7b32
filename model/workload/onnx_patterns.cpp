// Operators that exporters spell out in primitives, found from one of their nodes and put together in the last one.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/workload/onnx_rewrite.h"

namespace accsim::model::importer {
namespace {

using Integers = std::vector<std::int64_t>;

// The two operands of a node in either order: calls match(a, b) for both; true as soon as one matches.
template <class Match>
bool either(const Node& node, Match match) {
  if (node.inputs.size() != 2) return false;
  return match(node.inputs[0], node.inputs[1]) || match(node.inputs[1], node.inputs[0]);
}

// Axes of a reduction, not negative, sorted. nullopt where they are computed.
std::optional<Integers> reduced_axes(const Editor& e, const Node& node) {
  Integers axes = node.integers("axes");
  if (node.input(1) != kAbsent) {
    const ConstantPtr c = e.g.constant(node.input(1));
    if (c == nullptr || !c->known) return std::nullopt;
    axes = c->ints;
  }
  const auto rank = static_cast<std::int64_t>(e.g.shape(node.inputs[0]).size());
  if (axes.empty()) {
    if (node.integer("noop_with_empty_axes", 0) != 0) return std::nullopt;
    axes.resize(static_cast<std::size_t>(rank));
    std::iota(axes.begin(), axes.end(), 0);
  }
  for (std::int64_t& axis : axes)
    if (axis < 0) axis += rank;
  std::sort(axes.begin(), axes.end());
  return axes;
}

// First of the axes that a ReduceMean takes, if they are the last ones and stay with extent 1; -1 otherwise.
std::int64_t mean_over_last(Editor& e, const Node* node) {
  if (node == nullptr || node->op != "ReduceMean" || node->integer("keepdims", 1) == 0) return -1;
  const auto axes = reduced_axes(e, *node);
  const auto rank = static_cast<std::int64_t>(e.g.shape(node->inputs[0]).size());
  if (!axes || axes->empty() || axes->back() != rank - 1) return -1;
  if (axes->back() - axes->front() + 1 != static_cast<std::int64_t>(axes->size())) return -1;
  return axes->front();
}

// What a value is the square root of, and epsilon: sqrt(mean(y * y over the last axes) + epsilon).
struct Deviation {
  int squared = kAbsent;  // y
  std::int64_t axis = 0;
  double epsilon = 0;
};
std::optional<Deviation> deviation(Editor& e, int value) {
  Node* const root = e.producer(value, "Sqrt");
  if (root == nullptr) return std::nullopt;
  Deviation d;
  int variance = root->inputs[0];
  if (Node* const sum = e.producer(variance, "Add"); sum != nullptr && e.scalar(sum->inputs[1])) {
    d.epsilon = *e.scalar(sum->inputs[1]);
    variance = sum->inputs[0];
  }
  Node* const mean = e.producer(variance, "ReduceMean");
  d.axis = mean_over_last(e, mean);
  if (d.axis < 0) return std::nullopt;
  Node* const square = e.producer(mean->inputs[0], "Mul");
  if (square == nullptr || square->inputs[0] != square->inputs[1] || d.epsilon < 0 || d.epsilon > 1)
    return std::nullopt;
  d.squared = square->inputs[0];
  return d;
}

// x / deviation, as a division or as a product with the inverse.
struct Normalised {
  int x = kAbsent;
  Deviation deviation;
};
std::optional<Normalised> normalised(Editor& e, const Node& node) {
  std::optional<Normalised> found;
  if (node.op == "Div") {
    if (const auto d = deviation(e, node.inputs[1])) found = Normalised{node.inputs[0], *d};
  } else if (node.op == "Mul") {
    either(node, [&](int x, int factor) {
      Node* const inverse = e.producer(factor);
      if (inverse == nullptr) return false;
      const bool divides = inverse->op == "Div" && e.is_scalar(inverse->inputs[0], 1);
      if (!divides && inverse->op != "Reciprocal") return false;
      const auto d = deviation(e, inverse->inputs[divides ? 1 : 0]);
      if (d) found = Normalised{x, *d};
      return found.has_value();
    });
  }
  return found;
}

Shape shape_from(const Editor& e, int value, std::int64_t axis) {
  const Shape& shape = e.g.shape(value);
  return {shape.begin() + axis, shape.end()};
}

std::int64_t product(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

bool layer_normalization(Editor& e, Node& node) {
  const auto n = normalised(e, node);
  if (!n) return false;
  const Node* const centred = e.producer(n->x, "Sub");
  int x = n->x;
  bool mean_taken = false;
  if (centred != nullptr && n->deviation.squared == n->x) {
    const Node* const mean = e.producer(centred->inputs[1], "ReduceMean");
    mean_taken = mean_over_last(e, mean) == n->deviation.axis && mean->inputs[0] == centred->inputs[0];
    if (mean_taken) x = centred->inputs[0];
  }
  if (!mean_taken && n->deviation.squared != n->x) return false;
  node.op = mean_taken ? "LayerNormalization" : "RMSNormalization";
  node.attributes.clear();
  node.attributes["axis"] = n->deviation.axis;
  node.attributes["epsilon"] = n->deviation.epsilon;
  node.inputs = {x};
  return true;
}

// A product and a sum with constants of the normalised shape right after a normalisation.
bool affine_normalization(Editor& e, Node& node) {
  const bool scale = node.op == "Mul";
  if ((!scale && node.op != "Add") || e.g.constant(node.input(1)) == nullptr) return false;
  Node* const norm = e.producer(node.inputs[0]);
  if (norm == nullptr || !e.only_user(node.inputs[0])) return false;
  const bool layer = norm->op == "LayerNormalization";
  if (!layer && !(norm->op == "RMSNormalization" && scale)) return false;
  if (norm->inputs.size() != (scale ? 1U : 2U)) return false;
  const std::int64_t rank = static_cast<std::int64_t>(e.g.shape(norm->inputs[0]).size());
  const std::int64_t axis =
      norm->integer("axis", -1) < 0 ? norm->integer("axis", -1) + rank : norm->integer("axis", -1);
  const Shape wanted = shape_from(e, norm->inputs[0], axis);
  const Constant& c = *e.g.constant(node.inputs[1]);
  if (without_leading_ones(c.shape) != without_leading_ones(wanted) || product(c.shape) != product(wanted))
    return false;
  auto shaped = std::make_shared<Constant>(c);
  shaped->shape = wanted;
  Integers inputs(norm->inputs.begin(), norm->inputs.end());
  node.inputs.assign(inputs.begin(), inputs.end());
  node.inputs.push_back(e.g.add_constant(
      e.g.value(node.inputs.back()).name.empty() ? node.name : node.name + (scale ? ".scale" : ".bias"), shaped));
  node.op = norm->op;
  node.attributes = norm->attributes;
  return true;
}

// Multiplies up the tree of products above `value` until only constants and the other factors in `wanted` are left:
// value * x * constant, in any order and nesting. Returns the last node of the product.
struct Product {
  Node* last = nullptr;
  double constant = 1;
  int x = kAbsent;
};
std::optional<Product> product_with(Editor& e, int value, int x) {
  Product p;
  bool x_found = false;
  for (int step = 0; step < 3; ++step) {
    Node* const user = e.single_user(value);
    if (user == nullptr || user->op != "Mul") break;
    const int other = user->inputs[0] == value ? user->inputs[1] : user->inputs[0];
    if (const auto c = e.scalar(other)) {
      p.constant *= *c;
    } else if (other == x && !x_found) {
      x_found = true;
    } else if (Node* const scaled = e.producer(other, "Mul");
               scaled != nullptr && !x_found && scaled->inputs[0] == x && e.scalar(scaled->inputs[1])) {
      p.constant *= *e.scalar(scaled->inputs[1]);
      x_found = true;
    } else {
      break;
    }
    p.last = user;
    value = user->outputs[0];
    if (x_found && std::fabs(p.constant - 1) > 1e-6) break;
  }
  if (!x_found) return std::nullopt;
  p.x = x;
  return p;
}

void become_unary(Node& node, const std::string& op, int x) {
  node.op = op;
  node.inputs = {x};
  node.attributes.clear();
}

// 0.5 x (1 + erf(x / sqrt(2)))
bool gelu_erf(Editor& e, Node& node) {
  if (node.op != "Erf") return false;
  const Node* const scaled = e.producer(node.inputs[0], "Mul");
  if (scaled == nullptr || !e.is_near(scaled->inputs[1], std::sqrt(0.5))) return false;
  const int x = scaled->inputs[0];
  Node* const plus = e.single_user(node.outputs[0]);
  if (plus == nullptr || plus->op != "Add" || !e.is_scalar(plus->inputs[1], 1)) return false;
  const auto p = product_with(e, plus->outputs[0], x);
  if (!p || std::fabs(p->constant - 0.5) > 1e-6) return false;
  become_unary(*p->last, "Gelu", x);
  return true;
}

// x * x * x in any spelling
bool is_cube(Editor& e, int value, int x) {
  const Node* const node = e.producer(value);
  if (node == nullptr) return false;
  if (node->op == "Pow") return node->inputs[0] == x && e.is_scalar(node->inputs[1], 3);
  if (node->op != "Mul") return false;
  return either(*node, [&](int a, int b) {
    const Node* const square = e.producer(a, "Mul");
    return b == x && square != nullptr && square->inputs[0] == x && square->inputs[1] == x;
  });
}

// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
bool gelu_tanh(Editor& e, Node& node) {
  constexpr double kPi = 3.14159265358979323846;
  if (node.op != "Tanh") return false;
  const Node* const scaled = e.producer(node.inputs[0], "Mul");
  if (scaled == nullptr || !e.is_near(scaled->inputs[1], std::sqrt(2 / kPi))) return false;
  const Node* const sum = e.producer(scaled->inputs[0], "Add");
  if (sum == nullptr) return false;
  int x = kAbsent;
  either(*sum, [&](int plain, int cubed) {
    const Node* const factor = e.producer(cubed, "Mul");
    if (factor == nullptr || !e.is_near(factor->inputs[1], 0.044715) || !is_cube(e, factor->inputs[0], plain))
      return false;
    x = plain;
    return true;
  });
  if (x == kAbsent) return false;
  Node* const plus = e.single_user(node.outputs[0]);
  if (plus == nullptr || plus->op != "Add" || !e.is_scalar(plus->inputs[1], 1)) return false;
  const auto p = product_with(e, plus->outputs[0], x);
  if (!p || std::fabs(p->constant - 0.5) > 1e-6) return false;
  become_unary(*p->last, "Gelu", x);
  p->last->attributes["approximate"] = std::string("tanh");
  return true;
}

// clip(x + 3, 0, 6) / 6
bool hard_sigmoid(Editor& e, Node& node) {
  if (node.op != "Mul" || !e.is_near(node.inputs[1], 1.0 / 6)) return false;
  const Node* const clip = e.producer(node.inputs[0], "Clip");
  if (clip == nullptr || !e.only_user(node.inputs[0])) return false;
  const auto bound = [&](std::size_t input, const char* key) {
    return clip->input(input) != kAbsent ? e.scalar(clip->input(input)).value_or(-1) : clip->number(key, -1);
  };
  if (bound(1, "min") != 0 || bound(2, "max") != 6) return false;
  const Node* const sum = e.producer(clip->inputs[0], "Add");
  if (sum == nullptr || !e.is_scalar(sum->inputs[1], 3)) return false;
  const int x = sum->inputs[0];
  become_unary(node, "HardSigmoid", x);
  node.attributes["alpha"] = 1.0 / 6;
  node.attributes["beta"] = 0.5;
  return true;
}

// x * sigmoid(x), x * hard sigmoid(x)
bool gated(Editor& e, Node& node) {
  if (node.op != "Mul") return false;
  return either(node, [&](int x, int gate) {
    const Node* const g = e.producer(gate);
    if (g == nullptr || g->inputs[0] != x) return false;
    if (g->op == "Sigmoid") {
      become_unary(node, "Silu", x);
      return true;
    }
    const bool sixth =
        g->op == "HardSigmoid" && std::fabs(g->number("alpha", 0.2) - 1.0 / 6) < 1e-4 && g->number("beta", 0.5) == 0.5;
    if (sixth) become_unary(node, "HardSwish", x);
    return sixth;
  });
}

// exp(x) / sum(exp(x)), with or without its maximum taken off before
bool softmax(Editor& e, Node& node) {
  if (node.op != "Div") return false;
  const Node* const exponential = e.producer(node.inputs[0], "Exp");
  const Node* const sum = e.producer(node.inputs[1], "ReduceSum");
  if (exponential == nullptr || sum == nullptr || sum->inputs[0] != node.inputs[0]) return false;
  const auto axes = reduced_axes(e, *sum);
  if (!axes || axes->size() != 1 || sum->integer("keepdims", 1) == 0) return false;
  int x = exponential->inputs[0];
  if (const Node* const shifted = e.producer(x, "Sub"); shifted != nullptr) {
    const Node* const largest = e.producer(shifted->inputs[1], "ReduceMax");
    if (largest != nullptr && largest->inputs[0] == shifted->inputs[0] && reduced_axes(e, *largest) == axes)
      x = shifted->inputs[0];
  }
  const std::int64_t axis = axes->front();
  become_unary(node, "Softmax", x);
  node.attributes["axis"] = axis;
  return true;
}

// Weights times a matrix, and a bias of one number a column.
bool linear(Editor& e, Node& node) {
  if (node.op != "Add" || e.g.constant(node.input(1)) == nullptr) return false;
  const Node* const matmul = e.producer(node.inputs[0], "MatMul");
  if (matmul == nullptr || !e.only_user(node.inputs[0]) || e.g.constant(matmul->inputs[0]) != nullptr) return false;
  const ConstantPtr weight = e.g.constant(matmul->inputs[1]);
  const Constant& bias = *e.g.constant(node.inputs[1]);
  if (weight == nullptr || weight->shape.size() != 2 || e.g.shape(matmul->inputs[0]).size() < 2) return false;
  if (bias.size() != weight->shape[1] || without_leading_ones(bias.shape) != Shape{weight->shape[1]}) return false;
  if (bias.shape.size() > e.g.shape(matmul->outputs[0]).size()) return false;
  auto row = std::make_shared<Constant>(bias);
  row->shape = {weight->shape[1]};
  const std::string name = node.name + ".bias";
  node.op = "Linear";
  node.inputs = {matmul->inputs[0], matmul->inputs[1], e.g.add_constant(name, row)};
  node.name = matmul->name;
  return true;
}

// Scores of an attention times a constant: the factor goes into the projection of the queries, where that is a product
// with weights, read by nobody else, and only moved on its way.
bool attention_scale(Editor& e, Node& node) {
  const auto factor = node.op == "Mul" ? e.scalar(node.input(1)) : std::nullopt;
  if (!factor) return false;
  const Node* const scores = e.producer(node.inputs[0], "MatMul");
  if (scores == nullptr || !e.only_user(node.inputs[0])) return false;
  int at = scores->inputs[0];
  Node* projection = nullptr;
  while (e.only_user(at)) {
    Node* const before = e.producer(at);
    if (before == nullptr) return false;
    if (before->op == "Linear") projection = before;
    if (before->op != "Reshape" && before->op != "Transpose") break;
    at = before->inputs[0];
  }
  if (projection == nullptr) return false;
  const auto scale = [&](int value, const char* suffix) {
    return e.g.add_constant(projection->name + suffix, mapped(*e.g.constant(value), [&](float v, std::size_t) {
                              return static_cast<float>(static_cast<double>(v) * *factor);
                            }));
  };
  projection->inputs[1] = scale(projection->inputs[1], ".weight");
  projection->inputs[2] = scale(projection->inputs[2], ".bias");
  e.redirect(node.outputs[0], node.inputs[0]);
  return true;
}

// A mean over all axes but the first two.
bool global_average(Editor& e, Node& node) {
  if (node.op != "ReduceMean" || node.has("axis")) return false;
  const auto axes = reduced_axes(e, node);
  const Shape& in = e.g.shape(node.inputs[0]);
  if (!axes) return false;
  const bool spatial = in.size() >= 3 && axes->size() == in.size() - 2 && axes->front() == 2;
  if (!spatial || node.integer("keepdims", 1) == 0) return false;
  become_unary(node, "GlobalAveragePool", node.inputs[0]);
  return true;
}

}  // namespace

bool recognise_patterns(Editor& e) {
  bool changed = false;
  using Pattern = bool (*)(Editor&, Node&);
  constexpr Pattern kPatterns[] = {
      layer_normalization, affine_normalization, gelu_erf, gelu_tanh, hard_sigmoid, gated, softmax, linear,
      attention_scale,     global_average};
  for (const Pattern pattern : kPatterns) {
    bool any = false;
    for (std::size_t i = 0; i < e.g.nodes.size(); ++i) {
      if (pattern(e, e.g.nodes[i])) {
        any = true;
        e.relink();
      }
    }
    changed = changed || any;
  }
  return changed;
}

}  // namespace accsim::model::importer
