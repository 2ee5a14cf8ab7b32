// Values that a run on data starts from: the bits of a value of each type, and every element of every network input
// and weight from a seed, the tensor's name and the element's index alone. docs/arithmetic.md, "Values".
// Both sides of --verify use this file: a difference in what they start from would be no finding.
// Leaves out: the encoding of a value in memory.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/base/data_type.h"
#include "model/workload/network.h"

namespace accsim::model {

// b: values of the type are signed integers of this many bits, each of them exact in the type.
int value_bits(DataType type);

// The lowest `bits` (1 to 32) bits of v as a signed number.
constexpr std::int32_t signed_bits(std::uint32_t v, int bits) {
  const std::uint32_t sign = std::uint32_t{1} << static_cast<unsigned>(bits - 1);
  const std::uint32_t low = bits >= 32 ? v : v & ((sign << 1U) - 1U);
  return static_cast<std::int32_t>((low ^ sign) - sign);
}

// `mix` of docs/arithmetic.md.
std::uint64_t mix(std::uint64_t z);

class InitialValues {
 public:
  // Keeps a reference to the network.
  InitialValues(const Network& network, std::uint64_t seed);

  // Elements [first, first + out.size()) in row-major order of a network input or weight, or of an alias of one
  // (Reshape, Flatten). InternalError for other tensors and for elements outside of the tensor.
  void fill(TensorId id, std::int64_t first, std::span<std::int32_t> out) const;

 private:
  const Network& network_;
  std::uint64_t seed_;
  std::vector<bool> is_index_;  // by tensor: a Gather takes it, or an alias of it, as its indices
};

}  // namespace accsim::model
