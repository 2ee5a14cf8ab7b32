// The best way to cut a row of operators into groups and to give every tensor between them a home. A state of the
// search is how many operators are done and where each tensor that is still needed lives; an edge is a group with one
// of its ways to run, given the homes of what it reads and of its result; edges whose tensors and buffers do not fit
// into the scratchpads together do not exist. Exact for sums of cycles or energy by dynamic programming over these
// states; for the product of both by walking the corners of the convex hull of all sums, a dynamic program each
// (pareto.h).
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sched/strategy/pareto.h"

namespace accsim::sched {

// A tensor that may stay on the chip between groups.
struct HomedTensor {
  std::size_t made = 0;               // position of the operator that computes it
  std::size_t last = 0;               // of the last one that reads it
  std::int64_t scratchpad_bytes = 0;  // of each core, where it lives in the scratchpads
  std::int64_t buffer_bytes = 0;      // of the global buffer, where it lives there
};

struct HomedWay {
  Figure figure;
  std::int64_t spare_bytes = 0;  // that the group's buffers leave in each scratchpad of its cores
};

// Operators first … last as one group. `ways`: by code, the homes of inputs and result as digits of a number to the
// base of the number of homes, the first input's the lowest, the result's the highest; home 0 is the DRAM. Tensors
// that are not in the list stay in DRAM and have no digit.
struct HomedSegment {
  std::size_t first = 0, last = 0;
  std::vector<std::size_t> inputs;    // indices of tensors
  std::optional<std::size_t> result;  // index of the tensor, where it may stay on the chip
  std::vector<std::vector<HomedWay>> ways;
};

struct HomedProblem {
  std::size_t operators = 0;
  std::size_t homes = 1;              // 1: DRAM; 2: and scratchpads; 3: and global buffer
  std::int64_t scratchpad_bytes = 0;  // of the smallest core
  std::int64_t buffer_bytes = 0;      // of the global buffer
  std::vector<HomedTensor> tensors;
  std::vector<HomedSegment> segments;
};

struct HomedCut {
  std::size_t segment = 0;
  std::size_t code = 0;
  std::size_t way = 0;
};
struct HomedCuts {
  std::vector<HomedCut> cuts;
  Figure sum;
};

// Of equals the one with fewer groups, then the one that came first. InternalError where the segments do not reach the
// end with everything in DRAM.
HomedCuts best_homed_cuts(const HomedProblem& problem, Objective objective);

}  // namespace accsim::sched
