// The crossbar as a module: packets come in through its export, leave through a port a node.
#pragma once
#include <memory>
#include <vector>

#include "sim/kernel/module.h"
#include "sim/noc/crossbar.h"

namespace accsim::sim {

class CrossbarModule : public EventModule, public NocPort {
 public:
  CrossbarModule(const sc_core::sc_module_name& name, Clock clock, std::int64_t router_cycles,
                 const std::vector<Crossbar::Node>& nodes)
      : EventModule(name, clock, Phase::network),
        out("out", nodes.size()),
        in("in"),
        machine_(router_cycles, nodes) {
    in.bind(*this);
  }

  sc_core::sc_vector<sc_core::sc_port<PacketSink>> out;  // by node
  sc_core::sc_export<NocPort> in;

  void send(const Packet& packet) override {
    machine_.accept(packet);
    wake_at(machine_.next_time());
  }
  void return_credit(std::int32_t node, Cycles at) override {
    credits_returned_.push_back({at, node});
    wake_at(at);
  }
  [[nodiscard]] const Crossbar& machine() const { return machine_; }

 protected:
  void run(Cycles now) override {
    std::erase_if(credits_returned_, [&](const Credit& credit) {
      if (credit.at > now) return false;
      machine_.return_credit(credit.node, now);
      return true;
    });
    machine_.advance(now, [this](const CrossbarGrant& grant) {
      out[static_cast<std::size_t>(grant.packet.destination)]->receive(grant.packet, grant.arrival);
    });
    wake_at(machine_.next_time());
    for (const Credit& credit : credits_returned_) wake_at(credit.at);
  }

 private:
  struct Credit {
    Cycles at;
    std::int32_t node;
  };
  Crossbar machine_;
  std::vector<Credit> credits_returned_;
};

}  // namespace accsim::sim
