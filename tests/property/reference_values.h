// Networks on values by plain loops over shapes and attributes: knows nothing of nests, schedules or programs. The
// stand-in arithmetic is that of value_machine.h.
#pragma once
#include <cstdint>
#include <vector>

#include "model/workload/network.h"
#include "tests/property/value_machine.h"

namespace accsim::tests {

using TensorValues = std::vector<std::vector<Value>>;  // by tensor

// Small random values of network inputs and weights; the indices of a Gather are those that timing uses.
TensorValues random_inputs(const model::Network& network, std::uint64_t seed, Random& random);
// All tensors.
TensorValues evaluate(const model::Network& network, TensorValues values);

}  // namespace accsim::tests
