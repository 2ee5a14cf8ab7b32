// Small networks that use every operator, small architectures with every dataflow, schedules with several tiles, and
// the programs that they are lowered to: what mutation tests start from.
#pragma once
#include <string>
#include <vector>

#include "model/arch/arch.h"
#include "model/program/program.h"
#include "model/schedule/schedule.h"
#include "model/workload/network.h"

namespace accsim::tests {

struct MutationCase {
  std::string name;  // "conv on two-os"
  model::Network network;
  model::Architecture arch;
  model::Schedule schedule;  // empty for programs written by hand
  model::Program program;
};

inline constexpr std::size_t kMutationNetworks = 8;
inline constexpr std::size_t kMutationArchitectures = 4;

// The network `net` on the architecture `arch` with some schedule; `variant` chooses tiles, loop orders, cores.
MutationCase mutation_case(std::size_t net, std::size_t arch, std::uint64_t variant);

// Two cores work on one tile in turn, through a scratchpad, semaphores across cores and the global buffer.
std::vector<MutationCase> handmade_cases();

}  // namespace accsim::tests
