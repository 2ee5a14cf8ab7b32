#include "model/workload/network.h"

#include <algorithm>
#include <map>

#include "model/base/error.h"
#include "model/workload/checked.h"
#include "model/workload/loop_nest.h"
#include "model/workload/network_spec.h"
#include "model/workload/operator_table.h"

namespace accsim::model {
namespace {

// Distinct coordinates inside the tensor that a whole nest touches along one axis, or fewer where counting would
// take long.
std::int64_t touched_coordinates(const LoopNest& nest, const Axis& axis) {
  constexpr std::int64_t kMostSteps = std::int64_t{1} << 22;
  std::int64_t steps = 1;
  std::int64_t last = axis.offset;
  for (const AxisTerm& term : axis.terms) {
    const std::int64_t extent = nest.dims[static_cast<std::size_t>(term.dim)].extent;
    steps = std::min(kMostSteps + 1, checked_product(steps, extent).value_or(kMostSteps + 1));
    last += term.coefficient * (extent - 1);
  }
  // Dense from end to end: a merged channel axis, a convolution of stride 1.
  std::vector<AxisTerm> terms = axis.terms;
  std::sort(terms.begin(), terms.end(), [](auto a, auto b) { return a.coefficient < b.coefficient; });
  std::int64_t run = 1;
  for (const AxisTerm& term : terms) {
    const std::int64_t extent = nest.dims[static_cast<std::size_t>(term.dim)].extent;
    if (term.coefficient > run && extent > 1) run = 0;
    if (run == 0) break;
    run += term.coefficient * (extent - 1);
  }
  if (run > 0)
    return std::max<std::int64_t>(std::min(last, axis.extent - 1) - std::max<std::int64_t>(axis.offset, 0) + 1, 0);
  if (steps > kMostSteps) return 1;
  std::vector<std::int64_t> coordinates{axis.offset};
  for (const AxisTerm& term : terms) {
    std::vector<std::int64_t> next;
    for (std::int64_t i = 0; i < nest.dims[static_cast<std::size_t>(term.dim)].extent; ++i)
      for (const std::int64_t c : coordinates) next.push_back(c + i * term.coefficient);
    coordinates = std::move(next);
  }
  std::sort(coordinates.begin(), coordinates.end());
  coordinates.erase(std::unique(coordinates.begin(), coordinates.end()), coordinates.end());
  return std::count_if(coordinates.begin(), coordinates.end(),
                       [&](std::int64_t c) { return c >= 0 && c < axis.extent; });
}

// Elements of an operand that the operator reads at least once.
std::int64_t elements_read(const Network& network, const LoopNest& nest, const Operand& operand) {
  std::int64_t count = 1;
  for (const Axis& axis : operand.axes) count *= touched_coordinates(nest, axis);
  // Gather may select one row twice; at worst it needs every row of the table once.
  return std::min(count, element_count(network.tensor(operand.tensor).shape));
}

}  // namespace

std::int64_t element_count(const Shape& shape) {
  const auto count = checked_product(shape);
  if (!count) throw InternalError("element count of " + shape_text(shape) + " overflows");
  return *count;
}

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

std::string_view name_of(OpType type) { return info(type).name; }

bool is_alias(OpType type) { return info(type).op_class == OpClass::alias; }

std::vector<std::string> Operator::layer_names() const {
  std::vector<std::string> names{name};
  for (const FusedActivation& activation : activations) names.push_back(activation.name);
  return names;
}

Bytes Network::bytes_of(TensorId id) const { return storage_bytes(tensor(id).type, element_count(tensor(id).shape)); }

std::optional<std::int64_t> checked_macs(const Network& network, OpId op) {
  const Operator& layer = network.op(op);
  if (info(layer.type).op_class != OpClass::matrix) return 0;
  const std::int64_t results = element_count(network.tensor(layer.outputs[0]).shape);
  std::int64_t reduced = 0;
  if (layer.type == OpType::conv) {  // weight is [out channels, in channels / group, window…]
    const Shape& weight = network.tensor(layer.inputs[1]).shape;
    reduced = element_count(weight) / weight[0];
  } else {
    const Shape& a = network.tensor(layer.inputs[0]).shape;
    const auto* gemm = std::get_if<GemmAttributes>(&layer.attributes);
    reduced = gemm != nullptr && gemm->trans_a ? a.front() : a.back();
  }
  return checked_product(results, reduced);
}

Macs macs_of(const Network& network, OpId op) {
  const auto macs = checked_macs(network, op);
  if (!macs) throw InternalError("multiply-accumulates of " + network.op(op).name + " overflow");
  return Macs(*macs);
}

Macs total_macs(const Network& network) {
  Macs total;
  for (const Operator& op : network.operators) total += macs_of(network, op.id);
  return total;
}

std::int64_t total_parameters(const Network& network) {
  std::int64_t total = 0;
  for (const Tensor& tensor : network.tensors) {
    if (tensor.kind == TensorKind::weight && !tensor.consumers.empty()) total += element_count(tensor.shape);
  }
  return total;
}

Bytes compulsory_bytes(const Network& network) {
  std::map<TensorId, Bytes> needed;  // by storage: two readers of one tensor need it once
  for (const Operator& op : network.operators) {
    if (is_alias(op.type)) continue;
    for (const LoopNest& nest : loop_nests_of(network, op.id)) {
      for (const Operand& operand : nest.operands) {
        const Tensor& root = network.tensor(network.tensor(operand.tensor).storage);
        if (operand.role == OperandRole::output || root.kind == TensorKind::activation) continue;
        Bytes& bytes = needed[root.id];
        bytes = std::max(bytes, storage_bytes(operand.type, elements_read(network, nest, operand)));
      }
    }
  }
  for (const TensorId id : network.outputs) {
    const Tensor& root = network.tensor(network.tensor(id).storage);
    if (root.kind == TensorKind::activation) needed[root.id] = network.bytes_of(root.id);
  }
  Bytes total;
  for (const auto& [id, bytes] : needed) total += bytes;
  return total;
}

std::int64_t gather_index(std::uint64_t seed, std::int64_t i) {
  // SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): increment by the golden ratio, then two multiply-xorshift rounds.
  std::uint64_t z = seed + (static_cast<std::uint64_t>(i) + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  z ^= z >> 31U;
  return static_cast<std::int64_t>(z >> 33U);
}

std::int64_t gather_row(std::uint64_t seed, std::int64_t i, std::int64_t rows) { return gather_index(seed, i) % rows; }

}  // namespace accsim::model
