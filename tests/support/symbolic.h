// A program executed on expressions instead of values: every half byte of a memory holds a 64-bit name of the
// expression that makes it out of inputs and weights. Names are hashes: equal expressions have equal names, different
// ones different names but for chance (2^-64). Sums of products and of windows have no order, nor has a sum or
// product of two.
#pragma once
#include <cstdint>
#include <map>

#include "model/program/program.h"
#include "tests/support/program_graph.h"

namespace accsim::tests {

// By address, the expressions in the header's DRAM regions that are no constants.
std::map<std::int64_t, std::uint64_t> expressions_of(const model::Program& program, const ProgramGraph& graph);

}  // namespace accsim::tests
