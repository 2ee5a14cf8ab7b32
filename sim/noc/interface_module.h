// A node's interface to a network of routers: packets in (a queue for each kind of packet; requests and answers in
// virtual channels of their own), packets out. A memory's room is kept back as long as too many of its answers wait
// here. Packets wait without limit; cores limit them by dma.outstanding, memories by that room.
#pragma once
#include <deque>
#include <vector>

#include "sim/kernel/module.h"
#include "sim/noc/node_exit.h"
#include "sim/noc/packet.h"
#include "sim/noc/router_module.h"
#include "sim/noc/source.h"

namespace accsim::sim {

// Packets on their way; indices stay valid until they have been taken at every destination.
class PacketBook {
 public:
  std::int32_t put(const Packet& packet) {
    const Entry entry{packet, packet.takers == nullptr ? 1 : packet.takers->size()};
    if (free_.empty()) {
      packets_.push_back(entry);
      return static_cast<std::int32_t>(packets_.size()) - 1;
    }
    const std::int32_t index = free_.back();
    free_.pop_back();
    packets_[static_cast<std::size_t>(index)] = entry;
    return index;
  }
  Packet take(std::int32_t index) {
    Entry& entry = packets_[static_cast<std::size_t>(index)];
    if (--entry.to_come == 0) free_.push_back(index);
    return entry.packet;
  }

 private:
  struct Entry {
    Packet packet;
    std::size_t to_come = 1;  // destinations that have not taken it
  };
  std::vector<Entry> packets_;
  std::vector<std::int32_t> free_;
};

class InterfaceModule : public EventModule, public NocPort, public LinkEnd {
 public:
  static constexpr int kClasses = 2;         // requests, answers (signals too: they never wait for requests)
  static const std::vector<int>& classes();  // by PacketClass

  // `node`: its own; `places`: where each node sits; `port`: of the router, that this node is at. Trees of multicasts
  // are added to the topology.
  InterfaceModule(const sc_core::sc_module_name& name, Clock clock, const RouterConfig& config, std::int64_t room,
                  std::size_t node, const std::vector<std::uint16_t>& places, int port, NocTopology& topology,
                  PacketBook& book);

  sc_core::sc_export<NocPort> in;
  sc_core::sc_port<PacketSink> out;
  sc_core::sc_export<LinkEnd> from_router;
  sc_core::sc_port<LinkEnd> to_router;

  void send(const Packet& packet) override;
  void return_credit(std::int32_t node, PacketClass type, Cycles at) override;
  void accept_flit(int port, const Flit& flit, Cycles at) override;
  void accept_credit(int port, int vc, Cycles at) override;

  [[nodiscard]] std::int64_t flits() const { return flits_; }  // that entered here

 protected:
  void end_of_elaboration() override {
    router_ = to_router.operator->();
    sink_ = out.operator->();
  }
  void run(Cycles now) override;

 private:
  struct Observer;
  struct Place {
    Cycles at;
    int vc;
  };
  [[nodiscard]] bool takes_answers() const {
    return source_.waiting(static_cast<std::size_t>(PacketClass::response)) < room_;
  }

  [[nodiscard]] std::uint16_t destination_of(const Packet& packet);

  std::int64_t room_;
  std::size_t node_;
  const std::vector<std::uint16_t>* places_;
  int port_;
  NocTopology* topology_;
  PacketBook* book_;
  LinkEnd* router_ = nullptr;
  PacketSink* sink_ = nullptr;
  NocSource source_;
  NodeExit exit_;
  std::array<Cycles, kPacketClasses> last_ready_{};
  Cycles last_sent_{-1};
  std::deque<Cycles> rooms_;       // that the memory gives back
  std::int64_t kept_back_ = 0;     // rooms
  std::deque<Place> places_free_;  // further ahead than a router looks
  std::int64_t flits_ = 0;
};

}  // namespace accsim::sim
