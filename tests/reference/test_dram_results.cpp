// Every run of the reference: cycles, commands, row hits and latencies equal, energy within 0.1 % (its figures have
// four digits); every golden command trace equal line by line; parameters, distances and energies equal.
#include <zlib.h>

#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "app/cmd_dram.h"
#include "sim/dram/runner.h"
#include "tests/catch.h"
#include "tests/reference/dram_patterns.h"

namespace {

namespace app = accsim::app;
namespace model = accsim::model;
namespace sim = accsim::sim;
namespace tests = accsim::tests;

const std::filesystem::path kRoot = ACCSIM_SOURCE_DIR;
const std::filesystem::path kData = kRoot / "tests" / "reference" / "dram";

using Row = std::map<std::string, std::string>;

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  return cells;
}

std::vector<Row> rows_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  REQUIRE(std::getline(in, line));
  const std::vector<std::string> header = cells_of(line);
  std::vector<Row> rows;
  while (std::getline(in, line)) {
    const std::vector<std::string> cells = cells_of(line);
    REQUIRE(cells.size() == header.size());
    Row row;
    for (std::size_t i = 0; i < cells.size(); ++i) row[header[i]] = cells[i];
    rows.push_back(row);
  }
  return rows;
}

// "HBM2_8Gb_x128_1ch": preset ref-hbm2 with channels=1.
model::DramConfig config_of(const std::string& name) {
  static const std::map<std::string, std::string> kPresetOf{{"DDR4_8Gb_x8_2400", "ref-ddr4-2400"},
                                                            {"DDR4_8Gb_x8_3200", "ref-ddr4-3200"},
                                                            {"LPDDR4_8Gb_x16_2400", "ref-lpddr4-2400"},
                                                            {"HBM2_8Gb_x128", "ref-hbm2"},
                                                            {"GDDR6_8Gb_x16", "ref-gddr6"}};
  std::string base = name;
  std::vector<std::string> settings;
  const auto take = [&](const std::string& suffix, const std::string& setting) {
    const std::size_t at = base.find(suffix);
    if (at == std::string::npos) return;
    base.erase(at, suffix.size());
    settings.push_back(setting);
  };
  take("_1rank", "ranks=1");
  take("_1ch", "channels=1");
  take("_bgint", "address_mapping=rochrabacobg");
  take("_chint", "address_mapping=rorabacobgch");
  const model::Origin at{"", name};
  return model::load_dram(kPresetOf.at(base), model::parse_dram_settings(settings, at), kRoot / "configs" / "dram", at);
}

// Half a unit of the last printed digit.
double rounding_of(const std::string& text) {
  const std::size_t point = text.find('.');
  return point == std::string::npos ? 0 : 0.5000001 * std::pow(10.0, -static_cast<double>(text.size() - point - 1));
}

// What differs, by column; "" if nothing does.
std::string differences(const Row& expected, const model::Json& found) {
  static const std::set<std::string> kNotCompared{"config", "pattern", "mode", "N", "seed", "cpu_s", "wall_s"};
  std::string text;
  for (const auto& [key, value] : expected) {
    if (kNotCompared.count(key) > 0) continue;
    const double want = std::stod(value);
    const double have = found.at(key).get<double>();
    constexpr double kEnergyTolerance = 0.001;
    const bool energy = key.rfind("E_", 0) == 0 || key == "pJ_per_bit";
    const double tolerance = std::max(rounding_of(value), energy ? kEnergyTolerance * std::abs(want) : 0);
    if (!(std::abs(want - have) <= tolerance)) text += " " + key + " " + found.at(key).dump() + " not " + value;
  }
  return text;
}

// Runs all rows of a configuration; the number of rows.
std::size_t check_configuration(const std::string& name) {
  const model::DramConfig config = config_of(name);
  const tests::DramGeometry geometry = tests::dram_geometry(config);
  std::size_t checked = 0;
  for (const Row& row : rows_of(kData / "dramsim3_results.csv")) {
    if (row.at("config") != name) continue;
    const auto requests =
        tests::dram_pattern(row.at("pattern"), geometry, std::stoul(row.at("N")), std::stoul(row.at("seed")));
    const auto drive = sim::parse_dram_mode(row.at("mode"));
    const sim::DramRunResult run = sim::run_dram_requests(config, requests, drive, false);
    INFO(name << " " << row.at("pattern") << " " << row.at("mode"));
    CHECK(differences(row, sim::dram_result_row(run, config)) == "");
    ++checked;
  }
  return checked;
}

