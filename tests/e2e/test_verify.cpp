// Execution on data as a user runs it: --verify of networks, provoked mismatches and deadlocks with their messages and
// exit codes, programs as input.
#include <functional>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/e2e/support.h"

using namespace accsim::tests;
using Strings = std::vector<std::string>;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string edge() { return shipped("configs/edge-4core.json"); }

// `simulate` of the small network with `more`.
Outcome simulate(const Workspace& folder, const Strings& more) {
  Strings arguments{"simulate", "--arch", edge(), "--net", "net.json", "--store", "off"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return folder.run(arguments);
}

// The program of the small network, changed, as p.json.
void write_program(const Workspace& folder, const std::function<void(Json&)>& change) {
  REQUIRE(folder.run_net("r.json", {"--program-out", "p.json", "--quiet", "--store", "off"}).code == 0);
  Json program = folder.read("p.json");
  change(program);
  write_file(folder / "p.json", program.dump());
}

Json without(Json result, const Strings& keys) {
  for (const std::string& key : keys) result.erase(key);
  return result;
}

}  // namespace

TEST_CASE("option --verify executes on data, compares every activation and says so") {
  const Workspace folder;
  const Outcome outcome = folder.run_net("r.json", {"--verify"});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(outcome.err.empty());
  CHECK(contains(outcome.out, "\nverified: 6 tensors, 81.7 k elements, 0 mismatches; fewest distinct values: "));
  const Json verify = folder.read("r.json")["verify"];
  CHECK(keys_of(verify) ==
        Strings{"checked", "tensors", "mismatches", "elements", "fewest_distinct", "by_tensor", "mismatched"});
  CHECK(verify["checked"] == true);
  CHECK(verify["tensors"] == 6);  // conv1 + relu1, conv2, sum + relu2, pool, average, fc
  CHECK(verify["mismatches"] == 0);
  CHECK(verify["elements"] == 3 * 32 * 28 * 28 + 32 * 14 * 14 + 32 + 100);
  CHECK(verify["mismatched"].empty());
  REQUIRE(verify["by_tensor"].size() == 6);
  for (const auto& tensor : verify["by_tensor"]) {
    INFO(tensor.dump());
    CHECK(tensor["distinct"].get<int>() >= tensor["required"].get<int>());
    CHECK(tensor["required"] == std::min(64, (tensor["elements"].get<int>() + 7) / 8));
  }
}

TEST_CASE("option --verify changes nothing but verify and host, at any number of jobs") {
  const Workspace folder;
  REQUIRE(folder.run_net("plain.json", {"--store", "off"}).code == 0);
  REQUIRE(folder.run_net("one.json", {"--verify", "--jobs", "1", "--store", "off"}).code == 0);
  REQUIRE(folder.run_net("two.json", {"--verify", "--jobs", "2", "--store", "off"}).code == 0);
  REQUIRE(folder.run_net("traced.json", {"--verify", "--dram-trace", "t.csv", "--store", "off"}).code == 0);
  const Json one = folder.read_without_host("one.json");
  CHECK(one.dump() == folder.read_without_host("two.json").dump());
  CHECK(one.dump() == folder.read_without_host("traced.json").dump());
  CHECK(without(one, {"verify"}).dump() == without(folder.read_without_host("plain.json"), {"verify"}).dump());
  CHECK(folder.read("traced.json")["host"]["simulations"] == 1);
}

TEST_CASE("what the store knows is executed on data all the same") {
  const Workspace folder;
  REQUIRE(folder.run_net("cold.json").code == 0);
  REQUIRE(folder.run_net("r.json", {"--verify"}).code == 0);
  const Json result = folder.read("r.json");
  CHECK(result["host"]["simulations"] == 1);
  CHECK(result["verify"]["checked"] == true);
}

TEST_CASE("with --calibrate the final schedule is verified") {
  const Workspace folder;
  REQUIRE(folder.run_net("plain.json", {"--calibrate", "2"}).code == 0);
  REQUIRE(folder.run_net("r.json", {"--calibrate", "2", "--verify"}).code == 0);
  const Json result = folder.read_without_host("r.json");
  CHECK(result["verify"]["tensors"] == 6);
  CHECK(without(result, {"verify"}).dump() == without(folder.read_without_host("plain.json"), {"verify"}).dump());
}

