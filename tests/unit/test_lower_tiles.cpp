// Boxes as copies and as instructions see them; buffers in the memories; rings and their semaphores.
#include "model/base/error.h"
#include "sched/lower/chip_memory.h"
#include "sched/lower/group_builder.h"
#include "sched/lower/lower.h"
#include "sched/lower/tile_access.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"
#include "tests/unit/test_network_helpers.h"

namespace {

using namespace accsim;
using namespace accsim::model;
using accsim::sched::box_copies;
using accsim::sched::strided_copies;
using accsim::sched::TileIndex;

const Place kTensor{Space::dram, CoreId(), 4096};
const Place kTile{Space::scratchpad, CoreId(0), 64};

using Extents = std::array<std::int64_t, kCopyDims>;

LoopNest conv_nest() {  // x [1, 8, 10, 12], 3x3, padding 1
  static const Network network = tests::one_layer(
      "[1, 8, 10, 12]", R"("op": "Conv", "out_channels": 4, "kernel_shape": [3, 3], "pads": [1, 1, 1, 1])");
  return loop_nest_of(network, OpId(0));
}
// Dims: G B N P Q C R S.
TileIndex conv_tile(std::int64_t p, std::int64_t rows, std::int64_t c, std::int64_t channels) {
  return {{0, 0, 0, p, 0, c, 0, 0}, {1, 1, 4, rows, 12, channels, 3, 3}};
}

}  // namespace

TEST_CASE("a copy merges axes without gaps on both sides") {
  const LoopNest nest = conv_nest();
  const Operand& x = nest.operands[0];

  SECTION("the whole tensor is one run") {
    const auto copies = box_copies(x, sched::tile_box(nest, x, conv_tile(0, 10, 0, 8)), kTensor, kTile, true);
    REQUIRE(copies.size() == 1);
    CHECK(copies[0].extent == Extents{1, 1, 1, 8 * 10 * 12});
    CHECK(copies[0].src.place == kTensor);
    CHECK(copies[0].dst.place == kTile);
  }
  SECTION("some channels are one run") {
    const auto copies = box_copies(x, sched::tile_box(nest, x, conv_tile(0, 10, 2, 3)), kTensor, kTile, true);
    REQUIRE(copies.size() == 1);
    CHECK(copies[0].extent == Extents{1, 1, 1, 3 * 10 * 12});
    CHECK(copies[0].src.place.address == 4096 + 2 * 120);
  }
  SECTION("some rows are a run a channel, halo included and padding left out") {
    const auto copies = box_copies(x, sched::tile_box(nest, x, conv_tile(0, 4, 0, 8)), kTensor, kTile, true);
    REQUIRE(copies.size() == 1);
    CHECK(copies[0].extent == Extents{1, 1, 8, 5 * 12});  // rows 0 … 4 for outputs 0 … 3
    CHECK(copies[0].src.stride[2] == 120);
    CHECK(copies[0].dst.stride[2] == 60);
  }
  SECTION("to memory the sides change places") {
    const auto copies = box_copies(x, sched::tile_box(nest, x, conv_tile(4, 2, 0, 8)), kTensor, kTile, false);
    REQUIRE(copies.size() == 1);
    CHECK(copies[0].dst.place.address == 4096 + 3 * 12);
    CHECK(copies[0].src.place == kTile);
    CHECK(copies[0].src.stride[2] == 4 * 12);
  }
}

TEST_CASE("a copy of single elements in four axes is several copies") {
  const std::vector<sched::CopyAxis> axes{{2, 1000, 60}, {3, 100, 20}, {4, 20, 5}, {5, 2, 1}};
  const auto copies = strided_copies(axes, DataType::int8, kTensor, 0, kTile, true);
  REQUIRE(copies.size() == 2);
  CHECK(copies[0].extent == Extents{3, 4, 5, 1});
  CHECK(copies[1].src.place.address == kTensor.address + 1000);
  CHECK(copies[1].dst.place.address == kTile.address + 60);
}

TEST_CASE("padding is a coordinate outside of the loaded box") {
  const LoopNest nest = conv_nest();
  const TileIndex tile = conv_tile(0, 4, 0, 8);
  const std::vector<int> dims = sched::instruction_dims(nest, tile, true);
  CHECK(dims == std::vector<int>{2, 3, 4, 5, 6, 7});  // N P Q C R S
  const Box box = sched::tile_box(nest, nest.operands[0], tile);
  const TileRef ref = sched::tile_ref(nest.operands[0], box, tile, dims, kTile, DataType::int8);
  REQUIRE(ref.axes.size() == 4);
  CHECK(ref.axes[2].offset == -1);
  CHECK(ref.axes[2].count == 5);
  CHECK(ref.axes[2].coefficient == std::vector<std::int64_t>{0, 1, 0, 0, 1, 0});
  CHECK(ref.axes[1].stride == 5 * 12);
  CHECK(ref.elements() == 8 * 5 * 12);

  const TileIndex last = conv_tile(8, 2, 0, 8);
  const TileRef end = sched::tile_ref(nest.operands[0], sched::tile_box(nest, nest.operands[0], last), last, dims,
                                      kTile, DataType::int8);
  CHECK(end.axes[2].offset == 0);  // the box starts at row 7, the first row that is needed
  CHECK(end.axes[2].count == 3);   // rows 7, 8, 9; row 10 is padding
}

