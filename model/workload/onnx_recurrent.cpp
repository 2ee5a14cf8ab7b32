// LSTM and GRU, unrolled over time: the products with the inputs of all steps are one product a gate; each step is a
// product with the state a gate, and the arithmetic of the gates. Equations as in the ONNX operator specification.
// Leaves out: peepholes, other activations than the standard ones, clipping, sequences of different lengths, batch
// first.
#include <algorithm>
#include <array>

#include "model/workload/network_spec.h"
#include "model/workload/onnx_expand.h"

namespace accsim::model::importer {
namespace {

using Integers = std::vector<std::int64_t>;

class Recurrent {
 public:
  Recurrent(Expander& expander, const Node& node)
      : x_(expander), g_(expander.g), node_(node), lstm_(node.op == "LSTM") {}

  void run() {
    check();
    const Shape& in = g_.shape(node_.inputs[0]);
    steps_ = in[0];
    batch_ = in[1];
    features_ = in[2];
    const Constant& r = *constant(2);
    hidden_ = r.shape.at(2);
    directions_ = r.shape[0];
    rows_ = x_.step(node_, ".inputs", "Reshape", {node_.inputs[0]}, {steps_ * batch_, features_});
    std::vector<int> all;   // [T, 1, B, H] a direction
    std::vector<int> last;  // [1, B, H]
    std::vector<int> cells;
    for (std::int64_t d = 0; d < directions_; ++d) direction(d, all, last, cells);
    join(0, all, 1);
    join(1, last, 0);
    join(2, cells, 0);
  }

 private:
  [[nodiscard]] ConstantPtr constant(std::size_t input) const {
    const ConstantPtr c = g_.constant_input(node_, input);
    if (c == nullptr) g_.refuse(node_, "its weights are computed, which is not supported");
    return c;
  }

  void check() const {
    constexpr std::int64_t kMostSteps = 4096;
    const Shape& in = g_.shape(node_.inputs[0]);
    if (in.size() != 3 || constant(1)->shape.size() != 3 || constant(2)->shape.size() != 3)
      g_.refuse(node_, "its input and weights must have three axes");
    const std::int64_t gates = lstm_ ? 4 : 3;
    const Shape& w = constant(1)->shape;
    const Shape& r = constant(2)->shape;
    const bool both = node_.text("direction", "forward") == "bidirectional";
    bool fit = r[0] == (both ? 2 : 1) && r[1] == gates * r[2] && w == Shape{r[0], r[1], in[2]};
    if (node_.input(3) != kAbsent) fit = fit && constant(3)->shape == Shape{r[0], 2 * r[1]};
    for (std::size_t i = 5; i < (lstm_ ? 7U : 6U); ++i)
      if (node_.input(i) != kAbsent) fit = fit && g_.shape(node_.input(i)) == Shape{r[0], in[1], r[2]};
    if (!fit) g_.refuse(node_, "its weights and states do not go together");
    if (in[0] > kMostSteps) {
      g_.refuse(node_,
                std::to_string(in[0]) + " steps are not supported, at most " + std::to_string(kMostSteps) + " are");
    }
    if (node_.input(4) != kAbsent && !whole_sequences())
      g_.refuse(node_, "sequences of different lengths are not supported");
    if (lstm_ && node_.input(7) != kAbsent) g_.refuse(node_, "peepholes are not supported");
    if (node_.has("clip")) g_.refuse(node_, "clipping is not supported");
    if (node_.integer("layout", 0) != 0) g_.refuse(node_, "layout 1 is not supported");
    if (node_.integer("input_forget", 0) != 0) g_.refuse(node_, "input_forget is not supported");
    const std::string given = node_.text("activations", "");
    const std::string standard = lstm_ ? "Sigmoid Tanh Tanh" : "Sigmoid Tanh";
    if (!given.empty() && given != standard && given != standard + " " + standard)
      g_.refuse(node_, "activations " + quote_name(given) + " are not supported");
  }
  [[nodiscard]] bool whole_sequences() const {
    const ConstantPtr lengths = g_.constant_input(node_, 4);
    if (lengths == nullptr || !lengths->known) return false;
    return std::all_of(lengths->ints.begin(), lengths->ints.end(),
                       [&](auto l) { return l == g_.shape(node_.inputs[0])[0]; });
  }

