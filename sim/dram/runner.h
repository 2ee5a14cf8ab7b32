// Drives DRAM channels alone with a list of requests and measures: the machine behind `accsim dram`. One turn of the
// loop is one DRAM clock: first requests are accepted, then every channel ticks. Leaves out: whatever stands between a
// core and its controller. Source of the modes and of the figures' definitions: how the reference runs were driven
// (docs/dram.md).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/arch/dram.h"
#include "sim/dram/channel.h"

namespace accsim::sim {

struct DramRequest {
  std::uint64_t address = 0;  // bytes, below the capacity
  bool write = false;
  std::int64_t cycle = 0;  // mode trace: when it is first offered; not before that of the request above
};

enum class DramMode : std::uint8_t {
  open_loop,    // "max": in order; a full queue blocks what follows
  per_channel,  // "maxch": one FIFO a channel
  window,       // "win:W": at most W reads outstanding
  paced,        // "paced:F": request i arrives at floor(i * S / (F * peak * tCK))
  trace         // "trace": request i arrives at its cycle, one FIFO a channel
};

struct DramDrive {
  DramMode mode = DramMode::open_loop;
  std::int64_t window = 0;
  double pace = 0;  // F, share of the peak bandwidth
};

// "max", "maxch", "win:16", "paced:0.5", "trace"; ConfigError otherwise.
DramDrive parse_dram_mode(const std::string& text);
std::string to_text(const DramDrive& drive);

// The figures of one run. Latencies in cycles: reads return - acceptance (paced, trace: - arrival), writes WR command +
// write_delay - acceptance. Percentiles by nearest rank: sorted[ceil(q * n) - 1].
struct DramRunResult {
  DramStatistics totals;  // sums over the channels
  DramEnergy energy;
  std::int64_t cycles_to_last_completion = 0;
  std::int64_t cycles_simulated = 0;
  std::int64_t last_accept_cycle = 0;
  std::int64_t writes_left = 0;
  double read_latency_mean = 0;
  std::int64_t read_latency_p50 = 0, read_latency_p99 = 0, read_latency_max = 0;
  double write_latency_mean = 0;
  std::int64_t write_latency_p99 = 0;
  std::vector<DramCommand> commands;  // by cycle, then by channel; where asked for
};

DramRunResult run_dram_requests(const DramConfig& config, const std::vector<DramRequest>& requests,
                                const DramDrive& drive, bool log_commands);

// The result row with the reference's column names, derived figures in ns, GB/s (1e9), pJ.
model::Json dram_result_row(const DramRunResult& result, const DramConfig& config);

// One command as a line of the reference's traces (without newline): cycle, command, ch, ra, bg, ba, row, column.
std::string to_line(const DramCommand& command, std::int64_t channels);

}  // namespace accsim::sim
