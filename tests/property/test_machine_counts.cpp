// The mapper's `machine` rules against the simulator: what is counted from the instructions of a lowered program equals
// what the engines, and the DRAM request by request, report of running it.
#include <algorithm>
#include <map>
#include <optional>

#include "app/pipeline.h"
#include "model/base/error.h"
#include "model/schedule/fused_group.h"
#include "model/schedule/tiling.h"
#include "sched/lower/lower.h"
#include "sched/lower/program_counts.h"
#include "sim/system/simulate.h"
#include "tests/catch.h"
#include "tests/support/random_case.h"
#include "tests/support/random_fusion.h"

namespace {

using namespace accsim;
using model::Space;

// Reads and writes of whole bursts by DRAM region.
using Traffic = std::map<std::string, std::array<std::int64_t, 2>>;

// A role is played by one tensor; Concat, for one, has a nest for each of its inputs.
bool has_one_nest(const model::Network& network, const model::Group& group) {
  const std::vector<model::OpId> ops = model::working_operators(group, network);
  return ops.empty() || (ops.size() == 1 && model::loop_nests_of(network, ops.front()).size() == 1);
}

// The region of the tensor that plays a role in a group of one operator.
std::string region_of_role(const model::Network& network, const model::ProgramHeader& header, const model::Group& group,
                           const std::string& role) {
  for (const model::OpId op : model::working_operators(group, network)) {
    for (const model::LoopNest& nest : model::loop_nests_of(network, op)) {
      for (std::size_t i = 0; i < nest.operands.size(); ++i) {
        if (model::role_name(nest, i) != role) continue;
        const model::TensorId storage = network.tensor(nest.operands[i].tensor).storage;
        for (const model::Region& region : header.dram) {
          if (region.name == network.tensor(storage).name) return region.name;
        }
      }
    }
  }
  return "?";
}

enum class By { random, fused, optimal_layer };

std::optional<model::Schedule> schedule_of(const app::Inputs& inputs, std::uint64_t seed, By by) {
  tests::Random random(seed ^ 0x5ced);
  model::Schedule schedule;
  try {
    if (by == By::random) schedule = tests::random_schedule(inputs.network, inputs.arch, random, 60, 40);
    if (by == By::fused) schedule = tests::random_fused_schedule(inputs.network, inputs.arch, random);
    if (by == By::optimal_layer) {
      app::SearchSettings settings;
      settings.strategy = "optimal-layer";
      schedule = app::search_schedule(inputs, settings).schedule;
    }
  } catch (const model::InfeasibleError&) {
    return std::nullopt;
  }
  if (model::verify_schedule(schedule, inputs.network, inputs.arch)) return std::nullopt;  // does not fit
  return schedule;
}

int compare(std::uint64_t first_seed, int cases, By by, int& groups, int& wide) {
  int compared = 0;
  for (std::uint64_t seed = first_seed; compared < cases; ++seed) {
    const tests::RandomCase made = tests::random_case(seed);
    const app::Inputs inputs = app::inputs_of(made.arch, "arch.json", made.net, "net.json", 1);
    const std::optional<model::Schedule> schedule = schedule_of(inputs, seed, by);
    if (!schedule) continue;
    try {
      model::collect(*sched::lower(*schedule, inputs.network, inputs.arch, 1));
    } catch (const model::ConfigError&) {
      continue;  // runs that are no whole bytes
    }
    std::vector<sched::MachineCounts> counts;
    Traffic expected, measured;
    bool alone = true;  // every group has one operator
    const auto source = sched::lower(*schedule, inputs.network, inputs.arch, 1);
    const model::ProgramHeader header = source->header();
    while (const auto group = source->next()) {
      sched::count_program(*group, inputs.arch, counts.emplace_back());
      const model::Group& scheduled = schedule->groups[counts.size() - 1];
      alone = alone && has_one_nest(inputs.network, scheduled);
      for (const sched::MachineAccess& a : counts.back().accesses) {
        if (a.level != Space::dram || !alone) continue;
        auto& bytes = expected[region_of_role(inputs.network, header, scheduled, a.tensor)];
        bytes[0] += a.read_burst_bytes;
        bytes[1] += a.written_burst_bytes;
      }
    }
    sim::SimulationOptions options;
    options.dram_trace = [&](const sim::DramRequestRecord& record) {
      for (const model::Region& region : header.dram) {
        const std::int64_t burst = inputs.arch.dram.derived.burst_bytes;
        const std::int64_t start = region.place.address / burst * burst;
        if (record.address < start || record.address >= region.place.address + region.size.value()) continue;
        measured[region.name][record.write ? 1 : 0] += burst;
        return;
      }
      measured["?"][record.write ? 1 : 0] += 1;
    };
    const auto again = sched::lower(*schedule, inputs.network, inputs.arch, 1);
    const model::Measurement m = sim::simulate(inputs.arch, *again, options);
    INFO("seed " << seed << " " << static_cast<int>(by));
    REQUIRE(m.groups.size() == counts.size());
    const bool narrow = std::any_of(inputs.arch.core_types.begin(), inputs.arch.core_types.end(),
                                    [](const model::CoreConfig& core) { return core.scratchpad.port_bytes < 16; });
    wide += narrow ? 0 : 1;
    for (std::size_t g = 0; g < counts.size(); ++g) {
      const sched::MachineCounts& c = counts[g];
      const model::GroupMeasurement& simulated = m.groups[g];
      INFO("group " << g);
      const sched::MachineAccess dram = c.total(Space::dram), scratchpad = c.total(Space::scratchpad),
                                 accumulator = c.total(Space::accumulator);
      CHECK(dram.read_bytes == simulated.useful_read.value());
      CHECK(dram.written_bytes == simulated.useful_written.value());
      CHECK(dram.read_burst_bytes == simulated.dram_read.value());
      CHECK(dram.written_burst_bytes == simulated.dram_written.value());
      CHECK(scratchpad.read_bytes == simulated.scratchpad_read.value());
      // The DMA remembers the last 64 lines: one that two bursts share may be written twice.
      CHECK(scratchpad.written_bytes <= simulated.scratchpad_written.value());
      CHECK(accumulator.read_bytes == simulated.accumulator_read.value());
      CHECK(accumulator.written_bytes == simulated.accumulator_written.value());
      CHECK(c.macs == simulated.macs.value());
      CHECK(c.loads == simulated.load_instructions);
      CHECK(c.stores == simulated.store_instructions);
      CHECK(c.passes == simulated.array_instructions);
      CHECK(c.vector_operations == simulated.vector_instructions);
      ++groups;
    }
    if (alone) {
      for (auto* list : {&expected, &measured}) {
        std::erase_if(*list, [](const auto& entry) { return entry.second[0] == 0 && entry.second[1] == 0; });
      }
      CHECK(measured == expected);
    }
    ++compared;
  }
  return compared;
}

}  // namespace

TEST_CASE("counts of lowered programs equal the simulator's counters, any schedule") {
  int groups = 0, wide = 0;
  CHECK(compare(500'001, 150, By::random, groups, wide) == 150);
  CHECK(groups > 300);
  CHECK(wide > 30);
}

TEST_CASE("counts of lowered programs equal the simulator's counters, fused groups") {
  int groups = 0, wide = 0;
  CHECK(compare(600'001, 40, By::fused, groups, wide) == 40);
}

TEST_CASE("counts of lowered programs equal the simulator's counters, what optimal-layer finds") {
  int groups = 0, wide = 0;
  CHECK(compare(700'001, 20, By::optimal_layer, groups, wide) == 20);
}
