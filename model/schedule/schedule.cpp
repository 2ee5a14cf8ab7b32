// accsim-schedule/1 as JSON. Tables of fields where a key is fixed; objects whose keys are names (tiles, buffers,
// homes) by hand.
#include "model/schedule/schedule.h"

#include <algorithm>
#include <utility>

#include "model/base/error.h"
#include "model/config/record.h"

namespace accsim::model {

namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 40;
constexpr std::size_t kMostEntries = 1'000'000;

const std::vector<std::string> kHomeNames{"dram", "global_buffer", "scratchpad"};
const std::vector<std::string> kBufferRoles{"input", "weight", "output"};
const std::vector<std::string> kMulticastRoles{"input", "weight"};

// Reads an object whose keys are names: `value(json, origin)` of each entry.
template <class V, class Value>
void read_entries(std::map<std::string, V>& out, const Json& json, const Origin& at, Value value) {
  if (!json.is_object()) fail(at, "expected an object, " + describe(json));
  for (const auto& [key, entry] : json.items()) {
    if (!key.empty() && key[0] == '_') continue;
    out[key] = value(entry, at.key(key));
  }
}

Record<InnerEdge> edge_record() {
  Record<InnerEdge> record("edge", "A tensor between two operators of one group");
  record.text("tensor", &InnerEdge::tensor, {}, "the tensor's name");
  record.choice<std::string>("halo", &InnerEdge::halo,
                             {{"recompute", "recompute"}, {"retain", "retain"}, {"exchange", "exchange"}}, "recompute",
                             "where the overlap of neighbouring tiles comes from");
  record.choice<std::string>("direction", &InnerEdge::direction,
                             {{"output_centric", "output_centric"}, {"input_centric", "input_centric"}},
                             "output_centric", "who drives the tiles: the consumer pulls or the producer pushes");
  return record;
}

// The parts of a mapping and a group with fixed keys; the others are taken out before and put back by hand.
Record<OperatorMapping> mapping_record() {
  Record<OperatorMapping> record("mapping", "How one operator runs on one core");
  record.text("layer", &OperatorMapping::layer, {}, "name of the operator");
  record.texts("order", &OperatorMapping::order, 0, 64, std::vector<std::string>{},
               "dimensions, outermost first; those not named are inside, in nest order");
  return record;
}

Record<Group> group_record() {
  Record<Group> record("group", "Operators that run together");
  record.texts("layers", &Group::layers, 1, kMostEntries, {}, "names of the operators, in the order of execution");
  record.integers("cores", &Group::cores, {0, 1'000'000}, 0, 1'000'000, {}, "cores that take part");
  const Choices<std::string> splits{{"none", "none"},           {"rows", "rows"},        {"columns", "columns"},
                                    {"channels", "channels"},   {"batch", "batch"},      {"heads", "heads"},
                                    {"reduction", "reduction"}, {"pipeline", "pipeline"}};
  record.choice<std::string>("split", &Group::split, splits, "none", "how the work is divided over the cores");
  record.list("edges", &Group::edges, edge_record(), 0, kMostEntries, "inner tensors and their halos");
  record.boolean("prefetch", &Group::prefetch, true, "first weights may be loaded while the group before runs");
  return record;
}

// The members of `json` named in `keys`, taken out of it.
Json take(Json& json, const std::vector<std::string>& keys) {
  Json taken = Json::object();
  for (const std::string& key : keys) {
    const auto it = json.find(key);
    if (it == json.end()) continue;
    taken[key] = *it;
    json.erase(it);
  }
  return taken;
}

// Unknown keys are refused here, with all keys of the object in the message.
void check_keys(const Json& json, std::vector<std::string> keys, const std::vector<std::string>& more,
                const Origin& at) {
  if (!json.is_object()) fail(at, "expected an object, " + describe(json));
  keys.insert(keys.end(), more.begin(), more.end());
  for (const auto& [key, value] : json.items()) {
    if (!key.empty() && key[0] == '_') continue;
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) fail_unknown_key(key, keys, at);
  }
}

OperatorMapping parse_mapping(Json json, const Origin& at) {
  static const Record<OperatorMapping> record = mapping_record();
  check_keys(json, record.keys(), {"tile", "buffers", "multicast"}, at);
  const Json named = take(json, {"tile", "buffers", "multicast"});
  OperatorMapping mapping = record.parse(json, at);
  if (named.contains("tile")) {
    read_entries(mapping.tile, named["tile"], at.key("tile"), [](const Json& v, const Origin& o) {
      return read_integer(v, {1, kLargest}, o);
    });
  }
  if (named.contains("buffers")) {
    const Origin where = at.key("buffers");
    check_keys(named["buffers"], kBufferRoles, {}, where);
    read_entries(mapping.buffers, named["buffers"], where, [](const Json& v, const Origin& o) {
      return static_cast<int>(read_integer(v, {1, 2}, o));
    });
  }
  if (named.contains("multicast")) {
    const Json& roles = named["multicast"];
    const Origin where = at.key("multicast");
    if (!roles.is_array()) fail(where, "expected a list, " + describe(roles));
    for (std::size_t i = 0; i < roles.size(); ++i)
      mapping.multicast.push_back(kMulticastRoles[read_choice(roles[i], kMulticastRoles, where.index(i))]);
  }
  return mapping;
}

