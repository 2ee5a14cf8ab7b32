// Data on the simulated chip: when they are read and written, that instructions which nothing keeps apart show, and
// that timing does not change. Hand-made programs; what they compute is known.
#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "model/base/error.h"
#include "sim/functional/encoding.h"
#include "sim/system/simulate.h"
#include "tests/catch.h"
#include "tests/support/small_chip.h"

using namespace accsim::model;
using namespace accsim::sim;
using namespace accsim::tests;

namespace {

constexpr std::int64_t kRegion = 4096;  // size of each tensor's home
constexpr std::int64_t kWeights = 0;    // constant: byte i holds value(i)
constexpr std::int64_t kOut = kRegion;

std::int8_t value(std::int64_t i) { return static_cast<std::int8_t>(i * 37 + 11); }

Instruction instruction(std::variant<Copy, ArrayPass, VectorOp> op, std::vector<Wait> waits = {},
                        std::vector<Signal> signals = {}) {
  Instruction i;
  i.op = std::move(op);
  i.waits = std::move(waits);
  i.signals = std::move(signals);
  return i;
}

Signal signal(std::int32_t semaphore, std::int32_t core = 0) { return {CoreId(core), semaphore, 1}; }

Program with_homes(std::vector<GroupProgram> groups) {
  Program program = program_of(std::move(groups));
  program.header.dram = {{"weights", {Space::dram, CoreId(), kWeights}, Bytes(kRegion)},
                         {"out", {Space::dram, CoreId(), kOut}, Bytes(kRegion)}};
  program.header.constant = {program.header.dram[0]};
  return program;
}

struct Outcome {
  std::vector<std::int8_t> out;     // at kOut, after the last group
  std::vector<std::int8_t> buffer;  // the start of the global buffer
  Json measurement;
};

Outcome run(const Architecture& arch, const Program& program, bool data = true) {
  Outcome outcome;
  StoredProgram source(program);
  SimulationOptions options;
  std::unique_ptr<FunctionalChip> chip;
  if (data) {
    chip = std::make_unique<FunctionalChip>(arch, program.header,
                                            [](const Region&, std::int64_t offset, std::span<std::uint8_t> bytes) {
                                              for (std::uint8_t& b : bytes)
                                                b = static_cast<std::uint8_t>(value(offset++));
                                            });
    chip->group_ended = [&](const GroupProgram&) {
      outcome.out.resize(kRegion);
      chip->read({Space::dram, CoreId(), kOut},
                 {reinterpret_cast<std::uint8_t*>(outcome.out.data()), outcome.out.size()});
      outcome.buffer.resize(1024);
      chip->read({Space::global_buffer, CoreId(), 0},
                 {reinterpret_cast<std::uint8_t*>(outcome.buffer.data()), outcome.buffer.size()});
    };
    options.data = chip.get();
  }
  Measurement measurement = simulate(arch, source, options);
  measurement.simulation_seconds = 0;
  outcome.measurement = to_json(measurement);
  return outcome;
}

std::vector<std::int8_t> values(std::int64_t first, std::int64_t count) {
  std::vector<std::int8_t> list;
  for (std::int64_t i = 0; i < count; ++i) list.push_back(value(first + i));
  return list;
}

bool starts_with(const std::vector<std::int8_t>& all, const std::vector<std::int8_t>& expected) {
  return std::equal(expected.begin(), expected.end(), all.begin());
}

// Loads `bytes`, moves them, stores them: `ordered` by semaphores or not.
Program pipeline(std::int64_t bytes, bool load_to_move, bool move_to_store) {
  InstructionLists lists;
  lists.load = {
      instruction(load_copy(kWeights, 0, bytes), {}, load_to_move ? std::vector{signal(0)} : std::vector<Signal>{})};
  lists.vector = {instruction(move_op(0, 8192, bytes), load_to_move ? std::vector<Wait>{{0, 1}} : std::vector<Wait>{},
                              move_to_store ? std::vector{signal(1)} : std::vector<Signal>{})};
  lists.store = {
      instruction(store_copy(8192, kOut, bytes), move_to_store ? std::vector<Wait>{{1, 1}} : std::vector<Wait>{})};
  return with_homes({one_core_group(0, lists, 2)});
}

}  // namespace

