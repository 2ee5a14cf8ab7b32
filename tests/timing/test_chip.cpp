// Whole chips on hand-made programs: what an engine takes, that a shared resource is shared, that cycles and bytes add
// up.
#include "model/program/timing.h"
#include "sim/system/simulate.h"
#include "tests/catch.h"
#include "tests/support/small_chip.h"

namespace {

using namespace accsim::model;
using namespace accsim::tests;
using accsim::sim::simulate;

Measurement run(const Architecture& arch, std::vector<GroupProgram> groups) {
  StoredProgram program(program_of(std::move(groups)));
  return simulate(arch, program);
}

Instruction instruction(std::variant<Copy, ArrayPass, VectorOp> op, std::vector<Wait> waits = {},
                        std::vector<Signal> signals = {}) {
  Instruction i;
  i.op = std::move(op);
  i.waits = std::move(waits);
  i.signals = std::move(signals);
  return i;
}

void check_accounting(const Measurement& m) {
  for (const CoreMeasurement& core : m.cores) {
    CHECK(core.core.total() == m.cycles);
    CHECK(core.load.total() == m.cycles);
    CHECK(core.array.total() == m.cycles);
    CHECK(core.vector.total() == m.cycles);
    CHECK(core.store.total() == m.cycles);
  }
  Cycles sum;
  for (const GroupMeasurement& group : m.groups) sum += group.cycles;
  CHECK(sum == m.cycles);
}

}  // namespace

TEST_CASE("one pass takes the cycles of the formula and one to issue", "[chip]") {
  const Architecture arch = small_chip();
  const ArrayPass pass = matrix_pass(32, 8, 8, 0, 4096, 0);
  const ArrayTiming timing = array_timing(shape_of(pass), arch.core(CoreId(0)));
  REQUIRE(timing.folds == 4);
  const Measurement m = run(arch, {one_core_group(0, {{}, {instruction(pass)}, {}, {}}, 0)});
  CHECK(m.cycles == timing.latency + Cycles(1));
  CHECK(m.macs == Macs(32 * 8 * 8));
  check_accounting(m);
}

TEST_CASE("passes in a row overlap by the pipeline", "[chip]") {
  const Architecture arch = small_chip();
  const ArrayPass pass = matrix_pass(32, 4, 4, 0, 4096, 0);
  ArrayPass second = matrix_pass(32, 4, 4, 8192, 12288, 4096);
  const ArrayTiming timing = array_timing(shape_of(pass), arch.core(CoreId(0)));
  const Measurement m = run(arch, {one_core_group(0, {{}, {instruction(pass), instruction(second)}, {}, {}}, 0)});
  CHECK(m.cycles == timing.interval + timing.latency + Cycles(1));
  // Two folds in one pass take the same: (F-1)*max(M,R) + 2R + C + M - 2.
  CHECK(timing.interval + timing.latency == array_timing({1, 32, 8, 4}, arch.core(CoreId(0))).latency);
  check_accounting(m);
}

TEST_CASE("a vector_mac core takes the cycles of its formula", "[chip]") {
  // Four folds of M = 32 rows on 4 x 4: R + F max(M, R) overlapped, F (R + M) not; one to issue.
  Architecture arch = small_chip();
  arch.core_types[0].array.dataflow = Dataflow::vector_mac;
  const ArrayPass pass = matrix_pass(32, 8, 8, 0, 4096, 0);
  const auto cycles = [&] { return run(arch, {one_core_group(0, {{}, {instruction(pass)}, {}, {}}, 0)}).cycles; };
  CHECK(cycles() == Cycles(1 + 4 + 4 * 32));
  // The next pass begins F max(M, R) cycles after this one.
  const std::vector<Instruction> two{instruction(pass), instruction(matrix_pass(32, 8, 8, 8192, 12288, 4096))};
  CHECK(run(arch, {one_core_group(0, {{}, two, {}, {}}, 0)}).cycles == Cycles(1 + 4 + 2 * 4 * 32));
  arch.core_types[0].array.double_buffered = false;
  CHECK(cycles() == Cycles(1 + 4 * (4 + 32)));
}

