#include "sched/mapping/constraints.h"

#include <algorithm>
#include <utility>

#include "model/base/error.h"
#include "model/config/record.h"

namespace accsim::sched {
namespace {

using model::fail;
using model::Json;
using model::Origin;

constexpr char kSchema[] = "accsim-constraints/1";
constexpr std::int64_t kMostFanout = std::int64_t{1} << 24;

struct Names {
  std::vector<std::string> levels, dims, tensors;
};

struct Reader {
  const MapHierarchy& hierarchy;
  const MapProblem& problem;
  Names names;
  bool divide;

  [[nodiscard]] std::vector<std::size_t> list(const Json& json, const std::vector<std::string>& allowed,
                                              const Origin& at, const char* what) const {
    std::vector<std::size_t> found;
    if (json.is_string() && json.get<std::string>() == "all") {
      for (std::size_t i = 0; i < allowed.size(); ++i) found.push_back(i);
      return found;
    }
    if (!json.is_array()) fail(at, std::string("expected \"all\" or a list of ") + what + ", " + model::describe(json));
    for (std::size_t i = 0; i < json.size(); ++i) found.push_back(model::read_choice(json[i], allowed, at.index(i)));
    return found;
  }

  void factors(const Json& json, const Origin& at, bool exact, std::vector<std::int64_t>& out) const {
    if (!json.is_object()) fail(at, "expected an object of dimensions and factors, " + model::describe(json));
    for (const auto& [name, value] : json.items()) {
      const Origin here = at.key(name);
      const std::size_t d = model::read_choice(Json(name), names.dims, here);
      const std::int64_t size = problem.dims[d].size;
      out[d] = model::read_integer(value, {1, exact ? size : kLargestMapDim}, here);
      if (exact && divide && size % out[d] != 0) {
        fail(here, "found " + std::to_string(out[d]) + ", allowed: divisors of " + std::to_string(size));
      }
    }
  }

  // ["M", "*", "K"], from the outermost in; without "*" those that are not named lie outside.
  void order(const Json& json, const Origin& at, LevelConstraints& level) const {
    if (!json.is_array()) fail(at, "expected a list of dimensions, " + model::describe(json));
    std::vector<std::string> allowed = names.dims;
    allowed.emplace_back("*");
    std::vector<std::size_t> entries;
    std::uint32_t named = 0;
    bool star = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
      const std::size_t entry = model::read_choice(json[i], allowed, at.index(i));
      if (std::find(entries.begin(), entries.end(), entry) != entries.end()) {
        fail(at.index(i), "\"" + allowed[entry] + "\" stands twice");
      }
      entries.push_back(entry);
      if (entry < names.dims.size()) named |= 1U << entry;
      star = star || entry == names.dims.size();
    }
    if (!star) entries.insert(entries.begin(), names.dims.size());
    const std::uint32_t rest = ((1U << names.dims.size()) - 1U) & ~named;
    std::uint32_t inner = 0;
    for (std::size_t i = entries.size(); i-- > 0;) {
      const std::uint32_t here = entries[i] == names.dims.size() ? rest : 1U << entries[i];
      for (std::size_t d = 0; d < names.dims.size(); ++d) {
        if ((here >> d & 1U) != 0) level.inside[d] |= inner;
      }
      inner |= here;
    }
  }
};

// Whether the order can be satisfied: dimensions can be taken one by one from the innermost out.
bool without_circle(const std::vector<std::uint32_t>& inside) {
  std::uint32_t placed = 0;
  for (std::size_t round = 0; round < inside.size(); ++round) {
    for (std::size_t d = 0; d < inside.size(); ++d) {
      if ((inside[d] & ~placed) == 0) placed |= 1U << d;
    }
  }
  return placed == (1U << inside.size()) - 1U;
}

const std::vector<std::string>& level_keys() {
  static const std::vector<std::string> keys{"keep",       "bypass", "loops", "max_loops", "split",     "max_split",
                                             "max_fanout", "x",      "y",     "order",     "stationary"};
  return keys;
}

}  // namespace

MapConstraints free_constraints(const MapHierarchy& hierarchy, const MapProblem& problem) {
  MapConstraints constraints;
  const std::vector<std::int64_t> free(problem.dims.size(), 0);
  LevelConstraints level;
  level.factor = level.most_factor = level.split = level.most_split = free;
  level.inside.assign(problem.dims.size(), 0U);
  constraints.levels.assign(hierarchy.levels.size(), level);
  return constraints;
}

