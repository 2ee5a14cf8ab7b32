#include "sched/mapping/hierarchy.h"

#include <algorithm>
#include <filesystem>

#include "model/base/error.h"
#include "model/config/record.h"

namespace accsim::sched {
namespace {

using model::fail;
using model::Json;
using model::Origin;

constexpr char kSchema[] = "accsim-hierarchy/1";
constexpr model::NumberRange kPicojoules{0, 1e9};
constexpr double kLeastRate = 1e-6;
constexpr double kMostRate = 1e12;
constexpr std::int64_t kMostWords = std::int64_t{1} << 50;
constexpr std::int64_t kMostInstances = std::int64_t{1} << 24;

// The keys with one kind of value; the others are read by hand below.
model::Record<MapLevel> level_record() {
  model::Record<MapLevel> record("level", "One level of memory");
  record.text("name", &MapLevel::name, {}, "name, used once");
  record.number("read_pj", &MapLevel::read_pj, kPicojoules, {}, "pJ to read a word");
  record.number("write_pj", &MapLevel::write_pj, kPicojoules, {}, "pJ to write a word that comes from above");
  record.number("update_pj", &MapLevel::update_pj, kPicojoules, {}, "pJ to write a word that comes from below");
  record.boolean("multicast", &MapLevel::multicast, true,
                 "instances that need exactly the same words share one read of the level above");
  record.boolean("reduction", &MapLevel::reduction, true, "partial sums are added on their way to the level above");
  return record;
}

const std::vector<std::string>& special_keys() {
  static const std::vector<std::string> keys{"capacity_words",
                                             "read_words_per_cycle",
                                             "write_words_per_cycle",
                                             "shared_words_per_cycle",
                                             "must_keep",
                                             "may_keep",
                                             "buffering",
                                             "mesh"};
  return keys;
}

struct Compute {
  std::string name, per_instance_of;
  double pj = 0, ops_per_cycle = 1;
};

model::Record<Compute> compute_record() {
  model::Record<Compute> record("compute", "The multiply-accumulate units");
  record.text("name", &Compute::name, std::string("MAC"), "name");
  record.text("per_instance_of", &Compute::per_instance_of, {}, "the innermost level");
  record.number("pj", &Compute::pj, kPicojoules, {}, "pJ a multiply-accumulate");
  record.number("ops_per_cycle", &Compute::ops_per_cycle, {kLeastRate, kMostRate}, 1,
                "multiply-accumulates a cycle and instance");
  return record;
}

void read_names(const Json& json, const Origin& at, bool& all, std::vector<std::string>& names) {
  all = false;
  if (json.is_string()) {
    if (json.get<std::string>() != "all") {
      fail(at, "expected \"all\" or a list of tensor names, " + model::describe(json));
    }
    all = true;
    return;
  }
  if (!json.is_array()) fail(at, "expected \"all\" or a list of tensor names, " + model::describe(json));
  for (std::size_t i = 0; i < json.size(); ++i) names.push_back(model::read_text(json[i], at.index(i)));
}

MapLevel parse_level(const Json& json, const Origin& at, bool outermost) {
  if (!json.is_object()) fail(at, "expected an object (level), " + model::describe(json));
  const auto record = level_record();
  std::vector<std::string> keys = record.keys();
  keys.insert(keys.end(), special_keys().begin(), special_keys().end());
  Json plain = Json::object();
  for (const auto& [key, value] : json.items()) {
    if (!key.empty() && key[0] == '_') continue;
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) model::fail_unknown_key(key, keys, at);
    if (std::find(special_keys().begin(), special_keys().end(), key) == special_keys().end()) plain[key] = value;
  }
  MapLevel level = record.parse(plain, at);
  if (!json.contains("capacity_words")) {
    fail(at, "missing key \"capacity_words\" (integer 1 to " + std::to_string(kMostWords) + ", or null = unlimited)");
  }
  const Json& capacity = json.at("capacity_words");
  if (!capacity.is_null()) {
    level.capacity_words =
        static_cast<double>(model::read_integer(capacity, {1, kMostWords}, at.key("capacity_words")));
  }
  const auto rate = [&](const char* key, double& value) {
    const auto it = json.find(key);
    if (it != json.end() && !it->is_null()) value = model::read_number(*it, {kLeastRate, kMostRate}, at.key(key));
  };
  rate("read_words_per_cycle", level.read_rate);
  rate("write_words_per_cycle", level.write_rate);
  rate("shared_words_per_cycle", level.shared_rate);
  if (json.contains("must_keep"))
    read_names(json.at("must_keep"), at.key("must_keep"), level.must_keep_all, level.must_keep);
  if (json.contains("may_keep"))
    read_names(json.at("may_keep"), at.key("may_keep"), level.may_keep_all, level.may_keep);
  if (const auto it = json.find("buffering"); it != json.end()) {
    const Origin here = at.key("buffering");
    if (it->is_object()) {
      for (const auto& [tensor, value] : it->items()) {
        level.buffering_of.emplace_back(tensor, model::read_integer(value, {1, 2}, here.key(tensor)));
      }
    } else {
      level.buffering = model::read_integer(*it, {1, 2}, here);
    }
  }
  if (const auto it = json.find("mesh"); it != json.end()) {
    const Origin here = at.key("mesh");
    if (outermost) fail(here, "the outermost level has one instance, found a mesh");
    if (!it->is_array() || it->size() != 2) fail(here, "expected [X, Y], " + model::describe(*it));
    for (std::size_t i = 0; i < 2; ++i) level.mesh[i] = model::read_integer((*it)[i], {1, kLargestMesh}, here.index(i));
    level.has_mesh = true;
  }
  return level;
}

Json names_json(bool all, const std::vector<std::string>& names) { return all ? Json("all") : Json(names); }

}  // namespace

