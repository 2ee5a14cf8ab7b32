// Two cores that want one bank, or one DRAM channel, against calculations by hand; and who is said to have waited for
// what.
#include <cmath>

#include "model/config/json.h"
#include "sim/system/simulate.h"
#include "tests/catch.h"
#include "tests/support/small_chip.h"

namespace {

using namespace accsim::model;
using namespace accsim::tests;
using accsim::sim::simulate;

// small_chip with a global buffer of 8-byte lines, links of `flit_bytes`, and a DRAM without refresh.
Architecture shared_chip(std::int64_t cores, std::int64_t flit_bytes) {
  Json json = to_json(small_chip(cores));
  json["noc"]["flit_bytes"] = flit_bytes;
  json["global_buffer"]["port_bytes"] = 8;
  json["dram"]["tREFI"] = 0;
  return parse_architecture(json, "shared chip");
}

Copy from_buffer(std::int64_t address, std::int64_t bytes, CoreId core) {
  Copy copy = load_copy(address, 0, bytes, core);
  copy.src.place = {Space::global_buffer, CoreId(), address};
  return copy;
}

// Core i runs the i-th load.
Measurement run_loads(const Architecture& arch, const std::vector<Copy>& loads) {
  GroupProgram group = one_core_group(0, {}, 0);
  group.cores.clear();
  for (const Copy& load : loads) {
    Instruction instruction;
    instruction.op = load;
    group.cores.push_back(one_core_group(0, {{instruction}, {}, {}, {}}, 0, load.dst.place.core).cores[0]);
  }
  StoredProgram program(program_of({group}));
  return simulate(arch, program);
}

constexpr std::int64_t kBank = 16 * 1024;  // bytes of a bank of the global buffer
constexpr std::int64_t kBurst = 64;

Cycles waited_for(const CoreMeasurement& core, WaitFor what, std::int64_t index) {
  Cycles sum;
  for (const WaitMeasurement& wait : core.waits)
    sum += wait.what == what && wait.index == index ? wait.cycles : Cycles(0);
  return sum;
}

}  // namespace

TEST_CASE("two cores read one bank of the global buffer: one after the other, to the cycle", "[contention]") {
  // A burst is 8 lines of 8 bytes: its bank is busy for 8 cycles; a link carries it in 4. The requests of both cores
  // leave in one cycle and reach the buffer in cycles t and t + 1, through one link.
  const Architecture arch = shared_chip(2, 16);
  const CoreId zero(0);
  const CoreId one(1);
  const Measurement apart = run_loads(arch, {from_buffer(0, kBurst, zero), from_buffer(kBank, kBurst, one)});
  const Measurement same = run_loads(arch, {from_buffer(0, kBurst, zero), from_buffer(kBurst, kBurst, one)});
  // Apart: both banks work at once; the second answer is ready in t + 10, but the link carries the first one until t
  // + 12. Same: the second access waits from t + 1 to t + 8, its answer is ready in t + 17. Four cycles later than t
  // + 13.
  CHECK(same.cycles - apart.cycles == Cycles(4));
  CHECK(apart.global_buffer_banks.empty());
  REQUIRE(same.global_buffer_banks.size() == 1);
  CHECK(same.global_buffer_banks[0].bank == 0);
  CHECK(same.global_buffer_banks[0].remote == 7);
  CHECK(same.global_buffer_banks[0].load == 0);

  // Many bursts: the bank sets the pace, 8 cycles each, and neither core loses to the other.
  const auto cycles_of = [&](std::int64_t bursts, std::int64_t second) {
    return run_loads(arch, {from_buffer(0, bursts * kBurst, zero), from_buffer(second, bursts * kBurst, one)}).cycles;
  };
  CHECK(cycles_of(64, 8192) - cycles_of(32, 8192) == Cycles(2 * 32 * 8));
  // Two banks: the buffer's link sets it, 4 cycles each.
  CHECK(cycles_of(64, kBank) - cycles_of(32, kBank) == Cycles(2 * 32 * 4));
}