Group parse_group(Json json, const Origin& at) {
  static const Record<Group> record = group_record();
  check_keys(json, record.keys(), {"id", "mappings", "homes"}, at);
  const Json named = take(json, {"id", "mappings", "homes"});
  Group group = record.parse(json, at);
  if (!named.contains("id")) fail(at, "missing key \"id\" (integer: number of the group, from 0)");
  group.id = GroupId(static_cast<std::int32_t>(read_integer(named["id"], {0, 1'000'000'000}, at.key("id"))));
  if (named.contains("mappings")) {
    const Json& mappings = named["mappings"];
    const Origin where = at.key("mappings");
    if (!mappings.is_array()) fail(where, "expected a list, " + describe(mappings));
    for (std::size_t i = 0; i < mappings.size(); ++i)
      group.mappings.push_back(parse_mapping(mappings[i], where.index(i)));
  }
  if (named.contains("homes")) {
    read_entries(group.homes, named["homes"], at.key("homes"),
                 [](const Json& v, const Origin& o) { return static_cast<Home>(read_choice(v, kHomeNames, o)); });
  }
  return group;
}

template <class V>
Json dump_entries(const std::map<std::string, V>& entries) {
  Json json = Json::object();
  for (const auto& [key, value] : entries) json[key] = value;
  return json;
}

Json dump_group(const Group& group) {
  static const Record<OperatorMapping> mapping_fields = mapping_record();
  static const Record<Group> group_fields = group_record();
  const Json fixed = group_fields.dump(group);
  Json json = Json::object();
  json["id"] = group.id.value();
  for (const char* key : {"layers", "cores", "split"}) json[key] = fixed[key];
  Json mappings = Json::array();
  for (const OperatorMapping& mapping : group.mappings) {
    Json entry = mapping_fields.dump(mapping);
    entry["tile"] = dump_entries(mapping.tile);
    entry["buffers"] = dump_entries(mapping.buffers);
    if (!mapping.multicast.empty()) entry["multicast"] = mapping.multicast;
    mappings.push_back(std::move(entry));
  }
  json["mappings"] = std::move(mappings);
  json["edges"] = fixed["edges"];
  json["homes"] = Json::object();
  for (const auto& [tensor, home] : group.homes) json["homes"][tensor] = kHomeNames[static_cast<std::size_t>(home)];
  json["prefetch"] = group.prefetch;
  return json;
}

}  // namespace

Json to_json(const Schedule& schedule) {
  Json json = Json::object();
  json["schema"] = "accsim-schedule/1";
  json["arch"] = schedule.arch;
  json["net"] = schedule.net;
  json["batch"] = schedule.batch;
  json["strategy"] = schedule.strategy;
  json["objective"] = schedule.objective;
  json["groups"] = Json::array();
  for (const Group& group : schedule.groups) json["groups"].push_back(dump_group(group));
  return json;
}

Schedule parse_schedule(const Json& json, const std::string& file) {
  require_schema(json, "accsim-schedule/1", file);
  const Origin at{file, ""};
  Record<Schedule> record("schedule", "A schedule of a network on an architecture");
  record.text("arch", &Schedule::arch, {}, "name of the architecture");
  record.text("net", &Schedule::net, {}, "name of the network");
  record.integer("batch", &Schedule::batch, {1, 1'000'000}, 1, "factor on the network's first dimension");
  record.text("strategy", &Schedule::strategy, "", "what made the schedule");
  const Choices<std::string> objectives{{"edp", "edp"}, {"latency", "latency"}, {"energy", "energy"}};
  record.choice<std::string>("objective", &Schedule::objective, objectives, "edp", "what the schedule was made for");
  check_keys(json, record.keys(), {"schema", "groups"}, at);
  Json rest = json;
  const Json named = take(rest, {"schema", "groups"});
  Schedule schedule = record.parse(rest, at);
  if (!named.contains("groups")) fail(at, "missing key \"groups\" (list of groups in the order of execution)");
  const Json& groups = named["groups"];
  if (!groups.is_array()) fail(at.key("groups"), "expected a list, " + describe(groups));
  for (std::size_t i = 0; i < groups.size(); ++i)
    schedule.groups.push_back(parse_group(groups[i], at.key("groups").index(i)));
  return schedule;
}

}  // namespace accsim::model