TEST_CASE("data go through load, vector unit and store", "[chip][functional]") {
  const Architecture arch = small_chip();
  for (const std::int64_t bytes : {1, 63, 64, 65, 1000}) {
    const Outcome outcome = run(arch, pipeline(bytes, true, true));
    INFO(bytes);
    CHECK(starts_with(outcome.out, values(0, bytes)));
    // What nobody stored is not there.
    CHECK_FALSE(outcome.out[static_cast<std::size_t>(bytes)] == value(bytes));
  }
}

TEST_CASE("instructions that no semaphore keeps apart show in the data", "[chip][functional]") {
  const Architecture arch = small_chip();
  CHECK_FALSE(starts_with(run(arch, pipeline(1000, false, true)).out, values(0, 1000)));
  CHECK_FALSE(starts_with(run(arch, pipeline(1000, true, false)).out, values(0, 1000)));
}

TEST_CASE("a buffer that is overwritten too early shows in the data", "[chip][functional]") {
  // Two tiles through one buffer: the second load must wait for the first store.
  const auto program = [](bool ordered) {
    InstructionLists lists;
    lists.load = {instruction(load_copy(kWeights, 0, 1000), {}, {signal(0)}),
                  instruction(load_copy(kWeights + 1000, 0, 1000),
                              ordered ? std::vector<Wait>{{1, 1}} : std::vector<Wait>{}, {signal(0)})};
    lists.store = {
        instruction(store_copy(0, kOut, 1000), {{0, 1}}, ordered ? std::vector{signal(1)} : std::vector<Signal>{}),
        instruction(store_copy(0, kOut + 1000, 1000), {{0, 1}})};
    return with_homes({one_core_group(0, lists, 2)});
  };
  const Architecture arch = small_chip();
  CHECK(starts_with(run(arch, program(true)).out, values(0, 2000)));
  CHECK_FALSE(starts_with(run(arch, program(false)).out, values(0, 2000)));
}

TEST_CASE("copies with strides move the bytes that they name", "[chip][functional]") {
  Copy load = load_copy(kWeights + 3, 5, 7);
  load.extent = {2, 3, 4, 7};
  load.src.stride = {900, 100, 10};  // rows share bursts
  load.dst.stride = {84, 28, 7};
  const Architecture arch = small_chip();
  const Outcome outcome =
      run(arch,
          with_homes({one_core_group(
              0, {{instruction(load, {}, {signal(0)})}, {}, {}, {instruction(store_copy(5, kOut + 1, 168), {{0, 1}})}},
              1)}));
  std::vector<std::int8_t> expected;
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t j = 0; j < 3; ++j)
      for (std::int64_t k = 0; k < 4; ++k)
        for (std::int64_t b = 0; b < 7; ++b) expected.push_back(value(3 + i * 900 + j * 100 + k * 10 + b));
  CHECK(std::equal(expected.begin(), expected.end(), outcome.out.begin() + 1));
}