TEST_CASE("buffers are packed from either end, weights first, in banks of their own where they fit") {
  CoreConfig core;
  core.scratchpad = {64, 4, 16};
  core.accumulator = {16, 2, 32};
  const std::vector<BufferNeed> needs{{"input0", false, 2, Bytes(1024)},
                                      {"weight", false, 1, Bytes(512)},
                                      {"bias", false, 1, Bytes(64)},
                                      {"accumulator", true, 2, Bytes(4096)}};
  using Addresses = std::vector<std::int64_t>;
  const auto low = sched::place_buffers(needs, core, 0, false, "here");
  CHECK(low[0].addresses == Addresses{16384, 32768});
  CHECK(low[1].addresses == Addresses{0});
  CHECK(low[2].addresses == Addresses{512});
  CHECK(low[3].addresses == Addresses{0, 8192});
  const auto high = sched::place_buffers(needs, core, 0, true, "here");
  CHECK(high[1].addresses == Addresses{49152});
  CHECK(high[2].addresses == Addresses{49088});
  CHECK(high[0].addresses == Addresses{32768, 16384});

  const std::vector<BufferNeed> tight{{"input0", false, 2, Bytes(20000)}, {"weight", false, 2, Bytes(12000)}};
  const auto packed = sched::place_buffers(tight, core, 0, false, "here");
  CHECK(packed[1].addresses == Addresses{0, 12000});
  CHECK(packed[0].addresses == Addresses{24000, 44000});
  CHECK_THROWS_WITH(sched::place_buffers({{"input0", false, 2, Bytes(40000)}}, core, 0, false, "here"),
                    "here: its buffers need 80000 bytes of scratchpad, core type \"npu\" has 65536");
}

TEST_CASE("a ring signals a free buffer only where a later fill waits for it") {
  sched::GroupBuilder builder(CoreId(0));
  const auto ring = builder.add_ring("input0", Space::scratchpad, {0, 100});
  for (int i = 0; i < 3; ++i) {
    CHECK(builder.begin_fill(ring).address == (i == 1 ? 100 : 0));
    builder.writes(ring, builder.add(Queue::load, Copy{}));
    builder.reads(ring, builder.add(Queue::vector, VectorOp{}));
    builder.reads(ring, builder.add(Queue::vector, VectorOp{}));
  }
  const CoreProgram program = builder.finish();
  CHECK(program.semaphores == 2);
  const auto& loads = program.queue(Queue::load);
  const auto& work = program.queue(Queue::vector);
  REQUIRE(loads.size() == 3);
  REQUIRE(work.size() == 6);
  CHECK(loads[0].waits.empty());
  CHECK(loads[1].waits.empty());
  REQUIRE(loads[2].waits.size() == 1);
  CHECK(loads[2].waits[0].semaphore == 1);
  CHECK(work[0].waits.size() == 1);
  CHECK(work[1].waits.empty());
  CHECK(work[1].signals.size() == 1);
  CHECK(work[3].signals.empty());
  CHECK(work[5].signals.empty());
}

TEST_CASE("what this version cannot lower is refused with its place") {
  const Network network = tests::one_layer("[4, 6]", R"("op": "Gemm", "out_features": 5)");
  const Architecture arch = tests::small_architecture(2);
  tests::Random random(1);
  Schedule schedule = tests::random_schedule(network, arch, random);
  const std::string tail =
      "; this version lowers groups on one core or split by rows, columns, channels, batch or heads, halos recomputed";
  const auto refusal = [&] {
    const auto violation = sched::find_not_lowered(schedule);
    return violation ? violation->where + ": " + violation->message : "";
  };
  SECTION("a split of the reduction") {
    schedule.groups[0].cores = {0, 1};
    schedule.groups[0].split = "reduction";
    CHECK(refusal() == "groups[0].split: found \"reduction\"" + tail);
  }
  SECTION("a DRAM that is too small") {
    Architecture tiny = arch;
    tiny.dram.derived.channel_bytes = 8192;
    CHECK_THROWS_WITH(sched::lower(schedule, network, tiny, 1),
                      "network t: its tensors need 16384 bytes of DRAM, the architecture small has 8192");
  }
}
