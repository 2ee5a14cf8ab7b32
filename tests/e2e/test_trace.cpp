// --trace as a user gets it: a file of Chrome trace events that agrees with the result; and what --where-time-goes and
// the result say of waits and conflicts. --dram-trace replayed by `accsim dram`.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.h"
#include "tests/e2e/support.h"

using namespace accsim::tests;
using Strings = std::vector<std::string>;

namespace {

constexpr std::int64_t kDramProcess = 1;
constexpr std::int64_t kFirstCore = 2;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const Strings kEngines{"load", "array", "vector", "store"};

struct Track {
  std::int64_t end = 0;
  std::map<std::string, std::int64_t> cycles;  // by state
};

}  // namespace

TEST_CASE("a timeline agrees with the result, track by track") {
  const Workspace folder;
  REQUIRE(folder.run_net("r.json", {"--trace", "t.json", "--store", "off"}).code == 0);
  CHECK(folder.entries() == 3);  // net.json, r.json, t.json: nothing temporary is left
  const Json result = folder.read("r.json");
  const Json trace = folder.read("t.json");
  const std::int64_t cycles = result["cycles"];
  CHECK(trace["otherData"]["cycles"] == cycles);

  std::map<std::pair<std::int64_t, std::int64_t>, Track> tracks;
  std::map<std::pair<std::int64_t, std::int64_t>, std::string> names;
  std::int64_t dram_bytes = 0;
  std::size_t groups = 0;
  Strings counters;
  for (const Json& event : trace["traceEvents"]) {
    const std::string kind = event["ph"];
    const std::pair<std::int64_t, std::int64_t> place{event["pid"], event["tid"]};
    if (kind == "M" && event["name"] == "thread_name") names[place] = event["args"]["name"];
    if (kind == "C") {
      counters.push_back(event["name"]);
      CHECK(event["ts"].get<std::int64_t>() <= cycles);
    }
    if (kind != "X") continue;
    const std::int64_t begin = event["ts"];
    const std::int64_t length = event["dur"];
    Track& track = tracks[place];
    REQUIRE(length > 0);
    REQUIRE(begin >= track.end);
    track.end = begin + length;
    CHECK(track.end <=
          cycles + (place.first == kDramProcess ? 64 : 0));  // an answer is on its way when the last burst is
    if (place.first == kDramProcess) {
      dram_bytes +=
          event["args"]["bytes_read"].get<std::int64_t>() + event["args"]["bytes_written"].get<std::int64_t>();
    } else if (place.first >= kFirstCore && event["cat"] == "transfer") {
      for (const std::string state : {"compute", "operand_stall", "dram_wait", "noc_wait"}) {
        track.cycles[state] += event["args"].value(state, std::int64_t{0});
      }
    } else if (place.first >= kFirstCore) {
      track.cycles[event["cat"]] += length;
    } else {
      ++groups;
    }
  }
  CHECK(groups == result["groups"].size());
  CHECK(dram_bytes ==
        result["dram"]["bytes_read"].get<std::int64_t>() + result["dram"]["bytes_written"].get<std::int64_t>());
  CHECK(std::count(counters.begin(), counters.end(), "bandwidth GB/s") > 1);
  CHECK(std::count(counters.begin(), counters.end(), "mean power W") > 1);
  for (const Json& core : result["cores"]) {
    for (std::size_t e = 0; e < kEngines.size(); ++e) {
      const std::pair<std::int64_t, std::int64_t> place{kFirstCore + core["id"].get<std::int64_t>(),
                                                        static_cast<std::int64_t>(e)};
      CHECK(names[place] == kEngines[e]);
      for (const auto& [state, expected] : core["engines"][kEngines[e]].items()) {
        INFO("core " << core["id"] << " " << kEngines[e] << " " << state);
        if (state != "idle") CHECK(tracks[place].cycles[state] == expected.get<std::int64_t>());
      }
    }
  }
  CHECK(names[{kDramProcess, 0}] == "channel 0");
  const std::string text = content_of(folder / "t.json");
  CHECK(contains(text, "\"name\":\"conv1/0\""));
  CHECK(contains(text, "\"name\":\"semaphore "));
}