TEST_CASE("a saved program simulates to the figures of the run that saved it, verified") {
  const Workspace folder;
  REQUIRE(folder.run_net("r.json", {"--program-out", "p.json", "--verify", "--store", "off"}).code == 0);
  const Outcome outcome = simulate(folder, {"--program", "p.json", "--verify", "--out", "p-result.json", "--csv",
                                            "p.csv", "--program-out", "again.json"});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(contains(outcome.out, "verified: 6 tensors"));
  CHECK(content_of(folder / "again.json") == content_of(folder / "p.json"));
  const Json run = folder.read("r.json");
  const Json program = folder.read("p-result.json");
  for (const char* key : {"cycles", "energy_pj", "energy_breakdown_pj", "cores", "dram", "noc", "verify"}) {
    CHECK(program[key] == run[key]);
  }
  CHECK(program["strategy"] == "none");
  CHECK(program["predicted"]["cycles"].is_null());
  CHECK(program["groups"][0]["layers"] == run["groups"][0]["layers"]);
  CHECK(program["groups"][0]["predicted_cycles"].is_null());
  CHECK(program["calibration"].empty());
}

TEST_CASE("a program that computes something else is a mismatch: exit code 4, the result is written") {
  const Workspace folder;
  // conv2 takes its input one column further left: no check of order or memory can see that.
  write_program(folder, [](Json& program) {
    for (auto& core : program["groups"][1]["cores"]) {
      for (auto& pass : core["array"]) {
        auto& axes = pass["array_pass"]["input"]["axes"];
        axes.back()["offset"] = axes.back()["offset"].get<int>() - 1;
      }
    }
  });
  const Outcome outcome = simulate(folder, {"--program", "p.json", "--verify", "--out", "r.json"});
  CHECK(outcome.code == 4);
  CHECK(contains(outcome.err, "accsim: mismatch: tensor conv2 differs from the reference in "));
  CHECK(contains(outcome.err, "; group 1, written by core 0 store["));
  CHECK(contains(outcome.err, "of layer conv2); 4 more tensors differ\n"));
  CHECK(contains(outcome.out, "verified: 6 tensors, "));
  const Json verify = folder.read("r.json")["verify"];
  CHECK(verify["checked"] == true);
  CHECK(verify["tensors"] == 6);
  CHECK(verify["mismatches"].get<int>() > 20000);
  REQUIRE(verify["mismatched"].size() == 5);  // all that follow
  const Json first = verify["mismatched"][0];
  CHECK(first["tensor"] == "conv2");
  CHECK(first["coordinate"] == Json({0, 0, 0, 0}));
  CHECK(first["expected"] != first["found"]);
  CHECK(first["group"] == 1);
  CHECK(first["written_by"]["queue"] == "store");
  CHECK(first["written_by"]["instruction"] == 0);
  CHECK(first["written_by"]["layer"] == "conv2");
  CHECK(contains(outcome.err, first["message"].get<std::string>()));
  // Without --verify nobody sees it.
  CHECK(simulate(folder, {"--program", "p.json"}).code == 0);
}

TEST_CASE("a program in deadlock is refused, or shows who waits for whom") {
  const Workspace folder;
  write_program(folder, [](Json& program) {  // the first pass of conv2 signals nobody
    auto& pass = program["groups"][1]["cores"][0]["array"][0];
    REQUIRE_FALSE(pass["signals"].empty());
    pass["signals"] = Json::array();
  });
  const Outcome refused = simulate(folder, {"--program", "p.json"});
  CHECK(refused.code == 2);
  CHECK(contains(refused.err, "accsim: error: p.json: groups[1]: deadlock: core 0 "));
  const Outcome stuck = simulate(folder, {"--program", "p.json", "--no-check", "--verify"});
  CHECK(stuck.code == 2);
  CHECK(contains(stuck.err, "accsim: error: p.json: the program makes no progress after cycle "));
  CHECK(contains(stuck.err, "\n  core 0 vector["));
  CHECK(contains(stuck.err, " of group 1 waits for semaphore "));
  CHECK(contains(stuck.err, ", which nobody signals any more\n"));
}