TEST_CASE("two cores read one bank of a third core's scratchpad", "[contention]") {
  // 4 lines of 16 bytes a burst, and a link that carries it in one cycle: the bank sets the pace.
  const Architecture arch = shared_chip(3, 64);
  const auto from_core = [&](std::int64_t address, std::int64_t bytes, CoreId core) {
    Copy copy = load_copy(address, 0, bytes, core);
    copy.src.place = {Space::scratchpad, CoreId(0), address};
    return copy;
  };
  const auto run = [&](std::int64_t bursts) {
    return run_loads(arch, {from_core(0, bursts * kBurst, CoreId(1)), from_core(2048, bursts * kBurst, CoreId(2))});
  };
  const Measurement few = run(16);
  const Measurement many = run(32);
  CHECK(many.cycles - few.cycles == Cycles(2 * 16 * 4));
  REQUIRE(many.cores[0].scratchpad_banks.size() == 1);
  CHECK(many.cores[0].scratchpad_banks[0].bank == 0);
  CHECK(many.cores[0].scratchpad_banks[0].remote > few.cores[0].scratchpad_banks[0].remote);
  CHECK(many.cores[1].scratchpad_banks.empty());
  CHECK(waited_for(many.cores[1], WaitFor::other_scratchpad, 0) > Cycles(0));
}

TEST_CASE("two cores share one DRAM channel: its data bus sets the pace", "[contention]") {
  // Links of a whole burst; each core takes a burst every 4 cycles, the channel gives one every 4 of its own cycles of
  // 0.63 ns where they alternate between two bank groups, 2.52 ns: two cores want one every 2 ns.
  const Architecture arch = shared_chip(2, 64);
  const DramConfig& dram = arch.dram;
  REQUIRE(dram.t_ccd_s == 4);
  DramAddress other;
  other.bankgroup = 1;
  const auto second = static_cast<std::int64_t>(dram.encode(other));
  const auto run = [&](std::int64_t bursts) {
    return run_loads(arch,
                     {load_copy(0, 0, bursts * kBurst, CoreId(0)), load_copy(second, 0, bursts * kBurst, CoreId(1))});
  };
  const Measurement few = run(32);
  const Measurement many = run(96);
  const double expected = 2 * 64 * 4 * 0.63;
  CHECK(std::abs(static_cast<double>((many.cycles - few.cycles).value()) - expected) <= 2);
  const Measurement alone = run_loads(arch, {load_copy(0, 0, 96 * kBurst, CoreId(0))});
  CHECK(many.cycles > alone.cycles);
  CHECK(many.dram.activates == 2);
  for (const CoreMeasurement& core : many.cores) {
    CHECK(waited_for(core, WaitFor::dram_channel, 0) > Cycles(0));
    CHECK(waited_for(core, WaitFor::dram_channel, 0) == core.load[CycleState::dram_wait]);
  }
}

TEST_CASE("two cores share one link, the global buffer's way out: it sets the pace", "[contention]") {
  // Banks of their own for the cores, links of 16 bytes: a burst holds one for 4 cycles. Alone, a core's own link takes
  // as long, and the bank's 8 cycles a burst are hidden by reading two banks in turn.
  const Architecture arch = shared_chip(2, 16);
  const CoreId zero(0);
  const CoreId one(1);
  const auto both = [&](std::int64_t bursts) {
    return run_loads(arch, {from_buffer(0, bursts * kBurst, zero), from_buffer(kBank, bursts * kBurst, one)});
  };
  const Measurement few = both(32);
  const Measurement many = both(64);
  CHECK(many.cycles - few.cycles == Cycles(2 * 32 * 4));
  CHECK(many.noc.max_link_utilization > 0.9);
  CHECK(waited_for(many.cores[0], WaitFor::global_buffer, 0) + waited_for(many.cores[1], WaitFor::global_buffer, 0) >
        Cycles(0));
}
