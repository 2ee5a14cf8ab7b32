// Listens between the network and a DRAM channel for a timeline: when the channel has requests, and what it moves.
// Stands there only where a timeline is drawn, and changes nothing. Busy spells with short gaps between them are one.
#pragma once
#include <algorithm>

#include "sim/core/trace_sink.h"
#include "sim/noc/packet.h"

namespace accsim::sim {

class DramTap : public PacketSink, public NocPort {
 public:
  static constexpr std::int64_t kShortGap = 256;  // core cycles

  DramTap(std::int64_t channel, PacketSink& memory, NocPort& network, TransactionPool& pool, TraceSink& trace)
      : channel_(channel), memory_(&memory), network_(&network), pool_(&pool), trace_(&trace) {}

  void receive(const Packet& packet, Cycles at) override {
    if (outstanding_++ == 0 && (end_ == Cycles(0) || at > end_ + Cycles(kShortGap))) {
      finish();
      begin_ = at;
      end_ = at;
    }
    memory_->receive(packet, at);
  }
  void send(const Packet& packet) override {
    const Transaction& transaction = (*pool_)[packet.transaction];
    end_ = std::max(end_, packet.ready);
    (transaction.write ? written_ : read_) += transaction.burst_bytes;
    trace_->burst(transaction.write, transaction.burst_bytes, packet.ready);
    --outstanding_;
    network_->send(packet);
  }
  void return_credit(std::int32_t node, PacketClass type, Cycles at) override {
    network_->return_credit(node, type, at);
  }
  // Tells of the last spell.
  void finish() {
    if (end_ > begin_) trace_->channel_busy(channel_, begin_, end_, read_, written_);
    read_ = written_ = 0;
    begin_ = end_;
  }

 private:
  std::int64_t channel_;
  PacketSink* memory_;
  NocPort* network_;
  TransactionPool* pool_;
  TraceSink* trace_;
  std::int64_t outstanding_ = 0;
  std::int64_t read_ = 0, written_ = 0;
  Cycles begin_, end_;
};

}  // namespace accsim::sim
