// Runs a program on a chip built from an architecture and returns what was measured. One call, one SystemC context.
#pragma once
#include <functional>

#include "model/arch/arch.h"
#include "model/base/error.h"
#include "model/program/program.h"
#include "model/result/result.h"
#include "sim/core/trace_sink.h"
#include "sim/functional/functional_chip.h"

namespace accsim::sim {

struct DramRequestRecord {
  std::int64_t cycle = 0;  // DRAM cycle in which it was first offered
  std::int64_t address = 0;
  bool write = false;
};

struct SimulationOptions {
  // Called for every DRAM request, in order of offering; empty = not recorded.
  std::function<void(const DramRequestRecord&)> dram_trace;
  // Draws a timeline; null = nobody. Changes nothing in the measurement.
  TraceSink* trace = nullptr;
  // Executes the program on data as well; null = not. Changes nothing in the measurement.
  FunctionalChip* data = nullptr;
  // After so many cycles in which nothing gets done the run ends with NoProgressError.
  Cycles patience{1'000'000};
};

// A program that stops making progress: since when, and a line for every queue that waits (wait_graph.h).
class NoProgressError : public model::InternalError {
 public:
  using model::InternalError::InternalError;
};

model::Measurement simulate(const model::Architecture& arch, model::ProgramSource& program,
                            const SimulationOptions& options = {});

// Names of all modules of the chip of `arch`, as SystemC's hierarchy lists them ("chip.core0.array", …).
std::vector<std::string> module_names(const model::Architecture& arch);

}  // namespace accsim::sim
