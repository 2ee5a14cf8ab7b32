#include "app/cmd_check.h"

#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "app/files.h"
#include "app/network_options.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/table.h"
#include "app/test_data.h"
#include "model/base/error.h"
#include "model/result/bound.h"
#include "model/workload/network_spec.h"

namespace accsim::app {
namespace {

constexpr std::int64_t kLargestBatch = model::kLargestBatch;

struct CheckOptions {
  std::string arch;
  std::string net;
  std::string test_data;
  std::string schema;
  double tolerance = 1e-4;
  std::int64_t batch = 1;
  NetworkOptions network;
};

model::Json block_json(const model::BlockFigures& figures) {
  return {{"array", figures.array},
          {"vector", figures.vector},
          {"scratchpad", figures.scratchpad},
          {"accumulator", figures.accumulator},
          {"dma", figures.dma},
          {"global_buffer", figures.global_buffer},
          {"noc", figures.noc},
          {"total", figures.total()}};
}

// What follows from the architecture alone.
model::Json figures_json(const model::Architecture& arch) {
  const model::ArchitectureBounds bounds = model::bounds_of(arch);
  const double sustained = sustained_bytes_per_cycle(arch);
  const double sustained_gb_s = sustained * static_cast<double>(arch.clock_mhz) / 1000.0;
  return {{"cores", arch.core_count()},
          {"noc_nodes", arch.node_count()},
          {"peak_macs_per_cycle", arch.peak_macs_per_cycle()},
          {"peak_macs_per_second", bounds.peak_macs_per_second},
          {"dram_capacity_bytes", arch.dram.capacity().value()},
          {"dram_burst_bytes", arch.dram.burst_bytes().value()},
          {"peak_dram_gb_s", bounds.peak_dram_gb_s},
          {"sustained_dram_gb_s", sustained_gb_s},
          {"ridge_macs_per_byte", bounds.ridge_macs_per_byte},
          {"sustained_ridge_macs_per_byte", bounds.peak_macs_per_second / (sustained_gb_s * 1e9)},
          {"area_mm2", block_json(model::area_mm2(arch))},
          {"leakage_mw", block_json(model::leakage_mw(arch))}};
}

// Elements of the weights that an operator is the first to use.
std::int64_t own_parameters(const model::Network& network, const model::Operator& op, std::set<model::TensorId>& seen) {
  std::int64_t count = 0;
  for (const model::TensorId id : op.inputs) {
    const model::Tensor& tensor = network.tensor(id);
    if (tensor.kind == model::TensorKind::weight && seen.insert(id).second) count += model::element_count(tensor.shape);
  }
  return count;
}

// One entry for each layer of the file, with its own bound where there is an architecture.
model::Json layers_json(const model::Network& network, const model::Architecture* arch) {
  model::Json layers = model::Json::array();
  std::set<model::TensorId> seen;
  for (const model::Operator& op : network.operators) {
    model::Json layer = {{"name", op.name},
                         {"op", model::name_of(op.type)},
                         {"shape", network.tensor(op.outputs.at(0)).shape},
                         {"type", model::name_of(network.tensor(op.outputs.at(0)).type)},
                         {"macs", model::macs_of(network, op.id).value()},
                         {"parameters", own_parameters(network, op, seen)}};
    if (arch != nullptr) {
      const model::NetworkBound bound = model::physical_bound(*arch, network, op.id);
      layer["bound"] = {{"cycles", bound.cycles.value()}, {"energy_pj", bound.energy_pj}};
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

model::Json check_json(const CheckOptions& options) {
  std::optional<model::Architecture> arch;
  std::optional<model::Network> network;
  if (!options.arch.empty()) arch = model::load_architecture(options.arch);
  if (!options.net.empty()) {
    network = model::parse_network(model::read_network_json(options.net, network_file_options(options.network)),
                                   options.net, options.batch);
  }
  model::Json json = {{"schema", "accsim-check/1"}};
  if (network) {
    json["net"] = network->name;
    json["batch"] = options.batch;
    json["precision"] = model::name_of(network->precision);
    json["macs"] = model::total_macs(*network).value();
    json["parameters"] = model::total_parameters(*network);
    json["compulsory_bytes"] = model::compulsory_bytes(*network).value();
  }
  if (arch && network) {
    // Activations ride on their producers, as in every schedule.
    const model::Network fused = model::fuse_activations(*network);
    const model::NetworkBound bound = model::physical_bound(*arch, fused);
    json["bound"] = {{"cycles", bound.cycles.value()}, {"energy_pj", bound.energy_pj}};
    json["bound_reachable"] = {
        {"cycles", model::reachable_bound(*arch, fused, sustained_bytes_per_cycle(*arch)).value()}};
  }
  if (network) json["layers"] = layers_json(*network, arch ? &*arch : nullptr);
  if (arch) {
    json["figures"] = figures_json(*arch);
    json["arch"] = model::to_json(*arch);
  }
  return json;
}

// Comments stay out of what is printed.
model::Json without_comments(const model::Json& json) {
  if (!json.is_object()) return json;
  model::Json out = model::Json::object();
  for (const auto& [key, value] : json.items()) {
    if (key.empty() || key[0] != '_') out[key] = without_comments(value);
  }
  return out;
}

std::string megabytes(const model::Json& bytes) { return bytes_text(bytes.get<double>()); }

void print_figures(std::ostream& out, const model::Json& json) {
  const model::Json& figures = json.at("figures");
  const auto number = [&figures](const char* key) { return figures.at(key).get<double>(); };
  Table table;
  table.column("figure", Table::Align::left);
  table.column("value");
  table.column("unit", Table::Align::left);
  table.row({"cores", grouped(figures.at("cores")), ""});
  table.row({"NoC nodes", grouped(figures.at("noc_nodes")), ""});
  table.row({"peak MACs a cycle", grouped(figures.at("peak_macs_per_cycle")), "MAC"});
  table.row({"peak rate", fixed(number("peak_macs_per_second") / 1e12, 3), "TMAC/s"});
  table.row({"DRAM capacity", megabytes(figures.at("dram_capacity_bytes")), ""});
  table.row({"DRAM burst", grouped(figures.at("dram_burst_bytes")), "B"});
  table.row({"peak DRAM bandwidth", fixed(number("peak_dram_gb_s"), 1), "GB/s"});
  table.row({"sustained DRAM bandwidth", fixed(number("sustained_dram_gb_s"), 1), "GB/s, long sequential reads"});
  table.row({"ridge point", fixed(number("ridge_macs_per_byte"), 1), "MAC/B"});
  table.row({"ridge point, sustained", fixed(number("sustained_ridge_macs_per_byte"), 1), "MAC/B"});
  table.print(out);

  Table blocks;
  blocks.column("block", Table::Align::left);
  blocks.column("area mm2");
  blocks.column("leakage mW");
  for (const auto& [block, area] : figures.at("area_mm2").items()) {
    blocks.row({block, fixed(area.get<double>(), 3), fixed(figures.at("leakage_mw").at(block).get<double>(), 2)});
  }
  out << '\n';
  blocks.print(out);
}

std::string shape_cell(const model::Json& shape) {
  std::string text;
  for (const model::Json& extent : shape)
    text += (text.empty() ? "" : "x") + std::to_string(extent.get<std::int64_t>());
  return text.empty() ? "scalar" : text;
}

void print_layers(std::ostream& out, const model::Json& json) {
  const bool bounded = json.contains("bound");
  Table table;
  table.column("layer", Table::Align::left);
  table.column("op", Table::Align::left);
  table.column("output", Table::Align::left);
  table.column("type", Table::Align::left);
  table.column("MACs");
  table.column("parameters");
  if (bounded) table.column("bound cycles");
  for (const model::Json& layer : json.at("layers")) {
    std::vector<std::string> cells{layer.at("name").get<std::string>(), layer.at("op").get<std::string>(),
                                   shape_cell(layer.at("shape")),       layer.at("type").get<std::string>(),
                                   grouped(layer.at("macs")),           grouped(layer.at("parameters"))};
    if (bounded) cells.push_back(grouped(layer.at("bound").at("cycles")));
    table.row(std::move(cells));
  }
  table.print(out);
  out << "\n"
      << json.at("net").get<std::string>() << ": "
      << counted(static_cast<std::int64_t>(json.at("layers").size()), "layer") << ", " << grouped(json.at("macs"))
      << " MACs, " << grouped(json.at("parameters")) << " parameters, compulsory bytes "
      << grouped(json.at("compulsory_bytes")) << " (" << megabytes(json.at("compulsory_bytes")) << ")\n";
}

model::Json test_data_json(const TestDataReport& report) {
  model::Json outputs = model::Json::array();
  for (const ComparedOutput& output : report.outputs) {
    outputs.push_back({{"name", output.name},
                       {"shape", output.shape},
                       {"elements", output.elements},
                       {"different", output.different},
                       {"largest_difference", output.largest_difference},
                       {"within_tolerance", output.within_tolerance}});
  }
  return {{"tolerance", report.tolerance}, {"matches", report.matches()}, {"outputs", std::move(outputs)}};
}

// The network in float on stored inputs, its outputs against stored ones.
int run_test_data(const CheckOptions& options, const CommandContext& context) {
  if (options.net.empty()) throw model::ConfigError("--test-data needs --net FILE, an ONNX file with weights");
  if (options.batch != 1) throw model::ConfigError("--test-data and --batch exclude each other");
  const TestDataReport report =
      check_test_data(options.net, options.test_data, network_file_options(options.network), options.tolerance);
  model::Json json = {{"schema", "accsim-check/1"}, {"net", report.network}, {"test_data", test_data_json(report)}};
  if (!context.common.quiet) {
    Table table;
    table.column("output", Table::Align::left);
    table.column("shape");
    table.column("elements");
    table.column("different");
    table.column("largest difference");
    for (const ComparedOutput& output : report.outputs) {
      std::ostringstream largest;
      largest << output.largest_difference;
      table.row(
          {output.name, shape_cell(output.shape), grouped(output.elements), grouped(output.different), largest.str()});
    }
    table.print(std::cout);
    std::cout << (report.matches() ? "\nall outputs match" : "\nthere are mismatches") << '\n';
  }
  json["host"] = host_object(context);
  save_result(context, json);
  if (!report.matches()) throw model::MismatchError(report.message());
  return kExitDone;
}

int run_check(const CheckOptions& options, const CommandContext& context) {
  check_files(context, {{"--arch", options.arch}, {"--net", options.net}});
  if (!options.test_data.empty()) return run_test_data(options, context);
  if (!options.schema.empty()) {
    std::cout << model::pretty(options.schema == "arch" ? model::architecture_schema() : model::network_schema())
              << '\n';
    if (options.arch.empty() && options.net.empty()) return kExitDone;
  }
  if (options.arch.empty() && options.net.empty()) {
    throw model::ConfigError("nothing to check: give --arch FILE, --net FILE or both (see accsim check --help)");
  }
  model::Json json = check_json(options);
  if (!context.common.quiet) {
    if (json.contains("arch")) {
      std::cout << model::pretty(without_comments(json["arch"])) << "\n\n";
      print_figures(std::cout, json);
    }
    if (json.contains("layers")) {
      if (json.contains("arch")) std::cout << '\n';
      print_layers(std::cout, json);
    }
    if (json.contains("bound")) {
      std::cout << "no schedule takes fewer than " << grouped(json["bound"]["cycles"]) << " cycles or "
                << energy_text(json["bound"]["energy_pj"].get<double>()) << "; on these arrays and at the sustained "
                << "bandwidth no fewer than " << grouped(json["bound_reachable"]["cycles"]) << " cycles\n";
    }
  }
  json["host"] = host_object(context);
  save_result(context, json);
  return kExitDone;
}

}  // namespace

void register_check(CLI::App& root, Registry& registry) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = root.add_subcommand("check", "resolved values, rates, shapes, MACs, parameters and bounds");
  command->add_option("--arch", options->arch, "architecture (accsim-arch/1)")->type_name("FILE");
  command->add_option("--net", options->net, "network (accsim-net/1, or ONNX: *.onnx)")->type_name("FILE");
  command->add_option("--batch", options->batch, "multiplies the first dimension of every network input")
      ->check(CLI::Range(std::int64_t{1}, kLargestBatch))
      ->capture_default_str();
  command->add_option("--schema", options->schema, "print the JSON schema of a kind of file: arch or net")
      ->check(CLI::IsMember(std::vector<std::string>{"arch", "net"}))
      ->type_name("KIND");
  add_network_options(*command, options->network);
  command
      ->add_option("--test-data", options->test_data,
                   "run an ONNX file in float on the folder's input_*.pb and compare with its output_*.pb")
      ->type_name("DIR");
  command->add_option("--tolerance", options->tolerance, "largest difference that --test-data takes for equal")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  registry.add(command, [options](const CommandContext& context) { return run_check(*options, context); });
}

}  // namespace accsim::app
