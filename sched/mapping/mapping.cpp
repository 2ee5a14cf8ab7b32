#include "sched/mapping/mapping.h"

#include <algorithm>

#include "model/base/error.h"
#include "model/config/record.h"
#include "sched/mapping/ragged.h"

namespace accsim::sched {
namespace {

using model::fail;
using model::Json;
using model::Origin;

constexpr char kSchema[] = "accsim-mapping/1";

std::vector<std::string> level_names(const MapHierarchy& hierarchy) {
  std::vector<std::string> names;
  for (const MapLevel& level : hierarchy.levels) names.push_back(level.name);
  return names;
}

std::vector<std::string> dim_names(const MapProblem& problem) {
  std::vector<std::string> names;
  for (const MapDim& dim : problem.dims) names.push_back(dim.name);
  return names;
}

std::vector<std::string> tensor_names(const MapProblem& problem) {
  std::vector<std::string> names;
  for (const MapTensor& tensor : problem.tensors) names.push_back(tensor.name);
  return names;
}

// One entry of the list, read strictly.
struct Node {
  enum class Kind : std::uint8_t { store, loop, spatial } kind = Kind::loop;
  std::size_t what = 0;   // tensor or dimension
  std::size_t level = 0;  // store: its level; spatial: the level above the mesh; loop: its level if given
  bool level_given = false;
  std::int64_t factor = 1;
  std::int64_t step = 0;  // 0: not given
  int axis = 0;
};

Node parse_node(const Json& json, const MapHierarchy& hierarchy, const MapProblem& problem, const Origin& at) {
  if (!json.is_object()) fail(at, "expected an object (store, loop or spatial), " + model::describe(json));
  Node node;
  std::vector<std::string> keys;
  if (json.contains("store")) {
    node.kind = Node::Kind::store;
    keys = {"store", "level"};
  } else if (json.contains("spatial")) {
    node.kind = Node::Kind::spatial;
    keys = {"spatial", "axis", "factor", "below", "step"};
  } else if (json.contains("loop")) {
    node.kind = Node::Kind::loop;
    keys = {"loop", "factor", "at", "step"};
  } else {
    fail(at, "expected one of the keys store, loop, spatial, " + model::describe(json));
  }
  for (const auto& [key, value] : json.items()) {
    if (!key.empty() && key[0] == '_') continue;
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) model::fail_unknown_key(key, keys, at);
  }
  for (const std::string& key : keys) {
    if (key != "at" && key != "step" && !json.contains(key)) fail(at, "missing key \"" + key + "\"");
  }
  const std::vector<std::string> levels = level_names(hierarchy);
  const auto level_of = [&](const char* key) { return model::read_choice(json.at(key), levels, at.key(key)); };
  const auto factor_of = [&] { return model::read_integer(json.at("factor"), {1, kLargestMapDim}, at.key("factor")); };
  if (json.contains("step")) node.step = model::read_integer(json.at("step"), {1, kLargestMapDim}, at.key("step"));
  switch (node.kind) {
    case Node::Kind::store:
      node.what = model::read_choice(json.at("store"), tensor_names(problem), at.key("store"));
      node.level = level_of("level");
      break;
    case Node::Kind::spatial:
      node.what = model::read_choice(json.at("spatial"), dim_names(problem), at.key("spatial"));
      node.axis = static_cast<int>(model::read_choice(json.at("axis"), {"X", "Y"}, at.key("axis")));
      node.factor = factor_of();
      node.level = level_of("below");
      break;
    case Node::Kind::loop:
      node.what = model::read_choice(json.at("loop"), dim_names(problem), at.key("loop"));
      node.factor = factor_of();
      node.level_given = json.contains("at");
      if (node.level_given) node.level = level_of("at");
      break;
  }
  return node;
}

using AxisDims = std::array<std::uint32_t, 2>;

bool fits(const std::vector<std::int64_t>& factors, const std::array<std::int64_t, 2>& mesh, const AxisDims& allowed,
          std::size_t dim, std::int64_t x, std::int64_t y, std::vector<int>& axis) {
  if (dim == factors.size()) return true;
  const std::int64_t f = factors[dim];
  if (x * f <= mesh[0] && (f == 1 || (allowed[0] >> dim & 1U) != 0)) {
    axis[dim] = 0;
    if (fits(factors, mesh, allowed, dim + 1, x * f, y, axis)) return true;
  }
  if (f > 1 && y * f <= mesh[1] && (allowed[1] >> dim & 1U) != 0) {
    axis[dim] = 1;
    if (fits(factors, mesh, allowed, dim + 1, x, y * f, axis)) return true;
  }
  return false;
}

}  // namespace

