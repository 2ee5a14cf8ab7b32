#include "sim/dram/runner.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <numeric>

#include "model/base/error.h"

namespace accsim::sim {
namespace {

// Nearest rank: the ceil(q * n)-th smallest, q = percent / 100. Reorders the values.
std::int64_t percentile(std::vector<std::int64_t>& values, std::int64_t percent) {
  if (values.empty()) return 0;
  const auto rank = model::ceil_div(percent * static_cast<std::int64_t>(values.size()), 100) - 1;
  const auto at = values.begin() + std::max<std::int64_t>(rank, 0);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

double mean(const std::vector<std::int64_t>& values) {
  if (values.empty()) return 0;
  const std::int64_t sum = std::accumulate(values.begin(), values.end(), std::int64_t{0});
  return static_cast<double>(sum) / static_cast<double>(values.size());
}

class Run {
 public:
  Run(const DramConfig& config, const std::vector<DramRequest>& requests, const DramDrive& drive, bool log_commands)
      : config_(config), requests_(requests), drive_(drive) {
    channels_.reserve(static_cast<std::size_t>(config.channels));
    for (std::int32_t c = 0; c < config.channels; ++c) {
      DramChannel& channel = channels_.emplace_back(config, c);
      channel.set_write_latency_log(&write_latencies_);
      if (log_commands) channel.set_command_log(&result_.commands);
    }
    read_latencies_.reserve(requests.size());
  }

  DramRunResult run() {
    switch (drive_.mode) {
      case DramMode::open_loop:
      case DramMode::paced:
        run_in_order();
        break;
      case DramMode::per_channel:
      case DramMode::trace:
        run_by_channel();
        break;
      case DramMode::window:
        run_window();
        break;
    }
    finish();
    return std::move(result_);
  }

 private:
  [[nodiscard]] std::int64_t arrival(std::size_t i) const {
    if (drive_.mode == DramMode::trace) return requests_[i].cycle;
    if (drive_.mode != DramMode::paced) return 0;
    // floor(i * S / (F * peak * tCK)) in binary floating point, as the reference computes it.
    const auto bytes = static_cast<double>(i) * static_cast<double>(config_.derived.burst_bytes);
    return static_cast<std::int64_t>(bytes / (drive_.pace * config_.peak_gb_s() * config_.tck_ns()));
  }
  [[nodiscard]] bool latency_from_arrival() const {
    return drive_.mode == DramMode::paced || drive_.mode == DramMode::trace;
  }
  DramChannel& channel_of(const DramRequest& request) {
    return channels_[static_cast<std::size_t>(config_.channel_of(request.address))];
  }

  void collect(DramChannel& channel) {
    for (; channel.has_completion(); channel.pop_completion()) {
      const DramCompletion& done = channel.next_completion();
      const std::int64_t from =
          latency_from_arrival() ? arrival(static_cast<std::size_t>(done.tag)) : done.accepted.value();
      read_latencies_.push_back(done.cycle.value() - from);
    }
  }

  // Accepts request i in cycle `time` or the first one after it in which its channel takes it; returns that cycle.
  std::int64_t accept(std::size_t i, std::int64_t time) {
    const DramRequest& request = requests_[i];
    DramChannel& channel = channel_of(request);
    channel.advance(Cycles(time));
    while (!channel.can_accept(request.write)) {
      if (!channel.step()) throw model::InternalError("the DRAM controller is stuck with a full queue");
      collect(channel);
    }
    const std::int64_t accepted = channel.now().value();
    const Cycles done = channel.accept(i, config_.decode(request.address), request.write);
    if (!request.write && done != kNever) {
      read_latencies_.push_back(done.value() - (latency_from_arrival() ? arrival(i) : accepted));
    }
    result_.last_accept_cycle = std::max(result_.last_accept_cycle, accepted);
    return accepted;
  }

  void run_in_order() {
    std::int64_t time = 0;
    for (std::size_t i = 0; i < requests_.size(); ++i) time = accept(i, std::max(time, arrival(i)));
  }

  void run_by_channel() {
    std::vector<std::int64_t> times(channels_.size(), 0);
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      std::int64_t& time = times[static_cast<std::size_t>(config_.channel_of(requests_[i].address))];
      time = accept(i, std::max(time, arrival(i)));
    }
  }

  // The next read is accepted in the cycle after a completion; writes do not count against the window.
  void run_window() {
    std::int64_t time = 0;
    std::int64_t outstanding = 0;
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      while (outstanding >= drive_.window) time = std::max(time, next_return(outstanding) + 1);
      const std::size_t known = read_latencies_.size();
      time = accept_windowed(i, time);
      if (requests_[i].write) continue;
      if (read_latencies_.size() > known) {
        forwarded_returns_.push_back(time + 1);
      }
      ++outstanding;
    }
  }

