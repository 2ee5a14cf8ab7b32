#include "model/schedule/multicast.h"

#include <algorithm>

#include "model/schedule/split.h"
#include "model/schedule/tiling.h"

namespace accsim::model {
namespace {

bool moves(const Operand& operand, int dim) {
  for (const Axis& axis : operand.axes) {
    if (axis.stride == 0) continue;
    for (const AxisTerm& term : axis.terms)
      if (term.dim == dim && term.coefficient != 0) return true;
  }
  return false;
}

std::string network_refusal(const Architecture& arch) {
  if (arch.noc.topology == Topology::ring) return "a ring has no multicast";
  const std::int64_t flits = ceil_div(arch.dram.derived.burst_bytes, arch.noc.flit_bytes);
  if (arch.noc.topology != Topology::mesh || flits <= arch.noc.vc_buffer_flits) return {};
  return "a burst has " + std::to_string(flits) + " flits, on a mesh a multicast must fit into noc.vc_buffer_flits, " +
         std::to_string(arch.noc.vc_buffer_flits);
}

// Every core runs through the same tiles of the operand.
bool same_tiles(const LoopNest& nest, const Operand& operand, const OperatorMapping& mapping, int split_dim,
                const std::vector<std::int64_t>& weights) {
  const auto d = static_cast<std::size_t>(split_dim);
  const std::vector<std::int64_t> tile = tile_sizes(nest, mapping);
  std::vector<std::int64_t> tiles;  // of the split dimension, by core
  for (const Share& share : shares_of(nest.dims[d].extent, tile[d], weights))
    tiles.push_back(ceil_div(share.size(), tile[d]));
  if (std::all_of(tiles.begin(), tiles.end(), [&](std::int64_t n) { return n == tiles.front(); })) return true;
  const std::vector<std::int64_t> trips = trip_counts(nest, tile);
  bool inside = false;
  for (const int dim : loop_order(nest, mapping)) {
    if (inside && trips[static_cast<std::size_t>(dim)] > 1 && moves(operand, dim)) return false;
    inside = inside || dim == split_dim;
  }
  return true;
}

}  // namespace

bool is_multicast(const OperatorMapping& mapping, const LoopNest& nest, std::size_t operand) {
  if (mapping.multicast.empty() || operand + 1 == nest.operands.size()) return false;
  const std::string role = buffer_key(nest.operands[operand].role);
  return std::find(mapping.multicast.begin(), mapping.multicast.end(), role) != mapping.multicast.end();
}

std::optional<std::string> multicast_refusal(const Architecture& arch, const std::vector<LoopNest>& nests,
                                             const OperatorMapping& mapping, const std::string& split,
                                             const std::vector<std::int64_t>& cores, std::size_t& entry) {
  entry = 0;
  if (mapping.multicast.empty()) return std::nullopt;
  if (cores.size() < 2) return "the group has one core";
  if (const std::string refusal = network_refusal(arch); !refusal.empty()) return refusal;
  const CoreConfig& first = arch.core(CoreId(static_cast<std::int32_t>(cores.front())));
  for (const std::int64_t core : cores)
    if (&arch.core(CoreId(static_cast<std::int32_t>(core))) != &first) return "the group's cores are of several types";
  const LoopNest& nest = nests.front();
  const int split_dim = split_dimension(nest, split);
  if (nests.size() > 1 || flow_of(nest) != TileFlow::array || split_dim < 0)
    return "layer \"" + mapping.layer + "\" is no product that is split over cores";
  const std::vector<std::int64_t> weights = core_weights(arch, cores);
  for (entry = 0; entry < mapping.multicast.size(); ++entry) {
    const std::string& role = mapping.multicast[entry];
    bool found = false;
    for (std::size_t i = 0; i + 1 < nest.operands.size(); ++i) {
      const Operand& operand = nest.operands[i];
      if (buffer_key(operand.role) != role) continue;
      found = true;
      if (moves(operand, split_dim))
        return "the cores fetch different parts of the " + role_name(nest, i) + ", which dimension " +
               nest.dims[static_cast<std::size_t>(split_dim)].name + " moves";
      if (!same_tiles(nest, operand, mapping, split_dim, weights))
        return "the cores have different numbers of tiles, and inside that loop others move the " + role_name(nest, i);
    }
    if (!found) return "layer \"" + mapping.layer + "\" has no operand of this role";
  }
  return std::nullopt;
}

std::vector<LoopNest> nests_to_hold(const std::vector<LoopNest>& nests, const OperatorMapping& mapping,
                                    const std::string& split, const std::vector<std::int64_t>& weights,
                                    std::size_t place) {
  if (mapping.multicast.empty()) return nests_of_core(nests, mapping, split, weights, place);
  std::vector<LoopNest> all;
  for (std::size_t core = 0; core < weights.size(); ++core) {
    const std::vector<LoopNest> parts = nests_of_core(nests, mapping, split, weights, core);
    all.insert(all.end(), parts.begin(), parts.end());
  }
  return all;
}

}  // namespace accsim::model
