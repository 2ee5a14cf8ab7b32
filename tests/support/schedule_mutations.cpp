#include "tests/support/schedule_mutations.h"

#include <algorithm>
#include <utility>

namespace accsim::tests {

using model::Json;

namespace {

void renumber(Json& schedule) {
  for (std::size_t g = 0; g < schedule["groups"].size(); ++g) schedule["groups"][g]["id"] = g;
}

void insert_at(Json& list, std::size_t i, const Json& value) {
  list.insert(list.begin() + static_cast<std::ptrdiff_t>(i), value);
}

class Mutations {
 public:
  Mutations(const model::Schedule& original, const model::Network& network, const model::Architecture& arch)
      : original_(original), network_(network), arch_(arch) {}

  std::vector<ScheduleMutant> all() {
    for (const char* key : {"arch", "net"}) {
      add(std::string("other name: ") + key, key, [key](Json& s) { s[key] = s[key].get<std::string>() + "2"; });
    }
    add("other batch", "batch", [](Json& s) { s["batch"] = s["batch"].get<int>() + 1; });
    for (g_ = 0; g_ < original_.groups.size(); ++g_) {
      groups();
      layers();
      cores();
      tensors();
      for (m_ = 0; m_ < group().mappings.size(); ++m_) {
        mappings();
        tiles();
        orders();
        buffers();
      }
    }
    return std::move(mutants_);
  }

 private:
  [[nodiscard]] const model::Group& group() const { return original_.groups[g_]; }
  [[nodiscard]] const model::OperatorMapping& mapping() const { return group().mappings[m_]; }
  [[nodiscard]] std::string path() const { return "groups[" + std::to_string(g_) + "]"; }

  void add(std::string sort, std::string where, std::function<void(Json&)> edit) {
    mutants_.push_back({std::move(sort), std::move(where), std::move(edit)});
  }
  void add_group(std::string sort, const std::string& where, std::function<void(Json&)> edit) {
    add(std::move(sort), path() + where, [g = g_, edit = std::move(edit)](Json& s) { edit(s["groups"][g]); });
  }
  void add_mapping(std::string sort, const std::string& where, std::function<void(Json&)> edit) {
    add_group(std::move(sort), ".mappings[" + std::to_string(m_) + "]" + where,
              [m = m_, edit = std::move(edit)](Json& group) { edit(group["mappings"][m]); });
  }

  void groups() {
    const std::size_t g = g_;
    for (const bool numbers : {true, false}) {
      const auto fix = [numbers](Json& s) {
        if (numbers) renumber(s);
      };
      add("drop group", path(), [=](Json& s) {
        s["groups"].erase(g);
        fix(s);
      });
      add("double group", path(), [=](Json& s) {
        insert_at(s["groups"], g, Json(s["groups"][g]));
        fix(s);
      });
      if (g + 1 == original_.groups.size()) continue;
      add("swap groups", path(), [=](Json& s) {
        std::swap(s["groups"][g], s["groups"][g + 1]);
        fix(s);
      });
      add("join groups", path(), [=](Json& s) {
        for (const char* key : {"layers", "mappings"})
          for (const Json& entry : s["groups"][g + 1][key]) s["groups"][g][key].push_back(entry);
        s["groups"].erase(g + 1);
        fix(s);
      });
    }
    for (const int more : {-1, 1}) {
      add_group("wrong group number", ".id", [more](Json& group) { group["id"] = group["id"].get<int>() + more; });
    }
    add_group("prefetch flag", ".prefetch", [](Json& group) { group["prefetch"] = !group["prefetch"].get<bool>(); });
    for (const char* split :
         {"none", "rows", "columns", "channels", "batch", "heads", "reduction", "pipeline", "half"}) {
      if (split != group().split) add_group("other split", ".split", [split](Json& group) { group["split"] = split; });
    }
  }

  void layers() {
    for (std::size_t i = 0; i < group().layers.size(); ++i) {
      const std::string where = ".layers[" + std::to_string(i) + "]";
      add_group("drop layer", where, [i](Json& group) { group["layers"].erase(i); });
      add_group("double layer", where, [i](Json& group) { group["layers"].push_back(group["layers"][i]); });
      add_group("unknown layer", where, [i](Json& group) { group["layers"][i] = "nothing"; });
      for (const model::Operator& op : network_.operators) {
        if (op.name == group().layers[i]) continue;
        add_group("other layer", where, [i, name = op.name](Json& group) { group["layers"][i] = name; });
        add_group("one layer more", where, [name = op.name](Json& group) { group["layers"].push_back(name); });
      }
    }
  }

