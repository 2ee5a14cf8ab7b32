// What no schedule can beat, whatever it does: MACs / peak rate, compulsory bytes / peak bandwidth; and what no
// schedule can beat on arrays of these shapes and the DRAM's sustained rate. Leaves out of both bounds: start-up and
// drain, conflicts, the order of operators, capacities. Source: the roofline model (Williams, Waterman, Patterson, CACM
// 2009); compulsory traffic as in the three-C model.
#pragma once
#include "model/arch/arch.h"
#include "model/workload/network.h"

namespace accsim::model {

struct NetworkBound {
  Cycles cycles;         // core clock
  double energy_pj = 0;  // MACs and compulsory DRAM bursts alone
};
// cycles = max(ceil(MACs / peak MACs a cycle), ceil(compulsory bytes / peak DRAM bytes a core cycle)), exact
NetworkBound physical_bound(const Architecture& arch, const Network& network);
// The same for a single operator run alone: its own MACs, and the bytes of its operands and result.
NetworkBound physical_bound(const Architecture& arch, const Network& network, OpId op);

// The operator as a network of its own: its operands are network inputs or weights, its result the output.
Network single_operator(const Network& network, OpId id);

// The largest of: fewest array cycles that the arrays' shapes allow, summed over operators, on all cores; fewest
// vector cycles; compulsory bytes / `sustained_bytes_per_cycle` (measured on long sequential streams).
Cycles reachable_bound(const Architecture& arch, const Network& network, double sustained_bytes_per_cycle);

}  // namespace accsim::model
