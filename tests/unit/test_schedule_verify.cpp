// The schedule verifier accepts valid schedules and rejects every mutant, at the right place.
#include "model/base/error.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"
#include "tests/unit/test_network_helpers.h"

namespace {

using namespace accsim::model;
using accsim::tests::network_of;
using accsim::tests::Random;
using accsim::tests::random_schedule;
using accsim::tests::small_architecture;

const char* const kChain = R"("inputs": [{"name": "x", "shape": [1, 8, 12, 12]}], "layers": [
  {"name": "a", "op": "Conv", "inputs": ["x"], "out_channels": 8, "kernel_shape": [3, 3], "group": 2},
  {"name": "r", "op": "Reshape", "inputs": ["a"], "shape": [8, 100]},
  {"name": "b", "op": "Gemm", "inputs": ["r"], "out_features": 20},
  {"name": "c", "op": "Concat", "inputs": ["b", "r"], "axis": 1}])";

const char* const kFused = R"("inputs": [{"name": "x", "shape": [1, 8, 12, 12]}], "layers": [
  {"name": "a", "op": "Conv", "inputs": ["x"], "out_channels": 8, "kernel_shape": [3, 3]},
  {"name": "b", "op": "Conv", "inputs": ["a"], "out_channels": 6, "kernel_shape": [2, 1], "dilations": [2, 1],
   "strides": [1, 1]},
  {"name": "c", "op": "Conv", "inputs": ["b"], "out_channels": 4, "kernel_shape": [3, 3]}])";

struct Case {
  Network network = network_of(kChain);
  Architecture arch = small_architecture(2);
  Schedule schedule;

  Case() {
    Random random(1);
    for (const char* layer : {"a", "b", "c"}) {
      Group group;
      group.id = GroupId(static_cast<std::int32_t>(schedule.groups.size()));
      group.layers = {layer};
      group.cores = {0};
      OperatorMapping mapping;
      mapping.layer = layer;
      group.mappings = {mapping};
      schedule.groups.push_back(group);
    }
  }
  OperatorMapping& mapping(std::size_t g) { return schedule.groups[g].mappings[0]; }
  [[nodiscard]] std::string where() const {
    const auto violation = verify_schedule(schedule, network, arch);
    if (!violation) return "";
    CHECK_FALSE(violation->message.empty());
    return violation->where;
  }
  void renumber() {
    for (std::size_t g = 0; g < schedule.groups.size(); ++g)
      schedule.groups[g].id = GroupId(static_cast<std::int32_t>(g));
  }
};

}  // namespace

TEST_CASE("the verifier accepts valid schedules, with and without groups for aliases") {
  Case c;
  CHECK(c.where() == "");
  Group alias;
  alias.layers = {"r"};
  c.schedule.groups.insert(c.schedule.groups.begin() + 1, alias);
  c.renumber();
  CHECK(c.where() == "");
}

TEST_CASE("the verifier checks layers and dependencies") {
  Case c;
  SECTION("numbers") {
    c.schedule.groups[1].id = GroupId(5);
    CHECK(c.where() == "groups[1].id");
  }
  SECTION("unknown layer") {
    c.schedule.groups[1].layers = {"bb"};
    CHECK(c.where() == "groups[1].layers[0]");
  }
  SECTION("twice") {
    c.schedule.groups[2].layers = {"a"};
    CHECK(c.where() == "groups[2].layers[0]");
  }
  SECTION("missing") {
    c.schedule.groups.pop_back();
    const auto violation = verify_schedule(c.schedule, c.network, c.arch);
    REQUIRE(violation);
    CHECK(violation->message == "layer \"c\" is in no group");
  }
  SECTION("before its producer, seen through an alias") {
    std::swap(c.schedule.groups[0], c.schedule.groups[1]);
    c.renumber();
    const auto violation = verify_schedule(c.schedule, c.network, c.arch);
    REQUIRE(violation);
    CHECK(violation->where == "groups[0].layers[0]");
    CHECK(violation->message == "layer \"b\" reads \"r\" before layer \"a\" has computed it");
  }
  SECTION("no layers") {
    c.schedule.groups[0].layers.clear();
    CHECK(c.where() == "groups[0].layers");
  }
}

