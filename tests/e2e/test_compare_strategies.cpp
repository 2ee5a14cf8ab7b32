// accsim compare-strategies as a user gets it.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/e2e/support.h"
#include "tests/support/some_card.h"

using namespace accsim::tests;
using Strings = std::vector<std::string>;

namespace {

Strings command(const Strings& more) {
  Strings arguments{
      "compare-strategies", "--arch",   shipped("configs/edge-4core.json"), "--net", "net.json", "--store", "off",
      "--characterization", "card.json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

void write_card(const Workspace& folder) {
  const std::string file = shipped("configs/edge-4core.json");
  const auto arch = accsim::model::parse_architecture(accsim::model::read_json_file(file), file);
  write_file(folder / "card.json", accsim::sched::to_json(some_card(arch, 1)).dump());
}

}  // namespace

TEST_CASE("strategies are compared by what each measures alone") {
  const Workspace folder;
  write_card(folder);
  const Outcome outcome = folder.run(command({"--out", "c.json", "--csv", "c.csv"}));
  REQUIRE(outcome.code == 0);
  const Json result = folder.read("c.json");
  CHECK_FALSE(result["strategies"].contains("oracle"));  // only where it is named
  for (const std::string strategy : {"layerwise", "optimal-layer", "corf", "dlfusion"}) {
    CAPTURE(strategy);
    CHECK(outcome.out.find("\n" + strategy + " ") != std::string::npos);
    const Json& one = result["strategies"][strategy];
    REQUIRE(
        folder.run_net("r.json", {"--strategy", strategy, "--store", "off", "--characterization", "card.json"}).code ==
        0);
    const Json alone = folder.read("r.json");
    for (const char* key : {"cycles", "latency_ns", "energy_pj", "edp_pj_ns"}) CHECK(one[key] == alone[key]);
    CHECK(one["groups"] == alone["groups"].size());
    CHECK(one["dram_bytes"] ==
          alone["dram"]["bytes_read"].get<std::int64_t>() + alone["dram"]["bytes_written"].get<std::int64_t>());
    CHECK(result["bound_reachable"] == alone["bound_reachable"]);
    CHECK(one["cycles"] >= result["bound_reachable"]["cycles"]);
    CHECK(result["host"]["search_seconds"].contains(strategy));
  }
}

TEST_CASE("a comparison of chosen strategies has the baseline and no others, an unknown one is refused") {
  const Workspace folder;
  write_card(folder);
  REQUIRE(folder.run(command({"--strategies", "corf", "--out", "c.json", "--quiet"})).code == 0);
  CHECK(keys_of(folder.read("c.json")["strategies"]) == Strings{"layerwise", "corf"});
  const Outcome outcome = folder.run(command({"--strategies", "corf,fast", "--out", "d.json"}));
  CHECK(outcome.code == 2);
  CHECK(outcome.err.find("unknown strategy \"fast\"") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "d.json"));
}
