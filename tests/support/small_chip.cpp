#include "tests/support/small_chip.h"

namespace accsim::tests {

using namespace accsim::model;

Architecture small_chip(std::int64_t cores) {
  const std::string text = R"({"schema": "accsim-arch/1", "name": "small", "clock_mhz": 1000, "technology_nm": 22,
    "cores": [{"name": "npu", "count": )" +
                           std::to_string(cores) + R"(,
      "array": {"rows": 4, "cols": 4, "dataflow": "weight_stationary", "double_buffered": true,
                "operand_type": "int8", "accumulator_type": "int32"},
      "vector": {"lanes": 4, "exp_cycles": 4},
      "scratchpad": {"size_kib": 16, "banks": 4, "port_bytes": 16},
      "accumulator": {"size_kib": 8, "banks": 2, "port_bytes": 16},
      "dma": {"channels": 2, "outstanding": 16, "bytes_per_cycle": 16}}],
    "global_buffer": {"size_kib": 64, "banks": 4, "port_bytes": 16},
    "noc": {"topology": "crossbar", "flit_bytes": 16, "router_cycles": 2},
    "dram": {"preset": "ref-ddr4-3200"}, "energy": {"preset": "22nm"}})";
  return parse_architecture(parse_json(text, "small chip"), "small chip");
}

Copy load_copy(std::int64_t dram, std::int64_t scratchpad, std::int64_t bytes, CoreId core) {
  Copy copy;
  copy.src.place = {Space::dram, CoreId(), dram};
  copy.dst.place = {Space::scratchpad, core, scratchpad};
  copy.extent = {1, 1, 1, bytes};
  return copy;
}

Copy store_copy(std::int64_t scratchpad, std::int64_t dram, std::int64_t bytes, CoreId core) {
  Copy copy = load_copy(dram, scratchpad, bytes, core);
  std::swap(copy.src, copy.dst);
  return copy;
}

TileRef dense_tile(Space space, std::int64_t address, std::int64_t elements, DataType type, CoreId core) {
  TileRef tile;
  tile.place = {space, core, address};
  tile.type = type;
  tile.axes = {TileAxis{elements, 1, 1, 0, {1}}};
  return tile;
}

ArrayPass matrix_pass(std::int64_t m, std::int64_t k, std::int64_t n, std::int64_t input, std::int64_t weight,
                      std::int64_t output, CoreId core) {
  ArrayPass pass;
  pass.loops = {{m, DimKind::m}, {n, DimKind::n}, {k, DimKind::k}};
  pass.input = {{Space::scratchpad, core, input}, DataType::int8, {{m, 1, k, 0, {1, 0, 0}}, {k, 1, 1, 0, {0, 0, 1}}}};
  pass.weight = {{Space::scratchpad, core, weight}, DataType::int8, {{n, 1, k, 0, {0, 1, 0}}, {k, 1, 1, 0, {0, 0, 1}}}};
  pass.output = {
      {Space::accumulator, core, output}, DataType::int32, {{m, 1, n, 0, {1, 0, 0}}, {n, 1, 1, 0, {0, 1, 0}}}};
  return pass;
}

VectorOp move_op(std::int64_t from, std::int64_t to, std::int64_t elements, CoreId core) {
  VectorOp op;
  op.kind = VectorKind::move;
  op.loops = {{elements, DimKind::m}};
  op.sources = {dense_tile(Space::scratchpad, from, elements, DataType::int8, core)};
  op.output = dense_tile(Space::scratchpad, to, elements, DataType::int8, core);
  return op;
}

GroupProgram one_core_group(int id, InstructionLists lists, std::int32_t semaphores, CoreId core) {
  GroupProgram group;
  group.group = GroupId(id);
  CoreProgram part;
  part.core = core;
  part.semaphores = semaphores;
  part.queues = {std::move(lists.load), std::move(lists.array), std::move(lists.vector), std::move(lists.store)};
  group.cores.push_back(std::move(part));
  return group;
}

Program program_of(std::vector<GroupProgram> groups) {
  Program program;
  program.header.arch = "small";
  program.header.groups = static_cast<std::int64_t>(groups.size());
  program.groups = std::move(groups);
  return program;
}

}  // namespace accsim::tests
