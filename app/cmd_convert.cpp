#include "app/cmd_convert.h"

#include <iostream>
#include <memory>
#include <string>

#include "app/files.h"
#include "app/network_options.h"
#include "app/output.h"
#include "app/table.h"
#include "model/base/error.h"
#include "model/workload/network.h"

namespace accsim::app {
namespace {

struct ConvertOptions {
  std::string file;
  NetworkOptions network;
};

// The network goes to --out, or to stdout.
int run_convert(const ConvertOptions& options, const CommandContext& context) {
  check_files(context, {{"FILE", options.file}});
  if (!model::is_onnx_file(options.file)) throw model::ConfigError(options.file + ": expected an ONNX file (*.onnx)");
  const model::Json json = model::read_network_json(options.file, network_file_options(options.network));
  const model::Network network = model::parse_network(json, options.file);
  if (context.common.out.empty()) {
    std::cout << model::pretty(json) << '\n';
    return kExitDone;
  }
  model::write_json_file(context.common.out, json);
  if (!context.common.quiet) {
    std::cout << context.common.out << ": " << counted(static_cast<std::int64_t>(network.operators.size()), "layer")
              << ", " << grouped(model::total_macs(network).value()) << " MACs, "
              << grouped(model::total_parameters(network)) << " parameters\n";
  }
  return kExitDone;
}

}  // namespace

void register_convert(CLI::App& root, Registry& registry) {
  auto options = std::make_shared<ConvertOptions>();
  CLI::App* command = root.add_subcommand("convert", "an ONNX file as a network file (accsim-net/1), to --out");
  command->add_option("file", options->file, "ONNX file")->type_name("FILE")->required();
  add_network_options(*command, options->network);
  registry.add(command, [options](const CommandContext& context) { return run_convert(*options, context); });
}

}  // namespace accsim::app
