#include "app/cmd_array.h"

#include <array>
#include <charconv>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/files.h"
#include "app/output.h"
#include "model/base/error.h"
#include "model/program/timing.h"

namespace accsim::app {
namespace {

constexpr std::int64_t kLargestExtent = (std::int64_t{1} << 31) - 1;
constexpr std::int64_t kLargestArray = 1024;  // as in architecture files
constexpr double kMostCycles = 4e18;
const std::vector<std::string> kDataflows{"weight_stationary", "output_stationary", "input_stationary", "vector_mac"};

struct ArrayOptions {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::string dataflow = "weight_stationary";
  std::string overlap = "on";
  std::string layers;
};

struct Layer {
  std::string name;
  std::int64_t m = 1, k = 1, n = 1;
};

// Where something stands in the CSV file, for messages.
std::string line_text(std::size_t line) { return "line " + std::to_string(line); }

// The cells of one line; a cell in double quotes may hold commas, and "" stands for one quote (RFC 4180, one line
// each).
std::vector<std::string> split_line(std::string_view line, const std::string& file, std::size_t number) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      cells.back() += c;
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  if (quoted) throw model::ConfigError(file, line_text(number), "a quote is not closed");
  for (std::string& cell : cells) {
    const std::size_t first = cell.find_first_not_of(" \t");
    const std::size_t last = cell.find_last_not_of(" \t");
    cell = first == std::string::npos ? "" : cell.substr(first, last - first + 1);
  }
  return cells;
}

std::string quoted_cell(const std::string& text) {
  if (text.find_first_of(",\"") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

// Index of the column with one of these names.
std::size_t find_column(const std::vector<std::string>& header, const std::vector<std::string>& names,
                        const std::string& file) {
  for (const std::string& name : names) {
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (header[i] == name) return i;
    }
  }
  throw model::ConfigError(file, "line 1", "no column \"" + names.front() + "\", expected a header with name,M,K,N");
}

std::int64_t read_extent(const std::string& cell, const std::string& column, const std::string& file,
                         std::size_t line) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (cell.empty() || error != std::errc{} || end != cell.data() + cell.size() || value < 1 || value > kLargestExtent) {
    throw model::ConfigError(
        file, line_text(line) + ", " + column,
        "expected an integer from 1 to " + std::to_string(kLargestExtent) + ", found \"" + cell.substr(0, 40) + "\"");
  }
  return value;
}

std::vector<Layer> read_layers(const std::string& file) {
  const std::string text = model::read_text_file(file);
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  std::string_view rest = text;
  if (rest.substr(0, kByteOrderMark.size()) == kByteOrderMark) rest.remove_prefix(kByteOrderMark.size());
  std::vector<Layer> layers;
  std::vector<std::string> header;
  std::array<std::size_t, 4> columns{};
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (number > 1 && line.find_first_not_of(" \t") == std::string_view::npos) continue;
    const std::vector<std::string> cells = split_line(line, file, number);
    if (number == 1) {
      header = cells;
      columns = {find_column(header, {"name", "layer"}, file), find_column(header, {"M", "M_ofmap_px"}, file),
                 find_column(header, {"K"}, file), find_column(header, {"N"}, file)};
      continue;
    }
    if (cells.size() != header.size()) {
      throw model::ConfigError(file, line_text(number),
                               "expected " + std::to_string(header.size()) + " cells as in the header, found " +
                                   std::to_string(cells.size()));
    }
    layers.push_back({cells[columns[0]], read_extent(cells[columns[1]], "column " + header[columns[1]], file, number),
                      read_extent(cells[columns[2]], "column K", file, number),
                      read_extent(cells[columns[3]], "column N", file, number)});
    if (layers.back().name.empty()) throw model::ConfigError(file, line_text(number), "the name is empty");
  }
  if (layers.empty())
    throw model::ConfigError(file, "", "no layers: expected a header with name,M,K,N and a line each");
  return layers;
}

model::ArrayConfig array_of(const ArrayOptions& options) {
  model::ArrayConfig array;
  array.rows = options.rows;
  array.cols = options.cols;
  array.double_buffered = options.overlap == "on";
  for (const model::Dataflow dataflow : {model::Dataflow::weight_stationary, model::Dataflow::output_stationary,
                                         model::Dataflow::input_stationary, model::Dataflow::vector_mac}) {
    if (model::name_of(dataflow) == options.dataflow) array.dataflow = dataflow;
  }
  return array;
}

