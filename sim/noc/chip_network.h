// The network of a chip, of any topology, behind one face: an entry and an exit for each node. Bus and crossbar are one
// module that advances packets as a whole; ring and mesh are a module for each router and each node's interface, the
// same routers that `accsim noc` runs. A memory's credits: as many requests as its controller queues.
#pragma once
#include <memory>
#include <vector>

#include "model/arch/arch.h"
#include "model/arch/noc_placement.h"
#include "sim/noc/crossbar_module.h"
#include "sim/noc/interface_module.h"
#include "sim/noc/router_module.h"

namespace accsim::sim {

class ChipNetwork : public sc_core::sc_module {
 public:
  ChipNetwork(const sc_core::sc_module_name& name, Clock clock, const model::Architecture& arch);

  [[nodiscard]] NocPort& entry(std::int64_t node);
  void connect_exit(std::int64_t node, PacketSink& sink);

  [[nodiscard]] std::int64_t flits() const;  // that entered
  // Share of the run's cycles in which the busiest link carries a flit.
  [[nodiscard]] double busiest_link(Cycles run) const;

 private:
  void build_routers(Clock clock, const model::Architecture& arch, const std::vector<Crossbar::Node>& nodes);

  std::unique_ptr<CrossbarModule> crossbar_;
  std::unique_ptr<NocTopology> topology_;
  std::vector<std::uint16_t> places_;  // by node
  PacketBook book_;
  std::vector<std::unique_ptr<RouterModule>> routers_;
  std::vector<std::unique_ptr<InterfaceModule>> interfaces_;  // by node
};

}  // namespace accsim::sim
