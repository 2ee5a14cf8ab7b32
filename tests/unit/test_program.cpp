// Programs: figures of instructions, names, group sources, and JSON that reads back to the same program.
#include "model/base/error.h"
#include "model/program/program.h"
#include "tests/catch.h"
#include "tests/support/small_programs.h"

namespace {

using namespace accsim;
using namespace accsim::tests;

// One of every optional part.
model::Program full_program() {
  model::Program program = prefetch_program();
  model::CoreProgram& core = program.groups[0].cores[0];
  auto& gathering = std::get<model::Copy>(core.queue(model::Queue::load)[1].op);
  gathering.gather = model::Copy::Gather{scratchpad(0, 128), 7, 1000, 0xffffffffffffffffU};
  gathering.src.stride = {64, 32, 16};
  gathering.dst.stride = {48, 24, 8};
  gathering.extent = {2, 3, 4, 5};
  auto& pass = std::get<model::ArrayPass>(core.queue(model::Queue::array)[0].op);
  pass.loops.push_back({3, model::DimKind::group});
  pass.input.axes[0].offset = -1;
  pass.input.axes[0].step = 2;
  pass.input.axes[1].count = 0;
  auto& op = std::get<model::VectorOp>(core.queue(model::Queue::vector)[0].op);
  op.kind = model::VectorKind::average_pool;
  op.loops.push_back({9, model::DimKind::row});
  op.divisor = 9;
  op.activations = {{model::OpType::clip, {0.1, 6.0}, "relu6"}, {model::OpType::gelu, {}, "gelu"}};
  core.queue(model::Queue::vector)[0].layer = model::OpId(3);
  core.queue(model::Queue::vector)[0].tile = 12;
  core.queue(model::Queue::store)[0].signals.push_back({model::CoreId(1), 2, 3});
  return program;
}

}  // namespace

TEST_CASE("program JSON reads back to the same program") {
  for (const model::Program& program :
       {full_program(), pipeline_program(), exchange_program(), global_buffer_program(), multicast_program()}) {
    const model::Json json = model::to_json(program);
    const model::Program back = model::parse_program(json, "p.json");
    CHECK(model::to_json(back) == json);
    const model::Program again = model::parse_program(model::parse_json(model::pretty(json), "p.json"), "p.json");
    CHECK(model::to_json(again) == json);
    CHECK(back.header.groups == static_cast<std::int64_t>(program.groups.size()));
  }
  const model::Program back = model::parse_program(model::to_json(full_program()), "p.json");
  const model::CoreProgram& core = back.groups[0].cores[0];
  const auto& copy = std::get<model::Copy>(core.queue(model::Queue::load)[1].op);
  REQUIRE(copy.gather);
  CHECK(copy.gather->seed == 0xffffffffffffffffU);
  CHECK(copy.gather->indices == scratchpad(0, 128));
  CHECK(copy.src.stride == std::array<std::int64_t, 3>{64, 32, 16});
  CHECK(copy.bytes() == model::Bytes(120));
  CHECK(copy.multicast.empty());
  const model::Program several = model::parse_program(model::to_json(multicast_program()), "p.json");
  CHECK(std::get<model::Copy>(several.groups[0].cores[0].queue(model::Queue::load)[0].op).multicast ==
        std::vector{model::CoreId(1)});
  const auto& op = std::get<model::VectorOp>(core.queue(model::Queue::vector)[0].op);
  CHECK(op.activations[0].clip.min == 0.1);
  CHECK(op.activations[1].type == model::OpType::gelu);
  CHECK(op.divisor == 9);
  CHECK(core.queue(model::Queue::vector)[0].layer == model::OpId(3));
  CHECK_FALSE(core.queue(model::Queue::vector)[1].layer.valid());
  CHECK(back.groups[1].cores[0].queue(model::Queue::load)[0].prefetch);
  CHECK(back.groups[1].prefetch.size() == 1);
  CHECK(copy.src.place.space == model::Space::dram);
  CHECK_FALSE(copy.src.place.core.valid());
}

TEST_CASE("figures of instructions are products over loops") {
  model::ArrayPass pass;
  pass.loops = {{2, model::DimKind::group}, {3, model::DimKind::m},  {5, model::DimKind::m},
                {7, model::DimKind::n},     {11, model::DimKind::k}, {13, model::DimKind::k}};
  CHECK(pass.extent_of(model::DimKind::group) == 2);
  CHECK(pass.extent_of(model::DimKind::m) == 15);
  CHECK(pass.extent_of(model::DimKind::n) == 7);
  CHECK(pass.extent_of(model::DimKind::k) == 143);
  CHECK(pass.extent_of(model::DimKind::row) == 1);
  CHECK(pass.macs() == model::Macs(2 * 15 * 7 * 143));
  model::VectorOp op;
  op.loops = {{4, model::DimKind::m}, {9, model::DimKind::row}, {6, model::DimKind::m}};
  CHECK(op.result_elements() == 24);
  CHECK(op.row_elements() == 9);
  const model::TileRef tile{scratchpad(0, 0), model::DataType::int16, {axis(4, 10, {}), axis(10, 1, {})}};
  CHECK(tile.elements() == 40);
  CHECK(tile.bytes() == model::Bytes(80));
}

TEST_CASE("a stored program gives its groups in order and collects to itself") {
  model::StoredProgram source(prefetch_program());
  CHECK(source.header().net == "net");
  const model::Program collected = model::collect(source);
  CHECK(model::to_json(collected) == model::to_json(prefetch_program()));
  CHECK_FALSE(source.next());
}

TEST_CASE("queues, spaces and vector operations have names") {
  std::string names;
  for (const model::Queue queue : model::kQueues) names += std::string(model::name_of(queue)) + " ";
  CHECK(names == "load array vector store ");
  CHECK(model::name_of(model::Space::global_buffer) == "global_buffer");
  CHECK(model::name_of(model::Space::accumulator) == "accumulator");
  CHECK(model::name_of(model::VectorKind::layer_normalization) == "layer_normalization");
  CHECK(model::name_of(model::VectorKind::activate) == "activate");
}
