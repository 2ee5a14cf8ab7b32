// One operator on several cores: the ways to divide it, and for a division the mappings that are worth having, priced
// with the shares as they are. Cores are taken in order of their arrays' size, largest first; shares are in proportion
// to it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "sched/strategy/operator_search.h"

namespace accsim::sched {

// A mapping on so many of the cores.
struct DividedMapping {
  model::OperatorMapping mapping;
  std::string split = "none";
  std::vector<std::int64_t> cores;
};

// All cores of the chip, those with the largest arrays first.
std::vector<std::int64_t> cores_by_size(const model::Architecture& arch);

// One core, then each split that divides something over 2, 4, … and all of these cores; no two of them divide the same
// dimension. Each where it is possible again with the input, and with the weights, loaded once for all.
std::vector<Division> divisions_of(const model::Architecture& arch, const model::Network& network, model::OpId op,
                                   const std::vector<std::int64_t>& cores);

struct DivisionResult {
  std::vector<DividedMapping> mappings;
  std::vector<Figure> figures;
  std::vector<std::int64_t> footprints;
  std::vector<std::int64_t> spare;  // bytes that the buffers leave in the scratchpad of each core, at least
  std::int64_t candidates = 0;
  double mapspace_log10 = 0;
};
// The Pareto mappings of one core's part (operator_search.h) that also fit with the shares as they are. `cores`: of
// which the division takes the first. Where there are fewer tiles than cores only as many cores as have work.
DivisionResult search_division(const model::Network& network, model::OpId op, const CostModel& cost,
                               const std::vector<std::int64_t>& cores, const Division& division,
                               TileGrid grid = TileGrid::all, const Placement& placement = {});

// Cycles as a strategy compares them: a multicast counts for more than the cost model says.
Figure figure_of(const Prediction& prediction, const model::Group& group);

}  // namespace accsim::sched
