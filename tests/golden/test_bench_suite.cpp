// The suite that ships equals its goldens. They change by scripts/update-goldens alone.
#include <string>

#include "tests/catch.h"
#include "tests/run_program.h"

TEST_CASE("the bench suite measures exactly what its goldens say") {
  const accsim::tests::Outcome outcome = accsim::tests::run_program({"bench"});
  INFO(outcome.out);
  INFO(outcome.err);
  CHECK(outcome.code == 0);
}