TEST_CASE("the verifier checks cores and splits") {
  Case c;
  SECTION("no such core") {
    c.schedule.groups[0].cores = {2};
    CHECK(c.where() == "groups[0].cores[0]");
  }
  SECTION("twice") {
    c.schedule.groups[0].cores = {1, 1};
    CHECK(c.where() == "groups[0].cores[1]");
  }
  SECTION("none") {
    c.schedule.groups[0].cores = {};
    CHECK(c.where() == "groups[0].cores");
  }
  SECTION("several without a split") {
    c.schedule.groups[0].cores = {0, 1};
    CHECK(c.where() == "groups[0].split");
    c.schedule.groups[0].split = "rows";
    c.mapping(0).tile["P"] = 3;
    CHECK(c.where() == "");
  }
  SECTION("unknown split") {
    c.schedule.groups[0].split = "diagonal";
    CHECK(c.where() == "groups[0].split");
  }
}

TEST_CASE("the verifier checks mappings") {
  Case c;
  SECTION("missing") {
    c.schedule.groups[0].mappings.clear();
    CHECK(c.where() == "groups[0].mappings");
  }
  SECTION("of another group's layer") {
    c.mapping(0).layer = "b";
    CHECK(c.where() == "groups[0].mappings[0].layer");
  }
  SECTION("twice") {
    c.schedule.groups[0].mappings.push_back(c.mapping(0));
    CHECK(c.where() == "groups[0].mappings[1].layer");
  }
  SECTION("unknown dimension") {
    c.mapping(0).tile["K"] = 1;
    CHECK(c.where() == "groups[0].mappings[0].tile.K");
  }
  SECTION("tile too large, too small") {
    c.mapping(1).tile["N"] = 21;
    CHECK(c.where() == "groups[1].mappings[0].tile.N");
    c.mapping(1).tile["N"] = 0;
    CHECK(c.where() == "groups[1].mappings[0].tile.N");
    c.mapping(1).tile["N"] = 7;
    CHECK(c.where() == "");
  }
  SECTION("a window cut in pieces") {
    c.mapping(0).tile["R"] = 2;
    CHECK(c.where() == "groups[0].mappings[0].tile.R");
  }
  SECTION("order") {
    c.mapping(0).order = {"N", "Z"};
    CHECK(c.where() == "groups[0].mappings[0].order[1]");
    c.mapping(0).order = {"N", "N"};
    CHECK(c.where() == "groups[0].mappings[0].order[1]");
  }
  SECTION("a reduction that is not innermost") {
    c.mapping(1).tile = {{"K", 10}, {"N", 5}};
    c.mapping(1).order = {"K", "N"};
    CHECK(c.where() == "groups[1].mappings[0].order");
    c.mapping(1).order = {"K"};  // N is inside
    CHECK(c.where() == "groups[1].mappings[0].order");
    c.mapping(1).order = {"N"};
    CHECK(c.where() == "");
    c.mapping(1).order = {"K", "N"};
    c.mapping(1).tile.erase("N");  // one tile: no loop
    CHECK(c.where() == "");
  }
  SECTION("buffers") {
    c.mapping(0).buffers["input"] = 3;
    CHECK(c.where() == "groups[0].mappings[0].buffers.input");
    c.mapping(0).buffers = {{"bias", 1}};
    CHECK(c.where() == "groups[0].mappings[0].buffers.bias");
  }
  SECTION("a tile that is no box of the output") {
    c.mapping(0).tile["N"] = 2;  // of 4, while both groups are in the tile
    CHECK(c.where() == "groups[0].mappings[0].tile.N");
    c.mapping(0).tile["G"] = 1;
    CHECK(c.where() == "");
  }
  SECTION("a tile of a Concat is as large as its largest part") {
    c.mapping(2).tile["D1"] = 100;
    CHECK(c.where() == "");
    c.mapping(2).tile["D1"] = 101;
    CHECK(c.where() == "groups[2].mappings[0].tile.D1");
  }
}

