#include "sim/noc/memory_server.h"

#include <algorithm>

namespace accsim::sim {

Packet answer_to(const Packet& request, const TransactionPool& pool, std::int32_t node, std::int64_t flit_bytes,
                 Cycles ready) {
  const Transaction& transaction = pool[request.transaction];
  Packet answer;
  if (!transaction.write) answer.takers = pool.takers(transaction);
  answer.transaction = request.transaction;
  answer.source = static_cast<std::int16_t>(node);
  answer.destination = static_cast<std::int16_t>(transaction.source);
  answer.type = transaction.write ? PacketClass::acknowledgment : PacketClass::response;
  answer.flits =
      transaction.write ? 1 : static_cast<std::int32_t>(model::ceil_div(transaction.burst_bytes, flit_bytes));
  answer.ready = ready;
  return answer;
}

void MemoryServer::run(Cycles now) {
  memory->memory().advance(now);
  while (!requests_.empty() && requests_.front().at <= now) {
    const Packet packet = requests_.front().packet;
    requests_.pop_front();
    Transaction& transaction = (*pool_)[packet.transaction];
    transaction.arrived = now;
    last_ready_ = std::max(last_ready_,
                           memory->memory().access(Master::remote, now, transaction.address, transaction.burst_bytes));
    transaction.left = last_ready_;
    if (data_ != nullptr && transaction.write && transaction.multicast >= 0) {
      data_->deliver_copy(packet.transaction, core_, last_ready_);
    } else if (data_ != nullptr) {
      data_->serve(packet.transaction, now, last_ready_);
    }
    noc->return_credit(node_, packet.type, now + Cycles(1));
    noc->send(answer_to(packet, *pool_, node_, flit_bytes_, last_ready_ + Cycles(1)));
  }
  if (!requests_.empty()) wake_at(requests_.front().at);
}

}  // namespace accsim::sim
