#include "sim/core/core_module.h"

namespace accsim::sim {

CoreModule::CoreModule(const sc_core::sc_module_name& name, Clock clock, model::CoreId id,
                       const model::CoreConfig& config, std::size_t core_type, const NocMap& map, TransactionPool& pool)
    : sc_core::sc_module(name),
      noc("noc"),
      groups("groups"),
      in("in"),
      scratchpad("scratchpad", config.scratchpad),
      accumulator("accumulator", config.accumulator),
      load("load", clock, model::Queue::load, config, core_type, map, pool),
      array("array", clock, config, core_type),
      vector("vector", clock, config, core_type),
      store("store", clock, model::Queue::store, config, core_type, map, pool),
      server("server", clock, static_cast<std::int32_t>(map.arch->node_of_core(id)), map.arch->noc.flit_bytes, pool),
      receiver("receiver", clock, id, core_type, map, pool),
      id_(id),
      core_type_(core_type),
      map_(&map),
      pool_(&pool) {
  in.bind(*this);
  for (QueueUnit* unit : queues()) {
    unit->core.bind(*this);
    unit->groups.bind(groups);
  }
  for (DmaUnit* unit : {&load, &store}) {
    unit->scratchpad.bind(scratchpad.port);
    unit->noc.bind(noc);
  }
  array.scratchpad.bind(scratchpad.port);
  array.accumulator.bind(accumulator.port);
  vector.scratchpad.bind(scratchpad.port);
  vector.accumulator.bind(accumulator.port);
  server.memory.bind(scratchpad.port);
  server.noc.bind(noc);
  receiver.scratchpad.bind(scratchpad.port);
  receiver.noc.bind(noc);
}

void CoreModule::wake_queues(Cycles at) {
  for (QueueUnit* unit : queues()) unit->wake_at(at);
}

void CoreModule::set_data(FunctionalChip* data) {
  for (QueueUnit* unit : queues()) unit->set_data(data);
  server.set_data(data, id_);
  receiver.set_data(data);
}

void CoreModule::signal_remote(model::CoreId core, const SignalMessage& message, Cycles at) {
  Packet packet;
  packet.source = static_cast<std::int16_t>(map_->arch->node_of_core(id_));
  packet.destination = static_cast<std::int16_t>(map_->arch->node_of_core(core));
  packet.type = PacketClass::signal;
  packet.signal = message;
  packet.ready = at + Cycles(1);
  noc->send(packet);
}

void CoreModule::receive(const Packet& packet, Cycles at) {
  switch (packet.type) {
    case PacketClass::acknowledgment:
    case PacketClass::response: {
      const Transaction& transaction = (*pool_)[packet.transaction];
      if (transaction.source != map_->arch->node_of_core(id_)) {
        receiver.receive(packet.transaction, at);
        return;
      }
      const bool loaded = transaction.queue == static_cast<std::int8_t>(model::Queue::load);
      (loaded ? load : store).receive_answer(packet.transaction, packet.flits, at);
      return;
    }
    case PacketClass::read_request:
    case PacketClass::write_request:
      server.serve(packet, at);
      return;
    case PacketClass::signal:
      semaphores_.signal(packet.signal.parity, packet.signal.semaphore, packet.signal.count, at + Cycles(1));
      wake_queues(at + Cycles(1));
      return;
  }
}

}  // namespace accsim::sim
