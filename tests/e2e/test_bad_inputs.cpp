// What is wrong with the input is said in one line on stderr, with the right exit code, and nothing is written.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/e2e/support.h"

using namespace accsim;
using namespace accsim::tests;
using Strings = std::vector<std::string>;

namespace {

constexpr int kUserError = 2;
constexpr int kInfeasible = 3;

// The one line; checks everything else that a refusal must look like.
std::string refusal(const Workspace& folder, const Strings& arguments, int code = kUserError) {
  const std::size_t files = folder.entries();
  const Outcome outcome = folder.run(arguments);
  INFO(outcome.err);
  CHECK(outcome.code == code);
  CHECK(outcome.out.empty());
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK(folder.entries() == files);
  const std::string prefix = code == kInfeasible ? "accsim: infeasible: " : "accsim: error: ";
  CHECK(outcome.err.rfind(prefix, 0) == 0);
  return outcome.err.size() > prefix.size() ? outcome.err.substr(prefix.size(), outcome.err.size() - prefix.size() - 1)
                                            : outcome.err;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string& edge() {
  static const std::string file = shipped("configs/edge-4core.json");
  return file;
}

// edge-4core with one value replaced, as arch.json.
void write_arch(const Workspace& folder, const std::string& pointer, const Json& value) {
  Json arch = accsim::model::read_json_file(edge());
  arch[Json::json_pointer(pointer)] = value;
  write_file(folder / "arch.json", arch.dump());
}

std::string arch_refusal(const std::string& pointer, const Json& value, int code = kUserError) {
  const Workspace folder;
  write_arch(folder, pointer, value);
  return refusal(folder, {"--arch", "arch.json", "--net", "net.json", "--out", "r.json"}, code);
}

std::string net_refusal(const std::string& text) {
  const Workspace folder;
  write_file(folder / "bad.json", text);
  return refusal(folder, {"--arch", edge(), "--net", "bad.json", "--out", "r.json"});
}

std::string with_layers(const std::string& layers) {
  return R"({"schema": "accsim-net/1", "name": "n", "inputs": [{"name": "x", "shape": [1, 4, 8, 8]}], "layers": [)" +
         layers + "]}";
}

}  // namespace

TEST_CASE("what a command writes may not destroy what it reads or writes elsewhere") {
  const Workspace folder;
  const auto refused = [&](const Strings& more) {
    Strings arguments{"--arch", edge(), "--net", "net.json", "--store", "s.sqlite"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = folder.run(arguments);
    CHECK(outcome.code == 2);
    return outcome.err;
  };
  const std::string net = model::read_text_file(folder / "net.json");
  CHECK(refused({"--out", "net.json"}) ==
        "accsim: error: net.json: --out would overwrite it, but --net is read from the same file\n");
  CHECK(contains(refused({"--csv", "../" + folder.path().filename().string() + "/net.json"}), "--net is read from"));
  CHECK(refused({"--out", "a.json", "--csv", "./a.json"}) ==
        "accsim: error: a.json: --out would overwrite it, but --csv writes the same file\n");
  CHECK(refused({"--csv", "s.sqlite"}) ==
        "accsim: error: s.sqlite: --csv would overwrite it, but --store keeps measurements in the same file\n");
  CHECK(contains(refused({"--out", "-"}), "-: cannot be written: for standard output give /dev/stdout"));
  CHECK(model::read_text_file(folder / "net.json") == net);
  CHECK(folder.run({"check", "--net", "net.json", "--out", "net.json"}).code == 2);
  CHECK(folder.run({"check", "--net", "net.json", "--out", "/dev/null"}).code == 0);
}

TEST_CASE("files that cannot be read are named") {
  const Workspace folder;
  CHECK(contains(refusal(folder, {"--arch", "none.json", "--net", "net.json"}), "none.json"));
  CHECK(contains(refusal(folder, {"--arch", edge(), "--net", "none.json"}), "none.json"));
  CHECK(contains(refusal(folder, {"--arch", folder.path().string(), "--net", "net.json"}), folder.path().string()));
  CHECK(refusal(folder, {"--arch", edge()}) == "--net FILE is missing: the network");
  CHECK(refusal(folder, {"--net", "net.json"}) == "--arch FILE is missing: the architecture");
}

TEST_CASE("truncated JSON is one message with its place") {
  const std::string whole = kSmallNet;
  const std::string message = net_refusal(whole.substr(0, whole.size() / 2));
  CHECK(contains(message, "bad.json"));
  CHECK(contains(message, "line"));
  CHECK(contains(net_refusal(""), "bad.json"));
  CHECK(contains(net_refusal("[]"), "bad.json"));
}

TEST_CASE("a hundred megabytes of garbage are refused in one line") {
  const Workspace folder;
  constexpr std::size_t kSize = 100 * 1000 * 1000;
  std::string garbage(kSize, '\0');
  std::uint64_t state = 1;
  for (char& c : garbage) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    c = static_cast<char>(state >> 56U);
  }
  write_file(folder / "garbage", garbage);
  for (const Strings& arguments : {Strings{"--arch", edge(), "--net", "garbage", "--out", "r.json"},
                                   Strings{"--arch", "garbage", "--net", "net.json", "--out", "r.json"}}) {
    const std::string message = refusal(folder, arguments);
    CHECK(contains(message, "garbage"));
    CHECK(message.size() < 500);
  }
}

TEST_CASE("wrong keys and values of an architecture are named with their path") {
  const std::string unknown = arch_refusal("/cores/0/array/row", 8);
  CHECK(contains(unknown, "arch.json: cores[0].array"));
  CHECK(contains(unknown, "row"));
  CHECK(contains(unknown, "rows"));
  CHECK(contains(arch_refusal("/cores/0/array/rows", "many"), "cores[0].array.rows"));
  CHECK(contains(arch_refusal("/cores/0/scratchpad/size_kib", -1), "cores[0].scratchpad.size_kib"));
  CHECK(contains(arch_refusal("/cores/0/count", 0), "cores[0].count"));
  CHECK(contains(arch_refusal("/cores", Json::array()), "cores"));
  CHECK(contains(arch_refusal("/dram/preset", "ddr9"), "ddr9"));
}

TEST_CASE("wrong networks are named with the layer") {
  const std::string cycle = net_refusal(
      with_layers(R"({"name": "a", "op": "Add", "inputs": ["x", "b"]}, {"name": "b", "op": "Relu", "inputs": ["a"]})"));
  CHECK(contains(cycle, "cycle"));
  CHECK(contains(net_refusal(with_layers(R"({"name": "a", "op": "Relu", "inputs": ["nothing"]})")), "nothing"));
  CHECK(contains(net_refusal(with_layers(R"({"name": "a", "op": "Rely", "inputs": ["x"]})")), "Rely"));
  const std::string mismatch = net_refusal(with_layers(
      R"({"name": "p", "op": "MaxPool", "inputs": ["x"], "kernel_shape": [3, 3]}, {"name": "s", "op": "Add", "inputs": ["x", "p"]})"));
  CHECK(contains(mismatch, "s"));
  CHECK(contains(net_refusal(with_layers("")), "layers"));
}

TEST_CASE("an architecture too small for any tile is infeasible, and the message names the buffer") {
  Json tiny = {{"size_kib", 1}, {"banks", 1}, {"port_bytes", 32}};
  const Workspace folder;
  Json arch = accsim::model::read_json_file(edge());
  arch["cores"][0]["scratchpad"] = tiny;
  write_file(folder / "arch.json", arch.dump());
  const Json wide = {{"schema", "accsim-net/1"},
                     {"name", "wide"},
                     {"inputs", {{{"name", "x"}, {"shape", {1, 8, 64, 64}}}}},
                     {"layers", {{{"name", "big"}, {"op", "Softmax"}, {"inputs", {"rows"}}, {"axis", -1}}}}};
  Json net = wide;
  net["layers"] = {{{"name", "rows"}, {"op", "Reshape"}, {"inputs", {"x"}}, {"shape", {1, 32768}}},
                   {{"name", "big"}, {"op", "Softmax"}, {"inputs", {"rows"}}, {"axis", -1}}};
  write_file(folder / "wide.json", net.dump());
  const std::string message =
      refusal(folder, {"--arch", "arch.json", "--net", "wide.json", "--out", "r.json"}, kInfeasible);
  CHECK(contains(message, "big"));
  CHECK(contains(message, "scratchpad"));
}

TEST_CASE("results that could not be written are refused before the work") {
  const Workspace folder;
  const Strings inputs{"--arch", edge(), "--net", "net.json"};
  const auto refused = [&](const std::string& option, const std::string& value) {
    Strings arguments = inputs;
    arguments.push_back(option);
    arguments.push_back(value);
    return refusal(folder, arguments);
  };
  CHECK(refused("--out", "no/such/folder/r.json") ==
        "no/such/folder/r.json: cannot be written: no folder no/such/folder");
  CHECK(refused("--out", folder.path().string()) == folder.path().string() + ": cannot be written: it is a folder");
  for (const std::string option : {"--schedule-out", "--program-out", "--dram-trace", "--trace", "--csv"}) {
    CHECK(contains(refused(option, "no/file"), "no/file: cannot be written"));
  }
}

TEST_CASE("what this version does not do is refused in one line") {
  const Workspace folder;
  const auto refused = [&](Strings more) {
    Strings arguments{"--arch", edge(), "--net", "net.json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return refusal(folder, arguments);
  };
  CHECK(refused({"--report", "r.html"}) == "--report: this version cannot write HTML reports");
  CHECK(contains(refused({"--strategy", "layerwize"}), "layerwise"));
  CHECK(contains(refused({"--objective", "area"}), "edp, latency or energy"));
  CHECK(contains(refused({"--calibrate", "many"}), "--calibrate"));
  CHECK(contains(refused({"--calibration-out", "c.json"}), "--calibrate"));
}

TEST_CASE("a wrong schedule is the user's mistake, named with file and path") {
  const Workspace folder;
  REQUIRE(folder.run_net("r.json", {"--schedule-out", "s.json", "--quiet", "--store", "off"}).code == 0);
  const Json schedule = folder.read("s.json");
  const auto refused = [&](const Json& changed) {
    write_file(folder / "changed.json", changed.dump());
    return refusal(folder,
                   {"simulate", "--arch", edge(), "--net", "net.json", "--schedule", "changed.json", "--store", "off"});
  };
  Json missing = schedule;
  missing["groups"].erase(missing["groups"].size() - 1);
  CHECK(contains(refused(missing), "changed.json"));
  Json core = schedule;
  core["groups"][0]["cores"] = {7};
  CHECK(contains(refused(core), "groups[0]"));
  Json swapped = schedule;
  std::swap(swapped["groups"][0]["layers"], swapped["groups"][1]["layers"]);
  CHECK(contains(refused(swapped), "changed.json"));
  Json unknown = schedule;
  unknown["groups"][0]["colour"] = "red";
  CHECK(contains(refused(unknown), "colour"));
  CHECK(refusal(folder, {"simulate", "--arch", edge(), "--net", "net.json"}) ==
        "--schedule FILE or --program FILE is missing: what to simulate");
}
