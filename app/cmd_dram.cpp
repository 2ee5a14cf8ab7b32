#include "app/cmd_dram.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "app/files.h"
#include "app/output.h"
#include "model/arch/arch.h"
#include "model/base/error.h"

namespace accsim::app {
namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr std::int64_t kLargestCycle = 100'000'000'000;  // a minute of DRAM time: millions of refreshes to go through
constexpr std::size_t kMostRequests = 200'000'000;

struct DramOptions {
  std::string preset;
  std::vector<std::string> settings;
  std::string requests;
  std::string mode = "max";
  std::string commands;
};

// Lines of a plain or gzipped text file, without their ends. ConfigError where it cannot be read.
class LineReader {
 public:
  explicit LineReader(const std::filesystem::path& file) : name_(file.string()) {
    std::error_code error;
    if (!std::filesystem::exists(file, error)) throw model::ConfigError(name_, "", "no such file");
    if (std::filesystem::is_directory(file, error))
      throw model::ConfigError(name_, "", "is a folder, expected a CSV file");
    file_ = ::gzopen(name_.c_str(), "rb");
    if (file_ == nullptr) throw model::ConfigError(name_, "", "cannot be opened");
    constexpr unsigned kBuffer = 1U << 18U;
    ::gzbuffer(file_, kBuffer);
  }
  ~LineReader() { ::gzclose(file_); }
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // The next line, valid until the next call; false at the end.
  bool next(std::string_view& line) {
    if (::gzgets(file_, buffer_.data(), static_cast<int>(buffer_.size())) == nullptr) {
      int error = Z_OK;
      const char* text = ::gzerror(file_, &error);
      if (error != Z_OK) throw model::ConfigError(name_, "", std::string("cannot be read: ") + text);
      return false;
    }
    ++number_;
    line = buffer_.data();
    const bool complete = !line.empty() && line.back() == '\n';
    if (!complete && line.size() + 1 == buffer_.size()) {
      fail("the line is longer than " + std::to_string(kLongestLine) + " characters");
    }
    if (!complete && ::gzeof(file_) == 0) fail("holds a zero byte, expected text");
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    return true;
  }
  [[nodiscard]] std::size_t number() const { return number_; }
  [[noreturn]] void fail(const std::string& what) const {
    throw model::ConfigError(name_, "line " + std::to_string(number_), what);
  }

 private:
  std::string name_;
  gzFile file_ = nullptr;
  std::array<char, kLongestLine> buffer_{};
  std::size_t number_ = 0;
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Shown in messages: the beginning, printable.
std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  std::string out(text.substr(0, kLongest));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return "\"" + out + "\"";
}

// Splits at commas into `cells`; returns their number, at most cells.size().
template <std::size_t N>
std::size_t split(std::string_view line, std::array<std::string_view, N>& cells) {
  std::size_t count = 0;
  while (count < N) {
    const std::size_t comma = line.find(',');
    cells[count++] = trimmed(line.substr(0, comma));
    if (comma == std::string_view::npos) break;
    line.remove_prefix(comma + 1);
  }
  return count;
}

bool read_operation(std::string_view text, const LineReader& reader) {
  if (text == "R" || text == "r") return false;
  if (text == "W" || text == "w") return true;
  reader.fail("column op: expected R or W, found " + shown(text));
}

std::uint64_t read_address(std::string_view text, std::uint64_t capacity, const LineReader& reader) {
  std::string_view digits = text;
  if (digits.substr(0, 2) == "0x" || digits.substr(0, 2) == "0X") digits.remove_prefix(2);
  std::uint64_t address = 0;
  constexpr int kHexadecimal = 16;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address, kHexadecimal);
  const bool number = end == digits.data() + digits.size() && !digits.empty();
  if (!number || error == std::errc::invalid_argument) {
    reader.fail("column addr_hex: expected a hexadecimal address, found " + shown(text));
  }
  if (error != std::errc() || address >= capacity) {
    reader.fail("column addr_hex: " + shown(text) + " lies beyond the DRAM's " + std::to_string(capacity) + " bytes");
  }
  return address;
}

std::int64_t read_cycle(std::string_view text, const LineReader& reader) {
  std::int64_t cycle = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cycle);
  if (error != std::errc() || end != text.data() + text.size() || cycle < 0 || cycle > kLargestCycle) {
    reader.fail("column cycle: expected an integer from 0 to " + std::to_string(kLargestCycle) + ", found " +
                shown(text));
  }
  return cycle;
}

void print_table(const model::Json& result) {
  const auto number = [&](const char* key, int decimals) { return fixed(result.at(key).get<double>(), decimals); };
  const auto count = [&](const char* key) { return grouped(result.at(key).get<std::int64_t>()); };
  Table table;
  table.column("figure", Table::Align::left);
  table.column("value");
  table.column("unit", Table::Align::left);
  table.row({"requests", count("N"), ""});
  table.row({"cycles to the last completion", count("cycles_to_last_completion"), "tCK"});
  table.row({"time", number("time_ns", 1), "ns"});
  table.row({"bandwidth", number("bw_GBps", 2), "GB/s"});
  table.row({"of the peak", number("bw_pct_of_peak", 1), "%"});
  constexpr double kPercent = 100;
  table.row({"row hits", fixed(kPercent * result.at("row_hit_rate").get<double>(), 1), "%"});
  for (const char* key : {"rd_cmds", "wr_cmds", "act_cmds", "pre_cmds", "ref_cmds"}) table.row({key, count(key), ""});
  table.row({"read latency, mean", number("rd_lat_mean_ns", 1), "ns"});
  table.row({"read latency, 99 % below", number("rd_lat_p99_ns", 1), "ns"});
  table.row({"read latency, most", number("rd_lat_max_ns", 1), "ns"});
  table.row({"write latency, mean", number("wr_lat_mean_ns", 1), "ns"});
  table.row({"energy", number("E_total_pJ", 0), "pJ"});
  table.row({"energy a bit", number("pJ_per_bit", 2), "pJ"});
  table.print(std::cout);
}