TEST_CASE("without shadow registers passes do not overlap", "[chip]") {
  Architecture arch = small_chip();
  arch.core_types[0].array.double_buffered = false;
  const ArrayPass pass = matrix_pass(32, 4, 4, 0, 4096, 0);
  const ArrayTiming timing = array_timing(shape_of(pass), arch.core(CoreId(0)));
  const Measurement m = run(arch, {one_core_group(0, {{}, {instruction(pass), instruction(pass)}, {}, {}}, 0)});
  CHECK(m.cycles == timing.latency + timing.latency + Cycles(1));
}

TEST_CASE("operands in one bank stall the array, in two they do not", "[chip]") {
  const Architecture arch = small_chip();
  const ArrayPass apart = matrix_pass(64, 16, 4, 0, 8192, 0);
  const ArrayPass together = matrix_pass(64, 16, 4, 0, 2048, 0);  // input and weights in bank 0
  const Measurement free = run(arch, {one_core_group(0, {{}, {instruction(apart)}, {}, {}}, 0)});
  const Measurement stalled = run(arch, {one_core_group(0, {{}, {instruction(together)}, {}, {}}, 0)});
  CHECK(free.groups[0].array_stall == Cycles(0));
  CHECK(stalled.groups[0].array_stall > Cycles(0));
  CHECK(stalled.cycles == free.cycles + stalled.groups[0].array_stall);
  CHECK(stalled.cores[0].scratchpad_conflicts == stalled.groups[0].array_stall.value());
  check_accounting(stalled);
}

TEST_CASE("loads leave the banks to the array and wait", "[chip]") {
  // Eight passes in a row read input and weights of bank 0 without a gap long enough for the loads into the same bank.
  const Architecture arch = small_chip();
  const std::vector<Instruction> passes(8, instruction(matrix_pass(64, 16, 4, 0, 8192, 0)));
  const std::vector<Instruction> loads(4, instruction(load_copy(0, 2048, 2048)));
  const Measurement alone = run(arch, {one_core_group(0, {{}, passes, {}, {}}, 0)});
  const Measurement both = run(arch, {one_core_group(0, {loads, passes, {}, {}}, 0)});
  const Measurement load_alone = run(arch, {one_core_group(0, {loads, {}, {}, {}}, 0)});
  CHECK(alone.groups[0].array_stall == Cycles(0));
  CHECK(both.groups[0].array_stall == Cycles(0));
  CHECK(both.groups[0].array_busy == alone.groups[0].array_busy);
  CHECK(load_alone.cores[0].scratchpad_conflicts == 0);
  CHECK(both.cores[0].scratchpad_conflicts > 0);
  CHECK(both.groups[0].load_busy > load_alone.groups[0].load_busy);
  check_accounting(both);
}

TEST_CASE("a chain of all four queues through semaphores", "[chip]") {
  const Architecture arch = small_chip();
  const CoreId c(0);
  Copy load = load_copy(0, 0, 1024);
  load.extent = {1, 1, 1, 1024};
  InstructionLists lists;
  lists.load = {instruction(load, {}, {{c, 0, 1}}), instruction(load_copy(4096, 4096, 64), {}, {{c, 1, 1}})};
  lists.array = {instruction(matrix_pass(64, 16, 4, 0, 4096, 0), {{0, 1}, {1, 1}}, {{c, 2, 1}})};
  VectorOp requantize;
  requantize.kind = VectorKind::requantize;
  requantize.loops = {{256, DimKind::m}};
  requantize.sources = {dense_tile(Space::accumulator, 0, 256, DataType::int32)};
  requantize.output = dense_tile(Space::scratchpad, 8192, 256, DataType::int8);
  lists.vector = {instruction(requantize, {{2, 1}}, {{c, 3, 1}})};
  lists.store = {instruction(store_copy(8192, 65536, 256), {{3, 1}})};
  const Measurement m = run(arch, {one_core_group(0, lists, 4)});
  check_accounting(m);
  const Cycles array = array_timing({1, 64, 16, 4}, arch.core(c)).latency;
  const Cycles vector = vector_cycles(work_of(requantize), arch.core(c).vector);
  CHECK(m.groups[0].array_busy == array);
  CHECK(m.groups[0].vector_busy == vector);
  CHECK(m.cycles > array + vector + m.groups[0].store_busy);
  CHECK(m.dram.bytes_read == Bytes(1024 + 64));
  CHECK(m.dram.bytes_written == Bytes(256));
  CHECK(m.groups[0].dram_read == m.dram.bytes_read);
  CHECK(m.groups[0].useful_written == Bytes(256));
  CHECK(m.energy.total() > Femtojoules(0));
  Femtojoules groups;
  for (const GroupMeasurement& g : m.groups) groups += g.energy.total();
  CHECK(groups == m.energy.total());
}