TEST_CASE("programs that do not fit the inputs are the user's mistake") {
  const Workspace folder;
  const auto refusal = [&](const std::function<void(Json&)>& change, const Strings& more = {}) {
    write_program(folder, change);
    Strings arguments{"--program", "p.json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = simulate(folder, arguments);
    CHECK(outcome.code == 2);
    return outcome.err;
  };
  CHECK(refusal([](Json& p) { p["arch"] = "other"; }) ==
        "accsim: error: p.json: arch: found \"other\", but the input is edge-4core\n");
  CHECK(refusal([](Json& p) { p["net"] = "other"; }) ==
        "accsim: error: p.json: net: found \"other\", but the input is small\n");
  const auto renamed = [](Json& p) {
    for (auto& region : p["constant"]) {
      if (region["name"] == p["dram"][1]["name"]) region["name"] = "nobody";
    }
    p["dram"][1]["name"] = "nobody";
  };
  CHECK(contains(refusal(renamed), "p.json: dram[1].name: network small has no tensor \"nobody\" of its own storage"));
  const auto shorter = [](Json& p) {
    for (const char* list : {"dram", "constant"}) {
      for (auto& region : p[list]) {
        if (region["name"] == "conv1.weight") region["size_bytes"] = 7;
      }
    }
  };
  CHECK(
      contains(refusal(shorter), ".size_bytes: found 7, but tensor \"conv1.weight\" of network small has 4608 bytes"));
  CHECK(contains(refusal([](Json& p) { p["constant"].erase(0); }), "does not stand in the list constant"));
  CHECK(contains(refusal([](Json& p) { p["groups"][0]["cores"][0]["core"] = 9; }, {"--no-check"}),
                 "p.json: groups[0]: structure: core 9 does not exist"));
  const auto nothing = [](Json&) {};
  CHECK(contains(refusal(nothing, {"--schedule", "s.json"}), "neither --schedule nor --calibration goes with it"));
  CHECK(contains(refusal(nothing, {"--batch", "2"}), "p.json: dram["));
  CHECK(simulate(folder, {"--program", "nowhere.json"}).code == 2);
  CHECK(simulate(folder, {"--schedule", "s.json", "--no-check"}).err ==
        "accsim: error: --no-check is for a program that --program gives\n");
}

TEST_CASE("cores whose accumulators differ in width cannot be verified") {
  const Workspace folder;
  Json arch = accsim::model::read_json_file(edge());
  arch["cores"][0]["array"]["operand_type"] = "fp16";
  arch["cores"][0]["array"]["accumulator_type"] = "fp32";
  Json narrow = arch["cores"][0];
  narrow["name"] = "narrow";
  narrow["array"]["accumulator_type"] = "fp16";
  arch["cores"].push_back(narrow);
  write_file(folder / "arch.json", arch.dump());
  const Outcome outcome = folder.run({"--arch", "arch.json", "--net", "net.json", "--verify", "--store", "off"});
  CHECK(outcome.code == 2);
  CHECK(contains(outcome.err, "--verify needs accumulators of one width, found fp32 in core type \"npu\" and fp16"));
}

TEST_CASE("an average over padding that the last windows do not reach is verified") {
  const Workspace folder;
  write_file(folder / "pool.json", R"({"schema": "accsim-net/1", "name": "pool", "precision": "int8",
    "inputs": [{"name": "x", "shape": [1, 24, 13, 16]}],
    "layers": [{"name": "p", "op": "AveragePool", "inputs": ["x"], "kernel_shape": [3, 2], "strides": [2, 3],
                "pads": [1, 0, 1, 1], "ceil_mode": 1, "count_include_pad": 1},
               {"name": "q", "op": "AveragePool", "inputs": ["p"], "kernel_shape": [3, 3], "strides": [2, 2],
                "ceil_mode": 1, "count_include_pad": 1}]})");
  const Outcome outcome = folder.run({"--arch", edge(), "--net", "pool.json", "--verify", "--store", "off"});
  INFO(outcome.err);
  CHECK(outcome.code == 0);
  CHECK(contains(outcome.out, "verified: 2 tensors"));
}

TEST_CASE("tensors with too few distinct values are a warning") {
  const Workspace folder;
  write_file(folder / "few.json", R"({"schema": "accsim-net/1", "name": "few", "precision": "int8",
    "inputs": [{"name": "x", "shape": [1, 1, 116, 116]}],
    "layers": [{"name": "c119", "op": "Conv", "inputs": ["x"], "out_channels": 1, "kernel_shape": [1, 1]}]})");
  // Its one weight is 0: of the name's hash.
  const Outcome outcome =
      folder.run({"--arch", edge(), "--net", "few.json", "--verify", "--store", "off", "--out", "r.json"});
  CHECK(outcome.code == 0);
  const Json fewest = folder.read("r.json")["verify"]["fewest_distinct"];
  CHECK(fewest["tensor"] == "c119");
  CHECK(fewest["distinct"] == 1);
  CHECK(fewest["required"] == 64);
  CHECK(outcome.err ==
        "accsim: warning: --verify: tensor c119 has 1 distinct values in 13456 elements, expected 64: its comparison "
        "is weak\n");
}