  // Rows [gate * H, gate * H + H) of one direction of W or R.
  int gate_weight(std::size_t input, std::int64_t d, std::int64_t gate, const std::string& suffix) {
    const Constant& all = *constant(input);
    const std::int64_t columns = all.shape[2];
    return g_.add_constant(node_.name + suffix, Expander::picked(all, {hidden_, columns}, [&](const Integers& at) {
                             return (d * all.shape[1] + gate * hidden_ + at[0]) * columns + at[1];
                           }));
  }
  // Biases of W (half 0), R (half 1) or both (half 2).
  int gate_bias(std::int64_t d, std::int64_t gate, int half, const std::string& suffix) {
    if (node_.input(3) == kAbsent) return kAbsent;
    const Constant& all = *constant(3);
    const std::int64_t gates = lstm_ ? 4 : 3;
    const auto at = [&](std::int64_t i, std::int64_t part) {
      return (d * 2 * gates + part * gates + gate) * hidden_ + i;
    };
    if (!all.known) return g_.add_constant(node_.name + suffix, make_unknown({hidden_}, Element::float32));
    std::vector<float> values;
    for (std::int64_t i = 0; i < hidden_; ++i) {
      const double w = half == 1 ? 0 : all.number(static_cast<std::size_t>(at(i, 0)));
      const double r = half == 0 ? 0 : all.number(static_cast<std::size_t>(at(i, 1)));
      values.push_back(static_cast<float>(w + r));
    }
    return g_.add_constant(node_.name + suffix, make_floats({hidden_}, std::move(values)));
  }

  int start(std::size_t input, std::int64_t d, const std::string& suffix) {
    const Shape shape{batch_, hidden_};
    const int given = node_.input(input);
    if (given == kAbsent) {
      const auto count = static_cast<std::size_t>(batch_ * hidden_);
      return g_.add_constant(node_.name + suffix, make_floats(shape, std::vector<float>(count, 0.0F)));
    }
    if (const ConstantPtr c = g_.constant(given); c != nullptr) {
      return g_.add_constant(node_.name + suffix, Expander::picked(*c, shape, [&](const Integers& at) {
                               return (d * batch_ + at[0]) * hidden_ + at[1];
                             }));
    }
    const int part = x_.slice(node_, suffix + ".part", given, 0, d, 1);
    return x_.step(node_, suffix, "Reshape", {part}, shape);
  }

  int gemm(const std::string& suffix, int a, int b, int c, std::int64_t rows) {
    std::vector<int> inputs{a, b};
    if (c != kAbsent) inputs.push_back(c);
    return x_.step(node_, suffix, "Gemm", inputs, {rows, hidden_}, {{"transB", std::int64_t{1}}});
  }
  int op(const std::string& suffix, const std::string& name, std::vector<int> inputs) {
    return x_.step(node_, suffix, name, std::move(inputs), {batch_, hidden_});
  }