TEST_CASE("passes that accumulate follow each other without a semaphore", "[chip][functional]") {
  const std::int64_t m = 8;
  const std::int64_t k = 6;
  const std::int64_t n = 5;
  ArrayPass first = matrix_pass(m, k, n, 0, 4096, 0);
  ArrayPass second = matrix_pass(m, k, n, m * k, 4096 + n * k, 0);
  second.accumulate = true;
  VectorOp requantize;
  requantize.kind = VectorKind::requantize;
  requantize.loops = {{m * n, DimKind::m}};
  requantize.sources = {dense_tile(Space::accumulator, 0, m * n, DataType::int32)};
  requantize.output = dense_tile(Space::scratchpad, 8192, m * n, DataType::int8);
  InstructionLists lists;
  lists.load = {instruction(load_copy(kWeights, 0, 2 * m * k)),
                instruction(load_copy(kWeights + 1000, 4096, 2 * n * k), {}, {signal(0)})};
  lists.array = {instruction(first, {{0, 1}}), instruction(second, {}, {signal(1)})};
  lists.vector = {instruction(requantize, {{1, 1}}, {signal(2)})};
  lists.store = {instruction(store_copy(8192, kOut, m * n), {{2, 1}})};
  const Outcome outcome = run(small_chip(), with_homes({one_core_group(0, lists, 3)}));
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      std::int32_t sum = 0;
      for (std::int64_t half = 0; half < 2; ++half)
        for (std::int64_t l = 0; l < k; ++l)
          sum += value(half * m * k + i * k + l) * value(1000 + half * n * k + j * k + l);
      CHECK(outcome.out[static_cast<std::size_t>(i * n + j)] == requantised(static_cast<std::uint32_t>(sum), 8));
    }
  }
}

TEST_CASE("data pass through the global buffer and another core's scratchpad", "[chip][functional]") {
  const Architecture arch = small_chip(2);
  const auto place = [](Space space, std::int64_t core, std::int64_t address) {
    return Place{space, space == Space::scratchpad ? CoreId(static_cast<std::int32_t>(core)) : CoreId(), address};
  };
  const auto copy = [](Place from, Place to, std::int64_t bytes) {
    Copy c;
    c.src.place = from;
    c.dst.place = to;
    c.extent = {1, 1, 1, bytes};
    return c;
  };
  constexpr std::int64_t kBytes = 500;
  // DRAM -> core 0 -> global buffer -> core 1; DRAM -> core 0 -> (pushed) core 1 -> (fetched) core 0 -> DRAM.
  GroupProgram group = one_core_group(0, {}, 8);
  CoreProgram& zero = group.cores[0];
  zero.queue(Queue::load) = {
      instruction(load_copy(kWeights, 0, 2 * kBytes), {}, {signal(0), signal(1)}),
      instruction(copy(place(Space::scratchpad, 1, 4096), place(Space::scratchpad, 0, 8192), kBytes), {{2, 1}},
                  {signal(3)})};
  zero.queue(Queue::store) = {
      instruction(copy(place(Space::scratchpad, 0, 0), place(Space::global_buffer, 0, 100), kBytes), {{0, 1}},
                  {signal(0, 1)}),
      instruction(copy(place(Space::scratchpad, 0, kBytes), place(Space::scratchpad, 1, 4096), kBytes), {{1, 1}},
                  {signal(2)}),
      instruction(store_copy(8192, kOut, kBytes), {{3, 1}})};
  CoreProgram one;
  one.core = CoreId(1);
  one.semaphores = 2;
  one.queue(Queue::load) = {instruction(
      copy(place(Space::global_buffer, 0, 100), place(Space::scratchpad, 1, 0), kBytes), {{0, 1}}, {signal(1, 1)})};
  one.queue(Queue::store) = {
      instruction(copy(place(Space::scratchpad, 1, 0), place(Space::dram, 0, kOut + 1024), kBytes), {{1, 1}})};
  group.cores.push_back(one);
  const Outcome outcome = run(arch, with_homes({group}));
  CHECK(std::equal(outcome.buffer.begin() + 100, outcome.buffer.begin() + 100 + kBytes, values(0, kBytes).begin()));
  CHECK(starts_with(outcome.out, values(kBytes, kBytes)));
  CHECK(std::equal(outcome.out.begin() + 1024, outcome.out.begin() + 1024 + kBytes, values(0, kBytes).begin()));
}

