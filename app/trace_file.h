// A timeline of a run as a file of Chrome trace events, which ui.perfetto.dev and chrome://tracing open: a process a
// core with a track an engine, one for the DRAM with a track a channel and the bandwidth, one for the run with its
// groups and power. One microsecond on the file's clock is one core cycle. Source of the format: Trace Event Format
// (Google, 2016). Leaves out: single bursts and packets. Written as it comes, to a temporary file that takes the place
// of the other at the end.
#pragma once
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "app/pipeline.h"
#include "sim/core/trace_sink.h"

namespace accsim::app {

class TraceFile : public sim::TraceSink {
 public:
  // ConfigError where the file cannot be written.
  TraceFile(std::filesystem::path file, const Inputs& inputs);
  ~TraceFile() override;
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  void slice(const sim::TraceSlice& slice) override;
  void channel_busy(std::int64_t channel, model::Cycles begin, model::Cycles end, std::int64_t bytes_read,
                    std::int64_t bytes_written) override;
  void burst(bool write, std::int64_t bytes, model::Cycles at) override;

  // Groups, counters, and the end of the file, which then stands in its place.
  void finish(const model::Measurement& measurement);

 private:
  void event(const std::string& json);
  void name_tracks();
  void name_track(std::int64_t process, std::int64_t track, const std::string& name);
  void counters(const model::Measurement& measurement);
  [[nodiscard]] std::string quoted_name(const sim::TraceSlice& slice) const;
  void check();

  const Inputs* inputs_;
  std::filesystem::path file_;
  std::filesystem::path written_;  // file_ itself where that is a device or pipe
  std::ofstream out_;
  bool first_ = true;
  std::vector<std::string> layers_;  // names in quotes, their last quote left out, by operator
  // Bytes moved in windows of equal length, which double where they would be too many.
  struct Window {
    std::int64_t read = 0, written = 0;
  };
  std::vector<Window> windows_;
  std::int64_t window_cycles_ = 1024;
};

}  // namespace accsim::app
