#include "sim/dram/dram_module.h"

#include <algorithm>

#include "sim/noc/memory_server.h"

namespace accsim::sim {
namespace {

model::ClockPeriod dram_period(const model::DramConfig& config) { return {config.tck_ps[0], config.tck_ps[1]}; }

}  // namespace

DramModule::DramModule(const sc_core::sc_module_name& name, const model::DramConfig& config, std::int32_t channel,
                       Clock core_clock, std::int32_t node, std::int64_t flit_bytes, TransactionPool& pool, Trace trace)
    : EventModule(name, Clock(dram_period(config)), Phase::memory),
      noc("noc"),
      in("in"),
      core_clock_(core_clock),
      node_(node),
      flit_bytes_(flit_bytes),
      pool_(&pool),
      trace_(std::move(trace)),
      channel_(config, channel) {
  in.bind(*this);
}

void DramModule::receive(const Packet& packet, Cycles at) {
  (*pool_)[packet.transaction].arrived = at;
  const bool first = requests_.empty();
  requests_.push({packet.transaction, packet.type == PacketClass::write_request, dram_cycle(at)});
  if (first) wake_at(requests_.front().at);
}

void DramModule::answer(const Message& message) {
  Packet request;
  request.transaction = message.transaction;
  Transaction& transaction = (*pool_)[message.transaction];
  const Cycles core_cycle = core_clock_.cycle_from(clock().picoseconds(message.at));
  transaction.left = core_cycle;
  noc->send(answer_to(request, *pool_, node_, flit_bytes_, core_cycle + Cycles(1)));
}

void DramModule::answer_due(Cycles now) {
  for (;;) {
    const Cycles read = channel_.has_completion() ? channel_.next_completion().cycle : kNever;
    const Cycles known = known_.empty() ? kNever : known_.front().at;
    if (std::min(read, known) > now) return;
    if (read <= known) {
      const auto index = static_cast<std::int32_t>(channel_.next_completion().tag);
      channel_.pop_completion();
      answer({index, false, read});
    } else {
      answer(known_.front());
      known_.pop();
    }
  }
}

void DramModule::run(Cycles now) {
  channel_.advance(now);
  answer_due(now);
  // The controller is ahead where a request was refused.
  bool refused = channel_.now() > now;
  Cycles credit = kNever;
  while (!refused && !requests_.empty() && requests_.front().at <= now) {
    const Message request = requests_.front();
    const std::int64_t address = (*pool_)[request.transaction].address;
    if (!offered_ && trace_) trace_(now.value(), address, request.write);
    if (!channel_.can_accept(request.write)) {
      offered_ = refused = true;
      break;
    }
    offered_ = false;
    requests_.pop();
    const Cycles done = channel_.accept(static_cast<std::uint64_t>(request.transaction),
                                        channel_.config().decode(static_cast<std::uint64_t>(address)), request.write);
    // The controller keeps the order in which it accepts requests to a burst: the data change hands here.
    if (data_ != nullptr) data_->serve(request.transaction, Cycles(0), Cycles(0));
    if (done != kNever) known_.push({request.transaction, request.write, done});
    if (credit == kNever) credit = core_clock_.cycle_from(clock().picoseconds(now)) + Cycles(1);
    noc->return_credit(node_, request.write ? PacketClass::write_request : PacketClass::read_request, credit);
  }
  Cycles next = known_.empty() ? kNever : known_.front().at;
  if (refused) {
    // Until the first request is taken nothing else comes in.
    channel_.advance_to_room(requests_.front().write);
    next = std::min(next, channel_.now());
    if (channel_.has_completion()) next = std::min(next, channel_.next_completion().cycle);
  } else {
    next = std::min(next, channel_.wake(false));
    if (!requests_.empty()) next = std::min(next, requests_.front().at);
  }
  if (next != kNever) wake_at(std::max(next, now + Cycles(1)));
}

}  // namespace accsim::sim
