// Ways to run a run of operators as one fused group on all cores: for a few splits of the last operator's result, tiles
// of it along the dimension that is split, both directions, and widths of the channel tiles. The other tile sizes
// follow: accumulators are shared evenly among the operators that the array works on; what the array reads from outside
// is cut until its weights take a quarter of the scratchpad. Leaves out: tiles along two dimensions of the result,
// directions that differ from edge to edge, fewer cores than there are.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "sched/cost/cost_model.h"
#include "sched/strategy/pareto.h"

namespace accsim::sched {

struct FusedOption {
  Figure figure;
  std::int64_t footprint = 0;  // bytes of scratchpad and accumulator of a core
  std::int64_t spare = 0;      // bytes that the buffers leave in the scratchpad of each core, at least
  model::Group group;
};
struct FusedOptions {
  std::vector<FusedOption> front;  // the Pareto set over (cycles, energy), by rising cycles
  std::int64_t candidates = 0;     // looked at
};

// `layers`: names in the network's order; nothing where they cannot run as one group. `cores`: all of them, largest
// first.
FusedOptions fused_options(const std::vector<std::string>& layers, const model::Network& network, const CostModel& cost,
                           const std::vector<std::int64_t>& cores, const Placement& placement = {});

}  // namespace accsim::sched
