// A node's entry into the network: a queue without bound a class of packets, one flit a cycle. A packet takes the next
// virtual channel (round robin) that has room as its head leaves and keeps it; classes take turns flit by flit. A
// packet may leave in the cycle in which it is ready. Where packets are to keep their order the channel follows from
// the destination. Leaves out: reordering, limits of the queue.
#pragma once
#include <cstdint>
#include <vector>

#include "sim/kernel/time.h"
#include "sim/noc/flit.h"
#include "sim/noc/router.h"

namespace accsim::sim {

struct NocPacket {
  std::int32_t packet = -1;       // the sender's number
  std::uint16_t destination = 0;  // node, or Flit::kMulticast + tree
  std::uint8_t packet_class = 0;  // or the queue, where classes have several
  std::int32_t flits = 1;
  std::int32_t lane = -1;  // where packets keep their order: what the channel follows from, -1 the destination
  Cycles ready;            // not before that of the packet before it in its queue
};

class NocSource {
 public:
  // From a flit's leave to the cycle in which it may bid at the router.
  static constexpr int kFlitCycles = 2;

  explicit NocSource(const RouterConfig& config);
  // `class_of` by queue.
  NocSource(const RouterConfig& config, const std::vector<int>& class_of);

  void accept(const NocPacket& packet);
  // A credit that counts from `at` on; in order of time.
  void accept_credit(int vc, Cycles at);

  // The flit that leaves in cycle `now`, or false. `now` must grow from call to call.
  bool advance(Cycles now, Flit& flit);
  [[nodiscard]] Cycles next_time() const { return next_; }
  // The packet whose turn began in the last advance, -1 if none.
  [[nodiscard]] std::int32_t taken() const { return taken_; }
  [[nodiscard]] bool empty() const { return waiting_ == 0; }
  [[nodiscard]] std::int64_t waiting(std::size_t queue) const {
    return static_cast<std::int64_t>(queues_[queue].count);
  }

 private:
  struct Queue {
    std::vector<NocPacket> packets;  // a ring
    std::size_t first = 0, count = 0;
    std::int32_t sent = 0;  // flits of the first packet
    std::int32_t vc = -1;   // its channel, once its head has left
    bool taken = false;
    std::int32_t packet_class = 0, first_vc = 0, vcs = 0, last_vc = -1;
    [[nodiscard]] const NocPacket& front() const { return packets[first]; }
  };
  struct Credit {
    std::int64_t at;
    std::int32_t vc;
  };
  [[nodiscard]] int choose_vc(const Queue& queue) const;
  Flit take_flit(Queue& queue);

  bool ordered_;
  std::vector<Queue> queues_;
  VcMask taken_vcs_ = 0;  // by packets of which flits are to come
  std::vector<std::int32_t> credits_;
  std::vector<Credit> credits_coming_;
  std::size_t last_queue_ = 0;
  std::int64_t waiting_ = 0;  // packets
  std::int32_t taken_ = -1;
  Cycles next_ = kNever;
};

}  // namespace accsim::sim