Mapping empty_mapping(const MapHierarchy& hierarchy, const MapProblem& problem) {
  const std::size_t levels = hierarchy.levels.size(), dims = problem.dims.size();
  Mapping mapping;
  mapping.keep.assign(problem.tensors.size(), 1U);
  mapping.temporal.assign(levels, std::vector<std::int64_t>(dims, 1));
  mapping.spatial = mapping.temporal;
  mapping.axis.assign(levels, std::vector<int>(dims, 0));
  mapping.order.assign(levels, {});
  return mapping;
}

std::vector<std::vector<std::int64_t>> tile_sizes(const Mapping& mapping) {
  if (!mapping.tile.empty()) return mapping.tile;
  const std::size_t levels = mapping.temporal.size(), dims = mapping.temporal.front().size();
  std::vector<std::vector<std::int64_t>> tiles(levels, std::vector<std::int64_t>(dims, 1));
  for (std::size_t l = levels; l-- > 0;) {
    for (std::size_t d = 0; d < dims; ++d) {
      const std::int64_t inner = l + 1 < levels ? tiles[l + 1][d] * mapping.spatial[l + 1][d] : 1;
      tiles[l][d] = inner * mapping.temporal[l][d];
    }
  }
  return tiles;
}

double tile_words(const MapTensor& tensor, const std::vector<std::int64_t>& tile) {
  double words = 1;
  for (const TensorAxis& axis : tensor.axes) {
    std::int64_t extent = 1;
    for (const AxisPart& part : axis) extent += part.coefficient * (tile[static_cast<std::size_t>(part.dim)] - 1);
    words *= static_cast<double>(extent);
  }
  return words;
}

bool assign_axes(const MapHierarchy& hierarchy, Mapping& mapping, const std::vector<AxisDims>& allowed) {
  for (std::size_t l = 1; l < hierarchy.levels.size(); ++l) {
    const AxisDims dims = allowed.empty() ? AxisDims{~0U, ~0U} : allowed[l];
    if (!fits(mapping.spatial[l], hierarchy.levels[l].mesh, dims, 0, 1, 1, mapping.axis[l])) return false;
  }
  return true;
}

void check_mapping(const MapHierarchy& hierarchy, const MapProblem& problem, const Mapping& mapping, const Origin& at) {
  check_mapping(hierarchy, problem, keep_rules(hierarchy, problem), mapping, at);
}

void check_mapping(const MapHierarchy& hierarchy, const MapProblem& problem, const KeepRules& rules,
                   const Mapping& mapping, const Origin& at) {
  const std::size_t levels = hierarchy.levels.size();
  const auto tiles = tile_sizes(mapping);
  if (!mapping.tile.empty()) check_ragged_problem(problem);
  for (std::size_t d = 0; d < problem.dims.size() && !mapping.tile.empty(); ++d) {
    const RaggedDim chain = ragged_dim(mapping, d);
    const std::string& name = problem.dims[d].name;
    for (std::size_t l = 0; l < levels; ++l) {
      const std::string& level = hierarchy.levels[l].name;
      if (l > 0 && chain.tile[l] > chain.tile[l - 1]) {
        fail(at, "the tile of " + name + " in \"" + level + "\" is " + std::to_string(chain.tile[l]) +
                     ", larger than the one above, " + std::to_string(chain.tile[l - 1]));
      }
      if (l > 0 && (chain.split[l] - 1) * chain.tile[l] >= chain.tile[l - 1]) {
        fail(at, "the split of " + name + " over \"" + level +
                     "\" leaves instances without work: " + std::to_string(chain.split[l]) + " of " +
                     std::to_string(chain.tile[l]) + " for " + std::to_string(chain.tile[l - 1]));
      }
      if (chain.trips(l) != mapping.temporal[l][d]) {
        fail(at, "the loop over " + name + " in \"" + level + "\" has " + std::to_string(mapping.temporal[l][d]) +
                     " iterations, its steps make " + std::to_string(chain.trips(l)));
      }
    }
  }
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    if (tiles[0][d] != problem.dims[d].size) {
      fail(at, "the factors of " + problem.dims[d].name + " multiply to " + std::to_string(tiles[0][d]) +
                   ", expected " + std::to_string(problem.dims[d].size));
    }
  }
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    for (std::size_t l = 0; l < levels; ++l) {
      const bool kept = (mapping.keep[t] >> l & 1U) != 0;
      const std::string what =
          "tensor \"" + problem.tensors[t].name + "\" in level \"" + hierarchy.levels[l].name + "\"";
      if (kept && (rules.may[t] >> l & 1U) == 0) fail(at, what + " is stored and may not be");
      if (!kept && (rules.must[t] >> l & 1U) != 0) fail(at, what + " is not stored and must be");
    }
  }
  for (std::size_t l = 0; l < levels; ++l) {
    const MapLevel& level = hierarchy.levels[l];
    std::int64_t used[2] = {1, 1};
    for (std::size_t d = 0; d < problem.dims.size(); ++d) used[mapping.axis[l][d]] *= mapping.spatial[l][d];
    for (std::size_t a = 0; a < 2; ++a) {
      if (used[a] > level.mesh[a]) {
        fail(at, "level \"" + level.name + "\": " + std::to_string(used[a]) + " instances along " +
                     (a == 0 ? "X" : "Y") + ", the mesh has " + std::to_string(level.mesh[a]));
      }
    }
    double words = 0;
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
      if ((mapping.keep[t] >> l & 1U) != 0) words += rules.copies[l][t] * tile_words(problem.tensors[t], tiles[l]);
    }
    if (words > level.capacity_words) {
      fail(at, "level \"" + level.name + "\" would hold " + std::to_string(static_cast<std::int64_t>(words)) +
                   " words, its capacity is " + std::to_string(static_cast<std::int64_t>(level.capacity_words)));
    }
  }
}

