#include "app/distinct_values.h"

#include <algorithm>
#include <limits>

#include "model/reference/initial_values.h"
#include "model/workload/operator_table.h"

namespace accsim::app {
namespace {

constexpr std::int64_t kEnough = 64;
// Of the elements of a tensor one in so many; of types with few values, where all of them are asked for, fewer.
constexpr std::int64_t kElementsAValue = 8;
constexpr std::int64_t kElementsAValueOfFew = 16;
// A map of one element that two operands are made of need not be one-to-one: a quarter of the values is left at least.
constexpr std::int64_t kShareOfOneElement = 4;

std::int64_t values_of(const model::Tensor& tensor) { return std::int64_t{1} << model::value_bits(tensor.type); }

class Requirements {
 public:
  explicit Requirements(const model::Network& network)
      : network_(network), required_(network.tensors.size(), 0), made_of_(network.tensors.size()) {
    for (const model::Tensor& tensor : network.tensors) {
      made_of_[tensor.id.index()] = tensor.id;
      if (!tensor.producer.valid()) set(tensor, kEnough);
    }
    for (const model::Operator& op : network.operators)
      for (const model::TensorId output : op.outputs) set(network.tensor(output), possible(op, output));
  }
  [[nodiscard]] const std::vector<std::int64_t>& required() const { return required_; }

 private:
  void set(const model::Tensor& tensor, std::int64_t possible) {
    const std::int64_t elements = model::element_count(tensor.shape);
    const std::int64_t elements_a_value = values_of(tensor) < kEnough ? kElementsAValueOfFew : kElementsAValue;
    required_[tensor.id.index()] =
        std::min({kEnough, values_of(tensor), model::ceil_div(elements, elements_a_value), possible});
  }

  [[nodiscard]] bool is_scalar(model::TensorId id) const {
    return model::element_count(network_.tensor(id).shape) == 1;
  }

  // Values that the operator's result has, as far as its operands limit them.
  std::int64_t possible(const model::Operator& op, model::TensorId output) {
    const auto of = [&](std::size_t input) { return required_[op.inputs[input].index()]; };
    switch (op.type) {
      case model::OpType::where:
        return of_elements(op, output, 1);
      case model::OpType::add:
      case model::OpType::sub:
      case model::OpType::mul:
      case model::OpType::div:
      case model::OpType::pow:
      case model::OpType::prelu:
        return of_elements(op, output, 0);
      case model::OpType::concat: {
        std::int64_t most = 0;
        for (std::size_t i = 0; i < op.inputs.size(); ++i) most = std::max(most, of(i));
        return most;
      }
      case model::OpType::conv:
      case model::OpType::gemm:
      case model::OpType::matmul:
        return kEnough;
      case model::OpType::global_average_pool:
      case model::OpType::average_pool:
      case model::OpType::max_pool:
      case model::OpType::reduce_mean:
      case model::OpType::softmax:
      case model::OpType::layer_normalization:
      case model::OpType::rms_normalization:
        return of(0) == 1 ? 1 : kEnough;
      default:  // activations are one-to-one, all others move elements
        if (model::is_alias(op.type) || model::is_activation(op.type))
          made_of_[output.index()] = made_of_[op.inputs[0].index()];
        return of(0);
    }
  }

  // Operators of elements: one-to-one in each operand, as long as the others do not follow from it.
  std::int64_t of_elements(const model::Operator& op, model::TensorId output, std::size_t first) {
    std::int64_t most = 0;
    model::TensorId source;
    bool one_source = true;
    for (std::size_t i = first; i < op.inputs.size(); ++i) {
      most = std::max(most, required_[op.inputs[i].index()]);
      if (is_scalar(op.inputs[i])) continue;
      const model::TensorId root = made_of_[op.inputs[i].index()];
      one_source = one_source && (!source.valid() || root == source);
      source = root;
    }
    if (!source.valid() || !one_source) return most;
    made_of_[output.index()] = source;
    return std::min(most, std::max<std::int64_t>(1, values_of(network_.tensor(output)) / kShareOfOneElement));
  }

  const model::Network& network_;
  std::vector<std::int64_t> required_;    // by tensor
  std::vector<model::TensorId> made_of_;  // by tensor: the one whose elements its elements follow from, one by one
};

}  // namespace

std::vector<std::int64_t> required_distinct(const model::Network& network) { return Requirements(network).required(); }

}  // namespace accsim::app
