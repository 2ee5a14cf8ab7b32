// The mapper against known optima, Pareto sets, counts and every access count of small mappings
// (tests/reference/mapper/README.md). Energy, cycles and EDP are equal; rows that the README calls best known may be
// beaten.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "model/config/json.h"
#include "sched/mapping/brute_force.h"
#include "sched/mapping/search.h"
#include "tests/catch.h"

namespace {

namespace model = accsim::model;
namespace sched = accsim::sched;

const std::string kFolder = std::string(ACCSIM_SOURCE_DIR) + "/tests/reference/mapper/";

std::vector<std::vector<std::string>> rows_of(const std::string& file) {
  std::ifstream in(kFolder + file);
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(in, line);  // names of the columns
  while (std::getline(in, line)) {
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        cells.emplace_back();
      } else {
        cells.back() += c;
      }
    }
    rows.push_back(std::move(cells));
  }
  return rows;
}

struct Case {
  Case(const std::string& arch, const std::string& name)
      : hierarchy(sched::load_hierarchy(kFolder + "hierarchies/" + arch + ".json")),
        problem(sched::load_problem(kFolder + "problems/" + name + ".json")),
        rules(sched::keep_rules(hierarchy, problem)) {}
  sched::MapHierarchy hierarchy;
  sched::MapProblem problem;
  sched::KeepRules rules;
};

int dim_of(const sched::MapProblem& problem, const std::string& name) {
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    if (problem.dims[d].name == name) return static_cast<int>(d);
  }
  throw std::runtime_error("no dimension " + name);
}

// "M:D2,G1,S8,R32 … | Dperm(in->out)=KMN Gperm=NK keep(…)=112" on three levels.
sched::Mapping mapping_of(const std::string& text, const Case& c) {
  sched::Mapping mapping = sched::empty_mapping(c.hierarchy, c.problem);
  const std::size_t bar = text.find('|');
  std::istringstream words(text.substr(0, bar));
  std::string word;
  while (words >> word) {
    const auto d = static_cast<std::size_t>(dim_of(c.problem, word.substr(0, word.find(':'))));
    std::istringstream factors(word.substr(word.find(':') + 1));
    std::string factor;
    while (std::getline(factors, factor, ',')) {
      const std::int64_t n = std::stoll(factor.substr(1));
      switch (factor[0]) {
        case 'D':
          mapping.temporal[0][d] = n;
          break;
        case 'G':
          mapping.temporal[1][d] = n;
          break;
        case 'S':
          mapping.spatial[2][d] = n;
          break;
        default:
          mapping.temporal[2][d] = n;
      }
    }
  }
  const std::string rest = text.substr(bar + 1);
  const auto read_order = [&](const std::string& key, std::size_t level) {
    std::size_t at = rest.find(key);
    if (at == std::string::npos) return;
    for (at = rest.find('=', at) + 1; at < rest.size() && rest[at] != ' '; ++at) {
      const int d = dim_of(c.problem, std::string(1, rest[at]));
      if (mapping.temporal[level][static_cast<std::size_t>(d)] > 1) mapping.order[level].push_back(d);
    }
  };
  read_order("Dperm", 0);
  read_order("Gperm", 1);
  for (std::size_t l = 0; l < 3; ++l) {
    for (std::size_t d = 0; d < c.problem.dims.size(); ++d) {
      const auto& order = mapping.order[l];
      if (mapping.temporal[l][d] > 1 && std::find(order.begin(), order.end(), static_cast<int>(d)) == order.end()) {
        mapping.order[l].push_back(static_cast<int>(d));
      }
    }
  }
  const std::string keep = rest.substr(rest.rfind('=') + 1);
  for (std::size_t t = 0; t < c.problem.tensors.size(); ++t) {
    const int bits = keep[t] - '0';
    mapping.keep[t] |= ((bits & 1) != 0 ? 4U : 0U) | ((bits & 2) != 0 ? 2U : 0U);
  }
  REQUIRE(sched::assign_axes(c.hierarchy, mapping));
  return mapping;
}

