// Architectures, energy tables and bounds: what the files say, what follows from it.
#include <filesystem>
#include <string>
#include <vector>

#include "model/arch/arch.h"
#include "model/base/error.h"
#include "model/config/json.h"
#include "model/result/bound.h"
#include "model/workload/network.h"
#include "tests/catch.h"

namespace {

using accsim::model::accumulator_energy;
using accsim::model::Architecture;
using accsim::model::architecture_schema;
using accsim::model::area_mm2;
using accsim::model::BlockFigures;
using accsim::model::bounds_of;
using accsim::model::ceil_div;
using accsim::model::compulsory_bytes;
using accsim::model::core_clock;
using accsim::model::CoreConfig;
using accsim::model::CoreId;
using accsim::model::Cycles;
using accsim::model::DataType;
using accsim::model::DramDerived;
using accsim::model::EnergyConfig;
using accsim::model::global_buffer_energy;
using accsim::model::InternalError;
using accsim::model::is_alias;
using accsim::model::Json;
using accsim::model::leakage_mw;
using accsim::model::load_architecture;
using accsim::model::load_network;
using accsim::model::Macs;
using accsim::model::macs_of;
using accsim::model::MemoryConfig;
using accsim::model::nanoseconds;
using accsim::model::Network;
using accsim::model::NetworkBound;
using accsim::model::Operator;
using accsim::model::OpId;
using accsim::model::parse_architecture;
using accsim::model::parse_json;
using accsim::model::parse_network;
using accsim::model::physical_bound;
using accsim::model::reachable_bound;
using accsim::model::read_json_file;
using accsim::model::read_text_file;
using accsim::model::scratchpad_energy;
using accsim::model::single_operator;
using accsim::model::storage_bytes;
using accsim::model::to_json;
using accsim::model::total_macs;
using accsim::model::write_json_file;

std::filesystem::path config(const std::string& name) {
  return std::filesystem::path(ACCSIM_SOURCE_DIR) / "configs" / (name + ".json");
}
Architecture shipped(const std::string& name) { return load_architecture(config(name)); }

Json minimal() {
  return parse_json(R"({"schema": "accsim-arch/1", "name": "small",
    "cores": [{"array": {"rows": 8, "cols": 4}, "vector": {"lanes": 4},
               "scratchpad": {"size_kib": 16, "banks": 2, "port_bytes": 8},
               "accumulator": {"size_kib": 8, "banks": 2, "port_bytes": 16}}],
    "dram": {"preset": "ddr4-3200"}})",
                    "small.json");
}

Network one_gemm(std::int64_t m, std::int64_t k, std::int64_t n) {
  const Json json = {
      {"schema", "accsim-net/1"},
      {"name", "one"},
      {"precision", "int8"},
      {"inputs", Json::array({{{"name", "x"}, {"shape", {m, k}}}})},
      {"layers",
       Json::array({{{"name", "fc"}, {"op", "Gemm"}, {"inputs", {"x"}}, {"out_features", n}, {"bias", false}}})}};
  return parse_network(json, "one.json");
}

}  // namespace

TEST_CASE("arch: the shipped architectures have the figures they claim") {
  struct Claim {
    const char* name;
    std::int64_t cores, peak_macs, nodes;
    double dram_gb_s;
  };
  const auto claim = GENERATE(Claim{"edge-4core", 4, 4096, 6, 25.6}, Claim{"gemmini-like", 1, 256, 2, 25.6},
                              Claim{"onnxim-tpuv4", 4, 65536, 20, 614.4}, Claim{"mlu100-like", 32, 32768, 36, 102.4},
                              Claim{"eyeriss-like", 1, 168, 2, 6.4}, Claim{"nvdla-like", 1, 2048, 2, 25.6},
                              Claim{"tpuv4i-like", 4, 65536, 21, 614.4}, Claim{"hetero", 6, 9216, 11, 51.2});
  INFO(claim.name);
  const Architecture arch = shipped(claim.name);
  CHECK(arch.name == claim.name);
  CHECK(arch.core_count() == claim.cores);
  CHECK(arch.peak_macs_per_cycle() == claim.peak_macs);
  CHECK(arch.node_count() == claim.nodes);
  CHECK(arch.dram.peak_gb_s() == Approx(claim.dram_gb_s));
  CHECK_FALSE(arch.source.empty());
}