  // Accepts like accept(), but leaves completions in the channels for next_return().
  std::int64_t accept_windowed(std::size_t i, std::int64_t time) {
    DramChannel& channel = channel_of(requests_[i]);
    channel.advance(Cycles(time));
    while (!channel.can_accept(requests_[i].write)) {
      if (!channel.step()) throw model::InternalError("the DRAM controller is stuck with a full queue");
    }
    return accept(i, channel.now().value());
  }

  // Takes all reads of the earliest return cycle of any channel; returns that cycle.
  std::int64_t next_return(std::int64_t& outstanding) {
    // Ticks the channels, the one furthest behind first, until none can still return a read before the earliest one
    // known.
    std::int64_t first = earliest_known();
    while (DramChannel* channel = furthest_behind()) {
      if (channel->next_time().value() + config_.derived.read_delay > first) break;
      if (!channel->step()) throw model::InternalError("the DRAM controller is stuck with a pending read");
      if (channel->has_completion()) first = std::min(first, channel->next_completion().cycle.value());
    }
    for (DramChannel& channel : channels_) {
      for (; channel.has_completion() && channel.next_completion().cycle.value() == first; channel.pop_completion()) {
        read_latencies_.push_back(first - channel.next_completion().accepted.value());
        --outstanding;
      }
    }
    outstanding -= std::erase(forwarded_returns_, first);
    return first;
  }

  // Of the channels that owe reads and know of no return yet.
  DramChannel* furthest_behind() {
    DramChannel* behind = nullptr;
    for (DramChannel& channel : channels_) {
      if (channel.pending_reads() == 0 || channel.has_completion()) continue;
      if (behind == nullptr || channel.next_time() < behind->next_time()) behind = &channel;
    }
    return behind;
  }

  [[nodiscard]] std::int64_t earliest_known() const {
    std::int64_t first = kNever.value();
    for (const DramChannel& channel : channels_) {
      if (channel.has_completion()) first = std::min(first, channel.next_completion().cycle.value());
    }
    for (const std::int64_t cycle : forwarded_returns_) first = std::min(first, cycle);
    return first;
  }

  // Ends when all reads have returned and all channels are drained; then all channels stand at the same cycle.
  void finish() {
    const Cycles no_more_requests(requests_.empty() ? 0 : result_.last_accept_cycle + 1);
    std::int64_t end = no_more_requests.value();
    for (DramChannel& channel : channels_) {
      channel.advance(no_more_requests);
      channel.begin_flush();
      while (!channel.drained()) {
        if (!channel.step()) throw model::InternalError("the DRAM controller is stuck at the end of the run");
        collect(channel);
      }
      collect(channel);
      end = std::max({end, channel.now().value(), channel.statistics().last_read_return.value() + 1});
    }
    result_.cycles_simulated = end;
    for (DramChannel& channel : channels_) {
      channel.advance(Cycles(end));
      add(channel.statistics());
      result_.writes_left += channel.buffered_writes();
    }
    result_.cycles_to_last_completion =
        std::max(result_.totals.last_read_return, result_.totals.last_write_done).value();
    result_.energy = energy_of(result_.totals, config_);
    result_.read_latency_mean = mean(read_latencies_);
    result_.write_latency_mean = mean(write_latencies_);
    if (!read_latencies_.empty()) {
      result_.read_latency_max = *std::max_element(read_latencies_.begin(), read_latencies_.end());
    }
    result_.read_latency_p50 = percentile(read_latencies_, 50);
    result_.read_latency_p99 = percentile(read_latencies_, 99);
    result_.write_latency_p99 = percentile(write_latencies_, 99);
    std::stable_sort(result_.commands.begin(), result_.commands.end(), [](const DramCommand& a, const DramCommand& b) {
      return a.cycle != b.cycle ? a.cycle < b.cycle : a.channel < b.channel;
    });
  }

