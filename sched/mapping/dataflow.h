// Loop orders of one level that differ in what they let each tensor reuse (docs/mapper.md, "Dataflows").
// Of an order only this matters: for each tensor the innermost run of loops that do not index it (dropped), and the
// first loop that does (where the halo slides), or that there is none, so that the run goes on in the level above
// (passes). Orders that no cost can prefer are left out: another one drops and slides as much for every tensor.
#pragma once
#include <cstdint>
#include <vector>

#include "sched/mapping/problem.h"

namespace accsim::sched {

struct Dataflow {
  struct Reuse {
    std::uint32_t dropped = 0;  // dimensions of the innermost run
    int stop = -1;              // first dimension that indexes the tensor; -1: passes
    bool slides = false;        // along an axis with other dimensions
  };
  std::vector<int> order;    // innermost first: every dimension of `loops`
  std::vector<Reuse> reuse;  // per tensor
};

// For a level with loops over the dimensions in `loops` (bit d). `inside` (where given): [d] dimensions whose loops
// must lie inside that of d.
std::vector<Dataflow> dataflows(const MapProblem& problem, std::uint32_t loops,
                                const std::vector<std::uint32_t>& inside = {});

// Whether moving along `dim` can leave part of a tile in place: it shares an axis with another dimension of size > 1.
bool slides_along(const MapProblem& problem, const MapTensor& tensor, int dim);

// Dimensions of size > 1.
std::uint32_t looped_dims(const MapProblem& problem);

}  // namespace accsim::sched
