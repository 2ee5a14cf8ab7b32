// What a vector instruction computes, by the definitions of docs/arithmetic.md. It reads its sources when it starts and
// writes its result when it ends; so the two are apart here.
// Leaves out: time, and the passes that a real unit makes over the rows of a softmax.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "model/program/program.h"

namespace accsim::sim {

inline constexpr std::size_t kMostSources = 3;

// Results in the order of the op's m loops, then its row loops (without these for a pool: one result a window).
// `sources`: the first bytes of the tiles' places.
std::vector<std::int32_t> evaluate(const model::VectorOp& op,
                                   const std::array<const std::uint8_t*, kMostSources>& sources);

// Into the tile at `output`.
void write_results(const model::VectorOp& op, const std::vector<std::int32_t>& results, std::uint8_t* output);

// E of docs/arithmetic.md, `step` from 0 to 255; and floor(sqrt(v)).
std::int64_t softmax_exponential(std::int64_t step);
std::uint64_t square_root(std::uint64_t v);

}  // namespace accsim::sim