std::vector<std::string> lines_of_gzip(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  const gzFile in = ::gzopen(file.c_str(), "rb");
  REQUIRE(in != nullptr);
  char line[512];
  while (::gzgets(in, line, sizeof line) != nullptr) {
    lines.emplace_back(line);
    while (!lines.back().empty() && lines.back().back() == '\n') lines.back().pop_back();
  }
  ::gzclose(in);
  return lines;
}

}  // namespace

TEST_CASE("dram equals the reference: DDR4-2400") { CHECK(check_configuration("DDR4_8Gb_x8_2400") == 34); }
TEST_CASE("dram equals the reference: DDR4-3200") { CHECK(check_configuration("DDR4_8Gb_x8_3200") == 34); }
TEST_CASE("dram equals the reference: DDR4-3200, one rank") {
  CHECK(check_configuration("DDR4_8Gb_x8_3200_1rank") == 22);
}
TEST_CASE("dram equals the reference: LPDDR4-2400") { CHECK(check_configuration("LPDDR4_8Gb_x16_2400") == 34); }
TEST_CASE("dram equals the reference: HBM2") { CHECK(check_configuration("HBM2_8Gb_x128") == 48); }
TEST_CASE("dram equals the reference: HBM2, one channel") { CHECK(check_configuration("HBM2_8Gb_x128_1ch") == 22); }
TEST_CASE("dram equals the reference: GDDR6") { CHECK(check_configuration("GDDR6_8Gb_x16") == 34); }

TEST_CASE("dram golden command traces are equal line by line") {
  std::size_t traces = 0;
  for (const Row& row : rows_of(kData / "golden" / "summary_N2000.csv")) {
    const std::string stem = row.at("config") + "." + row.at("pattern");
    INFO(stem);
    const model::DramConfig config = config_of(row.at("config"));
    const std::filesystem::path file = kData / "golden" / (stem + ".req.csv.gz");
    const auto requests = app::read_dram_requests(file, config, false);
    REQUIRE(requests.size() == std::stoul(row.at("N")));

    const std::vector<std::string> lines = lines_of_gzip(file);
    std::string decoded;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const model::DramAddress at = config.decode(requests[i].address);
      std::ostringstream line;
      line << (requests[i].write ? "W," : "R,") << "0x" << std::hex << requests[i].address << std::dec << ','
           << at.channel << ',' << at.rank << ',' << at.bankgroup << ',' << at.bank << ',' << at.row << ','
           << at.column;
      if (line.str() != lines.at(i + 1)) decoded = line.str() + " not " + lines.at(i + 1);
    }
    CHECK(decoded == "");

    const sim::DramRunResult run = sim::run_dram_requests(config, requests, sim::parse_dram_mode(row.at("mode")), true);
    const std::vector<std::string> expected = lines_of_gzip(kData / "golden" / (stem + ".cmdtrace.gz"));
    CHECK(run.commands.size() == expected.size());
    std::string first;
    for (std::size_t i = 0; i < std::min(expected.size(), run.commands.size()) && first.empty(); ++i) {
      const std::string line = sim::to_line(run.commands[i], config.channels);
      if (line != expected[i]) first = line + " not " + expected[i];
    }
    CHECK(first == "");
    CHECK(differences(row, sim::dram_result_row(run, config)) == "");
    ++traces;
  }
  CHECK(traces == 24);
}

TEST_CASE("dram request patterns have the reference's hashes") {
  std::size_t checked = 0;
  for (const Row& row : rows_of(kData / "trace_hashes.csv")) {
    const tests::DramGeometry geometry = tests::dram_geometry(config_of(row.at("config")));
    INFO(row.at("config") << " " << row.at("pattern"));
    const auto requests =
        tests::dram_pattern(row.at("pattern"), geometry, std::stoul(row.at("N")), std::stoul(row.at("seed")));
    std::ostringstream hash;
    hash << std::hex << tests::hash_of(requests);
    const std::string& expected = row.at("fnv1a64_of_(addr<<1|wr)_LE8");
    CHECK(hash.str() == expected.substr(expected.find_first_not_of('0')));
    CHECK(std::to_string(geometry.row_stride) == row.at("row_stride"));
    CHECK(std::to_string(geometry.capacity) == row.at("cap_bytes"));
    CHECK(std::to_string(geometry.page) == row.at("page_bytes"));
    ++checked;
  }
  CHECK(checked == 120);
}

