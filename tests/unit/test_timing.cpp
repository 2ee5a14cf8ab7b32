// Closed forms of how long instructions take: bursts against a count over bytes, vector operations and port lines by
// hand. Array cycles stand in tests/timing and tests/reference.
#include <set>

#include "model/program/timing.h"
#include "tests/catch.h"
#include "tests/support/small_programs.h"

namespace {

using namespace accsim;
using namespace accsim::tests;

// Bursts that the rows touch, a burst counted again only where another lies between.
std::int64_t bursts_by_bytes(const model::Copy::Side& side, const model::Copy& copy, std::int64_t burst) {
  std::int64_t count = 0;
  std::int64_t last = -1;
  for (std::int64_t i0 = 0; i0 < copy.extent[0]; ++i0) {
    const std::int64_t row =
        copy.gather ? model::gather_row(copy.gather->seed, copy.gather->first + i0, copy.gather->rows) : i0;
    for (std::int64_t i1 = 0; i1 < copy.extent[1]; ++i1) {
      for (std::int64_t i2 = 0; i2 < copy.extent[2]; ++i2) {
        for (std::int64_t b = 0; b < copy.extent[3]; ++b) {
          const std::int64_t at =
              (side.place.address + row * side.stride[0] + i1 * side.stride[1] + i2 * side.stride[2] + b) / burst;
          count += at != last ? 1 : 0;
          last = at;
        }
      }
    }
  }
  return count;
}

model::VectorConfig lanes(std::int64_t count) {
  model::VectorConfig vector;
  vector.lanes = count;
  vector.exp_cycles = 4;
  return vector;
}

}  // namespace

TEST_CASE("burst_count equals a count over bytes") {
  std::uint64_t state = 7;
  const auto draw = [&](std::int64_t low, std::int64_t high) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return low + static_cast<std::int64_t>((state >> 33U) % static_cast<std::uint64_t>(high - low + 1));
  };
  for (int i = 0; i < 20000; ++i) {
    model::Copy copy;
    copy.extent = {draw(1, 4), draw(1, 4), draw(1, 4), draw(1, 100)};
    copy.src.place = dram(draw(0, 200));
    std::int64_t dense = copy.extent[3];
    for (std::size_t d = 3; d-- > 0;) {
      copy.src.stride[d] = dense + (draw(0, 2) == 0 ? 0 : draw(0, 150));  // a third of the dimensions has no gap
      dense = copy.src.stride[d] * copy.extent[d];
    }
    if (draw(0, 4) == 0) copy.gather = model::Copy::Gather{scratchpad(0, 0), draw(0, 10), draw(1, 20), 5};
    const std::int64_t burst = std::int64_t{1} << draw(4, 7);
    CAPTURE(i, burst, copy.extent, copy.src.stride, copy.src.place.address);
    REQUIRE(model::burst_count(copy.src, copy, burst) == bursts_by_bytes(copy.src, copy, burst));
  }
}

TEST_CASE("burst_count of simple copies") {
  model::Copy copy;
  copy.extent = {1, 1, 1, 64};
  copy.src.place = dram(0);
  CHECK(model::burst_count(copy.src, copy, 64) == 1);
  copy.src.place.address = 1;
  CHECK(model::burst_count(copy.src, copy, 64) == 2);
  copy.src.place.address = 0;
  copy.extent = {1, 1, 4, 16};
  copy.src.stride[2] = 16;  // dense
  CHECK(model::burst_count(copy.src, copy, 64) == 1);
  copy.src.stride[2] = 32;  // two rows a burst
  CHECK(model::burst_count(copy.src, copy, 64) == 2);
  copy.src.stride[2] = 64;
  CHECK(model::burst_count(copy.src, copy, 64) == 4);
}

