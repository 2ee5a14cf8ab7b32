// Several operators of one group as instructions of one core: the walk of model/schedule/fused_group.h, each of its
// steps an instruction. Operands from outside are loaded as those of an operator alone; a result between operators is
// written by the vector unit into a buffer of its own and read there by array and vector unit.
#pragma once
#include <string>
#include <vector>

#include "model/schedule/fused_group.h"
#include "sched/lower/chip_memory.h"
#include "sched/lower/group_builder.h"
#include "sched/lower/tensor_places.h"

namespace accsim::sched {

struct FusedTask {
  const model::Network* network = nullptr;
  const TensorPlaces* places = nullptr;
  const model::FusedGroup* group = nullptr;
  model::CoreId core;
  model::DataType accumulator_type = model::DataType::int32;
  std::vector<RingPlace> buffers;     // as place_buffers gave them for the group's buffer_needs
  std::vector<std::string> prefetch;  // roles whose first tile may be loaded during the group before
  // Multicast, as in OperatorTask.
  std::vector<GroupBuilder::Taker>* takers = nullptr;
  bool takes = false;
};

// `taken`: rings that another core fills, where task.takes.
model::CoreProgram lower_fused(const FusedTask& task, std::vector<GroupBuilder::Taken>* taken = nullptr);

}  // namespace accsim::sched
