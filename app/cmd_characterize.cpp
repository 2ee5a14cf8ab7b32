#include "app/cmd_characterize.h"

#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "app/characterization.h"
#include "app/files.h"
#include "app/measurer.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/store.h"
#include "model/base/error.h"
#include "sched/characterize/characterize.h"

namespace accsim::app {
namespace {

struct CharacterizeOptions {
  std::string arch;
  std::string objective = "latency";
  std::string precision = "int8";
};

void print_card(std::ostream& out, const sched::Characterization& card, sched::Objective objective) {
  out << card.arch << ", synthetic layers of " << card.precision << ", objective " << sched::name_of(objective)
      << "\n\n";
  Table table;
  table.column("kind", Table::Align::left);
  for (const char* title : {"channels", "size", "kernel", "operations", "best cores", "cycles", "best chain",
                            "its cores", "cycles a layer", "critical operations"})
    table.column(title);
  for (const sched::CharacterizedLayer& layer : card.layers) {
    const sched::LayerChoice& best = layer.best[static_cast<std::size_t>(objective)];
    const auto cycles = [&](std::int64_t layers, std::int64_t cores) {
      for (const sched::ChainFigure& f : layer.figures)
        if (f.layers == layers && f.cores == cores) return f.cycles / layers;
      return std::int64_t{0};
    };
    const bool chain = best.block > 1;
    table.row({sched::kLayerKinds[static_cast<std::size_t>(layer.features.kind)],
               std::to_string(layer.features.channels), std::to_string(layer.size), std::to_string(layer.kernel),
               grouped(layer.features.operations), std::to_string(best.cores), grouped(cycles(1, best.cores)),
               chain ? std::to_string(best.block) : "-", chain ? std::to_string(best.block_cores) : "-",
               chain ? grouped(cycles(best.block, best.block_cores)) : "-",
               chain ? grouped(best.critical_operations) : "-"});
  }
  table.print(out);
}

int run_characterize(const CharacterizeOptions& options, const CommandContext& context) {
  if (options.arch.empty()) throw model::ConfigError("--arch FILE is missing: the architecture");
  const sched::Objective objective = parse_objective(options.objective);
  check_files(context, {{"--arch", options.arch}});
  const model::Json arch_json = model::read_json_file(options.arch);
  // Any network will do: each measurement brings its own.
  const model::Json net = sched::chain_network(sched::synthetic_layers().front(), 1, options.precision);
  const Inputs inputs = inputs_of(arch_json, options.arch, net, "synthetic layer", 1);
  Store store(context.common.store, context.log);
  ProcessMeasurer measurer(inputs, context.common.seed, job_count(context.common), store);

  std::string label;
  std::optional<Progress> bar;
  measurer.report_to([&](std::int64_t done, std::int64_t jobs) {
    if (!bar) bar.emplace(context, label, jobs);
    bar->advance_to(done);
  });
  const sched::Characterization card =
      measured_characterization(inputs, measurer, store, job_count(context.common), [&](const std::string& what) {
        context.log->info("{}", what);
        label = what;
        bar.reset();
      });
  bar.reset();
  save_result(context, sched::to_json(card));
  if (!context.common.quiet) {
    print_card(std::cout, card, objective);
    const MeasurerTotals& totals = measurer.totals();
    std::cout << '\n'
              << grouped(totals.simulations) << " simulated, " << grouped(totals.from_store) << " from the store, "
              << fixed(cpu_seconds(), 1) << " CPU seconds in all\n";
  }
  return kExitDone;
}

}  // namespace

void register_characterize(CLI::App& root, Registry& registry) {
  auto options = std::make_shared<CharacterizeOptions>();
  CLI::App* command = root.add_subcommand(
      "characterize", "measure synthetic layers: best core counts and critical operation counts, to --out");
  command->add_option("--arch", options->arch, "architecture (accsim-arch/1)")->type_name("FILE");
  std::vector<std::string> precisions;
  for (const model::DataTypeInfo& type : model::kDataTypes)
    if (type.name != "int32") precisions.emplace_back(type.name);
  command->add_option("--precision", options->precision, "number type of the layers, that of the networks to come")
      ->check(CLI::IsMember(precisions))
      ->capture_default_str();
  command->add_option("--objective", options->objective, "which choices the table shows: edp, latency or energy")
      ->capture_default_str();
  registry.add(command, [options](const CommandContext& context) { return run_characterize(*options, context); });
}

}  // namespace accsim::app
