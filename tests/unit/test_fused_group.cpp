// Fused groups: what is made when, against counts by hand; what cannot be fused.
#include "model/schedule/fused_group.h"

#include <map>

#include "sched/lower/lower.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"
#include "tests/unit/test_network_helpers.h"

namespace {

using namespace accsim;
using namespace accsim::model;
using tests::network_of;
using tests::small_architecture;

// 8 channels of 14 x 14, 3 x 3 twice: 12 x 12, then 10 x 10.
const char* const kPair = R"("inputs": [{"name": "x", "shape": [1, 8, 14, 14]}], "layers": [
  {"name": "a", "op": "Conv", "inputs": ["x"], "out_channels": 16, "kernel_shape": [3, 3]},
  {"name": "b", "op": "Conv", "inputs": ["a"], "out_channels": 8, "kernel_shape": [3, 3]}])";

Group group_of(const std::vector<std::string>& layers) {
  Group group;
  group.id = GroupId(0);
  group.layers = layers;
  group.cores = {0};
  for (const std::string& layer : layers) group.mappings.push_back({layer, {}, {}, {}});
  return group;
}

Schedule schedule_of(const Group& group, const Network& network) {
  Schedule schedule;
  schedule.arch = "small";
  schedule.net = network.name;
  schedule.groups = {group};
  return schedule;
}

std::map<std::string, BufferNeed> needs_of(const Group& group, const Network& network, const Architecture& arch) {
  std::map<std::string, BufferNeed> needs;
  for (const BufferNeed& need : buffer_needs(FusedGroup(group, network, arch, 0), network, arch.core(CoreId(0))))
    needs.emplace(need.role, need);
  return needs;
}

struct Counted {
  std::int64_t macs = 0;
  std::map<std::int64_t, std::int64_t> loaded;  // bytes, by DRAM address of the tensor
  std::int64_t stored = 0;
};
Counted count(const Group& group, const Network& network, const Architecture& arch) {
  const Schedule schedule = schedule_of(group, network);
  REQUIRE_FALSE(verify_schedule(schedule, network, arch).has_value());
  Counted counted;
  const auto source = sched::lower(schedule, network, arch, 1);
  const Program program = collect(*source);
  const auto tensor_at = [&](std::int64_t address) {
    for (const Region& region : program.header.dram)
      if (region.place.address <= address && address < region.place.address + region.size.value())
        return region.place.address;
    FAIL("a copy from nowhere");
    return std::int64_t{0};
  };
  for (const CoreProgram& core : program.groups.front().cores)
    for (const Queue queue : {Queue::load, Queue::array, Queue::store})
      for (const Instruction& instruction : core.queue(queue)) {
        if (const auto* pass = std::get_if<ArrayPass>(&instruction.op)) counted.macs += pass->macs().value();
        const auto* copy = std::get_if<Copy>(&instruction.op);
        if (copy == nullptr) continue;
        if (queue == Queue::load) counted.loaded[tensor_at(copy->src.place.address)] += copy->bytes().value();
        if (queue == Queue::store) counted.stored += copy->bytes().value();
      }
  return counted;
}

constexpr std::int64_t kMacsA = 16 * 12 * 12 * 8 * 9;
constexpr std::int64_t kMacsB = 8 * 10 * 10 * 16 * 9;

}  // namespace

TEST_CASE("output centric: rows of the halo are computed again") {
  const Network network = network_of(kPair);
  const Architecture arch = small_architecture(1, 256, 64);
  Group group = group_of({"a", "b"});
  CHECK(count(group, network, arch).macs == kMacsA + kMacsB);  // whole: once
  group.mappings[1].tile["P"] = 2;
  const Counted counted = count(group, network, arch);
  // Five tiles of 2 rows need 4 rows of a each: 20 rows instead of 12.
  CHECK(counted.macs == kMacsA / 12 * 20 + kMacsB);
  CHECK(counted.stored == 8 * 10 * 10);
  CHECK(needs_of(group, network, arch).at("result.a").bytes == Bytes(16 * 4 * 12));
}

