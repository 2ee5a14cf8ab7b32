#include "app/sweep_space.h"

#include <algorithm>
#include <utility>

#include "app/pipeline.h"
#include "model/base/error.h"
#include "model/config/record.h"

namespace accsim::app {
namespace {

constexpr char kSchema[] = "accsim-sweep/1";
constexpr std::size_t kMostValues = 10000;
constexpr std::size_t kMostAxes = 64;
constexpr std::int64_t kMostPoints = 1000000;

struct SpaceFile {  // all but the axes
  std::string schema;
  std::string arch;
  std::vector<std::string> nets;
  std::vector<std::string> strategies;
  std::string objective;
};

model::Record<SpaceFile> space_record() {
  model::Record<SpaceFile> record("space", "a design space");
  record.text("schema", &SpaceFile::schema, {}, kSchema)
      .text("arch", &SpaceFile::arch, {}, "base architecture")
      .texts("nets", &SpaceFile::nets, 1, kMostValues, {}, "network files")
      .texts("strategies", &SpaceFile::strategies, 1, kMostValues, std::vector<std::string>{"layerwise"},
             "search strategies")
      .text("objective", &SpaceFile::objective, "edp", "what is made small");
  return record;
}

SweepAxis parse_axis(const model::Json& json, const model::Origin& at) {
  if (!json.is_object()) model::fail(at, "expected an object (pointer, values), " + model::describe(json));
  for (const auto& [key, value] : json.items()) {
    if (key != "pointer" && key != "values" && key.rfind('_', 0) != 0) {
      model::fail_unknown_key(key, {"pointer", "values"}, at);
    }
  }
  if (!json.contains("pointer")) model::fail(at, "missing key \"pointer\" (a JSON pointer into the architecture)");
  if (!json.contains("values")) model::fail(at, "missing key \"values\" (a list)");
  SweepAxis axis;
  axis.pointer = model::read_text(json.at("pointer"), at.key("pointer"));
  const model::Json& values = json.at("values");
  if (!values.is_array() || values.empty() || values.size() > kMostValues) {
    model::fail(at.key("values"),
                "expected a list of 1 to " + std::to_string(kMostValues) + " values, " +
                    (values.is_array() && values.empty() ? "found an empty one" : model::describe(values)));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto same = std::find(axis.values.begin(), axis.values.end(), values[i]);
    if (same != axis.values.end()) {
      model::fail(at.key("values").index(i), "repeats values[" + std::to_string(same - axis.values.begin()) + "]");
    }
    axis.values.push_back(values[i]);
  }
  return axis;
}

// A pointer must lead to something that the architecture has, defaults included.
void check_pointer(const std::string& pointer, const model::Json& base, const model::Json& resolved,
                   const model::Origin& at) {
  bool found = false;
  try {
    const model::Json::json_pointer parsed(pointer);
    found = !parsed.empty() && (base.contains(parsed) || resolved.contains(parsed));
  } catch (const model::Json::exception&) {
    model::fail(at, "found \"" + pointer + "\", expected a JSON pointer such as \"/cores/0/array/rows\"");
  }
  if (!found)
    model::fail(at, "\"" + pointer + "\" leads to nothing in the architecture (accsim check --arch shows it)");
}

std::filesystem::path resolve(const std::string& name, const std::filesystem::path& folder) {
  const std::filesystem::path beside = folder / name;
  return std::filesystem::exists(beside) || !std::filesystem::exists(name) ? beside : std::filesystem::path(name);
}

}  // namespace

std::int64_t SweepSpace::size() const {
  std::int64_t total = 1;
  const auto multiply = [&](std::size_t n) { total = std::min(kMostPoints + 1, total * static_cast<std::int64_t>(n)); };
  for (const SweepAxis& axis : axes) multiply(axis.values.size());
  multiply(nets.size());
  multiply(strategies.size());
  return total;
}

std::vector<std::size_t> SweepSpace::indices(std::int64_t number) const {
  std::vector<std::size_t> sizes;
  for (const SweepAxis& axis : axes) sizes.push_back(axis.values.size());
  sizes.push_back(nets.size());
  sizes.push_back(strategies.size());
  std::vector<std::size_t> result(sizes.size());
  for (std::size_t i = sizes.size(); i-- > 0;) {
    result[i] = static_cast<std::size_t>(number) % sizes[i];
    number /= static_cast<std::int64_t>(sizes[i]);
  }
  return result;
}

Point SweepSpace::point(std::int64_t number) const {
  const std::vector<std::size_t> at = indices(number);
  Point point;
  point.arch = arch;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    point.arch[model::Json::json_pointer(axes[i].pointer)] = axes[i].values[at[i]];
  }
  point.arch_file = arch_file;
  point.net = at[axes.size()];
  point.strategy = strategies[at[axes.size() + 1]];
  point.objective = objective;
  return point;
}

