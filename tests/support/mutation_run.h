// Makes mutants of a case and finds out what becomes of each.
#pragma once
#include <cstddef>
#include <cstdint>

#include "tests/support/kill_table.h"
#include "tests/support/mutation_cases.h"

namespace accsim::tests {

struct MutationPlan {
  std::size_t of_each_sort = 0;  // drawn at random from each sort of edit in each case; 0: all
  std::uint64_t draw = 1;        // seed of that
  int seeds = 16;                // data that a survivor is executed on
};

KillTable kill_program_mutants(const MutationCase& original, const MutationPlan& plan);

// InternalError where a schedule that the verifier accepts is lowered to a program that the program verifier rejects,
// or to one that computes something else: then lowering is wrong, not the schedule.
KillTable kill_schedule_mutants(const MutationCase& original, const MutationPlan& plan);

}  // namespace accsim::tests