TEST_CASE("arch: in every shipped architecture a port feeds the array a line a step") {
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(ACCSIM_SOURCE_DIR) / "configs")) {
    if (entry.path().extension() != ".json") continue;
    INFO(entry.path().string());
    const Architecture arch = load_architecture(entry.path());
    CHECK(entry.path().stem().string() == arch.name);
    for (const CoreConfig& core : arch.core_types) {
      CHECK(core.scratchpad.port_bytes >= storage_bytes(core.array.operand_type, core.array.rows).value());
      CHECK(core.accumulator.port_bytes >= storage_bytes(core.array.accumulator_type, core.array.cols).value());
    }
  }
}

TEST_CASE("arch: the resolved form shows every default and loads back to itself") {
  for (const char* name : {"edge-4core", "gemmini-like", "onnxim-tpuv4", "mlu100-like", "eyeriss-like", "nvdla-like",
                           "tpuv4i-like", "hetero"}) {
    INFO(name);
    const Json resolved = to_json(shipped(name));
    CHECK(to_json(parse_architecture(resolved, "resolved.json")) == resolved);
  }
  const Json resolved = to_json(parse_architecture(minimal(), "small.json"));
  CHECK(resolved["clock_mhz"] == 1000);
  CHECK(resolved["cores"][0]["name"] == "core");
  CHECK(resolved["cores"][0]["count"] == 1);
  CHECK(resolved["cores"][0]["array"]["dataflow"] == "weight_stationary");
  CHECK(resolved["cores"][0]["dma"]["outstanding"] == 64);
  CHECK(resolved["noc"]["topology"] == "crossbar");
  CHECK(resolved["energy"]["preset"] == "22nm");
  CHECK(resolved["dram"]["tRFC"].is_number_integer());
  CHECK_FALSE(resolved.contains("global_buffer"));
}

TEST_CASE(
    "arch: single values of the DRAM and energy presets can be overridden, also from a preset file of one's own") {
  Json json = minimal();
  json["dram"]["channels"] = 2;
  json["energy"] = {{"preset", "22nm"}, {"_why", "measured"}, {"mac_int8_pj", 0.5}};
  const Architecture arch = parse_architecture(json, "small.json");
  CHECK(arch.dram.channels == 2);
  CHECK(arch.dram.peak_gb_s() == Approx(51.2));
  CHECK(arch.energy.mac_int8_pj == 0.5);
  CHECK(arch.energy.mac_int4_pj == shipped("edge-4core").energy.mac_int4_pj);

  const auto folder = std::filesystem::temp_directory_path() / "accsim_test_arch_preset";
  std::filesystem::create_directories(folder);
  Json preset = read_json_file(std::filesystem::path(ACCSIM_SOURCE_DIR) / "configs/energy/22nm.json");
  preset["dma_pj_byte"] = 7.5;
  write_json_file(folder / "mine.json", preset);
  json["energy"] = {{"preset", "mine.json"}};
  write_json_file(folder / "arch.json", json);
  const Architecture own = load_architecture(folder / "arch.json");
  CHECK(own.energy.dma_pj_byte == 7.5);
  CHECK(own.energy.preset == "mine.json");
  std::filesystem::remove_all(folder);
}

