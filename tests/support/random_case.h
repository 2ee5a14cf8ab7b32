// Random small networks on random small architectures, for property tests and fuzzing: awkward sizes on purpose. Every
// case follows from its seed alone (splitmix64, no distribution of the standard library), on every platform.
// Networks: up to 8 operators of every type, several inputs, residual branches, aliases, extents that are 1, prime or
// smaller than a stride, asymmetric padding, dilation, groups, broadcasts, every element type.
// Architectures: 1 to 6 cores of up to 3 types, every dataflow, scratchpads of a few KiB with odd banks, with and
// without a global buffer, every topology of the network, every DRAM preset.
#pragma once
#include <cstdint>

#include "model/config/json.h"
#include "tests/support/random_schedule.h"

namespace accsim::tests {

struct RandomCase {
  std::uint64_t seed = 0;
  model::Json arch;  // accsim-arch/1
  model::Json net;   // accsim-net/1
};

RandomCase random_case(std::uint64_t seed);

}  // namespace accsim::tests
