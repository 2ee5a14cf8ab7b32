// `accsim map --rules machine`: layers as strategy optimal-layer maps them, with what the lowered program moves, by
// memory and tensor. Cycles and energy are the cost model's; accesses are counted from the program (program_counts.h).
#pragma once
#include <string>

#include "app/command.h"
#include "app/pipeline.h"

namespace accsim::app {

struct MachineMapOptions {
  std::string layer;    // empty: all
  std::string mapping;  // a file: count this one
  std::string cache;    // folder, or empty
  sched::Objective objective = sched::Objective::edp;
  bool pareto = false, explain = false;
};

// The result (accsim-map-result/1) without `host` but for `host.cache`; prints it; adds the CPU seconds of the search.
model::Json map_machine(const Inputs& files, const MachineMapOptions& options, const CommandContext& context,
                        double& seconds);

}  // namespace accsim::app
