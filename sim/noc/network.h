// A whole network outside SystemC: the routers and sources of a topology, driven by a wheel of the cycles to come in
// which something happens to them. Nodes take every flit at once (one a cycle comes) and give its place back in the
// same cycle. The chip runs the same routers and sources as modules.
//
//   struct Observer {
//     void taken(std::int32_t packet, Cycles at);                             // its source turns to it
//     void left(const Flit& flit, int node, Cycles at);                       // its source
//     void arrived(const Flit& flit, int node, Cycles at);                    // at a destination
//   };
#pragma once
#include <cstdint>
#include <vector>

#include "sim/noc/router.h"
#include "sim/noc/source.h"
#include "sim/noc/topology.h"

namespace accsim::sim {

class NocNetwork {
 public:
  // The topology must outlive the network; trees may be added to it later.
  NocNetwork(const NocTopology& topology, const RouterConfig& config);

  // A packet that is ready in the next cycle to be advanced, or was before. Multicast packets must fit into a buffer.
  void send(int node, const NocPacket& packet, Cycles now);
  // Cycle after cycle, or from next_time() to next_time() as long as nothing is sent in between.
  template <class Observer>
  void advance(Cycles now, Observer&& observer);
  [[nodiscard]] Cycles next_time() const;

  [[nodiscard]] std::int64_t traversals() const { return traversals_; }  // flits through routers
  [[nodiscard]] const Router& router(int id) const { return routers_[id]; }

 private:
  void wake_router(int id, Cycles at) { bits::set(routers_at(slot_of(at)), id); }
  void wake_source(int node, Cycles at) { bits::set(sources_at(slot_of(at)), node); }
  [[nodiscard]] int slot_of(Cycles at) {
    const int slot = static_cast<int>(at.value()) & slot_mask_;
    slots_pending_ |= std::uint64_t{1} << slot;
    slot_time_[slot] = at.value();
    return slot;
  }
  std::uint64_t* routers_at(int slot) { return &routers_at_[slot * router_words_]; }
  std::uint64_t* sources_at(int slot) { return &sources_at_[slot * source_words_]; }
  void pass_credit(int router, const Router::SentCredit& sent, Cycles now);

  const NocTopology* topology_;
  RouterConfig config_;
  std::vector<Router> routers_;
  std::vector<NocSource> sources_;
  int router_words_, source_words_, slot_mask_;
  std::vector<std::uint64_t> routers_at_, sources_at_;  // who wakes, by cycle modulo slots
  std::vector<std::int64_t> slot_time_;
  std::uint64_t slots_pending_ = 0;
  std::int64_t traversals_ = 0;
};

inline void NocNetwork::pass_credit(int router, const Router::SentCredit& sent, Cycles now) {
  const NocTopology::End end = topology_->other_end(router, sent.port);
  const Cycles at = now + Cycles(Router::kCreditCycles);
  if (end.kind == NocTopology::End::Kind::router) {
    routers_[end.id].accept_credit(end.port, sent.vc, at);
    wake_router(end.id, at + Cycles(config_.credit_delay));
  } else {
    NocSource& source = sources_[end.id];
    source.accept_credit(sent.vc, at);
    if (!source.empty()) wake_source(end.id, at);
  }
}

template <class Observer>
void NocNetwork::advance(Cycles now, Observer&& observer) {
  const int slot = static_cast<int>(now.value()) & slot_mask_;
  if (((slots_pending_ >> slot) & 1U) == 0) return;
  slots_pending_ &= ~(std::uint64_t{1} << slot);

  std::uint64_t* const sources = sources_at(slot);
  for (int word = 0; word < source_words_; ++word) {
    std::uint64_t rest = sources[word];
    sources[word] = 0;
    for (; rest != 0; rest &= rest - 1) {
      const int node = word * 64 + __builtin_ctzll(rest);
      NocSource& source = sources_[node];
      Flit flit;
      const bool sent = source.advance(now, flit);
      if (source.taken() >= 0) observer.taken(source.taken(), now);
      if (sent) {
        observer.left(flit, node, now);
        const NocTopology::Place place = topology_->place_of(node);
        const Cycles at = now + Cycles(NocSource::kFlitCycles);
        routers_[place.router].accept_flit(place.port, flit, at);
        wake_router(place.router, at);
      }
      if (source.next_time() != kNever) wake_source(node, source.next_time());
    }
  }

  std::uint64_t* const routers = routers_at(slot);
  for (int word = 0; word < router_words_; ++word) {
    std::uint64_t rest = routers[word];
    routers[word] = 0;
    for (; rest != 0; rest &= rest - 1) {
      const int id = word * 64 + __builtin_ctzll(rest);
      Router& router = routers_[id];
      router.advance(now);
      const Cycles at = now + Cycles(Router::kFlitCycles);
      for (const Router::SentFlit& sent : router.sent_flits()) {
        const NocTopology::End end = topology_->other_end(id, sent.port);
        if (end.kind == NocTopology::End::Kind::router) {
          routers_[end.id].accept_flit(end.port, sent.flit, at);
          wake_router(end.id, at);
        } else {
          observer.arrived(sent.flit, end.id, at);
          const Cycles back = at + Cycles(Router::kCreditCycles);
          router.accept_credit(sent.port, sent.flit.vc, back);
          wake_router(id, back + Cycles(config_.credit_delay));
        }
      }
      traversals_ += static_cast<std::int64_t>(router.sent_flits().size());
      for (const Router::SentCredit& sent : router.sent_credits()) pass_credit(id, sent, now);
      if (router.awake()) wake_router(id, now + Cycles(1));
    }
  }
}

}  // namespace accsim::sim