  void add(const DramStatistics& part) {
    DramStatistics& sum = result_.totals;
    sum.reads_accepted += part.reads_accepted;
    sum.writes_accepted += part.writes_accepted;
    sum.activates += part.activates;
    sum.precharges += part.precharges;
    sum.reads += part.reads;
    sum.writes += part.writes;
    sum.refreshes += part.refreshes;
    sum.dual_commands += part.dual_commands;
    sum.row_hits += part.row_hits;
    sum.forwarded_reads += part.forwarded_reads;
    sum.merged_reads += part.merged_reads;
    sum.merged_writes += part.merged_writes;
    sum.read_latency_sum += part.read_latency_sum;
    sum.read_latency_max = std::max(sum.read_latency_max, part.read_latency_max);
    sum.active_cycles += part.active_cycles;
    sum.idle_cycles += part.idle_cycles;
    sum.last_read_return = std::max(sum.last_read_return, part.last_read_return);
    sum.last_write_done = std::max(sum.last_write_done, part.last_write_done);
  }

  const DramConfig& config_;
  const std::vector<DramRequest>& requests_;
  DramDrive drive_;
  std::vector<DramChannel> channels_;
  std::vector<std::int64_t> read_latencies_;
  std::vector<std::int64_t> write_latencies_;
  std::vector<std::int64_t> forwarded_returns_;  // cycles of reads answered from a pending write, mode win
  DramRunResult result_;
};

[[noreturn]] void fail_mode(const std::string& text) {
  throw model::ConfigError(
      "--mode: expected max, maxch, win:W (W reads, 1 or more), paced:F (a share of the peak, 0.000001 "
      "to 1000) or trace, found \"" +
      text.substr(0, 40) + "\"");
}

std::int64_t parse_count(std::string_view text, const std::string& whole) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr std::int64_t kMost = 1'000'000'000;
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > kMost) fail_mode(whole);
  return value;
}

}  // namespace

DramDrive parse_dram_mode(const std::string& text) {
  if (text == "max") return {DramMode::open_loop};
  if (text == "maxch") return {DramMode::per_channel};
  if (text == "trace") return {DramMode::trace};
  if (text.rfind("win:", 0) == 0) {
    const std::int64_t window = parse_count(std::string_view(text).substr(4), text);
    if (window < 1) fail_mode(text);
    return {DramMode::window, window};
  }
  if (text.rfind("paced:", 0) == 0) {
    double pace = 0;
    const auto [end, error] = std::from_chars(text.data() + 6, text.data() + text.size(), pace);
    constexpr double kMostPace = 1000;
    constexpr double kLeastPace = 1e-6;
    if (error != std::errc() || end != text.data() + text.size() || !(pace >= kLeastPace && pace <= kMostPace)) {
      fail_mode(text);
    }
    return {DramMode::paced, 0, pace};
  }
  fail_mode(text);
}

std::string to_text(const DramDrive& drive) {
  switch (drive.mode) {
    case DramMode::open_loop:
      return "max";
    case DramMode::per_channel:
      return "maxch";
    case DramMode::window:
      return "win:" + std::to_string(drive.window);
    case DramMode::paced:
      return "paced:" + model::Json(drive.pace).dump();
    case DramMode::trace:
      return "trace";
  }
  throw model::InternalError("unknown DRAM mode");
}

