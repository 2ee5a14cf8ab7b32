// Hand-written programs on a small two-core machine, for tests of the verifier and the simulator: valid as they are,
// and small enough to be changed one edit at a time.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "model/arch/arch.h"
#include "model/program/program.h"

namespace accsim::tests {

// Cores with 4 KiB of scratchpad and 1 KiB of accumulator; 4 KiB of global buffer; 1 MiB of DRAM.
inline model::Architecture tiny_architecture(std::int64_t cores = 2) {
  model::Architecture arch;
  arch.name = "tiny";
  model::CoreConfig core;
  core.count = cores;
  core.array.rows = 4;
  core.array.cols = 4;
  core.scratchpad = {4, 2, 16};
  core.accumulator = {1, 2, 16};
  arch.core_types = {core};
  arch.global_buffer = model::MemoryConfig{4, 2, 16};
  arch.dram.derived.burst_bytes = 64;
  arch.dram.derived.channel_bytes = std::int64_t{1} << 20;
  return arch;
}

inline model::Place dram(std::int64_t address) { return {model::Space::dram, {}, address}; }
inline model::Place global_buffer(std::int64_t address) { return {model::Space::global_buffer, {}, address}; }
inline model::Place scratchpad(int core, std::int64_t address) {
  return {model::Space::scratchpad, model::CoreId(core), address};
}
inline model::Place accumulator(int core, std::int64_t address) {
  return {model::Space::accumulator, model::CoreId(core), address};
}
inline model::Region region(std::string name, model::Place place, std::int64_t bytes) {
  return {std::move(name), place, model::Bytes(bytes)};
}

inline model::Instruction copy_bytes(model::Place from, model::Place to, std::int64_t bytes,
                                     std::vector<model::Wait> waits = {}, std::vector<model::Signal> signals = {}) {
  model::Copy copy;
  copy.src.place = from;
  copy.dst.place = to;
  copy.extent = {1, 1, 1, bytes};
  model::Instruction instruction;
  instruction.op = copy;
  instruction.waits = std::move(waits);
  instruction.signals = std::move(signals);
  return instruction;
}

inline model::TileAxis axis(std::int64_t count, std::int64_t stride, std::vector<std::int64_t> coefficient) {
  return {count, 1, stride, 0, std::move(coefficient)};
}

// 4 x 4 results from 4 x 4 operands with rows of `row` bytes; int8, sums int32.
inline model::Instruction pass_4x4(model::Place input, model::Place weight, model::Place output, std::int64_t row,
                                   bool accumulate) {
  model::ArrayPass pass;
  pass.loops = {{4, model::DimKind::m}, {4, model::DimKind::n}, {4, model::DimKind::k}};
  pass.input = {input, model::DataType::int8, {axis(4, row, {1, 0, 0}), axis(4, 1, {0, 0, 1})}};
  pass.weight = {weight, model::DataType::int8, {axis(4, row, {0, 1, 0}), axis(4, 1, {0, 0, 1})}};
  pass.output = {output, model::DataType::int32, {axis(4, 4, {1, 0, 0}), axis(4, 1, {0, 1, 0})}};
  pass.accumulate = accumulate;
  model::Instruction instruction;
  instruction.op = pass;
  return instruction;
}

// A vector operation over `count` elements that lie one after the other.
inline model::Instruction vector_op(model::VectorKind kind,
                                    const std::vector<std::pair<model::Place, model::DataType>>& sources,
                                    model::Place output, std::int64_t count) {
  model::VectorOp op;
  op.kind = kind;
  op.loops = {{count, model::DimKind::m}};
  for (const auto& [place, type] : sources) op.sources.push_back({place, type, {axis(count, 1, {1})}});
  op.output = {output, model::DataType::int8, {axis(count, 1, {1})}};
  model::Instruction instruction;
  instruction.op = op;
  return instruction;
}

// Semaphores of pipeline_group.
enum PipelineSemaphore : std::int32_t {
  kInputFull,
  kInputFree,
  kWeightFull,
  kSumFull,
  kSumFree,
  kOutputFull,
  kOutputFree,
  kPipelineSemaphores
};

struct PipelinePlan {
  int core = 0;
  int group = 0;
  std::int64_t tiles = 4;
  std::int64_t input = 0;  // DRAM addresses
  std::int64_t weight = 0;
  std::int64_t output = 0;
  std::int64_t base = 0;  // first byte of the buffers in the scratchpad
  bool prefetch_weight = false;
};

// A matrix product of `tiles` tiles on one core, everything double-buffered: input tile 4 x 8, weights 4 x 8, output
// tile 4 x 4; two passes a tile, each over half of K.
inline model::GroupProgram pipeline_group(const PipelinePlan& plan) {
  using model::Queue;
  const int core = plan.core;
  const auto own = [&](std::int32_t semaphore) { return model::Signal{model::CoreId(core), semaphore, 1}; };
  const auto input_buffer = [&](std::int64_t t) { return scratchpad(core, plan.base + 32 * (t % 2)); };
  const auto output_buffer = [&](std::int64_t t) { return scratchpad(core, plan.base + 96 + 16 * (t % 2)); };
  const auto sum_buffer = [&](std::int64_t t) { return accumulator(core, 64 * (t % 2)); };
  const model::Place weights = scratchpad(core, plan.base + 64);
  const auto later = [&](std::int64_t t) { return t + 2 < plan.tiles; };
  const auto offset = [](model::Place place, std::int64_t bytes) {
    place.address += bytes;
    return place;
  };

  model::CoreProgram program;
  program.core = model::CoreId(core);
  program.semaphores = kPipelineSemaphores;
  program.queue(Queue::load).push_back(copy_bytes(dram(plan.weight), weights, 32, {}, {own(kWeightFull)}));
  program.queue(Queue::load).back().prefetch = plan.prefetch_weight;
  for (std::int64_t t = 0; t < plan.tiles; ++t) {
    program.queue(Queue::load)
        .push_back(copy_bytes(dram(plan.input + 32 * t), input_buffer(t), 32, {}, {own(kInputFull)}));
    if (t >= 2) program.queue(Queue::load).back().waits = {{kInputFree, 1}};

    model::Instruction first = pass_4x4(input_buffer(t), weights, sum_buffer(t), 8, false);
    first.waits = {{kInputFull, 1}};
    if (t == 0) first.waits.push_back({kWeightFull, 1});
    if (t >= 2) first.waits.push_back({kSumFree, 1});
    model::Instruction second = pass_4x4(offset(input_buffer(t), 4), offset(weights, 4), sum_buffer(t), 8, true);
    second.signals = {own(kSumFull)};
    if (later(t)) second.signals.push_back(own(kInputFree));
    program.queue(Queue::array).push_back(first);
    program.queue(Queue::array).push_back(second);

    model::Instruction requantize =
        vector_op(model::VectorKind::requantize, {{sum_buffer(t), model::DataType::int32}}, output_buffer(t), 16);
    requantize.waits = {{kSumFull, 1}};
    if (t >= 2) requantize.waits.push_back({kOutputFree, 1});
    requantize.signals = {own(kOutputFull)};
    if (later(t)) requantize.signals.push_back(own(kSumFree));
    program.queue(Queue::vector).push_back(requantize);

    program.queue(Queue::store)
        .push_back(copy_bytes(output_buffer(t), dram(plan.output + 16 * t), 16, {{kOutputFull, 1}}));
    if (later(t)) program.queue(Queue::store).back().signals = {own(kOutputFree)};
  }

  model::GroupProgram group;
  group.group = model::GroupId(plan.group);
  group.layers = {"gemm" + std::to_string(plan.group)};
  group.cores = {program};
  group.live_in = {region("input", dram(plan.input), 32 * plan.tiles), region("weight", dram(plan.weight), 32)};
  group.live_out = {region("output", dram(plan.output), 16 * plan.tiles)};
  for (std::int64_t b = 0; b < 2; ++b) {
    group.buffers.push_back(region("input tile " + std::to_string(b), input_buffer(b), 32));
    group.buffers.push_back(region("output tile " + std::to_string(b), output_buffer(b), 16));
    group.buffers.push_back(region("sums " + std::to_string(b), sum_buffer(b), 64));
  }
  group.buffers.push_back(region("weights", weights, 32));
  if (plan.prefetch_weight) group.prefetch = {region("weights", weights, 32)};
  return group;
}

// One matrix product of four tiles on core 0.
inline model::Program pipeline_program() {
  model::Program program;
  program.header = {"tiny",
                    "net",
                    {region("x", dram(0), 128), region("w", dram(4096), 32), region("y", dram(8192), 64)},
                    {region("x", dram(0), 128), region("w", dram(4096), 32)},
                    1};
  program.groups = {pipeline_group({.input = 0, .weight = 4096, .output = 8192})};
  return program;
}

// Two products, the second on the first one's result; its weights are loaded while the first runs.
inline model::Program prefetch_program() {
  model::Program program;
  program.header = {"tiny",
                    "net",
                    {region("x", dram(0), 128), region("w1", dram(4096), 32), region("y", dram(8192), 64),
                     region("w2", dram(12288), 32), region("z", dram(16384), 32)},
                    {region("x", dram(0), 128), region("w1", dram(4096), 32), region("w2", dram(12288), 32)},
                    2};
  program.groups = {pipeline_group({.input = 0, .weight = 4096, .output = 8192}),
                    pipeline_group({.group = 1,
                                    .tiles = 2,
                                    .input = 8192,
                                    .weight = 12288,
                                    .output = 16384,
                                    .base = 1024,
                                    .prefetch_weight = true})};
  return program;
}

// Core 0 sends tiles of 16 bytes into one buffer of core 1, which adds a constant of its own to each and stores the
// sum. Core 1's semaphore 0 (full) is signalled by core 0, core 0's semaphore 1 (free) by core 1.
inline model::Program exchange_program(std::int64_t tiles = 3) {
  using model::Queue;
  const auto signal = [](int core, std::int32_t semaphore) { return model::Signal{model::CoreId(core), semaphore, 1}; };
  model::CoreProgram sender;
  sender.core = model::CoreId(0);
  sender.semaphores = 3;  // 0 tile loaded, 1 buffer of core 1 free, 2 own buffer free
  model::CoreProgram receiver;
  receiver.core = model::CoreId(1);
  receiver.semaphores = 4;  // 0 tile arrived, 1 constant loaded, 2 sum ready, 3 sum stored
  receiver.queue(Queue::load).push_back(copy_bytes(dram(4096), scratchpad(1, 0), 16, {}, {signal(1, 1)}));
  for (std::int64_t t = 0; t < tiles; ++t) {
    const bool later = t + 1 < tiles;
    sender.queue(Queue::load).push_back(copy_bytes(dram(16 * t), scratchpad(0, 0), 16, {}, {signal(0, 0)}));
    sender.queue(Queue::store).push_back(copy_bytes(scratchpad(0, 0), scratchpad(1, 64), 16, {{0, 1}}, {signal(1, 0)}));
    if (later) sender.queue(Queue::store).back().signals.push_back(signal(0, 2));
    model::Instruction add = vector_op(
        model::VectorKind::add, {{scratchpad(1, 64), model::DataType::int8}, {scratchpad(1, 0), model::DataType::int8}},
        scratchpad(1, 128), 16);
    add.waits = {{0, 1}};
    if (t == 0) add.waits.push_back({1, 1});
    add.signals = {signal(1, 2)};
    if (later) add.signals.push_back(signal(0, 1));
    if (t > 0) {
      sender.queue(Queue::load).back().waits = {{2, 1}};
      sender.queue(Queue::store).back().waits.push_back({1, 1});
      add.waits.push_back({3, 1});
    }
    receiver.queue(Queue::vector).push_back(add);
    receiver.queue(Queue::store).push_back(copy_bytes(scratchpad(1, 128), dram(8192 + 16 * t), 16, {{2, 1}}));
    if (later) receiver.queue(Queue::store).back().signals = {signal(1, 3)};
  }
  model::Program program;
  program.header = {
      "tiny",
      "net",
      {region("x", dram(0), 16 * tiles), region("c", dram(4096), 16), region("y", dram(8192), 16 * tiles)},
      {region("x", dram(0), 16 * tiles), region("c", dram(4096), 16)},
      1};
  model::GroupProgram group;
  group.group = model::GroupId(0);
  group.layers = {"add"};
  group.cores = {sender, receiver};
  group.live_in = program.header.constant;
  group.live_out = {region("y", dram(8192), 16 * tiles)};
  group.buffers = {region("sent", scratchpad(0, 0), 16), region("constant", scratchpad(1, 0), 16),
                   region("received", scratchpad(1, 64), 16), region("sum", scratchpad(1, 128), 16)};
  program.groups = {group};
  return program;
}

// Both cores load one half of a tile of core 1 each (core 0 by way of its scratchpad) and signal the same semaphore;
// core 1 moves the tile on when it has counted two. Several queues signal one semaphore, in every round.
inline model::Program join_program(std::int64_t tiles = 3) {
  using model::Queue;
  const auto signal = [](int core, std::int32_t semaphore) { return model::Signal{model::CoreId(core), semaphore, 1}; };
  model::CoreProgram helper;
  helper.core = model::CoreId(0);
  helper.semaphores = 3;  // 0 half loaded, 1 tile of core 1 free, 2 own buffer free
  model::CoreProgram main;
  main.core = model::CoreId(1);
  main.semaphores = 4;  // 0 halves arrived, 1 tile free, 2 result ready, 3 result stored
  for (std::int64_t t = 0; t < tiles; ++t) {
    const bool later = t + 1 < tiles;
    helper.queue(Queue::load).push_back(copy_bytes(dram(16 * t), scratchpad(0, 0), 8, {}, {signal(0, 0)}));
    helper.queue(Queue::store).push_back(copy_bytes(scratchpad(0, 0), scratchpad(1, 0), 8, {{0, 1}}, {signal(1, 0)}));
    main.queue(Queue::load).push_back(copy_bytes(dram(16 * t + 8), scratchpad(1, 8), 8, {}, {signal(1, 0)}));
    model::Instruction move =
        vector_op(model::VectorKind::move, {{scratchpad(1, 0), model::DataType::int8}}, scratchpad(1, 64), 16);
    move.waits = {{0, 2}};
    move.signals = {signal(1, 2)};
    if (later) {
      helper.queue(Queue::store).back().signals.push_back(signal(0, 2));
      move.signals.push_back(signal(0, 1));
      move.signals.push_back(signal(1, 1));
    }
    main.queue(Queue::store).push_back(copy_bytes(scratchpad(1, 64), dram(8192 + 16 * t), 16, {{2, 1}}));
    if (later) main.queue(Queue::store).back().signals = {signal(1, 3)};
    if (t > 0) {
      helper.queue(Queue::load).back().waits = {{2, 1}};
      helper.queue(Queue::store).back().waits.push_back({1, 1});
      main.queue(Queue::load).back().waits = {{1, 1}};
      move.waits.push_back({3, 1});
    }
    main.queue(Queue::vector).push_back(move);
  }
  model::Program program;
  program.header = {"tiny",
                    "net",
                    {region("x", dram(0), 16 * tiles), region("y", dram(8192), 16 * tiles)},
                    {region("x", dram(0), 16 * tiles)},
                    1};
  model::GroupProgram group;
  group.group = model::GroupId(0);
  group.layers = {"concat"};
  group.cores = {helper, main};
  group.live_in = program.header.constant;
  group.live_out = {region("y", dram(8192), 16 * tiles)};
  group.buffers = {region("half", scratchpad(0, 0), 8), region("tile", scratchpad(1, 0), 16),
                   region("result", scratchpad(1, 64), 16)};
  program.groups = {group};
  return program;
}

// Core 0 loads tiles of 16 bytes for both cores at once into one buffer; each moves its copy on and stores it. Core 0's
// semaphores 1 and 2: the buffer is free in core 0, in core 1.
inline model::Program multicast_program(std::int64_t tiles = 3) {
  using model::Queue;
  const auto signal = [](int core, std::int32_t semaphore) { return model::Signal{model::CoreId(core), semaphore, 1}; };
  std::array<model::CoreProgram, 2> cores;
  cores[0].core = model::CoreId(0);
  cores[0].semaphores = 5;  // 0 tile arrived, 1 and 2 free, 3 result ready, 4 result stored
  cores[1].core = model::CoreId(1);
  cores[1].semaphores = 3;  // 0 tile arrived, 1 result ready, 2 result stored
  for (std::int64_t t = 0; t < tiles; ++t) {
    const bool later = t + 1 < tiles;
    model::Instruction load = copy_bytes(dram(16 * t), scratchpad(0, 0), 16, {}, {signal(0, 0), signal(1, 0)});
    std::get<model::Copy>(load.op).multicast = {model::CoreId(1)};
    if (t > 0) load.waits = {{1, 1}, {2, 1}};
    cores[0].queue(Queue::load).push_back(load);
    for (int c = 0; c < 2; ++c) {
      const std::int32_t ready = c == 0 ? 3 : 1;
      const std::int32_t stored = c == 0 ? 4 : 2;
      model::Instruction move =
          vector_op(model::VectorKind::move, {{scratchpad(c, 0), model::DataType::int8}}, scratchpad(c, 64), 16);
      move.waits = {{0, 1}};
      if (t > 0) move.waits.push_back({stored, 1});
      move.signals = {signal(c, ready)};
      if (later) move.signals.push_back(signal(0, 1 + c));
      cores[static_cast<std::size_t>(c)].queue(Queue::vector).push_back(move);
      model::Instruction store = copy_bytes(scratchpad(c, 64), dram(4096 * (1 + c) + 16 * t), 16, {{ready, 1}});
      if (later) store.signals = {signal(c, stored)};
      cores[static_cast<std::size_t>(c)].queue(Queue::store).push_back(store);
    }
  }
  model::Program program;
  program.header = {
      "tiny",
      "net",
      {region("x", dram(0), 16 * tiles), region("y", dram(4096), 16 * tiles), region("z", dram(8192), 16 * tiles)},
      {region("x", dram(0), 16 * tiles)},
      1};
  model::GroupProgram group;
  group.group = model::GroupId(0);
  group.layers = {"copy"};
  group.cores = {cores[0], cores[1]};
  group.live_in = program.header.constant;
  group.live_out = {region("y", dram(4096), 16 * tiles), region("z", dram(8192), 16 * tiles)};
  for (int c = 0; c < 2; ++c) {
    group.buffers.push_back(region("tile", scratchpad(c, 0), 16));
    group.buffers.push_back(region("result", scratchpad(c, 64), 16));
  }
  program.groups = {group};
  return program;
}

// A tensor goes from one group to the next in the global buffer, strided: 4 rows of 16 bytes are transposed by the
// copies' order.
inline model::Program global_buffer_program() {
  using model::Queue;
  const auto signal = [](std::int32_t semaphore) { return model::Signal{model::CoreId(0), semaphore, 1}; };
  model::Program program;
  program.header = {
      "tiny", "net", {region("x", dram(0), 64), region("y", dram(4096), 64)}, {region("x", dram(0), 64)}, 2};
  model::GroupProgram first;
  first.group = model::GroupId(0);
  first.layers = {"copy"};
  model::CoreProgram core;
  core.core = model::CoreId(0);
  core.semaphores = 1;
  core.queue(Queue::load).push_back(copy_bytes(dram(0), scratchpad(0, 0), 64, {}, {signal(0)}));
  model::Instruction scatter = copy_bytes(scratchpad(0, 0), global_buffer(256), 16, {{0, 1}});
  auto& copy = std::get<model::Copy>(scatter.op);
  copy.extent = {1, 1, 4, 16};
  copy.src.stride = {0, 0, 16};
  copy.dst.stride = {0, 0, 64};
  core.queue(Queue::store).push_back(scatter);
  first.cores = {core};
  first.live_in = program.header.constant;
  first.live_out = {region("row 0", global_buffer(256), 16), region("row 1", global_buffer(320), 16),
                    region("row 2", global_buffer(384), 16), region("row 3", global_buffer(448), 16)};
  first.buffers = {region("tile", scratchpad(0, 0), 64), region("rows", global_buffer(256), 256)};
  model::GroupProgram second;
  second.group = model::GroupId(1);
  second.layers = {"copy back"};
  core.queue(Queue::load) = {copy_bytes(global_buffer(256), scratchpad(0, 64), 16, {}, {signal(0)})};
  auto& back = std::get<model::Copy>(core.queue(Queue::load)[0].op);
  back.extent = {1, 1, 4, 16};
  back.src.stride = {0, 0, 64};
  back.dst.stride = {0, 0, 16};
  core.queue(Queue::store) = {copy_bytes(scratchpad(0, 64), dram(4096), 64, {{0, 1}})};
  second.cores = {core};
  second.live_in = first.live_out;
  second.live_out = {region("y", dram(4096), 64)};
  second.buffers = {region("tile", scratchpad(0, 64), 64), region("rows", global_buffer(256), 256)};
  program.groups = {first, second};
  return program;
}

}  // namespace accsim::tests
