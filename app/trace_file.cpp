#include "app/trace_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "app/accounting.h"
#include "app/output.h"
#include "app/result_json.h"
#include "model/base/error.h"

namespace accsim::app {
namespace {

constexpr std::size_t kMostWindows = 4096;
constexpr int kDecimals = 3;

std::string in_quotes(const std::string& text) { return model::Json(text).dump(); }

std::string number(std::int64_t n) { return std::to_string(n); }

// The run, the DRAM, then the cores.
constexpr std::int64_t kRunProcess = 0;
constexpr std::int64_t kDramProcess = 1;
std::int64_t process_of(model::CoreId core) { return kDramProcess + 1 + core.value(); }

// A slice without its arguments and closing brace.
std::string slice_text(std::int64_t process, std::int64_t track, model::Cycles begin, model::Cycles end,
                       std::string_view category, const std::string& quoted_name) {
  return R"({"ph":"X","pid":)" + number(process) + R"(,"tid":)" + number(track) + R"(,"ts":)" + number(begin.value()) +
         R"(,"dur":)" + number((end - begin).value()) + R"(,"cat":")" + std::string(category) + R"(","name":)" +
         quoted_name;
}

}  // namespace

TraceFile::TraceFile(std::filesystem::path file, const Inputs& inputs) : inputs_(&inputs), file_(std::move(file)) {
  std::error_code error;
  const auto status = std::filesystem::status(file_, error);
  const bool replaceable = !std::filesystem::exists(status) || std::filesystem::is_regular_file(status);
  if (replaceable) {
    const std::filesystem::path target = std::filesystem::weakly_canonical(file_, error);
    if (!error) file_ = target;
  }
  written_ = file_;
  if (replaceable) written_ += ".tmp" + number(::getpid());
  errno = 0;
  out_.open(written_, std::ios::binary | std::ios::trunc);
  check();
  for (const model::Operator& op : inputs.network.operators) {
    std::string name = in_quotes(op.name);
    name.pop_back();
    layers_.push_back(std::move(name));
  }
  out_ << R"({"displayTimeUnit":"ms","traceEvents":[)";
  name_tracks();
}

TraceFile::~TraceFile() {
  if (!out_.is_open()) return;
  out_.close();
  std::error_code ignored;
  if (written_ != file_) std::filesystem::remove(written_, ignored);
}

void TraceFile::check() {
  if (out_) return;
  throw model::ConfigError(file_.string(), "",
                           std::string("cannot be written: ") + (errno != 0 ? std::strerror(errno) : "unknown reason"));
}

void TraceFile::event(const std::string& json) {
  out_ << (first_ ? "\n" : ",\n") << json;
  first_ = false;
}

void TraceFile::name_track(std::int64_t process, std::int64_t track, const std::string& name) {
  const std::string place = R"("pid":)" + number(process) + R"(,"tid":)" + number(track);
  event(R"({"ph":"M",)" + place + R"(,"name":"thread_name","args":{"name":)" + in_quotes(name) + "}}");
  event(R"({"ph":"M",)" + place + R"(,"name":"thread_sort_index","args":{"sort_index":)" + number(track) + "}}");
}

void TraceFile::name_tracks() {
  const auto name_process = [&](std::int64_t process, const std::string& name) {
    const std::string place = R"("pid":)" + number(process) + R"(,"tid":0)";
    event(R"({"ph":"M",)" + place + R"(,"name":"process_name","args":{"name":)" + in_quotes(name) + "}}");
    event(R"({"ph":"M",)" + place + R"(,"name":"process_sort_index","args":{"sort_index":)" + number(process) + "}}");
  };
  name_process(kRunProcess, inputs_->network.name + " on " + inputs_->arch.name);
  name_track(kRunProcess, 0, "groups");
  name_process(kDramProcess, "DRAM");
  for (std::int64_t c = 0; c < inputs_->arch.dram.channels; ++c) name_track(kDramProcess, c, "channel " + number(c));
  for (std::int32_t core = 0; core < inputs_->arch.core_count(); ++core) {
    const std::int64_t process = process_of(model::CoreId(core));
    name_process(process, "core " + number(core));
    for (const model::Queue queue : model::kQueues) {
      name_track(process, static_cast<std::int64_t>(queue), std::string(model::name_of(queue)));
    }
  }
}

std::string TraceFile::quoted_name(const sim::TraceSlice& slice) const {
  if (slice.state != model::CycleState::compute) {
    return in_quotes(wait_text(slice.cause.what, slice.cause.index, slice.cause.giver));
  }
  const model::Instruction& instruction = *slice.instruction;
  const bool known = instruction.layer.valid() && instruction.layer.index() < layers_.size();
  return (known ? layers_[instruction.layer.index()] : std::string("\"no layer")) + "/" + number(instruction.tile) +
         "\"";
}

void TraceFile::slice(const sim::TraceSlice& slice) {
  const bool runs = slice.state == model::CycleState::compute;
  const bool moves = slice.queue == model::Queue::load || slice.queue == model::Queue::store;
  const std::string_view category = runs && moves ? "transfer" : model::name_of(slice.state);
  std::string text = slice_text(process_of(slice.core), static_cast<std::int64_t>(slice.queue), slice.begin, slice.end,
                                category, quoted_name(slice)) +
                     R"(,"args":{"group":)" + number(slice.group->group.value());
  if (runs && moves) {
    text += R"(,"bytes":)" + number(std::get<model::Copy>(slice.instruction->op).bytes().value());
    for (const model::CycleState state : {model::CycleState::compute, model::CycleState::operand_stall,
                                          model::CycleState::dram_wait, model::CycleState::noc_wait}) {
      if (slice.account[state] > model::Cycles(0)) {
        text += ",\"" + std::string(model::name_of(state)) + "\":" + number(slice.account[state].value());
      }
    }
  }
  event(text + "}}");
}

void TraceFile::channel_busy(std::int64_t channel, model::Cycles begin, model::Cycles end, std::int64_t bytes_read,
                             std::int64_t bytes_written) {
  event(slice_text(kDramProcess, channel, begin, end, "dram", "\"busy\"") + R"(,"args":{"bytes_read":)" +
        number(bytes_read) + R"(,"bytes_written":)" + number(bytes_written) + "}}");
}

void TraceFile::burst(bool write, std::int64_t bytes, model::Cycles at) {
  auto window = static_cast<std::size_t>(at.value() / window_cycles_);
  while (window >= kMostWindows) {
    for (std::size_t i = 0; i < windows_.size(); ++i) {
      const Window moved = std::exchange(windows_[i], Window());
      windows_[i / 2].read += moved.read;
      windows_[i / 2].written += moved.written;
    }
    windows_.resize((windows_.size() + 1) / 2);
    window_cycles_ *= 2;
    window /= 2;
  }
  windows_.resize(std::max(windows_.size(), window + 1));
  (write ? windows_[window].written : windows_[window].read) += bytes;
}

void TraceFile::counters(const model::Measurement& measurement) {
  const auto counter = [&](std::int64_t process, const std::string& name, std::int64_t at, const std::string& values) {
    event(R"({"ph":"C","pid":)" + number(process) + R"(,"tid":0,"ts":)" + number(at) + R"(,"name":")" + name +
          R"(","args":{)" + values + "}}");
  };
  // The last window ends with the run.
  const auto begin_of = [&](std::size_t i) {
    return std::min(static_cast<std::int64_t>(i) * window_cycles_, measurement.cycles.value());
  };
  windows_.emplace_back();  // back to zero
  std::string last;
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    const model::Cycles length(std::max<std::int64_t>(begin_of(i + 1) - begin_of(i), 1));
    const double ns = model::nanoseconds(inputs_->arch, length);
    const std::string values = R"("read":)" + fixed(static_cast<double>(windows_[i].read) / ns, kDecimals) +
                               R"(,"written":)" + fixed(static_cast<double>(windows_[i].written) / ns, kDecimals);
    if (values != last) counter(kDramProcess, "bandwidth GB/s", begin_of(i), values);
    last = values;
  }
  std::int64_t begin = 0;
  for (const model::GroupMeasurement& group : measurement.groups) {
    if (group.cycles == model::Cycles(0)) continue;
    constexpr double kMilli = 1e-3;  // pJ / ns = mW
    const double watts = kMilli * picojoules(group.energy.total()) / model::nanoseconds(inputs_->arch, group.cycles);
    counter(kRunProcess, "mean power W", begin, R"("power":)" + fixed(watts, kDecimals));
    begin += group.cycles.value();
  }
  counter(kRunProcess, "mean power W", begin, R"("power":0)");
}

