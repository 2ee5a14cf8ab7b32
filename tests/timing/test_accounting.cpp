// Every cycle in which an engine does not compute has a cause; timelines show the same cycles, and change nothing.
#include <algorithm>
#include <map>
#include <vector>

#include "model/result/result.h"
#include "sim/dram/runner.h"
#include "sim/system/simulate.h"
#include "tests/catch.h"
#include "tests/support/small_chip.h"

namespace {

using namespace accsim::model;
using namespace accsim::tests;
using accsim::sim::simulate;
using accsim::sim::SimulationOptions;
using accsim::sim::TraceSlice;

Instruction instruction(std::variant<Copy, ArrayPass, VectorOp> op, std::vector<Wait> waits = {},
                        std::vector<Signal> signals = {}) {
  Instruction i;
  i.op = std::move(op);
  i.waits = std::move(waits);
  i.signals = std::move(signals);
  return i;
}

VectorOp requantize(std::int64_t sums, std::int64_t to) {
  VectorOp op;
  op.kind = VectorKind::requantize;
  op.loops = {{256, DimKind::m}};
  op.sources = {dense_tile(Space::accumulator, sums, 256, DataType::int32)};
  op.output = dense_tile(Space::scratchpad, to, 256, DataType::int8);
  return op;
}

// Loads, passes, vector operations and stores in a chain, tile after tile, operands of a pass in one bank; two groups.
std::vector<GroupProgram> chain(std::int64_t tiles) {
  const CoreId c(0);
  std::vector<GroupProgram> groups;
  for (int g = 0; g < 2; ++g) {
    InstructionLists lists;
    for (std::int64_t t = 0; t < tiles; ++t) {
      lists.load.push_back(instruction(load_copy(4096 * t, 0, 1024 + 64), {}, {{c, 0, 1}}));
      lists.array.push_back(instruction(matrix_pass(64, 16, 4, 0, 1024, 0), {{0, 1}}, {{c, 1, 1}}));
      lists.vector.push_back(instruction(requantize(0, 8192), {{1, 1}}, {{c, 2, 1}}));
      lists.store.push_back(instruction(store_copy(8192, 65536 + 256 * t, 256), {{2, 1}}));
    }
    groups.push_back(one_core_group(g, lists, 3));
  }
  return groups;
}

Measurement run(const Architecture& arch, std::vector<GroupProgram> groups, const SimulationOptions& options = {}) {
  StoredProgram program(program_of(std::move(groups)));
  return simulate(arch, program, options);
}

const std::map<Queue, CycleAccount CoreMeasurement::*> kAccounts{{Queue::load, &CoreMeasurement::load},
                                                                 {Queue::array, &CoreMeasurement::array},
                                                                 {Queue::vector, &CoreMeasurement::vector},
                                                                 {Queue::store, &CoreMeasurement::store}};

struct Recorder : accsim::sim::TraceSink {
  std::vector<TraceSlice> slices;
  std::int64_t bytes_read = 0, bytes_written = 0, burst_bytes = 0;
  Cycles busy_until, last_burst;
  bool channels_in_order = true;
  void slice(const TraceSlice& slice) override { slices.push_back(slice); }
  void channel_busy(std::int64_t, Cycles begin, Cycles end, std::int64_t read, std::int64_t written) override {
    channels_in_order = channels_in_order && begin >= busy_until && end > begin;
    busy_until = end;
    bytes_read += read;
    bytes_written += written;
  }
  void burst(bool, std::int64_t bytes, Cycles at) override {
    burst_bytes += bytes;
    last_burst = std::max(last_burst, at);
  }
};

}  // namespace

TEST_CASE("what engines waited for adds up to the states of each engine", "[accounting]") {
  const Measurement m = run(small_chip(2), chain(6));
  for (const CoreMeasurement& core : m.cores) {
    for (const auto& [queue, account] : kAccounts) {
      CycleAccount waits;
      for (const WaitMeasurement& wait : core.waits) {
        if (wait.engine != static_cast<std::int64_t>(queue)) continue;
        CHECK(wait.cycles > Cycles(0));
        waits[wait.state] += wait.cycles;
      }
      CHECK(waits[CycleState::compute] == Cycles(0));
      waits[CycleState::compute] = (core.*account)[CycleState::compute];
      CHECK(waits.cycles == (core.*account).cycles);
    }
  }
}

TEST_CASE("a wait names the semaphore, who signals it, the channel and the bank", "[accounting]") {
  const Measurement m = run(small_chip(), chain(6));
  const auto cycles = [&](Queue engine, WaitFor what, std::int64_t index, std::int64_t giver) {
    Cycles sum;
    for (const WaitMeasurement& wait : m.cores[0].waits) {
      const bool same = wait.engine == static_cast<std::int64_t>(engine) && wait.what == what && wait.index == index;
      if (same && wait.giver == giver) sum += wait.cycles;
    }
    return sum;
  };
  const auto engine = [](Queue queue) { return static_cast<std::int64_t>(queue); };
  CHECK(cycles(Queue::array, WaitFor::semaphore, 0, engine(Queue::load)) > Cycles(0));
  CHECK(cycles(Queue::vector, WaitFor::semaphore, 1, engine(Queue::array)) > Cycles(0));
  CHECK(cycles(Queue::store, WaitFor::semaphore, 2, engine(Queue::vector)) > Cycles(0));
  CHECK(cycles(Queue::load, WaitFor::dram_channel, 0, kNoGiver) == m.cores[0].load[CycleState::dram_wait]);
  CHECK(cycles(Queue::array, WaitFor::scratchpad_bank, 0, kNoGiver) > Cycles(0));
  // A queue that finds its semaphore there waits for its own issue only: one cycle.
  const Measurement free =
      run(small_chip(), {one_core_group(0, {{}, {instruction(matrix_pass(64, 16, 4, 0, 4096, 0))}, {}, {}}, 0)});
  REQUIRE(free.cores[0].array[CycleState::sync_wait] == Cycles(1));
  const auto issue = std::find_if(free.cores[0].waits.begin(), free.cores[0].waits.end(),
                                  [](const WaitMeasurement& wait) { return wait.what == WaitFor::issue; });
  REQUIRE(issue != free.cores[0].waits.end());
  CHECK(issue->cycles == Cycles(1));
}

