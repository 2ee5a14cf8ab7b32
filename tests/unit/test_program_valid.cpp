// Valid programs pass the verifier, whatever way of working together they use.
#include "model/program/byte_map.h"
#include "model/program/interval_set.h"
#include "model/program/verify.h"
#include "model/program/verify_order.h"
#include "tests/catch.h"
#include "tests/support/small_programs.h"

namespace {

using namespace accsim;
using namespace accsim::tests;

// "" or kind and message of the first violation.
std::string verdict(const model::Program& program) {
  const model::Architecture arch = tiny_architecture();
  model::StoredProgram source(program);
  const auto violation = model::verify_program(arch, source);
  return violation ? violation->kind + ": " + violation->message : "";
}

}  // namespace

TEST_CASE("valid programs have no violation") {
  CHECK(verdict(pipeline_program()).empty());
  CHECK(verdict(prefetch_program()).empty());
  CHECK(verdict(exchange_program()).empty());
  CHECK(verdict(join_program()).empty());
  CHECK(verdict(global_buffer_program()).empty());
  for (std::int64_t tiles = 1; tiles <= 6; ++tiles) {
    CHECK(verdict(exchange_program(tiles)).empty());
    CHECK(verdict(join_program(tiles)).empty());
  }
}

TEST_CASE("order within a group follows queues and semaphores") {
  const model::Program program = pipeline_program();
  model::GroupOrder order(program.groups[0]);
  REQUIRE_FALSE(order.run());
  REQUIRE(order.sequence().size() == 5 + 8 + 4 + 4);
  // Numbered queue by queue: loads 0..4 (weights first), passes 5..12, requantize 13..16, stores 17..20.
  CHECK(order.name(0) == "core 0 load[0]");
  CHECK(order.name(13) == "core 0 vector[0]");
  CHECK(order.ended_before(0, 5));        // the weights are there
  CHECK(order.ended_before(1, 5));        // the first input tile is there
  CHECK_FALSE(order.ended_before(2, 5));  // the second need not be
  CHECK(order.ended_before(2, 7));
  CHECK_FALSE(order.ended_before(5, 6));  // passes overlap
  CHECK_FALSE(order.ended_before(0, 1));  // loads overlap
  CHECK(order.ended_before(13, 14));      // vector operations do not
  CHECK(order.ended_before(6, 3));        // the third input tile waits for the first to be consumed
  CHECK_FALSE(order.ended_before(8, 3));
  CHECK(order.ended_before(13, 9));   // sums are free again
  CHECK(order.ended_before(17, 15));  // output buffers too
  CHECK_FALSE(order.ended_before(17, 14));
}

TEST_CASE("a wait on a semaphore that two queues signal is ordered after what it cannot do without") {
  const model::Program program = join_program(3);
  model::GroupOrder order(program.groups[0]);
  REQUIRE_FALSE(order.run());
  // core 0: loads 0..2, stores 3..5; core 1: loads 6..8, moves 9..11, stores 12..14.
  REQUIRE(order.name(9) == "core 1 vector[0]");
  for (int tile = 0; tile < 3; ++tile) {
    CHECK(order.ended_before(3 + tile, 9 + tile));
    CHECK(order.ended_before(6 + tile, 9 + tile));
    if (tile < 2) {
      CHECK(order.ended_before(9 + tile, 4 + tile));
      CHECK(order.ended_before(9 + tile, 7 + tile));
    }
    CHECK_FALSE(order.ended_before(3 + tile, 6 + tile));  // the halves come in any order
  }
}