TEST_CASE("arch: cores are numbered type by type, nodes are cores, global buffer, channels") {
  Json json = minimal();
  json["cores"].push_back(json["cores"][0]);
  json["cores"][0]["count"] = 2;
  json["cores"][1]["name"] = "big";
  json["cores"][1]["count"] = 3;
  json["cores"][1]["array"]["rows"] = 16;
  json["dram"]["channels"] = 4;
  const Architecture without = parse_architecture(json, "hetero.json");
  CHECK(without.core_count() == 5);
  CHECK(without.core(CoreId(1)).name == "core");
  CHECK(without.core(CoreId(2)).name == "big");
  CHECK(without.core(CoreId(4)).name == "big");
  CHECK_THROWS_AS(without.core(CoreId(5)), InternalError);
  CHECK(without.peak_macs_per_cycle() == 2 * 8 * 4 + 3 * 16 * 4);
  CHECK(without.node_of_channel(0) == 5);
  CHECK(without.node_count() == 9);
  json["global_buffer"] = {{"size_kib", 64}, {"banks", 4}, {"port_bytes", 32}};
  const Architecture with = parse_architecture(json, "hetero.json");
  CHECK(with.node_of_global_buffer() == 5);
  CHECK(with.node_of_channel(0) == 6);
  CHECK(with.node_count() == 10);
}

TEST_CASE("arch: the clock period is an exact ratio of picoseconds") {
  struct Clock {
    std::int64_t mhz, numerator, denominator;
  };
  const auto clock = GENERATE(Clock{1000, 1000, 1}, Clock{800, 1250, 1}, Clock{1200, 2500, 3}, Clock{1, 1000000, 1},
                              Clock{1333, 1000000, 1333});
  Json json = minimal();
  json["clock_mhz"] = clock.mhz;
  const Architecture arch = parse_architecture(json, "small.json");
  CHECK(core_clock(arch).numerator == clock.numerator);
  CHECK(core_clock(arch).denominator == clock.denominator);
  CHECK(nanoseconds(arch, Cycles(6000)) == Approx(6e6 / static_cast<double>(clock.mhz)));
}

TEST_CASE("arch: the schema lists every key that the parser takes, and only those") {
  const Json schema = architecture_schema();
  const Json resolved = to_json(shipped("edge-4core"));
  for (const auto& [key, value] : resolved.items()) {
    if (key[0] == '_') continue;
    INFO(key);
    REQUIRE(schema["properties"].contains(key));
    if (!value.is_object()) continue;
    for (const auto& [inner, ignored] : value.items()) CHECK(schema["properties"][key]["properties"].contains(inner));
  }
  for (const auto& [key, value] : schema["properties"].items()) CHECK(resolved.contains(key));
  CHECK(schema["additionalProperties"] == false);
  CHECK(schema["required"] == Json::array({"schema", "name", "cores", "dram"}));
}

TEST_CASE("energy: memories scale with the square root of their banks, types with their multipliers") {
  const Architecture arch = shipped("edge-4core");
  const EnergyConfig& energy = arch.energy;
  const MemoryConfig reference{256, 8, 32};  // banks of 32 KiB
  const MemoryConfig larger{1024, 8, 32};    // of 128 KiB
  const MemoryConfig smaller{64, 8, 32};     // of 8 KiB
  CHECK(scratchpad_energy(energy, reference).read_pj_byte == Approx(energy.scratchpad_read_pj_byte));
  CHECK(scratchpad_energy(energy, larger).read_pj_byte == Approx(2 * energy.scratchpad_read_pj_byte));
  CHECK(accumulator_energy(energy, smaller).write_pj_byte == Approx(energy.accumulator_write_pj_byte / 2));
  CHECK(global_buffer_energy(energy, larger).write_pj_byte == Approx(2 * energy.global_buffer_write_pj_byte));
  CHECK(energy.mac_pj(DataType::int4) < energy.mac_pj(DataType::int8));
  CHECK(energy.mac_pj(DataType::int8) < energy.mac_pj(DataType::bf16));
  CHECK(energy.mac_pj(DataType::bf16) < energy.mac_pj(DataType::fp16));
  CHECK(energy.mac_pj(DataType::fp16) < energy.mac_pj(DataType::fp32));
  CHECK_THROWS_AS(energy.mac_pj(DataType::int64), InternalError);
}

