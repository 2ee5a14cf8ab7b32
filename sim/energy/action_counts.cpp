#include "sim/energy/action_counts.h"

#include <cmath>

namespace accsim::sim {
namespace {

model::Femtojoules price(std::int64_t count, double pj) {
  return model::Femtojoules(std::llround(static_cast<double>(count) * pj * 1000.0));
}

}  // namespace

ActionCounts& ActionCounts::operator+=(const ActionCounts& other) {
  macs += other.macs;
  lane_operations += other.lane_operations;
  scratchpad_read_bytes += other.scratchpad_read_bytes;
  scratchpad_write_bytes += other.scratchpad_write_bytes;
  accumulator_read_bytes += other.accumulator_read_bytes;
  accumulator_write_bytes += other.accumulator_write_bytes;
  dma_bytes += other.dma_bytes;
  noc_byte_hops += other.noc_byte_hops;
  global_buffer_read_bytes += other.global_buffer_read_bytes;
  global_buffer_write_bytes += other.global_buffer_write_bytes;
  return *this;
}

model::EnergyAccount energy_of(const ActionCounts& counts, const model::Architecture& arch,
                               const model::CoreConfig& core) {
  using model::EnergyBlock;
  const model::EnergyConfig& table = arch.energy;
  const model::MemoryEnergy scratchpad = model::scratchpad_energy(table, core.scratchpad);
  const model::MemoryEnergy accumulator = model::accumulator_energy(table, core.accumulator);
  model::EnergyAccount energy;
  energy[EnergyBlock::array] = price(counts.macs, table.mac_pj(core.array.operand_type));
  energy[EnergyBlock::vector] = price(counts.lane_operations, table.vector_op_pj);
  energy[EnergyBlock::scratchpad] = price(counts.scratchpad_read_bytes, scratchpad.read_pj_byte) +
                                    price(counts.scratchpad_write_bytes, scratchpad.write_pj_byte);
  energy[EnergyBlock::accumulator] = price(counts.accumulator_read_bytes, accumulator.read_pj_byte) +
                                     price(counts.accumulator_write_bytes, accumulator.write_pj_byte);
  energy[EnergyBlock::dma] = price(counts.dma_bytes, table.dma_pj_byte);
  energy[EnergyBlock::noc] = price(counts.noc_byte_hops, table.noc_pj_byte_hop);
  if (arch.global_buffer) {
    const model::MemoryEnergy buffer = model::global_buffer_energy(table, *arch.global_buffer);
    energy[EnergyBlock::global_buffer] = price(counts.global_buffer_read_bytes, buffer.read_pj_byte) +
                                         price(counts.global_buffer_write_bytes, buffer.write_pj_byte);
  }
  return energy;
}

}  // namespace accsim::sim