TEST_CASE("interval sets merge, cut and tell what overlaps") {
  model::IntervalSet set;
  CHECK_FALSE(set.add(10, 20));
  CHECK_FALSE(set.add(20, 30));  // touches
  CHECK(set.intervals().size() == 1);
  CHECK_FALSE(set.add(40, 50));
  CHECK(set.add(49, 60));
  CHECK_FALSE(set.add(5, 5));
  CHECK(set.covers(10, 30));
  CHECK_FALSE(set.covers(10, 31));
  CHECK(set.first_gap(10, 60) == 30);
  CHECK(set.first_gap(0, 60) == 0);
  CHECK(set.first_common(30, 41) == 40);
  CHECK_FALSE(set.first_common(30, 40));
  set.remove(15, 45);
  CHECK(set.intervals() == std::map<std::int64_t, std::int64_t>{{10, 15}, {45, 60}});
  CHECK_FALSE(set.add(15, 45));
  CHECK(set.intervals() == std::map<std::int64_t, std::int64_t>{{10, 60}});
}

TEST_CASE("interval sets and byte maps agree with a plain array of flags") {
  constexpr std::int64_t kBytes = 300;
  std::uint32_t random = 12345;
  const auto draw = [&](std::int64_t n) {
    random = random * 1664525U + 1013904223U;
    return static_cast<std::int64_t>(random >> 8U) % n;
  };
  for (int round = 0; round < 200; ++round) {
    model::IntervalSet set;
    model::ByteMap map(1000, 1000 + kBytes);
    std::vector<bool> flags(kBytes, false);
    bool removed = false;
    for (int step = 0; step < 30; ++step) {
      const std::int64_t begin = draw(kBytes);
      const std::int64_t end = begin + draw(kBytes - begin + 1);
      if (draw(4) == 0) {
        removed = true;
        set.remove(begin, end);
        for (std::int64_t b = begin; b < end; ++b) flags[static_cast<std::size_t>(b)] = false;
      } else {
        bool before = false;
        for (std::int64_t b = begin; b < end; ++b) {
          before = before || flags[static_cast<std::size_t>(b)];
          flags[static_cast<std::size_t>(b)] = true;
        }
        REQUIRE(set.add(begin, end) == before);
        const bool marked = map.add(1000 + begin, 1000 + end);
        if (!removed) REQUIRE(marked == before);
      }
      const auto gap = std::find(flags.begin() + begin, flags.begin() + end, false);
      const auto common = std::find(flags.begin() + begin, flags.begin() + end, true);
      REQUIRE(set.first_gap(begin, end).value_or(end) == gap - flags.begin());
      REQUIRE(set.first_common(begin, end).value_or(end) == common - flags.begin());
      if (!removed) {
        REQUIRE(map.first_gap().value_or(1000 + kBytes) - 1000 ==
                std::find(flags.begin(), flags.end(), false) - flags.begin());
      }
    }
  }
}

TEST_CASE("a tile that is written counts with the elements its loops reach, one that is read with its box") {
  model::TileRef tile{scratchpad(0, 100), model::DataType::int16, {axis(4, 10, {1, 0}), axis(8, 1, {0, 2})}};
  tile.axes[1].step = 2;  // every other coordinate is stored
  const std::vector<model::Loop> loops{{3, model::DimKind::m}, {8, model::DimKind::m}};
  const auto rows = [](const model::StridedRange& range) {
    std::vector<std::pair<std::int64_t, std::int64_t>> list;
    range.each_row([&](std::int64_t begin, std::int64_t end) {
      list.emplace_back(begin, end);
      return true;
    });
    return list;
  };
  using Rows = std::vector<std::pair<std::int64_t, std::int64_t>>;
  CHECK(rows(model::written_range(tile, loops)) == Rows{{100, 116}, {120, 136}, {140, 156}});
  CHECK(rows(model::read_range(tile)) == Rows{{100, 116}, {120, 136}, {140, 156}, {160, 176}});
  tile.axes[0].stride = 8;  // dense
  CHECK(rows(model::written_range(tile, loops)) == Rows{{100, 148}});
  tile.axes[1].count = 0;  // all of it is padding
  CHECK(rows(model::read_range(tile)).empty());
  tile.axes[1].count = 8;
  tile.type = model::DataType::int4;
  CHECK(rows(model::read_range(tile)) == Rows{{100, 116}});
}
