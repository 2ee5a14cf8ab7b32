// The main job as a user runs it: what it prints, what it writes, and that two runs differ in "host" alone.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/e2e/support.h"

using namespace accsim::tests;
using Strings = std::vector<std::string>;

namespace {

std::int64_t sum_of(const Json& states) {
  std::int64_t total = 0;
  for (const auto& cycles : states) total += cycles.get<std::int64_t>();
  return total;
}

bool close_to(double a, double b, double relative) { return std::abs(a - b) <= relative * std::abs(b); }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the main job prints its tables and writes the documented result") {
  const Workspace folder;
  const Outcome outcome = folder.run_net("r.json");
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(outcome.err.empty());
  for (const std::string part : {"small on edge-4core", "group", "conv1 + relu1", "Totals", "Where the time went",
                                 "Where the energy went", "The gap to the bounds"}) {
    CHECK(contains(outcome.out, part));
  }
  CHECK_FALSE(contains(outcome.out, "\x1b"));  // no colour to a pipe

  const Json result = folder.read("r.json");
  CHECK(keys_of(result) == Strings{"schema",
                                   "arch",
                                   "net",
                                   "strategy",
                                   "objective",
                                   "seed",
                                   "cycles",
                                   "latency_ns",
                                   "energy_pj",
                                   "edp_pj_ns",
                                   "macs",
                                   "mac_utilization",
                                   "energy_breakdown_pj",
                                   "bound",
                                   "bound_reachable",
                                   "predicted",
                                   "groups",
                                   "cores",
                                   "dram",
                                   "global_buffer",
                                   "noc",
                                   "search",
                                   "calibration",
                                   "verify",
                                   "host"});
  CHECK(keys_of(result["energy_breakdown_pj"]) ==
        Strings{"array", "vector", "scratchpad", "accumulator", "global_buffer", "noc", "dma", "dram", "leakage"});
  CHECK(keys_of(result["groups"][0]) == Strings{"id", "layers", "cores", "start_cycle", "end_cycle", "predicted_cycles",
                                                "measured_cycles", "engine_cycles", "energy_pj", "bound_by"});
  CHECK(keys_of(result["dram"]) ==
        Strings{"bytes_read", "bytes_written", "row_hit_rate", "bandwidth_gb_s", "peak_gb_s", "energy_pj"});
  CHECK(result["schema"] == "accsim-result/1");
  CHECK(result["net"] == "small");
  CHECK(result["calibration"].size() == 1);
  CHECK(result["calibration"][0]["iteration"] == 0);
  CHECK(result["calibration"][0]["kendall_tau"].is_null());
  CHECK(result["verify"]["checked"] == false);
  for (const std::string key : {"version", "git", "jobs", "search_seconds", "simulation_seconds", "wall_seconds",
                                "cycles_per_second", "bursts_per_second", "peak_rss_mib"}) {
    CHECK(result["host"].contains(key));
  }
}

TEST_CASE("the figures of a result add up") {
  const Workspace folder;
  REQUIRE(folder.run_net("r.json", {"--quiet"}).code == 0);
  const Json result = folder.read("r.json");
  const std::int64_t cycles = result["cycles"];
  CHECK(result["macs"] == 28 * 28 * 9 * (16 * 32 + 32 * 32) + 32 * 100);
  CHECK(cycles >= result["bound"]["cycles"].get<std::int64_t>());
  CHECK(cycles >= result["bound_reachable"]["cycles"].get<std::int64_t>());
  CHECK(result["bound_reachable"]["cycles"].get<std::int64_t>() >= result["bound"]["cycles"].get<std::int64_t>());
  CHECK(result["energy_pj"].get<double>() >= result["bound"]["energy_pj"].get<double>());

  std::int64_t attributed = 0;
  double group_energy = 0;
  Strings layers;
  for (const auto& group : result["groups"]) {
    attributed += group["measured_cycles"].get<std::int64_t>();
    group_energy += group["energy_pj"].get<double>();
    CHECK(group["start_cycle"].get<std::int64_t>() <= group["end_cycle"].get<std::int64_t>());
    for (const auto& layer : group["layers"]) layers.push_back(layer);
  }
  CHECK(attributed == cycles);
  CHECK(close_to(group_energy, result["energy_pj"], 1e-6));
  for (const std::string layer : {"conv1", "relu1", "conv2", "sum", "relu2", "pool", "average", "fc"}) {
    CHECK(std::count(layers.begin(), layers.end(), layer) == 1);
  }

  double energy = 0;
  for (const auto& part : result["energy_breakdown_pj"]) energy += part.get<double>();
  CHECK(close_to(energy, result["energy_pj"], 1e-9));
  CHECK(close_to(result["edp_pj_ns"], result["energy_pj"].get<double>() * result["latency_ns"].get<double>(), 1e-12));

  REQUIRE(result["cores"].size() == 4);
  for (const auto& core : result["cores"]) {
    CHECK(sum_of(core["cycles_by_state"]) == cycles);
    for (const auto& engine : core["engines"]) CHECK(sum_of(engine) == cycles);
  }
}