TEST_CASE("the verifier checks inner edges and homes") {
  Case c;
  SECTION("an edge that leaves the group") {
    c.schedule.groups[0].edges = {{"a", "recompute", "output_centric"}};
    CHECK(c.where() == "groups[0].edges[0].tensor");
  }
  SECTION("a group that cannot be fused") {
    c.schedule.groups[1].layers = {"b", "c"};
    c.schedule.groups[1].mappings.push_back(c.mapping(2));
    c.schedule.groups.pop_back();
    CHECK(c.where() == "groups[1].layers");  // a Concat only copies
  }
  SECTION("an edge inside") {
    c.network = network_of(kFused);
    c.schedule.groups.resize(2);
    c.schedule.groups[1].layers = {"b", "c"};
    c.schedule.groups[1].mappings.push_back(c.mapping(1));
    c.schedule.groups[1].mappings[1].layer = "c";
    c.schedule.groups[1].edges = {{"b", "retain", "output_centric"}};
    CHECK(c.where() == "");
    c.schedule.groups[1].mappings[1].tile["C"] = 3;
    CHECK(c.where() == "groups[1].edges[0].direction");  // the reader takes its reduction in slices
    c.schedule.groups[1].edges[0].direction = "input_centric";
    CHECK(c.where() == "");
    c.schedule.groups[1].edges[0].halo = "forget";
    CHECK(c.where() == "groups[1].edges[0].halo");
    c.schedule.groups[1].edges = {};
    c.schedule.groups[1].homes["b"] = Home::dram;
    CHECK(c.where() == "groups[1].homes.b");  // does not leave the group
  }
  SECTION("readers that leave something unread") {
    c.network = network_of(kFused);
    c.schedule.groups.resize(2);
    c.schedule.groups[0].layers = {"a", "b"};
    c.schedule.groups[0].mappings.push_back(c.mapping(1));
    c.schedule.groups[1].layers = {"c"};
    c.schedule.groups[1].mappings[0].layer = "c";
    CHECK(c.where() == "");
    c.mapping(0).tile["P"] = 2;
    c.schedule.groups[0].mappings[1].tile["P"] = 1;  // rows 2 p: every other row of a
    CHECK(c.where() == "groups[0].mappings");
  }
  SECTION("homes") {
    c.schedule.groups[0].homes["a"] = Home::dram;
    CHECK(c.where() == "");
    c.schedule.groups[0].homes["a"] = Home::global_buffer;
    CHECK(c.where() == "groups[0].homes.a");  // there is none
    c.arch.global_buffer = MemoryConfig{1, 4, 64};
    CHECK(c.where() == "");
    c.schedule.groups[0].homes = {{"x", Home::dram}};
    CHECK(c.where() == "groups[0].homes.x");
    c.schedule.groups[0].homes = {};
    c.schedule.groups[2].homes["c"] = Home::scratchpad;
    CHECK(c.where() == "groups[2].homes.c");  // a network output
  }
}

TEST_CASE("the verifier checks capacities over the life of tensors") {
  Case c;
  SECTION("tile buffers") {
    c.arch.core_types[0].scratchpad.size_kib = 1;
    CHECK(c.where() == "groups[0]");
    c.mapping(0).tile = {{"P", 1}, {"Q", 5}, {"G", 1}, {"C", 2}, {"N", 2}};
    CHECK(c.where() == "groups[1]");  // that one is still whole
  }
  SECTION("accumulator") {
    c.arch.core_types[0].accumulator.size_kib = 1;
    const auto violation = verify_schedule(c.schedule, c.network, c.arch);
    REQUIRE(violation);
    CHECK(violation->message == "accumulator of core 0: needs 3200 bytes (accumulator 1 x 3200), it has 1024");
  }
  SECTION("resident tensors add up until their last use") {
    c.arch.global_buffer = MemoryConfig{1, 4, 64};  // 1024 bytes; a has 800, b 160 behind it
    c.schedule.groups[0].homes["a"] = Home::global_buffer;
    c.schedule.groups[1].homes["b"] = Home::global_buffer;
    CHECK(c.where() == "");
    std::string wider = kChain;
    wider.replace(wider.find("\"out_features\": 20"), 18, "\"out_features\": 40");
    c.network = network_of(wider);  // b has 320
    CHECK(c.where() == "groups[1]");
    c.schedule.groups[0].homes.clear();
    CHECK(c.where() == "");
  }
  SECTION("a tensor that stays in the scratchpad takes its place beside the tiles") {
    c.arch.core_types[0].scratchpad.size_kib = 2;
    c.mapping(0).tile = {{"G", 1}, {"P", 2}};
    c.mapping(1).tile = {{"K", 25}, {"N", 4}};
    CHECK(c.where() == "");  // the Concat takes 2 x 800
    // Until the Concat has read them, on each of the two cores: 400 of a, and 80 of b behind them at 448.
    c.schedule.groups[0].homes["a"] = Home::scratchpad;
    CHECK(c.where() == "");
    c.schedule.groups[1].homes["b"] = Home::scratchpad;
    const auto violation = verify_schedule(c.schedule, c.network, c.arch);
    REQUIRE(violation);
    CHECK(violation->where == "groups[2]");
    CHECK(violation->message ==
          "scratchpad of core 0: needs 2128 bytes (input0 2 x 800, tensors that live there 528), it has 2048");
    c.mapping(2).tile = {{"D1", 50}};
    CHECK(c.where() == "");
  }
}

