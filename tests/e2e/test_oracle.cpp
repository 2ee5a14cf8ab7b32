// Strategy oracle and command pairs as a user gets them.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/e2e/support.h"

using namespace accsim::tests;
using Strings = std::vector<std::string>;

TEST_CASE("the oracle is never behind its own space: what it returns is the best that it measured") {
  const Workspace folder;
  REQUIRE(folder.run_net("o.json", {"--strategy", "oracle", "--objective", "latency", "--jobs", "2"}).code == 0);
  const Json oracle = folder.read("o.json");
  CHECK(oracle["strategy"] == "oracle");
  REQUIRE(folder.run_net("l.json", {"--strategy", "layerwise", "--objective", "latency"}).code == 0);
  CHECK(oracle["cycles"].get<std::int64_t>() <= folder.read("l.json")["cycles"].get<std::int64_t>());
  // From the store the same again, and nothing simulated.
  REQUIRE(folder.run_net("p.json", {"--strategy", "oracle", "--objective", "latency", "--jobs", "1"}).code == 0);
  Json again = folder.read("p.json");
  CHECK(again["host"]["simulations"] == 0);
  CHECK(folder.read_without_host("p.json") == folder.read_without_host("o.json"));
}

TEST_CASE("a network that is too large for the oracle is refused before anything is measured") {
  const Workspace folder;
  Json net{{"schema", "accsim-net/1"}, {"name", "long"}, {"layers", Json::array()}};
  net["inputs"] = Json::array({{{"name", "x"}, {"shape", {1, 16, 8, 8}}}});
  std::string last = "x";
  for (int i = 0; i < 60; ++i) {  // no two alike
    const std::string name = "c" + std::to_string(i);
    net["layers"].push_back(
        {{"name", name}, {"op", "Conv"}, {"inputs", {last}}, {"out_channels", 16 + i}, {"kernel_shape", {1, 1}}});
    last = name;
  }
  write_file(folder / "long.json", net.dump());
  const Outcome large =
      folder.run({"--arch", shipped("configs/mlu100-like.json"), "--net", "long.json", "--strategy", "oracle"});
  CHECK(large.code == 2);
  CHECK(large.err.find("blocks times core counts to measure, at most 1000 are taken on") != std::string::npos);
}

TEST_CASE("pairs: gain, bound and headroom of each pair") {
  const Workspace folder;
  const auto pair = [](const char* name, int channels) -> Json {
    return {{"kind", "1x1-1x1"},
            {"net",
             {{"schema", "accsim-net/1"},
              {"name", name},
              {"inputs", Json::array({{{"name", "x"}, {"shape", {1, channels, 28, 28}}}})},
              {"layers",
               {{{"name", "a"}, {"op", "Conv"}, {"inputs", {"x"}}, {"out_channels", 32}, {"kernel_shape", {1, 1}}},
                {{"name", "b"}, {"op", "Conv"}, {"inputs", {"a"}}, {"out_channels", 32}, {"kernel_shape", {1, 1}}}}}}}};
  };
  write_file(folder / "pairs.json",
             Json{{"schema", "accsim-pairs/1"}, {"pairs", {pair("one", 16), pair("two", 64)}}}.dump());
  const Strings command{"pairs",   "--arch",     shipped("configs/edge-4core.json"),
                        "--pairs", "pairs.json", "--store",
                        "off",     "--out",      "p.json"};
  const Outcome outcome = folder.run(command);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const Json result = folder.read("p.json");
  REQUIRE(result["pairs"].size() == 2);
  for (const auto& row : result["pairs"]) {
    CHECK(row["fused_cycles"].get<std::int64_t>() >= row["bound_reachable_cycles"].get<std::int64_t>());
    write_file(folder / "n.json", "");
    REQUIRE(folder.run({"pairs", "--pairs", "pairs.json", "--net-of", row["name"], "--out", "n.json"}).code == 0);
    for (const auto& [strategy, key] :
         {std::pair{"optimal-layer", "unfused_cycles"}, std::pair{"corf", "fused_cycles"}}) {
      REQUIRE(folder
                  .run({"--arch", shipped("configs/edge-4core.json"), "--net", "n.json", "--store", "off", "--strategy",
                        strategy, "--objective", "latency", "--out", "r.json"})
                  .code == 0);
      CHECK(folder.read("r.json")["cycles"] == row[key]);
    }
  }
  CHECK(outcome.out.find("geometric mean") != std::string::npos);
  CHECK(folder.run({"pairs", "--pairs", "pairs.json", "--net-of", "three"}).err.find("has no pair \"three\"") !=
        std::string::npos);
}
