// Every program that differs from a given one by a single edit: an instruction dropped, doubled, moved or exchanged
// with its neighbour; a wait or signal dropped, moved, for another semaphore or count; an address, extent, stride,
// count, step, offset, coefficient, type, loop, activation or flag changed in each place where there is one; a region
// shorter, moved, missing; groups dropped, doubled, exchanged. Left out: names (layer, tile, regions' names), which are
// for messages.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/arch/arch.h"
#include "model/program/program.h"

namespace accsim::tests {

enum class EditKind : std::uint8_t { synchronisation, queue, copy, array_pass, vector_op, region };
std::string_view name_of(EditKind kind);

struct Mutant {
  EditKind kind = EditKind::queue;
  std::string sort;   // "drop wait"
  std::string where;  // "group 0 core 0 load[3]"
  std::function<void(model::Program&)> edit;

  [[nodiscard]] model::Program apply(const model::Program& original) const {
    model::Program program = original;
    edit(program);
    return program;
  }
};

// `original` need not outlive the mutants. `cores`: of the architecture, for edits that name another one.
std::vector<Mutant> mutants_of(const model::Program& original, std::int64_t cores);

}  // namespace accsim::tests
