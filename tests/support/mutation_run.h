// Makes mutants of a case and finds out what becomes of each.
#pragma once
#include <cstdint>

#include "tests/support/kill_table.h"
#include "tests/support/mutation_cases.h"

namespace accsim::tests {

struct MutationPlan {
  std::int64_t per_mille = 1000;  // of the mutants, drawn at random
  std::uint64_t draw = 1;         // seed of that
  int seeds = 16;                 // data that a survivor is executed on
};

// InternalError where a mutant is proven equivalent, but differs on data: then the checker or the simulator is wrong.
KillTable kill_program_mutants(const MutationCase& original, const MutationPlan& plan);

// InternalError where a schedule that the verifier accepts is lowered to a program that the program verifier rejects,
// or to one that computes something else: then lowering is wrong, not the schedule.
KillTable kill_schedule_mutants(const MutationCase& original, const MutationPlan& plan);

}  // namespace accsim::tests
