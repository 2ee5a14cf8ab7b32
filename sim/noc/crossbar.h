// A crossbar with virtual output queues. A packet of F flits holds its input and its output link for F cycles; its last
// flit arrives router_cycles + F - 1 cycles after the first enters. Each output serves classes in the order
// response, read, write, signal, and within a class its inputs round robin from the one after the last served.
// Requests to a memory need a credit; memories give them back as they take requests in.
// A node may have several links in and out; a packet takes the one that has been free longest.
// Leaves out: speculation, virtual channels inside a class.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "sim/kernel/time.h"
#include "sim/noc/packet.h"

namespace accsim::sim {

struct CrossbarGrant {
  Packet packet;
  Cycles arrival;
};

class Crossbar {
 public:
  static constexpr std::int64_t kUnlimited = INT64_C(1) << 40;

  struct Node {
    std::int64_t credits = kUnlimited;  // request packets that it can hold; kUnlimited where it always takes them
    std::int64_t links = 1;             // in, and as many out
  };
  Crossbar(std::int64_t router_cycles, const std::vector<Node>& nodes);

  void accept(const Packet& packet);  // from packet.ready on
  void return_credit(std::int32_t node, Cycles now) {
    const auto output = static_cast<std::size_t>(node);
    ++credits_[output];
    possible_[output] = std::min(possible_[output], now.value());
    next_ = std::min(next_, now);
  }

  // Grants all that can start at `now` (each call with a later `now`), in order of output; kNever when nothing waits.
  template <class Deliver>
  void advance(Cycles now, Deliver&& deliver);
  // Earliest cycle at which a grant may be possible, unless a packet or a credit comes.
  [[nodiscard]] Cycles next_time() const { return next_; }

  [[nodiscard]] std::int64_t flits() const { return flits_; }
  // Share of the cycles of `run` in which the busiest node's outgoing links carry flits.
  [[nodiscard]] double busiest_output(Cycles run) const;
  [[nodiscard]] bool empty() const { return waiting_ == 0; }

 private:
  using Mask = std::array<std::uint64_t, 2>;  // 128 nodes
  struct Entry {
    Packet packet;
    std::int32_t next = -1;
  };
  struct Fifo {
    std::int32_t head = -1;
    std::int32_t tail = -1;
  };
  [[nodiscard]] Fifo& fifo(std::size_t type, std::size_t output, std::size_t input) {
    return fifos_[(type * nodes_ + output) * nodes_ + input];
  }
  [[nodiscard]] bool waits(std::size_t output) const {
    return inputs_waiting_[output] != std::array<Mask, kPacketClasses>{};
  }
  // The input that output may serve at `now`, or -1; lowers possible_[output] to when one may be served.
  std::int32_t choose(std::size_t output, std::size_t type, std::int64_t now);
  Packet pop(std::size_t type, std::size_t output, std::size_t input);

  std::size_t nodes_;
  std::int64_t router_cycles_;
  std::vector<std::int64_t> credits_;
  // The links of one direction of a node: cycles from which each is free.
  struct Links {
    std::vector<std::int64_t> free;
    [[nodiscard]] std::size_t first() const {
      return static_cast<std::size_t>(std::min_element(free.begin(), free.end()) - free.begin());
    }
    [[nodiscard]] std::int64_t free_from() const { return free.size() == 1 ? free[0] : free[first()]; }
    void take(std::int64_t until) { free[free.size() == 1 ? 0 : first()] = until; }
  };
  std::vector<Links> inputs_, outputs_;
  std::vector<std::int64_t> output_busy_;
  std::vector<std::int64_t> possible_;  // by output: no grant before this cycle unless a packet or a credit comes
  std::vector<std::uint16_t> last_served_;
  std::vector<Fifo> fifos_;
  std::vector<std::array<Mask, kPacketClasses>> inputs_waiting_;  // per output
  Mask outputs_waiting_{};
  std::vector<Entry> entries_;
  std::int32_t free_entry_ = -1;
  std::int64_t waiting_ = 0;
  std::int64_t flits_ = 0;
  Cycles next_ = kNever;
};

template <class Deliver>
void Crossbar::advance(Cycles now, Deliver&& deliver) {
  if (now < next_) return;
  next_ = kNever;
  const std::int64_t t = now.value();
  for (std::size_t word = 0; word < 2; ++word) {
    for (std::uint64_t bits = outputs_waiting_[word]; bits != 0; bits &= bits - 1) {
      const std::size_t output = word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits));
      std::int64_t& possible = possible_[output];
      if (possible > t) {
        next_ = std::min(next_, Cycles(possible));
        continue;
      }
      possible = kNever.value();
      std::size_t type = 0;
      while (type < kPacketClasses) {
        if (outputs_[output].free_from() > t) {
          if (waits(output)) possible = std::min(possible, outputs_[output].free_from());
          break;
        }
        const std::int32_t input = choose(output, type, t);
        if (input < 0) {
          ++type;
          continue;
        }
        const Packet packet = pop(type, output, static_cast<std::size_t>(input));
        outputs_[output].take(t + packet.flits);
        inputs_[static_cast<std::size_t>(input)].take(t + packet.flits);
        output_busy_[output] += packet.flits;
        flits_ += packet.flits;
        last_served_[output] = static_cast<std::uint16_t>(input);
        deliver(CrossbarGrant{packet, Cycles(t + router_cycles_ + packet.flits - 1)});
      }
      next_ = std::min(next_, Cycles(possible));
    }
  }
}

}  // namespace accsim::sim
