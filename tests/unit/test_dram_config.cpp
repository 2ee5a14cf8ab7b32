// DRAM configurations: presets, address mapping, clock ratios, overrides, round trip.
#include <algorithm>
#include <string>
#include <vector>

#include "model/arch/dram.h"
#include "model/base/error.h"
#include "tests/catch.h"

namespace {

using accsim::model::Bytes;
using accsim::model::ConfigError;
using accsim::model::Cycles;
using accsim::model::dram_presets;
using accsim::model::DramAddress;
using accsim::model::DramConfig;
using accsim::model::Json;
using accsim::model::load_dram;
using accsim::model::Origin;
using accsim::model::parse_dram_settings;
using accsim::model::to_json;

const std::filesystem::path kPresets = std::filesystem::path(ACCSIM_SOURCE_DIR) / "configs" / "dram";

DramConfig load(const std::string& preset, const std::vector<std::string>& settings = {}) {
  const Origin at{"", "--set"};
  return load_dram(preset, parse_dram_settings(settings, at), kPresets, at);
}

std::string error_of(const std::string& preset, const std::vector<std::string>& settings) {
  try {
    load(preset, settings);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("dram presets load, and their resolved form loads back") {
  const std::vector<std::string> names = dram_presets(kPresets);
  for (const char* name : {"ddr4-2400", "ddr4-3200", "gddr6", "hbm2", "hbm2-2400x32B", "lpddr4-3200", "lpddr5-6400",
                           "ref-ddr4-2400", "ref-ddr4-3200", "ref-gddr6", "ref-hbm2", "ref-lpddr4-2400"}) {
    CHECK(std::find(names.begin(), names.end(), name) != names.end());
  }
  for (const std::string& name : names) {
    INFO(name);
    const DramConfig config = load(name);
    Json json = to_json(config);
    json.erase("schema");
    const DramConfig again = load_dram(name, json, kPresets, {"", "again"});
    CHECK(to_json(again) == to_json(config));
    CHECK(config.derived.row_cycle >= config.t_ras);
    CHECK(config.derived.act_pj > 0);
    CHECK(config.derived.read_pj > 0);
    CHECK(config.derived.write_pj > 0);
    CHECK(config.derived.refresh_pj > 0);
  }
}

TEST_CASE("dram peak bandwidth and capacity of the presets") {
  const auto peak = [](const char* name) { return load(name).peak_gb_s(); };
  CHECK(peak("ddr4-2400") == Approx(19.2));
  CHECK(peak("ddr4-3200") == Approx(25.6));
  CHECK(peak("hbm2") == Approx(256));
  CHECK(peak("hbm2-2400x32B") == Approx(614.4));
  CHECK(peak("lpddr4-3200") == Approx(25.6));
  CHECK(peak("lpddr5-6400") == Approx(51.2));
  CHECK(peak("gddr6") == Approx(448));
  CHECK(load("hbm2-2400x32B").burst_bytes() == Bytes(32));
  CHECK(load("ddr4-3200").burst_bytes() == Bytes(64));
  CHECK(load("ddr4-3200").capacity() == Bytes(std::int64_t{16} << 30));
  CHECK(load("ddr4-3200", {"ranks=1"}).capacity() == Bytes(std::int64_t{8} << 30));
  // The datasheet's DDR4-3200 and the reference's differ in the clock alone.
  Json datasheet = to_json(load("ddr4-3200"));
  Json reference = to_json(load("ref-ddr4-3200"));
  for (const char* key :
       {"tCK_ps", "tRCDRD", "tRCDWR", "t32AW", "tRFCb", "tREFIb", "tXS", "tCKESR"}) {  // the last are unused
    datasheet.erase(key);
    reference.erase(key);
  }
  CHECK(datasheet == reference);
}

TEST_CASE("dram clock periods are exact ratios") {
  const DramConfig config = load("hbm2-2400x32B");
  CHECK(config.tck_ps == std::vector<std::int64_t>{2500, 3});
  CHECK(config.picoseconds(Cycles(1)) == 833);
  CHECK(config.picoseconds(Cycles(3)) == 2500);
  CHECK(config.picoseconds(Cycles(3'000'000'000'000)) == 2'500'000'000'000'000);
  CHECK(load("ddr4-3200", {"tCK=0.63"}).tck_ps == std::vector<std::int64_t>{630, 1});
  CHECK(load("ddr4-3200", {"tCK=0.8335"}).tck_ps == std::vector<std::int64_t>{1667, 2});
  CHECK(load("ddr4-3200", {"tCK_ps=700"}).tck_ps == std::vector<std::int64_t>{700, 1});
  CHECK(load("ddr4-3200", {"tCK_ps=[5000,6]"}).tck_ps == std::vector<std::int64_t>{2500, 3});
}

TEST_CASE("dram addresses decode field by field and back") {
  // 64-byte bursts: 2 bits of bank group, 7 of column, 2 of bank, 1 of rank, then the row.
  const DramConfig config = load("ddr4-3200", {"address_mapping=rochrabacobg"});
  const DramAddress at = config.decode(64ULL * (3 + (5 << 2) + (2 << 9) + (1 << 11) + (77ULL << 12)));
  CHECK(at.bankgroup == 3);
  CHECK(at.column == 5);
  CHECK(at.bank == 2);
  CHECK(at.rank == 1);
  CHECK(at.row == 77);
  CHECK(at.channel == 0);
  for (const char* name : {"ddr4-3200", "hbm2-2400x32B", "ref-hbm2", "ref-gddr6", "ref-lpddr4-2400"}) {
    const DramConfig c = load(name);
    const auto burst = static_cast<std::uint64_t>(c.burst_bytes().value());
    const auto bursts = static_cast<std::uint64_t>(c.capacity().value()) / burst;
    for (std::uint64_t i = 0; i < 1000; ++i) {
      const std::uint64_t address = i * 0x9E3779B97F4A7C15U % bursts * burst;
      const DramAddress place = c.decode(address + i % burst);
      REQUIRE(c.encode(place) == address);
      REQUIRE(c.channel_of(address) == place.channel);
      REQUIRE(place.burst == address / burst);
      REQUIRE((place.channel < c.channels && place.rank < c.ranks && place.bankgroup < c.bankgroups));
      REQUIRE((place.bank < c.banks_per_group && place.row < c.rows && place.column < c.columns / c.bl));
    }
  }
}

TEST_CASE("dram overrides follow into what depends on them") {
  CHECK(load("ref-ddr4-3200", {"tRAS=60"}).derived.row_cycle == 60 + 22);
  CHECK(load("ref-ddr4-3200", {"tRAS=60", "tRC=90"}).derived.row_cycle == 90);
  CHECK(load("ref-ddr4-3200", {"ranks=1"}).derived.refresh_interval == 12480);
  CHECK(load("ref-ddr4-3200").derived.refresh_interval == 6240);
  CHECK(load("ref-ddr4-3200", {"tREFI=0"}).derived.refresh_interval == 0);
  CHECK(load("ref-ddr4-3200", {"AL=4"}).derived.read_latency == 26);
  CHECK(load("ref-ddr4-3200", {"AL=4"}).distances.act_rd == 18);
  CHECK(load("ref-ddr4-3200", {"bankgroups=1"}).distances.rd_rd_same_group == 4);  // _S values where there is one group
  CHECK(load("ref-hbm2", {"enable_hbm_dual_cmd=0"}).enable_hbm_dual_cmd == false);
  CHECK(load("ref-hbm2", {"enable_hbm_dual_cmd=true"}).enable_hbm_dual_cmd == true);
}

TEST_CASE("dram configuration errors say what is allowed") {
  CHECK(error_of("ddr4-3200", {"ranks=3"}) == "--set.ranks: expected a power of two, found 3");
  CHECK(error_of("ddr4-3200", {"tRCD=-1"}) == "--set.tRCD: expected an integer from 0 to 1000000000, found -1");
  CHECK(error_of("ddr4-3200", {"tRCD"}) == "--set: expected name=value, found \"tRCD\"");
  CHECK(error_of("ddr4-3200", {"columns=4"}) == "--set.columns: expected at least BL = 8");
  CHECK(error_of("ddr4-3200", {"address_mapping=rochrababgbg"}) ==
        "--set.address_mapping: expected each of ro, ch, ra, ba, bg, co once, from the top address bit down, found "
        "\"rochrababgbg\"");
  CHECK(error_of("ddr4-3200", {"tREFI=100"}) ==
        "--set.tREFI: expected 0 (no refresh) or more than ranks * (tRFC + tRC + tRP) = 1312, found 100");
  CHECK(error_of("ddr4-3200", {"enable_hbm_dual_cmd=true"}) ==
        "--set.enable_hbm_dual_cmd: expected false: only hbm2 has a row and a column command bus");
  CHECK(error_of("ddr4-3200", {"ranks=16", "banks_per_group=8"}).find("up to 256, found 512") != std::string::npos);
  CHECK(error_of("ddr4-3200", {"rows=67108864", "columns=1048576", "channels=1024"}).find("the DRAM is too large") !=
        std::string::npos);
  const std::string unknown = error_of("ddr4-3200", {"tRCDX=3"});
  CHECK(unknown.find("--set: unknown key \"tRCDX\"; allowed: protocol, channels") == 0);
  CHECK(unknown.find("did you mean \"tRCD\"?") != std::string::npos);
  const std::string preset = error_of("ddr4-320", {});
  CHECK(preset.find("unknown DRAM preset \"ddr4-320\"; there are: ") != std::string::npos);
  CHECK(preset.find("did you mean \"ddr4-3200\"?") != std::string::npos);
}