MapHierarchy parse_hierarchy(const Json& json, const std::string& file) {
  model::require_schema(json, kSchema, file);
  const Origin at{file, ""};
  const std::vector<std::string> keys{"schema", "name", "word_bits", "levels", "compute"};
  for (const auto& [key, value] : json.items()) {
    if (!key.empty() && key[0] == '_') continue;
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) model::fail_unknown_key(key, keys, at);
  }
  for (const char* key : {"levels", "compute"}) {
    if (!json.contains(key)) fail(at, std::string("missing key \"") + key + "\"");
  }
  MapHierarchy hierarchy;
  hierarchy.name = json.contains("name") ? model::read_text(json.at("name"), at.key("name"))
                                         : std::filesystem::path(file).stem().string();
  if (json.contains("word_bits"))
    hierarchy.word_bits = model::read_integer(json.at("word_bits"), {1, 1024}, at.key("word_bits"));
  const Json& levels = json.at("levels");
  const Origin list = at.key("levels");
  if (!levels.is_array() || levels.empty() || levels.size() > kMostMapLevels) {
    fail(list, "expected a list of 1 to " + std::to_string(kMostMapLevels) + " levels, " + model::describe(levels));
  }
  std::int64_t instances = 1;
  for (std::size_t l = 0; l < levels.size(); ++l) {
    MapLevel level = parse_level(levels[l], list.index(l), l == 0);
    for (const MapLevel& other : hierarchy.levels) {
      if (other.name == level.name) fail(list.index(l).key("name"), "a second level \"" + level.name + "\"");
    }
    instances *= level.mesh[0] * level.mesh[1];
    if (instances > kMostInstances) fail(list.index(l).key("mesh"), "more than 2^24 instances of a level");
    hierarchy.levels.push_back(std::move(level));
  }
  const Compute compute = compute_record().parse(json.at("compute"), at.key("compute"));
  if (compute.per_instance_of != hierarchy.levels.back().name) {
    fail(at.key("compute").key("per_instance_of"), "found \"" + compute.per_instance_of +
                                                       "\", allowed: the innermost level \"" +
                                                       hierarchy.levels.back().name + "\"");
  }
  hierarchy.compute_name = compute.name;
  hierarchy.mac_pj = compute.pj;
  hierarchy.ops_per_cycle = compute.ops_per_cycle;
  return hierarchy;
}

