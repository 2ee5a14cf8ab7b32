#include "sim/noc/interface_module.h"

#include <utility>

namespace accsim::sim {

const std::vector<int>& InterfaceModule::classes() {
  static const std::vector<int> kClassOf{1, 1, 0, 0, 1};  // in the order of PacketClass
  return kClassOf;
}

InterfaceModule::InterfaceModule(const sc_core::sc_module_name& name, Clock clock, const RouterConfig& config,
                                 std::int64_t room, std::size_t node, const std::vector<std::uint16_t>& places,
                                 int port, NocTopology& topology, PacketBook& book)
    : EventModule(name, clock, Phase::network),
      in("in"),
      out("out"),
      from_router("from_router"),
      to_router("to_router"),
      room_(room),
      node_(node),
      places_(&places),
      port_(port),
      topology_(&topology),
      book_(&book),
      source_(config, classes()),
      exit_(config, room) {
  in.bind(*this);
  from_router.bind(*this);
}

// What the exit does: places go back to the router, packets to the node.
struct InterfaceModule::Observer {
  InterfaceModule* self;
  Cycles soon;  // places that are free until then are told at once, others when the time comes
  void place_free(int vc, Cycles at) const {
    if (at <= soon) {
      self->router_->accept_credit(self->port_, vc, at + Cycles(Router::kCreditCycles));
    } else {
      self->places_free_.push_back({at, vc});
      self->wake_at(at);
    }
  }
  void arrived(std::int32_t index, Cycles at) const {
    Packet packet = self->book_->take(index);
    packet.destination = static_cast<std::int16_t>(self->node_);
    self->sink_->receive(packet, at);
  }
};

void InterfaceModule::send(const Packet& packet) {
  const auto queue = static_cast<std::size_t>(packet.type);
  NocPacket entry;
  entry.packet = book_->put(packet);
  entry.destination = destination_of(packet);
  if (packet.takers != nullptr) entry.lane = (*places_)[static_cast<std::size_t>(packet.takers->front())];
  entry.packet_class = static_cast<std::uint8_t>(queue);
  entry.flits = packet.flits;
  entry.ready = last_ready_[queue] = std::max(packet.ready, last_ready_[queue]);
  source_.accept(entry);
  wake_at(source_.next_time());
}

std::uint16_t InterfaceModule::destination_of(const Packet& packet) {
  if (packet.takers == nullptr) return (*places_)[static_cast<std::size_t>(packet.destination)];
  std::vector<int> destinations;
  for (const std::int16_t taker : *packet.takers) {
    destinations.push_back((*places_)[static_cast<std::size_t>(taker)]);
  }
  const int tree = topology_->add_multicast((*places_)[node_], std::move(destinations));
  return static_cast<std::uint16_t>(Flit::kMulticast + tree);
}

void InterfaceModule::return_credit(std::int32_t /*node*/, PacketClass /*type*/, Cycles at) {
  if (room_ == NodeExit::kUnlimited) return;
  if (!takes_answers()) {
    ++kept_back_;
    return;
  }
  rooms_.push_back(rooms_.empty() ? at : std::max(at, rooms_.back()));
  wake_at(rooms_.front());
}

void InterfaceModule::accept_flit(int /*port*/, const Flit& flit, Cycles at) {
  exit_.accept(flit, at, Observer{this, at});
}

void InterfaceModule::accept_credit(int /*port*/, int vc, Cycles at) {
  source_.accept_credit(vc, at);
  if (!source_.empty()) wake_at(at);
}

void InterfaceModule::run(Cycles now) {
  while (!rooms_.empty() && rooms_.front() <= now) {
    rooms_.pop_front();
    exit_.return_room(now, Observer{this, now});
  }
  while (!places_free_.empty() && places_free_.front().at <= now) {
    router_->accept_credit(port_, places_free_.front().vc, now + Cycles(Router::kCreditCycles));
    places_free_.pop_front();
  }
  if (now > last_sent_ && source_.next_time() <= now) {
    last_sent_ = now;
    Flit flit;
    if (source_.advance(now, flit)) {
      ++flits_;
      router_->accept_flit(port_, flit, now + Cycles(NocSource::kFlitCycles));
      if (kept_back_ > 0 && flit.tail() && takes_answers()) {
        --kept_back_;
        rooms_.push_back(rooms_.empty() ? now + Cycles(1) : std::max(now + Cycles(1), rooms_.back()));
      }
    }
  }
  Cycles next = source_.next_time();
  if (!rooms_.empty()) next = std::min(next, rooms_.front());
  if (!places_free_.empty()) next = std::min(next, places_free_.front().at);
  if (next != kNever) wake_at(std::max(next, now + Cycles(1)));
}

}  // namespace accsim::sim