// The closed forms are 64-bit integers; what would not fit is refused.
void check_size(const Layer& layer, const model::ArrayConfig& array, const std::string& file) {
  const auto at_most = [](std::int64_t extent, std::int64_t size) {
    return static_cast<double>(extent) / static_cast<double>(size) + 1;
  };
  const double m = static_cast<double>(layer.m);
  const double k = static_cast<double>(layer.k);
  const double n = static_cast<double>(layer.n);
  double cycles = 0;
  const double extra = static_cast<double>(2 * array.rows + array.cols);
  switch (array.dataflow) {
    case model::Dataflow::weight_stationary:
    case model::Dataflow::vector_mac:
      cycles = at_most(layer.k, array.rows) * at_most(layer.n, array.cols) * (m + extra);
      break;
    case model::Dataflow::output_stationary:
      cycles = at_most(layer.m, array.rows) * at_most(layer.n, array.cols) * (k + extra);
      break;
    case model::Dataflow::input_stationary:
      cycles = at_most(layer.k, array.rows) * at_most(layer.m, array.cols) * (n + extra);
      break;
  }
  if (cycles > kMostCycles || m * k * n > kMostCycles) {
    throw model::ConfigError(file, "layer \"" + layer.name.substr(0, 80) + "\"",
                             "is too large: its cycles or MACs pass 4e18");
  }
}

int run_array(const ArrayOptions& options, const CommandContext& context) {
  check_files(context, {{"--layers", options.layers}});
  const model::ArrayConfig array = array_of(options);
  const std::vector<Layer> layers = read_layers(options.layers);
  model::Json rows = model::Json::array();
  std::string csv = "name,cycles\n";
  for (const Layer& layer : layers) {
    check_size(layer, array, options.layers);
    const model::ProductShape shape{1, layer.m, layer.k, layer.n};
    const model::ArrayTiming timing = model::array_timing(shape, array);
    const std::int64_t cycles = model::last_active_cycle(shape, array);
    const std::int64_t macs = layer.m * layer.k * layer.n;
    csv += quoted_cell(layer.name) + "," + std::to_string(cycles) + "\n";
    rows.push_back({{"name", layer.name},
                    {"m", layer.m},
                    {"k", layer.k},
                    {"n", layer.n},
                    {"folds", timing.folds},
                    {"cycles", cycles},
                    {"latency_cycles", timing.latency.value()},
                    {"macs", macs},
                    {"utilization", static_cast<double>(macs) / (static_cast<double>(timing.latency.value()) *
                                                                 static_cast<double>(array.rows * array.cols))}});
  }
  std::cout << csv;
  save_result(context, {{"schema", "accsim-array/1"},
                        {"rows", array.rows},
                        {"cols", array.cols},
                        {"dataflow", options.dataflow},
                        {"overlap", array.double_buffered},
                        {"layers", std::move(rows)},
                        {"host", host_object(context)}});
  return kExitDone;
}

}  // namespace

void register_array(CLI::App& root, Registry& registry) {
  auto options = std::make_shared<ArrayOptions>();
  CLI::App* command = root.add_subcommand("array", "cycles of matrix products on one array, operands always ready");
  command->add_option("--rows", options->rows, "rows of processing elements")
      ->required()
      ->check(CLI::Range(std::int64_t{1}, kLargestArray));
  command->add_option("--cols", options->cols, "columns of processing elements")
      ->required()
      ->check(CLI::Range(std::int64_t{1}, kLargestArray));
  command->add_option("--dataflow", options->dataflow, "what stays in the processing elements")
      ->check(CLI::IsMember(kDataflows))
      ->capture_default_str();
  command->add_option("--overlap", options->overlap, "on: folds overlap by shadow registers; off: one after the other")
      ->check(CLI::IsMember(std::vector<std::string>{"on", "off"}))
      ->capture_default_str();
  command->add_option("--layers", options->layers, "CSV with columns name, M, K, N; others are ignored")
      ->required()
      ->type_name("FILE");
  registry.add(command, [options](const CommandContext& context) { return run_array(*options, context); });
}

}  // namespace accsim::app
