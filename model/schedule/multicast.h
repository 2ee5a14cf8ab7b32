// Operands that all cores of a group fetch alike, so that one core can load each tile for all of them
// (OperatorMapping::multicast). Shared by verifier, lowering and cost model. An operand may be multicast where
//   - the operator works on the array and has one nest, split over cores of one type,
//   - the split's dimension does not move its tiles,
//   - every core fetches the same tiles in the same order: as many tiles of the split dimension on every core, or no
//     loop that moves the operand's tiles inside that one.
// All cores then have the same buffers at the same addresses: each the largest that one of them needs.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "model/schedule/schedule.h"

namespace accsim::model {

// Whether the mapping says that this operand of the nest is loaded once for all cores.
bool is_multicast(const OperatorMapping& mapping, const LoopNest& nest, std::size_t operand);

// Why the mapping's `multicast` cannot be; nothing where it can, or is empty. `role` is set to the entry that it is
// about.
std::optional<std::string> multicast_refusal(const Architecture& arch, const std::vector<LoopNest>& nests,
                                             const OperatorMapping& mapping, const std::string& split,
                                             const std::vector<std::int64_t>& cores, std::size_t& entry);

// What the buffers of the core at `place` must hold: its parts of the nests, or, where something is multicast, those
// of all cores.
std::vector<LoopNest> nests_to_hold(const std::vector<LoopNest>& nests, const OperatorMapping& mapping,
                                    const std::string& split, const std::vector<std::int64_t>& weights,
                                    std::size_t place);

}  // namespace accsim::model
