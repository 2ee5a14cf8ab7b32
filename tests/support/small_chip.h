// A small architecture and short hand-made programs for tests of the simulator.
#pragma once
#include "model/arch/arch.h"
#include "model/program/program.h"

namespace accsim::tests {

// `cores` cores of 4x4 int8 with a 16 KiB scratchpad (4 banks, 16 B ports), one ref-ddr4-3200 channel, 1 GHz.
model::Architecture small_chip(std::int64_t cores = 1);

// Contiguous copies of `bytes`.
model::Copy load_copy(std::int64_t dram, std::int64_t scratchpad, std::int64_t bytes,
                      model::CoreId core = model::CoreId(0));
model::Copy store_copy(std::int64_t scratchpad, std::int64_t dram, std::int64_t bytes,
                       model::CoreId core = model::CoreId(0));
// out[m, n] = sum_k in[m, k] * w[n, k], all dense.
model::ArrayPass matrix_pass(std::int64_t m, std::int64_t k, std::int64_t n, std::int64_t input, std::int64_t weight,
                             std::int64_t output, model::CoreId core = model::CoreId(0));
// A dense one-dimensional tile.
model::TileRef dense_tile(model::Space space, std::int64_t address, std::int64_t elements, model::DataType type,
                          model::CoreId core = model::CoreId(0));
// Moves `elements` bytes inside the scratchpad.
model::VectorOp move_op(std::int64_t from, std::int64_t to, std::int64_t elements,
                        model::CoreId core = model::CoreId(0));

// One group of instructions of one core: by queue, `semaphores` of them.
struct InstructionLists {
  std::vector<model::Instruction> load, array, vector, store;
};
model::GroupProgram one_core_group(int id, InstructionLists lists, std::int32_t semaphores,
                                   model::CoreId core = model::CoreId(0));
model::Program program_of(std::vector<model::GroupProgram> groups);

}  // namespace accsim::tests