sched::MapObjective objective_of(const std::string& name) {
  return name == "energy"    ? sched::MapObjective::energy
         : name == "latency" ? sched::MapObjective::latency
                             : sched::MapObjective::edp;
}

sched::Evaluation evaluated(const Case& c, const sched::Mapping& mapping) {
  REQUIRE_NOTHROW(sched::check_mapping(c.hierarchy, c.problem, mapping, {"mapping", ""}));
  return sched::evaluate(c.hierarchy, c.problem, c.rules, mapping);
}

}  // namespace

TEST_CASE("the reference's mappings count as its optima say") {
  int compared = 0;
  for (const std::string file : {"optima.csv", "pareto.csv"}) {
    for (const auto& row : rows_of(file)) {
      INFO(file << ": " << row[0] << " " << row[1] << " " << row[2]);
      const Case c(row[0], row[1]);
      const sched::Mapping mapping = mapping_of(row[file == "optima.csv" ? 6 : 5], c);
      const sched::Evaluation e = evaluated(c, mapping);
      CHECK(e.energy_pj == std::stod(row[3]));
      CHECK(e.cycles == std::stod(row[4]));
      // Through the file format and back.
      const model::Json json = sched::mapping_json(c.hierarchy, c.problem, mapping);
      const sched::Evaluation again = evaluated(c, sched::parse_mapping(json, c.hierarchy, c.problem, "mapping"));
      CHECK(again.energy_pj == e.energy_pj);
      CHECK(again.cycles == e.cycles);
      ++compared;
    }
  }
  CHECK(compared == 98 + 38);
}

TEST_CASE("the search finds every optimum of the reference") {
  int compared = 0;
  for (const auto& row : rows_of("optima.csv")) {
    INFO(row[0] << " " << row[1] << " " << row[2]);
    const Case c(row[0], row[1]);
    sched::MapSearchOptions options;
    options.objective = objective_of(row[2]);
    const sched::MapSearchResult result = sched::search_mapping(c.hierarchy, c.problem, c.rules, options);
    const sched::Evaluation e = evaluated(c, result.points.front().mapping);
    const bool best_known = row[7].rfind("enumeration", 0) == 0 && row[0].rfind("gb", 0) == 0;
    if (best_known) {
      CHECK(e.edp() <= std::stod(row[3]) * std::stod(row[4]));
    } else {
      CHECK(e.energy_pj == std::stod(row[3]));
      CHECK(e.cycles == std::stod(row[4]));
    }
    CHECK(result.certificate.root_bound <= result.certificate.lower_bound);
    ++compared;
  }
  CHECK(compared == 98);
}

TEST_CASE("the search finds the reference's Pareto sets") {
  std::map<std::pair<std::string, std::string>, std::vector<std::pair<double, double>>> fronts;
  for (const auto& row : rows_of("pareto.csv"))
    fronts[{row[0], row[1]}].emplace_back(std::stod(row[4]), std::stod(row[3]));
  REQUIRE(fronts.size() == 7);
  for (auto& [name, expected] : fronts) {
    INFO(name.first << " " << name.second);
    const Case c(name.first, name.second);
    sched::MapSearchOptions options;
    options.pareto = true;
    std::vector<std::pair<double, double>> found;
    for (const sched::MapPoint& p : sched::search_mapping(c.hierarchy, c.problem, c.rules, options).points) {
      found.emplace_back(p.evaluation.cycles, p.evaluation.energy_pj);
    }
    std::sort(expected.begin(), expected.end());
    CHECK(found.size() == expected.size());
    for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
      CHECK(found[i].first == expected[i].first);
      CHECK(found[i].second == expected[i].second);
    }
  }
}

