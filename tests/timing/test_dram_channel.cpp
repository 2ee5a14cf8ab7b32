// The event-skipping DRAM channel against a controller that steps every cycle, on random parameters and streams; exact
// cycles of single rules ("legal at t, illegal at t - 1"); waking, idling and the end of a run.
#include <algorithm>
#include <string>
#include <vector>

#include "sim/dram/channel.h"
#include "sim/dram/runner.h"
#include "tests/catch.h"
#include "tests/reference/dram_patterns.h"
#include "tests/timing/dram_stepper.h"

namespace {

namespace model = accsim::model;
namespace sim = accsim::sim;
namespace tests = accsim::tests;
using sim::Cycles;
using sim::DramChannel;
using sim::DramCommand;
using sim::DramCommandKind;
using tests::DramStepper;
using tests::SplitMix;

const std::filesystem::path kPresets = std::filesystem::path(ACCSIM_SOURCE_DIR) / "configs" / "dram";

model::DramConfig preset(const std::string& name, const std::vector<std::string>& settings = {}) {
  const model::Origin at{"", "test"};
  return model::load_dram(name, model::parse_dram_settings(settings, at), kPresets, at);
}

struct Arrival {
  std::int64_t cycle;
  model::DramAddress at;
  bool write;
};

bool same(const DramCommand& a, const DramCommand& b) {
  return a.cycle == b.cycle && a.kind == b.kind && a.by_refresh == b.by_refresh && a.rank == b.rank &&
         a.bankgroup == b.bankgroup && a.bank == b.bank && a.row == b.row && a.column == b.column;
}

std::string difference(const std::vector<DramCommand>& a, const std::vector<DramCommand>& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (!same(a[i], b[i])) return std::to_string(i) + ": " + sim::to_line(a[i], 1) + " / " + sim::to_line(b[i], 1);
  }
  return a.size() == b.size() ? "" : std::to_string(a.size()) + " / " + std::to_string(b.size()) + " commands";
}

struct Outcome {
  std::vector<DramCommand> log;
  std::vector<DramStepper::Return> returns;
  std::int64_t end = 0;
  std::int64_t active = 0;
  std::int64_t buffered = 0;
};

void sort(std::vector<DramStepper::Return>& returns) {
  std::sort(returns.begin(), returns.end(), [](const auto& a, const auto& b) { return a.tag < b.tag; });
}

// In order; an arrival that finds no room waits and holds back the others.
Outcome run_stepper(const model::DramConfig& config, const std::vector<Arrival>& arrivals) {
  DramStepper channel(config);
  std::size_t next = 0;
  Outcome outcome;
  for (;;) {
    while (next < arrivals.size() && arrivals[next].cycle <= channel.cycle() &&
           channel.can_accept(arrivals[next].write)) {
      channel.accept(next, arrivals[next].at, arrivals[next].write);
      ++next;
    }
    if (next == arrivals.size()) channel.end_of_requests();
    channel.step();
    if (next == arrivals.size() && channel.drained()) break;
    REQUIRE(channel.cycle() < 10'000'000);
  }
  outcome.log = channel.log();
  outcome.returns = channel.returns();
  outcome.end = channel.cycle();
  outcome.active = channel.active_rank_cycles();
  outcome.buffered = channel.buffered_writes();
  sort(outcome.returns);
  return outcome;
}

