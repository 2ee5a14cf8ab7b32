#include "sim/noc/network.h"

#include <algorithm>
#include <bit>

#include "model/base/error.h"

namespace accsim::sim {

NocNetwork::NocNetwork(const NocTopology& topology, const RouterConfig& config)
    : topology_(&topology),
      config_(config),
      sources_(static_cast<std::size_t>(topology.nodes()), NocSource(config)),
      router_words_(bits::words(topology.routers())),
      source_words_(bits::words(topology.nodes())) {
  routers_.reserve(static_cast<std::size_t>(topology.routers()));
  for (int id = 0; id < topology.routers(); ++id) routers_.emplace_back(config, topology, id);
  const std::size_t slots = std::bit_ceil(static_cast<unsigned>(Router::kHorizon + config.credit_delay));
  slot_mask_ = static_cast<int>(slots) - 1;
  slot_time_.resize(slots);
  routers_at_.resize(slots * static_cast<std::size_t>(router_words_));
  sources_at_.resize(slots * static_cast<std::size_t>(source_words_));
}

void NocNetwork::send(int node, const NocPacket& packet, Cycles now) {
  if (packet.destination >= Flit::kMulticast && packet.flits > config_.buffer_flits) {
    throw model::InternalError("a multicast packet is longer than a buffer");
  }
  if (packet.ready > now) throw model::InternalError("a packet was sent before it was ready");
  sources_[node].accept(packet);
  wake_source(node, now);
}

Cycles NocNetwork::next_time() const {
  std::int64_t next = kNever.value();
  for (std::uint64_t slots = slots_pending_; slots != 0; slots &= slots - 1) {
    next = std::min(next, slot_time_[__builtin_ctzll(slots)]);
  }
  return Cycles(next);
}

}  // namespace accsim::sim
