// Mutation tests: programs and schedules with a single edit are rejected by a verifier, differ from the reference when
// they are executed on data, or are proven equivalent. docs/verification.md has the table of the whole set.
#include <iostream>

#include "tests/catch.h"
#include "tests/support/mutation_run.h"

namespace {

using namespace accsim;
using namespace accsim::tests;

constexpr double kRate = 0.995;

void check_table(const KillTable& table, std::int64_t least) {
  INFO(table.text());
  INFO(table.survivors_text(50));
  const KillTable::Row all = table.all();
  CHECK(all.mutants() >= least);
  CHECK(all.count(Fate::survived) == 0);
  CHECK(all.rate() >= kRate);
}

// Networks [first, last) on two architectures each.
KillTable some_mutants(std::size_t first, std::size_t last) {
  constexpr std::int64_t kPerMille = 70;
  KillTable table;
  for (std::size_t net = first; net < last; ++net) {
    for (const std::size_t arch : {net % kMutationArchitectures, (net + 1) % kMutationArchitectures}) {
      const MutationCase original = mutation_case(net, arch, 0);
      table.merge(kill_program_mutants(original, {kPerMille, net}));
    }
  }
  return table;
}

}  // namespace

TEST_CASE("mutants of programs are killed or equivalent (part 1)") { check_table(some_mutants(0, 2), 2000); }
TEST_CASE("mutants of programs are killed or equivalent (part 2)") { check_table(some_mutants(2, 4), 2000); }
TEST_CASE("mutants of programs are killed or equivalent (part 3)") { check_table(some_mutants(4, 6), 2000); }
TEST_CASE("mutants of programs are killed or equivalent (part 4)") { check_table(some_mutants(6, 8), 2000); }

TEST_CASE("mutants of programs in which two cores work together are killed or equivalent") {
  KillTable table;
  for (const MutationCase& original : handmade_cases()) table.merge(kill_program_mutants(original, {300, 1}));
  check_table(table, 1500);
}

TEST_CASE("mutants of schedules are rejected or valid") {
  KillTable table;
  for (std::size_t net = 0; net < kMutationNetworks; ++net) {
    table.merge(kill_schedule_mutants(mutation_case(net, net % kMutationArchitectures, 0), {300, net}));
  }
  check_table(table, 500);
}

TEST_CASE("all mutants of all programs and schedules are killed or equivalent", "[long]") {
  KillTable programs;
  KillTable schedules;
  for (std::size_t net = 0; net < kMutationNetworks; ++net) {
    for (std::size_t arch = 0; arch < kMutationArchitectures; ++arch) {
      const MutationCase original = mutation_case(net, arch, 1);
      programs.merge(kill_program_mutants(original, {}));
      schedules.merge(kill_schedule_mutants(original, {}));
    }
  }
  for (const MutationCase& original : handmade_cases()) programs.merge(kill_program_mutants(original, {}));
  std::cout << "Programs:\n"
            << programs.text() << "\nSchedules:\n"
            << schedules.text() << "\nSurvivors:\n"
            << programs.survivors_text(1000) << schedules.survivors_text(1000);
  check_table(programs, 100'000);
  check_table(schedules, 1000);
}
