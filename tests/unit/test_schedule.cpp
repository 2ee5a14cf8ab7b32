// Schedules as JSON: round trip, strict reading; tile sizes, fetches and buffers in closed form.
#include "model/base/error.h"
#include "model/schedule/tiling.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"
#include "tests/unit/test_network_helpers.h"

namespace {

using namespace accsim::model;
using accsim::tests::one_layer;

Schedule rich_schedule() {
  Schedule schedule;
  schedule.arch = "a";
  schedule.net = "n";
  schedule.batch = 4;
  schedule.strategy = "by hand";
  schedule.objective = "latency";
  Group group;
  group.id = GroupId(0);
  group.layers = {"conv1", "conv2"};
  group.cores = {0, 2};
  group.split = "rows";
  group.mappings = {{"conv1", {{"N", 8}, {"P", 2}}, {"N", "P", "C"}, {{"weight", 1}}}, {"conv2", {}, {}, {}}};
  group.edges = {{"conv1", "exchange", "input_centric"}};
  group.homes = {{"conv2", Home::global_buffer}};
  group.prefetch = false;
  schedule.groups = {group};
  return schedule;
}

std::string message_of(const std::string& text) {
  try {
    parse_schedule(parse_json(text, "s.json"), "s.json");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}
std::string with_group(const std::string& group) {
  return R"({"schema": "accsim-schedule/1", "arch": "a", "net": "n", "groups": [)" + group + "]}";
}

}  // namespace

TEST_CASE("a schedule survives the way through JSON") {
  const Json json = to_json(rich_schedule());
  const Schedule back = parse_schedule(parse_json(pretty(json), "s.json"), "s.json");
  CHECK(to_json(back) == json);
  CHECK(back.batch == 4);
  CHECK(back.groups[0].mappings[0].tile.at("N") == 8);
  CHECK(back.groups[0].mappings[0].buffers.at("weight") == 1);
  CHECK(back.groups[0].homes.at("conv2") == Home::global_buffer);
  CHECK(back.groups[0].edges[0].halo == "exchange");
  CHECK_FALSE(back.groups[0].prefetch);
}

TEST_CASE("what a schedule may leave out has defaults") {
  const Schedule schedule = parse_schedule(
      parse_json(with_group(R"({"id": 0, "layers": ["l"], "cores": [0], "mappings": [{"layer": "l"}], "_note": 1})"),
                 "s"),
      "s");
  CHECK(schedule.batch == 1);
  CHECK(schedule.objective == "edp");
  CHECK(schedule.groups[0].split == "none");
  CHECK(schedule.groups[0].prefetch);
  CHECK(schedule.groups[0].mappings[0].tile.empty());
}

TEST_CASE("a schedule is read strictly") {
  CHECK(message_of(R"({"schema": "accsim-schedule/1", "arch": "a", "net": "n"})") ==
        "s.json: missing key \"groups\" (list of groups in the order of execution)");
  CHECK(message_of(with_group(R"({"layers": ["l"], "cores": [0]})")) ==
        "s.json: groups[0]: missing key \"id\" (integer: number of the group, from 0)");
  CHECK(message_of(with_group(R"({"id": 0, "layers": ["l"], "cores": [0], "mapings": []})"))
            .find("did you mean \"mappings\"") != std::string::npos);
  const auto mapping = [](const std::string& text) {
    return with_group(R"({"id": 0, "layers": ["l"], "cores": [0], "mappings": [{"layer": "l", )" + text + "}]}");
  };
  CHECK(message_of(mapping(R"("tile": {"N": 0})")).starts_with("s.json: groups[0].mappings[0].tile.N: "));
  CHECK(message_of(mapping(R"("tile": {"N": "8"})")).starts_with("s.json: groups[0].mappings[0].tile.N: "));
  CHECK(message_of(mapping(R"("tile": [8])")).starts_with("s.json: groups[0].mappings[0].tile: expected an object"));
  CHECK(message_of(mapping(R"("buffers": {"weights": 2})")).find("did you mean \"weight\"") != std::string::npos);
  CHECK(
      message_of(mapping(R"("buffers": {"weight": 3})")).starts_with("s.json: groups[0].mappings[0].buffers.weight: "));
  CHECK(message_of(mapping(R"("multicast": ["output"])")).starts_with("s.json: groups[0].mappings[0].multicast[0]: "));
  CHECK(message_of(mapping(R"("multicast": true)"))
            .starts_with("s.json: groups[0].mappings[0].multicast: expected a list"));
  CHECK(message_of(with_group(R"({"id": 0, "layers": ["l"], "cores": [0], "homes": {"l": "sram"}})"))
            .starts_with("s.json: groups[0].homes.l: "));
  CHECK(message_of(with_group(R"({"id": 0, "layers": [], "cores": [0]})")).starts_with("s.json: groups[0].layers: "));
  CHECK(message_of(with_group(R"({"id": 0, "layers": ["l"], "cores": [0], "split": "row"})"))
            .starts_with("s.json: groups[0].split: "));
  CHECK(message_of(with_group("3")).starts_with("s.json: groups[0]: expected an object"));
}

TEST_CASE("what one core loads for all survives the way through JSON") {
  const Network network = one_layer("[16, 32]", R"("op": "Gemm", "out_features": 12)");
  const Architecture arch = accsim::tests::small_architecture(4);
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    accsim::tests::Random random(seed);
    const Schedule schedule = accsim::tests::random_schedule(network, arch, random, 60, 100);
    const Json json = to_json(schedule);
    const Schedule back = parse_schedule(parse_json(json.dump(), "s"), "s");
    CHECK(to_json(back) == json);
    CHECK(back.groups[0].mappings[0].multicast == schedule.groups[0].mappings[0].multicast);
    found += schedule.groups[0].mappings[0].multicast.empty() ? 0 : 1;
  }
  CHECK(found > 10);
}

