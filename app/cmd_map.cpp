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
#include "app/map_machine.h"
#include "app/map_report.h"
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
  std::string hierarchy, problem, mapping, constraints, arch, net, layer, core, cache;
  std::string rules = "reference";
  std::int64_t batch = 1;
  NetworkOptions network;
  std::string objective = "edp";
  bool objective_given = false;
  bool pareto = false, pareto_words = false, brute_force = false, explain = false, imperfect = false;
};

constexpr char kMappable[] = "Conv, Gemm, MatMul, MaxPool, AveragePool, GlobalAveragePool";

[[noreturn]] void refuse(const std::string& option, const std::string& what) {
  throw model::ConfigError("", option, what);
}

// The result where mappings were found by the search or by brute force.
void add_points(Json& result, const MapQuestion& in, const MapOptions& options,
                const std::vector<sched::MapPoint>& points) {
  if (options.pareto) {
    result["pareto"] = Json::array();
    for (const sched::MapPoint& p : points) result["pareto"].push_back(point_json(in, p));
  } else {
    result.update(point_json(in, points.front()));
  }
}

MapQuestion inputs_of_files(const MapOptions& options) {
  MapQuestion in{sched::load_hierarchy(options.hierarchy), sched::load_problem(options.problem), {}, {}};
  in.rules = sched::keep_rules(in.hierarchy, in.problem, options.hierarchy);
  return in;
}

void add_constraints(const MapOptions& options, MapQuestion& in) {
  if (options.constraints.empty()) return;
  const sched::MapConstraints demands =
      sched::parse_constraints(model::read_json_file(options.constraints), in.hierarchy, in.problem, in.rules,
                               !options.imperfect, options.constraints);
  for (std::size_t l = 0; l < in.constraints.levels.size(); ++l) {  // those of the machine
    for (std::size_t d = 0; d < in.problem.dims.size(); ++d) {
      const std::int64_t own = in.constraints.levels[l].factor[d], asked = demands.levels[l].factor[d];
      if (own == 0 || asked == 0 || own == asked) continue;
      throw model::ConfigError(
          options.constraints, "levels." + in.hierarchy.levels[l].name + ".loops." + in.problem.dims[d].name,
          "found " + std::to_string(asked) + ", on this architecture it is " + std::to_string(own));
    }
  }
  in.constraints = sched::both(in.constraints, demands);
}

// An operator on an architecture.
MapQuestion inputs_of_operator(const app::Inputs& files, const model::Operator& op, const std::string& core) {
  const model::LoopNest nest = model::loop_nest_of(files.network, op.id);
  sched::MapProblem problem = sched::problem_of(nest, op.name);
  sched::MachineHierarchy machine = sched::hierarchy_of(files.arch, nest, problem, core);
  MapQuestion in{std::move(machine.hierarchy), std::move(problem), {}, {}};
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
  if (!network && !options.core.empty()) refuse("--core", "needs --arch and --net");
  if (options.rules != "machine") return;
  if (!network)
    refuse("--rules", "machine: needs --arch and --net, a hierarchy alone is counted by the reference rules");
  for (const auto& [option, given] : {std::pair{"--constraints", !options.constraints.empty()},
                                      {"--brute-force", options.brute_force},
                                      {"--core", !options.core.empty()},
                                      {"--pareto-words", options.pareto_words}}) {
    if (given) refuse(option, "goes with --rules reference");
  }
  for (const auto& [option, given] : {std::pair{"--mapping", !options.mapping.empty()},
                                      {"--explain", options.explain},
                                      {"--pareto", options.pareto}}) {
    if (given && options.layer.empty()) refuse(option, "needs --layer where a network is given");
  }
}

// All that one problem takes but the file: prints, adds the CPU seconds of the search, returns the result.
Json map_one(const MapQuestion& in, const MapOptions& options, const CommandContext& context, bool print,
             double& seconds) {
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
    MapQuestion in = inputs_of_operator(files, op, options.core);
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

// `mappable`: it must be one that has a problem.
const model::Operator& find_layer(const app::Inputs& files, const std::string& layer, bool mappable = true) {
  std::vector<std::string> names;
  for (const model::Operator& op : files.network.operators) {
    names.push_back(op.name);
    if (op.name != layer) continue;
    if (mappable && !sched::is_mappable(op.type)) {
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
    MapQuestion in = inputs_of_files(options);
    add_constraints(options, in);
    result = map_one(in, options, context, !context.common.quiet, seconds);
  } else {
    const app::Inputs files =
        load_inputs(options.arch, options.net, options.batch, network_file_options(options.network));
    if (options.rules == "machine") {
      if (!options.layer.empty()) find_layer(files, options.layer, false);
      result = map_machine(files,
                           {options.layer, options.mapping, options.cache, parse_objective(options.objective),
                            options.pareto, options.explain},
                           context, seconds);
    } else if (options.layer.empty()) {
      result = map_layers(files, options, context, seconds);
    } else {
      MapQuestion in = inputs_of_operator(files, find_layer(files, options.layer), options.core);
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
  command->add_option("--core", options->core,
                      "with --arch: cores of this name (needed where there are several kinds)");
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
