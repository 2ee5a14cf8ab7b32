#include "model/reference/executor.h"

#include <algorithm>
#include <string>
#include <utility>

#include "model/base/error.h"
#include "model/reference/integer_arithmetic.h"
#include "model/reference/operators.h"

namespace accsim::model {

ReferenceExecutor::ReferenceExecutor(const Network& network, std::uint64_t seed, int accumulator_bits)
    : network_(network), initial_(network, seed), accumulator_bits_(accumulator_bits), activations_(network) {
  if (accumulator_bits < 1 || accumulator_bits > 32) {
    throw InternalError("accumulator of " + std::to_string(accumulator_bits) + " bits");
  }
}

IntegerValues ReferenceExecutor::initial_values(TensorId id) const {
  constexpr std::int64_t kAtOnce = 4096;
  const Tensor& tensor = network_.tensor(id);
  IntegerValues values(tensor.type, element_count(tensor.shape));
  std::vector<std::int32_t> some(static_cast<std::size_t>(std::min(kAtOnce, values.size())));
  for (std::int64_t first = 0; first < values.size(); first += kAtOnce) {
    some.resize(static_cast<std::size_t>(std::min(kAtOnce, values.size() - first)));
    initial_.fill(id, first, some);
    values.write(first, some);
  }
  return values;
}

void ReferenceExecutor::run(OpId id) {
  const Operator& op = network_.op(id);
  if (activations_.done(id)) throw InternalError("layer " + op.name + " has run already");
  if (is_alias(op.type)) return activations_.mark_done(op);
  const Tensor& result = network_.tensor(op.outputs[0]);
  std::vector<IntegerValues> made;  // inputs and weights, for this operator only
  made.reserve(op.inputs.size());
  std::vector<const IntegerValues*> inputs;
  for (const TensorId input : op.inputs) {
    const Tensor& storage = network_.tensor(network_.tensor(input).storage);
    if (storage.kind == TensorKind::activation) {
      inputs.push_back(&activations_.get(input));
    } else {
      made.push_back(initial_values(input));
      inputs.push_back(&made.back());
    }
  }
  IntegerValues output(result.type, element_count(result.shape));
  const reference::IntegerArithmetic arithmetic(output.bits(), accumulator_bits_);
  reference::evaluate(
      reference::Job<reference::IntegerArithmetic>{network_, op, arithmetic, std::move(inputs), output});
  activations_.set(result.id, std::move(output));
  activations_.mark_done(op);
}

void ReferenceExecutor::run_all() {
  for (const Operator& op : network_.operators)
    if (!activations_.done(op.id)) run(op.id);
}

bool ReferenceExecutor::has(TensorId tensor) const { return activations_.has(tensor); }

void ReferenceExecutor::read(TensorId tensor, std::int64_t first, std::span<std::int32_t> out) const {
  const Tensor& storage = network_.tensor(network_.tensor(tensor).storage);
  if (storage.kind != TensorKind::activation) return initial_.fill(tensor, first, out);
  activations_.get(tensor).read(first, out);
}

std::vector<std::int32_t> ReferenceExecutor::values(TensorId tensor) const {
  std::vector<std::int32_t> all(static_cast<std::size_t>(element_count(network_.tensor(tensor).shape)));
  read(tensor, 0, all);
  return all;
}

void ReferenceExecutor::release(TensorId tensor) { activations_.release(tensor); }

Bytes ReferenceExecutor::bytes_held() const {
  Bytes total;
  activations_.for_each([&](const IntegerValues& values) { total += Bytes(values.host_bytes()); });
  return total;
}

}  // namespace accsim::model
