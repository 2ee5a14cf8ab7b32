// Reservations of ports against a table of cycles that knows nothing of intervals.
#include <random>
#include <set>

#include "sim/core/banked_memory.h"
#include "tests/catch.h"

namespace {

using accsim::model::MemoryConfig;
using accsim::sim::BankedMemory;
using accsim::sim::Cycles;
using accsim::sim::Master;
using accsim::sim::PortCalendar;

// The same rules, cycle by cycle.
class SlotTable {
 public:
  std::int64_t take_one(std::int64_t t) {
    while (taken_.contains(t)) ++t;
    taken_.insert(t);
    return t;
  }
  std::int64_t take(std::int64_t t, std::int64_t count) {
    for (std::int64_t k = 0; k < count; ++k) t = take_one(t) + 1;
    return t;
  }
  std::int64_t take_stream(std::int64_t start, std::int64_t span, std::int64_t count) {
    std::int64_t late = 0;
    for (std::int64_t k = 0; k < count; ++k) {
      const std::int64_t wanted = start + k * span / count + late;
      late += take_one(wanted) - wanted;
    }
    return late;
  }

 private:
  std::set<std::int64_t> taken_;
};

}  // namespace

TEST_CASE("a port's calendar gives what a table of cycles gives", "[scratchpad]") {
  std::mt19937_64 random(7);
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  for (int round = 0; round < 400; ++round) {
    PortCalendar calendar;
    SlotTable table;
    std::int64_t now = 0;
    for (int step = 0; step < 40; ++step) {
      now += below(30);
      if (below(4) == 0) calendar.forget_before(now);
      const std::int64_t wanted = now + below(20);
      if (below(2) == 0) {
        const std::int64_t count = 1 + below(4);
        REQUIRE(calendar.take(wanted, count) == table.take(wanted, count));
      } else {
        const std::int64_t count = 1 + below(40);
        // All accesses of a stream at a fixed rate, dense or with gaps.
        const std::int64_t span = count * (1 + below(3)) + (below(2) == 0 ? below(count) : 0);
        CAPTURE(round, step, wanted, span, count);
        const std::int64_t expected = table.take_stream(wanted, span, count);
        REQUIRE(calendar.take_stream(wanted, span, count) == expected);
      }
    }
  }
}

TEST_CASE("an access needs a cycle a line and waits for a busy bank", "[scratchpad]") {
  MemoryConfig config;
  config.size_kib = 16;
  config.banks = 4;
  config.port_bytes = 16;
  BankedMemory memory(config);
  // 64 bytes = 4 lines of bank 0.
  CHECK(memory.access(Master::load, Cycles(10), 0, 64) == Cycles(14));
  // The same bank two cycles later waits for two, another bank does not.
  CHECK(memory.access(Master::load, Cycles(12), 128, 16) == Cycles(15));
  CHECK(memory.access(Master::load, Cycles(12), 4096, 16) == Cycles(13));
  CHECK(memory.conflict_cycles() == 2);
  CHECK(memory.conflict_cycles(0, Master::load) == 2);
  CHECK(memory.conflict_cycles(1, Master::load) == 0);
  CHECK(memory.first_free(0, Cycles(11)) == Cycles(15));
  CHECK(memory.bank_of(4096) == 1);
  // Bytes across a line border take two lines.
  CHECK(memory.access(Master::load, Cycles(100), 8, 16) == Cycles(102));
}

TEST_CASE("a stream that needs more lines than cycles is late by the difference", "[scratchpad]") {
  MemoryConfig config;
  config.size_kib = 16;
  config.banks = 4;
  config.port_bytes = 16;
  BankedMemory memory(config);
  CHECK(memory.stream(Master::array, Cycles(0), Cycles(10), 0, 256, 10) == Cycles(0));
  CHECK(memory.stream(Master::array, Cycles(100), Cycles(10), 0, 256, 16) == Cycles(6));
  // Two streams of full rate on one bank: the second waits for the first.
  CHECK(memory.stream(Master::array, Cycles(200), Cycles(10), 0, 160, 10) == Cycles(0));
  CHECK(memory.stream(Master::array, Cycles(204), Cycles(10), 0, 160, 10) == Cycles(6));
  // On two banks they do not meet.
  CHECK(memory.stream(Master::array, Cycles(300), Cycles(10), 0, 160, 10) == Cycles(0));
  CHECK(memory.stream(Master::array, Cycles(300), Cycles(10), 4096, 160, 10) == Cycles(0));
}

TEST_CASE("cycles in which several wait count once") {
  std::mt19937_64 random(5);
  const auto below = [&](int n) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n)); };
  for (int round = 0; round < 200; ++round) {
    accsim::sim::WaitedCycles waited;
    std::set<std::int64_t> cycles;
    for (int i = 0; i < 40; ++i) {
      const std::int64_t from = 3 * i + below(60);
      const std::int64_t until = from + below(12);
      waited.add(from, until);
      for (std::int64_t t = from; t < until; ++t) cycles.insert(t);
      REQUIRE(waited.count() == static_cast<std::int64_t>(cycles.size()));
    }
  }
}