  void direction(std::int64_t d, std::vector<int>& all, std::vector<int>& last, std::vector<int>& cells) {
    const std::string side = directions_ == 2 ? (d == 0 ? ".forward" : ".backward") : "";
    const bool backward = d == 1 || node_.text("direction", "forward") == "reverse";
    const std::int64_t gates = lstm_ ? 4 : 3;
    const bool reset_after = !lstm_ && node_.integer("linear_before_reset", 0) != 0;
    std::array<int, 4> inputs{};  // products of all inputs, a gate
    std::array<int, 4> weights{};
    for (std::int64_t gate = 0; gate < gates; ++gate) {
      const auto i = static_cast<std::size_t>(gate);
      const std::string suffix = side + ".gate" + std::to_string(gate);
      const bool apart = reset_after && gate == 2;
      inputs[i] = gemm(suffix, rows_, gate_weight(1, d, gate, suffix + ".w"),
                       gate_bias(d, gate, apart ? 0 : 2, suffix + ".b"), steps_ * batch_);
      weights[i] = gate_weight(2, d, gate, suffix + ".r");
    }
    const int reset_bias = reset_after ? gate_bias(d, 2, 1, side + ".reset.b") : kAbsent;
    int h = start(5, d, side + ".h");
    int c = lstm_ ? start(6, d, side + ".c") : kAbsent;
    std::vector<int> states(static_cast<std::size_t>(steps_));
    for (std::int64_t i = 0; i < steps_; ++i) {
      const std::int64_t t = backward ? steps_ - 1 - i : i;
      const std::string at = side + ".t" + std::to_string(t);
      const auto part = [&](std::size_t gate) {
        return x_.slice(node_, at + ".x" + std::to_string(gate), inputs[gate], 0, t * batch_, batch_);
      };
      if (lstm_) {
        lstm_step(at, part, weights, h, c);
      } else {
        gru_step(at, part, weights, reset_after, reset_bias, h);
      }
      states[static_cast<std::size_t>(t)] = h;
    }
    const Shape rows{steps_ * batch_, hidden_};
    const int joined =
        steps_ == 1 ? states[0] : x_.step(node_, side + ".states", "Concat", states, rows, {{"axis", std::int64_t{0}}});
    all.push_back(x_.step(node_, side + ".y", "Reshape", {joined}, {steps_, 1, batch_, hidden_}));
    last.push_back(x_.step(node_, side + ".y_h", "Reshape", {h}, {1, batch_, hidden_}));
    if (lstm_) cells.push_back(x_.step(node_, side + ".y_c", "Reshape", {c}, {1, batch_, hidden_}));
  }

  // Gates in the order input, output, forget, cell.
  template <class Part>
  void lstm_step(const std::string& at, Part part, const std::array<int, 4>& weights, int& h, int& c) {
    std::array<int, 4> gate{};
    for (std::size_t i = 0; i < gate.size(); ++i) {
      const std::string suffix = at + ".g" + std::to_string(i);
      const int sum = gemm(suffix, h, weights[i], part(i), batch_);
      gate[i] = op(suffix + ".a", i == 3 ? "Tanh" : "Sigmoid", {sum});
    }
    const int kept = op(at + ".kept", "Mul", {gate[2], c});
    const int fresh = op(at + ".fresh", "Mul", {gate[0], gate[3]});
    c = op(at + ".c", "Add", {kept, fresh});
    const int squashed = op(at + ".tanh", "Tanh", {c});
    h = op(at + ".h", "Mul", {gate[1], squashed});
  }

  // Gates in the order update, reset, hidden.
  template <class Part>
  void gru_step(const std::string& at, Part part, const std::array<int, 4>& weights, bool reset_after, int reset_bias,
                int& h) {
    const int z = op(at + ".z", "Sigmoid", {gemm(at + ".z.sum", h, weights[0], part(0), batch_)});
    const int r = op(at + ".r", "Sigmoid", {gemm(at + ".r.sum", h, weights[1], part(1), batch_)});
    int sum = kAbsent;
    if (reset_after) {
      const int scaled = op(at + ".reset", "Mul", {r, gemm(at + ".n.sum", h, weights[2], reset_bias, batch_)});
      sum = op(at + ".n", "Add", {part(2), scaled});
    } else {
      sum = gemm(at + ".n", op(at + ".reset", "Mul", {r, h}), weights[2], part(2), batch_);
    }
    const int fresh = op(at + ".n.a", "Tanh", {sum});
    const int change = op(at + ".kept", "Mul", {z, op(at + ".old", "Sub", {h, fresh})});
    h = op(at + ".h", "Add", {fresh, change});
  }

  void join(std::size_t output, const std::vector<int>& parts, std::int64_t axis) {
    if (output >= node_.outputs.size() || parts.empty()) return;
    const std::string suffix = ".out" + std::to_string(output);
    if (parts.size() == 1) return x_.add(node_, suffix, "Identity", parts, node_.outputs[output]);
    x_.add(node_, suffix, "Concat", parts, node_.outputs[output], {{"axis", axis}});
  }

  Expander& x_;
  Graph& g_;
  const Node& node_;
  bool lstm_;
  std::int64_t steps_ = 0, batch_ = 0, features_ = 0, hidden_ = 0, directions_ = 1;
  int rows_ = kAbsent;
};

}  // namespace

void expand_recurrent(Expander& expander, const Node& node) { Recurrent(expander, node).run(); }

}  // namespace accsim::model::importer
