// What travels on the chip: memory transactions of one burst each, and semaphore signals. A packet carries its header
// beside the first flit. Messages between modules are calls with the cycle at which the last flit arrives, which may
// lie ahead of now; every message takes at least one cycle.
#pragma once
#include <cstdint>
#include <deque>
#include <systemc>
#include <vector>

#include "model/base/units.h"

namespace accsim::sim {

using model::Cycles;

// In the order in which links serve them. An acknowledgment does not wait behind the data of reads.
enum class PacketClass : std::uint8_t { acknowledgment, response, read_request, write_request, signal };
inline constexpr std::size_t kPacketClasses = 5;

struct GroupRun;

// A multicast that runs, made by the DMA queue that issues it: who takes its bursts. Every taker but the queue's own
// core counts what it has written and says when it has all.
struct Multicast {
  std::vector<std::int16_t> nodes;  // that the bursts go to
  std::int64_t serial = 0;          // running number
  std::int64_t bursts = 0;          // in all
  std::int32_t source = 0;          // node of the queue
  std::int64_t descriptor = 0;      // its instruction, see below
  GroupRun* group = nullptr;
};

// One burst on its way: made by a DMA queue, answered by a memory, returned to the queue.
struct Transaction {
  std::int64_t address = 0;        // of the burst in the remote memory
  std::int64_t local_address = 0;  // first useful byte in the own scratchpad
  std::int32_t bytes = 0;          // useful bytes
  std::int32_t burst_bytes = 0;    // bytes that the memory moves
  std::int32_t source = 0;         // node that asked
  std::int8_t queue = 0;           // load or store queue of that node
  bool write = false;
  std::int32_t waiting_lines = 0;  // that wait for their bank
  std::int64_t descriptor = 0;     // running number of the instruction in its queue
  Cycles issued, arrived, left;    // request sent, request at the memory, answer sent
  std::int32_t multicast = -1;     // that it is part of
  std::int32_t users = 1;          // who give it back
  bool all_written = false;        // no burst: a taker of a multicast has all of it
};

// Transactions live here; indices stay valid until they are given back.
class TransactionPool {
 public:
  std::int32_t take() {
    if (free_.empty()) {
      items_.emplace_back();
      return static_cast<std::int32_t>(items_.size()) - 1;
    }
    const std::int32_t index = free_.back();
    free_.pop_back();
    return index;
  }
  void give_back(std::int32_t index) {
    if (--items_[index].users > 0) return;
    free_.push_back(index);
    ++given_back_;
  }
  [[nodiscard]] std::int64_t given_back() const { return given_back_; }  // so far
  Transaction& operator[](std::int32_t index) { return items_[static_cast<std::size_t>(index)]; }
  const Transaction& operator[](std::int32_t index) const { return items_[static_cast<std::size_t>(index)]; }

  std::int32_t begin_multicast() {
    if (free_multicasts_.empty()) {
      free_multicasts_.push_back(static_cast<std::int32_t>(multicasts_.size()));
      multicasts_.emplace_back();
    }
    const std::int32_t index = free_multicasts_.back();
    free_multicasts_.pop_back();
    multicasts_[static_cast<std::size_t>(index)].serial = ++multicasts_begun_;
    return index;
  }
  void end_multicast(std::int32_t index) { free_multicasts_.push_back(index); }
  Multicast& multicast(std::int32_t index) { return multicasts_[static_cast<std::size_t>(index)]; }
  // Where a burst goes; null: to one node.
  [[nodiscard]] const std::vector<std::int16_t>* takers(const Transaction& transaction) const {
    return transaction.multicast < 0 ? nullptr : &multicasts_[static_cast<std::size_t>(transaction.multicast)].nodes;
  }

 private:
  std::vector<Transaction> items_;
  std::vector<std::int32_t> free_;
  std::int64_t given_back_ = 0;
  std::deque<Multicast> multicasts_;  // stay where they are
  std::vector<std::int32_t> free_multicasts_;
  std::int64_t multicasts_begun_ = 0;
};

struct SignalMessage {
  std::int32_t semaphore = 0;
  std::int32_t count = 0;
  std::int8_t parity = 0;  // of the group
};

struct Packet {
  std::int32_t transaction = -1;  // unless it is a signal
  std::int16_t source = 0;
  std::int16_t destination = 0;
  std::int32_t flits = 1;
  PacketClass type = PacketClass::response;
  SignalMessage signal;
  const std::vector<std::int16_t>* takers = nullptr;  // of a multicast: the nodes it goes to, instead of `destination`
  Cycles ready;  // first cycle in which it may enter the network; set by the sender
};

// A node's exit from the network.
class PacketSink : public virtual sc_core::sc_interface {
 public:
  // The last flit arrives at `at` (now or later). Calls for one node come in the order of arrival.
  virtual void receive(const Packet& packet, Cycles at) = 0;
};

// The entry. Packets of one source, destination and class keep their order; their ready cycles must not decrease.
class NocPort : public virtual sc_core::sc_interface {
 public:
  virtual void send(const Packet& packet) = 0;
  // A memory tells that it has room for one more request, a read or a write, from `at` on.
  virtual void return_credit(std::int32_t node, PacketClass type, Cycles at) = 0;
};

}  // namespace accsim::sim
