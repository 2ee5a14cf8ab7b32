// All mappings of one operator on one core worth having: the Pareto set over (cycles, energy) under the cost model,
// over
//   - every combination of the dimensions' tile candidates (tile_candidates.h) whose buffers fit, and
//   - every order of the loops that are not reduced; reduced loops innermost, in nest order.
// Promise: exact over that space under that cost model, for any non-negative coefficients. Of two loops that move the
// boxes of the same operands it tries them only next to each other: moving the outer one inwards to the other never
// adds a fetch (proof: docs/strategies.md). A tile combination is dropped without counting its passes only where a
// lower bound on cycles and energy is dominated already. Buffers: two of each ring that is refilled; single ones
// everywhere where nothing fits otherwise. Ties: smaller footprint on chip, then the lexicographically first (tiles in
// nest order, then loop order).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/schedule/schedule.h"
#include "sched/cost/operator_evaluator.h"
#include "sched/strategy/pareto.h"
#include "sched/strategy/tile_candidates.h"

namespace accsim::sched {

struct MappedFigure {
  Figure figure;
  std::int64_t footprint = 0;  // bytes of scratchpad and accumulator
  model::OperatorMapping mapping;
};

struct OperatorSearchResult {
  std::vector<MappedFigure> front;  // by rising cycles
  std::int64_t candidates = 0;      // (tiles, order) pairs that fit and were looked at
  double mapspace_log10 = 0;        // tile combinations times loop orders
};

// How many cores, all like one another, share the operator, and along what (split.h); each gets as much.
struct Division {
  std::string split = "none";
  std::size_t cores = 1;
  std::vector<std::string> multicast{};  // as OperatorMapping::multicast
};

// With several cores the mappings of one of them, at the cycles of all and the energy of all. InfeasibleError where not
// even tiles of one element fit; `core_id` for its message. With TileGrid::halves the space has fewer tiles.
OperatorSearchResult search_operator(const model::Network& network, model::OpId op, const CostModel& cost,
                                     const model::CoreConfig& core, std::int64_t core_id, const Division& division = {},
                                     TileGrid grid = TileGrid::all, const Placement& placement = {});

}  // namespace accsim::sched