// The same by a module that sleeps until wake().
Outcome run_sleeping(const model::DramConfig& config, const std::vector<Arrival>& arrivals, std::int64_t end) {
  DramChannel channel(config, 0);
  Outcome outcome;
  channel.set_command_log(&outcome.log);
  std::size_t next = 0;
  std::int64_t now = 0;
  std::int64_t returned_before = 0;
  for (;;) {
    channel.advance(Cycles(now));
    for (; channel.has_completion() && channel.next_completion().cycle.value() <= now; channel.pop_completion()) {
      // Known in time: no completion is seen later than its cycle, and none before the last one.
      REQUIRE(channel.next_completion().cycle.value() == now);
      REQUIRE(channel.next_completion().cycle.value() >= returned_before);
      returned_before = channel.next_completion().cycle.value();
      outcome.returns.push_back({channel.next_completion().cycle.value(), channel.next_completion().tag});
    }
    while (next < arrivals.size() && arrivals[next].cycle <= now && channel.can_accept(arrivals[next].write)) {
      const Cycles done = channel.accept(next, arrivals[next].at, arrivals[next].write);
      if (!arrivals[next].write && done != sim::kNever) outcome.returns.push_back({done.value(), next});
      ++next;
    }
    const bool waits = next < arrivals.size() && arrivals[next].cycle <= now;
    std::int64_t wake = channel.wake(waits).value();
    if (next < arrivals.size() && !waits) wake = std::min(wake, arrivals[next].cycle);
    if (next == arrivals.size() && wake == sim::kNever.value()) break;
    REQUIRE(wake > now);
    now = wake;
  }
  channel.begin_flush();
  // A flush that would start before the stepper's last request is too early to compare; the stepper ends by itself.
  while (!channel.drained()) REQUIRE(channel.step());
  channel.advance(Cycles(std::max(end, channel.now().value())));
  outcome.end = channel.now().value();
  outcome.active = channel.statistics().active_cycles;
  outcome.buffered = channel.buffered_writes();
  sort(outcome.returns);
  return outcome;
}

std::int64_t between(SplitMix& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
}

model::DramConfig random_config(SplitMix& random) {
  static const std::vector<std::string> kBases{"ref-ddr4-3200", "ref-lpddr4-2400", "ref-hbm2", "ref-gddr6",
                                               "lpddr5-6400"};
  model::DramConfig c = preset(kBases[random() % kBases.size()]);
  c.channels = 1;
  c.ranks = std::int64_t{1} << between(random, 0, 2);
  c.bankgroups = std::int64_t{1} << between(random, 0, 2);
  c.banks_per_group = std::int64_t{1} << between(random, 0, 2);
  c.cmd_queue_size = between(random, 1, 8);
  c.trans_queue_size = between(random, 1, 32);
  c.write_buffer_size = between(random, 1, 32);
  c.write_drain_low = between(random, 0, 10);
  c.write_tail = c.write_drain_low;
  c.hit_cap = between(random, 1, 6);
  c.cl = between(random, 4, 24);
  c.cwl = between(random, 2, c.cl);
  c.t_rcd = between(random, 2, 24);
  c.t_rcdrd = between(random, 2, 24);
  c.t_rcdwr = between(random, 2, 24);
  c.al = between(random, 0, 3) == 0 ? between(random, 0, std::min({c.t_rcd, c.t_rcdrd, c.t_rcdwr})) : 0;
  c.t_rp = between(random, 2, 24);
  c.t_ras = between(random, 10, 60);
  c.t_rc = between(random, 0, 1) == 0 ? 0 : c.t_ras + c.t_rp + between(random, 0, 10);
  c.t_ccd_s = between(random, 1, 6);
  c.t_ccd_l = between(random, 1, 10);
  c.t_rtrs = between(random, 0, 3);
  c.t_rtp = between(random, 2, 12);
  c.t_wtr_s = between(random, 1, 8);
  c.t_wtr_l = between(random, 1, 14);
  c.t_wr = between(random, 4, 30);
  c.t_rrd_s = between(random, 1, 9);
  c.t_rrd_l = between(random, 1, 12);
  c.t_faw = between(random, 4, 60);
  c.t_32aw = between(random, 100, 500);
  c.t_ppd = between(random, 0, 4);
  c.t_rfc = between(random, 50, 400);
  c.t_refi =
      between(random, 0, 4) == 0 ? 0 : c.ranks * (c.t_rfc + c.t_ras + 2 * c.t_rp + 20) + between(random, 0, 4000);
  c.resolve({"", "random"});
  return c;
}

std::vector<Arrival> random_arrivals(const model::DramConfig& c, SplitMix& random, std::size_t count) {
  const std::int64_t rows = std::int64_t{1} << between(random, 0, 3);
  const std::int64_t columns = std::int64_t{1} << between(random, 0, 4);
  const std::int64_t write_share = between(random, 0, 10);
  const std::int64_t gap = between(random, 0, 3) == 0 ? between(random, 1, 200) : between(random, 0, 4);
  const bool bursts = between(random, 0, 1) == 0;
  std::vector<Arrival> arrivals;
  std::int64_t cycle = between(random, 0, 50);
  for (std::size_t i = 0; i < count; ++i) {
    model::DramAddress at;
    at.rank = static_cast<std::int32_t>(between(random, 0, c.ranks - 1));
    at.bankgroup = static_cast<std::int32_t>(between(random, 0, c.bankgroups - 1));
    at.bank = static_cast<std::int32_t>(between(random, 0, c.banks_per_group - 1));
    at.row = static_cast<std::int32_t>(between(random, 0, std::min(rows, c.rows) - 1));
    at.column = static_cast<std::int32_t>(between(random, 0, std::min(columns, c.columns / c.bl) - 1));
    arrivals.push_back({cycle, c.decode(c.encode(at)), between(random, 1, 10) <= write_share});
    if (gap > 0 && (!bursts || i % 16 == 15)) cycle += between(random, 0, 2 * gap) * (bursts ? 16 : 1);
  }
  return arrivals;
}