TEST_CASE("brute force counts the reference's spaces") {
  for (const auto& row : rows_of("counts.csv")) {
    INFO(row[0] << " " << row[1]);
    const Case c(row[1], row[0]);
    sched::MapSearchOptions options;
    options.pareto = true;
    const sched::BruteForceResult all = sched::brute_force(c.hierarchy, c.problem, c.rules, options);
    CHECK(all.raw == std::stod(row[3]));
    CHECK(all.on_mesh == std::stod(row[4]));
    CHECK(all.valid == std::stod(row[5]));
    CHECK(all.nonredundant == std::stod(row[6]));
    CHECK(std::pow(10.0, sched::raw_space_log10(c.hierarchy, c.problem, c.rules)) == Approx(all.raw).epsilon(1e-9));
    CHECK(all.points.back().evaluation.energy_pj == std::stod(row[7]));
    CHECK(all.points.back().evaluation.cycles == std::stod(row[8]));
    CHECK(all.points.front().evaluation.cycles == std::stod(row[9]));
    CHECK(all.points.front().evaluation.energy_pj == std::stod(row[10]));
  }
}

TEST_CASE("the worked examples, count by count") {
  const auto words = [](const sched::Accesses& a) { return std::vector<double>{a.reads, a.fills, a.updates}; };
  using Counts = std::vector<double>;
  {
    const Case c("narrowgb", "ex_gemm");
    const std::string nest = "M:D1,G2,S2,R2 N:D3,G1,S1,R2 K:D2,G1,S2,R3 | Dperm(in->out)=NK Gperm=M keep=";
    const sched::Evaluation e = evaluated(c, mapping_of(nest + "333", c));
    CHECK(e.instances == Counts{1, 1, 4});
    CHECK(words(e.accesses[2][0]) == Counts{144, 72, 0});
    CHECK(words(e.accesses[2][1]) == Counts{144, 36, 0});
    CHECK(words(e.accesses[2][2]) == Counts{120, 24, 144});
    CHECK(words(e.accesses[1][0]) == Counts{288, 96, 0});
    CHECK(words(e.accesses[1][1]) == Counts{72, 72, 0});
    CHECK(words(e.accesses[1][2]) == Counts{48, 48, 96});
    CHECK(words(e.accesses[0][0]) == Counts{96, 0, 0});
    CHECK(words(e.accesses[0][1]) == Counts{72, 0, 0});
    CHECK(words(e.accesses[0][2]) == Counts{48, 0, 96});
    CHECK(e.energy_pj == 25944);
    CHECK(e.cycles == 144);
    CHECK(evaluated(c, mapping_of(nest + "311", c)).energy_pj == 23928);
    const sched::Evaluation bypassed = evaluated(c, mapping_of(nest + "322", c));
    CHECK(bypassed.energy_pj == 28608);
    CHECK(bypassed.cycles == 204);
  }
  const Case c("narrowgb", "ex_conv1d");
  const std::string nest = "C:D2,G1,S1,R1 M:D1,G1,S2,R2 R:D1,G1,S1,R5 P:D2,G4,S2,R1 | Dperm(in->out)=PC Gperm=P keep=";
  const sched::Evaluation e = evaluated(c, mapping_of(nest + "333", c));
  CHECK(words(e.accesses[2][0]) == Counts{160, 20, 0});
  CHECK(words(e.accesses[2][1]) == Counts{160, 44, 0});
  CHECK(words(e.accesses[2][2]) == Counts{144, 16, 160});
  CHECK(words(e.accesses[1][0]) == Counts{40, 40, 0});
  CHECK(words(e.accesses[1][1]) == Counts{88, 40, 0});
  CHECK(words(e.accesses[1][2]) == Counts{64, 64, 128});
  CHECK(words(e.accesses[0][0]) == Counts{40, 0, 0});
  CHECK(words(e.accesses[0][1]) == Counts{40, 0, 0});
  CHECK(words(e.accesses[0][2]) == Counts{64, 0, 128});
  CHECK(e.energy_pj == 21920);
  CHECK(e.cycles == 160);
  CHECK(evaluated(c, mapping_of(nest + "313", c)).energy_pj == 24224);
  CHECK(evaluated(c, mapping_of(nest + "323", c)).energy_pj == 22904);
  const std::string wide =
      "C:D2,G1,S1,R1 M:D1,G1,S2,R2 R:D1,G1,S1,R5 P:D2,G2,S2,R2 | Dperm(in->out)=PC Gperm=P keep=333";
  CHECK(evaluated(c, mapping_of(wide, c)).accesses[2][1].fills == 40);
}

