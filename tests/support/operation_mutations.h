// Single edits of what one instruction does: the places, shapes, types and flags of copies, array passes and vector
// operations. Part of program_mutations.h.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/program/program.h"
#include "tests/support/program_mutations.h"

namespace accsim::tests {

struct OperationContext {
  const model::GroupProgram& group;  // whose buffers are there to be confused
  std::int64_t cores;
};

struct OperationEdit {
  EditKind kind;
  std::string sort;
  std::function<void(model::Instruction&)> edit;
};

std::vector<OperationEdit> edits_of(const model::Instruction& instruction, const OperationContext& context);

}  // namespace accsim::tests
