// Tile buffers of a mapping: what lowering allocates, and what search and verifier hold against the capacities.
#include <algorithm>

#include "model/base/error.h"
#include "model/schedule/tiling.h"

namespace accsim::model {

namespace {

// Never more buffers than tiles that go through them.
int ring_size(int buffers, std::int64_t fills) {
  return static_cast<int>(std::clamp<std::int64_t>(fills, 1, std::max(buffers, 1)));
}

Bytes padded(DataType type, std::int64_t elements, const MemoryConfig& memory) {
  const std::int64_t bytes = std::max<std::int64_t>(storage_bytes(type, elements).value(), 1);
  return Bytes(ceil_div(bytes, tile_alignment(memory)) * tile_alignment(memory));
}

}  // namespace

std::vector<BufferNeed> buffer_needs(const LoopNest& nest, const OperatorMapping& mapping, const CoreConfig& core) {
  const TileFlow flow = flow_of(nest);
  const std::vector<std::int64_t> tile = tile_sizes(nest, mapping);
  const std::int64_t tiles = output_tiles(nest, tile);
  std::vector<BufferNeed> needs;
  for (std::size_t i = 0; i + 1 < nest.operands.size(); ++i) {
    const Operand& operand = nest.operands[i];
    if (flow == TileFlow::gather && i == 0) continue;  // the table's rows go straight to the output tile
    const int asked = buffers_of(mapping, buffer_key(operand.role));
    // The inputs of a Concat follow each other through one ring.
    const int buffers = flow == TileFlow::copy ? asked : ring_size(asked, largest_loads(nest, mapping, operand));
    needs.push_back(
        {role_name(nest, i), false, buffers, padded(operand.type, largest_box(nest, operand, tile), core.scratchpad)});
  }
  const Operand& output = nest.output();
  const std::int64_t elements = largest_box(nest, output, tile);
  const int results = ring_size(buffers_of(mapping, "output"), tiles);
  if (flow == TileFlow::array)
    needs.push_back({"accumulator", true, results, padded(core.array.accumulator_type, elements, core.accumulator)});
  if (flow != TileFlow::copy)
    needs.push_back({"output", false, results, padded(output.type, elements, core.scratchpad)});
  return needs;
}

}  // namespace accsim::model