TEST_CASE("random schedules survive the way through JSON") {
  const Network network = one_layer("[1, 8, 12, 12]", R"("op": "Conv", "out_channels": 6, "kernel_shape": [3, 3])");
  const Architecture arch = accsim::tests::small_architecture();
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    accsim::tests::Random random(seed);
    const Json json = to_json(accsim::tests::random_schedule(network, arch, random));
    CHECK(to_json(parse_schedule(parse_json(json.dump(), "s"), "s")) == json);
  }
}

TEST_CASE("fetches follow the innermost loop that moves an operand") {
  // Dims G M N K; trips M 4, N 3, K 2.
  const Network network = one_layer("[16, 32]", R"("op": "Gemm", "out_features": 12)");
  const LoopNest nest = loop_nest_of(network, OpId(0));
  OperatorMapping mapping{"l", {{"M", 4}, {"N", 4}, {"K", 16}}, {"M", "N", "K"}, {}};
  CHECK(tile_sizes(nest, mapping) == std::vector<std::int64_t>{1, 4, 4, 16});
  CHECK(output_tiles(nest, tile_sizes(nest, mapping)) == 12);
  CHECK(largest_loads(nest, mapping, nest.operands[0]) == 24);  // input: K is innermost
  CHECK(largest_loads(nest, mapping, nest.operands[1]) == 24);  // weight
  CHECK(largest_loads(nest, mapping, nest.operands[2]) == 12);  // bias: once an output tile
  mapping.tile["K"] = 32;
  CHECK(largest_loads(nest, mapping, nest.operands[0]) == 4);  // kept while N moves
  CHECK(largest_loads(nest, mapping, nest.operands[1]) == 12);
  mapping.order = {"N", "M", "K"};
  CHECK(largest_loads(nest, mapping, nest.operands[0]) == 12);
  CHECK(largest_loads(nest, mapping, nest.operands[1]) == 3);
}

TEST_CASE("buffers: one ring an operand, no more buffers than tiles, rounded up to the port") {
  const Network network = one_layer("[16, 33]", R"("op": "Gemm", "out_features": 12)");
  const LoopNest nest = loop_nest_of(network, OpId(0));
  CoreConfig core;
  core.scratchpad.port_bytes = 32;
  core.accumulator.port_bytes = 128;
  const OperatorMapping mapping{"l", {{"M", 4}}, {"M"}, {{"output", 1}}};
  const std::vector<BufferNeed> needs = buffer_needs(nest, mapping, core);
  REQUIRE(needs.size() == 5);
  const auto check = [&](std::size_t i, const char* role, int buffers, std::int64_t bytes, bool accumulator) {
    INFO(role);
    CHECK(needs[i].role == role);
    CHECK(needs[i].buffers == buffers);
    CHECK(needs[i].bytes == Bytes(bytes));
    CHECK(needs[i].accumulator == accumulator);
  };
  check(0, "input0", 2, 160, false);  // 4 x 33
  check(1, "weight", 1, 416, false);  // 33 x 12, fetched once
  check(2, "bias", 1, 64, false);     // 12 x int32
  check(3, "accumulator", 1, 256, true);
  check(4, "output", 1, 64, false);
}