TEST_CASE("two cores share the DRAM channel and their links", "[chip]") {
  const Architecture arch = small_chip(2);
  const auto group_for = [&](std::vector<int> cores) {
    GroupProgram group = one_core_group(0, {}, 0);
    group.cores.clear();
    for (const int id : cores) {
      const CoreId core(id);
      GroupProgram part =
          one_core_group(0, {{instruction(load_copy(id * 1048576, 0, 8192, core))}, {}, {}, {}}, 0, core);
      group.cores.push_back(part.cores[0]);
    }
    return group;
  };
  const Measurement one = run(arch, {group_for({0})});
  const Measurement both = run(arch, {group_for({0, 1})});
  check_accounting(both);
  // The channel moves 64 B in 4 of its cycles of 0.63 ns = 2.52 core cycles, a core's link takes 16 B a cycle = 4
  // cycles.
  CHECK(one.cycles.value() >= 8192 / 16);
  CHECK(both.cycles.value() >= 2 * 8192 / 64 * 252 / 100);
  CHECK(both.cycles > one.cycles);
  CHECK(both.dram.bytes_read == Bytes(2 * 8192));
}

TEST_CASE("a multicast load ends when every core has said that it has the data", "[chip]") {
  Architecture arch = small_chip(3);
  const CoreId zero(0);
  const auto load = [&](std::int64_t bytes, const std::vector<CoreId>& others) {
    Copy copy = load_copy(0, 0, bytes, zero);
    copy.multicast = others;
    GroupProgram group = one_core_group(0, {{instruction(copy)}, {}, {}, {}}, 0, zero);
    const Measurement m = run(arch, {group});
    check_accounting(m);
    CHECK(m.dram.bytes_read == Bytes(bytes));
    return m;
  };
  const std::vector<CoreId> both{CoreId(1), CoreId(2)};
  const Measurement alone = load(64, {});
  const Measurement three = load(64, both);
  // The last of the four lines is written in the same cycle everywhere; then the message of one flit: sent in the cycle
  // after, through the router, those of two cores one after the other on core 0's link.
  CHECK(three.cycles == alone.cycles + Cycles(1 + 2 + 1));
  // A request of one flit, four flits of data, two messages.
  CHECK(alone.noc.bytes == Bytes(5 * 16));
  CHECK(three.noc.bytes == Bytes(7 * 16));
  // Data leave the crossbar at three links.
  const auto hops = [](const Measurement& m) { return m.energy[EnergyBlock::noc].value(); };
  CHECK(hops(three) * 5 == hops(alone) * (1 + 3 * 4 + 2));
  const auto banks = [](const Measurement& m) {
    return static_cast<double>(m.energy[EnergyBlock::scratchpad].value());
  };
  CHECK(banks(three) == Approx(3 * banks(alone)).epsilon(1e-4));
  // Many bursts: as long as for one core, but for the messages.
  CHECK(load(8192, both).cycles == load(8192, {}).cycles + Cycles(1 + 2 + 1));

  arch.noc.topology = Topology::bus;
  const Measurement bus_alone = load(64, {});
  const Measurement bus_three = load(64, both);
  CHECK(bus_three.cycles == bus_alone.cycles + Cycles(1 + 2 + 1));
  CHECK(bus_three.noc.bytes == Bytes(7 * 16));
  CHECK(hops(bus_three) * 5 == hops(bus_alone) * 7);  // everybody hears it

  // Cores 0, 1, 2 and the global buffer from the left, the memory at the right: five links from the memory's router,
  // through which data pass once, and three to the cores.
  arch.noc.topology = Topology::mesh;
  arch.noc.rows = 1;
  arch.noc.cols = 5;
  arch.noc.nodes = {"core0", "core1", "core2", "global_buffer", "dram0"};
  const Measurement row_alone = load(64, {});
  const Measurement row_three = load(64, both);
  CHECK(hops(row_three) * (1 * 5 + 4 * 5) == hops(row_alone) * (1 * 5 + 4 * (4 + 3) + 2 + 3));
  CHECK(row_three.noc.bytes == Bytes(7 * 16));
  CHECK(row_three.cycles > row_alone.cycles);
  CHECK(load(8192, both).cycles == load(8192, {}).cycles + (row_three.cycles - row_alone.cycles));
}

