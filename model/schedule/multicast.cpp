#include "model/schedule/multicast.h"

#include <algorithm>

#include "model/schedule/fused_group.h"
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

std::string machine_refusal(const Architecture& arch, const std::vector<std::int64_t>& cores) {
  if (cores.size() < 2) return "the group has one core";
  if (const std::string refusal = network_refusal(arch); !refusal.empty()) return refusal;
  const CoreConfig& first = arch.core(CoreId(static_cast<std::int32_t>(cores.front())));
  for (const std::int64_t core : cores)
    if (&arch.core(CoreId(static_cast<std::int32_t>(core))) != &first) return "the group's cores are of several types";
  return {};
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

// The boxes that a core fetches of operands that are multicast, in order.
class Fetches : public GroupVisitor {
 public:
  explicit Fetches(const FusedGroup& group) : group_(group), last_(group.operators().size()) {
    for (std::size_t i = 0; i < last_.size(); ++i) last_[i].resize(group.operators()[i].source.size());
  }
  struct Fetch {
    std::size_t op = 0, operand = 0;
    Box box;
    bool operator==(const Fetch& other) const {
      return op == other.op && operand == other.operand && same_box(box, other.box);
    }
  };
  [[nodiscard]] const std::vector<Fetch>& all() const { return all_; }

  void begin_result(std::size_t /*op*/, const Box& /*box*/, const LoopNest& /*part*/) override {}
  void begin_tile(std::size_t /*op*/, const LoopNest& /*nest*/, const TileIndex& /*at*/) override {}
  void fetch(std::size_t op, const LoopNest& nest, std::size_t operand, const TileIndex& at) override {
    if (!is_multicast(*group_.operators()[op].mapping, nest, operand)) return;
    const Box box = tile_box(nest, nest.operands[operand], at);
    std::optional<Box>& last = last_[op][operand];
    if (is_empty(box) || (last && same_box(*last, box))) return;
    last = box;
    all_.push_back({op, operand, box});
  }
  void step(std::size_t /*op*/, const LoopNest& /*nest*/, const TileIndex& /*at*/, bool /*first*/) override {}
  void end_tile(std::size_t /*op*/, const LoopNest& /*nest*/, const TileIndex& /*at*/) override {}

 private:
  const FusedGroup& group_;
  std::vector<std::vector<std::optional<Box>>> last_;
  std::vector<Fetch> all_;
};

}  // namespace

bool is_multicast(const Group& group) {
  return std::any_of(group.mappings.begin(), group.mappings.end(),
                     [](const OperatorMapping& mapping) { return !mapping.multicast.empty(); });
}

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
  if (const std::string refusal = machine_refusal(arch, cores); !refusal.empty()) return refusal;
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

std::optional<std::string> multicast_refusal(const Architecture& arch, const Network& network, const Group& group,
                                             std::size_t& mapping, std::size_t& entry) {
  mapping = entry = 0;
  if (!is_multicast(group)) return std::nullopt;
  const FusedGroup first(group, network, arch, 0);
  const auto refuse = [&](const FusedOperator& op, std::string reason) {
    mapping = static_cast<std::size_t>(op.mapping - group.mappings.data());
    return std::optional(std::move(reason));
  };
  for (const FusedOperator& op : first.operators()) {
    if (op.mapping->multicast.empty()) continue;
    if (std::string refusal = machine_refusal(arch, group.cores); !refusal.empty())
      return refuse(op, std::move(refusal));
    if (flow_of(op.nest) != TileFlow::array) return refuse(op, "layer \"" + op.mapping->layer + "\" is no product");
    for (entry = 0; entry < op.mapping->multicast.size(); ++entry) {
      bool found = false;
      for (std::size_t o = 0; o < op.source.size(); ++o)
        found = found || (op.source[o] < 0 && buffer_key(op.nest.operands[o].role) == op.mapping->multicast[entry]);
      if (!found)
        return refuse(op, "layer \"" + op.mapping->layer + "\" has no operand of this role from outside of the group");
    }
    entry = 0;
  }
  Fetches expected(first);
  walk(first, expected, kMostSteps);
  for (std::size_t place = 1; place < group.cores.size(); ++place) {
    const FusedGroup other(group, network, arch, place);
    Fetches found(other);
    walk(other, found, kMostSteps);
    const auto [a, b] =
        std::mismatch(expected.all().begin(), expected.all().end(), found.all().begin(), found.all().end());
    if (a == expected.all().end() && b == found.all().end()) continue;
    const Fetches::Fetch& differs = a == expected.all().end() ? *b : *a;
    const FusedOperator& op = first.operators()[differs.op];
    return refuse(op, "core " + std::to_string(group.cores[place]) + " does not fetch the same tiles of " +
                          fused_role(op, differs.operand) + " in the same order as core " +
                          std::to_string(group.cores.front()));
  }
  return std::nullopt;
}

std::vector<BufferNeed> needs_to_hold(const Group& group, const Network& network, const Architecture& arch,
                                      std::size_t place) {
  const auto own = [&](std::size_t at) {
    return buffer_needs(FusedGroup(group, network, arch, at), network,
                        arch.core(CoreId(static_cast<std::int32_t>(group.cores[at]))));
  };
  if (!is_multicast(group)) return own(place);
  std::vector<BufferNeed> needs = own(0);
  for (std::size_t at = 1; at < group.cores.size(); ++at) {
    const std::vector<BufferNeed> others = own(at);
    for (std::size_t i = 0; i < needs.size(); ++i) {
      needs[i].buffers = std::max(needs[i].buffers, others[i].buffers);
      needs[i].bytes = std::max(needs[i].bytes, others[i].bytes);
    }
  }
  return needs;
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
