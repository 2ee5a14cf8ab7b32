// Operators that random networks do not have: each on several machines with random schedules, executed on data and
// compared with the reference executor, every program verified.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/support/case_check.h"
#include "tests/support/random_case.h"

namespace accsim::tests {
namespace {

using model::Json;

struct Net {
  std::string name;
  std::string text;  // "inputs", "weights", "layers" of the network file
};

std::vector<Net> nets() {
  const std::string plane = R"("inputs": [{"name": "x", "shape": [2, 6, 5, 7]}], )";
  const auto one = [&](const std::string& op, const std::string& more = "") {
    return Net{op, plane + R"("layers": [{"name": "y", "op": ")" + op + R"(", "inputs": ["x"])" + more + "}]"};
  };
  const auto binary = [&](const std::string& op, const std::string& shape) {
    return Net{op + shape, plane + R"("weights": [{"name": "w", "shape": )" + shape +
                               R"(}], "layers": [{"name": "y", "op": ")" + op + R"(", "inputs": ["x", "w"]}])"};
  };
  std::vector<Net> all;
  for (const char* op : {"Neg", "Sqrt", "Exp", "Erf", "HardSwish", "Silu", "LeakyRelu", "HardSigmoid"}) {
    all.push_back(one(op));
    all.push_back(
        {std::string("fused ") + op,
         plane + R"("layers": [{"name": "c", "op": "Conv", "inputs": ["x"], "out_channels": 8, "kernel_shape": [3, 3]},
                                         {"name": "y", "op": ")" +
             op + R"(", "inputs": ["c"]}])"});
  }
  all.push_back(one("QuantizeLinear", R"(, "scale": 0.5, "zero_point": 3)"));
  all.push_back(one("DequantizeLinear", R"(, "scale": 0.5)"));
  for (const char* op : {"Sub", "Div", "Pow", "PRelu"}) {
    all.push_back(binary(op, "[6, 1, 1]"));
    all.push_back(binary(op, "[2, 6, 5, 7]"));
    all.push_back(binary(op, "[7]"));
  }
  all.push_back({"Where", plane + R"("weights": [{"name": "c", "shape": [5, 7]}, {"name": "b", "shape": []}],
                            "layers": [{"name": "y", "op": "Where", "inputs": ["c", "x", "b"]}])"});
  all.push_back({"Where with two inputs",
                 R"("inputs": [{"name": "x", "shape": [3, 8]}, {"name": "z", "shape": [3, 1]}],
                    "weights": [{"name": "c", "shape": [1, 8]}],
                    "layers": [{"name": "y", "op": "Where", "inputs": ["c", "z", "x"]}])"});
  all.push_back(one("RMSNormalization"));
  all.push_back(one("RMSNormalization", R"(, "axis": 2)"));
  for (const char* axes : {"[3]", "[2]", "[1]", "[0]", "[2, 3]", "[1, 2]", "[0, 1, 2, 3]"}) {
    all.push_back(one("ReduceMean", std::string(R"(, "axes": )") + axes));
    all.push_back(one("ReduceMean", std::string(R"(, "keepdims": 0, "axes": )") + axes));
  }
  all.push_back(one("Slice", R"(, "axes": [1], "starts": [2], "ends": [5])"));
  all.push_back(one("Slice", R"(, "axes": [2, 3], "starts": [1, 2], "ends": [100, 6])"));
  all.push_back(one("Slice", R"(, "axes": [3], "starts": [1], "ends": [7], "steps": [2])"));
  all.push_back(one("Slice", R"(, "axes": [1, 2], "starts": [0, 1], "ends": [6, 5], "steps": [3, 2])"));
  all.push_back(one("Slice", R"(, "axes": [0, -1], "starts": [-1, -3], "ends": [2, 7])"));
  all.push_back(one("Pad", R"(, "pads": [0, 0, 1, 2, 0, 0, 3, 0])"));
  all.push_back(one("Pad", R"(, "pads": [1, 0, 0, 0, 0, 2, 0, 1])"));
  all.push_back(one("Resize", R"(, "scales": [1, 1, 2, 3])"));
  all.push_back(one("Resize", R"(, "scales": [1, 1, 2, 2], "mode": "half_pixel")"));
  all.push_back(one("Resize", R"(, "scales": [1, 1, 1, 4], "mode": "align_corners")"));
  all.push_back({"Expand", R"("inputs": [{"name": "x", "shape": [3, 1, 5]}],
                              "layers": [{"name": "y", "op": "Expand", "inputs": ["x"], "shape": [2, 3, 4, 5]}])"});
  all.push_back({"Expand rows", R"("inputs": [{"name": "x", "shape": [4, 1]}],
                                   "layers": [{"name": "y", "op": "Expand", "inputs": ["x"], "shape": [4, 9]}])"});
  for (const char* mode : {"DCR", "CRD"}) {
    all.push_back(
        {std::string("DepthToSpace ") + mode, std::string(R"("inputs": [{"name": "x", "shape": [2, 12, 3, 5]}],
                      "layers": [{"name": "y", "op": "DepthToSpace", "inputs": ["x"], "blocksize": 2, "mode": ")") +
                                                  mode + "\"}]"});
  }
  all.push_back(
      {"resized and joined",
       plane + R"("layers": [{"name": "c", "op": "Conv", "inputs": ["x"], "out_channels": 4, "kernel_shape": [1, 1]},
                    {"name": "r", "op": "Resize", "inputs": ["c"], "scales": [1, 1, 2, 2]},
                    {"name": "s", "op": "Slice", "inputs": ["r"], "axes": [2], "starts": [1], "ends": [9]},
                    {"name": "p", "op": "Pad", "inputs": ["s"], "pads": [0, 0, 1, 0, 0, 0, 1, 0]},
                    {"name": "y", "op": "Sub", "inputs": ["p", "r"]}])"});
  return all;
}

}  // namespace

TEST_CASE("every further operator computes on data what the reference does, on any machine and schedule") {
  constexpr std::uint64_t kMachines = 4;
  std::int64_t equal = 0;
  std::uint64_t seed = 0;
  for (const Net& net : nets()) {
    std::int64_t here = 0;
    for (std::uint64_t machine = 0; machine < kMachines; ++machine) {
      const std::string precision = machine == 0 ? "int8" : machine == 1 ? "int16" : machine == 2 ? "fp16" : "int4";
      RandomCase random = random_case(++seed);
      random.net = model::parse_json(
          R"({"schema": "accsim-net/1", "name": "n", "precision": ")" + precision + "\", " + net.text + "}", net.name);
      for (const char* strategy : {kRandomStrategy, "layerwise"}) {
        const CaseResult result = check_case(random, strategy);
        INFO(net.name << " " << precision << " machine " << machine << " " << strategy << ": " << result.message);
        CHECK(result.kind != CaseResult::Kind::failed);
        here += result.kind == CaseResult::Kind::equal ? 1 : 0;
      }
    }
    INFO(net.name);
    CHECK(here > 0);
    equal += here;
  }
  CHECK(equal > 200);
}

}  // namespace accsim::tests