TEST_CASE("a taker of a multicast waits for its banks", "[chip]") {
  // Core 1's array reads bank 0 in every cycle for a while; the load of core 0 for both ends after that.
  const Architecture arch = small_chip(2);
  const CoreId one(1);
  Copy copy = load_copy(0, 2048, 64, CoreId(0));
  copy.multicast = {one};
  const std::vector<Instruction> passes(8, instruction(matrix_pass(64, 16, 4, 0, 2048, 0, one)));
  const auto load_busy = [&](const std::vector<Instruction>& work) {
    GroupProgram group = one_core_group(0, {{instruction(copy)}, {}, {}, {}}, 0);
    group.cores.push_back(one_core_group(0, {{}, work, {}, {}}, 0, one).cores[0]);
    return run(arch, {group});
  };
  const Measurement free = load_busy({});
  const Measurement waiting = load_busy(passes);
  CHECK(waiting.groups[0].load_busy > free.groups[0].load_busy);
  std::int64_t conflicts = 0;
  for (const BankConflicts& bank : waiting.cores[1].scratchpad_banks) conflicts += bank.remote;
  CHECK(conflicts > 0);
}

TEST_CASE("data go from core to core and through the global buffer", "[chip]") {
  const Architecture arch = small_chip(2);
  const CoreId zero(0);
  const CoreId one(1);
  Copy to_neighbour = store_copy(0, 0, 512, zero);
  to_neighbour.dst.place = {Space::scratchpad, one, 1024};
  Copy to_buffer = store_copy(1024, 0, 512, one);
  to_buffer.dst.place = {Space::global_buffer, CoreId(), 2048};
  Copy from_buffer = load_copy(2048, 8192, 512, one);
  from_buffer.src.place = {Space::global_buffer, CoreId(), 2048};
  GroupProgram group = one_core_group(0,
                                      {{instruction(load_copy(0, 0, 512), {}, {{zero, 0, 1}})},
                                       {},
                                       {},
                                       {instruction(to_neighbour, {{0, 1}}, {{one, 0, 1}})}},
                                      1, zero);
  GroupProgram other = one_core_group(
      0, {{instruction(from_buffer, {{1, 1}})}, {}, {}, {instruction(to_buffer, {{0, 1}}, {{one, 1, 1}})}}, 2, one);
  group.cores.push_back(other.cores[0]);
  const Measurement m = run(arch, {group});
  check_accounting(m);
  CHECK(m.dram.bytes_read == Bytes(512));
  CHECK(m.dram.bytes_written == Bytes(0));
  // Core 0 writes and reads 512 bytes, core 1 writes them twice and reads them once.
  const MemoryEnergy table = scratchpad_energy(arch.energy, arch.core(zero).scratchpad);
  CHECK(static_cast<double>(m.energy[EnergyBlock::scratchpad].value()) ==
        Approx(512 * 1000 * (3 * table.write_pj_byte + 2 * table.read_pj_byte)).epsilon(1e-4));
  CHECK(m.energy[EnergyBlock::global_buffer] > Femtojoules(0));
}

TEST_CASE("the next group waits for the border, its prefetch does not", "[chip]") {
  const Architecture arch = small_chip();
  const ArrayPass pass = matrix_pass(512, 4, 4, 0, 8192, 0);
  const auto groups_with = [&](bool prefetch) {
    Instruction load = instruction(load_copy(0, 12288, 2048), {}, {});
    load.prefetch = prefetch;
    return std::vector<GroupProgram>{one_core_group(0, {{}, {instruction(pass)}, {}, {}}, 0),
                                     one_core_group(1, {{load}, {instruction(pass)}, {}, {}}, 0)};
  };
  const Measurement late = run(arch, groups_with(false));
  const Measurement early = run(arch, groups_with(true));
  check_accounting(late);
  check_accounting(early);
  CHECK(early.groups[1].start < early.groups[0].end);
  CHECK(late.groups[1].start > late.groups[0].end);
  CHECK(early.cycles <= late.cycles);
}

