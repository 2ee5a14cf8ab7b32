#include "model/result/result.h"

#include <algorithm>
#include <concepts>
#include <limits>
#include <type_traits>

#include "model/base/error.h"
#include "model/config/record.h"

namespace accsim::model {

std::string_view name_of(CycleState state) {
  switch (state) {
    case CycleState::compute:
      return "compute";
    case CycleState::operand_stall:
      return "operand_stall";
    case CycleState::dram_wait:
      return "dram_wait";
    case CycleState::noc_wait:
      return "noc_wait";
    case CycleState::sync_wait:
      return "sync_wait";
    case CycleState::idle:
      return "idle";
  }
  throw InternalError("unknown cycle state");
}

std::string_view name_of(WaitFor what) {
  switch (what) {
    case WaitFor::semaphore:
      return "semaphore";
    case WaitFor::issue:
      return "issue";
    case WaitFor::border:
      return "border";
    case WaitFor::end:
      return "end";
    case WaitFor::dram_channel:
      return "dram_channel";
    case WaitFor::noc:
      return "noc";
    case WaitFor::global_buffer:
      return "global_buffer";
    case WaitFor::other_scratchpad:
      return "other_scratchpad";
    case WaitFor::scratchpad_bank:
      return "scratchpad_bank";
    case WaitFor::scratchpad_port:
      return "scratchpad_port";
    case WaitFor::accumulator_bank:
      return "accumulator_bank";
    case WaitFor::accumulator_port:
      return "accumulator_port";
  }
  throw InternalError("unknown cause of a wait");
}

std::string_view name_of(EnergyBlock block) {
  switch (block) {
    case EnergyBlock::array:
      return "array";
    case EnergyBlock::vector:
      return "vector";
    case EnergyBlock::scratchpad:
      return "scratchpad";
    case EnergyBlock::accumulator:
      return "accumulator";
    case EnergyBlock::global_buffer:
      return "global_buffer";
    case EnergyBlock::noc:
      return "noc";
    case EnergyBlock::dma:
      return "dma";
    case EnergyBlock::dram:
      return "dram";
    case EnergyBlock::leakage:
      return "leakage";
  }
  throw InternalError("unknown energy block");
}

Cycles CycleAccount::total() const {
  Cycles sum;
  for (const Cycles c : cycles) sum += c;
  return sum;
}

Femtojoules EnergyAccount::total() const {
  Femtojoules sum;
  for (const Femtojoules e : energy) sum += e;
  return sum;
}

namespace {

constexpr std::string_view kSchema = "accsim-measurement/1";

// One list of fields a struct serves writing and reading: `field(key, member)` for each in order.
template <class Measured, class Visit>
void each_field(Measured& m, Visit&& field) requires std::same_as<std::remove_const_t<Measured>, GroupMeasurement> {
  field("id", m.id);
  field("layers", m.layers);
  field("cores", m.cores);
  field("start_cycle", m.start);
  field("end_cycle", m.end);
  field("cycles", m.cycles);
  field("array_busy_cycles", m.array_busy);
  field("array_stall_cycles", m.array_stall);
  field("vector_busy_cycles", m.vector_busy);
  field("vector_stall_cycles", m.vector_stall);
  field("load_busy_cycles", m.load_busy);
  field("store_busy_cycles", m.store_busy);
  field("load_instructions", m.load_instructions);
  field("store_instructions", m.store_instructions);
  field("array_instructions", m.array_instructions);
  field("vector_instructions", m.vector_instructions);
  field("dram_read_bytes", m.dram_read);
  field("dram_written_bytes", m.dram_written);
  field("useful_read_bytes", m.useful_read);
  field("useful_written_bytes", m.useful_written);
  field("read_bursts", m.read_bursts);
  field("write_bursts", m.write_bursts);
  field("scratchpad_read_bytes", m.scratchpad_read);
  field("scratchpad_written_bytes", m.scratchpad_written);
  field("accumulator_read_bytes", m.accumulator_read);
  field("accumulator_written_bytes", m.accumulator_written);
  field("macs", m.macs);
  field("energy_fj", m.energy);
  field("bound_by", m.bound_by);
}

template <class Measured, class Visit>
void each_field(Measured& m, Visit&& field) requires std::same_as<std::remove_const_t<Measured>, CoreMeasurement> {
  field("id", m.id);
  field("core", m.core);
  field("load", m.load);
  field("array", m.array);
  field("vector", m.vector);
  field("store", m.store);
  field("waits", m.waits);
  field("scratchpad_conflict_cycles", m.scratchpad_conflicts);
  field("accumulator_conflict_cycles", m.accumulator_conflicts);
  field("scratchpad_banks", m.scratchpad_banks);
  field("accumulator_banks", m.accumulator_banks);
}

template <class Measured, class Visit>
void each_field(Measured& m, Visit&& field) requires std::same_as<std::remove_const_t<Measured>, WaitMeasurement> {
  field("engine", m.engine);
  field("state", m.state);
  field("what", m.what);
  field("index", m.index);
  field("giver", m.giver);
  field("cycles", m.cycles);
}

template <class Measured, class Visit>
void each_field(Measured& m, Visit&& field) requires std::same_as<std::remove_const_t<Measured>, BankConflicts> {
  field("bank", m.bank);
  field("array", m.array);
  field("vector", m.vector);
  field("load", m.load);
  field("store", m.store);
  field("remote", m.remote);
}

template <class Measured, class Visit>
void each_field(Measured& m, Visit&& field) requires std::same_as<std::remove_const_t<Measured>, DramMeasurement> {
  field("bytes_read", m.bytes_read);
  field("bytes_written", m.bytes_written);
  field("activates", m.activates);
  field("precharges", m.precharges);
  field("reads", m.reads);
  field("writes", m.writes);
  field("refreshes", m.refreshes);
  field("row_hits", m.row_hits);
  field("energy_fj", m.energy);
  field("row_hit_rate", m.row_hit_rate);
  field("bandwidth_gb_s", m.bandwidth_gb_s);
  field("peak_gb_s", m.peak_gb_s);
}

template <class Measured, class Visit>
void each_field(Measured& m, Visit&& field) requires std::same_as<std::remove_const_t<Measured>, NocMeasurement> {
  field("bytes", m.bytes);
  field("max_link_utilization", m.max_link_utilization);
}

template <class Measured, class Visit>
void each_field(Measured& m, Visit&& field) requires std::same_as<std::remove_const_t<Measured>, Measurement> {
  field("cycles", m.cycles);
  field("latency_ns", m.latency_ns);
  field("energy_fj", m.energy);
  field("macs", m.macs);
  field("groups", m.groups);
  field("cores", m.cores);
  field("dram", m.dram);
  field("noc", m.noc);
  field("global_buffer_banks", m.global_buffer_banks);
  field("simulation_seconds", m.simulation_seconds);
  field("bursts", m.bursts);
}

template <class T>
concept HasFields = requires(T& value) {
  each_field(value, [](const char*, auto&) {});
};

// Accounts are objects with a key for each entry of their enumeration.
template <class State, class Entries>
Json dump_account(const Entries& entries) {
  Json json = Json::object();
  for (std::size_t i = 0; i < entries.size(); ++i) json[std::string(name_of(State(i)))] = entries[i].value();
  return json;
}

Json dump(std::int64_t value) { return value; }
Json dump(double value) { return value; }
Json dump(const std::string& value) { return value; }
template <class Tag>
Json dump(const Quantity<Tag>& value) {
  return value.value();
}
Json dump(CycleState state) { return std::string(name_of(state)); }
Json dump(WaitFor what) { return std::string(name_of(what)); }
Json dump(const CycleAccount& account) { return dump_account<CycleState>(account.cycles); }
Json dump(const EnergyAccount& account) { return dump_account<EnergyBlock>(account.energy); }
template <class T>
Json dump(const std::vector<T>& items);
template <HasFields T>
Json dump(const T& measured) {
  Json json = Json::object();
  each_field(measured, [&](const char* key, const auto& member) { json[key] = dump(member); });
  return json;
}
template <class T>
Json dump(const std::vector<T>& items) {
  Json json = Json::array();
  for (const T& item : items) json.push_back(dump(item));
  return json;
}

void check_keys(const Json& json, const std::vector<std::string>& keys, const Origin& at) {
  if (!json.is_object()) fail(at, "expected an object, " + describe(json));
  for (const auto& [key, value] : json.items()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) fail_unknown_key(key, keys, at);
  }
  for (const std::string& key : keys) {
    if (!json.contains(key)) fail(at, "missing key \"" + key + "\"");
  }
}

void read(std::int64_t& value, const Json& json, const Origin& at) { value = read_integer(json, {}, at); }
void read(double& value, const Json& json, const Origin& at) {
  constexpr double kLimit = std::numeric_limits<double>::max();
  value = read_number(json, {-kLimit, kLimit}, at);
}
void read(std::string& value, const Json& json, const Origin& at) { value = read_text(json, at); }
template <class Tag>
void read(Quantity<Tag>& value, const Json& json, const Origin& at) {
  value = Quantity<Tag>(read_integer(json, {}, at));
}
// One of the `count` names of an enumeration.
template <class Entry>
void read_name(Entry& entry, std::size_t count, const Json& json, const Origin& at) {
  const std::string name = read_text(json, at);
  for (std::size_t i = 0; i < count; ++i) {
    if (name != name_of(Entry(i))) continue;
    entry = Entry(i);
    return;
  }
  fail(at, "unknown name \"" + name + "\"");
}
void read(CycleState& state, const Json& json, const Origin& at) { read_name(state, kCycleStates, json, at); }
void read(WaitFor& what, const Json& json, const Origin& at) { read_name(what, kWaitsFor, json, at); }
template <class State, class Entries>
void read_account(Entries& entries, const Json& json, const Origin& at) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < entries.size(); ++i) keys.emplace_back(name_of(State(i)));
  check_keys(json, keys, at);
  for (std::size_t i = 0; i < entries.size(); ++i) read(entries[i], json.at(keys[i]), at.key(keys[i]));
}
void read(CycleAccount& account, const Json& json, const Origin& at) {
  read_account<CycleState>(account.cycles, json, at);
}
void read(EnergyAccount& account, const Json& json, const Origin& at) {
  read_account<EnergyBlock>(account.energy, json, at);
}
template <class T>
void read(std::vector<T>& items, const Json& json, const Origin& at);
template <HasFields T>
void read(T& measured, const Json& json, const Origin& at) {
  std::vector<std::string> keys;
  each_field(measured, [&](const char* key, const auto&) { keys.emplace_back(key); });
  check_keys(json, keys, at);
  each_field(measured, [&](const char* key, auto& member) { read(member, json.at(key), at.key(key)); });
}
template <class T>
void read(std::vector<T>& items, const Json& json, const Origin& at) {
  if (!json.is_array()) fail(at, "expected a list, " + describe(json));
  items.resize(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) read(items[i], json[i], at.index(i));
}

}  // namespace

Json to_json(const Measurement& measurement) {
  Json json{{"schema", kSchema}};
  json.update(dump(measurement));
  return json;
}

Measurement parse_measurement(const Json& json, const std::string& file) {
  require_schema(json, kSchema, file);
  Json body = json;
  body.erase("schema");
  Measurement measurement;
  read(measurement, body, {file, ""});
  return measurement;
}

}  // namespace accsim::model
