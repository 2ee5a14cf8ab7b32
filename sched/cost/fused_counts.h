// What one core does for a fused group, counted: the productions of the walk (model/schedule/fused_group.h), each as
// the operator's part of its loop nest under its mapping. Tensors between operators cost no DRAM traffic; an operand
// from outside that fits a single tile is fetched once as long as the tile stays the same. Productions of the same size
// cost the same and are counted once. A consumer waits for the last pass and the last vector operation of each
// production: those cycles count as lost to the array. Leaves out: bank conflicts, DRAM bursts that begin elsewhere for
// another production of the same size.
#pragma once
#include "model/schedule/fused_group.h"
#include "sched/cost/operator_evaluator.h"

namespace accsim::sched {

OperatorCounts counts_of(const model::FusedGroup& group, const model::Network& network, const model::CoreConfig& core,
                         const MachineRates& rates, const TensorHomes& homes = {});

}  // namespace accsim::sched
