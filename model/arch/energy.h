// Energy per action, leakage and area of the on-chip blocks (accsim-energy/1 presets in configs/energy). DRAM energy
// follows from IDD currents instead (model/arch/dram.h). Simulator, cost model and bounds price with the same
// functions. Leaves out: data-dependent switching, voltage and temperature scaling, wires inside a block, the clock
// tree. Source of the square-root rule for memories: the three SRAM sizes of Horowitz, ISSCC 2014 (docs/energy.md).
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "model/base/data_type.h"
#include "model/config/record.h"

namespace accsim::model {

struct Architecture;
struct ArrayConfig;
struct CoreConfig;
struct MemoryConfig;

struct EnergyConfig {
  std::string preset = "22nm";
  // pJ a multiply-accumulate, by operand type (accumulation and the registers of the processing element included)
  double mac_int4_pj = 0, mac_int8_pj = 0, mac_int16_pj = 0, mac_fp16_pj = 0, mac_bf16_pj = 0, mac_fp32_pj = 0;
  double vector_op_pj = 0;             // a lane, one simple operation on 32 bits
  double scratchpad_read_pj_byte = 0;  // for a bank of 32 KiB; larger or smaller banks scale with sqrt(bank/32 KiB)
  double scratchpad_write_pj_byte = 0;
  double accumulator_read_pj_byte = 0;
  double accumulator_write_pj_byte = 0;
  double global_buffer_read_pj_byte = 0;
  double global_buffer_write_pj_byte = 0;
  double noc_pj_byte_hop = 0;
  double dma_pj_byte = 0;
  // leakage in mW
  double leakage_mac_mw = 0;  // a processing element of the array, int8; wider types by area
  double leakage_lane_mw = 0;
  double leakage_sram_mw_kib = 0;
  double leakage_router_mw = 0;  // a NoC node
  double leakage_dma_mw = 0;     // a core's engine
  // area in mm2
  double area_mac_int8_mm2 = 0;  // other types by the ratio of their MAC energies
  double area_lane_mm2 = 0;
  double area_sram_mm2_kib = 0;
  double area_router_mm2 = 0;
  double area_dma_mm2 = 0;

  // pJ; InternalError for a type that no array computes with (int32, int64).
  [[nodiscard]] double mac_pj(DataType operand) const;
};

// pJ a byte of one memory, its bank size accounted for.
struct MemoryEnergy {
  double read_pj_byte = 0;
  double write_pj_byte = 0;
};
MemoryEnergy scratchpad_energy(const EnergyConfig& energy, const MemoryConfig& memory);
MemoryEnergy accumulator_energy(const EnergyConfig& energy, const MemoryConfig& memory);
MemoryEnergy global_buffer_energy(const EnergyConfig& energy, const MemoryConfig& memory);

// A figure for each block, summed over all instances on the chip.
struct BlockFigures {
  double array = 0, vector = 0, scratchpad = 0, accumulator = 0, dma = 0, global_buffer = 0, noc = 0;
  [[nodiscard]] double total() const { return array + vector + scratchpad + accumulator + dma + global_buffer + noc; }
};
BlockFigures leakage_mw(const Architecture& arch);  // 1 mW = 1 pJ a ns
BlockFigures area_mm2(const Architecture& arch);    // on-chip blocks; DRAM devices are not part of it

Record<EnergyConfig> energy_record();
// Names of the preset files in a folder, sorted.
std::vector<std::string> energy_presets(const std::filesystem::path& preset_dir);
// The preset with single values overridden by name (an object). ConfigError names `at` for what the user gave and the
// preset file for what is wrong in it; an unknown preset lists those that exist.
EnergyConfig load_energy(const std::string& preset, const Json& overrides, const std::filesystem::path& preset_dir,
                         const Origin& at);

}  // namespace accsim::model
