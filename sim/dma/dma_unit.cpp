#include "sim/dma/dma_unit.h"

#include <algorithm>

#include "model/program/timing.h"

namespace accsim::sim {

using model::Space;

std::int32_t NocMap::node_of(const model::Place& place, std::int64_t address) const {
  switch (place.space) {
    case Space::dram:
      return static_cast<std::int32_t>(
          arch->node_of_channel(arch->dram.channel_of(static_cast<std::uint64_t>(address))));
    case Space::global_buffer:
      return static_cast<std::int32_t>(arch->node_of_global_buffer());
    case Space::scratchpad:
      return static_cast<std::int32_t>(arch->node_of_core(place.core));
    case Space::accumulator:
      break;
  }
  throw model::InternalError("a copy cannot reach an accumulator over the network");
}

DmaUnit::DmaUnit(const sc_core::sc_module_name& name, Clock clock, model::Queue queue, const model::CoreConfig& config,
                 std::size_t core_type, const NocMap& map, TransactionPool& pool)
    : QueueUnit(name, clock, queue),
      scratchpad("scratchpad"),
      noc("noc"),
      config_(&config),
      core_type_(core_type),
      map_(&map),
      channel_node_(static_cast<std::int32_t>(map.arch->node_of_channel(0))),
      burst_flits_(model::ceil_div(map.burst_bytes, map.arch->noc.flit_bytes)),
      pool_(&pool) {}

Cycles DmaUnit::take_turn(Cycles earliest) {
  const std::int64_t rate = config_->dma.bytes_per_cycle;
  next_issue_bytes_ = std::max(next_issue_bytes_, earliest.value() * rate);
  const Cycles turn = next_turn();
  next_issue_bytes_ += map_->burst_bytes;
  return turn;
}

void DmaUnit::write_lines(std::int32_t index, Cycles at) {
  BankedMemory& memory = scratchpad->memory();
  Transaction& transaction = (*pool_)[index];
  Descriptor& descriptor = active_[static_cast<std::size_t>(transaction.descriptor - first_number_)];
  const LineWriter::Written written =
      writer_.write(memory, transaction.descriptor, index, transaction.local_address, transaction.bytes, at);
  transaction.waiting_lines = written.waiting;
  if (written.wake != kNever) wake_at(written.wake);
  descriptor.started.group->actions[core_type_].scratchpad_write_bytes += written.lines * memory.port_bytes();
  const Cycles done = std::max(written.done, at + Cycles(1));
  descriptor.last_done = std::max(descriptor.last_done, done);
  if (written.waiting == 0) take_in(index, done, at);
}

void DmaUnit::take_in(std::int32_t index, Cycles done, Cycles now) {
  if (data() != nullptr) {
    if ((*pool_)[index].multicast >= 0) {
      data()->deliver_copy(index, core->id(), done);
    } else {
      data()->deliver(index, done);
    }
  }
  finish(index, now);
}

void DmaUnit::serve_waiting(Cycles now) {
  const Cycles again =
      writer_.serve(scratchpad->memory(), now, [&](std::int32_t index, std::int64_t bank, Cycles done) {
        waited_bank_ = bank;
        Transaction& transaction = (*pool_)[index];
        Descriptor& descriptor = active_[static_cast<std::size_t>(transaction.descriptor - first_number_)];
        descriptor.last_done = std::max(descriptor.last_done, done);
        if (--transaction.waiting_lines == 0) take_in(index, done, now);
      });
  if (again != kNever) wake_at(again);
}

DmaUnit::Descriptor* DmaUnit::next_to_issue() {
  while (issuing_ < active_.size() && active_[issuing_].walker.done()) ++issuing_;
  return issuing_ < active_.size() ? &active_[issuing_] : nullptr;
}

void DmaUnit::run(Cycles now) {
  scratchpad->memory().advance(now);
  serve_waiting(now);
  retire(now);
  if (static_cast<std::int64_t>(active_.size()) < config_->dma.channels && may_start(now)) {
    const Started started = start(now);
    const auto& copy = std::get<model::Copy>(started.instruction->op);
    const bool remote_dram = (write() ? copy.dst : copy.src).place.space == Space::dram;
    if (active_.empty()) report_waiting(*started.group, now + Cycles(1));
    active_.push_back(
        {started, BurstWalker(copy, !write(), map_->burst_bytes), now + Cycles(1), now + Cycles(1), 0, remote_dram});
    if (!copy.multicast.empty()) {
      begin_multicast(active_.back(), first_number_ + static_cast<std::int64_t>(active_.size()) - 1);
    }
    model::GroupMeasurement& measured = started.group->measured;
    (write() ? measured.store_instructions : measured.load_instructions) += 1;
    (write() ? measured.useful_written : measured.useful_read) += copy.bytes();
    if (has_head() && static_cast<std::int64_t>(active_.size()) < config_->dma.channels) wake_at(now + Cycles(1));
    if (active_.back().walker.done()) wake_at(now + Cycles(1));  // an empty copy
  }
  if (write()) {
    issue_store(now);
  } else {
    issue_loads(now);
  }
}

void DmaUnit::begin_multicast(Descriptor& descriptor, std::int64_t number) {
  const auto& copy = std::get<model::Copy>(descriptor.started.instruction->op);
  descriptor.multicast = pool_->begin_multicast();
  Multicast& multicast = pool_->multicast(descriptor.multicast);
  multicast.nodes = {static_cast<std::int16_t>(map_->arch->node_of_core(copy.dst.place.core))};
  for (const model::CoreId taker : copy.multicast) {
    multicast.nodes.push_back(static_cast<std::int16_t>(map_->arch->node_of_core(taker)));
  }
  multicast.bursts = model::burst_count(write() ? copy.dst : copy.src, copy, map_->burst_bytes);
  multicast.source = static_cast<std::int32_t>(map_->arch->node_of_core(core->id()));
  multicast.descriptor = number;
  multicast.group = descriptor.started.group;
  if (!write()) descriptor.takers = static_cast<std::int64_t>(copy.multicast.size());
}

void DmaUnit::send(Descriptor& descriptor, std::int64_t number, Cycles ready) {
  const Burst& burst = descriptor.walker.current();
  const auto& copy = std::get<model::Copy>(descriptor.started.instruction->op);
  const model::Place& remote = (write() ? copy.dst : copy.src).place;
  const std::int32_t index = pool_->take();
  Transaction& transaction = (*pool_)[index];
  transaction.address = burst.address;
  transaction.local_address = burst.local_address;
  transaction.bytes = static_cast<std::int32_t>(burst.bytes);
  transaction.burst_bytes = static_cast<std::int32_t>(map_->burst_bytes);
  transaction.source = static_cast<std::int32_t>(map_->arch->node_of_core(core->id()));
  transaction.queue = static_cast<std::int8_t>(queue());
  transaction.write = write();
  transaction.descriptor = number;
  transaction.issued = ready;
  transaction.multicast = descriptor.multicast;
  transaction.users = 1;
  transaction.all_written = false;

  Packet packet;
  packet.transaction = index;
  packet.source = static_cast<std::int16_t>(transaction.source);
  packet.destination = static_cast<std::int16_t>(
      descriptor.remote_dram ? channel_node_ + map_->arch->dram.channel_of(static_cast<std::uint64_t>(burst.address))
                             : map_->node_of(remote, burst.address));
  packet.type = write() ? PacketClass::write_request : PacketClass::read_request;
  packet.flits = 1;
  if (write()) {
    packet.flits = static_cast<std::int32_t>(
        burst.bytes == map_->burst_bytes ? burst_flits_ : model::ceil_div(burst.bytes, map_->arch->noc.flit_bytes));
  }
  packet.ready = ready + Cycles(1);

  model::GroupMeasurement& measured = descriptor.started.group->measured;
  if (descriptor.remote_dram) {
    (write() ? measured.write_bursts : measured.read_bursts) += 1;
    (write() ? measured.dram_written : measured.dram_read) += model::Bytes(map_->burst_bytes);
  }
  ActionCounts& actions = descriptor.started.group->actions[core_type_];
  actions.dma_bytes += map_->burst_bytes;
  if (descriptor.multicast < 0) {
    // Request and answer together: one of them carries data.
    actions.noc_byte_hops += (packet.flits + (write() ? 1 : burst_flits_)) * map_->arch->noc.flit_bytes *
                             map_->routers_between(packet.source, packet.destination);
  } else {
    count_multicast(packet, actions);
    transaction.users = static_cast<std::int32_t>(pool_->multicast(descriptor.multicast).nodes.size());
    if (write()) packet.takers = pool_->takers(transaction);
  }
  if (remote.space == Space::global_buffer) {
    (write() ? actions.global_buffer_write_bytes : actions.global_buffer_read_bytes) += map_->burst_bytes;
  }
  if (remote.space == Space::scratchpad) {
    const auto count = [&](model::CoreId other) {
      ActionCounts& theirs = descriptor.started.group->actions[map_->core_types[other.index()]];
      (write() ? theirs.scratchpad_write_bytes : theirs.scratchpad_read_bytes) += map_->burst_bytes;
    };
    count(remote.core);
    if (write()) std::for_each(copy.multicast.begin(), copy.multicast.end(), count);
  }
  if (data() != nullptr) data()->send(core->id(), queue(), index, burst.address, clock().now());
  descriptor.outstanding += 1;
  outstanding_ += 1;
  descriptor.walker.next();
  noc->send(packet);
}

// A request goes to one node and data to all, or data to all and acknowledgments come back from each.
void DmaUnit::count_multicast(const Packet& packet, ActionCounts& actions) const {
  const std::vector<std::int16_t>& takers = pool_->multicast((*pool_)[packet.transaction].multicast).nodes;
  std::int64_t flit_hops = 0;
  if (write()) {
    flit_hops = packet.flits * map_->hops_to_all(packet.source, takers);
    for (const std::int16_t taker : takers) flit_hops += map_->routers_between(taker, packet.source);
  } else {
    flit_hops = packet.flits * map_->routers_between(packet.source, packet.destination) +
                burst_flits_ * map_->hops_to_all(packet.destination, takers);
  }
  actions.noc_byte_hops += flit_hops * map_->arch->noc.flit_bytes;
}

// Nothing can change when a load's bursts go out but the return of others, so all that may go out are sent ahead.
void DmaUnit::issue_loads(Cycles from) {
  while (outstanding_ < config_->dma.outstanding) {
    Descriptor* descriptor = next_to_issue();
    if (descriptor == nullptr) return;
    const Cycles ready = take_turn(std::max(from, descriptor->begin));
    send(*descriptor, first_number_ + static_cast<std::int64_t>(issuing_), ready);
  }
}

// A store reads its banks when its turn comes, not ahead: others may want them in between.
void DmaUnit::issue_store(Cycles now) {
  Descriptor* descriptor = next_to_issue();
  if (descriptor == nullptr || outstanding_ >= config_->dma.outstanding) return;
  const Cycles ready = std::max(next_turn(), descriptor->begin);
  if (ready > now) {
    wake_at(ready);
    return;
  }
  BankedMemory& memory = scratchpad->memory();
  const Burst& burst = descriptor->walker.current();
  const Cycles free = memory.first_free(burst.local_address, now);
  if (free > now) {
    if (refused_since_ == kNever) refused_since_ = now;
    wake_at(free);
    return;
  }
  if (refused_since_ != kNever) memory.count_wait(Master::store, burst.local_address, refused_since_, now);
  refused_since_ = kNever;
  take_turn(now);
  const std::int64_t number = first_number_ + static_cast<std::int64_t>(issuing_);
  ActionCounts& actions = descriptor->started.group->actions[core_type_];
  Cycles read = now;
  read_lines_.new_lines(memory.port_bytes(), number, burst.local_address, burst.bytes, [&](std::int64_t address) {
    actions.scratchpad_read_bytes += memory.port_bytes();
    read = memory.access(Master::store, read, address, memory.port_bytes());
  });
  last_ready_ = std::max(last_ready_, std::max(read, now + Cycles(1)));
  // The bank sets the pace where it is slower than the engine.
  next_issue_bytes_ = std::max(next_issue_bytes_, (last_ready_.value() - 1) * config_->dma.bytes_per_cycle);
  send(*descriptor, number, last_ready_);
  if (next_to_issue() != nullptr && outstanding_ < config_->dma.outstanding) wake_at(std::max(now, next_turn()));
}

void DmaUnit::receive_answer(std::int32_t index, std::int32_t flits, Cycles at) {
  const Transaction& transaction = (*pool_)[index];
  Descriptor& descriptor = active_[static_cast<std::size_t>(transaction.descriptor - first_number_)];
  if (transaction.all_written) {
    report(Activity::noc_wait, at, {WaitFor::noc});
    descriptor.last_done = std::max(descriptor.last_done, at);
    descriptor.takers -= 1;
    pool_->give_back(index);
    if (descriptor.ended()) wake_at(active_.front().last_done);
    return;
  }
  report(Activity::noc_wait, std::min(transaction.arrived, at), {WaitFor::noc});
  report_memory(descriptor, transaction, std::min(transaction.left, at));
  report(Activity::noc_wait, at - Cycles(write() ? 0 : flits), {WaitFor::noc});
  report(descriptor.remote_dram ? Activity::dram_transfer : Activity::transfer, at);

  if (write()) {
    descriptor.last_done = std::max(descriptor.last_done, at);
    if (transaction.users > 1) {  // others have still to take it
      pool_->give_back(index);
      return;
    }
    finish(index, at);
  } else {
    write_lines(index, at);
  }
}

void DmaUnit::report_memory(const Descriptor& descriptor, const Transaction& transaction, Cycles until) {
  if (until <= reported()) return;
  const auto& copy = std::get<model::Copy>(descriptor.started.instruction->op);
  const model::Place& remote = (write() ? copy.dst : copy.src).place;
  WaitCause cause{WaitFor::global_buffer};
  if (descriptor.remote_dram) {
    cause = {WaitFor::dram_channel, map_->arch->dram.channel_of(static_cast<std::uint64_t>(transaction.address))};
  } else if (remote.space == Space::scratchpad) {
    cause = {WaitFor::other_scratchpad, remote.core.value()};
  }
  report(descriptor.remote_dram ? Activity::dram_wait : Activity::noc_wait, until, cause);
}

void DmaUnit::finish(std::int32_t index, Cycles at) {
  Descriptor& descriptor = active_[static_cast<std::size_t>((*pool_)[index].descriptor - first_number_)];
  descriptor.outstanding -= 1;
  outstanding_ -= 1;
  pool_->give_back(index);
  if (descriptor.ended()) {
    wake_at(active_.front().last_done);
  }
  if (write()) {
    if (next_to_issue() != nullptr) wake_at(std::max(at, next_turn()));
  } else {
    issue_loads(at);
  }
}

void DmaUnit::retire(Cycles now) {
  while (!active_.empty()) {
    const Descriptor& oldest = active_.front();
    if (!oldest.ended()) return;
    if (oldest.last_done > now) {
      wake_at(oldest.last_done);
      return;
    }
    model::GroupMeasurement& measured = oldest.started.group->measured;
    // What is left: the banks.
    report(Activity::operand_stall, now,
           waited_bank_ < 0 ? WaitCause{WaitFor::scratchpad_port} : WaitCause{WaitFor::scratchpad_bank, waited_bank_});
    waited_bank_ = -1;
    draw(oldest.started);
    const Cycles since = std::max(oldest.begin, last_retired_);
    (write() ? measured.store_busy : measured.load_busy) += now - std::min(since, now);
    last_retired_ = now;
    if (oldest.multicast >= 0) pool_->end_multicast(oldest.multicast);
    const Started started = oldest.started;
    active_.pop_front();
    ++first_number_;
    if (issuing_ > 0) --issuing_;
    if (has_head()) wake_at(now + Cycles(1));
    end(started, now);
  }
}

}  // namespace accsim::sim
