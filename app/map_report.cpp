#include "app/map_report.h"

#include <algorithm>
#include <cmath>
#include <iostream>

#include "app/output.h"

namespace accsim::app {

using model::Json;

namespace {

Json access_json(const sched::Accesses& a) {
  return {{"reads", number(a.reads)}, {"fills", number(a.fills)}, {"updates", number(a.updates)}};
}

Json evaluation_json(const MapQuestion& in, const sched::Evaluation& e) {
  Json json = {{"energy_pj", number(e.energy_pj)},
               {"cycles", number(e.cycles)},
               {"edp_pj_cycles", number(e.edp())},
               {"macs", number(e.macs)},
               {"units", number(e.units)},
               {"bound_by", bound_by(in, e)},
               {"energy_breakdown_pj", {{in.hierarchy.compute_name, number(e.compute_pj)}}},
               {"cycles_by_part", {{in.hierarchy.compute_name, number(e.compute_cycles)}}},
               {"used_words", Json::object()},
               {"accesses", Json::object()},
               {"accesses_total", Json::object()}};
  for (std::size_t l = 0; l < in.hierarchy.levels.size(); ++l) {
    const std::string& level = in.hierarchy.levels[l].name;
    json["energy_breakdown_pj"][level] = number(e.level_pj[l]);
    json["cycles_by_part"][level] = number(e.level_cycles[l]);
    json["used_words"][level] = number(e.used_words[l]);
    Json& rows = json["accesses"][level];
    rows["instances"] = number(e.instances[l]);
    for (std::size_t t = 0; t < in.problem.tensors.size(); ++t) {
      const sched::Accesses& a = e.accesses[l][t];
      rows[in.problem.tensors[t].name] = access_json(a);
      json["accesses_total"][level][in.problem.tensors[t].name] = access_json(e.totals[l][t]);
    }
  }
  return json;
}

std::string keep_text(const MapQuestion& in, const sched::Mapping& mapping) {
  std::string text;
  for (std::size_t t = 0; t < in.problem.tensors.size(); ++t) {
    text += (t == 0 ? "" : "; ") + in.problem.tensors[t].name + " in";
    for (std::size_t l = 0; l < in.hierarchy.levels.size(); ++l) {
      if ((mapping.keep[t] >> l & 1U) != 0) text += " " + in.hierarchy.levels[l].name;
    }
  }
  return text;
}

}  // namespace

Json number(double value) {
  constexpr double kExact = 9e15;
  if (value == std::floor(value) && std::abs(value) < kExact) return static_cast<std::int64_t>(value);
  return value;
}

std::string bound_by(const MapQuestion& in, const sched::Evaluation& e) {
  if (e.compute_cycles >= e.cycles) return "compute";
  for (std::size_t l = 0; l < e.level_cycles.size(); ++l) {
    if (e.level_cycles[l] >= e.cycles) return in.hierarchy.levels[l].name;
  }
  return "compute";
}

void print_evaluation(const MapQuestion& in, const sched::MapPoint& point) {
  const sched::Evaluation& e = point.evaluation;
  std::cout << sched::mapping_text(in.hierarchy, in.problem, point.mapping) << "\n";
  Table table;
  table.column("level", Table::Align::left);
  table.column("tensor", Table::Align::left);
  for (const char* title : {"instances", "reads", "fills", "updates", "pJ", "cycles"}) table.column(title);
  const auto count = [](double value) { return grouped(static_cast<std::int64_t>(value)); };
  for (std::size_t l = 0; l < in.hierarchy.levels.size(); ++l) {
    const sched::MapLevel& level = in.hierarchy.levels[l];
    for (std::size_t t = 0; t < in.problem.tensors.size(); ++t) {
      const sched::Accesses &a = e.accesses[l][t], &all = e.totals[l][t];
      const double pj = all.reads * level.read_pj + all.fills * level.write_pj + all.updates * level.update_pj;
      if ((point.mapping.keep[t] >> l & 1U) == 0) continue;
      table.row({level.name, in.problem.tensors[t].name, count(e.instances[l]), count(a.reads), count(a.fills),
                 count(a.updates), fixed(pj, 1), ""});
    }
    table.row({level.name, "all", "", "", "", "", fixed(e.level_pj[l], 1), count(e.level_cycles[l])});
  }
  table.row(
      {in.hierarchy.compute_name, "", count(e.units), "", "", "", fixed(e.compute_pj, 1), count(e.compute_cycles)});
  table.row({"total", "", "", "", "", "", fixed(e.energy_pj, 1), count(e.cycles)});
  table.print(std::cout);
  std::cout << "reads, fills and updates of one instance; bound by " << bound_by(in, e) << "; EDP "
            << Json(e.edp()).dump() << " pJ cycles\n";
}

Json explain_json(const MapQuestion& in, const sched::MapPoint& best, const sched::MapPoint& other) {
  Json json = {{"placement", keep_text(in, best.mapping)},
               {"runner_up_placement", keep_text(in, other.mapping)},
               {"runner_up", evaluation_json(in, other.evaluation)},
               {"runner_up_mapping", sched::mapping_json(in.hierarchy, in.problem, other.mapping)},
               {"energy_saved_pj", Json::object()},
               {"cycles_saved", number(other.evaluation.cycles - best.evaluation.cycles)}};
  for (std::size_t l = 0; l < in.hierarchy.levels.size(); ++l) {
    json["energy_saved_pj"][in.hierarchy.levels[l].name] =
        number(other.evaluation.level_pj[l] - best.evaluation.level_pj[l]);
  }
  Json full = Json::array();
  for (std::size_t l = 0; l < in.hierarchy.levels.size(); ++l) {
    const double capacity = in.hierarchy.levels[l].capacity_words;
    if (std::isinf(capacity)) continue;
    full.push_back({{"level", in.hierarchy.levels[l].name},
                    {"used_words", number(best.evaluation.used_words[l])},
                    {"capacity_words", number(capacity)}});
  }
  json["capacity"] = std::move(full);
  json["bound_by"] = bound_by(in, best.evaluation);
  // What takes most cycles, and what would after it: everything overlaps, so that the first alone binds.
  std::vector<std::pair<double, std::string>> parts{{best.evaluation.compute_cycles, in.hierarchy.compute_name}};
  for (std::size_t l = 0; l < in.hierarchy.levels.size(); ++l) {
    parts.emplace_back(best.evaluation.level_cycles[l], in.hierarchy.levels[l].name);
  }
  std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  json["binds"] = Json::array();
  for (const auto& [cycles, part] : parts) json["binds"].push_back({{"part", part}, {"cycles", number(cycles)}});
  return json;
}

void print_explanation(const Json& explain, const sched::Evaluation& best, const sched::Evaluation& other) {
  std::cout << "\nwinner:    " << explain.at("placement").get<std::string>()
            << "\nrunner-up: " << explain.at("runner_up_placement").get<std::string>()
            << " (best of all other placements): energy "
            << fixed(100 * (other.energy_pj / std::max(best.energy_pj, 1e-300) - 1), 2) << " % more, cycles "
            << fixed(100 * (other.cycles / std::max(best.cycles, 1.0) - 1), 2) << " % more\n";
  for (const auto& [level, saved] : explain.at("energy_saved_pj").items()) {
    std::cout << "  " << level << ": the winner takes " << fixed(std::abs(saved.get<double>()), 1) << " pJ "
              << (saved.get<double>() < 0 ? "more" : "less") << "\n";
  }
  const Json& binds = explain.at("binds");
  std::cout << "  cycles: " << binds[0].at("part").get<std::string>() << " binds with "
            << grouped(binds[0].at("cycles").get<std::int64_t>()) << ", then " << binds[1].at("part").get<std::string>()
            << " with " << grouped(binds[1].at("cycles").get<std::int64_t>()) << "\n";
  for (const Json& row : explain.at("capacity")) {
    std::cout << "  " << row.at("level").get<std::string>() << ": " << grouped(row.at("used_words").get<std::int64_t>())
              << " of " << grouped(row.at("capacity_words").get<std::int64_t>()) << " words used\n";
  }
}

Json point_json(const MapQuestion& in, const sched::MapPoint& point) {
  Json json = evaluation_json(in, point.evaluation);
  json["mapping"] = sched::mapping_json(in.hierarchy, in.problem, point.mapping);
  return json;
}

void print_front(const MapQuestion& in, const std::vector<sched::MapPoint>& points) {
  Table table;
  for (const char* title : {"cycles", "energy pJ", "EDP"}) table.column(title);
  for (const sched::MapLevel& level : in.hierarchy.levels) table.column(level.name + " words");
  for (const sched::MapPoint& p : points) {
    std::vector<std::string> cells{grouped(static_cast<std::int64_t>(p.evaluation.cycles)),
                                   fixed(p.evaluation.energy_pj, 1), Json(p.evaluation.edp()).dump()};
    for (const double words : p.evaluation.used_words) cells.push_back(grouped(static_cast<std::int64_t>(words)));
    table.row(std::move(cells));
  }
  table.print(std::cout);
}

}  // namespace accsim::app