void TraceFile::finish(const model::Measurement& measurement) {
  model::Cycles begin;
  for (const model::GroupMeasurement& group : measurement.groups) {
    std::string name;
    for (const std::string& layer : group.layers) name += (name.empty() ? "" : " + ") + layer;
    const model::Cycles end = begin + group.cycles;
    event(slice_text(kRunProcess, 0, begin, end, "group", in_quotes(name)) + R"(,"args":{"group":)" + number(group.id) +
          R"(,"bound_by":)" + in_quotes(group.bound_by) + R"(,"energy_pj":)" +
          fixed(picojoules(group.energy.total()), kDecimals) + "}}");
    begin = end;
  }
  counters(measurement);
  out_ << "\n],\"otherData\":"
       << model::Json({{"arch", inputs_->arch.name},
                       {"net", inputs_->network.name},
                       {"cycles", measurement.cycles.value()},
                       {"clock_mhz", inputs_->arch.clock_mhz},
                       {"time_unit", "1 us = 1 core cycle"}})
              .dump()
       << "}\n";
  errno = 0;
  out_.close();
  check();
  if (written_ == file_) return;
  std::error_code error;
  std::filesystem::rename(written_, file_, error);
  if (error) throw model::ConfigError(file_.string(), "", "cannot be written: " + error.message());
}

}  // namespace accsim::app
