// What an array pass computes: products of an input and a weight tile, modulo 2^32. A pass reads its operands when it
// starts and writes, or adds to, its sums when it ends; so the two are apart here.
// Leaves out: time, and the folds of the array (sums modulo 2^32 do not depend on their order).
#pragma once
#include <cstdint>
#include <vector>

#include "model/program/program.h"

namespace accsim::sim {

// Sums in the order of the pass's group, m and n loops (each kind in the order of the loops). `input`, `weight`: the
// first bytes of the tiles' places. Padding is 0. An input does not move with n loops nor a weight with m loops.
std::vector<std::uint32_t> evaluate(const model::ArrayPass& pass, const std::uint8_t* input,
                                    const std::uint8_t* weight);

// Into the tile at `output`, over what is there or added to it.
void write_sums(const model::ArrayPass& pass, const std::vector<std::uint32_t>& sums, std::uint8_t* output);

}  // namespace accsim::sim
