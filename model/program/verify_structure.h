// The part of the program check that needs no order in time: cores exist, every instruction stands in a queue whose
// engine can do it, operands lie in the memories that this engine reaches, shapes are consistent, addresses lie inside
// a memory and inside one declared region, semaphores exist and have one waiting queue, prefetches stay within their
// rules.
#pragma once
#include <optional>
#include <string>

#include "model/arch/arch.h"
#include "model/program/program.h"
#include "model/program/verify_access.h"

namespace accsim::model {

struct Finding {
  std::string kind;
  std::string message;
};

std::string instruction_name(CoreId core, Queue queue, std::size_t index);              // "core 0 load[3]"
std::string semaphore_name(CoreId core, std::int32_t semaphore);                        // "semaphore 1 of core 0"
std::string bytes_name(std::int64_t begin, std::int64_t end, MemoryIndex memory);       // "bytes [0, 64) of the DRAM"
std::optional<std::int64_t> memory_size(const Architecture& arch, MemoryIndex memory);  // nullopt: does not exist

std::optional<Finding> check_header(const Architecture& arch, const ProgramHeader& header);
std::optional<Finding> check_structure(const Architecture& arch, const ProgramHeader& header,
                                       const GroupProgram& group);

}  // namespace accsim::model
