// The array's closed forms against what SCALE-Sim v3 measured (tests/reference/arrays/README.md), and against the
// formulas that its figures follow, written out here a second time.
#include <rapidcheck.h>

#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "model/config/json.h"
#include "model/program/timing.h"
#include "tests/catch.h"

namespace {

using accsim::model::ArrayConfig;
using accsim::model::ceil_div;
using accsim::model::Dataflow;
using accsim::model::ProductShape;

using Row = std::map<std::string, std::string>;

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::stringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  return cells;
}

std::vector<Row> read_rows(const std::string& name) {
  const std::filesystem::path file = std::filesystem::path(ACCSIM_SOURCE_DIR) / "tests/reference/arrays" / name;
  std::stringstream in(accsim::model::read_text_file(file));
  std::string line;
  std::getline(in, line);
  const std::vector<std::string> header = cells_of(line);
  std::vector<Row> rows;
  while (std::getline(in, line)) {
    const std::vector<std::string> cells = cells_of(line);
    REQUIRE(cells.size() == header.size());
    Row row;
    for (std::size_t i = 0; i < cells.size(); ++i) row[header[i]] = cells[i];
    rows.push_back(std::move(row));
  }
  return rows;
}

ArrayConfig array_of(std::int64_t rows, std::int64_t cols, Dataflow dataflow, bool overlapped) {
  ArrayConfig array;
  array.rows = rows;
  array.cols = cols;
  array.dataflow = dataflow;
  array.double_buffered = overlapped;
  return array;
}

struct Measured {
  std::string file;
  std::int64_t size;
  Dataflow dataflow;
};

}  // namespace

TEST_CASE("array reference: every layer takes the cycles that SCALE-Sim measured") {
  const auto measured =
      GENERATE(Measured{"scalesim_v3_resnet18_32x32_ws_compute.csv", 32, Dataflow::weight_stationary},
               Measured{"scalesim_v3_resnet18_32x32_os_compute.csv", 32, Dataflow::output_stationary},
               Measured{"scalesim_v3_resnet18_128x128_ws_compute.csv", 128, Dataflow::weight_stationary},
               Measured{"scalesim_v3_resnet18_128x128_os_compute.csv", 128, Dataflow::output_stationary},
               Measured{"scalesim_v3_resnet18_128x128_is_compute.csv", 128, Dataflow::input_stationary});
  const std::vector<Row> rows = read_rows(measured.file);
  CHECK(rows.size() == 21);
  const ArrayConfig array = array_of(measured.size, measured.size, measured.dataflow, false);
  for (const Row& row : rows) {
    INFO(measured.file << ": " << row.at("name"));
    const ProductShape shape{1, std::stoll(row.at("M_ofmap_px")), std::stoll(row.at("K")), std::stoll(row.at("N"))};
    CHECK(accsim::model::last_active_cycle(shape, array) == std::stoll(row.at("compute_cycles_scalesim")));
    CHECK(accsim::model::array_timing(shape, array).folds == std::stoll(row.at("folds")));
  }
}

TEST_CASE("array reference: cycles equal the published formulas on random sizes, overlapped and not") {
  CHECK(rc::check([] {
    const std::int64_t r = *rc::gen::inRange<std::int64_t>(1, 300);
    const std::int64_t c = *rc::gen::inRange<std::int64_t>(1, 300);
    const std::int64_t m = *rc::gen::inRange<std::int64_t>(1, 5000);
    const std::int64_t k = *rc::gen::inRange<std::int64_t>(1, 5000);
    const std::int64_t n = *rc::gen::inRange<std::int64_t>(1, 5000);
    const ProductShape shape{1, m, k, n};
    const auto cycles = [&](Dataflow dataflow, bool overlapped) {
      return accsim::model::last_active_cycle(shape, array_of(r, c, dataflow, overlapped));
    };
    const std::int64_t ws = ceil_div(k, r) * ceil_div(n, c);
    const std::int64_t is = ceil_div(k, r) * ceil_div(m, c);
    const std::int64_t os = ceil_div(m, r) * ceil_div(n, c);
    RC_ASSERT(cycles(Dataflow::weight_stationary, false) == ws * (2 * r + c + m - 2) - 1);
    RC_ASSERT(cycles(Dataflow::input_stationary, false) == is * (2 * r + c + n - 2) - 1);
    RC_ASSERT(cycles(Dataflow::output_stationary, false) == os * (r + c + k - 2) - 1);
    RC_ASSERT(cycles(Dataflow::weight_stationary, true) == (ws - 1) * std::max(m, r) + 2 * r + c + m - 3);
    RC_ASSERT(cycles(Dataflow::input_stationary, true) == (is - 1) * std::max(n, r) + 2 * r + c + n - 3);
    RC_ASSERT(cycles(Dataflow::output_stationary, true) == (os - 1) * std::max(k, r) + r + c + k - 3);
    for (const Dataflow dataflow :
         {Dataflow::weight_stationary, Dataflow::input_stationary, Dataflow::output_stationary}) {
      for (const bool overlapped : {false, true}) {
        // Nothing beats one multiply-accumulate a cycle and processing element; but the index is one less than the
        // count.
        RC_ASSERT(cycles(dataflow, overlapped) + 1 >= ceil_div(m * k * n, r * c));
      }
      RC_ASSERT(cycles(dataflow, true) <= cycles(dataflow, false));
    }
  }));
}
