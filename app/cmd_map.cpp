#include "app/cmd_map.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/files.h"
#include "app/map_cache.h"
#include "app/network_options.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "model/base/error.h"
#include "model/config/record.h"
#include "sched/mapping/brute_force.h"
#include "sched/mapping/from_machine.h"
#include "sched/mapping/search.h"

namespace accsim::app {
namespace {

using model::Json;

struct MapOptions {
  std::string hierarchy, problem, mapping, constraints, arch, net, layer, cache;
  std::string rules = "reference";
  std::int64_t batch = 1;
  NetworkOptions network;
  std::string objective = "edp";
  bool objective_given = false;
  bool pareto = false, pareto_words = false, brute_force = false, explain = false, imperfect = false;
};

constexpr char kMappable[] = "Conv, Gemm, MatMul, MaxPool, AveragePool, GlobalAveragePool";

struct Problem {
  sched::MapHierarchy hierarchy;
  sched::MapProblem problem;
  sched::KeepRules rules;
  sched::MapConstraints constraints;
  Json machine_constraints = nullptr;
};

[[noreturn]] void refuse(const std::string& option, const std::string& what) {
  throw model::ConfigError("", option, what);
}

// Whole numbers as integers, so that they read as counts.
Json number(double value) {
  constexpr double kExact = 9e15;
  if (value == std::floor(value) && std::abs(value) < kExact) return static_cast<std::int64_t>(value);
  return value;
}

// The level whose bandwidth takes as many cycles as the mapping, "compute" where the arithmetic does.
std::string bound_by(const Problem& in, const sched::Evaluation& e) {
  if (e.compute_cycles >= e.cycles) return "compute";
  for (std::size_t l = 0; l < e.level_cycles.size(); ++l) {
    if (e.level_cycles[l] >= e.cycles) return in.hierarchy.levels[l].name;
  }
  return "compute";
}

Json access_json(const sched::Accesses& a) {
  return {{"reads", number(a.reads)}, {"fills", number(a.fills)}, {"updates", number(a.updates)}};
}

Json evaluation_json(const Problem& in, const sched::Evaluation& e) {
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

void print_evaluation(const Problem& in, const sched::MapPoint& point) {
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

std::string keep_text(const Problem& in, const sched::Mapping& mapping) {
  std::string text;
  for (std::size_t t = 0; t < in.problem.tensors.size(); ++t) {
    text += (t == 0 ? "" : "; ") + in.problem.tensors[t].name + " in";
    for (std::size_t l = 0; l < in.hierarchy.levels.size(); ++l) {
      if ((mapping.keep[t] >> l & 1U) != 0) text += " " + in.hierarchy.levels[l].name;
    }
  }
  return text;
}

// Where the two differ: energy of each part, and what bounds the cycles.
Json explain_json(const Problem& in, const sched::MapPoint& best, const sched::MapPoint& other) {
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
  for (const Json& row : explain.at("capacity")) {
    std::cout << "  " << row.at("level").get<std::string>() << ": " << grouped(row.at("used_words").get<std::int64_t>())
              << " of " << grouped(row.at("capacity_words").get<std::int64_t>()) << " words used\n";
  }
}

Json point_json(const Problem& in, const sched::MapPoint& point) {
  Json json = evaluation_json(in, point.evaluation);
  json["mapping"] = sched::mapping_json(in.hierarchy, in.problem, point.mapping);
  return json;
}

void print_front(const Problem& in, const std::vector<sched::MapPoint>& points) {
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

// The result where mappings were found by the search or by brute force.
void add_points(Json& result, const Problem& in, const MapOptions& options,
                const std::vector<sched::MapPoint>& points) {
  if (options.pareto) {
    result["pareto"] = Json::array();
    for (const sched::MapPoint& p : points) result["pareto"].push_back(point_json(in, p));
  } else {
    result.update(point_json(in, points.front()));
  }
}

Problem inputs_of_files(const MapOptions& options) {
  Problem in{sched::load_hierarchy(options.hierarchy), sched::load_problem(options.problem), {}, {}};
  in.rules = sched::keep_rules(in.hierarchy, in.problem, options.hierarchy);
  return in;
}

void add_constraints(const MapOptions& options, Problem& in) {
  if (options.constraints.empty()) return;
  const sched::MapConstraints demands =
      sched::parse_constraints(model::read_json_file(options.constraints), in.hierarchy, in.problem, in.rules,
                               !options.imperfect, options.constraints);
  in.constraints = sched::both(in.constraints, demands);
}

// An operator on an architecture.
Problem inputs_of_operator(const app::Inputs& files, const model::Operator& op) {
  const model::LoopNest nest = model::loop_nest_of(files.network, op.id);
  sched::MapProblem problem = sched::problem_of(nest, op.name);
  sched::MachineHierarchy machine = sched::hierarchy_of(files.arch, nest, problem);
  Problem in{std::move(machine.hierarchy), std::move(problem), {}, {}};
  in.rules = sched::keep_rules(in.hierarchy, in.problem, files.arch_file);
  in.constraints =
      sched::parse_constraints(machine.constraints, in.hierarchy, in.problem, in.rules, false, files.arch_file);
  in.machine_constraints = std::move(machine.constraints);
  return in;
}

void check_options(const MapOptions& options) {
  if (options.pareto && options.objective_given) refuse("--objective", "--pareto has no single objective");
  if (options.pareto_words && !options.pareto) refuse("--pareto-words", "goes with --pareto");
  if (options.imperfect && !options.mapping.empty()) refuse("--imperfect", "a given mapping has its own steps");
  if (options.brute_force && !options.mapping.empty()) refuse("--brute-force", "either a search or --mapping");
  if (options.explain && (options.brute_force || options.pareto || !options.mapping.empty())) {
    refuse("--explain", "goes with a search for one mapping");
  }
  if (!options.cache.empty() && (options.brute_force || !options.mapping.empty())) {
    refuse("--cache", "goes with a search");
  }
  const bool files = !options.hierarchy.empty() || !options.problem.empty();
  const bool network = !options.arch.empty() || !options.net.empty();
  if (files && network)
    refuse(options.arch.empty() ? "--net" : "--arch", "either --hierarchy and --problem, or --arch and --net");
  if (!network && (options.hierarchy.empty() || options.problem.empty())) {
    refuse(options.hierarchy.empty() ? "--hierarchy" : "--problem",
           "missing; give --hierarchy and --problem, or --arch and --net");
  }
  if (network && (options.arch.empty() || options.net.empty())) {
    refuse(options.arch.empty() ? "--arch" : "--net", "missing; give --hierarchy and --problem, or --arch and --net");
  }
  if (!network && !options.layer.empty()) refuse("--layer", "needs --arch and --net");
  if (options.rules == "machine") {
    refuse("--rules",
           network ? "machine: not for single mappings yet; what the machine does with its best schedule is counted by"
                     " `accsim search --strategy optimal-layer` and `simulate`"
                   : "machine: needs --arch and --net, a hierarchy alone is counted by the reference rules");
  }
}

// All that one problem takes but the file: prints, adds the CPU seconds of the search, returns the result.
Json map_one(const Problem& in, const MapOptions& options, const CommandContext& context, bool print, double& seconds) {
  Json result = {{"schema", "accsim-map-result/1"},
                 {"hierarchy", in.hierarchy.name},
                 {"problem", in.problem.name},
                 {"rules", "reference"}};
  if (!options.mapping.empty()) {
    sched::MapPoint point;
    point.mapping =
        sched::parse_mapping(model::read_json_file(options.mapping), in.hierarchy, in.problem, options.mapping);
    sched::check_mapping(in.hierarchy, in.problem, in.rules, point.mapping, {options.mapping, ""});
    if (!sched::satisfies(in.constraints, point.mapping)) {
      throw model::ConfigError(options.mapping, "", "the mapping does not satisfy " + options.constraints);
    }
    point.evaluation = sched::evaluate(in.hierarchy, in.problem, in.rules, point.mapping);
    result.update(point_json(in, point));
    if (print) print_evaluation(in, point);
  } else {
    result["tilings"] = options.imperfect ? "imperfect" : "divisors";
    result["objective"] = options.pareto ? "pareto" : options.objective;
    sched::MapSearchOptions search;
    search.objective = options.objective == "energy"    ? sched::MapObjective::energy
                       : options.objective == "latency" ? sched::MapObjective::latency
                                                        : sched::MapObjective::edp;
    search.imperfect = options.imperfect;
    search.pareto = options.pareto;
    search.pareto_words = options.pareto_words;
    search.constraints = in.constraints;
    search.jobs = job_count(context.common);
    const double before = cpu_seconds();
    if (options.brute_force) {
      const sched::BruteForceResult all = sched::brute_force(in.hierarchy, in.problem, in.rules, search);
      seconds = cpu_seconds() - before;
      result["mapspace_log10"] = sched::raw_space_log10(in.hierarchy, in.problem, in.rules, options.imperfect);
      result["counts"] = {{"raw", number(all.raw)},
                          {"on_mesh", number(all.on_mesh)},
                          {"valid", number(all.valid)},
                          {"valid_nonredundant", number(all.nonredundant)}};
      result["evaluated"] = number(all.evaluated);
      add_points(result, in, options, all.points);
      if (print) {
        if (options.pareto) {
          print_front(in, all.points);
        } else {
          print_evaluation(in, all.points.front());
        }
        std::cout << "brute force: " << result["counts"].dump() << ", " << result["evaluated"].dump() << " evaluated\n";
      }
    } else {
      const CachedSearch cached =
          search_mapping_cached(in.hierarchy, in.problem, in.rules, search, options.cache, context);
      const sched::MapSearchResult& found = cached.result;
      if (!options.cache.empty()) result["host"]["cache"] = cached.hit ? "hit" : "miss";
      seconds = cpu_seconds() - before;
      const sched::Certificate& certificate = found.certificate;
      result["mapspace_log10"] = certificate.raw_log10;
      result["pruned_log10"] = Json::object();
      for (const auto& [step, log] : certificate.pruned_log10) result["pruned_log10"][step] = log;
      result["evaluated"] = certificate.evaluated;
      if (!options.pareto) {
        result["root_bound"] = number(certificate.root_bound);
        result["lower_bound"] = number(certificate.lower_bound);
        result["gap_pct"] = 0;
      }
      add_points(result, in, options, found.points);
      if (print) {
        if (options.pareto) {
          print_front(in, found.points);
        } else {
          print_evaluation(in, found.points.front());
        }
        std::cout << "mapspace 10^" << fixed(certificate.raw_log10, 1);
        for (const auto& [step, log] : certificate.pruned_log10) std::cout << ", " << step << " 10^" << fixed(log, 1);
        std::cout << ", evaluated " << grouped(certificate.evaluated) << "; proven optimal\n";
      }
      if (options.explain) {
        search.without = found.points.front().mapping.keep;
        try {
          const sched::MapSearchResult other =
              search_mapping_cached(in.hierarchy, in.problem, in.rules, search, options.cache, context).result;
          result["explain"] = explain_json(in, found.points.front(), other.points.front());
          if (print)
            print_explanation(result["explain"], found.points.front().evaluation, other.points.front().evaluation);
        } catch (const model::InfeasibleError&) {
          result["explain"] = nullptr;
          if (print) std::cout << "\nno other placement of the tensors fits\n";
        }
      }
    }
  }
  return result;
}

// One problem for each operator that the mapper knows; equal ones are searched once.
Json map_layers(const app::Inputs& files, const MapOptions& options, const CommandContext& context, double& seconds) {
  for (const auto& [option, given] : {std::pair{"--mapping", !options.mapping.empty()},
                                      {"--brute-force", options.brute_force},
                                      {"--explain", options.explain},
                                      {"--pareto", options.pareto}}) {
    if (given) refuse(option, "needs --layer where a network is given");
  }
  Json result = {{"schema", "accsim-map-result/1"}, {"arch", files.arch.name},
                 {"net", files.network.name},       {"rules", "reference"},
                 {"layers", Json::array()},         {"not_mapped", Json::array()}};
  Table table;
  table.column("layer", Table::Align::left);
  for (const char* title : {"cycles", "energy pJ", "EDP", "mapspace", "evaluated", "s"}) table.column(title);
  table.column("bound by", Table::Align::left);
  std::map<std::string, std::size_t> known;  // by problem and hierarchy without their names
  double cycles = 0, energy = 0;
  for (const model::Operator& op : files.network.operators) {
    if (!sched::is_mappable(op.type)) {
      result["not_mapped"].push_back({{"layer", op.name}, {"op", model::name_of(op.type)}});
      continue;
    }
    Problem in = inputs_of_operator(files, op);
    add_constraints(options, in);
    Json key = sched::problem_json(in.problem);
    key["name"] = in.hierarchy.levels.back().name;
    const auto [it, fresh] = known.emplace(key.dump(), result["layers"].size());
    Json row = {{"layer", op.name}, {"op", model::name_of(op.type)}};
    double own = 0;
    if (fresh) {
      row.update(map_one(in, options, context, false, own));
    } else {
      const Json& same = result["layers"][it->second];
      row["same_as"] = same.at("layer");
      for (const char* figure : {"energy_pj", "cycles", "edp_pj_cycles", "bound_by"}) row[figure] = same.at(figure);
    }
    row.erase("schema");
    row.erase("host");
    seconds += own;
    cycles += row.at("cycles").get<double>();
    energy += row.at("energy_pj").get<double>();
    table.row({op.name, grouped(row.at("cycles").get<std::int64_t>()), fixed(row.at("energy_pj").get<double>(), 0),
               Json(row.at("edp_pj_cycles").get<double>()).dump(),
               fresh ? "10^" + fixed(row.at("mapspace_log10").get<double>(), 1) : "",
               fresh ? grouped(row.at("evaluated").get<std::int64_t>()) : "as " + row.at("same_as").get<std::string>(),
               fresh ? fixed(own, 3) : "", row.at("bound_by").get<std::string>()});
    result["layers"].push_back(std::move(row));
  }
  if (result["layers"].empty()) {
    refuse("--net", "\"" + files.network.name + "\" has no layer that the mapper knows, allowed: " + kMappable);
  }
  result["cycles"] = number(cycles);
  result["energy_pj"] = number(energy);
  if (!context.common.quiet) {
    table.print(std::cout);
    std::cout << "sum: " << grouped(static_cast<std::int64_t>(cycles)) << " cycles, " << fixed(energy, 0) << " pJ; "
              << known.size() << " different layers searched in " << fixed(seconds, 2) << " CPU seconds; "
              << result["not_mapped"].size() << " layers without a mapping (see --out)\n";
  }
  return result;
}

const model::Operator& find_layer(const app::Inputs& files, const std::string& layer) {
  std::vector<std::string> names;
  for (const model::Operator& op : files.network.operators) {
    names.push_back(op.name);
    if (op.name != layer) continue;
    if (!sched::is_mappable(op.type)) {
      refuse("--layer", "\"" + layer + "\" is a " + std::string(model::name_of(op.type)) + ", allowed: " + kMappable);
    }
    return op;
  }
  refuse("--layer",
         "network \"" + files.network.name + "\" has no layer \"" + layer + "\"" + model::did_you_mean(layer, names));
}

int run_map(const MapOptions& options, const CommandContext& context) {
  check_files(context, {{"--hierarchy", options.hierarchy},
                        {"--problem", options.problem},
                        {"--arch", options.arch},
                        {"--net", options.net},
                        {"--mapping", options.mapping},
                        {"--constraints", options.constraints}});
  check_options(options);
  Json result;
  double seconds = 0;
  if (options.arch.empty()) {
    Problem in = inputs_of_files(options);
    add_constraints(options, in);
    result = map_one(in, options, context, !context.common.quiet, seconds);
  } else {
    const app::Inputs files =
        load_inputs(options.arch, options.net, options.batch, network_file_options(options.network));
    if (options.layer.empty()) {
      result = map_layers(files, options, context, seconds);
    } else {
      Problem in = inputs_of_operator(files, find_layer(files, options.layer));
      add_constraints(options, in);
      result = map_one(in, options, context, !context.common.quiet, seconds);
      result["derived"] = {{"hierarchy", sched::hierarchy_json(in.hierarchy)},
                           {"problem", sched::problem_json(in.problem)},
                           {"constraints", in.machine_constraints}};
    }
  }
  const Json cache = result.contains("host") ? result["host"] : Json::object();
  result.erase("host");
  result["host"] = host_object(context);
  result["host"].update(cache);
  result["host"]["search_seconds"] = seconds;
  save_result(context, result);
  return kExitDone;
}

}  // namespace

void register_map(CLI::App& root, Registry& registry) {
  auto options = std::make_shared<MapOptions>();
  CLI::App* command = root.add_subcommand("map", "the optimal mapping of one problem onto a memory hierarchy, proven");
  command->add_option("--hierarchy", options->hierarchy, "memory levels (accsim-hierarchy/1)")->type_name("FILE");
  command->add_option("--problem", options->problem, "loop nest (accsim-problem/1)")->type_name("FILE");
  command->add_option("--arch", options->arch, "instead: levels of this architecture")->type_name("FILE");
  command->add_option("--net", options->net, "with --arch: the layers of this network")->type_name("FILE");
  command->add_option("--layer", options->layer, "with --net: this layer alone");
  command->add_option("--batch", options->batch, "with --net: multiplies the first dimension of its inputs")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 20))
      ->capture_default_str();
  add_network_options(*command, options->network);
  command->add_option("--rules", options->rules, "what counts: reference or machine")
      ->check(CLI::IsMember(std::vector<std::string>{"reference", "machine"}))
      ->capture_default_str();
  CLI::Option* objective = command->add_option("--objective", options->objective, "energy, latency or edp")
                               ->check(CLI::IsMember(std::vector<std::string>{"energy", "latency", "edp"}))
                               ->capture_default_str();
  command->add_flag("--pareto", options->pareto, "every mapping that no other beats in both energy and cycles");
  command->add_flag("--pareto-words", options->pareto_words,
                    "with --pareto: also in the words that each limited level holds");
  command->add_option("--mapping", options->mapping, "count this mapping instead of searching (accsim-mapping/1)")
      ->type_name("FILE");
  command->add_option("--cache", options->cache, "folder in which results are kept")->type_name("DIR");
  command->add_flag("--imperfect", options->imperfect, "also tilings with remainders");
  command->add_option("--constraints", options->constraints, "only mappings that satisfy these (accsim-constraints/1)")
      ->type_name("FILE");
  command->add_flag("--brute-force", options->brute_force, "evaluate every mapping (small problems)");
  command->add_flag("--explain", options->explain, "why the winner beats the best of all other placements");
  registry.add(command, [options, objective](const CommandContext& context) {
    options->objective_given = objective->count() > 0;
    return run_map(*options, context);
  });
}

}  // namespace accsim::app