TEST_CASE("energy: presets get cheaper and smaller from node to node") {
  double mac = 1e9;
  double area = 1e9;
  double leakage = 1e9;
  for (const char* preset : {"45nm", "22nm", "16nm", "7nm"}) {
    INFO(preset);
    Json json = minimal();
    json["energy"] = {{"preset", preset}};
    const Architecture small = parse_architecture(json, "small.json");
    CHECK(small.energy.mac_int8_pj < mac);
    CHECK(area_mm2(small).total() < area);
    CHECK(leakage_mw(small).total() < leakage);
    mac = small.energy.mac_int8_pj;
    area = area_mm2(small).total();
    leakage = leakage_mw(small).total();
  }
}

TEST_CASE("energy: area and leakage are units times their figures") {
  const Architecture arch = shipped("edge-4core");
  const EnergyConfig& e = arch.energy;
  const BlockFigures area = area_mm2(arch);
  CHECK(area.array == Approx(4 * 1024 * e.area_mac_int8_mm2));
  CHECK(area.vector == Approx(4 * 32 * e.area_lane_mm2));
  CHECK(area.scratchpad == Approx(4 * 256 * e.area_sram_mm2_kib));
  CHECK(area.accumulator == Approx(4 * 64 * e.area_sram_mm2_kib));
  CHECK(area.global_buffer == Approx(2048 * e.area_sram_mm2_kib));
  CHECK(area.noc == Approx(6 * e.area_router_mm2));
  CHECK(area.dma == Approx(4 * e.area_dma_mm2));
  CHECK(bounds_of(arch).area_mm2 == Approx(area.total()));
  CHECK(leakage_mw(arch).array == Approx(4 * 1024 * e.leakage_mac_mw));
  const Architecture wide = shipped("mlu100-like");  // fp16: larger by the ratio of the MAC energies
  CHECK(area_mm2(wide).array ==
        Approx(32 * 1024 * wide.energy.area_mac_int8_mm2 * wide.energy.mac_fp16_pj / wide.energy.mac_int8_pj));
}

TEST_CASE("bound: the larger of MACs over peak and compulsory bytes over peak bandwidth") {
  const Architecture arch = shipped("edge-4core");  // 4096 MACs and 25.6 bytes a cycle
  // 512 x 512 x 512: 2^27 MACs = 32768 cycles; 3 * 262144 bytes = 30720 cycles
  const NetworkBound compute = physical_bound(arch, one_gemm(512, 512, 512));
  CHECK(compute.cycles.value() == 32768);
  const DramDerived& dram = arch.dram.derived;
  CHECK(compute.energy_pj == Approx(134217728 * arch.energy.mac_int8_pj + 8192 * dram.read_pj + 4096 * dram.write_pj));
  // 1 x 512 x 512: 64 cycles of MACs; 512 + 262144 + 512 bytes = 10280 cycles
  CHECK(physical_bound(arch, one_gemm(1, 512, 512)).cycles.value() == 10280);
  // One byte more than a whole number of cycles is a cycle more: 1 x 513 x 1: 513 + 513 + 1 bytes / 25.6 = 40.1
  CHECK(physical_bound(arch, one_gemm(1, 513, 1)).cycles.value() == 41);
}