int run_dram(const DramOptions& options, const CommandContext& context) {
  check_files(context, {{"--requests", options.requests}}, {{"--commands", options.commands}});
  const model::Origin at{"", "--set"};
  const sim::DramDrive drive = sim::parse_dram_mode(options.mode);
  const std::filesystem::path presets = model::data_folder() / "configs" / "dram";
  const std::vector<std::string> names = model::dram_presets(presets);
  if (std::find(names.begin(), names.end(), options.preset) == names.end()) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    throw model::ConfigError("", "--preset",
                             "unknown DRAM preset " + shown(options.preset) + "; there are: " + list +
                                 model::did_you_mean(options.preset, names));
  }
  const model::DramConfig config =
      model::load_dram(options.preset, model::parse_dram_settings(options.settings, at), presets, at);
  const std::vector<sim::DramRequest> requests =
      read_dram_requests(options.requests, config, drive.mode == sim::DramMode::trace);

  const double wall_before = wall_seconds();
  const double cpu_before = cpu_seconds();
  const sim::DramRunResult run = sim::run_dram_requests(config, requests, drive, !options.commands.empty());
  const double cpu = cpu_seconds() - cpu_before;
  const double wall = wall_seconds() - wall_before;

  model::Json result = {
      {"schema", "accsim-dram-result/1"}, {"preset", options.preset}, {"mode", options.mode}, {"N", requests.size()}};
  result.update(sim::dram_result_row(run, config));
  result["dram"] = model::to_json(config);
  result["host"] = host_object(context);
  result["host"]["cpu_s"] = cpu;
  result["host"]["wall_s"] = wall;
  if (!options.commands.empty()) {
    std::string text;
    for (const sim::DramCommand& command : run.commands) text += sim::to_line(command, config.channels) + "\n";
    model::write_text_file(options.commands, text);
  }
  save_result(context, result);
  if (!context.common.quiet) print_table(result);
  return kExitDone;
}

}  // namespace

std::vector<sim::DramRequest> read_dram_requests(const std::filesystem::path& file, const model::DramConfig& config,
                                                 bool with_cycles) {
  constexpr std::size_t kMostColumns = 64;
  constexpr std::size_t kNone = kMostColumns;
  LineReader reader(file);
  std::string_view line;
  std::array<std::string_view, kMostColumns> cells;
  if (!reader.next(line))
    throw model::ConfigError(file.string(), "", "is empty, expected a CSV file with columns op, addr_hex");
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (line.substr(0, kByteOrderMark.size()) == kByteOrderMark) line.remove_prefix(kByteOrderMark.size());
  const std::size_t header = split(line, cells);
  const auto column = [&](std::string_view name) -> std::size_t {
    const auto* const at = std::find(cells.begin(), cells.begin() + header, name);
    return at == cells.begin() + header ? kNone : static_cast<std::size_t>(at - cells.begin());
  };
  const std::size_t operation = column("op");
  const std::size_t address = column("addr_hex");
  const std::size_t cycle = with_cycles ? column("cycle") : 0;
  for (const auto& [name, at] : {std::pair{"op", operation}, {"addr_hex", address}, {"cycle", cycle}}) {
    if (at == kNone) reader.fail(std::string("no column ") + name + " in the header " + shown(line));
  }

  const auto capacity = static_cast<std::uint64_t>(config.capacity().value());
  std::vector<sim::DramRequest> requests;
  while (reader.next(line)) {
    if (trimmed(line).empty()) continue;
    const std::size_t count = split(line, cells);
    if (count != header) {
      reader.fail("expected " + std::to_string(header) + " cells as in the header, found " + std::to_string(count));
    }
    if (requests.size() == kMostRequests) reader.fail("more than " + std::to_string(kMostRequests) + " requests");
    requests.push_back({read_address(cells[address], capacity, reader), read_operation(cells[operation], reader),
                        with_cycles ? read_cycle(cells[cycle], reader) : 0});
    if (requests.size() > 1 && requests.back().cycle < requests[requests.size() - 2].cycle) {
      reader.fail("column cycle: is " + std::to_string(requests.back().cycle) + ", the request before has " +
                  std::to_string(requests[requests.size() - 2].cycle) +
                  "; requests stand in the order of their cycles");
    }
  }
  if (requests.empty()) throw model::ConfigError(file.string(), "", "holds no requests");
  return requests;
}

void register_dram(CLI::App& root, Registry& registry) {
  auto options = std::make_shared<DramOptions>();
  CLI::App* command = root.add_subcommand("dram", "a list of requests on the DRAM channels alone");
  command->add_option("--preset", options->preset, "DRAM preset: a file of configs/dram without .json")
      ->required()
      ->type_name("NAME");
  command->add_option("--set", options->settings, "override one value of the preset, as in --set tRCD=20")
      ->type_name("NAME=VALUE");
  command->add_option("--requests", options->requests, "CSV with columns op (R, W) and addr_hex; may be gzipped")
      ->required()
      ->type_name("FILE");
  command
      ->add_option(
          "--mode", options->mode,
          "max: in order, as fast as it goes; maxch: one FIFO a channel; win:W: W reads outstanding; paced:F: at "
          "the share F of the peak; trace: at the column cycle")
      ->type_name("MODE")
      ->capture_default_str();
  command->add_option("--commands", options->commands, "write every DRAM command, one a line")->type_name("FILE");
  registry.add(command, [options](const CommandContext& context) { return run_dram(*options, context); });
}

}  // namespace accsim::app
