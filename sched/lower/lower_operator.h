// One operator, or one core's share of it, as instructions: tile loops in the mapping's order, an operand's tile
// fetched when its box differs from the one fetched last, results stored tile by tile.
//   Conv, Gemm, MatMul:  load -> array (reduction tiles accumulate) -> vector (requantize, bias, activations) -> store
//   vector operators:    load -> one vector instruction a tile -> store
//   Concat:              load -> store, from the same buffer
//   Gather:              load indices -> load rows -> store
// Leaves out: several operators a group.
#pragma once
#include <string>
#include <vector>

#include "model/arch/arch.h"
#include "model/program/program.h"
#include "model/schedule/schedule.h"
#include "model/workload/loop_nest.h"
#include "model/workload/network.h"
#include "sched/lower/chip_memory.h"
#include "sched/lower/group_builder.h"
#include "sched/lower/tensor_places.h"

namespace accsim::sched {

struct OperatorTask {
  const model::Network* network = nullptr;
  const TensorPlaces* places = nullptr;
  model::OpId op;
  const std::vector<model::LoopNest>* nests = nullptr;  // what this core does of it
  const model::OperatorMapping* mapping = nullptr;
  model::CoreId core;
  model::DataType accumulator_type = model::DataType::int32;
  std::vector<RingPlace> buffers;     // as place_buffers gave them for operator_needs
  std::vector<std::string> prefetch;  // roles whose first tile may be loaded during the group before
  std::uint64_t seed = 1;
  // Multicast: what other cores take of what this one loads; on those, that another core loads it. A ring each.
  std::vector<GroupBuilder::Taker>* takers = nullptr;
  bool takes = false;
};

// Buffers of all nests of an operator: for each role the most buffers and bytes that a nest needs.
std::vector<model::BufferNeed> operator_needs(const std::vector<model::LoopNest>& nests,
                                              const model::OperatorMapping& mapping, const model::CoreConfig& core);

// `taken`: rings that another core fills, where task.takes.
model::CoreProgram lower_operator(const OperatorTask& task, std::vector<GroupBuilder::Taken>* taken = nullptr);

}  // namespace accsim::sched