TEST_CASE("input centric: the tensor between never exists, its slice is made once, sums stay") {
  const Network network = network_of(kPair);
  const Architecture arch = small_architecture(1, 256, 64);
  Group group = group_of({"a", "b"});
  group.mappings[1].tile["C"] = 4;
  group.edges = {{"a", "recompute", "input_centric"}};
  const Counted counted = count(group, network, arch);
  CHECK(counted.macs == kMacsA + kMacsB);
  CHECK(counted.stored == 8 * 10 * 10);
  const auto needs = needs_of(group, network, arch);
  CHECK(needs.at("result.a").bytes == Bytes(4 * 12 * 12));  // a slice of 4 channels
  CHECK(needs.at("accumulator.b").bytes == Bytes(8 * 10 * 10 * 4));
  std::int64_t loaded = 0;  // x, weights and biases of both, once each
  for (const auto& [tensor, bytes] : counted.loaded) loaded += bytes;
  CHECK(loaded == 8 * 14 * 14 + 16 * 8 * 9 + 16 * 4 + 8 * 16 * 9 + 8 * 4);
}

TEST_CASE("tiles that multiply with the depth of a group are refused, not waited for") {
  std::string layers = R"("inputs": [{"name": "x", "shape": [1, 8, 20, 20]}], "layers": [)";
  std::vector<std::string> names;
  for (int i = 0; i < 6; ++i) {
    names.push_back("c" + std::to_string(i));
    layers += std::string(i == 0 ? "" : ", ") + R"({"name": ")" + names.back() +
              R"(", "op": "Conv", "out_channels": 8, "kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "inputs": [")" +
              (i == 0 ? "x" : names[names.size() - 2]) + "\"]}";
  }
  const Network network = network_of((layers + "]").c_str());
  Group group = group_of(names);
  for (OperatorMapping& mapping : group.mappings) mapping.tile = {{"P", 1}, {"Q", 1}};
  const auto violation = verify_schedule(schedule_of(group, network), network, small_architecture(1, 256, 64));
  REQUIRE(violation);
  CHECK(violation->where == "groups[0].mappings");
  CHECK(violation->message.find("works on more than 1000000 tiles") != std::string::npos);
}

TEST_CASE("a residual is made once for all its readers") {
  const Network network = network_of(R"("inputs": [{"name": "x", "shape": [1, 8, 12, 12]}], "layers": [
  {"name": "a", "op": "Conv", "inputs": ["x"], "out_channels": 8, "kernel_shape": [1, 1]},
  {"name": "b", "op": "Conv", "inputs": ["a"], "out_channels": 8, "kernel_shape": [3, 3], "pads": [1, 1, 1, 1]},
  {"name": "c", "op": "Add", "inputs": ["b", "a"]}])");
  const Architecture arch = small_architecture(1, 256, 64);
  Group group = group_of({"a", "b", "c"});
  group.mappings[2].tile["P"] = 4;
  // Three tiles of 4 rows: b needs 5, 6 and 5 rows of a, the sum 4 of them.
  CHECK(count(group, network, arch).macs == 8 * 8 * 12 * 16 + 8 * 12 * 12 * 8 * 9);
}

TEST_CASE("windows that do not meet leave something unread, and that is refused") {
  const Network network = network_of(R"("inputs": [{"name": "x", "shape": [1, 4, 1, 18]}], "layers": [
  {"name": "a", "op": "Softmax", "inputs": ["x"], "axis": -1},
  {"name": "b", "op": "AveragePool", "inputs": ["a"], "kernel_shape": [1, 3], "strides": [1, 4]}])");
  const auto violation =
      verify_schedule(schedule_of(group_of({"a", "b"}), network), network, small_architecture(1, 256, 64));
  REQUIRE(violation);
  CHECK(violation->message.find("not all that layer \"a\"") != std::string::npos);
}

TEST_CASE("cores make for themselves what their share needs") {
  const Network network = network_of(kPair);
  const Architecture arch = small_architecture(2, 256, 64);
  Group group = group_of({"a", "b"});
  group.cores = {0, 1};
  group.split = "rows";
  group.mappings[1].tile["P"] = 5;
  CHECK(count(group, network, arch).macs == kMacsA / 12 * 14 + kMacsB);  // 7 rows of a for 5 of b, twice
}

