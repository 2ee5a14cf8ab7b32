// accsim noc: the network on chip alone. Synthetic traffic at a rate, or a trace (lines: cycle source destination
// flits; several destinations as in 3+5+7 make a multicast). Figures go out as accsim-noc-result/1 with the reference's
// names, the packets of a trace as CSV.
#pragma once
#include <filesystem>
#include <vector>

#include "app/command.h"
#include "sim/noc/runner.h"

namespace accsim::app {

void register_noc(CLI::App& root, Registry& registry);

// ConfigError with file and line for what is no packet of this network.
std::vector<sim::TracePacket> read_noc_trace(const std::filesystem::path& file, const sim::NocTopology& topology,
                                             const sim::RouterConfig& router);

}  // namespace accsim::app