TEST_CASE("conflicts are told by bank and by who lost them, and sum to the total", "[accounting]") {
  const Measurement m = run(small_chip(), chain(6));
  const CoreMeasurement& core = m.cores[0];
  std::int64_t sum = 0;
  for (const BankConflicts& bank : core.scratchpad_banks) {
    sum += bank.array + bank.vector + bank.load + bank.store + bank.remote;
  }
  CHECK(sum == core.scratchpad_conflicts);
  REQUIRE_FALSE(core.scratchpad_banks.empty());
  CHECK(core.scratchpad_banks[0].bank == 0);
  CHECK(core.scratchpad_banks[0].array > 0);
  const Json json = to_json(m);
  CHECK(to_json(parse_measurement(json, "m.json")) == json);
}

TEST_CASE("a timeline holds the cycles of the account, slice by slice, and changes nothing", "[accounting]") {
  const Architecture arch = small_chip(2);
  Recorder recorder;
  SimulationOptions options;
  options.trace = &recorder;
  Json traced = to_json(run(arch, chain(6), options));
  Measurement m = run(arch, chain(6));
  Json plain = to_json(m);
  traced.erase("simulation_seconds");
  plain.erase("simulation_seconds");
  CHECK(traced == plain);

  std::map<std::pair<std::int32_t, Queue>, Cycles> ends;
  std::map<Queue, CycleAccount> drawn;
  std::map<Queue, int> instructions;
  for (const TraceSlice& slice : recorder.slices) {
    CHECK(slice.end > slice.begin);
    Cycles& end = ends[{slice.core.value(), slice.queue}];
    CHECK(slice.begin >= end);
    end = slice.end;
    REQUIRE(slice.core == CoreId(0));
    if (slice.state == CycleState::compute) ++instructions[slice.queue];
    if (slice.state == CycleState::compute && slice.account.total() > Cycles(0)) {
      CHECK(slice.account.total() == slice.end - slice.begin);
      for (std::size_t s = 0; s < kCycleStates; ++s) drawn[slice.queue].cycles[s] += slice.account.cycles[s];
    } else {
      drawn[slice.queue][slice.state] += slice.end - slice.begin;
    }
  }
  for (const auto& [queue, account] : kAccounts) {
    INFO(name_of(queue));
    CycleAccount expected = m.cores[0].*account;
    expected[CycleState::idle] = Cycles(0);
    CHECK(drawn[queue].cycles == expected.cycles);
    CHECK(instructions[queue] == 12);
  }
  CHECK(recorder.channels_in_order);
  CHECK(Bytes(recorder.bytes_read) == m.dram.bytes_read);
  CHECK(Bytes(recorder.bytes_written) == m.dram.bytes_written);
  CHECK(Bytes(recorder.burst_bytes) == m.dram.bytes_read + m.dram.bytes_written);
}

TEST_CASE("the DRAM requests of a run, replayed alone, take the same cycles", "[accounting]") {
  const Architecture arch = small_chip();
  std::vector<accsim::sim::DramRequest> requests;
  Recorder recorder;
  SimulationOptions options;
  options.trace = &recorder;
  options.dram_trace = [&](const accsim::sim::DramRequestRecord& record) {
    requests.push_back({static_cast<std::uint64_t>(record.address), record.write, record.cycle});
  };
  // The last thing that happens is a read.
  std::vector<GroupProgram> groups = chain(6);
  groups.push_back(one_core_group(2, {{instruction(load_copy(131072, 0, 4096))}, {}, {}, {}}, 0));
  const Measurement m = run(arch, groups, options);
  const accsim::sim::DramRunResult alone =
      accsim::sim::run_dram_requests(arch.dram, requests, {accsim::sim::DramMode::trace}, true);
  CHECK(alone.totals.reads_accepted + alone.totals.writes_accepted == static_cast<std::int64_t>(requests.size()));
  CHECK(alone.totals.reads == m.dram.reads);
  CHECK(alone.totals.activates == m.dram.activates);
  CHECK(alone.totals.writes >=
        m.dram.writes);  // replayed alone, the controller goes on until its buffer is down to write_tail
  const auto last = std::find_if(alone.commands.rbegin(), alone.commands.rend(), [](const auto& command) {
    return command.kind == accsim::sim::DramCommandKind::read;
  });
  REQUIRE(last != alone.commands.rend());
  // The last answer leaves in the core cycle after the one in which the burst is complete.
  const std::int64_t ps = arch.dram.picoseconds(last->cycle + Cycles(arch.dram.derived.read_delay));
  CHECK((recorder.last_burst == Cycles((ps + 999) / 1000 + 1)));
}
