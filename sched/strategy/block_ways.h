// Ways to run a block, consecutive operators of a network as one group, on exactly so many cores: an operator alone
// with quickly searched tiles (TileGrid::halves) and every split that gives these cores work, several operators fused
// (fusion/fused_candidates.h). For strategies that decide block and core count themselves.
// Promise: the best of the listed ways under the cost model, no more.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sched/strategy/operator_classes.h"
#include "sched/strategy/pareto.h"
#include "sched/strategy/strategy.h"

namespace accsim::sched {

// 1, 2, 4, … and all cores of the chip.
std::vector<std::size_t> core_counts(const model::Architecture& arch);

struct BlockWay {
  Figure figure;
  model::Group group;  // without a number; its cores may be fewer than asked for where there is not work for all
};

// The way with the fewest cycles, the least energy or the least product of both; nothing where the operators cannot run
// as one group (an operator alone always can: InfeasibleError where not even the smallest tiles fit). `cores`: of the
// chip, in the order in which they are taken (cores_by_size); the first `count` of them are used. `candidates` grows by
// what was priced.
std::optional<BlockWay> best_block_way(const model::Network& network, const std::vector<model::OpId>& ops,
                                       const CostModel& cost, const std::vector<std::int64_t>& cores, std::size_t count,
                                       Objective objective, std::int64_t& candidates);

// Whether these operators may be one group at all, whatever its tiles.
bool can_be_block(const model::Network& network, const std::vector<model::OpId>& ops);
// What decides how operators first … last of `classes` may run as a block: their classes, and which of them each input
// comes from.
std::vector<std::int64_t> block_signature(const model::Network& network, const OperatorClasses& classes,
                                          std::size_t first, std::size_t last);
// The same group for other operators of the same signature.
void rename_layers(model::Group& group, const model::Network& network, const std::vector<model::OpId>& ops);

// What a single figure is worth: cycles, energy or their product.
double value_of(const Figure& figure, Objective objective);

}  // namespace accsim::sched
