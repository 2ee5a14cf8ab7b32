// A router as a module: runs when a flit comes, when a credit comes that a flit waits for, and in the cycle after
// something moved. Its links are ports; what goes over them takes at least two cycles.
#pragma once
#include <vector>

#include "sim/kernel/module.h"
#include "sim/noc/router.h"

namespace accsim::sim {

// One end of a link: takes flits that may bid (or are at the node) at `at`, and credits that are there at `at`.
class LinkEnd : public virtual sc_core::sc_interface {
 public:
  virtual void accept_flit(int port, const Flit& flit, Cycles at) = 0;
  virtual void accept_credit(int port, int vc, Cycles at) = 0;
};

class RouterModule : public EventModule, public LinkEnd {
 public:
  RouterModule(const sc_core::sc_module_name& name, Clock clock, const RouterConfig& config,
               const NocTopology& topology, int id)
      : EventModule(name, clock, Phase::network),
        links("links", static_cast<std::size_t>(topology.ports())),
        in("in"),
        far_ports_(static_cast<std::size_t>(topology.ports())),
        router_(config, topology, id) {
    in.bind(*this);
    for (std::size_t port = 0; port < far_ports_.size(); ++port) {
      far_ports_[port] = topology.other_end(id, static_cast<int>(port)).port;
    }
  }

  using Link = sc_core::sc_port<LinkEnd, 1, sc_core::SC_ZERO_OR_MORE_BOUND>;
  sc_core::sc_vector<Link> links;  // by port; none at the rim
  sc_core::sc_export<LinkEnd> in;

  void accept_flit(int port, const Flit& flit, Cycles at) override {
    router_.accept_flit(port, flit, at);
    wake_at(std::max(at, router_.next_time()));
  }
  void accept_credit(int port, int vc, Cycles at) override {
    router_.accept_credit(port, vc, at);
    if (router_.flits_buffered() > 0) wake_at(router_.next_time());
  }
  [[nodiscard]] const Router& router() const { return router_; }

 protected:
  void end_of_elaboration() override {
    for (Link& link : links) ends_.push_back(link.size() > 0 ? link.operator->() : nullptr);
  }
  void run(Cycles now) override {
    router_.advance(now);
    for (const Router::SentFlit& sent : router_.sent_flits()) {
      const auto port = static_cast<std::size_t>(sent.port);
      ends_[port]->accept_flit(far_ports_[port], sent.flit, now + Cycles(Router::kFlitCycles));
    }
    for (const Router::SentCredit& sent : router_.sent_credits()) {
      const auto port = static_cast<std::size_t>(sent.port);
      ends_[port]->accept_credit(far_ports_[port], sent.vc, now + Cycles(Router::kCreditCycles));
    }
    const Cycles next = router_.next_time();
    if (next != kNever) wake_at(next);
  }

 private:
  std::vector<int> far_ports_;
  std::vector<LinkEnd*> ends_;
  Router router_;
};

}  // namespace accsim::sim
