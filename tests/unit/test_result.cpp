// Measurements: totals of accounts, and JSON that loses nothing.
#include <functional>
#include <limits>
#include <set>

#include "model/base/error.h"
#include "model/result/result.h"
#include "tests/catch.h"

namespace {

using namespace accsim;

// Every field has a value of its own.
model::Measurement sample() {
  std::int64_t next = 1000;
  const auto fill_cycles = [&](model::CycleAccount& account) {
    for (model::Cycles& c : account.cycles) c = model::Cycles(next++);
  };
  const auto fill_energy = [&](model::EnergyAccount& account) {
    for (model::Femtojoules& e : account.energy) e = model::Femtojoules((std::int64_t{1} << 60) + next++);
  };
  model::Measurement m;
  m.cycles = model::Cycles(std::numeric_limits<std::int64_t>::max());
  m.latency_ns = 0.1 + 0.2;
  fill_energy(m.energy);
  m.macs = model::Macs(next++);
  for (int i = 0; i < 2; ++i) {
    model::GroupMeasurement group;
    group.id = next++;
    group.layers = {"conv1", "relu \"1\""};
    group.cores = {next++, next++};
    for (model::Cycles* c : {&group.start, &group.end, &group.cycles, &group.array_busy, &group.array_stall,
                             &group.vector_busy, &group.vector_stall, &group.load_busy, &group.store_busy}) {
      *c = model::Cycles(next++);
    }
    for (std::int64_t* n : {&group.load_instructions, &group.store_instructions, &group.array_instructions,
                            &group.vector_instructions, &group.read_bursts, &group.write_bursts}) {
      *n = next++;
    }
    for (model::Bytes* b :
         {&group.dram_read, &group.dram_written, &group.useful_read, &group.useful_written, &group.scratchpad_read,
          &group.scratchpad_written, &group.accumulator_read, &group.accumulator_written}) {
      *b = model::Bytes(next++);
    }
    group.macs = model::Macs(next++);
    fill_energy(group.energy);
    group.bound_by = "dram";
    m.groups.push_back(group);
  }
  model::CoreMeasurement core;
  core.id = 3;
  for (model::CycleAccount* account : {&core.core, &core.load, &core.array, &core.vector, &core.store})
    fill_cycles(*account);
  core.scratchpad_conflicts = next++;
  core.accumulator_conflicts = next++;
  m.cores = {core};
  m.dram.bytes_read = model::Bytes(next++);
  m.dram.bytes_written = model::Bytes(next++);
  for (std::int64_t* n :
       {&m.dram.activates, &m.dram.precharges, &m.dram.reads, &m.dram.writes, &m.dram.refreshes, &m.dram.row_hits}) {
    *n = next++;
  }
  m.dram.energy = model::Femtojoules(next++);
  m.dram.row_hit_rate = 1.0 / 3;
  m.dram.bandwidth_gb_s = 25.6;
  m.dram.peak_gb_s = 1e300;
  m.noc.bytes = model::Bytes(next++);
  m.noc.max_link_utilization = 5e-324;
  m.simulation_seconds = 0.25;
  m.bursts = next++;
  return m;
}

std::string error_of(const model::Json& json) {
  try {
    model::parse_measurement(json, "m.json");
  } catch (const model::ConfigError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("measurement JSON loses nothing") {
  const model::Measurement m = sample();
  const model::Json json = model::to_json(m);
  const model::Measurement back = model::parse_measurement(model::parse_json(json.dump(), "m.json"), "m.json");
  CHECK(model::to_json(back) == json);
  CHECK(back.cycles == m.cycles);
  CHECK(back.latency_ns == m.latency_ns);
  CHECK(back.energy.energy == m.energy.energy);
  REQUIRE(back.groups.size() == 2);
  CHECK(back.groups[1].layers == m.groups[1].layers);
  CHECK(back.groups[1].useful_written == m.groups[1].useful_written);
  CHECK(back.groups[1].energy.energy == m.groups[1].energy.energy);
  REQUIRE(back.cores.size() == 1);
  CHECK(back.cores[0].vector.cycles == m.cores[0].vector.cycles);
  CHECK(back.dram.peak_gb_s == m.dram.peak_gb_s);
  CHECK(back.noc.max_link_utilization == m.noc.max_link_utilization);
  CHECK(back.bursts == m.bursts);
  const model::Measurement empty;
  CHECK(model::to_json(model::parse_measurement(model::to_json(empty), "m.json")) == model::to_json(empty));
}

TEST_CASE("every value of a measurement is in its JSON, once") {
  const std::string text = model::to_json(sample()).dump();
  for (int value = 1000; value < 1000 + 9; ++value) {  // energies of the whole
    CHECK(text.find(std::to_string((std::int64_t{1} << 60) + value)) != std::string::npos);
  }
  std::set<std::string> seen;
  const std::function<void(const model::Json&)> visit = [&](const model::Json& json) {
    if (json.is_number_integer()) CHECK(seen.insert(json.dump()).second);
    if (json.is_structured()) {
      for (const auto& item : json) visit(item);
    }
  };
  visit(model::to_json(sample()));
}

TEST_CASE("accounts add up") {
  model::CycleAccount cycles;
  cycles[model::CycleState::compute] = model::Cycles(5);
  cycles[model::CycleState::idle] = model::Cycles(7);
  CHECK(cycles.total() == model::Cycles(12));
  model::EnergyAccount energy;
  energy[model::EnergyBlock::array] = model::Femtojoules(1);
  energy[model::EnergyBlock::leakage] = model::Femtojoules(2);
  CHECK(energy.total() == model::Femtojoules(3));
  std::string states;
  for (std::size_t s = 0; s < model::kCycleStates; ++s) states += std::string(name_of(model::CycleState(s))) + " ";
  CHECK(states == "compute operand_stall dram_wait noc_wait sync_wait idle ");
  std::string blocks;
  for (std::size_t b = 0; b < model::kEnergyBlocks; ++b) blocks += std::string(name_of(model::EnergyBlock(b))) + " ";
  CHECK(blocks == "array vector scratchpad accumulator global_buffer noc dma dram leakage ");
}

TEST_CASE("a measurement that is not one is an error that names the place") {
  model::Json json = model::to_json(sample());
  json["groups"][1]["energy_fj"].erase("noc");
  CHECK(error_of(json) == "m.json: groups[1].energy_fj: missing key \"noc\"");
  json = model::to_json(sample());
  json["dram"]["reads"] = "many";
  CHECK(error_of(json).starts_with("m.json: dram.reads: expected an integer"));
  json = model::to_json(sample());
  json["cyles"] = 1;
  CHECK(error_of(json).starts_with("m.json: unknown key \"cyles\""));
  CHECK(error_of(json).ends_with("did you mean \"cycles\"?"));
  CHECK(error_of(model::Json::array()).starts_with("m.json: expected an object"));
}
