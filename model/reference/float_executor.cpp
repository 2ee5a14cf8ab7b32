#include "model/reference/float_executor.h"

#include <string>
#include <utility>

#include "model/base/error.h"
#include "model/reference/operators.h"

namespace accsim::model {

FloatExecutor::FloatExecutor(const Network& network) : network_(network), values_(network) {}

void FloatExecutor::set(TensorId id, std::vector<float> values) {
  const Tensor& tensor = network_.tensor(id);
  if (tensor.kind == TensorKind::activation) throw InternalError("tensor " + tensor.name + " is computed");
  const std::int64_t expected = element_count(tensor.shape);
  const auto found = static_cast<std::int64_t>(values.size());
  if (found != expected) {
    throw ConfigError("tensor " + tensor.name + " " + shape_text(tensor.shape) + ": expected " +
                      std::to_string(expected) + " values, found " + std::to_string(found));
  }
  values_.set(id, reference::FloatValues(std::move(values)));
}

void FloatExecutor::run(OpId id) {
  const Operator& op = network_.op(id);
  if (values_.done(id)) throw InternalError("layer " + op.name + " has run already");
  if (is_alias(op.type)) return values_.mark_done(op);
  std::vector<const reference::FloatValues*> inputs;
  for (const TensorId input : op.inputs) {
    const Tensor& storage = network_.tensor(network_.tensor(input).storage);
    if (storage.kind != TensorKind::activation && !values_.has(input)) {
      throw ConfigError("tensor " + storage.name + " has no values");
    }
    inputs.push_back(&values_.get(input));
  }
  const Tensor& result = network_.tensor(op.outputs[0]);
  reference::FloatValues output(element_count(result.shape));
  const reference::FloatArithmetic arithmetic;
  reference::evaluate(reference::Job<reference::FloatArithmetic>{network_, op, arithmetic, std::move(inputs), output});
  values_.set(result.id, std::move(output));
  values_.mark_done(op);
}

void FloatExecutor::run_all() {
  for (const Operator& op : network_.operators)
    if (!values_.done(op.id)) run(op.id);
}

}  // namespace accsim::model