TEST_CASE("dram parameters, distances and energies are the reference's") {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kData / "params")) {
    const std::string name = entry.path().stem().string();
    INFO(name);
    const model::DramConfig c = config_of(name);
    const model::DramDistances& d = c.distances;
    std::map<std::string, std::string> effective;
    std::map<std::string, std::int64_t> table;
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) {
      const std::vector<std::string> cells = cells_of(line);
      REQUIRE(cells.size() == 4);
      if (cells[1] == "effective") {
        effective[cells[2]] = cells[3];
      } else {
        table[cells[1].substr(std::string("timing_").size()) + " " + cells[2]] = std::stoll(cells[3]);
      }
    }
    // Same names, same values, where accsim has the parameter.
    const model::Json mine = model::to_json(c);
    std::size_t shared = 0;
    for (const auto& [key, value] : mine.items()) {
      const auto it = effective.find(key);
      if (it == effective.end() || key == "tRC") continue;
      INFO(key);
      if (value.is_string()) {
        CHECK(value.get<std::string>() == it->second);
      } else {
        CHECK((value.is_boolean() ? (value.get<bool>() ? 1 : 0) : value.get<double>()) == std::stod(it->second));
      }
      ++shared;
    }
    CHECK(shared > 35);
    const auto is = [&](const char* key, double value) {
      INFO(key);
      constexpr double kSixDigits = 5e-6;
      CHECK(std::abs(std::stod(effective.at(key)) - value) <= kSixDigits * std::abs(value));
    };
    is("tRC", static_cast<double>(c.derived.row_cycle));
    is("burst_cycle", static_cast<double>(c.derived.burst_cycles));
    is("request_size_bytes", static_cast<double>(c.derived.burst_bytes));
    is("devices_per_rank", static_cast<double>(c.derived.devices));
    is("read_delay", static_cast<double>(c.derived.read_delay));
    is("write_delay", static_cast<double>(c.derived.write_delay));
    is("peak_GBps", c.peak_gb_s());
    is("act_energy_inc", c.derived.act_pj / c.tck_ns());
    is("read_energy_inc", c.derived.read_pj / c.tck_ns());
    is("write_energy_inc", c.derived.write_pj / c.tck_ns());
    is("ref_energy_inc", c.derived.refresh_pj / c.tck_ns());
    is("act_stb_energy_inc", c.derived.active_standby_pj / c.tck_ns());
    is("pre_stb_energy_inc", c.derived.precharge_standby_pj / c.tck_ns());

    const auto at_distance = [&](const std::string& key, std::int64_t value) {
      INFO(key);
      CHECK(table.at(key) == value);
    };
    at_distance("same_bank RD->RD", d.rd_rd_same_group);
    at_distance("same_bank RD->WR", d.rd_wr_same_rank);
    at_distance("same_bank RD->PRE", d.rd_pre);
    at_distance("same_bank WR->RD", d.wr_rd_same_group);
    at_distance("same_bank WR->WR", d.wr_wr_same_group);
    at_distance("same_bank WR->PRE", d.wr_pre);
    at_distance("same_bank ACT->ACT", d.act_act_same_bank);
    at_distance("same_bank ACT->RD", d.act_rd);
    at_distance("same_bank ACT->WR", d.act_wr);
    at_distance("same_bank ACT->PRE", d.act_pre);
    at_distance("same_bank PRE->ACT", d.pre_act);
    at_distance("same_bank PRE->REF", d.pre_act);
    at_distance("other_bank_same_bg RD->RD", d.rd_rd_same_group);
    at_distance("other_bank_same_bg WR->RD", d.wr_rd_same_group);
    at_distance("other_bank_same_bg ACT->ACT", d.act_act_same_group);
    at_distance("other_bg_same_rank RD->RD", d.rd_rd_other_group);
    at_distance("other_bg_same_rank RD->WR", d.rd_wr_same_rank);
    at_distance("other_bg_same_rank WR->RD", d.wr_rd_other_group);
    at_distance("other_bg_same_rank WR->WR", d.wr_wr_other_group);
    at_distance("other_bg_same_rank ACT->ACT", d.act_act_other_group);
    at_distance("other_rank RD->RD", d.rd_rd_other_rank);
    at_distance("other_rank RD->WR", d.rd_wr_other_rank);
    at_distance("other_rank WR->RD", d.wr_rd_other_rank);
    at_distance("other_rank WR->WR", d.wr_wr_other_rank);
    at_distance("rank_cmd REF->ACT", d.ref_act);
    at_distance("rank_cmd REF->REF", d.ref_act);
    const auto precharges = table.find("other_bank_same_bg PRE->PRE");
    CHECK((precharges == table.end() ? 0 : precharges->second) == d.pre_pre);
    ++files;
  }
  CHECK(files == 11);
}
