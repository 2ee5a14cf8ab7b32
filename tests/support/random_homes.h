// Random homes on the chip for the tensors that leave the groups of a schedule, as many as fit.
#pragma once
#include "model/schedule/schedule.h"
#include "tests/support/random_schedule.h"

namespace accsim::tests {

// The schedule is valid and stays so.
inline void random_homes(model::Schedule& schedule, const model::Network& network, const model::Architecture& arch,
                         Random& random, int percent = 50) {
  for (model::Group& group : schedule.groups) {
    for (const model::Operator& op : network.operators) {
      if (op.name != group.layers.back() || !random.chance(percent)) continue;
      const model::Tensor& result = network.tensor(network.tensor(op.outputs.front()).storage);
      group.homes[result.name] = random.chance(60) ? model::Home::scratchpad : model::Home::global_buffer;
      if (model::verify_schedule(schedule, network, arch)) group.homes.erase(result.name);
    }
  }
}

}  // namespace accsim::tests
