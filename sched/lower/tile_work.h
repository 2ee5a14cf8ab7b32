// What the vector unit is told to do for a tile: loops, activations, and the parts of a tile that differ.
#pragma once
#include <cstdint>
#include <vector>

#include "model/program/program.h"
#include "model/workload/loop_nest.h"
#include "model/workload/network.h"
#include "sched/lower/tile_access.h"

namespace accsim::sched {

// The operator's own activation where it is one, then those fused into it.
std::vector<model::FusedActivation> activations_of(const model::Operator& op);

// Loops of a vector instruction: normalised and reduced dimensions are rows, all others elements of the result.
std::vector<model::Loop> vector_loops(const model::LoopNest& nest, const std::vector<int>& dims, const TileIndex& at);

// The part of a tile that one vector instruction makes: the whole tile, except where windows of an average count
// different numbers of elements.
struct TilePart {
  TileIndex at;
  std::int64_t divisor = 0;
};
std::vector<TilePart> tile_parts(const model::Network& network, const model::Operator& op, const model::LoopNest& nest,
                                 const TileIndex& at);

}  // namespace accsim::sched