TEST_CASE("bound: a single operator is a network of its own") {
  const Architecture arch = shipped("edge-4core");
  const Network network = one_gemm(64, 128, 32);
  const NetworkBound whole = physical_bound(arch, network);
  const NetworkBound alone = physical_bound(arch, network, OpId(0));
  CHECK(alone.cycles == whole.cycles);
  CHECK(alone.energy_pj == whole.energy_pj);
  const Network extracted = single_operator(network, OpId(0));
  CHECK(total_macs(extracted) == total_macs(network));
  CHECK(compulsory_bytes(extracted) == compulsory_bytes(network));

  const Network resnet = load_network(std::filesystem::path(ACCSIM_SOURCE_DIR) / "workloads/resnet18.json");
  Macs macs;
  for (const Operator& op : resnet.operators) {
    INFO(op.name);
    const Network one = single_operator(resnet, op.id);
    macs += total_macs(one);
    CHECK((compulsory_bytes(one).value() > 0) == !is_alias(op.type));
    CHECK(physical_bound(arch, resnet, op.id).cycles.value() >=
          ceil_div(macs_of(resnet, op.id).value(), arch.peak_macs_per_cycle()));
  }
  CHECK(macs == total_macs(resnet));
}

TEST_CASE("bound: what arrays of this shape can reach is never below the physical bound") {
  const Architecture arch = shipped("edge-4core");
  // 1025 x 1025 weights on 32 x 32 arrays: 33 * 33 folds of 6400 rows over four cores; 6400 * 1025^2 / 4096 MACs
  CHECK(reachable_bound(arch, one_gemm(6400, 1025, 1025), 25.6).value() == 1742400);
  CHECK(physical_bound(arch, one_gemm(6400, 1025, 1025)).cycles.value() == 1641602);
  // The sustained rate binds: 512 + 262144 + 512 bytes at 10 a cycle
  CHECK(reachable_bound(arch, one_gemm(1, 512, 512), 10.0).value() == 26317);
  for (const std::int64_t m : {1, 7, 100, 1000}) {
    for (const std::int64_t k : {1, 31, 33, 500}) {
      for (const std::int64_t n : {1, 32, 65}) {
        const Network network = one_gemm(m, k, n);
        CHECK(reachable_bound(arch, network, 25.6) >= physical_bound(arch, network).cycles);
      }
    }
  }
}

namespace {

// Rows of the tables in docs/architecture.md and docs/energy.md: key, and what the schema says about it.
void require_documented(const std::string& page, const std::string& path, const Json& object) {
  for (const auto& [key, field] : object["properties"].items()) {
    const std::string full = path + key;
    if (full == "schema" || full == "dram" || full == "energy") continue;
    if (field["type"] == "array" && field["items"].contains("properties")) {
      require_documented(page, full + "[].", field["items"]);
    } else if (field["type"] == "object") {
      require_documented(page, full + ".", field);
    } else {
      INFO(full);
      const std::size_t row = page.find("| `" + full + "` |");
      REQUIRE(row != std::string::npos);
      const std::string line = page.substr(row, page.find('\n', row) - row);
      CHECK(line.find(field["description"].get<std::string>()) != std::string::npos);
      if (field["type"] == "integer") {
        CHECK(line.find("| " + field["minimum"].dump() + " to " + field["maximum"].dump() + " |") != std::string::npos);
      }
      if (field.contains("default")) CHECK(line.find("| " + field["default"].dump() + " |") != std::string::npos);
    }
  }
}

}  // namespace

TEST_CASE("arch: every key stands in the documentation with its range and default") {
  const std::filesystem::path docs = std::filesystem::path(ACCSIM_SOURCE_DIR) / "docs";
  const Json schema = architecture_schema();
  require_documented(read_text_file(docs / "architecture.md"), "", schema);
  Json energy = schema["properties"]["energy"];
  energy["properties"].erase("preset");
  const std::string page = read_text_file(docs / "energy.md");
  for (const auto& [key, field] : energy["properties"].items()) {
    INFO(key);
    std::string row = "| `" + key + "` | " + field["description"].get<std::string>() + " |";
    for (const char* preset : {"45nm", "22nm", "16nm", "7nm"}) {
      const auto file = std::filesystem::path(ACCSIM_SOURCE_DIR) / "configs/energy" / (std::string(preset) + ".json");
      row += " " + read_json_file(file)[key].dump() + " |";
    }
    CHECK(page.find(row) != std::string::npos);
  }
}
