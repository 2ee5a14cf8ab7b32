#include "app/cmd_search.h"

#include <cmath>
#include <iostream>
#include <memory>
#include <utility>

#include "app/characterization.h"
#include "app/closed_loop.h"
#include "app/cmd_run.h"
#include "app/measurer.h"
#include "app/output.h"
#include "app/result_json.h"
#include "app/store.h"
#include "app/table.h"
#include "model/base/error.h"
#include "model/result/bound.h"

namespace accsim::app {
namespace {

model::Json search_json(const Inputs& inputs, const sched::SearchResult& found, const SearchSettings& settings,
                        std::uint64_t seed) {
  model::Json groups = model::Json::array();
  double cycles = 0;
  double energy = 0;
  for (std::size_t i = 0; i < found.groups.size(); ++i) {
    const model::Group& group = found.schedule.groups[i];
    const sched::Prediction& prediction = found.groups[i];
    cycles += prediction.cycles;
    energy += prediction.total_energy_pj();
    groups.push_back({{"id", group.id.value()},
                      {"layers", layer_names_of(inputs, group)},
                      {"cores", group.cores},
                      {"predicted_cycles", std::llround(prediction.cycles)},
                      {"predicted_energy_pj", prediction.total_energy_pj()},
                      {"bound_by", prediction.bound_by}});
  }
  const model::NetworkBound bound = model::physical_bound(inputs.arch, inputs.network);
  const double evaluated = found.candidates > 0 ? std::log10(static_cast<double>(found.candidates)) : 0.0;
  return {{"schema", "accsim-search/1"},
          {"arch", inputs.arch.name},
          {"net", inputs.network.name},
          {"strategy", settings.strategy},
          {"objective", sched::name_of(settings.objective)},
          {"seed", seed},
          {"predicted", {{"cycles", std::llround(cycles)}, {"energy_pj", energy}}},
          {"bound", {{"cycles", bound.cycles.value()}, {"energy_pj", bound.energy_pj}}},
          {"groups", std::move(groups)},
          {"search",
           {{"candidates", found.candidates},
            {"mapspace_log10", found.mapspace_log10},
            {"evaluated_log10", evaluated},
            {"exact", found.exact}}}};
}

void print_search(std::ostream& out, const model::Json& result) {
  out << result.at("net").get<std::string>() << " on " << result.at("arch").get<std::string>() << ", strategy "
      << result.at("strategy").get<std::string>() << ", objective " << result.at("objective").get<std::string>()
      << "\n\n";
  Table table;
  table.column("group");
  table.column("layers", Table::Align::left);
  table.column("cores");
  table.column("predicted");
  table.column("share");
  table.column("energy");
  table.column("bound by", Table::Align::left);
  const auto total = result.at("predicted").at("cycles").get<double>();
  for (const auto& group : result.at("groups")) {
    table.row({std::to_string(group.at("id").get<std::int64_t>()), layers_text(group.at("layers")),
               cores_text(group.at("cores")), grouped(group.at("predicted_cycles")),
               percent_text(group.at("predicted_cycles"), total), energy_text(group.at("predicted_energy_pj")),
               group.at("bound_by").get<std::string>()});
  }
  table.print(out);
  const auto& search = result.at("search");
  constexpr int kDecimals = 1;
  out << "\npredicted " << grouped(result.at("predicted").at("cycles")) << " cycles, "
      << energy_text(result.at("predicted").at("energy_pj")) << "; " << grouped(search.at("candidates"))
      << " candidates evaluated of 10^" << fixed(search.at("mapspace_log10"), kDecimals)
      << (search.at("exact").get<bool>() ? ", the best of them all under the cost model\n" : "\n");
}

int run_search(const RunOptions& options, const CommandContext& context) {
  check_run_options(options, context);
  const Inputs inputs = load_inputs(options.arch, options.net, options.batch, network_file_options(options.network));
  if (const std::string warning = width_warning(inputs); !warning.empty()) context.log->warn(warning);
  Store store(context.common.store, context.log);
  ProcessMeasurer measurer(inputs, context.common.seed, job_count(context.common), store);
  SearchSettings settings;
  settings.strategy = options.strategy;
  settings.objective = parse_objective(options.objective);
  if (!options.calibration.empty()) settings.coefficients = coefficients_of_card(options.calibration, inputs);
  settings.threads = job_count(context.common);
  settings.measurer = &measurer;
  settings.characterization =
      characterization_source(options.characterization, inputs, measurer, store, settings.threads,
                              [&](const std::string& what) { context.log->info("{}", what); });
  const double start = process_cpu_seconds();
  const sched::SearchResult found = search_schedule(inputs, settings);
  const double seconds = process_cpu_seconds() - start;

  model::Json result = search_json(inputs, found, settings, context.common.seed);
  result["host"] = run_host(context, seconds, measurer.totals());
  if (!options.schedule_out.empty()) model::write_json_file(options.schedule_out, model::to_json(found.schedule));
  if (!options.program_out.empty()) {
    model::write_json_file(options.program_out,
                           model::to_json(program_of(inputs, found.schedule, context.common.seed)));
  }
  save_result(context, result);
  if (!context.common.quiet) print_search(std::cout, result);
  return kExitDone;
}

}  // namespace

void register_search(CLI::App& root, Registry& registry) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = root.add_subcommand("search", "find and save a schedule without simulating it");
  add_input_options(*command, *options);
  add_search_options(*command, *options);
  command->add_option("--schedule-out", options->schedule_out, "save the schedule (accsim-schedule/1)")
      ->type_name("FILE");
  command->add_option("--program-out", options->program_out, "save the program (accsim-program/1)")->type_name("FILE");
  registry.add(command, [options](const CommandContext& context) { return run_search(*options, context); });
}

}  // namespace accsim::app