// Reads, and writes that follow a read, at one place; a log of one channel.
std::vector<DramCommand> log_of(const model::DramConfig& config, const std::vector<Arrival>& arrivals) {
  return run_sleeping(config, arrivals, 0).log;
}

std::int64_t cycle_of(const std::vector<DramCommand>& log, DramCommandKind kind, std::size_t which) {
  for (const DramCommand& c : log) {
    if (c.kind == kind && which-- == 0) return c.cycle.value();
  }
  FAIL("no such command");
  return -1;
}

model::DramAddress place(const model::DramConfig& c, std::int32_t rank, std::int32_t group, std::int32_t bank,
                         std::int32_t row, std::int32_t column) {
  model::DramAddress at;
  at.rank = rank;
  at.bankgroup = group;
  at.bank = bank;
  at.row = row;
  at.column = column;
  return c.decode(c.encode(at));
}

}  // namespace

TEST_CASE("dram channel equals a controller that steps every cycle") {
  SplitMix random(2024);
  constexpr int kRuns = 300;
  for (int run = 0; run < kRuns; ++run) {
    const model::DramConfig config = random_config(random);
    const std::vector<Arrival> arrivals = random_arrivals(config, random, 50 + random() % 250);
    INFO("run " << run << "\n" << model::to_json(config).dump());
    const Outcome expected = run_stepper(config, arrivals);
    Outcome found = run_sleeping(config, arrivals, expected.end);
    // The stepper stops when drained; the sleeper goes on to the last return, refreshes included.
    const auto later = [&](const DramCommand& c) { return c.cycle.value() >= expected.end; };
    found.log.erase(std::find_if(found.log.begin(), found.log.end(), later), found.log.end());
    REQUIRE(difference(found.log, expected.log) == "");
    REQUIRE(found.returns.size() == expected.returns.size());
    for (std::size_t i = 0; i < found.returns.size(); ++i) {
      REQUIRE(found.returns[i].tag == expected.returns[i].tag);
      REQUIRE(found.returns[i].cycle == expected.returns[i].cycle);
    }
    REQUIRE(found.buffered == expected.buffered);
    if (found.end == expected.end) REQUIRE(found.active == expected.active);
    REQUIRE(tests::first_violation(config, expected.log) == "");
  }
}

TEST_CASE("dram logs keep every distance on long streams") {
  for (const std::string name : {"ddr4-3200", "hbm2-2400x32B", "lpddr5-6400", "gddr6", "lpddr4-3200", "hbm2"}) {
    const model::DramConfig config = preset(name, {"channels=1"});
    const tests::DramGeometry geometry = tests::dram_geometry(config);
    for (const std::string pattern :
         {"rnd_rw21", "seq_rw31_skew", "strideRow_rd", "str4_skew_3r1w", "tile112_rd", "burst128_rw"}) {
      INFO(name << " " << pattern);
      const auto requests = tests::dram_pattern(pattern, geometry, 3000, 7);
      const sim::DramRunResult run = sim::run_dram_requests(config, requests, {sim::DramMode::open_loop}, true);
      REQUIRE(tests::first_violation(config, run.commands) == "");
      CHECK(run.totals.reads + run.totals.merged_reads + run.totals.forwarded_reads == run.totals.reads_accepted);
      CHECK(run.totals.writes + run.totals.merged_writes + run.writes_left == run.totals.writes_accepted);
    }
  }
}