  void cores() {
    add_group("no core", ".cores", [](Json& group) { group["cores"] = Json::array(); });
    add_group("core that is not there", ".cores",
              [n = arch_.core_count()](Json& group) { group["cores"] = Json::array({n}); });
    for (std::int64_t core = 0; core < arch_.core_count(); ++core) {
      add_group("one core more", ".cores", [core](Json& group) { group["cores"].push_back(core); });
      if (group().cores != std::vector{core})
        add_group("other core", ".cores", [core](Json& group) { group["cores"] = Json::array({core}); });
    }
  }

  void tensors() {
    for (const model::Tensor& tensor : network_.tensors) {
      for (const char* home : {"dram", "global_buffer", "scratchpad"}) {
        add_group("home of a tensor", ".homes." + tensor.name,
                  [name = tensor.name, home](Json& group) { group["homes"][name] = home; });
      }
      add_group("inner edge", ".edges", [name = tensor.name](Json& group) {
        group["edges"].push_back({{"tensor", name}});
      });
    }
    add_group("home of nothing", ".homes", [](Json& group) { group["homes"]["nothing"] = "dram"; });
  }

  void mappings() {
    const std::size_t m = m_;
    add_group("drop mapping", ".mappings", [m](Json& group) { group["mappings"].erase(m); });
    add_group("double mapping", ".mappings", [m](Json& group) { group["mappings"].push_back(group["mappings"][m]); });
    for (const model::Operator& op : network_.operators) {
      if (op.name == mapping().layer) continue;
      add_mapping("mapping of another layer", ".layer", [name = op.name](Json& json) { json["layer"] = name; });
    }
  }

  void tiles() {
    for (const auto& [dim, size] : mapping().tile) {
      const std::string where = ".tile." + dim;
      const auto set = [&](const char* sort, std::int64_t to) {
        if (to != size) add_mapping(sort, where, [dim = dim, to](Json& json) { json["tile"][dim] = to; });
      };
      set("tile of 0", 0);
      set("tile of 1", 1);
      set("smaller tile", size - 1);
      set("larger tile", size + 1);
      set("half the tile", (size + 1) / 2);
      set("twice the tile", size * 2);
      set("huge tile", 1000);
      add_mapping("whole dimension", where, [dim = dim](Json& json) { json["tile"].erase(dim); });
      add_mapping("tile of another dimension", where, [dim = dim](Json& json) {
        json["tile"][dim + "2"] = json["tile"][dim];
        json["tile"].erase(dim);
      });
      for (const auto& [other, other_size] : mapping().tile) {
        if (other <= dim || other_size == size) continue;
        add_mapping("tiles exchanged", where,
                    [dim = dim, other = other](Json& json) { std::swap(json["tile"][dim], json["tile"][other]); });
      }
    }
  }

  void orders() {
    const std::size_t size = mapping().order.size();
    for (std::size_t i = 0; i < size; ++i) {
      const std::string where = ".order[" + std::to_string(i) + "]";
      add_mapping("drop loop", where, [i](Json& json) { json["order"].erase(i); });
      add_mapping("double loop", where, [i](Json& json) { json["order"].push_back(json["order"][i]); });
      add_mapping("unknown loop", where, [i](Json& json) { json["order"][i] = "Z"; });
      for (std::size_t j = 0; j < i; ++j) {
        add_mapping("loops exchanged", where, [i, j](Json& json) { std::swap(json["order"][i], json["order"][j]); });
      }
    }
    if (size > 1)
      add_mapping("loops reversed", ".order",
                  [](Json& json) { std::reverse(json["order"].begin(), json["order"].end()); });
  }

  void buffers() {
    for (const char* role : {"input", "weight", "output", "bias"}) {
      for (const int count : {0, 1, 2, 3}) {
        add_mapping("other number of buffers", std::string(".buffers.") + role,
                    [role, count](Json& json) { json["buffers"][role] = count; });
      }
    }
  }

  const model::Schedule& original_;
  const model::Network& network_;
  const model::Architecture& arch_;
  std::vector<ScheduleMutant> mutants_;
  std::size_t g_ = 0;
  std::size_t m_ = 0;
};

}  // namespace

std::vector<ScheduleMutant> mutants_of(const model::Schedule& original, const model::Network& network,
                                       const model::Architecture& arch) {
  std::vector<ScheduleMutant> mutants = Mutations(original, network, arch).all();
  const Json unchanged = model::to_json(original);
  std::erase_if(mutants, [&](const ScheduleMutant& mutant) { return mutant.apply(original) == unchanged; });
  return mutants;
}

}  // namespace accsim::tests
