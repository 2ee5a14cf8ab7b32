// Unary activations move into the operator that computes their input: the result is written once, activated.
#include <map>

#include "model/workload/network_graph.h"
#include "model/workload/operator_table.h"

namespace accsim::model {
namespace {

bool computes_values(OpType type) {
  const OpClass op_class = info(type).op_class;
  return op_class != OpClass::movement && op_class != OpClass::alias;
}

}  // namespace

Network fuse_activations(const Network& network) {
  Network fused;
  fused.name = network.name;
  fused.precision = network.precision;
  std::vector<bool> dropped(network.tensors.size(), false);
  std::map<OpId, std::size_t> host;  // operator of `network` -> its place in `fused.operators`
  for (const Operator& op : network.operators) {
    const Tensor& input = network.tensor(op.inputs[0]);
    const bool movable = info(op.type).op_class == OpClass::unary && input.producer.valid() &&
                         computes_values(network.op(input.producer).type) && input.consumers.size() == 1 &&
                         !input.network_output;
    if (!movable) {
      host[op.id] = fused.operators.size();
      fused.operators.push_back(op);
      continue;
    }
    const std::size_t place = host.at(input.producer);
    host[op.id] = place;
    FusedActivation activation{op.type, {}, op.name};
    if (const auto* clip = std::get_if<ClipAttributes>(&op.attributes)) activation.clip = *clip;
    Operator& into = fused.operators[place];
    into.activations.push_back(std::move(activation));
    into.activations.insert(into.activations.end(), op.activations.begin(), op.activations.end());
    into.outputs = op.outputs;
    dropped[input.id.index()] = true;
  }
  std::vector<TensorId> renumbered(network.tensors.size());
  for (const Tensor& tensor : network.tensors) {
    if (dropped[tensor.id.index()]) continue;
    renumbered[tensor.id.index()] = TensorId(static_cast<std::int32_t>(fused.tensors.size()));
    fused.tensors.push_back(tensor);
  }
  const auto renumber = [&](std::vector<TensorId>& ids) {
    for (TensorId& id : ids) id = renumbered[id.index()];
  };
  for (Operator& op : fused.operators) {
    renumber(op.inputs);
    renumber(op.outputs);
  }
  fused.inputs = network.inputs;
  fused.outputs = network.outputs;
  renumber(fused.inputs);
  renumber(fused.outputs);
  link(fused);
  return fused;
}

}  // namespace accsim::model