TEST_CASE("no chain of operators on single elements leaves few values") {
  const Workspace folder;
  // Factors and offsets of one number, clamps, windows, masks, one element used twice: in every type.
  const std::string layers = R"(
    {"name": "scaled", "op": "Mul", "inputs": ["x", "w0"]}, {"name": "relu0", "op": "Relu", "inputs": ["scaled"]},
    {"name": "divided", "op": "Div", "inputs": ["relu0", "w1"]}, {"name": "clip0", "op": "Clip", "inputs": ["divided"]},
    {"name": "power", "op": "Pow", "inputs": ["clip0", "w2"]}, {"name": "relu1", "op": "Relu", "inputs": ["power"]},
    {"name": "offset", "op": "Sub", "inputs": ["w3", "relu1"]}, {"name": "relu2", "op": "Relu", "inputs": ["offset"]},
    {"name": "gate", "op": "HardSigmoid", "inputs": ["relu2"]},
    {"name": "gated", "op": "Mul", "inputs": ["relu2", "gate"]},
    {"name": "square", "op": "Mul", "inputs": ["x", "x"]}, {"name": "root", "op": "Sqrt", "inputs": ["square"]},
    {"name": "twice", "op": "Add", "inputs": ["x", "x"]},
    {"name": "masked", "op": "Where", "inputs": ["mask", "relu2", "w0"]},
    {"name": "nothing", "op": "Where", "inputs": ["w1", "w0", "relu2"]},
    {"name": "largest", "op": "MaxPool", "inputs": ["relu2"], "kernel_shape": [13, 13], "pads": [6, 6, 6, 6]},
    {"name": "again", "op": "MaxPool", "inputs": ["largest"], "kernel_shape": [13, 13], "pads": [6, 6, 6, 6]},
    {"name": "mean", "op": "AveragePool", "inputs": ["largest"], "kernel_shape": [1, 1]},
    {"name": "means", "op": "ReduceMean", "inputs": ["relu2"], "axes": [0]},
    {"name": "share", "op": "Softmax", "inputs": ["relu2"], "axis": 0},
    {"name": "pair", "op": "LayerNormalization", "inputs": ["pairs"], "axis": 1},
    {"name": "part", "op": "Slice", "inputs": ["gated"], "axes": [2], "starts": [1], "ends": [9]},
    {"name": "wide", "op": "Expand", "inputs": ["few"], "shape": [2, 6, 300]},
    {"name": "row", "op": "Mul", "inputs": ["wide", "w0"]})";
  for (const char* precision : {"int4", "int8", "int16", "fp16", "bf16", "fp32"}) {
    INFO(precision);
    write_file(folder / "chain.json", std::string(R"({"schema": "accsim-net/1", "name": "chain", "precision": ")") +
                                          precision + R"(", "inputs": [{"name": "x", "shape": [1, 6, 20, 20]},
      {"name": "mask", "shape": [20, 20]}, {"name": "pairs", "shape": [700, 2]}, {"name": "few", "shape": [2, 6, 1]}],
      "weights": [{"name": "w0", "shape": []}, {"name": "w1", "shape": []}, {"name": "w2", "shape": []},
                  {"name": "w3", "shape": []}], "layers": [)" +
                                          layers + "]}");
    for (const char* seed : {"1", "2", "3"}) {
      const Outcome outcome = folder.run({"--arch", edge(), "--net", "chain.json", "--strategy", "layerwise",
                                          "--verify", "--seed", seed, "--store", "off", "--out", "r.json"});
      CHECK(outcome.code == 0);
      CHECK_FALSE(contains(outcome.err, "weak"));
      const Json result = folder.read("r.json")["verify"];
      CHECK(result["tensors"].get<int>() == 19);  // the others are fused
      for (const Json& tensor : result["by_tensor"]) {
        INFO(tensor.dump());
        CHECK(tensor["distinct"].get<int>() >= tensor["required"].get<int>());
        if (tensor["tensor"] != "wide" && tensor["tensor"] != "row")
          CHECK(tensor["required"].get<int>() >= (std::string(precision) == "int4" ? 4 : 50));
      }
    }
  }
}

TEST_CASE("shipped networks are verified") {
  const Workspace folder;
  const auto verified = [&](const std::string& arch, const std::string& net) {
    const Outcome outcome =
        folder.run({"--arch", shipped("configs/" + arch + ".json"), "--net", shipped("workloads/" + net + ".json"),
                    "--verify", "--store", "off", "--out", "r.json"});
    INFO(net << ": " << outcome.err);
    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
    const Json result = folder.read("r.json");
    CHECK(result["verify"]["mismatches"] == 0);
    CHECK(result["verify"]["tensors"].get<int>() > 20);
#if !defined(__SANITIZE_ADDRESS__)  // which keeps freed memory for a while
    CHECK(result["host"]["peak_rss_mib"].get<double>() < 1024);
#endif
  };
  verified("gemmini-like", "mobilenet_v2");
  verified("gemmini-like", "squeezenet1_1");
  verified("edge-4core", "resnet18");
}
