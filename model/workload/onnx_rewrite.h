// Passes over an ONNX graph before it becomes a network: what exporters spell out in primitives is put together again,
// what moves nothing is dropped. Every pass leaves the values of the outputs as they are (up to rounding).
//   drop       Identity, Dropout, Cast between numbers, Mul by 1, Expand to the same shape, equal nodes twice
//   fold       BatchNormalization into the convolution before it (else a product and a sum); zero Pad into windows;
//              a constant factor of attention scores into the projection of the queries
//   recognise  LayerNormalization, RMSNormalization, Gelu (erf, tanh), Silu, HardSwish, HardSigmoid, Softmax;
//              MatMul and a bias as one Linear; a mean over all pixels as GlobalAveragePool
//   lower      Split, Gather of constant neighbours -> Slice; ConvTranspose, 3-D Conv, LSTM, GRU (onnx_expand.cpp)
//   order      adjacent Transposes and Reshapes become one, activations go before a Transpose
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/workload/onnx_graph.h"

namespace accsim::model::importer {

void rewrite(Graph& graph);

// The graph with what passes ask about it: who makes a value, who reads it.
class Editor {
 public:
  explicit Editor(Graph& graph) : g(graph) { relink(); }

  Graph& g;

  void relink();  // drops nodes whose results nobody reads
  [[nodiscard]] Node* producer(int value);
  [[nodiscard]] Node* producer(int value, const std::string& op);  // null unless it is this operator
  [[nodiscard]] const std::vector<int>& users(int value) const { return users_[static_cast<std::size_t>(value)]; }
  [[nodiscard]] bool is_output(int value) const;
  [[nodiscard]] bool only_user(int value) const { return users(value).size() == 1 && !is_output(value); }
  [[nodiscard]] Node* single_user(int value);                   // null if there are several, or it is an output
  [[nodiscard]] std::optional<double> scalar(int value) const;  // of a known constant of one element
  [[nodiscard]] bool is_scalar(int value, double expected) const;
  [[nodiscard]] bool is_near(int value, double expected) const;
  void redirect(int from, int to);  // whoever read `from` reads `to`

 private:
  std::vector<std::vector<int>> users_;  // by value: nodes, once for each time they read it
};

// A constant with every element mapped; without values if `from` has none.
ConstantPtr mapped(const Constant& from, const std::function<float(float, std::size_t)>& function);
// The numbers of a constant in its own shape with 1s left out in front; for comparison of shapes.
Shape without_leading_ones(const Shape& shape);

// Runs of axes that a transposition keeps together, extents of 1 left out: what a copy has as dimensions.
std::size_t runs_of(const Shape& in, const std::vector<std::int64_t>& perm);
inline constexpr std::size_t kMostRuns = 4;

// Patterns of several nodes (onnx_patterns.cpp); true if something changed.
bool recognise_patterns(Editor& editor);
// Operators that become several others (onnx_expand.cpp).
void expand_operators(Graph& graph);

}  // namespace accsim::model::importer