// probes.txt prints the nest and the counts of small mappings; the sizes of the dimensions follow from the factors.
TEST_CASE("the probes, count by count") {
  std::ifstream in(kFolder + "probes.txt");
  std::string line, name;
  const sched::MapHierarchy hierarchy = sched::load_hierarchy(kFolder + "hierarchies/probe.json");
  const std::vector<std::string> levels{"DRAM", "GlobalBuffer", "RegisterFile"};
  struct Loop {
    std::string dim;
    std::int64_t factor;
    std::size_t level;
    bool spatial, on_y;
  };
  std::vector<Loop> loops;
  std::size_t level = 0;
  std::map<std::string, std::map<std::string, std::vector<double>>> counts;
  std::vector<std::string> tensors;
  int compared = 0;
  const std::regex loop_text(R"(for (\w+) in \[0:(\d+)\)( \(Spatial-([XY])\))?)");
  const std::regex count_text(
      R"(^\s+(\w+)\s+(\w+)\s+inst=\s*(\d+) per-inst reads=\s*(\d+) fills=\s*(\d+) updates=\s*(\d+))");
  const std::regex store_text(R"((\w+):(\d+) \()");
  std::map<std::string, std::map<std::string, double>> tiles;  // level, tensor: words
  const auto compare = [&](const std::string& cycles) {
    INFO(name);
    const bool gemm = tensors.front() == "A";
    const bool strided = name.find("stride2") != std::string::npos;
    model::Json json = {{"schema", "accsim-problem/1"}, {"name", name}, {"dims", model::Json::object()}};
    std::vector<std::string> dims{"M", "N", "K"};
    if (!gemm) dims = {"M", "C", "R", "P"};
    for (const std::string& d : dims) {
      std::int64_t size = 1;
      for (const Loop& loop : loops) size *= loop.dim == d ? loop.factor : 1;
      json["dims"][d] = size;
    }
    if (gemm) {
      json["tensors"] = {{{"name", "A"}, {"dims", {"M", "K"}}},
                         {{"name", "B"}, {"dims", {"K", "N"}}},
                         {{"name", "Z"}, {"dims", {"M", "N"}}, {"output", true}}};
    } else {
      json["tensors"] = {{{"name", "Weights"}, {"dims", {"M", "C", "R"}}},
                         {{"name", "Inputs"}, {"dims", {"C", strided ? "P*2+R" : "P+R"}}},
                         {{"name", "Outputs"}, {"dims", {"M", "P"}}, {"output", true}}};
    }
    const sched::MapProblem problem = sched::parse_problem(json, name);
    sched::Mapping mapping = sched::empty_mapping(hierarchy, problem);
    for (std::size_t t = 0; t < 3; ++t) {  // kept where there is a row of counts
      for (std::size_t l = 0; l < 3; ++l) {
        if (counts[levels[l]].contains(problem.tensors[t].name)) mapping.keep[t] |= 1U << l;
      }
    }
    for (auto loop = loops.rbegin(); loop != loops.rend(); ++loop) {
      const int d = dim_of(problem, loop->dim);
      const auto i = static_cast<std::size_t>(d);
      if (loop->spatial) {
        mapping.spatial[loop->level + 1][i] = loop->factor;
        mapping.axis[loop->level + 1][i] = loop->on_y ? 1 : 0;
      } else {
        mapping.temporal[loop->level][i] = loop->factor;
        mapping.order[loop->level].push_back(d);
      }
    }
    const sched::KeepRules rules = sched::keep_rules(hierarchy, problem);
    REQUIRE_NOTHROW(sched::check_mapping(hierarchy, problem, mapping, {name, ""}));
    const sched::Evaluation e = sched::evaluate(hierarchy, problem, rules, mapping);
    const auto sizes = sched::tile_sizes(mapping);
    for (std::size_t l = 0; l < 3; ++l) {
      for (std::size_t t = 0; t < 3; ++t) {
        INFO(levels[l] << " " << problem.tensors[t].name);
        if ((mapping.keep[t] >> l & 1U) == 0) {
          CHECK(e.accesses[l][t].reads + e.accesses[l][t].fills + e.accesses[l][t].updates == 0);
          continue;
        }
        const std::vector<double>& expected = counts.at(levels[l]).at(problem.tensors[t].name);
        CHECK(e.instances[l] == expected[0]);
        CHECK(e.accesses[l][t].reads == expected[1]);
        CHECK(e.accesses[l][t].fills == expected[2]);
        CHECK(e.accesses[l][t].updates == expected[3]);
        CHECK(sched::tile_words(problem.tensors[t], sizes[l]) == tiles.at(levels[l]).at(problem.tensors[t].name));
      }
    }
    CHECK(e.cycles == std::stod(cycles));
    ++compared;
  };
  bool links = false;
  while (std::getline(in, line)) {
    std::smatch found;
    if (line.rfind("== ", 0) == 0) {
      name = line;
      links = line.find("links disabled=0") != std::string::npos;  // another machine: transfers between units
      loops.clear();
      counts.clear();
      tiles.clear();
      tensors.clear();
    } else if (line.find("[ ") != std::string::npos && line.find('|') == std::string::npos &&
               line.find("['") == std::string::npos) {
      for (std::size_t l = 0; l < 3; ++l) {
        if (line.find(levels[l] + " [") != std::string::npos) level = l;
      }
      for (std::sregex_iterator it(line.begin(), line.end(), store_text), end; it != end; ++it) {
        tiles[levels[level]][(*it)[1]] = std::stod((*it)[2]);
        if (level == 0) tensors.push_back((*it)[1]);
      }
    } else if (std::regex_search(line, found, loop_text)) {
      loops.push_back({found[1], std::stoll(found[2]), level, found[3].matched, found[4] == "Y"});
    } else if (std::regex_search(line, found, count_text)) {
      counts[found[1]][found[2]] = {std::stod(found[3]), std::stod(found[4]), std::stod(found[5]), std::stod(found[6])};
    } else if (line.find("['Cycles: ") != std::string::npos && !links) {
      const std::size_t at = line.find("Cycles: ") + 8;
      compare(line.substr(at, line.find('\'', at) - at));
    }
  }
  CHECK(compared >= 10);
}

TEST_CASE("the search's result does not depend on the number of threads") {
  for (const auto& [arch, name] : std::vector<std::pair<std::string, std::string>>{
           {"narrowgb", "g96x100x60"}, {"asym", "pw7"}, {"micro", "g30x42x70"}}) {
    const Case c(arch, name);
    for (const bool pareto : {false, true}) {
      sched::MapSearchOptions options;
      options.pareto = pareto;
      const sched::MapSearchResult one = sched::search_mapping(c.hierarchy, c.problem, c.rules, options);
      for (const int jobs : {2, 5}) {
        options.jobs = jobs;
        const sched::MapSearchResult many = sched::search_mapping(c.hierarchy, c.problem, c.rules, options);
        CHECK(many.certificate.evaluated == one.certificate.evaluated);
        CHECK(many.certificate.pruned_log10 == one.certificate.pruned_log10);
        REQUIRE(many.points.size() == one.points.size());
        for (std::size_t i = 0; i < one.points.size(); ++i) {
          CHECK(sched::mapping_json(c.hierarchy, c.problem, many.points[i].mapping) ==
                sched::mapping_json(c.hierarchy, c.problem, one.points[i].mapping));
        }
      }
    }
  }
}
