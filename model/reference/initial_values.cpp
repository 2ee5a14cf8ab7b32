#include "model/reference/initial_values.h"

#include <string_view>

#include "model/base/error.h"

namespace accsim::model {
namespace {

std::uint64_t fnv(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return hash;
}

}  // namespace

std::uint64_t mix(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

int value_bits(DataType type) {
  switch (type) {
    case DataType::int4:
      return 4;
    case DataType::int8:
      return 8;
    case DataType::int16:
      return 16;
    case DataType::int32:
    case DataType::int64:
      return 32;
    case DataType::fp16:
      return 11;
    case DataType::bf16:
      return 8;
    case DataType::fp32:
      return 24;
  }
  throw InternalError("data type without a number of value bits");
}

InitialValues::InitialValues(const Network& network, std::uint64_t seed)
    : network_(network), seed_(seed), is_index_(network.tensors.size(), false) {
  for (const Operator& op : network.operators)
    if (op.type == OpType::gather) is_index_[network.tensor(op.inputs[1]).storage.index()] = true;
}

void InitialValues::fill(TensorId id, std::int64_t first, std::span<std::int32_t> out) const {
  const Tensor& tensor = network_.tensor(network_.tensor(id).storage);
  const auto count = static_cast<std::int64_t>(out.size());
  if (tensor.kind == TensorKind::activation) throw InternalError("tensor " + tensor.name + " has no initial values");
  if (first < 0 || first > element_count(tensor.shape) - count) {
    throw InternalError("elements outside of tensor " + tensor.name);
  }
  const bool is_index = is_index_[tensor.id.index()];
  const std::uint64_t start = mix(seed_ + fnv(tensor.name)) + static_cast<std::uint64_t>(first);
  const int bits = value_bits(tensor.type);
  for (std::int64_t i = 0; i < count; ++i) {
    std::int32_t& value = out[static_cast<std::size_t>(i)];
    if (is_index) {
      value = static_cast<std::int32_t>(gather_index(seed_, first + i));
    } else {
      value = signed_bits(static_cast<std::uint32_t>(mix(start + static_cast<std::uint64_t>(i)) >> 20U), bits);
    }
  }
}

}  // namespace accsim::model
