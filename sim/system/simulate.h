// Runs a program on a chip built from an architecture and returns what was measured. One call, one SystemC context.
#pragma once
#include <functional>

#include "model/arch/arch.h"
#include "model/program/program.h"
#include "model/result/result.h"

namespace accsim::sim {

struct DramRequestRecord {
  std::int64_t cycle = 0;  // DRAM cycle in which it was first offered
  std::int64_t address = 0;
  bool write = false;
};

struct SimulationOptions {
  // Called for every DRAM request, in order of offering; empty = not recorded.
  std::function<void(const DramRequestRecord&)> dram_trace;
};

// Throws InternalError with a wait-for diagnosis when the program stops making progress.
model::Measurement simulate(const model::Architecture& arch, model::ProgramSource& program,
                            const SimulationOptions& options = {});

// Names of all modules of the chip of `arch`, as SystemC's hierarchy lists them ("chip.core0.array", …).
std::vector<std::string> module_names(const model::Architecture& arch);

}  // namespace accsim::sim
