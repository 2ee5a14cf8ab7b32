// Why nothing happens: for every queue that still holds instructions, what its next one waits for, who would give that,
// and what stands before the giver; then a circle of queues, where there is one.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sim/system/group_run.h"

namespace accsim::sim {

// A queue as it stands.
struct QueueHead {
  model::CoreId core;
  model::Queue queue = model::Queue::load;
  const GroupRun* group = nullptr;  // of its next instruction; null where none is left
  std::size_t next = 0;             // index of that in its list
  bool border_closed = false;
  struct Missing {
    std::int32_t semaphore = 0;
    std::int64_t has = 0;
    std::int64_t needs = 0;
  };
  std::vector<Missing> missing;  // semaphores that it waits for in vain
  struct Running {
    const GroupRun* group = nullptr;
    const model::Instruction* instruction = nullptr;
  };
  std::vector<Running> running;  // started and not ended, oldest first
};

// A line each, beginning with a line break and two blanks.
std::string wait_graph(const std::vector<QueueHead>& queues);

}  // namespace accsim::sim
