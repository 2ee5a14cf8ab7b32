// Operands that all cores of a group fetch alike, so that one core can load each tile for all of them
// (OperatorMapping::multicast). Shared by verifier, lowering and cost model. An operand may be multicast where
//   - the operator works on the array and has one nest, split over cores of one type,
//   - the split's dimension does not move its tiles,
//   - every core fetches the same tiles in the same order: as many tiles of the split dimension on every core, or no
//     loop that moves the operand's tiles inside that one.
// In a fused group: of any of its operators on the array, tiles that come from outside, where the walks of all cores
// fetch the same boxes of all multicast operands in the same order.
// All cores then have the same buffers at the same addresses: each the largest that one of them needs.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "model/schedule/schedule.h"

namespace accsim::model {

// Whether the mapping says that this operand of the nest is loaded once for all cores.
bool is_multicast(const Group& group);  // anything of it
bool is_multicast(const OperatorMapping& mapping, const LoopNest& nest, std::size_t operand);

// Why the mapping's `multicast` cannot be; nothing where it can, or is empty. `role` is set to the entry that it is
// about.
std::optional<std::string> multicast_refusal(const Architecture& arch, const std::vector<LoopNest>& nests,
                                             const OperatorMapping& mapping, const std::string& split,
                                             const std::vector<std::int64_t>& cores, std::size_t& entry);

// The same of a group of several operators, whose cores all have work; `mapping` is set to the mapping that it is
// about.
std::optional<std::string> multicast_refusal(const Architecture& arch, const Network& network, const Group& group,
                                             std::size_t& mapping, std::size_t& entry);

// Buffers of the core at `place` of a group of several operators: its own needs, or, where something is multicast, the
// largest of all cores.
std::vector<BufferNeed> needs_to_hold(const Group& group, const Network& network, const Architecture& arch,
                                      std::size_t place);

// What the buffers of the core at `place` must hold: its parts of the nests, or, where something is multicast, those
// of all cores.
std::vector<LoopNest> nests_to_hold(const std::vector<LoopNest>& nests, const OperatorMapping& mapping,
                                    const std::string& split, const std::vector<std::int64_t>& weights,
                                    std::size_t place);

}  // namespace accsim::model