TEST_CASE("dram keeps every distance in ten million commands of random streams", "[long]") {
  constexpr std::int64_t kCommands = 10'000'000;
  constexpr std::size_t kRequests = 20'000;
  SplitMix random(77);
  std::int64_t commands = 0;
  for (int run = 0; commands < kCommands; ++run) {
    const model::DramConfig config = random_config(random);
    const std::vector<Arrival> arrivals = random_arrivals(config, random, kRequests);
    INFO("run " << run << "\n" << model::to_json(config).dump());
    const std::vector<DramCommand> log = log_of(config, arrivals);
    REQUIRE(tests::first_violation(config, log) == "");
    commands += static_cast<std::int64_t>(log.size());
  }
}

TEST_CASE("dram log checker rejects a command one cycle early") {
  const model::DramConfig config = preset("ddr4-3200");
  const auto requests = tests::dram_pattern("rnd_rw21", tests::dram_geometry(config), 120, 3);
  const std::vector<DramCommand> log =
      sim::run_dram_requests(config, requests, {sim::DramMode::open_loop}, true).commands;
  REQUIRE(tests::first_violation(config, log) == "");
  // A row's first column command comes no earlier than tRCD after the ACT: most are tight against some rule.
  int rejected = 0;
  int tried = 0;
  for (std::size_t i = 1; i < log.size(); ++i) {
    std::vector<DramCommand> mutant = log;
    mutant[i].cycle -= Cycles(1);
    std::stable_sort(mutant.begin(), mutant.end(), [](const auto& a, const auto& b) { return a.cycle < b.cycle; });
    ++tried;
    if (tests::first_violation(config, mutant) != "") ++rejected;
  }
  CHECK(tried > 300);
  CHECK(rejected > tried / 2);
  std::vector<DramCommand> mutant = log;
  const auto column =
      std::find_if(mutant.begin(), mutant.end(), [](const DramCommand& c) { return c.kind == DramCommandKind::read; });
  column->row += 1;
  CHECK(tests::first_violation(config, mutant).find("misses the open row") != std::string::npos);
}

