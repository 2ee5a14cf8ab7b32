// The bursts that a DRAM controller has accepted and not yet served, by burst number: who waits for a read, whether a
// write is pending. A fixed pool of nodes in a chained hash table; a node's index stays valid until it is released.
#pragma once
#include <bit>
#include <cstdint>
#include <vector>

namespace accsim::sim {

class PendingTable {
 public:
  struct Waiter {
    std::uint64_t tag = 0;
    std::int64_t accepted = 0;
    std::int32_t next = -1;
  };
  struct Node {
    std::uint64_t burst = 0;
    std::int64_t write_accepted = 0;
    Waiter reader;                   // the first one
    std::int32_t more_readers = -1;  // list in waiters, in order of arrival
    std::int32_t last_reader = -1;
    std::int32_t next = -1;  // in the bucket, or in the free list
    bool read_pending = false;
    bool write_pending = false;
  };

  explicit PendingTable(std::int64_t capacity)
      : nodes_(static_cast<std::size_t>(capacity)),
        buckets_(std::bit_ceil(static_cast<std::size_t>(2 * capacity)), -1),
        shift_(64 - std::countr_zero(buckets_.size())) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) nodes_[i].next = static_cast<std::int32_t>(i) - 1;
    free_ = static_cast<std::int32_t>(nodes_.size()) - 1;
  }

  // The node of a burst; a new one with nothing pending if there is none.
  std::int32_t find_or_add(std::uint64_t burst) {
    std::int32_t& head = buckets_[bucket(burst)];
    for (std::int32_t i = head; i >= 0; i = node(i).next) {
      if (node(i).burst == burst) return i;
    }
    const std::int32_t added = free_;
    free_ = node(added).next;
    node(added) = Node{};
    node(added).burst = burst;
    node(added).next = head;
    head = added;
    return added;
  }

  Node& node(std::int32_t i) { return nodes_[static_cast<std::size_t>(i)]; }
  const Node& node(std::int32_t i) const { return nodes_[static_cast<std::size_t>(i)]; }

  void add_reader(std::int32_t i, std::uint64_t tag, std::int64_t accepted) {
    Node& n = node(i);
    if (!n.read_pending) {
      n.read_pending = true;
      n.reader = {tag, accepted, -1};
      return;
    }
    const std::int32_t added = allocate_waiter({tag, accepted, -1});
    (n.last_reader < 0 ? n.more_readers : waiters_[static_cast<std::size_t>(n.last_reader)].next) = added;
    n.last_reader = added;
  }

  // Calls visit(waiter) for every reader in order of arrival; none is pending afterwards.
  template <class Visit>
  void take_readers(std::int32_t i, Visit visit) {
    Node& n = node(i);
    visit(n.reader);
    for (std::int32_t w = n.more_readers; w >= 0;) {
      const Waiter waiter = waiters_[static_cast<std::size_t>(w)];
      visit(waiter);
      waiters_[static_cast<std::size_t>(w)].next = free_waiter_;
      free_waiter_ = w;
      w = waiter.next;
    }
    n.more_readers = n.last_reader = -1;
    n.read_pending = false;
  }

  // Frees the node if nothing is pending any more.
  void release(std::int32_t i) {
    if (node(i).read_pending || node(i).write_pending) return;
    std::int32_t* link = &buckets_[bucket(node(i).burst)];
    while (*link != i) link = &node(*link).next;
    *link = node(i).next;
    node(i).next = free_;
    free_ = i;
  }

 private:
  [[nodiscard]] std::size_t bucket(std::uint64_t burst) const {
    constexpr std::uint64_t kGoldenRatio = 0x9E3779B97F4A7C15;  // 2^64 / phi: spreads strides
    return static_cast<std::size_t>((burst * kGoldenRatio) >> shift_);
  }
  std::int32_t allocate_waiter(const Waiter& waiter) {
    if (free_waiter_ < 0) {
      waiters_.push_back(waiter);
      return static_cast<std::int32_t>(waiters_.size()) - 1;
    }
    const std::int32_t i = free_waiter_;
    free_waiter_ = waiters_[static_cast<std::size_t>(i)].next;
    waiters_[static_cast<std::size_t>(i)] = waiter;
    return i;
  }

  std::vector<Node> nodes_;
  std::vector<std::int32_t> buckets_;
  std::vector<Waiter> waiters_;
  std::int32_t free_ = -1;
  std::int32_t free_waiter_ = -1;
  int shift_;
};

}  // namespace accsim::sim
