// Proof that a changed program is the one it was made from. Independent of the program verifier's notion of order and
// of the functional core: instructions as the bytes that they move and the products that they add, order as a graph.
//
// Normal form of an instruction: of a copy, which byte goes where; of an array pass, which products go into which sum,
// and the extents of M, N, K and groups; of a vector operation, which elements make which result, with what function.
// Loops of one index, merged loops and axes, exchanged loops and strides that nothing is multiplied with leave no
// trace.
//
// Normal form of the order: for each pair of instructions, whether the first has ended when the second starts, and
// whether it ends first; from queue order, semaphores (their numbers leave no trace) and borders of groups. Where
// several queues signal one semaphore only the order that holds whatever signal comes first is counted.
//
// same_graph: identical instructions, identical order of all pairs.
// same_flow:  identical instructions, and each reads every byte from the same writer as before; what is ordered more or
//             less strictly makes no difference. Holds for all executions of a program without unordered accesses
//             (which the program verifier has to have found).
// same_values: other instructions, but every byte of every activation in the DRAM is the same expression of the inputs
//             and weights (sums are sets of products, a largest element is one of a set).
// Leaves out: programs with several groups' worth of live data on the chip are compared as they run, group after group.
#pragma once
#include <cstdint>
#include <string_view>

#include "model/program/program.h"

namespace accsim::tests {

enum class Proof : std::uint8_t { none, same_values, same_flow, same_graph };
std::string_view name_of(Proof proof);

// The strongest that holds. Both programs have passed the program verifier.
Proof prove_equivalent(const model::Program& original, const model::Program& changed);

// Only whether the activations in the DRAM are the same expressions.
bool same_values(const model::Program& a, const model::Program& b);

}  // namespace accsim::tests