TEST_CASE("dram single rules hold to the cycle") {
  const model::DramConfig c = preset("ddr4-3200", {"tREFI=0"});
  const std::int64_t act = 1;  // accepted in cycle 0, moved to its bank queue at its end
  const auto reads = [&](const std::vector<model::DramAddress>& places) {
    std::vector<Arrival> arrivals;
    arrivals.reserve(places.size());
    for (const auto& at : places) arrivals.push_back({0, at, false});
    return log_of(c, arrivals);
  };
  using Kind = DramCommandKind;

  SECTION("an idle read: ACT, tRCD, CL, burst") {
    DramChannel channel(c, 0);
    CHECK(channel.accept(7, place(c, 0, 0, 0, 5, 1), false) == sim::kNever);
    channel.advance(Cycles(1000));
    REQUIRE(channel.has_completion());
    CHECK(channel.next_completion().tag == 7);
    CHECK(channel.next_completion().cycle == Cycles(act + c.t_rcd + c.cl + 4));
  }
  SECTION("column to column: tCCD_L in a group, tCCD_S between groups, burst + tRTRS between ranks") {
    const auto same_group = reads({place(c, 0, 0, 0, 1, 0), place(c, 0, 0, 0, 1, 1)});
    CHECK(cycle_of(same_group, Kind::read, 1) - cycle_of(same_group, Kind::read, 0) == c.t_ccd_l);
    // Both rows open long before the second pair of reads.
    std::vector<Arrival> arrivals{{0, place(c, 0, 0, 0, 1, 0), false},   {0, place(c, 0, 1, 0, 1, 0), false},
                                  {0, place(c, 1, 0, 0, 1, 0), false},   {500, place(c, 0, 0, 0, 1, 1), false},
                                  {501, place(c, 0, 1, 0, 1, 1), false}, {502, place(c, 1, 0, 0, 1, 1), false}};
    const auto log = log_of(c, arrivals);
    CHECK(cycle_of(log, Kind::read, 3) == 501);
    CHECK(cycle_of(log, Kind::read, 4) == 501 + c.t_ccd_s);
    CHECK(cycle_of(log, Kind::read, 5) == 501 + c.t_ccd_s + 4 + c.t_rtrs);
  }
  SECTION("row conflict: tRAS, tRP, tRCD") {
    const auto log = reads({place(c, 0, 0, 0, 1, 0), place(c, 0, 0, 0, 2, 0)});
    CHECK(cycle_of(log, Kind::activate, 0) == act);
    CHECK(cycle_of(log, Kind::read, 0) == act + c.t_rcd);
    CHECK(cycle_of(log, Kind::precharge, 0) == act + c.t_ras);
    CHECK(cycle_of(log, Kind::activate, 1) == act + c.t_ras + c.t_rp);
    CHECK(cycle_of(log, Kind::read, 1) == act + c.t_ras + c.t_rp + c.t_rcd);
  }
  SECTION("activates: tRRD_S, tRRD_L, four in tFAW") {
    const auto groups = reads({place(c, 0, 0, 0, 1, 0), place(c, 0, 1, 0, 1, 0)});
    CHECK(cycle_of(groups, Kind::activate, 1) - cycle_of(groups, Kind::activate, 0) == c.t_rrd_s);
    const auto group = reads({place(c, 0, 0, 0, 1, 0), place(c, 0, 0, 1, 1, 0)});
    CHECK(cycle_of(group, Kind::activate, 1) - cycle_of(group, Kind::activate, 0) == c.t_rrd_l);
    // 36: no read wants the command bus in that cycle.
    const model::DramConfig wide = preset("ddr4-3200", {"tREFI=0", "tFAW=36"});
    std::vector<Arrival> arrivals;
    for (const std::int32_t bank : {0, 1}) {
      for (const std::int32_t g : {0, 1, 2, 3}) arrivals.push_back({0, place(c, 0, g, bank, 1, 0), false});
    }
    const auto eight = log_of(wide, arrivals);
    CHECK(cycle_of(eight, Kind::activate, 3) - cycle_of(eight, Kind::activate, 0) == 3 * c.t_rrd_s);
    CHECK(cycle_of(eight, Kind::activate, 4) - cycle_of(eight, Kind::activate, 0) == wide.t_faw);
  }
  SECTION("read to write and write to read of a group") {
    const model::DramConfig eager = preset("ddr4-3200", {"tREFI=0", "write_drain_low=0", "write_tail=0"});
    const auto turn = log_of(eager, {{0, place(c, 0, 0, 0, 1, 0), false},
                                     {100, place(c, 0, 0, 0, 1, 1), false},
                                     {101, place(c, 0, 0, 0, 1, 2), true}});
    CHECK(cycle_of(turn, Kind::read, 1) == 101);
    CHECK(cycle_of(turn, Kind::write, 0) == 101 + c.cl + 4 - c.cwl + c.t_rtrs);
    const auto back = log_of(eager, {{0, place(c, 0, 0, 0, 1, 0), false},
                                     {100, place(c, 0, 0, 0, 1, 1), true},
                                     {101, place(c, 0, 0, 0, 1, 2), false},
                                     {300, place(c, 0, 0, 0, 2, 0), false}});
    CHECK(cycle_of(back, Kind::write, 0) == 101);
    CHECK(cycle_of(back, Kind::read, 1) == 101 + c.cwl + 4 + c.t_wtr_l);
  }
  SECTION("refresh: at tREFI / ranks, rank by rank, after PRE and tRP") {
    const model::DramConfig r = preset("ddr4-3200");
    const auto log = run_sleeping(r, {{0, place(r, 0, 0, 0, 1, 0), false}}, 2 * r.derived.refresh_interval + 1).log;
    CHECK(cycle_of(log, Kind::precharge, 0) == r.derived.refresh_interval);
    CHECK(cycle_of(log, Kind::refresh, 0) == r.derived.refresh_interval + r.t_rp);
    CHECK(cycle_of(log, Kind::refresh, 1) == 2 * r.derived.refresh_interval);
    CHECK(log.back().rank == 1);
  }
}

TEST_CASE("dram requests to one burst: merged, forwarded, acknowledged") {
  const model::DramConfig c = preset("ddr4-3200", {"tREFI=0"});
  DramChannel channel(c, 0);
  const model::DramAddress here = place(c, 0, 0, 0, 1, 0);
  CHECK(channel.accept(1, here, false) == sim::kNever);
  CHECK(channel.accept(2, here, false) == sim::kNever);  // same burst: one RD for both
  CHECK(channel.accept(3, here, true) == Cycles(1));     // acknowledged one cycle later
  CHECK(channel.accept(4, here, true) == Cycles(1));     // replaces it
  CHECK(channel.accept(5, here, false) == Cycles(1));    // from the write buffer
  channel.advance(Cycles(500));
  REQUIRE(channel.has_completion());
  CHECK(channel.next_completion().tag == 1);
  channel.pop_completion();
  CHECK(channel.next_completion().tag == 2);
  channel.pop_completion();
  CHECK_FALSE(channel.has_completion());
  const sim::DramStatistics s = channel.statistics();
  CHECK(s.reads == 1);
  CHECK(s.merged_reads == 1);
  CHECK(s.merged_writes == 1);
  CHECK(s.forwarded_reads == 1);
  CHECK(s.writes == 0);
  CHECK(channel.buffered_writes() == 1);  // below the drain threshold
  CHECK(channel.wake(false) == sim::kNever);
}

