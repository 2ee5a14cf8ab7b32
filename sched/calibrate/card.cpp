#include "sched/calibrate/card.h"

#include <algorithm>
#include <string_view>

#include "model/base/error.h"
#include "model/config/record.h"

namespace accsim::sched {

using namespace model;

namespace {

constexpr std::string_view kSchema = "accsim-calibration/1";
constexpr NumberRange kCoefficient{0, 1e6};
constexpr NumberRange kPercent{0, 1e12};

Json without_comments(const Json& json) {
  if (json.is_object()) {
    Json out = Json::object();
    for (const auto& [key, value] : json.items())
      if (key.empty() || key[0] != '_') out[key] = without_comments(value);
    return out;
  }
  if (json.is_array()) {
    Json out = Json::array();
    for (const Json& value : json) out.push_back(without_comments(value));
    return out;
  }
  return json;
}

// An object with exactly these keys (and comments).
void check_keys(const Json& json, const std::vector<std::string>& keys, const Origin& at) {
  if (!json.is_object()) fail(at, "expected an object, " + describe(json));
  for (const auto& [key, value] : json.items()) {
    if (!key.empty() && key[0] == '_') continue;
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) fail_unknown_key(key, keys, at);
  }
  for (const std::string& key : keys)
    if (!json.contains(key)) fail(at, "missing key \"" + key + "\"");
}

// Numbers by the names of an enumeration's values.
template <class Enum, class Values>
void read_named(Values& values, const Json& json, const Origin& at) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < values.size(); ++i) keys.emplace_back(name_of(static_cast<Enum>(i)));
  check_keys(json, keys, at);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = read_number(json[keys[i]], kCoefficient, at.key(keys[i]));
}
template <class Enum, class Values>
Json write_named(const Values& values) {
  Json json = Json::object();
  for (std::size_t i = 0; i < values.size(); ++i) json[std::string(name_of(static_cast<Enum>(i)))] = values[i];
  return json;
}

Json errors_json(const PredictionErrors& errors) {
  return {{"latency_mape_pct", errors.latency_mape_pct}, {"energy_mape_pct", errors.energy_mape_pct}};
}
PredictionErrors read_errors(const Json& json, const Origin& at) {
  check_keys(json, {"latency_mape_pct", "energy_mape_pct"}, at);
  return {read_number(json["latency_mape_pct"], kPercent, at.key("latency_mape_pct")),
          read_number(json["energy_mape_pct"], kPercent, at.key("energy_mape_pct"))};
}

}  // namespace

std::string architecture_hash(const Architecture& arch) {
  // FNV-1a, 64 bits.
  constexpr std::uint64_t kOffset = 0xcbf29ce484222325ULL;
  constexpr std::uint64_t kPrime = 0x100000001b3ULL;
  std::uint64_t hash = kOffset;
  for (const char c : without_comments(to_json(arch)).dump()) {
    hash ^= static_cast<unsigned char>(c);
    hash *= kPrime;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(hash >> shift) & 0xfU];
  return text;
}

Json to_json(const CalibrationCard& card) {
  return {{"schema", kSchema},
          {"version", card.version},
          {"arch", card.arch},
          {"arch_hash", card.arch_hash},
          {"coefficients",
           {{"cycles", write_named<Feature>(card.coefficients.cycles)},
            {"shared_dram", card.coefficients.shared_dram},
            {"exposed", card.coefficients.exposed},
            {"energy", write_named<EnergyBlock>(card.coefficients.energy)},
            {"dram_standby", card.coefficients.dram_standby}}},
          {"provenance",
           {{"nets", card.nets},
            {"schedules", card.schedules},
            {"groups", card.groups},
            {"before", errors_json(card.before)},
            {"after", errors_json(card.after)}}}};
}

CalibrationCard parse_card(const Json& json, const std::string& file) {
  require_schema(json, kSchema, file);
  const Origin at{file, ""};
  check_keys(json, {"schema", "version", "arch", "arch_hash", "coefficients", "provenance"}, at);
  CalibrationCard card;
  card.version = read_integer(json["version"], {1, 1'000'000}, at.key("version"));
  if (card.version != kCostModelVersion) {
    fail(at.key("version"), "the card is for version " + std::to_string(card.version) +
                                " of the cost model, this is version " + std::to_string(kCostModelVersion) +
                                ": calibrate again");
  }
  card.arch = read_text(json["arch"], at.key("arch"));
  card.arch_hash = read_text(json["arch_hash"], at.key("arch_hash"));

  const Json& c = json["coefficients"];
  const Origin where = at.key("coefficients");
  check_keys(c, {"cycles", "shared_dram", "exposed", "energy", "dram_standby"}, where);
  read_named<Feature>(card.coefficients.cycles, c["cycles"], where.key("cycles"));
  card.coefficients.shared_dram = read_number(c["shared_dram"], kCoefficient, where.key("shared_dram"));
  card.coefficients.exposed = read_number(c["exposed"], {0, 1}, where.key("exposed"));
  read_named<EnergyBlock>(card.coefficients.energy, c["energy"], where.key("energy"));
  card.coefficients.dram_standby = read_number(c["dram_standby"], kCoefficient, where.key("dram_standby"));

  const Json& p = json["provenance"];
  const Origin from = at.key("provenance");
  check_keys(p, {"nets", "schedules", "groups", "before", "after"}, from);
  if (!p["nets"].is_array()) fail(from.key("nets"), "expected a list, " + describe(p["nets"]));
  for (std::size_t i = 0; i < p["nets"].size(); ++i)
    card.nets.push_back(read_text(p["nets"][i], from.key("nets").index(i)));
  card.schedules = read_integer(p["schedules"], {0, std::int64_t{1} << 40}, from.key("schedules"));
  card.groups = read_integer(p["groups"], {0, std::int64_t{1} << 40}, from.key("groups"));
  card.before = read_errors(p["before"], from.key("before"));
  card.after = read_errors(p["after"], from.key("after"));
  return card;
}

const CostCoefficients& coefficients_for(const CalibrationCard& card, const Architecture& arch,
                                         const std::string& file) {
  const std::string hash = architecture_hash(arch);
  if (card.arch_hash != hash) {
    fail({file, "arch_hash"}, "the card was fitted on architecture \"" + card.arch + "\" (" + card.arch_hash +
                                  "), this is \"" + arch.name + "\" (" + hash + "): calibrate on this one");
  }
  return card.coefficients;
}

}  // namespace accsim::sched
