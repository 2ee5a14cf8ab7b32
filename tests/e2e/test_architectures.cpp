// Every shipped architecture runs a small network, executed on data.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/e2e/support.h"

using namespace accsim::tests;

TEST_CASE("every shipped architecture runs a small network and gets its values right") {
  const Workspace folder;
  int architectures = 0;
  for (const auto& entry : std::filesystem::directory_iterator(shipped("configs"))) {
    if (entry.path().extension() != ".json") continue;
    ++architectures;
    const Outcome outcome = folder.run(
        {"--arch", entry.path().string(), "--net", "net.json", "--verify", "--store", "off", "--out", "r.json"});
    INFO(entry.path().string() << ": " << outcome.err);
    CHECK(outcome.code == 0);
    const Json result = folder.read("r.json");
    CHECK(result["arch"] == entry.path().stem().string());
    CHECK(result["verify"]["checked"] == true);
    CHECK(result["verify"]["mismatches"] == 0);
    CHECK(result["verify"]["tensors"].get<std::size_t>() >= result["groups"].size() - 1);  // an alias has none
    CHECK(result["cycles"].get<std::int64_t>() >= result["bound_reachable"]["cycles"].get<std::int64_t>());
  }
  CHECK(architectures >= 8);
}
