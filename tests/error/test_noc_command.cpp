// accsim noc as a user runs it: results and packets in every mode, and one exact line for each mistake.
#include <fstream>
#include <string>
#include <vector>

#include "model/config/json.h"
#include "tests/catch.h"
#include "tests/run_program.h"

namespace {

namespace model = accsim::model;
namespace tests = accsim::tests;
using tests::Outcome;
using tests::TemporaryFolder;

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

Outcome run(const TemporaryFolder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "noc");
  return tests::run_program(folder.path(), arguments);
}

using Arguments = std::vector<std::string>;

Arguments operator+(Arguments a, const Arguments& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Arguments kMesh{"--topology", "mesh", "--width", "4", "--height", "4"};

}  // namespace

TEST_CASE("accsim noc measures synthetic traffic, the same twice") {
  const TemporaryFolder folder;
  for (const Arguments& network :
       {kMesh, Arguments{"--topology", "ring", "--nodes", "5"}, Arguments{"--topology", "crossbar", "--nodes", "6"},
        Arguments{"--topology", "bus", "--nodes", "3"}}) {
    for (const std::string mode : {"latency", "throughput"}) {
      INFO(network[1] << " " << mode);
      model::Json results[2];
      for (model::Json& result : results) {
        const Outcome outcome = run(folder, network + Arguments{"--traffic", "uniform", "--rate", "0.1", "--mode", mode,
                                                                "--seed", "7", "--runs", "2", "--out", "r.json"});
        REQUIRE(outcome.err == "");
        REQUIRE(outcome.code == 0);
        CHECK(outcome.out.find("accepted") != std::string::npos);
        result = model::read_json_file(folder / "r.json");
        CHECK(result.at("host").contains("traversals_per_cpu_s"));
        result.erase("host");
      }
      CHECK(results[0] == results[1]);
      const model::Json& r = results[0];
      CHECK(r.at("schema") == "accsim-noc-result/1");
      CHECK(r.at("seed") == 7);
      CHECK(r.at("router") == "R2");
      CHECK(r.at("status") == "stable");
      CHECK(r.at("offered") == 0.1);
      CHECK(r.at("accepted").get<double>() == Approx(0.1).epsilon(0.1));
      CHECK(r.at("plat_mean").is_null() == (mode == "throughput"));
      for (const char* key : {"mesh", "num_vcs", "vc_buf_size", "packet_size", "traffic", "frac_of_ideal", "injected",
                              "nlat_mean", "flat_mean", "plat_p50", "plat_p99", "plat_max", "hops_mean",
                              "packets_measured", "measure_cycles", "warmup_cycles"}) {
        CHECK(r.contains(key));
      }
    }
  }
}

TEST_CASE("accsim noc replays a trace, multicasts too") {
  const TemporaryFolder folder;
  write(folder / "t.trace", "# cycle src dst flits\n10 0 5 4\r\n10 6 5 4  # another\n\n40 0 5+3+3 2\n");
  const Outcome outcome =
      run(folder, kMesh + Arguments{"--router-cycles", "3", "--speculative", "--vcs", "1", "--vc-buffer-flits", "4",
                                    "--trace", "t.trace", "--packets", "p.csv", "--out", "r.json", "--quiet"});
  REQUIRE(outcome.err == "");
  REQUIRE(outcome.code == 0);
  CHECK(outcome.out == "");
  const model::Json r = model::read_json_file(folder / "r.json");
  CHECK(r.at("scenario") == "t");
  CHECK(r.at("router") == "R3b");
  CHECK(r.at("packets") == 3);
  CHECK(r.at("flits") == 10);
  // An empty network: 2 + (hops + 1) (3 + 1) + 1 cycles.
  CHECK(tests::content_of(folder / "p.csv").find("\n2,0,3,2,40,40,58,59,3,19,19\n2,0,5,2,40,40,54,55,2,15,15\n") !=
        std::string::npos);
}

