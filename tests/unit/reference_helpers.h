// One operator of a network evaluated on values that a test chooses, and the requantisation that its sums go through.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "model/reference/float_executor.h"
#include "model/reference/integer_arithmetic.h"
#include "model/reference/operators.h"
#include "tests/unit/test_network_helpers.h"

namespace accsim::tests {

using Integers = std::vector<std::int32_t>;

// The result of the network's first operator; `inputs` in the order of the operator's inputs.
inline Integers integer_result(const Network& network, const std::vector<Integers>& inputs, int accumulator_bits = 32) {
  const Operator& op = network.operators.at(0);
  std::vector<IntegerValues> values;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& tensor = network.tensor(op.inputs.at(i));
    if (element_count(tensor.shape) != static_cast<std::int64_t>(inputs[i].size()))
      throw InternalError("test: wrong number of values for " + tensor.name);
    values.emplace_back(tensor.type, element_count(tensor.shape));
    values.back().write(0, inputs[i]);
  }
  if (inputs.size() != op.inputs.size()) throw InternalError("test: wrong number of inputs of " + op.name);
  std::vector<const IntegerValues*> pointers;
  pointers.reserve(values.size());
  for (const IntegerValues& one : values) pointers.push_back(&one);
  const Tensor& result = network.tensor(op.outputs[0]);
  IntegerValues output(result.type, element_count(result.shape));
  const reference::IntegerArithmetic arithmetic(output.bits(), accumulator_bits);
  reference::evaluate(reference::Job<reference::IntegerArithmetic>{network, op, arithmetic, pointers, output});
  Integers all(static_cast<std::size_t>(output.size()));
  output.read(0, all);
  return all;
}

// The result of the network's first operator in floating point.
inline std::vector<float> float_result(const Network& network, const std::vector<std::vector<float>>& inputs) {
  FloatExecutor executor(network);
  const Operator& op = network.operators.at(0);
  for (std::size_t i = 0; i < inputs.size(); ++i) executor.set(op.inputs.at(i), inputs[i]);
  executor.run(op.id);
  const auto values = executor.values(op.outputs[0]);
  return {values.begin(), values.end()};
}

// Sums that were calculated by hand, requantised.
inline Integers requantised(const std::vector<std::int64_t>& sums, int bits = 8) {
  Integers all;
  for (const std::int64_t sum : sums) all.push_back(reference::requantise(static_cast<std::uint32_t>(sum), bits));
  return all;
}

// The same, spread.
inline Integers spread(const std::vector<std::int64_t>& numbers, int bits = 8) {
  Integers all;
  for (const std::int64_t number : numbers) all.push_back(reference::spread(static_cast<std::uint32_t>(number), bits));
  return all;
}

}  // namespace accsim::tests
