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
  requests_.push_back({packet, dram_cycle(at)});
  if (requests_.size() == 1) wake_at(requests_.front().at);
}

void DramModule::answer(const Packet& request, Cycles at) {
  Transaction& transaction = (*pool_)[request.transaction];
  const Cycles core_cycle = core_clock_.cycle_from(clock().picoseconds(at));
  transaction.left = core_cycle;
  noc->send(answer_to(request, transaction, node_, flit_bytes_, core_cycle + Cycles(1)));
}

void DramModule::run(Cycles now) {
  channel_.advance(now);
  while (channel_.has_completion() && channel_.next_completion().cycle <= now) {
    const auto index = static_cast<std::int32_t>(channel_.next_completion().tag);
    const Cycles at = channel_.next_completion().cycle;
    channel_.pop_completion();
    Packet request;
    request.transaction = index;
    answer(request, at);
  }
  while (!known_.empty() && known_.front().at <= now) {
    answer(known_.front().request, known_.front().at);
    known_.pop_front();
  }
  bool refused = false;
  while (!requests_.empty() && requests_.front().at <= now) {
    const Packet packet = requests_.front().packet;
    const Transaction& transaction = (*pool_)[packet.transaction];
    if (!offered_ && trace_) trace_(now.value(), transaction.address, transaction.write);
    if (!channel_.can_accept(transaction.write)) {
      offered_ = refused = true;
      break;
    }
    offered_ = false;
    requests_.pop_front();
    const Cycles done = channel_.accept(static_cast<std::uint64_t>(packet.transaction),
                                        channel_.config().decode(static_cast<std::uint64_t>(transaction.address)),
                                        transaction.write);
    // The controller keeps the order in which it accepts requests to a burst: the data change hands here.
    if (data_ != nullptr) data_->serve(packet.transaction, Cycles(0), Cycles(0));
    if (done != kNever) known_.push_back({packet, done});
    noc->return_credit(node_, core_clock_.cycle_from(clock().picoseconds(now)) + Cycles(1));
  }
  Cycles next = channel_.wake(refused);
  if (!requests_.empty() && !refused) next = std::min(next, requests_.front().at);
  if (!known_.empty()) next = std::min(next, known_.front().at);
  if (next != kNever) wake_at(std::max(next, now + Cycles(1)));
}

}  // namespace accsim::sim