MapHierarchy load_hierarchy(const std::string& file) { return parse_hierarchy(model::read_json_file(file), file); }

Json hierarchy_json(const MapHierarchy& hierarchy) {
  Json json = {
      {"schema", kSchema}, {"name", hierarchy.name}, {"word_bits", hierarchy.word_bits}, {"levels", Json::array()}};
  const auto record = level_record();
  for (const MapLevel& level : hierarchy.levels) {
    Json row = record.dump(level);
    const bool limited = level.capacity_words < std::numeric_limits<double>::infinity();
    row["capacity_words"] = limited ? Json(static_cast<std::int64_t>(level.capacity_words)) : Json();
    row["read_words_per_cycle"] = level.read_rate > 0 ? Json(level.read_rate) : Json();
    row["write_words_per_cycle"] = level.write_rate > 0 ? Json(level.write_rate) : Json();
    row["shared_words_per_cycle"] = level.shared_rate > 0 ? Json(level.shared_rate) : Json();
    row["must_keep"] = names_json(level.must_keep_all, level.must_keep);
    row["may_keep"] = names_json(level.may_keep_all, level.may_keep);
    if (level.buffering_of.empty()) {
      row["buffering"] = level.buffering;
    } else {
      row["buffering"] = Json::object();
      for (const auto& [tensor, copies] : level.buffering_of) row["buffering"][tensor] = copies;
    }
    if (level.has_mesh) row["mesh"] = level.mesh;
    json["levels"].push_back(std::move(row));
  }
  json["compute"] = {{"name", hierarchy.compute_name},
                     {"per_instance_of", hierarchy.levels.back().name},
                     {"pj", hierarchy.mac_pj},
                     {"ops_per_cycle", hierarchy.ops_per_cycle}};
  return json;
}

KeepRules keep_rules(const MapHierarchy& hierarchy, const MapProblem& problem, const std::string& file) {
  std::vector<std::string> names;
  for (const MapTensor& tensor : problem.tensors) names.push_back(tensor.name);
  const auto index_of = [&](const std::string& name, const Origin& at) {
    const auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end()) {
      std::string allowed;
      for (const std::string& n : names) allowed += (allowed.empty() ? "" : ", ") + n;
      fail(at, "found \"" + name + "\", which is no tensor of problem \"" + problem.name + "\", allowed: " + allowed +
                   model::did_you_mean(name, names));
    }
    return static_cast<std::size_t>(it - names.begin());
  };
  KeepRules rules;
  rules.must.assign(names.size(), 1U);
  rules.may.assign(names.size(), 1U);
  for (std::size_t l = 0; l < hierarchy.levels.size(); ++l) {
    const MapLevel& level = hierarchy.levels[l];
    const Origin at = Origin{file, ""}.key("levels").index(l);
    rules.copies.emplace_back(names.size(), static_cast<double>(level.buffering));
    for (std::size_t i = 0; i < level.buffering_of.size(); ++i) {
      const auto& [tensor, copies] = level.buffering_of[i];
      rules.copies.back()[index_of(tensor, at.key("buffering"))] = static_cast<double>(copies);
    }
    const std::uint32_t bit = 1U << l;
    std::vector<bool> may(names.size(), level.may_keep_all), must(names.size(), level.must_keep_all);
    for (std::size_t i = 0; i < level.may_keep.size(); ++i)
      may[index_of(level.may_keep[i], at.key("may_keep").index(i))] = true;
    for (std::size_t i = 0; i < level.must_keep.size(); ++i)
      must[index_of(level.must_keep[i], at.key("must_keep").index(i))] = true;
    for (std::size_t t = 0; t < names.size(); ++t) {
      if (must[t] && !may[t]) fail(at.key("must_keep"), "tensor \"" + names[t] + "\" must be kept and may not");
      if (l == 0 && !may[t])
        fail(at.key("may_keep"), "the outermost level keeps every tensor, \"" + names[t] + "\" too");
      if (may[t]) rules.may[t] |= bit;
      if (must[t]) rules.must[t] |= bit;
    }
  }
  return rules;
}

}  // namespace accsim::sched