MapConstraints parse_constraints(const Json& json, MapHierarchy& hierarchy, const MapProblem& problem, KeepRules& rules,
                                 bool divide, const std::string& file) {
  model::require_schema(json, kSchema, file);
  const Origin top{file, ""};
  for (const auto& [key, value] : json.items()) {
    if (!key.empty() && key[0] == '_') continue;
    if (key != "schema" && key != "name" && key != "levels") {
      model::fail_unknown_key(key, {"schema", "name", "levels"}, top);
    }
  }
  if (!json.contains("levels")) fail(top, "missing key \"levels\"");
  const Json& list = json.at("levels");
  const Origin all = top.key("levels");
  if (!list.is_object()) fail(all, "expected an object of levels by name, " + model::describe(list));
  Reader read{hierarchy, problem, {}, divide};
  for (const MapLevel& level : hierarchy.levels) read.names.levels.push_back(level.name);
  for (const MapDim& dim : problem.dims) read.names.dims.push_back(dim.name);
  for (const MapTensor& tensor : problem.tensors) read.names.tensors.push_back(tensor.name);
  MapConstraints constraints = free_constraints(hierarchy, problem);
  for (const auto& [name, entry] : list.items()) {
    const Origin at = all.key(name);
    const std::size_t l = model::read_choice(Json(name), read.names.levels, at);
    LevelConstraints& level = constraints.levels[l];
    MapLevel& memory = hierarchy.levels[l];
    if (!entry.is_object()) fail(at, "expected an object, " + model::describe(entry));
    std::uint32_t kept = 0;
    for (const auto& [key, value] : entry.items()) {
      if (!key.empty() && key[0] == '_') continue;
      const Origin here = at.key(key);
      if (l == 0 && (key == "split" || key == "max_split" || key == "max_fanout" || key == "x" || key == "y")) {
        fail(here, "the outermost level has one instance");
      }
      if (key == "keep") {
        for (const std::size_t t : read.list(value, read.names.tensors, here, "tensors")) {
          if ((rules.may[t] >> l & 1U) == 0) {
            fail(here, "tensor \"" + problem.tensors[t].name + "\" may not be kept in \"" + name + "\"");
          }
          rules.must[t] |= 1U << l;
          kept |= 1U << t;
        }
      } else if (key == "loops" || key == "max_loops") {
        read.factors(value, here, key == "loops", key == "loops" ? level.factor : level.most_factor);
        level.loops = true;
      } else if (key == "split" || key == "max_split") {
        read.factors(value, here, key == "split", key == "split" ? level.split : level.most_split);
      } else if (key == "max_fanout") {
        if (value.is_array()) {
          if (value.size() != 2) fail(here, "expected a number of instances or [X, Y], " + model::describe(value));
          for (std::size_t a = 0; a < 2; ++a) {
            const std::int64_t side = model::read_integer(value[a], {1, kMostFanout}, here.index(a));
            memory.mesh[a] = std::min(memory.mesh[a], side);
          }
        } else {
          level.most_instances = model::read_integer(value, {1, kMostFanout}, here);
        }
      } else if (key == "x" || key == "y") {
        std::uint32_t dims = 0;
        for (const std::size_t d : read.list(value, read.names.dims, here, "dimensions")) dims |= 1U << d;
        level.axis_dims[key == "x" ? 0 : 1] = dims;
      } else if (key == "order") {
        read.order(value, here, level);
        level.loops = true;
      } else if (key == "stationary") {
        const MapTensor& tensor = problem.tensors[model::read_choice(value, read.names.tensors, here)];
        for (std::size_t d = 0; d < problem.dims.size(); ++d) {
          if (tensor.uses(static_cast<int>(d))) level.inside[d] |= ((1U << problem.dims.size()) - 1U) & ~tensor.dims;
        }
        level.loops = true;
      } else if (key != "bypass") {
        model::fail_unknown_key(key, level_keys(), at);
      }
    }
    if (const auto it = entry.find("bypass"); it != entry.end()) {
      const Origin here = at.key("bypass");
      for (const std::size_t t : read.list(*it, read.names.tensors, here, "tensors")) {
        const std::string tensor = "tensor \"" + problem.tensors[t].name + "\"";
        if (l == 0) fail(here, "the outermost level keeps every tensor");
        if ((kept >> t & 1U) != 0) fail(here, tensor + " is in keep and in bypass");
        if ((rules.must[t] >> l & 1U) != 0) fail(here, tensor + " must be kept in \"" + name + "\"");
        rules.may[t] &= ~(1U << l);
      }
    }
    if (!without_circle(level.inside)) fail(at.key("order"), "the order contradicts the stationary tensor");
  }
  return constraints;
}

MapConstraints both(const MapConstraints& a, const MapConstraints& b) {
  if (a.none()) return b;
  if (b.none()) return a;
  MapConstraints out = a;
  const auto least = [](std::int64_t x, std::int64_t y) { return x == 0 ? y : y == 0 ? x : std::min(x, y); };
  for (std::size_t l = 0; l < out.levels.size(); ++l) {
    LevelConstraints& to = out.levels[l];
    const LevelConstraints& from = b.levels[l];
    for (std::size_t d = 0; d < to.factor.size(); ++d) {
      if (from.factor[d] > 0) to.factor[d] = from.factor[d];  // the caller has refused contradictions
      if (from.split[d] > 0) to.split[d] = from.split[d];
      to.most_factor[d] = least(to.most_factor[d], from.most_factor[d]);
      to.most_split[d] = least(to.most_split[d], from.most_split[d]);
      to.inside[d] |= from.inside[d];
    }
    to.most_instances = least(to.most_instances, from.most_instances);
    for (const std::size_t axis : {0U, 1U}) to.axis_dims[axis] &= from.axis_dims[axis];
    to.loops = to.loops || from.loops;
  }
  return out;
}

bool satisfies(const MapConstraints& constraints, const Mapping& mapping) {
  for (std::size_t l = 0; l < constraints.levels.size(); ++l) {
    const LevelConstraints& level = constraints.levels[l];
    std::int64_t instances = 1;
    for (std::size_t d = 0; d < mapping.temporal[l].size(); ++d) {
      const std::int64_t n = mapping.spatial[l][d];
      instances *= n;
      if (!level.allows_split(d, n) || !level.allows_loop(d, mapping.temporal[l][d])) return false;
      if (n > 1 && (level.axis_dims[static_cast<std::size_t>(mapping.axis[l][d])] >> d & 1U) == 0) return false;
    }
    if (level.most_instances > 0 && instances > level.most_instances) return false;
    std::uint32_t outside = 0;  // loops met so far from the outermost in
    for (std::size_t i = mapping.order[l].size(); i-- > 0;) {
      const auto d = static_cast<std::size_t>(mapping.order[l][i]);
      for (std::size_t e = 0; e < level.inside.size(); ++e) {
        if ((level.inside[d] >> e & 1U) != 0 && (outside >> e & 1U) != 0) return false;
      }
      outside |= 1U << d;
    }
  }
  return true;
}

}  // namespace accsim::sched