model::Json SweepSpace::axis_values(std::int64_t number) const {
  const std::vector<std::size_t> at = indices(number);
  model::Json values = model::Json::array();
  for (std::size_t i = 0; i < axes.size(); ++i) values.push_back(axes[i].values[at[i]]);
  return values;
}

const std::string& SweepSpace::net_name(std::int64_t number) const { return net_names[indices(number)[axes.size()]]; }

model::Json SweepSpace::identity() const {
  model::Json json = {{"arch", arch},
                      {"nets", model::Json::array()},
                      {"strategies", strategies},
                      {"objective", objective},
                      {"axes", model::Json::array()}};
  for (const NetFile& net : nets) json["nets"].push_back(net.json);
  for (const SweepAxis& axis : axes) json["axes"].push_back({{"pointer", axis.pointer}, {"values", axis.values}});
  // The presets that the base stands on count too.
  json["resolved"] = model::to_json(model::parse_architecture(arch, arch_file));
  return json;
}

SweepSpace load_sweep_space(const std::filesystem::path& file) {
  model::Json json = model::read_json_file(file);
  model::require_schema(json, kSchema, file.string());
  const model::Origin at{file.string(), ""};
  model::Json axes = model::Json::array();
  if (json.contains("axes")) {
    axes = json.at("axes");
    json.erase("axes");
  }
  const SpaceFile parsed = space_record().parse(json, at);
  if (!axes.is_array() || axes.size() > kMostAxes) {
    model::fail(at.key("axes"),
                "expected a list of up to " + std::to_string(kMostAxes) + " axes, " + model::describe(axes));
  }

  SweepSpace space;
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  space.arch_file = resolve(parsed.arch, folder).string();
  space.arch = model::read_json_file(space.arch_file);
  const model::Json resolved = model::to_json(model::parse_architecture(space.arch, space.arch_file));
  for (const std::string& net : parsed.nets) {
    const std::string net_file = resolve(net, folder).string();
    space.nets.push_back({net_file, model::read_network_json(net_file)});
    space.net_names.push_back(model::parse_network(space.nets.back().json, net_file).name);
  }
  space.strategies = parsed.strategies;
  for (const std::string& strategy : space.strategies) sched::make_strategy(strategy);
  space.objective = parsed.objective;
  parse_objective(space.objective);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const model::Origin axis_at = at.key("axes").index(i);
    SweepAxis axis = parse_axis(axes[i], axis_at);
    check_pointer(axis.pointer, space.arch, resolved, axis_at.key("pointer"));
    for (const SweepAxis& earlier : space.axes) {
      if (earlier.pointer == axis.pointer) model::fail(axis_at.key("pointer"), "is the pointer of an earlier axis");
    }
    space.axes.push_back(std::move(axis));
  }
  if (space.size() > kMostPoints) {
    model::fail(at, "the grid has more than " + std::to_string(kMostPoints) + " points");
  }
  return space;
}

}  // namespace accsim::app
