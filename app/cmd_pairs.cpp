#include "app/cmd_pairs.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/characterization.h"
#include "app/files.h"
#include "app/measurer.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/store.h"
#include "app/table.h"
#include "model/base/error.h"
#include "model/config/record.h"
#include "model/result/bound.h"

namespace accsim::app {
namespace {

constexpr char kUnfused[] = "optimal-layer";

struct PairsOptions {
  std::string arch;
  std::string pairs = (model::data_folder() / "workloads/pairs.json").string();
  std::string strategy = "corf";
  std::string objective = "latency";
  std::string net_of;
};

struct Pair {
  std::string kind;
  model::Json net;  // accsim-net/1
};

std::vector<Pair> read_pairs(const std::string& file) {
  const model::Json json = model::read_json_file(file);
  model::require_schema(json, "accsim-pairs/1", file);
  const model::Origin at{file, ""};
  for (const auto& [key, value] : json.items())
    if (key != "schema" && key != "pairs" && key.rfind('_', 0) != 0) model::fail_unknown_key(key, {"pairs"}, at);
  if (!json.contains("pairs") || !json.at("pairs").is_array() || json.at("pairs").empty())
    throw model::ConfigError(file, "pairs", "expected a list of pairs that is not empty");
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < json.at("pairs").size(); ++i) {
    const model::Json& entry = json.at("pairs")[i];
    const model::Origin where = at.key("pairs").index(i);
    if (!entry.is_object()) model::fail(where, "expected an object, " + model::describe(entry));
    for (const auto& [key, value] : entry.items())
      if (key != "kind" && key != "net") model::fail_unknown_key(key, {"kind", "net"}, where);
    for (const char* key : {"kind", "net"})
      if (!entry.contains(key)) model::fail(where, "missing key \"" + std::string(key) + "\"");
    pairs.push_back({model::read_text(entry.at("kind"), where.key("kind")), entry.at("net")});
    // Refuses what is no network, too.
    model::parse_network(pairs.back().net, file + ": pairs[" + std::to_string(i) + "].net");
  }
  return pairs;
}

double gain_of(const model::Json& row) {
  return row.at("unfused_cycles").get<double>() / row.at("fused_cycles").get<double>();
}

double closed_of(const model::Json& row) {
  const auto unfused = row.at("unfused_cycles").get<double>();
  const double room = unfused - row.at("bound_reachable_cycles").get<double>();
  return room > 0 ? (unfused - row.at("fused_cycles").get<double>()) / room : 1.0;
}

// The geometric mean of the gains of those rows; 0 where there are none.
template <class Chosen>
double mean_gain(const model::Json& rows, const Chosen& chosen) {
  double sum = 0;
  int count = 0;
  for (const auto& row : rows) {
    if (!chosen(row)) continue;
    sum += std::log(gain_of(row));
    ++count;
  }
  return count > 0 ? std::exp(sum / count) : 0.0;
}

void print_pairs(std::ostream& out, const model::Json& result) {
  out << "pairs on " << result.at("arch").get<std::string>() << ": " << kUnfused << " to DRAM against "
      << result.at("strategy").get<std::string>() << ", objective " << result.at("objective").get<std::string>()
      << "\n\n";
  Table table;
  table.column("pair", Table::Align::left);
  table.column("after", Table::Align::left);
  for (const char* title : {"unfused", "fused", "groups", "faster", "bound allows", "headroom closed"})
    table.column(title);
  table.column("unfused bound by", Table::Align::left);
  constexpr int kDecimals = 2;
  for (const auto& row : result.at("pairs")) {
    const double room = row.at("unfused_cycles").get<double>() / row.at("bound_reachable_cycles").get<double>();
    table.row({row.at("name"), row.at("source"), grouped(row.at("unfused_cycles")), grouped(row.at("fused_cycles")),
               std::to_string(row.at("groups").get<std::int64_t>()), fixed(gain_of(row), kDecimals),
               fixed(room, kDecimals), percent_text(closed_of(row), 1.0), row.at("unfused_bound_by")});
  }
  table.print(out);
  out << "\ngeometric mean " << fixed(result.at("geometric_mean"), kDecimals) << ", of those that memory bounds "
      << fixed(result.at("geometric_mean_memory"), kDecimals) << '\n';
}

int run_pairs(const PairsOptions& options, const CommandContext& context) {
  check_files(context, {{"--arch", options.arch}, {"--pairs", options.pairs}});
  const std::vector<Pair> pairs = read_pairs(options.pairs);
  if (!options.net_of.empty()) {
    std::vector<std::string> names;
    for (const Pair& pair : pairs) {
      names.push_back(pair.net.at("name"));
      if (names.back() != options.net_of) continue;
      if (context.common.out.empty()) {
        std::cout << model::pretty(pair.net) << '\n';
      } else {
        model::write_json_file(context.common.out, pair.net);
      }
      return kExitDone;
    }
    throw model::ConfigError("--net-of: " + options.pairs + " has no pair \"" + options.net_of + "\"" +
                             model::did_you_mean(options.net_of, names));
  }
  if (options.arch.empty()) throw model::ConfigError("--arch FILE is missing: the architecture");
  const sched::Objective objective = parse_objective(options.objective);
  sched::make_strategy(options.strategy);
  const model::Json arch_json = model::read_json_file(options.arch);
  Store store(context.common.store, context.log);
  model::Json rows = model::Json::array();
  std::string arch_name;
  Progress progress(context, "pairs", static_cast<std::int64_t>(pairs.size()));
  for (const Pair& pair : pairs) {
    const Inputs inputs = inputs_of(arch_json, options.arch, pair.net, options.pairs, 1);
    arch_name = inputs.arch.name;
    ProcessMeasurer measurer(inputs, context.common.seed, job_count(context.common), store);
    SearchSettings settings;
    settings.objective = objective;
    settings.threads = job_count(context.common);
    settings.measurer = &measurer;
    settings.characterization = characterization_source("", inputs, measurer, store, settings.threads, {});
    std::vector<model::Schedule> schedules;
    for (const std::string& strategy : {std::string(kUnfused), options.strategy}) {
      settings.strategy = strategy;
      schedules.push_back(search_schedule(inputs, settings).schedule);
    }
    const std::vector<model::Measurement> measured = measurer.measure_schedules(schedules);
    const double rate = sustained_bytes_per_cycle(inputs.arch);
    const model::Cycles reachable = model::reachable_bound(inputs.arch, inputs.network, rate);
    const model::Cycles compute =
        model::reachable_bound(inputs.arch, inputs.network, std::numeric_limits<double>::max());
    const auto bytes = static_cast<double>((measured[0].dram.bytes_read + measured[0].dram.bytes_written).value());
    const bool memory = bytes / rate > static_cast<double>(compute.value());
    rows.push_back({{"name", inputs.network.name},
                    {"kind", pair.kind},
                    {"source", pair.net.value("_source", "")},
                    {"unfused_cycles", measured[0].cycles.value()},
                    {"fused_cycles", measured[1].cycles.value()},
                    {"groups", schedules[1].groups.size()},
                    {"bound_reachable_cycles", reachable.value()},
                    {"unfused_bound_by", memory ? "memory" : "compute"}});
    progress.advance_to(static_cast<std::int64_t>(rows.size()));
  }
  model::Json result{{"schema", "accsim-pairs-result/1"},
                     {"arch", arch_name},
                     {"unfused", kUnfused},
                     {"strategy", options.strategy},
                     {"objective", options.objective},
                     {"seed", context.common.seed}};
  result["geometric_mean"] = mean_gain(rows, [](const model::Json&) { return true; });
  result["geometric_mean_memory"] =
      mean_gain(rows, [](const model::Json& row) { return row.at("unfused_bound_by") == "memory"; });
  result["pairs"] = std::move(rows);
  result["host"] = host_object(context);
  save_result(context, result);
  if (!context.common.quiet) print_pairs(std::cout, result);
  return kExitDone;
}

}  // namespace

void register_pairs(CLI::App& root, Registry& registry) {
  auto options = std::make_shared<PairsOptions>();
  CLI::App* command =
      root.add_subcommand("pairs", "what fusing two consecutive operators is worth, for a list of pairs");
  command->add_option("--arch", options->arch, "architecture (accsim-arch/1)")->type_name("FILE");
  command->add_option("--pairs", options->pairs, "pairs (accsim-pairs/1); those that ship by default")
      ->type_name("FILE");
  command->add_option("--strategy", options->strategy, "which fuses")->capture_default_str();
  command->add_option("--objective", options->objective, "what is made small: edp, latency or energy")
      ->capture_default_str();
  command->add_option("--net-of", options->net_of, "only write this pair as a network file, to --out or stdout")
      ->type_name("NAME");
  registry.add(command, [options](const CommandContext& context) { return run_pairs(*options, context); });
}

}  // namespace accsim::app
