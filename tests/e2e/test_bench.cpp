// Goldens: an equal suite ends with 0, a difference with 4, --update writes what was measured.
#include <string>

#include "tests/catch.h"
#include "tests/e2e/support.h"

using namespace accsim::tests;

namespace {

// Paths of a suite are relative to the folder of the shipped files; one that starts at the root stays.
void write_suite(const Workspace& folder, std::int64_t cycles, std::int64_t energy_fj) {
  const Json suite = {{"schema", "accsim-bench/1"},
                      {"cases",
                       {{{"name", "small"},
                         {"arch", "configs/gemmini-like.json"},
                         {"net", (folder / "net.json").string()},
                         {"strategy", "layerwise"},
                         {"cycles", cycles},
                         {"energy_fj", energy_fj}}}}};
  write_file(folder / "suite.json", suite.dump());
}

}  // namespace

TEST_CASE("bench compares exactly, and --update writes goldens that are equal from then on") {
  const Workspace folder;
  write_suite(folder, 1, 1);
  const Outcome different = folder.run({"bench", "--suite", "suite.json", "--out", "b.json"});
  CHECK(different.code == 4);
  CHECK(different.err == "accsim: mismatch: 1 of 1 cases differ from their goldens: small\n");
  CHECK(different.out.find("NO") != std::string::npos);
  CHECK(folder.read("b.json")["different"] == 1);
  CHECK(folder.read("b.json")["cases"][0]["golden_cycles"] == 1);

  REQUIRE(folder.run({"bench", "--suite", "suite.json", "--update", "--quiet"}).code == 0);
  const Json updated = folder.read("suite.json");
  CHECK(updated["cases"][0]["cycles"].get<std::int64_t>() > 1);
  const Outcome equal = folder.run({"bench", "--suite", "suite.json", "--out", "b.json"});
  CHECK(equal.code == 0);
  CHECK(equal.err.empty());
  CHECK(folder.read("b.json")["cases"][0]["equal"] == true);

  write_suite(folder, updated["cases"][0]["cycles"], updated["cases"][0]["energy_fj"].get<std::int64_t>() + 1);
  CHECK(folder.run({"bench", "--suite", "suite.json"}).code == 4);  // a femtojoule counts
}

TEST_CASE("a wrong suite is refused in one line") {
  const Workspace folder;
  write_file(folder / "suite.json", R"({"schema": "accsim-bench/1", "cases": []})");
  const Outcome empty = folder.run({"bench", "--suite", "suite.json"});
  CHECK(empty.code == 2);
  CHECK(empty.err.find("suite.json: cases") != std::string::npos);
  CHECK(folder.run({"bench", "--suite", "none.json"}).code == 2);
}