namespace {

// Steps as given: [level][dim] of loops (blocks of the level below) and of splits (tiles of the level), 0 = not given.
struct Steps {
  std::vector<std::vector<std::int64_t>> loop, split;
  bool given = false;
};

// The tiles where some steps are given: what is not follows from the loops inside, or from the tile above.
void set_tiles(const MapProblem& problem, const Steps& steps, Mapping& mapping) {
  const std::size_t levels = mapping.temporal.size();
  std::vector<std::vector<std::int64_t>> tile(levels, std::vector<std::int64_t>(problem.dims.size(), 0));
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    for (std::size_t l = levels; l-- > 1;) {
      const std::int64_t inner = l + 1 < levels ? tile[l + 1][d] * mapping.spatial[l + 1][d] : 1;
      tile[l][d] = inner * mapping.temporal[l][d];
      const std::int64_t block = steps.loop[l - 1][d];
      if (block > 0) tile[l][d] = std::max<std::int64_t>(block / mapping.spatial[l][d], 1);
      if (steps.split[l][d] > 0) tile[l][d] = steps.split[l][d];
    }
    tile[0][d] = problem.dims[d].size;
    for (std::size_t l = 1; l < levels; ++l) {
      if (mapping.spatial[l][d] == 1 && mapping.temporal[l - 1][d] == 1) tile[l][d] = tile[l - 1][d];
    }
  }
  mapping.tile = std::move(tile);
}

}  // namespace

Mapping parse_mapping(const Json& json, const MapHierarchy& hierarchy, const MapProblem& problem,
                      const std::string& file) {
  Origin at{file, ""};
  const Json* list = &json;
  if (json.is_object()) {
    model::require_schema(json, kSchema, file);
    const std::vector<std::string> keys{"schema", "name", "nest"};
    for (const auto& [key, value] : json.items()) {
      if (!key.empty() && key[0] == '_') continue;
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) model::fail_unknown_key(key, keys, at);
    }
    if (!json.contains("nest")) fail(at, "missing key \"nest\"");
    list = &json.at("nest");
    at = at.key("nest");
  }
  if (!list->is_array()) fail(at, "expected a list of stores, loops and splits, " + model::describe(*list));
  Mapping mapping = empty_mapping(hierarchy, problem);
  const std::size_t levels = hierarchy.levels.size();
  std::size_t current = 0;
  std::vector<bool> looped(levels, false);
  Steps steps;
  steps.loop.assign(levels, std::vector<std::int64_t>(problem.dims.size(), 0));
  steps.split = steps.loop;
  std::vector<std::vector<bool>> split(levels, std::vector<bool>(problem.dims.size(), false)), seen = split;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Origin here = at.index(i);
    const Node node = parse_node((*list)[i], hierarchy, problem, here);
    const auto deeper = [&](std::size_t level, const char* key) {
      if (level < current) {
        fail(here.key(key), "level \"" + hierarchy.levels[level].name + "\" comes after \"" +
                                hierarchy.levels[current].name + "\"; the list goes from the outermost level in");
      }
      current = level;
    };
    steps.given = steps.given || node.step > 0;
    if (node.kind == Node::Kind::store) {
      deeper(node.level, "level");
      if (looped[node.level]) fail(here, "the stores of a level come before its loops");
      if (node.level > 0 && (mapping.keep[node.what] >> node.level & 1U) != 0) fail(here, "stored twice in this level");
      mapping.keep[node.what] |= 1U << node.level;
    } else if (node.kind == Node::Kind::spatial) {
      if (node.level + 1 == levels)
        fail(here.key("below"), "there is no level below \"" + hierarchy.levels.back().name + "\"");
      deeper(std::max(current, node.level) == node.level + 1 && !looped[node.level + 1] ? node.level + 1 : node.level,
             "below");
      current = node.level + 1;
      if (split[current][node.what]) fail(here, "a dimension is split once over a mesh");
      split[current][node.what] = true;
      mapping.spatial[current][node.what] = node.factor;
      mapping.axis[current][node.what] = node.axis;
      steps.split[current][node.what] = node.step;
    } else {
      if (node.level_given) deeper(node.level, "at");
      if (seen[current][node.what])
        fail(here, "a second loop over this dimension in level \"" + hierarchy.levels[current].name + "\"");
      seen[current][node.what] = true;
      looped[current] = true;
      mapping.temporal[current][node.what] = node.factor;
      steps.loop[current][node.what] = node.step;
      if (node.factor > 1) mapping.order[current].push_back(static_cast<int>(node.what));
    }
  }
  if (steps.given) set_tiles(problem, steps, mapping);
  for (std::vector<int>& order : mapping.order) std::reverse(order.begin(), order.end());
  check_mapping(hierarchy, problem, mapping, at);
  return mapping;
}

