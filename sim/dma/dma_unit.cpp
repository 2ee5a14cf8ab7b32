#include "sim/dma/dma_unit.h"

#include <algorithm>

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
      pool_(&pool) {
  gathered_lines_.fill(-1);
}

Cycles DmaUnit::take_turn(Cycles earliest) {
  const std::int64_t rate = config_->dma.bytes_per_cycle;
  next_issue_bytes_ = std::max(next_issue_bytes_, earliest.value() * rate);
  const Cycles turn = next_turn();
  next_issue_bytes_ += map_->burst_bytes;
  return turn;
}

template <class Visit>
void DmaUnit::new_lines(std::int64_t number, std::int64_t address, std::int64_t bytes, Visit visit) {
  const std::int64_t port = config_->scratchpad.port_bytes;
  for (std::int64_t line = address / port; line * port < address + bytes; ++line) {
    // The line's number and its instruction's; a line of another instruction is another line.
    const std::int64_t key = (number << 32) | line;
    std::int64_t& gathered = gathered_lines_[static_cast<std::size_t>(line % 64)];
    if (gathered == key) continue;
    gathered = key;
    visit(line * port);
  }
}

void DmaUnit::write_lines(std::int32_t index, Cycles at) {
  BankedMemory& memory = scratchpad->memory();
  if (waiting_.empty()) waiting_.resize(memory.banks());
  Transaction& transaction = (*pool_)[index];
  transaction.waiting_lines = 0;
  Descriptor& descriptor = active_[static_cast<std::size_t>(transaction.descriptor - first_number_)];
  ActionCounts& actions = descriptor.started.group->actions[core_type_];
  Cycles done = at;
  new_lines(transaction.descriptor, transaction.local_address, transaction.bytes, [&](std::int64_t address) {
    actions.scratchpad_write_bytes += memory.port_bytes();
    std::deque<WaitingLine>& queue = waiting_[memory.bank_of(address)];
    if (queue.empty() && memory.first_free(address, done) == done) {
      done = memory.access(Master::load, done, address, memory.port_bytes());
    } else {
      queue.push_back({index, address, done});
      ++waiting_lines_;
      ++transaction.waiting_lines;
      wake_at(done);
    }
  });
  done = std::max(done, at + Cycles(1));
  descriptor.last_done = std::max(descriptor.last_done, done);
  if (transaction.waiting_lines > 0) return;
  if (data() != nullptr) data()->deliver(index, done);
  finish(index, at);
}

void DmaUnit::serve_waiting(Cycles now) {
  if (waiting_lines_ == 0) return;
  BankedMemory& memory = scratchpad->memory();
  for (std::deque<WaitingLine>& queue : waiting_) {
    while (!queue.empty()) {
      const WaitingLine line = queue.front();
      const Cycles free = memory.first_free(line.address, std::max(now, line.since));
      if (free > now) {
        wake_at(free);
        break;
      }
      memory.count_wait(Master::load, line.address, now - line.since);
      waited_bank_ = static_cast<std::int64_t>(memory.bank_of(line.address));
      const Cycles done = memory.access(Master::load, now, line.address, memory.port_bytes());
      queue.pop_front();
      --waiting_lines_;
      Transaction& transaction = (*pool_)[line.transaction];
      Descriptor& descriptor = active_[static_cast<std::size_t>(transaction.descriptor - first_number_)];
      descriptor.last_done = std::max(descriptor.last_done, done);
      if (--transaction.waiting_lines > 0) continue;
      if (data() != nullptr) data()->deliver(line.transaction, done);
      finish(line.transaction, now);
    }
  }
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
  // Request and answer together: one of them carries data.
  actions.noc_byte_hops += (packet.flits + (write() ? 1 : burst_flits_)) * map_->arch->noc.flit_bytes *
                           map_->routers_between(packet.source, packet.destination);
  if (remote.space == Space::global_buffer) {
    (write() ? actions.global_buffer_write_bytes : actions.global_buffer_read_bytes) += map_->burst_bytes;
  }
  if (data() != nullptr) data()->send(core->id(), queue(), index, burst.address, clock().now());
  descriptor.outstanding += 1;
  outstanding_ += 1;
  descriptor.walker.next();
  noc->send(packet);
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
  if (refused_since_ != kNever) memory.count_wait(Master::store, burst.local_address, now - refused_since_);
  refused_since_ = kNever;
  take_turn(now);
  const std::int64_t number = first_number_ + static_cast<std::int64_t>(issuing_);
  ActionCounts& actions = descriptor->started.group->actions[core_type_];
  Cycles read = now;
  new_lines(number, burst.local_address, burst.bytes, [&](std::int64_t address) {
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
  report(Activity::noc_wait, std::min(transaction.arrived, at), {WaitFor::noc});
  report_memory(descriptor, transaction, std::min(transaction.left, at));
  report(Activity::noc_wait, at - Cycles(write() ? 0 : flits), {WaitFor::noc});
  report(descriptor.remote_dram ? Activity::dram_transfer : Activity::transfer, at);

  if (write()) {
    descriptor.last_done = std::max(descriptor.last_done, at);
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
  if (descriptor.outstanding == 0 && descriptor.walker.done()) {
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
    if (!oldest.walker.done() || oldest.outstanding > 0) return;
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
    const Started started = oldest.started;
    active_.pop_front();
    ++first_number_;
    if (issuing_ > 0) --issuing_;
    if (has_head()) wake_at(now + Cycles(1));
    end(started, now);
  }
}

}  // namespace accsim::sim
