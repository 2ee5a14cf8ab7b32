#include "app/output.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iostream>
#include <ostream>

#include "app/version.h"
#include "model/base/error.h"

namespace accsim::app {
namespace {

const auto kProgramStart = std::chrono::steady_clock::now();

double seconds_of(const timeval& time) {
  constexpr double kMicro = 1e-6;
  return static_cast<double>(time.tv_sec) + kMicro * static_cast<double>(time.tv_usec);
}

rusage usage_of(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  return usage;
}

// Characters, not bytes: UTF-8 continuation bytes do not count.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

}  // namespace

bool stdout_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }
bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - kProgramStart).count();
}

double cpu_seconds() {
  double total = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    const rusage usage = usage_of(who);
    total += seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  }
  return total;
}

double peak_rss_mib() {
  constexpr double kKibPerMib = 1024;
  return static_cast<double>(std::max(usage_of(RUSAGE_SELF).ru_maxrss, usage_of(RUSAGE_CHILDREN).ru_maxrss)) /
         kKibPerMib;
}

model::Json host_object(const CommandContext& context) {
  return {{"version", kVersion},
          {"git", kGitCommit},
          {"jobs", job_count(context.common)},
          {"wall_seconds", wall_seconds()},
          {"peak_rss_mib", peak_rss_mib()}};
}

void save_result(const CommandContext& context, const model::Json& result) {
  if (!context.common.out.empty()) model::write_json_file(context.common.out, result);
}

std::string grouped(std::int64_t value) {
  constexpr std::size_t kGroup = 3;
  const std::string digits = std::to_string(value);
  const std::size_t sign = value < 0 ? 1 : 0;
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > sign && (digits.size() - i) % kGroup == 0) out += ' ';
    out += digits[i];
  }
  return out;
}

std::string counted(std::int64_t count, const std::string& what) {
  return grouped(count) + " " + what + (count == 1 ? "" : "s");
}

std::string fixed(double value, int decimals) {
  std::array<char, 400> text{};  // the largest double has 309 digits before the point
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, decimals);
  return {text.data(), end.ptr};
}

void Table::column(std::string title, Align align) { columns_.push_back({std::move(title), align}); }

void Table::row(std::vector<std::string> cells) {
  if (cells.size() != columns_.size()) throw model::InternalError("a table row has the wrong number of cells");
  rows_.push_back(std::move(cells));
}

void Table::print(std::ostream& out) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = width_of(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, width_of(row[i]));
    widths.push_back(width);
  }
  const auto print_row = [&](const auto& cell_at) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string& cell = cell_at(i);
      const std::string padding(widths[i] - width_of(cell), ' ');
      if (i > 0) line += "  ";
      line += columns_[i].align == Align::left ? cell + padding : padding + cell;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  };
  print_row([&](std::size_t i) -> const std::string& { return columns_[i].title; });
  for (const auto& row : rows_) print_row([&](std::size_t i) -> const std::string& { return row[i]; });
}

Progress::Progress(const CommandContext& context, std::string label, std::int64_t total)
    : label_(std::move(label)), total_(total), shown_(!context.common.quiet && total > 0 && stderr_is_terminal()) {}

Progress::~Progress() {
  if (shown_ && last_drawn_.time_since_epoch().count() != 0) std::cerr << "\r\x1b[K" << std::flush;
}

void Progress::advance_to(std::int64_t done) {
  constexpr std::chrono::milliseconds kInterval{100};
  done_ = std::min(done, total_);
  if (!shown_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_drawn_ < kInterval) return;
  last_drawn_ = now;
  draw();
}

void Progress::draw() {
  constexpr std::int64_t kBarLength = 30;
  const std::int64_t filled = done_ * kBarLength / total_;
  std::cerr << '\r' << label_ << " [" << std::string(static_cast<std::size_t>(filled), '#')
            << std::string(static_cast<std::size_t>(kBarLength - filled), ' ') << "] " << done_ << '/' << total_
            << std::flush;
}

}  // namespace accsim::app