DramRunResult run_dram_requests(const DramConfig& config, const std::vector<DramRequest>& requests,
                                const DramDrive& drive, bool log_commands) {
  return Run(config, requests, drive, log_commands).run();
}

model::Json dram_result_row(const DramRunResult& result, const DramConfig& config) {
  const DramStatistics& s = result.totals;
  const double tck = config.tck_ns();
  const auto ns = [tck](std::int64_t cycles) { return static_cast<double>(cycles) * tck; };
  const double time_ns = ns(result.cycles_to_last_completion);
  const auto columns = static_cast<double>(s.reads + s.writes);
  const double bytes = columns * static_cast<double>(config.derived.burst_bytes);
  const double bandwidth = time_ns > 0 ? bytes / time_ns : 0;
  constexpr double kBitsPerByte = 8;
  model::Json row = model::Json::object();
  row["cycles_to_last_completion"] = result.cycles_to_last_completion;
  row["cycles_simulated"] = result.cycles_simulated;
  row["time_ns"] = time_ns;
  row["bw_GBps"] = bandwidth;
  row["bw_pct_of_peak"] = 100 * bandwidth / config.peak_gb_s();
  row["reads_accepted"] = s.reads_accepted;
  row["writes_accepted"] = s.writes_accepted;
  row["rd_cmds"] = s.reads;
  row["wr_cmds"] = s.writes;
  row["writes_left_in_buffer"] = result.writes_left;
  row["row_hit_rate"] = columns > 0 ? static_cast<double>(s.row_hits) / columns : 0;
  row["act_cmds"] = s.activates;
  row["pre_cmds"] = s.precharges;
  row["ref_cmds"] = s.refreshes;
  row["hbm_dual_cmds"] = s.dual_commands;
  row["rd_lat_mean_ns"] = result.read_latency_mean * tck;
  row["rd_lat_p50_ns"] = ns(result.read_latency_p50);
  row["rd_lat_p99_ns"] = ns(result.read_latency_p99);
  row["rd_lat_max_ns"] = ns(result.read_latency_max);
  row["wr_lat_mean_ns"] = result.write_latency_mean * tck;
  row["wr_lat_p99_ns"] = ns(result.write_latency_p99);
  row["E_act_pJ"] = result.energy.act;
  row["E_rd_pJ"] = result.energy.read;
  row["E_wr_pJ"] = result.energy.write;
  row["E_ref_pJ"] = result.energy.refresh;
  row["E_actstby_pJ"] = result.energy.active_standby;
  row["E_prestby_pJ"] = result.energy.precharge_standby;
  row["E_total_pJ"] = result.energy.total();
  row["pJ_per_bit"] = bytes > 0 ? result.energy.total() / (bytes * kBitsPerByte) : 0;
  row["clk_last_accept"] = result.last_accept_cycle;
  return row;
}

std::string to_line(const DramCommand& command, std::int64_t channels) {
  static constexpr std::array<const char*, 5> kNames{"activate", "precharge", "read", "write", "refresh"};
  const auto hex = [](std::int32_t value) {
    char text[16];
    std::snprintf(text, sizeof text, value < 0 ? "-0x%x" : "0x%x", static_cast<unsigned>(std::abs(value)));
    return std::string(text);
  };
  // With one channel the reference leaves the channel of refresh commands open (-1).
  const std::int32_t channel = command.by_refresh && channels == 1 ? -1 : command.channel;
  char line[128];
  std::snprintf(line, sizeof line, "%-18lld %-20s%4d%4d%4d%4d%9s%9s", static_cast<long long>(command.cycle.value()),
                kNames[static_cast<std::size_t>(command.kind)], channel, command.rank, command.bankgroup, command.bank,
                hex(command.row).c_str(), hex(command.column).c_str());
  return line;
}

}  // namespace accsim::sim
