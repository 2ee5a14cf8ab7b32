// accsim dram: the DRAM channels alone. Requests come as CSV (columns op, addr_hex, and cycle for mode trace; others
// are ignored; may be gzipped), the figures go out as accsim-dram-result/1, the commands as one line each.
#pragma once
#include <filesystem>
#include <vector>

#include "app/command.h"
#include "sim/dram/runner.h"

namespace accsim::app {

void register_dram(CLI::App& root, Registry& registry);

// ConfigError with file and line for what is not a request or lies beyond the DRAM's capacity. `with_cycles` asks for
// the column cycle; requests are then put in its order.
std::vector<sim::DramRequest> read_dram_requests(const std::filesystem::path& file, const model::DramConfig& config,
                                                 bool with_cycles);

}  // namespace accsim::app
