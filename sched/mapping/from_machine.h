// An operator of a network and an architecture as the mapper sees them under the `reference` rules: the operator's loop
// nest, and the chip as levels: DRAM, global buffer (where there is one), scratchpads (one a core), accumulators, array
// (a register for the stationary operand in each processing element); vector operators: scratchpads, lanes. A word is
// an element of the operand type, in the accumulator of the accumulator type; two copies of each tile where the machine
// double buffers; bandwidths are those of ports, DMA and sequential DRAM. Cores share no reads and add no sums, so no
// reduced dimension is split over them; a tile in the scratchpad and the one of its sums in the accumulator are of one
// operation (no loops between); rows and columns of an array take the dimensions that its dataflow puts there.
// Leaves out: biases, padding (counts as data), bursts, the way of a result through vector unit and scratchpad, leakage
// and DRAM standby, groups side by side on one array.
#pragma once
#include "model/arch/arch.h"
#include "model/workload/loop_nest.h"
#include "sched/mapping/constraints.h"

namespace accsim::sched {

// Whether every point of the operator's nest is an operation that arrays or lanes accumulate: convolution, matrix
// products, pooling.
bool is_mappable(model::OpType type);

// Dimensions of one index are left out. Tensors: input, weight, output; with several inputs input0, input1.
MapProblem problem_of(const model::LoopNest& nest, const std::string& layer);

struct MachineHierarchy {
  MapHierarchy hierarchy;
  model::Json constraints;  // accsim-constraints/1: who may lie along rows, columns and cores
};
// `kind`: name of the cores to map onto, all of that kind together; empty where there is one kind alone. ConfigError
// for a name that there is not, or none where there are several (levels of a hierarchy are alike).
MachineHierarchy hierarchy_of(const model::Architecture& arch, const model::LoopNest& nest, const MapProblem& problem,
                              const std::string& kind = "");

}  // namespace accsim::sched