TEST_CASE("a multicast brings the same data to every core", "[chip][functional]") {
  const auto on_core = [](std::int32_t core, std::int64_t address) {
    return Place{Space::scratchpad, CoreId(core), address};
  };
  constexpr std::int64_t kBytes = 300;
  constexpr std::int32_t kCores = 5;
  for (const Topology topology : {Topology::crossbar, Topology::bus, Topology::mesh}) {
    Architecture arch = small_chip(kCores);
    arch.noc.topology = topology;
    INFO(static_cast<int>(topology));
    // Core 0 loads for 1 and 3 from the DRAM, core 4 for 2 and 3 from core 0, core 3 sends to 0, 1 and 2. At the end
    // every core stores what it has: at kOut + 400 * core.
    GroupProgram group = one_core_group(0, {}, 1);
    group.cores.clear();
    std::vector<CoreProgram> cores(kCores);
    for (std::int32_t c = 0; c < kCores; ++c) {
      cores[static_cast<std::size_t>(c)].core = CoreId(c);
      cores[static_cast<std::size_t>(c)].semaphores = 4;
    }
    Copy first = load_copy(kWeights + 5, 7, kBytes, CoreId(0));
    first.multicast = {CoreId(1), CoreId(3)};
    cores[0].queue(Queue::load) = {instruction(first, {}, {signal(0, 4), signal(0, 3), signal(1, 0), signal(1, 1)})};
    Copy second = load_copy(0, 1000, kBytes, CoreId(4));
    second.src.place = on_core(0, 7);
    second.multicast = {CoreId(2), CoreId(3)};
    cores[4].queue(Queue::load) = {
        instruction(second, {{0, 1}}, {signal(1, 4), signal(1, 2), signal(1, 3), signal(2, 0)})};
    Copy third = store_copy(7, 0, kBytes, CoreId(3));  // of what came from core 0's load
    third.dst.place = on_core(0, 2000);
    third.multicast = {CoreId(1), CoreId(2)};
    cores[3].queue(Queue::store) = {instruction(third, {{0, 1}}, {signal(3, 0), signal(2, 1), signal(2, 2)})};
    const auto store = [&](std::int32_t core, std::int64_t from, std::int64_t place, std::vector<Wait> waits) {
      cores[static_cast<std::size_t>(core)]
          .queue(Queue::store)
          .push_back(instruction(store_copy(from, kOut + 400 * place, kBytes, CoreId(core)), std::move(waits)));
    };
    store(0, 7, 0, {{1, 1}, {2, 1}});
    store(0, 2000, 1, {{3, 1}});
    store(1, 7, 2, {{1, 1}});
    store(1, 2000, 3, {{2, 1}});
    store(2, 1000, 4, {{1, 1}});
    store(2, 2000, 5, {{2, 1}});
    store(3, 1000, 6, {{1, 1}});
    store(4, 1000, 7, {{1, 1}});
    group.cores = cores;
    const Program program = with_homes({group});
    const Outcome outcome = run(arch, program);
    for (std::int64_t place = 0; place < 8; ++place) {
      INFO("place " << place);
      CHECK(std::equal(outcome.out.begin() + 400 * place, outcome.out.begin() + 400 * place + kBytes,
                       values(5, kBytes).begin()));
    }
    CHECK(run(arch, program, false).measurement == outcome.measurement);
  }
}

TEST_CASE("a core that does not wait for a multicast reads something else", "[chip][functional]") {
  const Architecture arch = small_chip(2);
  Copy load = load_copy(kWeights, 0, 1000, CoreId(0));
  load.multicast = {CoreId(1)};
  for (const bool ordered : {true, false}) {
    GroupProgram group = one_core_group(
        0, {{instruction(load, {}, ordered ? std::vector{signal(0, 1)} : std::vector<Signal>{})}, {}, {}, {}}, 0);
    group.cores.push_back(one_core_group(0,
                                         {{},
                                          {},
                                          {},
                                          {instruction(store_copy(0, kOut, 1000, CoreId(1)),
                                                       ordered ? std::vector<Wait>{{0, 1}} : std::vector<Wait>{})}},
                                         1, CoreId(1))
                              .cores[0]);
    CHECK(starts_with(run(arch, with_homes({group})).out, values(0, 1000)) == ordered);
  }
}

