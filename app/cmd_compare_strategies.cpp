#include "app/cmd_compare_strategies.h"

#include <iostream>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "app/characterization.h"
#include "app/closed_loop.h"
#include "app/cmd_run.h"
#include "app/files.h"
#include "app/measurer.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/store.h"
#include "app/table.h"
#include "model/base/error.h"
#include "model/config/json.h"
#include "model/result/bound.h"

namespace accsim::app {
namespace {

constexpr char kBaseline[] = "layerwise";

struct CompareOptions {
  RunOptions run;
  std::vector<std::string> strategies;
};

// As asked for, the baseline first.
std::vector<std::string> strategies_of(const CompareOptions& options) {
  std::vector<std::string> names{kBaseline};
  std::set<std::string> seen{kBaseline};
  for (const std::string& name : options.strategies.empty() ? sched::strategy_names() : options.strategies) {
    sched::make_strategy(name);  // ConfigError on an unknown one
    if (seen.insert(name).second) names.push_back(name);
  }
  return names;
}

void print_comparison(std::ostream& out, const model::Json& result, const std::vector<std::string>& names) {
  out << result.at("net").get<std::string>() << " on " << result.at("arch").get<std::string>() << ", objective "
      << result.at("objective").get<std::string>() << "\n\n";
  Table table;
  table.column("strategy", Table::Align::left);
  for (const char* title :
       {"groups", "cycles", "time", "energy", "EDP pJ ns", "DRAM", "speed-up", "headroom closed", "search s"})
    table.column(title);
  const model::Json& strategies = result.at("strategies");
  const auto bound = result.at("bound_reachable").at("cycles").get<double>();
  const auto base = strategies.at(kBaseline).at("cycles").get<double>();
  for (const std::string& name : names) {
    const model::Json& one = strategies.at(name);
    const auto cycles = one.at("cycles").get<double>();
    table.row({name, std::to_string(one.at("groups").get<std::int64_t>()), grouped(one.at("cycles")),
               time_text(one.at("latency_ns")), energy_text(one.at("energy_pj")), scientific(one.at("edp_pj_ns")),
               bytes_text(one.at("dram_bytes")), fixed(base / cycles, 2),
               base > bound ? percent_text(base - cycles, base - bound) : "-",
               fixed(result.at("host").at("search_seconds").at(name), 1)});
  }
  table.print(out);
  out << "\nspeed-up over " << kBaseline << "; headroom: between " << kBaseline << " and the reachable bound, "
      << grouped(result.at("bound_reachable").at("cycles")) << " cycles\n";
}

std::string csv_of(const model::Json& result, const std::vector<std::string>& names) {
  std::string text = "strategy,groups,cycles,latency_ns,energy_pj,edp_pj_ns,dram_bytes\n";
  for (const std::string& name : names) {
    const model::Json& one = result.at("strategies").at(name);
    text += name;
    for (const char* key : {"groups", "cycles", "latency_ns", "energy_pj", "edp_pj_ns", "dram_bytes"})
      text += "," + one.at(key).dump();
    text += "\n";
  }
  return text;
}

int run_comparison(const CompareOptions& options, const CommandContext& context) {
  check_run_options(options.run, context);
  const std::vector<std::string> names = strategies_of(options);
  const Inputs inputs =
      load_inputs(options.run.arch, options.run.net, options.run.batch, network_file_options(options.run.network));
  if (const std::string warning = width_warning(inputs); !warning.empty()) context.log->warn(warning);
  Store store(context.common.store, context.log);
  ProcessMeasurer measurer(inputs, context.common.seed, job_count(context.common), store);
  SearchSettings settings;
  settings.objective = parse_objective(options.run.objective);
  if (!options.run.calibration.empty()) settings.coefficients = coefficients_of_card(options.run.calibration, inputs);
  settings.threads = job_count(context.common);
  settings.measurer = &measurer;
  settings.characterization =
      characterization_source(options.run.characterization, inputs, measurer, store, settings.threads,
                              [&](const std::string& what) { context.log->info("{}", what); });

  model::Json seconds = model::Json::object();
  std::vector<model::Schedule> schedules;
  Progress progress(context, "searching", static_cast<std::int64_t>(names.size()));
  for (const std::string& name : names) {
    settings.strategy = name;
    const double start = process_cpu_seconds();
    schedules.push_back(search_schedule(inputs, settings).schedule);
    seconds[name] = process_cpu_seconds() - start;
    progress.advance_to(static_cast<std::int64_t>(schedules.size()));
  }
  const std::vector<model::Measurement> measured = measurer.measure_schedules(schedules);

  const model::NetworkBound bound = model::physical_bound(inputs.arch, inputs.network);
  const model::Cycles reachable =
      model::reachable_bound(inputs.arch, inputs.network, sustained_bytes_per_cycle(inputs.arch));
  model::Json result{{"schema", "accsim-comparison/1"},
                     {"arch", inputs.arch.name},
                     {"net", inputs.network.name},
                     {"objective", sched::name_of(settings.objective)},
                     {"seed", context.common.seed},
                     {"bound", {{"cycles", bound.cycles.value()}, {"energy_pj", bound.energy_pj}}},
                     {"bound_reachable", {{"cycles", reachable.value()}}},
                     {"strategies", model::Json::object()}};
  constexpr double kFemto = 1000;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const model::Measurement& m = measured[i];
    const double energy = static_cast<double>(m.energy.total().value()) / kFemto;
    result["strategies"][names[i]] = {
        {"groups", schedules[i].groups.size()}, {"cycles", m.cycles.value()},
        {"latency_ns", m.latency_ns},           {"energy_pj", energy},
        {"edp_pj_ns", energy * m.latency_ns},   {"dram_bytes", (m.dram.bytes_read + m.dram.bytes_written).value()}};
  }
  result["host"] = host_object(context);
  result["host"]["search_seconds"] = std::move(seconds);
  result["host"]["simulation_seconds"] = measurer.totals().cpu_seconds;
  if (!options.run.csv.empty()) model::write_text_file(options.run.csv, csv_of(result, names));
  save_result(context, result);
  if (!context.common.quiet) print_comparison(std::cout, result, names);
  return kExitDone;
}

}  // namespace

void register_compare_strategies(CLI::App& root, Registry& registry) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command = root.add_subcommand("compare-strategies", "search and simulate with several strategies");
  add_input_options(*command, options->run);
  command->add_option("--strategies", options->strategies, "which, with commas between them; all by default")
      ->delimiter(',')
      ->type_name("NAMES");
  command->add_option("--objective", options->run.objective, "what is made small: edp, latency or energy")
      ->capture_default_str();
  command->add_option("--calibration", options->run.calibration, "start from the coefficients of this card")
      ->type_name("FILE");
  add_characterization_option(*command, options->run);
  command->add_option("--csv", options->run.csv, "save a line for each strategy as CSV")->type_name("FILE");
  registry.add(command, [options](const CommandContext& context) { return run_comparison(*options, context); });
}

}  // namespace accsim::app
