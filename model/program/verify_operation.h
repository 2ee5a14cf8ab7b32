// The part of the program check that looks at one operation alone: the queue's engine can do it, operands lie in the
// memories that this engine reaches and have the types that it works on, loops and axes fit together, every element of
// a result is written once. Part of verify_structure.h, which checks addresses and semaphores.
#pragma once
#include <cstddef>
#include <functional>
#include <string>

#include "model/arch/arch.h"
#include "model/program/program.h"
#include "model/program/verify_access.h"
#include "model/program/verify_structure.h"

namespace accsim::model {

// The first finding, on its way to check_structure or check_header.
struct StructureFailure {
  Finding finding;
};
[[noreturn]] void raise(std::string kind, std::string message);

// Of a place's memory, if it exists. who(): called for a message only.
MemoryIndex checked_memory(const Architecture& arch, const Place& place, const std::function<std::string()>& who);

struct InstructionPlace {
  CoreId core;
  Queue queue = Queue::load;
  std::size_t index = 0;
};

// Throws StructureFailure. `takes_part`: whether a core has a program in the group.
void check_operation(const Architecture& arch, const InstructionPlace& at,
                     const std::function<bool(CoreId)>& takes_part, const Instruction& instruction);

}  // namespace accsim::model
