#include "model/arch/energy.h"

#include <algorithm>
#include <cmath>
#include <system_error>

#include "model/arch/arch.h"
#include "model/base/error.h"

namespace accsim::model {
namespace {

constexpr char kSchema[] = "accsim-energy/1";
constexpr double kReferenceBankBytes = 32.0 * 1024;  // the bank that the preset's figures are for
constexpr NumberRange kPicojoules{0, 1e6};
constexpr NumberRange kMilliwatts{0, 1e6};
constexpr NumberRange kSquareMillimetres{0, 1e6};

MemoryEnergy scaled(double read, double write, const MemoryConfig& memory) {
  const double factor = std::sqrt(static_cast<double>(memory.bank_bytes()) / kReferenceBankBytes);
  return {read * factor, write * factor};
}

// Area of a processing element relative to an int8 one.
double relative_size(const EnergyConfig& energy, const ArrayConfig& array) {
  return energy.mac_int8_pj > 0 ? energy.mac_pj(array.operand_type) / energy.mac_int8_pj : 1.0;
}

// What one unit of each block counts.
struct UnitFigures {
  double mac_int8, lane, sram_kib, router, dma;
};

BlockFigures chip_figures(const Architecture& arch, const UnitFigures& unit) {
  BlockFigures sum;
  for (const CoreConfig& core : arch.core_types) {
    const auto cores = static_cast<double>(core.count);
    const auto macs = static_cast<double>(core.array.rows * core.array.cols);
    sum.array += cores * macs * unit.mac_int8 * relative_size(arch.energy, core.array);
    sum.vector += cores * static_cast<double>(core.vector.lanes) * unit.lane;
    sum.scratchpad += cores * static_cast<double>(core.scratchpad.size_kib) * unit.sram_kib;
    sum.accumulator += cores * static_cast<double>(core.accumulator.size_kib) * unit.sram_kib;
    sum.dma += cores * unit.dma;
  }
  if (arch.global_buffer) sum.global_buffer = static_cast<double>(arch.global_buffer->size_kib) * unit.sram_kib;
  sum.noc = static_cast<double>(arch.node_count()) * unit.router;
  return sum;
}

}  // namespace

double EnergyConfig::mac_pj(DataType operand) const {
  switch (operand) {
    case DataType::int4:
      return mac_int4_pj;
    case DataType::int8:
      return mac_int8_pj;
    case DataType::int16:
      return mac_int16_pj;
    case DataType::fp16:
      return mac_fp16_pj;
    case DataType::bf16:
      return mac_bf16_pj;
    case DataType::fp32:
      return mac_fp32_pj;
    case DataType::int32:
    case DataType::int64:
      break;
  }
  throw InternalError("no multiply-accumulate energy for operands of type " + std::string(name_of(operand)));
}

MemoryEnergy scratchpad_energy(const EnergyConfig& energy, const MemoryConfig& memory) {
  return scaled(energy.scratchpad_read_pj_byte, energy.scratchpad_write_pj_byte, memory);
}

MemoryEnergy accumulator_energy(const EnergyConfig& energy, const MemoryConfig& memory) {
  return scaled(energy.accumulator_read_pj_byte, energy.accumulator_write_pj_byte, memory);
}

MemoryEnergy global_buffer_energy(const EnergyConfig& energy, const MemoryConfig& memory) {
  return scaled(energy.global_buffer_read_pj_byte, energy.global_buffer_write_pj_byte, memory);
}

BlockFigures leakage_mw(const Architecture& arch) {
  const EnergyConfig& e = arch.energy;
  return chip_figures(
      arch, {e.leakage_mac_mw, e.leakage_lane_mw, e.leakage_sram_mw_kib, e.leakage_router_mw, e.leakage_dma_mw});
}

BlockFigures area_mm2(const Architecture& arch) {
  const EnergyConfig& e = arch.energy;
  return chip_figures(arch,
                      {e.area_mac_int8_mm2, e.area_lane_mm2, e.area_sram_mm2_kib, e.area_router_mm2, e.area_dma_mm2});
}

Record<EnergyConfig> energy_record() {
  Record<EnergyConfig> record("energy", "Energy per action, leakage and area of the on-chip blocks");
  const auto add = [&record](const char* key, double EnergyConfig::*member, NumberRange range, const char* doc) {
    record.number(key, member, range, std::nullopt, std::string(doc));
  };
  add("mac_int4_pj", &EnergyConfig::mac_int4_pj, kPicojoules, "pJ a multiply-accumulate on int4 operands");
  add("mac_int8_pj", &EnergyConfig::mac_int8_pj, kPicojoules, "pJ a multiply-accumulate on int8 operands");
  add("mac_int16_pj", &EnergyConfig::mac_int16_pj, kPicojoules, "pJ a multiply-accumulate on int16 operands");
  add("mac_fp16_pj", &EnergyConfig::mac_fp16_pj, kPicojoules, "pJ a multiply-accumulate on fp16 operands");
  add("mac_bf16_pj", &EnergyConfig::mac_bf16_pj, kPicojoules, "pJ a multiply-accumulate on bf16 operands");
  add("mac_fp32_pj", &EnergyConfig::mac_fp32_pj, kPicojoules, "pJ a multiply-accumulate on fp32 operands");
  add("vector_op_pj", &EnergyConfig::vector_op_pj, kPicojoules, "pJ of a lane for one simple operation on 32 bits");
  add("scratchpad_read_pj_byte", &EnergyConfig::scratchpad_read_pj_byte, kPicojoules,
      "pJ a byte read from a scratchpad bank of 32 KiB; other banks by the square root of their size");
  add("scratchpad_write_pj_byte", &EnergyConfig::scratchpad_write_pj_byte, kPicojoules, "pJ a byte written, likewise");
  add("accumulator_read_pj_byte", &EnergyConfig::accumulator_read_pj_byte, kPicojoules,
      "pJ a byte read from an accumulator bank of 32 KiB; other banks by the square root of their size");
  add("accumulator_write_pj_byte", &EnergyConfig::accumulator_write_pj_byte, kPicojoules,
      "pJ a byte written, likewise");
  add("global_buffer_read_pj_byte", &EnergyConfig::global_buffer_read_pj_byte, kPicojoules,
      "pJ a byte read from a global buffer bank of 32 KiB; other banks by the square root of their size");
  add("global_buffer_write_pj_byte", &EnergyConfig::global_buffer_write_pj_byte, kPicojoules,
      "pJ a byte written, likewise");
  add("noc_pj_byte_hop", &EnergyConfig::noc_pj_byte_hop, kPicojoules, "pJ a byte and hop: one router and one link");
  add("dma_pj_byte", &EnergyConfig::dma_pj_byte, kPicojoules, "pJ a byte that passes a DMA engine");
  add("leakage_mac_mw", &EnergyConfig::leakage_mac_mw, kMilliwatts,
      "mW of an int8 processing element; other types by area");
  add("leakage_lane_mw", &EnergyConfig::leakage_lane_mw, kMilliwatts, "mW of a lane of the vector unit");
  add("leakage_sram_mw_kib", &EnergyConfig::leakage_sram_mw_kib, kMilliwatts, "mW of a KiB of on-chip memory");
  add("leakage_router_mw", &EnergyConfig::leakage_router_mw, kMilliwatts, "mW of a NoC node");
  add("leakage_dma_mw", &EnergyConfig::leakage_dma_mw, kMilliwatts, "mW of a core's DMA engine");
  add("area_mac_int8_mm2", &EnergyConfig::area_mac_int8_mm2, kSquareMillimetres,
      "mm2 of an int8 processing element; other types by the ratio of their energies");
  add("area_lane_mm2", &EnergyConfig::area_lane_mm2, kSquareMillimetres, "mm2 of a lane of the vector unit");
  add("area_sram_mm2_kib", &EnergyConfig::area_sram_mm2_kib, kSquareMillimetres, "mm2 of a KiB of on-chip memory");
  add("area_router_mm2", &EnergyConfig::area_router_mm2, kSquareMillimetres, "mm2 of a NoC node");
  add("area_dma_mm2", &EnergyConfig::area_dma_mm2, kSquareMillimetres, "mm2 of a core's DMA engine");
  return record;
}

std::vector<std::string> energy_presets(const std::filesystem::path& preset_dir) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(preset_dir, ignored)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

EnergyConfig load_energy(const std::string& preset, const Json& overrides, const std::filesystem::path& preset_dir,
                         const Origin& at) {
  const std::vector<std::string> presets = energy_presets(preset_dir);
  if (std::find(presets.begin(), presets.end(), preset) == presets.end()) {
    std::string list;
    for (const std::string& name : presets) list += (list.empty() ? "" : ", ") + name;
    fail(at.key("preset"),
         "unknown energy preset \"" + preset.substr(0, 80) + "\"; there are: " + list + did_you_mean(preset, presets));
  }
  const Record<EnergyConfig> record = energy_record();
  const std::filesystem::path file = preset_dir / (preset + ".json");
  Json json = read_json_file(file);
  require_schema(json, kSchema, file.string());
  json.erase("schema");
  json.erase("name");
  EnergyConfig config = record.parse(json, {file.string(), ""});

  if (!overrides.is_object()) fail(at, "expected an object of energy settings, " + describe(overrides));
  if (!overrides.empty()) {
    Json merged = record.dump(config);
    for (const auto& [key, value] : overrides.items()) merged[key] = value;
    config = record.parse(merged, at);
  }
  config.preset = preset;
  return config;
}

}  // namespace accsim::model