TEST_CASE("accsim noc reports mistakes in one line") {
  const TemporaryFolder folder;
  const auto message = [&](const Arguments& arguments) {
    const Outcome outcome = run(folder, arguments + Arguments{"--out", "out.json"});
    CHECK(outcome.code == 2);
    CHECK(outcome.out == "");
    CHECK_FALSE(std::filesystem::exists(folder / "out.json"));
    REQUIRE(outcome.err.rfind("accsim: error: ", 0) == 0);
    return outcome.err.substr(15, outcome.err.size() - 16);
  };
  const Arguments load{"--traffic", "uniform", "--rate", "0.1"};
  CHECK(message({"--width", "4"}) == "--height: missing; a mesh needs --width and --height");
  CHECK(message(kMesh) == "--traffic: missing; give --traffic and --rate, or --trace");
  CHECK(message(kMesh + Arguments{"--traffic", "uniform"}) ==
        "--rate: missing; flits a node and cycle, above 0 up to 1");
  CHECK(message(kMesh + Arguments{"--traffic", "uniform", "--rate", "1.5"}) ==
        "--rate: expected flits a node and cycle, above 0 up to 1, found 1.5");
  CHECK(message(kMesh + load + Arguments{"--nodes", "4"}) == "--nodes: a mesh has --width and --height");
  CHECK(message(kMesh + load + Arguments{"--packets", "p.csv"}) == "--packets: goes with --trace");
  CHECK(message(load + Arguments{"--width", "100", "--height", "11"}) ==
        "--width: a mesh has at most 1024 nodes, found 100 x 11");
  CHECK(message(load + Arguments{"--topology", "bus", "--nodes", "129"}) ==
        "--nodes: a bus has at most 128 nodes, found 129");
  CHECK(message(load + Arguments{"--topology", "ring"}) == "--nodes: missing; a ring needs it");
  CHECK(message(load + Arguments{"--topology", "ring", "--nodes", "1"}) ==
        "--nodes: a ring has at least 2 nodes, found 1");
  CHECK(message(load + Arguments{"--topology", "ring", "--nodes", "4", "--vcs", "1"}) ==
        "--vcs: a ring needs 2 or more, found 1");
  CHECK(message(load + Arguments{"--topology", "ring", "--width", "4"}) == "--width: a ring has --nodes");
  CHECK(message(kMesh + load + Arguments{"--router-cycles", "4", "--speculative"}) ==
        "--speculative: a router of 4 cycles does not speculate, expected --router-cycles 3 (or 2, which always does)");
  CHECK(message({"--width", "2", "--height", "3", "--traffic", "transpose", "--rate", "0.1"}) ==
        "--traffic: transpose needs a square mesh");
  for (const Arguments& wrong :
       {Arguments{"--router-cycles", "5"}, Arguments{"--vcs", "0"}, Arguments{"--vcs", "33"},
        Arguments{"--vc-buffer-flits", "0"}, Arguments{"--credit-delay", "-1"}, Arguments{"--packet-flits", "0"},
        Arguments{"--mode", "fast"}, Arguments{"--traffic", "storm"}, Arguments{"--topology", "torus"}}) {
    INFO(wrong[0]);
    CHECK(message(kMesh + wrong).rfind(wrong[0] + ": ", 0) == 0);
  }

  const auto trace = [&](const std::string& text, const Arguments& network = kMesh) {
    write(folder / "t.trace", text);
    return message(network + Arguments{"--trace", "t.trace"});
  };
  CHECK(trace("10 0 5 4\n10 0 16 4\n") ==
        "t.trace: line 2: destination: expected an integer from 0 to 15, found \"16\"");
  CHECK(trace("10 -1 5 4\n") == "t.trace: line 1: source: expected an integer from 0 to 15, found \"-1\"");
  CHECK(trace("10 0 5 0\n") == "t.trace: line 1: flits: expected an integer from 1 to 65535, found \"0\"");
  CHECK(trace("ten 0 5 1\n") ==
        "t.trace: line 1: cycle: expected an integer from 0 to 1125899906842624, found \"ten\"");
  CHECK(trace("10 0 5\n") == "t.trace: line 1: expected cycle, source, destination and flits, found 3 numbers");
  CHECK(trace("10 0 5 1 2\n") == "t.trace: line 1: expected cycle, source, destination and flits, found more numbers");
  CHECK(trace("10 0 5+6 9\n") ==
        "t.trace: line 1: flits: a multicast packet must fit into a virtual channel's buffer (8 flits), found \"9\"");
  CHECK(trace("10 0 1+2 1\n", {"--topology", "ring", "--nodes", "4"}) ==
        "t.trace: line 1: destination: a ring has no multicast, found \"1+2\"");
  CHECK(trace("# nothing\n") == "t.trace: holds no packets");
  CHECK(message(kMesh + Arguments{"--trace", "missing.trace"}).rfind("missing.trace: ", 0) == 0);
  CHECK(message(kMesh + load + Arguments{"--trace", "t.trace"}) == "--traffic: either synthetic traffic or --trace");
}