TEST_CASE("a program that stops says who waits for whom", "[chip]") {
  const Architecture arch = small_chip();
  StoredProgram program(
      program_of({one_core_group(0, {{}, {instruction(matrix_pass(4, 4, 4, 0, 4096, 0), {{1, 2}}, {})}, {}, {}}, 2)}));
  CHECK_THROWS_WITH(simulate(arch, program),
                    "the program makes no progress after cycle 0:\n  core 0 array[0] of group 0 waits for semaphore 1 "
                    "of core 0 (has 0, needs 2), which nobody signals any more");
}

TEST_CASE("two waits of one instruction for one semaphore take both counts", "[chip]") {
  const Architecture arch = small_chip();
  const CoreId c(0);
  const auto group = [&](std::vector<Wait> waits, bool both) {
    InstructionLists lists;
    lists.load = {instruction(load_copy(0, 0, 64), {}, {{c, 0, 1}}), instruction(load_copy(4096, 4096, 2048))};
    if (both) lists.load.back().signals = {{c, 0, 1}};
    lists.array = {instruction(matrix_pass(4, 4, 4, 0, 4096, 0), std::move(waits))};
    return one_core_group(0, lists, 1);
  };
  CHECK(run(arch, {group({{0, 1}, {0, 1}}, true)}).cycles == run(arch, {group({{0, 2}}, true)}).cycles);
  CHECK(run(arch, {group({{0, 1}, {0, 1}}, true)}).cycles > run(arch, {group({{0, 1}}, true)}).cycles);
  StoredProgram program(program_of({group({{0, 1}, {0, 1}}, false)}));
  std::string message;
  try {
    simulate(arch, program);
  } catch (const InternalError& error) {
    message = error.what();
  }
  CHECK(message.find("waits for semaphore 0 of core 0 (has 1, needs 2)") != std::string::npos);
}

TEST_CASE("what a program source throws comes out unchanged", "[chip]") {
  class Failing : public ProgramSource {
   public:
    [[nodiscard]] const ProgramHeader& header() const override { return header_; }
    std::optional<GroupProgram> next() override { throw ConfigError("program.json", "groups[0]", "is wrong"); }

   private:
    ProgramHeader header_;
  };
  Failing source;
  CHECK_THROWS_AS(simulate(small_chip(), source), ConfigError);
}

TEST_CASE("two runs in one process are equal", "[chip]") {
  const Architecture arch = small_chip(2);
  const auto once = [&] {
    return to_json(run(arch, {one_core_group(0,
                                             {{instruction(load_copy(0, 0, 4096))},
                                              {instruction(matrix_pass(64, 8, 8, 8192, 12288, 0))},
                                              {},
                                              {instruction(store_copy(8192, 65536, 1000))}},
                                             0)}));
  };
  Json first = once();
  Json second = once();
  first.erase("simulation_seconds");
  second.erase("simulation_seconds");
  CHECK(first == second);
}

TEST_CASE("every block is a module of its own", "[chip]") {
  const std::vector<std::string> names = accsim::sim::module_names(small_chip(2));
  const std::vector<std::string> expected{"chip",
                                          "chip.noc",
                                          "chip.noc.switch",
                                          "chip.sequencer",
                                          "chip.core0",
                                          "chip.core0.scratchpad",
                                          "chip.core0.accumulator",
                                          "chip.core0.load",
                                          "chip.core0.array",
                                          "chip.core0.vector",
                                          "chip.core0.store",
                                          "chip.core0.server",
                                          "chip.core0.receiver",
                                          "chip.core1",
                                          "chip.core1.scratchpad",
                                          "chip.core1.accumulator",
                                          "chip.core1.load",
                                          "chip.core1.array",
                                          "chip.core1.vector",
                                          "chip.core1.store",
                                          "chip.core1.server",
                                          "chip.core1.receiver",
                                          "chip.global_buffer",
                                          "chip.global_buffer.memory",
                                          "chip.global_buffer.server",
                                          "chip.dram0",
                                          "chip.watchdog"};
  CHECK(names == expected);
}