TEST_CASE("the verifier checks what one core is to load for all") {
  Case c;
  Group& group = c.schedule.groups[1];  // a Gemm of 8 x 100 x 20
  OperatorMapping& mapping = group.mappings[0];
  const auto verdict = [&] {
    const auto violation = verify_schedule(c.schedule, c.network, c.arch);
    return violation ? violation->where + ": " + violation->message : std::string();
  };
  mapping.multicast = {"weight"};
  CHECK(verdict() == "groups[1].mappings[0].multicast[0]: the group has one core");
  group.cores = {1, 0};
  group.split = "rows";
  mapping.tile = {{"M", 2}, {"N", 5}};
  CHECK(verdict().empty());
  mapping.multicast = {"weight", "weight"};
  CHECK(verdict() == "groups[1].mappings[0].multicast[1]: is named twice");
  mapping.multicast = {"output"};
  CHECK(verdict() == "groups[1].mappings[0].multicast[0]: unknown role, allowed: input, weight");
  mapping.multicast = {"weight", "input"};
  CHECK(verdict() ==
        "groups[1].mappings[0].multicast[1]: the cores fetch different parts of the input0, which dimension M moves");
  group.split = "channels";
  mapping.multicast = {"input"};
  CHECK(verdict().empty());
  SECTION("different numbers of tiles") {
    group.split = "rows";
    mapping.multicast = {"weight"};
    mapping.tile = {{"M", 3}, {"N", 5}};  // one tile and two
    mapping.order = {"N", "M"};
    CHECK(verdict().empty());  // all rows of a tile of the weights before the next one
    mapping.order = {"M", "N"};
    CHECK(verdict() ==
          "groups[1].mappings[0].multicast[0]: the cores have different numbers of tiles, and inside that "
          "loop others move the weight");
    mapping.tile = {{"M", 3}};  // the weights are one tile
    CHECK(verdict().empty());
  }
  SECTION("network and cores") {
    c.arch.noc.topology = Topology::ring;
    CHECK(verdict() == "groups[1].mappings[0].multicast[0]: a ring has no multicast");
    c.arch.noc.topology = Topology::mesh;
    c.arch.noc.flit_bytes = 8;
    c.arch.noc.vc_buffer_flits = 4;
    CHECK(verdict() ==
          "groups[1].mappings[0].multicast[0]: a burst has 8 flits, on a mesh a multicast must fit into "
          "noc.vc_buffer_flits, 4");
    c.arch.noc.topology = Topology::bus;
    CHECK(verdict().empty());
    c.arch.core_types.push_back(c.arch.core_types[0]);
    c.arch.core_types[0].count = 1;
    c.arch.core_types[1].count = 1;
    CHECK(verdict() == "groups[1].mappings[0].multicast[0]: the group's cores are of several types");
  }
  SECTION("other operators") {
    Group& concat = c.schedule.groups[2];
    concat.cores = {0, 1};
    concat.split = "rows";
    concat.mappings[0].tile = {{"D0", 2}};
    concat.mappings[0].multicast = {"input"};
    CHECK(verdict() == "groups[2].mappings[0].multicast[0]: layer \"c\" is no product that is split over cores");
  }
  SECTION("all cores have the largest buffers that one needs") {
    // Core 1 has one tile of 3 rows, core 0 two: input0 and output have two buffers on both.
    group.split = "rows";
    mapping.multicast = {"weight"};
    mapping.tile = {{"M", 3}};
    c.arch.core_types[0].accumulator = MemoryConfig{1, 2, 8};
    c.schedule.groups[0].mappings[0].tile = {{"P", 1}, {"Q", 5}, {"G", 1}, {"C", 2}, {"N", 2}};
    CHECK(verdict().empty());
    c.arch.core_types[0].scratchpad.size_kib = 2;
    c.schedule.groups[2].mappings[0].tile = {{"D1", 20}};
    CHECK(verdict() ==
          "groups[1]: scratchpad of core 1: needs 2816 bytes (bias 1 x 80, input0 2 x 304, output 2 x 64, "
          "weight 1 x 2000), it has 2048");
  }
}

TEST_CASE("several cores each have work") {
  Case c;
  c.schedule.groups[1].cores = {0, 1};
  c.schedule.groups[1].split = "channels";
  CHECK(c.where() == "groups[1].cores[0]");  // one tile: everything to the last
  c.mapping(1).tile["N"] = 7;
  CHECK(c.where() == "");
  c.schedule.groups[1].split = "heads";
  CHECK(c.where() == "groups[1].split");
}
