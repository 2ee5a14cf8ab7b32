// What follows from a nest and a mapping alone, in closed form: the loops over tiles, how often an operand is fetched,
// and the buffers. Search, lowering and the verifiers all ask these functions, so that they cannot disagree. Leaves
// out: clipping at the borders. Where padding makes two neighbouring boxes equal, lowering fetches once less than
// largest_loads() says.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "model/schedule/schedule.h"

namespace accsim::model {

// Dimensions outermost first: those named in the mapping's order, then the others in nest order.
std::vector<int> loop_order(const LoopNest& nest, const OperatorMapping& mapping);

// Number of tiles along each dimension of the nest.
std::vector<std::int64_t> trip_counts(const LoopNest& nest, const std::vector<std::int64_t>& tile);

// Output tiles of a mapping: product of the trip counts of all dimensions that are not reduced (kind k).
std::int64_t output_tiles(const LoopNest& nest, const std::vector<std::int64_t>& tile);

// Fetches of an operand's tile when it is kept until another one is needed: the product of the trip counts from the
// outermost loop to the innermost loop that moves the operand's box.
std::int64_t largest_loads(const LoopNest& nest, const OperatorMapping& mapping, const Operand& operand);

// Tile buffers of a role of OperatorMapping::buffers: as given, else 2.
int buffers_of(const OperatorMapping& mapping, const std::string& key);

// Tile buffers begin at multiples of this and are as long: whole lines of the port, and no element is split (the widest
// has 8 bytes).
inline std::int64_t tile_alignment(const MemoryConfig& memory) {
  constexpr std::int64_t kWidestElement = 8;
  return std::max(memory.port_bytes, kWidestElement);
}

// How operators use buffers: which engine works on the tiles.
enum class TileFlow : std::uint8_t {
  array,   // load -> array -> vector (requantize) -> store
  vector,  // load -> vector -> store
  copy,    // load -> store from the same buffer (Concat, Transpose that keeps the innermost axis)
  gather   // load indices -> load rows -> store (Gather)
};
TileFlow flow_of(const LoopNest& nest);

// Key of OperatorMapping::buffers that an operand's buffers follow: "input" or "weight" (weights and biases).
std::string buffer_key(OperandRole role);
// Name of an operand's buffers in BufferNeed: "input0", "input1", …, "weight", "bias", "output".
std::string role_name(const LoopNest& nest, std::size_t operand);

}  // namespace accsim::model