TEST_CASE("option --quiet prints nothing at all") {
  const Workspace folder;
  const Outcome outcome = folder.run_net("r.json", {"--quiet"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.empty());
}

TEST_CASE("option --where-time-goes shows the engines of every core that worked") {
  const Workspace folder;
  const Outcome outcome = folder.run_net("r.json", {"--where-time-goes"});
  CHECK(outcome.code == 0);
  for (const std::string engine : {"load", "array", "vector", "store"}) CHECK(contains(outcome.out, "    " + engine));
}

TEST_CASE("results are the same at any number of jobs, with a cold, a warm and no store") {
  const Workspace folder;
  REQUIRE(folder.run_net("one.json", {"--jobs", "1", "--store", "off"}).code == 0);
  CHECK_FALSE(std::filesystem::exists(folder / ".accsim"));
  REQUIRE(folder.run_net("two.json", {"--jobs", "2"}).code == 0);
  CHECK(std::filesystem::exists(folder / ".accsim/store.sqlite"));
  REQUIRE(folder.run_net("warm.json", {"--jobs", "2"}).code == 0);
  const std::string one = folder.read_without_host("one.json").dump();
  CHECK(one == folder.read_without_host("two.json").dump());
  CHECK(one == folder.read_without_host("warm.json").dump());
  CHECK(folder.read("two.json")["host"]["simulations"] == 1);
  CHECK(folder.read("warm.json")["host"]["simulations"] == 0);
  CHECK(folder.read("warm.json")["host"]["from_store"] == 1);
}

TEST_CASE("a store that cannot be used costs a warning and nothing else") {
  const Workspace folder;
  REQUIRE(folder.run_net("good.json", {"--store", "off"}).code == 0);
  write_file(folder / "broken.sqlite", std::string(5000, 'x'));
  const Outcome outcome = folder.run_net("r.json", {"--store", "broken.sqlite"});
  CHECK(outcome.code == 0);
  CHECK(contains(outcome.err, "broken.sqlite: store of measurements not used"));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK(folder.read_without_host("good.json") == folder.read_without_host("r.json"));
  CHECK(content_of(folder / "broken.sqlite") == std::string(5000, 'x'));
}

TEST_CASE("a saved schedule simulates to the figures of the run that saved it") {
  const Workspace folder;
  REQUIRE(folder.run_net("r.json", {"--strategy", "joint", "--schedule-out", "s.json", "--store", "off"}).code == 0);
  const Strings inputs{"--arch", shipped("configs/edge-4core.json"), "--net", "net.json", "--store", "off"};
  const auto with = [&](Strings words) {
    words.insert(words.end(), inputs.begin(), inputs.end());
    return folder.run(words);
  };
  REQUIRE(with({"simulate", "--schedule", "s.json", "--out", "simulated.json"}).code == 0);
  REQUIRE(with({"--schedule", "s.json", "--out", "again.json"}).code == 0);
  REQUIRE(with({"search", "--schedule-out", "searched.json", "--out", "search.json"}).code == 0);
  CHECK(content_of(folder / "searched.json") == content_of(folder / "s.json"));
  Json run = folder.read_without_host("r.json");
  Json simulated = folder.read_without_host("simulated.json");
  CHECK(simulated == folder.read_without_host("again.json"));
  CHECK(simulated["search"]["candidates"] == 0);
  run.erase("search");
  simulated.erase("search");
  CHECK(run == simulated);
  const Json search = folder.read("search.json");
  CHECK(search["schema"] == "accsim-search/1");
  CHECK(search["predicted"]["cycles"] == run["predicted"]["cycles"]);
}

TEST_CASE("side files hold what the result holds") {
  const Workspace folder;
  REQUIRE(folder.run_net("r.json", {"--csv", "layers.csv", "--dram-trace", "t.csv", "--program-out", "p.json"}).code ==
          0);
  const Json result = folder.read("r.json");
  const std::string csv = content_of(folder / "layers.csv");
  CHECK(csv.rfind("group,layers,cores,start_cycle,end_cycle,predicted_cycles,measured_cycles,", 0) == 0);
  CHECK(static_cast<std::size_t>(std::count(csv.begin(), csv.end(), '\n')) == 1 + result["groups"].size());
  const std::string trace = content_of(folder / "t.csv");
  CHECK(trace.rfind("cycle,op,addr_hex\n", 0) == 0);
  constexpr std::int64_t kBurst = 64;
  const std::int64_t bytes =
      result["dram"]["bytes_read"].get<std::int64_t>() + result["dram"]["bytes_written"].get<std::int64_t>();
  CHECK(std::count(trace.begin(), trace.end(), '\n') - 1 == bytes / kBurst);
  const Json program = folder.read("p.json");
  CHECK(program["schema"] == "accsim-program/1");
  CHECK(program["groups"].size() == result["groups"].size());
}

TEST_CASE("option --batch repeats the work and must agree with a given schedule") {
  const Workspace folder;
  REQUIRE(folder.run_net("one.json").code == 0);
  REQUIRE(folder.run_net("two.json", {"--batch", "2", "--schedule-out", "s.json"}).code == 0);
  CHECK(folder.read("two.json")["macs"].get<std::int64_t>() == 2 * folder.read("one.json")["macs"].get<std::int64_t>());
  CHECK(folder.run_net("again.json", {"--schedule", "s.json"}).code == 0);
  CHECK(folder.read("again.json")["cycles"] == folder.read("two.json")["cycles"]);
  const Outcome refused = folder.run_net("x.json", {"--schedule", "s.json", "--batch", "3"});
  CHECK(refused.code == 2);
  CHECK(refused.err == "accsim: error: s.json: batch: found 2, but --batch is 3\n");
}
