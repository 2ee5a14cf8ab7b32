#include "sim/dma/multicast_receiver.h"

#include <algorithm>

namespace accsim::sim {

MulticastReceiver::MulticastReceiver(const sc_core::sc_module_name& name, Clock clock, model::CoreId core,
                                     std::size_t core_type, const NocMap& map, TransactionPool& pool)
    : EventModule(name, clock, Phase::receive),
      scratchpad("scratchpad"),
      noc("noc"),
      core_(core),
      core_type_(core_type),
      map_(&map),
      pool_(&pool) {}

void MulticastReceiver::receive(std::int32_t index, Cycles at) {
  BankedMemory& memory = scratchpad->memory();
  const Transaction& transaction = (*pool_)[index];
  const Multicast& multicast = pool_->multicast(transaction.multicast);
  if (free_waiting_.empty()) {
    free_waiting_.push_back(static_cast<std::int32_t>(waiting_.size()));
    waiting_.emplace_back();
  }
  const std::int32_t item = free_waiting_.back();
  const LineWriter::Written written =
      writer_.write(memory, multicast.serial, item, transaction.local_address, transaction.bytes, at);
  multicast.group->actions[core_type_].scratchpad_write_bytes += written.lines * memory.port_bytes();
  const Cycles done = std::max(written.done, at + Cycles(1));
  if (written.waiting == 0) {
    take_in(index, done);
    return;
  }
  free_waiting_.pop_back();
  waiting_[static_cast<std::size_t>(item)] = {index, written.waiting};
  wake_at(written.wake);
}

void MulticastReceiver::run(Cycles now) {
  BankedMemory& memory = scratchpad->memory();
  memory.advance(now);
  const Cycles again = writer_.serve(memory, now, [&](std::int32_t item, std::int64_t /*bank*/, Cycles done) {
    Burst& burst = waiting_[static_cast<std::size_t>(item)];
    if (--burst.waiting > 0) return;
    free_waiting_.push_back(item);
    take_in(burst.transaction, done);
  });
  if (again != kNever) wake_at(again);
}

void MulticastReceiver::take_in(std::int32_t index, Cycles done) {
  if (data_ != nullptr) data_->deliver_copy(index, core_, done);
  const std::int32_t number = (*pool_)[index].multicast;
  pool_->give_back(index);
  if (static_cast<std::size_t>(number) >= progress_.size()) progress_.resize(static_cast<std::size_t>(number) + 1);
  const Multicast& multicast = pool_->multicast(number);
  Progress& progress = progress_[static_cast<std::size_t>(number)];
  if (progress.serial != multicast.serial) progress = {multicast.serial, 0, done};
  progress.last_done = std::max(progress.last_done, done);
  if (++progress.written < multicast.bursts) return;

  const std::int32_t message = pool_->take();
  Transaction& transaction = (*pool_)[message];
  transaction = {};
  transaction.queue = static_cast<std::int8_t>(model::Queue::load);
  transaction.source = multicast.source;
  transaction.descriptor = multicast.descriptor;
  transaction.all_written = true;
  Packet packet;
  packet.transaction = message;
  packet.source = static_cast<std::int16_t>(map_->arch->node_of_core(core_));
  packet.destination = static_cast<std::int16_t>(multicast.source);
  packet.type = PacketClass::response;
  packet.ready = progress.last_done + Cycles(1);
  multicast.group->actions[core_type_].noc_byte_hops +=
      map_->arch->noc.flit_bytes * map_->routers_between(packet.source, packet.destination);
  noc->send(packet);
}

}  // namespace accsim::sim
