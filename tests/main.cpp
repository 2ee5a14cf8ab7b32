// The main function of every test executable. Properties use a fixed seed, so that a failure repeats; RC_PARAMS in
// the environment still overrides it while hunting. SystemC wants an sc_main in every program that links it.
#define CATCH_CONFIG_RUNNER
#include <cstdlib>

#include "tests/catch.h"

extern "C" int sc_main(int, char*[]) { return 0; }

int main(int argc, char* argv[]) {
  constexpr int kKeepExisting = 0;
  ::setenv("RC_PARAMS", "seed=20200229", kKeepExisting);
  return Catch::Session().run(argc, argv);
}