TEST_CASE("a timeline is the same every time, changes nothing, and is of the final run only") {
  const Workspace folder;
  REQUIRE(folder.run_net("plain.json", {"--store", "off", "--schedule-out", "s.json"}).code == 0);
  REQUIRE(folder.run_net("one.json", {"--trace", "one.trace", "--jobs", "1"}).code == 0);
  REQUIRE(folder.run_net("two.json", {"--trace", "two.trace", "--jobs", "2"}).code == 0);  // known from the store
  CHECK(content_of(folder / "one.trace") == content_of(folder / "two.trace"));
  CHECK(folder.read_without_host("plain.json") == folder.read_without_host("one.json"));
  REQUIRE(folder
              .run({"simulate", "--arch", shipped("configs/edge-4core.json"), "--net", "net.json", "--schedule",
                    "s.json", "--trace", "three.trace", "--store", "off", "--quiet"})
              .code == 0);
  CHECK(content_of(folder / "one.trace") == content_of(folder / "three.trace"));
  REQUIRE(folder.run_net("loop.json", {"--trace", "loop.trace", "--calibrate", "1", "--store", "off"}).code == 0);
  CHECK(folder.read("loop.trace")["otherData"]["cycles"] == folder.read("loop.json")["cycles"]);
  const Outcome refused = folder.run_net("x.json", {"--trace", "no/t.json"});
  CHECK(refused.code == 2);
  CHECK(contains(refused.err, "no/t.json: cannot be written: no folder no"));
}

TEST_CASE("the result says what every engine waited for, to the cycle") {
  const Workspace folder;
  const Outcome outcome = folder.run_net("r.json", {"--where-time-goes", "--store", "off"});
  REQUIRE(outcome.code == 0);
  for (const std::string part : {"What the engines waited for", "Cycles lost to busy banks",
                                 "Busy cycles of the engines", "DRAM channel 0", "from core 0 load"}) {
    INFO(part);
    CHECK(contains(outcome.out, part));
  }
  const Json result = folder.read("r.json");
  for (const Json& core : result["cores"]) {
    std::map<std::string, std::map<std::string, std::int64_t>> sums;
    for (const Json& wait : core["waits"]) sums[wait["engine"]][wait["state"]] += wait["cycles"].get<std::int64_t>();
    for (const std::string& engine : kEngines) {
      for (const auto& [state, cycles] : core["engines"][engine].items()) {
        if (state != "compute") CHECK(sums[engine][state] == cycles.get<std::int64_t>());
      }
      CHECK(sums[engine].count("compute") == 0);
    }
  }
  for (const Json& group : result["groups"]) {
    for (const std::string& engine : kEngines) {
      CHECK(group["engine_cycles"][engine]["predicted"].is_number_integer());
      CHECK(group["engine_cycles"][engine]["measured"].get<std::int64_t>() <= result["cycles"].get<std::int64_t>());
    }
  }
  const Outcome short_form = folder.run_net("r.json", {"--store", "off"});
  CHECK(contains(short_form.out, "Longest waits"));
  CHECK_FALSE(contains(short_form.out, "What the engines waited for"));
}

TEST_CASE("the DRAM requests of a run, replayed by accsim dram, take the same cycles") {
  const Workspace folder;
  REQUIRE(folder.run_net("r.json", {"--dram-trace", "t.csv", "--schedule-out", "s.json", "--store", "off"}).code == 0);
  REQUIRE(folder
              .run({"simulate", "--arch", shipped("configs/edge-4core.json"), "--net", "net.json", "--schedule",
                    "s.json", "--dram-trace", "again.csv", "--store", "off", "--quiet"})
              .code == 0);
  CHECK(content_of(folder / "t.csv") == content_of(folder / "again.csv"));
  const Outcome replay =
      folder.run({"dram", "--preset", "ddr4-3200", "--set", "channels=1", "--set", "bus_width=64", "--set",
                  "address_mapping=rochrabacobg", "--requests", "t.csv", "--mode", "trace", "--out", "d.json"});
  INFO(replay.err);
  REQUIRE(replay.code == 0);
  const Json result = folder.read("r.json");
  const Json alone = folder.read("d.json");
  constexpr std::int64_t kBurst = 64;
  CHECK(alone["reads_accepted"].get<std::int64_t>() * kBurst == result["dram"]["bytes_read"].get<std::int64_t>());
  CHECK(alone["writes_accepted"].get<std::int64_t>() * kBurst == result["dram"]["bytes_written"].get<std::int64_t>());
  // The run ends when the last store is acknowledged, which is when it is accepted: no later than that plus the way
  // back.
  const double last_ns = alone["clk_last_accept"].get<double>() * 0.625;
  CHECK(last_ns <= result["latency_ns"].get<double>());
  CHECK(last_ns >= result["latency_ns"].get<double>() - 40);
  CHECK(alone["row_hit_rate"].get<double>() == Approx(result["dram"]["row_hit_rate"].get<double>()).epsilon(0.01));
}
