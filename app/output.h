// What the program writes for people: terminal detection, tables, progress bars, the result file and the
// "host" object of a result (the only part that may differ between two runs of one command).
// Results and tables go to stdout; logs, errors and progress to stderr. Colour and bars only on a terminal.
#pragma once
#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "app/command.h"
#include "model/config/json.h"

namespace accsim::app {

bool stdout_is_terminal();
bool stderr_is_terminal();

// Seconds of this process since it started (wall clock), its CPU seconds with those of its finished children, and
// the largest resident memory of it or any of them.
double wall_seconds();
double cpu_seconds();
double peak_rss_mib();

// "version", "git", "jobs", "wall_seconds", "peak_rss_mib"; commands add their own figures.
model::Json host_object(const CommandContext& context);

// Writes `result` to --out where that was given. Throws ConfigError where the file cannot be written.
void save_result(const CommandContext& context, const model::Json& result);

// "1234567" -> "1 234 567"
std::string grouped(std::int64_t value);
// "1 layer", "1 234 layers"
std::string counted(std::int64_t count, const std::string& what);
// Fixed number of decimals, the same on every host.
std::string fixed(double value, int decimals);

// A table of text cells with aligned columns.
class Table {
 public:
  enum class Align : std::uint8_t { left, right };
  void column(std::string title, Align align = Align::right);
  // One cell for each column.
  void row(std::vector<std::string> cells);
  void print(std::ostream& out) const;

 private:
  struct Column {
    std::string title;
    Align align;
  };
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// A bar on stderr while something long runs; shows nothing without a terminal or with --quiet.
class Progress {
 public:
  Progress(const CommandContext& context, std::string label, std::int64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance_to(std::int64_t done);

 private:
  void draw();

  std::string label_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  bool shown_;
  std::chrono::steady_clock::time_point last_drawn_;
};

}  // namespace accsim::app