TEST_CASE("vector operations take their start-up and their passes over the lanes") {
  const std::int64_t start = model::kVectorStartup;
  const auto cycles = [](model::VectorKind kind, std::int64_t results, std::int64_t row, int activations = 0) {
    return model::vector_cycles({kind, results, row, activations}, lanes(32)).value();
  };
  CHECK(cycles(model::VectorKind::requantize, 64, 1) == start + 2);
  CHECK(cycles(model::VectorKind::requantize, 65, 1) == start + 3);
  CHECK(cycles(model::VectorKind::requantize, 64, 1, 1) == start + 2 * 5);  // one Sigmoid: 4 cycles more a result
  CHECK(cycles(model::VectorKind::add, 1, 1) == start + 1);
  CHECK(cycles(model::VectorKind::mul, 96, 1) == start + 3);
  CHECK(cycles(model::VectorKind::move, 97, 1) == start + 4);
  CHECK(cycles(model::VectorKind::add, 33, 1, 2) == start + 2 * 9);  // two Sigmoids
  CHECK(cycles(model::VectorKind::max_pool, 32, 9) == start + 9);
  CHECK(cycles(model::VectorKind::average_pool, 32, 9) == start + 9 + 4);
  CHECK(cycles(model::VectorKind::activate, 32, 1, 1) == start + 4);
  CHECK(cycles(model::VectorKind::activate, 32, 1) == start + 1);  // Relu
  // Softmax of 32 rows of 64: 2048 elements at 4 + 4 cycles, 32 divisions of 4 cycles side by side.
  CHECK(cycles(model::VectorKind::softmax, 2048, 64) == start + 64 * 8 + 4);
  CHECK(cycles(model::VectorKind::layer_normalization, 2048, 64) == start + 64 * 7 + 8);
  CHECK(model::vector_lane_operations({model::VectorKind::max_pool, 10, 9, 0}, lanes(32)) == 90);
}

TEST_CASE("the work of a vector instruction follows from its loops") {
  model::VectorOp op;
  op.kind = model::VectorKind::softmax;
  op.loops = {{6, model::DimKind::m}, {10, model::DimKind::row}};
  op.activations = {{model::OpType::relu, {}, "r"}, {model::OpType::tanh, {}, "t"}, {model::OpType::clip, {}, "c"}};
  const model::VectorWork softmax = model::work_of(op);
  CHECK(softmax.results == 60);
  CHECK(softmax.row == 10);
  CHECK(softmax.transcendental_activations == 1);
  op.kind = model::VectorKind::max_pool;
  CHECK(model::work_of(op).results == 6);
}

TEST_CASE("array passes read and write whole lines of their memories' ports") {
  model::CoreConfig core;
  core.array.rows = 8;
  core.array.cols = 8;
  core.scratchpad.port_bytes = 32;
  core.accumulator.port_bytes = 128;
  const model::ProductShape shape{1, 20, 24, 16};  // K: 3 folds, N: 2 folds, M: 3 folds where it lies on the array
  const auto lines = [&](model::Dataflow dataflow) {
    core.array.dataflow = dataflow;
    const model::ArrayTiming timing = model::array_timing(shape, core);
    return std::array<std::int64_t, 3>{timing.input_lines, timing.weight_lines, timing.output_lines};
  };
  // int8 operands: M*K = 480 bytes = 15 lines, N*K = 384 bytes = 12 lines; int32 results: M*N = 1280 bytes = 10 lines.
  CHECK(lines(model::Dataflow::weight_stationary) == std::array<std::int64_t, 3>{15 * 2, 12, 10 * 3});
  CHECK(lines(model::Dataflow::output_stationary) == std::array<std::int64_t, 3>{15 * 2, 12 * 3, 10});
  CHECK(lines(model::Dataflow::input_stationary) == std::array<std::int64_t, 3>{15, 12 * 3, 10 * 3});
  CHECK(lines(model::Dataflow::vector_mac) == std::array<std::int64_t, 3>{15 * 2, 12, 10 * 3});
}

TEST_CASE("the next pass may start when the operands of this one have streamed") {
  model::ArrayConfig array;
  array.rows = 8;
  array.cols = 4;
  const model::ProductShape shape{1, 20, 16, 8};  // 2 x 2 folds
  array.dataflow = model::Dataflow::weight_stationary;
  model::ArrayTiming timing = model::array_timing(shape, array);
  CHECK(timing.folds == 4);
  CHECK(timing.streamed == 20);
  CHECK(timing.latency == model::Cycles(3 * 20 + 2 * 8 + 4 + 20 - 2));
  CHECK(timing.interval == model::Cycles(4 * 20));
  array.double_buffered = false;
  timing = model::array_timing(shape, array);
  CHECK(timing.latency == model::Cycles(4 * (2 * 8 + 4 + 20 - 2)));
  CHECK(timing.interval == timing.latency);
}