TEST_CASE("dram write behind a waiting read of its burst does not lock up the channel") {
  // One bank queue of one entry: the read of row 9 waits in the read queue while the writes are drained.
  const model::DramConfig c =
      preset("ddr4-3200", {"tREFI=0", "cmd_queue_size=1", "write_buffer_size=2", "write_drain_low=1", "write_tail=0"});
  std::vector<Arrival> arrivals{{0, place(c, 0, 0, 0, 1, 0), false}, {0, place(c, 0, 0, 0, 9, 0), false},
                                {0, place(c, 0, 0, 0, 9, 0), true},  {0, place(c, 0, 0, 0, 9, 1), false},
                                {0, place(c, 0, 0, 0, 9, 1), true},  {0, place(c, 0, 0, 0, 9, 2), true}};
  const Outcome outcome = run_sleeping(c, arrivals, 0);
  CHECK(outcome.returns.size() == 3);
  CHECK(outcome.buffered == 0);
}

TEST_CASE("dram idle channel catches up its refreshes exactly") {
  const model::DramConfig c = preset("ddr4-3200");
  DramChannel at_once(c, 0);
  DramChannel often(c, 0);
  std::vector<DramCommand> log_at_once;
  std::vector<DramCommand> log_often;
  at_once.set_command_log(&log_at_once);
  often.set_command_log(&log_often);
  for (DramChannel* channel : {&at_once, &often}) channel->accept(1, place(c, 0, 0, 0, 1, 0), false);
  constexpr std::int64_t kEnd = 1'000'003;
  for (std::int64_t t = 0; t <= kEnd; t += 13) often.advance(Cycles(t));
  often.advance(Cycles(kEnd));
  at_once.advance(Cycles(kEnd));
  CHECK(at_once.next_time() == sim::kNever);
  CHECK(difference(log_at_once, log_often) == "");
  CHECK(at_once.statistics().refreshes == kEnd / c.derived.refresh_interval);
  CHECK(at_once.statistics().active_cycles == often.statistics().active_cycles);
  CHECK(at_once.statistics().active_cycles + at_once.statistics().idle_cycles == 2 * kEnd);
}

TEST_CASE("dram idle time without a log costs no work and counts the same") {
  for (const char* name : {"ddr4-3200", "hbm2", "gddr6", "lpddr4-3200"}) {
    CAPTURE(name);
    const model::DramConfig c = preset(name);
    DramChannel jumps(c, 0);
    DramChannel ticks(c, 0);
    std::vector<DramCommand> log;
    ticks.set_command_log(&log);
    for (const std::int64_t pause : {std::int64_t{100}, 5 * c.derived.refresh_interval + 3, std::int64_t{3'000'017}}) {
      for (DramChannel* channel : {&jumps, &ticks}) {
        const std::int64_t at = channel->now().value();
        channel->accept(1, place(c, 0, 0, 0, static_cast<std::int32_t>(pause % 7), 0), pause % 2 == 0);
        channel->advance(Cycles(at + pause));
      }
      CHECK(jumps.statistics().refreshes == ticks.statistics().refreshes);
      CHECK(jumps.statistics().active_cycles == ticks.statistics().active_cycles);
      CHECK(jumps.statistics().idle_cycles == ticks.statistics().idle_cycles);
      CHECK(jumps.statistics().last_read_return == ticks.statistics().last_read_return);
      CHECK(jumps.statistics().precharges == ticks.statistics().precharges);
    }
    jumps.advance(Cycles(std::int64_t{1} << 52));  // would take hours cycle by cycle, minutes refresh by refresh
    CHECK(jumps.statistics().refreshes == (std::int64_t{1} << 52) / c.derived.refresh_interval);
  }
}