TEST_CASE("execution on data does not change the timing", "[chip][functional]") {
  const Architecture arch = small_chip();
  for (const bool ordered : {false, true}) {
    const Program program = pipeline(3000, ordered, ordered);
    CHECK(run(arch, program, true).measurement == run(arch, program, false).measurement);
  }
}

TEST_CASE("an access outside of every tensor's home is an error of the program", "[chip][functional]") {
  const Architecture arch = small_chip();
  const Program program =
      with_homes({one_core_group(0, {{instruction(load_copy(2 * kRegion, 0, 64))}, {}, {}, {}}, 0)});
  CHECK_THROWS_AS(run(arch, program), InternalError);
}

TEST_CASE("accumulators of different widths have no common result", "[functional]") {
  Architecture arch = small_chip();
  arch.core_types.push_back(arch.core_types.front());
  arch.core_types.back().name = "narrow";
  arch.core_types.back().array.accumulator_type = DataType::int16;
  CHECK_THROWS_WITH(
      FunctionalChip::sum_bits_of(arch),
      "architecture small: --verify needs accumulators of one width, found int32 in core type \"npu\" and "
      "int16 in \"narrow\"");
  arch.core_types.back().array.accumulator_type = DataType::int64;  // the lowest 32 bits
  CHECK(FunctionalChip::sum_bits_of(arch) == 32);
}

TEST_CASE("queues that wait in a circle are told", "[chip]") {
  InstructionLists lists;
  lists.load = {instruction(load_copy(kWeights, 0, 64), {{0, 1}}, {signal(1)})};
  lists.vector = {instruction(move_op(0, 8192, 64), {{1, 1}}, {signal(2)})};
  lists.store = {instruction(store_copy(8192, kOut, 32)),
                 instruction(store_copy(8192, kOut, 64), {{2, 1}}, {signal(0)})};
  const Program program = with_homes({one_core_group(0, lists, 3)});
  std::string message;
  try {
    run(small_chip(), program);
  } catch (const NoProgressError& error) {
    message = error.what();
  }
  CHECK(message.find("the program makes no progress after cycle ") == 0);
  CHECK(message.substr(message.find(":")) ==
        ":\n  core 0 load[0] of group 0 waits for semaphore 0 of core 0 (has 0, needs 1), which core 0 store[1] would "
        "signal"
        "\n  core 0 vector[0] of group 0 waits for semaphore 1 of core 0 (has 0, needs 1), which core 0 load[0] would "
        "signal"
        "\n  core 0 store[1] of group 0 waits for semaphore 2 of core 0 (has 0, needs 1), which core 0 vector[0] would "
        "signal"
        "\n  circle: core 0 load -> core 0 store -> core 0 vector -> core 0 load");
}

TEST_CASE("a run in which nothing gets done for too long ends", "[chip]") {
  const Program program = pipeline(64, true, true);
  StoredProgram source(program);
  SimulationOptions options;
  options.patience = Cycles(8);  // shorter than an access to DRAM
  std::string message;
  try {
    simulate(small_chip(), source, options);
  } catch (const NoProgressError& error) {
    message = error.what();
  }
  CHECK(message.find("core 0 load[0] of group 0 runs and does not end") != std::string::npos);
  CHECK(
      message.find("core 0 vector[0] of group 0 waits for semaphore 0 of core 0 (has 0, needs 1), which core 0 load[0] "
                   "would signal at its end") != std::string::npos);
  StoredProgram again(program);
  options.patience = Cycles(1000);
  CHECK(simulate(small_chip(), again, options).cycles > Cycles(8));
}
