#include "sim/noc/chip_network.h"

#include <algorithm>
#include <string>

namespace accsim::sim {
namespace {

// A DRAM channel takes as many requests from the network as its controller queues.
std::vector<Crossbar::Node> nodes_of(const model::Architecture& arch) {
  std::vector<Crossbar::Node> nodes(static_cast<std::size_t>(arch.node_count()));
  for (std::int64_t core = 0; core < arch.core_count(); ++core) {
    nodes[static_cast<std::size_t>(core)].links = arch.noc.core_ports;
  }
  for (std::int64_t c = 0; c < arch.dram.channels; ++c) {
    Crossbar::Node& node = nodes[static_cast<std::size_t>(arch.node_of_channel(c))];
    node.read_credits = arch.dram.trans_queue_size;
    node.write_credits = arch.dram.write_buffer_size;
  }
  return nodes;
}

}  // namespace

ChipNetwork::ChipNetwork(const sc_core::sc_module_name& name, Clock clock, const model::Architecture& arch)
    : sc_core::sc_module(name) {
  std::vector<Crossbar::Node> nodes = nodes_of(arch);
  const bool bus = arch.noc.topology == model::Topology::bus;
  if (bus || arch.noc.topology == model::Topology::crossbar) {
    const Crossbar::Config config{arch.noc.router_cycles, bus, arch.noc.vcs / InterfaceModule::kClasses,
                                  arch.noc.vc_buffer_flits};
    crossbar_ = std::make_unique<CrossbarModule>("switch", clock, config, std::move(nodes));
  } else {
    build_routers(clock, arch, nodes);
  }
}

void ChipNetwork::build_routers(Clock clock, const model::Architecture& arch,
                                const std::vector<Crossbar::Node>& nodes) {
  const model::NocPlacement placement = model::place_nodes(arch);
  topology_ = std::make_unique<NocTopology>(
      arch.noc.topology == model::Topology::ring
          ? NocTopology::of(model::Topology::ring, static_cast<int>(placement.places()))
          : NocTopology::mesh(static_cast<int>(placement.cols), static_cast<int>(placement.rows)));
  RouterConfig config = RouterConfig::of_cycles(static_cast<int>(arch.noc.router_cycles), false);
  config.vcs = static_cast<int>(arch.noc.vcs);
  config.buffer_flits = static_cast<int>(arch.noc.vc_buffer_flits);
  config.classes = InterfaceModule::kClasses;
  config.ordered = true;

  for (int id = 0; id < topology_->routers(); ++id) {
    const std::string name = "router" + std::to_string(id);
    routers_.push_back(std::make_unique<RouterModule>(name.c_str(), clock, config, *topology_, id));
  }
  for (int id = 0; id < topology_->routers(); ++id) {
    for (int port = 0; port < topology_->ports(); ++port) {
      const NocTopology::End end = topology_->other_end(id, port);
      if (end.kind != NocTopology::End::Kind::router) continue;
      routers_[static_cast<std::size_t>(id)]->links[static_cast<std::size_t>(port)].bind(
          routers_[static_cast<std::size_t>(end.id)]->in);
    }
  }
  for (const std::int64_t place : placement.place_of) places_.push_back(static_cast<std::uint16_t>(place));
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    const NocTopology::Place place = topology_->place_of(places_[node]);
    const std::string name = "interface" + std::to_string(node);
    interfaces_.push_back(std::make_unique<InterfaceModule>(name.c_str(), clock, config, nodes[node].read_credits, node,
                                                            places_, place.port, *topology_, book_));
    RouterModule& router = *routers_[static_cast<std::size_t>(place.router)];
    interfaces_.back()->to_router.bind(router.in);
    router.links[static_cast<std::size_t>(place.port)].bind(interfaces_.back()->from_router);
  }
}

NocPort& ChipNetwork::entry(std::int64_t node) {
  if (crossbar_) return *crossbar_;
  return *interfaces_[static_cast<std::size_t>(node)];
}

void ChipNetwork::connect_exit(std::int64_t node, PacketSink& sink) {
  const auto index = static_cast<std::size_t>(node);
  if (crossbar_) {
    crossbar_->out[index].bind(sink);
  } else {
    interfaces_[index]->out.bind(sink);
  }
}

std::int64_t ChipNetwork::flits() const {
  if (crossbar_) return crossbar_->machine().flits();
  std::int64_t sum = 0;
  for (const auto& interface : interfaces_) sum += interface->flits();
  return sum;
}

double ChipNetwork::busiest_link(Cycles run) const {
  if (crossbar_) return crossbar_->machine().busiest_link(run);
  std::int64_t most = 0;
  for (const auto& router : routers_) {
    for (int port = 0; port < topology_->ports(); ++port) most = std::max(most, router->router().flits_sent(port));
  }
  for (const auto& interface : interfaces_) most = std::max(most, interface->flits());
  return run > Cycles(0) ? static_cast<double>(most) / static_cast<double>(run.value()) : 0;
}

}  // namespace accsim::sim