Json mapping_json(const MapHierarchy& hierarchy, const MapProblem& problem, const Mapping& mapping) {
  Json nest = Json::array();
  std::size_t current = 0;
  for (std::size_t l = 0; l < hierarchy.levels.size(); ++l) {
    for (const int axis : {0, 1}) {
      for (std::size_t d = 0; d < problem.dims.size() && l > 0; ++d) {
        if (mapping.spatial[l][d] == 1 || mapping.axis[l][d] != axis) continue;
        nest.push_back({{"spatial", problem.dims[d].name},
                        {"axis", axis == 0 ? "X" : "Y"},
                        {"factor", mapping.spatial[l][d]},
                        {"below", hierarchy.levels[l - 1].name}});
        if (!mapping.tile.empty()) nest.back()["step"] = mapping.tile[l][d];
        current = l;
      }
    }
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
      if ((mapping.keep[t] >> l & 1U) == 0) continue;
      nest.push_back({{"store", problem.tensors[t].name}, {"level", hierarchy.levels[l].name}});
      current = l;
    }
    for (std::size_t i = mapping.order[l].size(); i-- > 0;) {
      const auto d = static_cast<std::size_t>(mapping.order[l][i]);
      Json loop = {{"loop", problem.dims[d].name}, {"factor", mapping.temporal[l][d]}};
      if (!mapping.tile.empty()) loop["step"] = l + 1 < mapping.tile.size() ? ragged_dim(mapping, d).block(l + 1) : 1;
      if (current != l) loop["at"] = hierarchy.levels[l].name;
      current = l;
      nest.push_back(std::move(loop));
    }
  }
  return {{"schema", kSchema}, {"nest", std::move(nest)}};
}

namespace {

// " by 32" where a step does not divide what it walks.
std::string step_text(const Mapping& mapping, std::size_t level, std::size_t d, bool split) {
  if (mapping.tile.empty()) return "";
  const RaggedDim chain = ragged_dim(mapping, d);
  if (chain.whole() || (!split && level + 1 == chain.levels)) return "";
  return " by " + std::to_string(split ? chain.tile[level] : chain.block(level + 1));
}

}  // namespace

std::string mapping_text(const MapHierarchy& hierarchy, const MapProblem& problem, const Mapping& mapping) {
  const auto tiles = tile_sizes(mapping);
  std::string text, indent;
  for (std::size_t l = 0; l < hierarchy.levels.size(); ++l) {
    for (const int axis : {0, 1}) {
      for (std::size_t d = 0; d < problem.dims.size() && l > 0; ++d) {
        if (mapping.spatial[l][d] == 1 || mapping.axis[l][d] != axis) continue;
        text += indent + "parallel " + problem.dims[d].name + " in 0.." + std::to_string(mapping.spatial[l][d] - 1) +
                (axis == 0 ? " on X" : " on Y") + step_text(mapping, l, d, true) + "\n";
        indent += "  ";
      }
    }
    text += indent + "[" + hierarchy.levels[l].name;
    const char* separator = ": ";
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
      if ((mapping.keep[t] >> l & 1U) == 0) continue;
      text += separator + problem.tensors[t].name + " " +
              std::to_string(static_cast<std::int64_t>(tile_words(problem.tensors[t], tiles[l])));
      separator = ", ";
    }
    text += "]\n";
    for (std::size_t i = mapping.order[l].size(); i-- > 0;) {
      const auto d = static_cast<std::size_t>(mapping.order[l][i]);
      text += indent + "for " + problem.dims[d].name + " in 0.." + std::to_string(mapping.temporal[l][d] - 1) +
              step_text(mapping, l, d, false) + "\n";
      indent += "  ";
    }
  }
  return text + indent + hierarchy.compute_name + "\n";
}

}  // namespace accsim::sched
