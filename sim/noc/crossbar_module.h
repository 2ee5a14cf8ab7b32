// The crossbar or bus as a module: packets come in through its export, leave through a port a node. A memory's credit
// for a read is kept back as long as too many of its answers wait here: a network that does not take data stops the
// reads. Writes go on: their acknowledgments are short, and a read that waits must not hold up a store.
#pragma once
#include <memory>
#include <vector>

#include "sim/kernel/module.h"
#include "sim/noc/crossbar.h"

namespace accsim::sim {

class CrossbarModule : public EventModule, public NocPort {
 public:
  CrossbarModule(const sc_core::sc_module_name& name, Clock clock, const Crossbar::Config& config,
                 std::vector<Crossbar::Node> nodes)
      : EventModule(name, clock, Phase::network),
        out("out", nodes.size()),
        in("in"),
        machine_(config, nodes),
        nodes_(std::move(nodes)) {
    in.bind(*this);
  }

  sc_core::sc_vector<sc_core::sc_port<PacketSink>> out;  // by node
  sc_core::sc_export<NocPort> in;

  void send(const Packet& packet) override {
    machine_.accept(packet);
    wake_at(machine_.next_time());
  }
  void return_credit(std::int32_t node, PacketClass type, Cycles at) override {
    const std::int64_t limit = nodes_[static_cast<std::size_t>(node)].read_credits;
    if (limit == Crossbar::kUnlimited) return;
    if (type == PacketClass::read_request && machine_.answers_waiting(node) >= limit) {
      kept_back_.push_back(node);
      return;
    }
    credits_.push_back({at, node, type});
    if (machine_.short_of_credit(node, type)) wake_at(at);
  }
  [[nodiscard]] const Crossbar& machine() const { return machine_; }

 protected:
  void end_of_elaboration() override {
    for (auto& port : out) sinks_.push_back(port.operator->());
  }
  void run(Cycles now) override {
    std::erase_if(credits_, [&](const Credit& credit) {
      if (credit.at > now) return false;
      machine_.return_credit(credit.node, credit.type, now);
      return true;
    });
    machine_.advance(now, [this](const CrossbarGrant& grant) {
      sinks_[static_cast<std::size_t>(grant.packet.destination)]->receive(grant.packet, grant.arrival);
    });
    std::erase_if(kept_back_, [&](std::int32_t node) {
      if (machine_.answers_waiting(node) >= nodes_[static_cast<std::size_t>(node)].read_credits) return false;
      credits_.push_back({now + Cycles(1), node, PacketClass::read_request});
      return true;
    });
    wake_at(machine_.next_time());
    for (const Credit& credit : credits_) {
      if (machine_.short_of_credit(credit.node, credit.type)) wake_at(credit.at);
    }
  }

 private:
  struct Credit {
    Cycles at;
    std::int32_t node;
    PacketClass type;
  };
  Crossbar machine_;
  std::vector<Crossbar::Node> nodes_;
  std::vector<PacketSink*> sinks_;
  std::vector<Credit> credits_;
  std::vector<std::int32_t> kept_back_;  // nodes, a credit for a read each
};

}  // namespace accsim::sim