TEST_CASE("one core loads weights for all where all fetch them alike") {
  const Network network = network_of(kPair);
  const Architecture arch = small_architecture(2, 256, 64);
  Group group = group_of({"a", "b"});
  group.cores = {0, 1};
  group.split = "rows";
  group.mappings[1].tile["P"] = 5;
  const auto loaded = [&] {
    std::int64_t sum = 0;
    for (const auto& [tensor, bytes] : count(group, network, arch).loaded) sum += bytes;
    return sum;
  };
  const auto refusal = [&] {
    const auto violation = verify_schedule(schedule_of(group, network), network, arch);
    return violation ? violation->where + ": " + violation->message : "";
  };
  const std::int64_t apart = loaded();
  group.mappings[0].multicast = {"weight"};
  CHECK(apart - loaded() == 16 * 8 * 9 + 16 * 4);
  group.mappings[1].multicast = {"weight"};
  CHECK(apart - loaded() == 16 * 8 * 9 + 16 * 4 + 8 * 16 * 9 + 8 * 4);

  group.mappings[0].multicast = {"weight", "input"};
  CHECK(refusal() ==
        "groups[0].mappings[0].multicast[0]: core 1 does not fetch the same tiles of input0.a in the same "
        "order as core 0");
  group.mappings[0].multicast = {};
  group.mappings[1].multicast = {"input"};
  CHECK(refusal() ==
        "groups[0].mappings[1].multicast[0]: layer \"b\" has no operand of this role from outside of the "
        "group");
  group.mappings[1].multicast = {"weight"};
  group.split = "channels";
  group.mappings[1].tile = {{"N", 4}};
  CHECK(refusal().find("groups[0].mappings[1].multicast[0]: core 1 does not fetch the same tiles of weight.b") == 0);
  group.mappings[0].multicast = {"weight", "input"};  // both make all of the first layer's result
  group.mappings[1].multicast = {};
  CHECK(refusal().empty());
}

TEST_CASE("what cannot be fused is refused with its reason") {
  const auto refusal = [](const std::string& text, const std::vector<std::string>& layers) {
    const auto violation = find_not_fusable(group_of(layers), network_of(text));
    return violation ? violation->where + ": " + violation->message : "";
  };
  const std::string input = R"("inputs": [{"name": "x", "shape": [2, 8, 6, 6]}], "layers": [)";
  const std::string conv = R"({"name": "a", "op": "Conv", "inputs": ["x"], "out_channels": 8, "kernel_shape": [1, 1]})";
  CHECK(refusal(input + conv + R"(, {"name": "b", "op": "Concat", "inputs": ["a", "x"], "axis": 1}])", {"a", "b"}) ==
        "groups[0].layers: layer \"b\" (Concat) cannot be fused with others: it only copies");
  CHECK(
      refusal(input + conv + R"(, {"name": "r", "op": "Reshape", "inputs": ["a"], "shape": [2, 288]},
                                   {"name": "b", "op": "Gemm", "inputs": ["r"], "out_features": 5}])",
              {"a", "b"}) ==
      "groups[0].layers: layer \"b\" (Gemm) cannot be fused with the layer before it: it sees tensor \"r\" with other "
      "axes");
  const std::string fork =
      R"(, {"name": "b", "op": "Relu", "inputs": ["a"]}, {"name": "c", "op": "Tanh", "inputs": ["a"]}])";
  CHECK(refusal(input + conv + fork, {"a", "b"}) ==
        "groups[0].layers: tensor \"a\" is needed outside of the group; only the result of its last layer may be");
  CHECK(
      refusal(input + R"({"name": "a", "op": "Relu", "inputs": ["x"]}, {"name": "b", "op": "Tanh", "inputs": ["x"]}])",
              {"a", "b"}) ==
      "groups[0].layers: tensor \"a\" is needed outside of the group; only the result of its last layer may be");
}
