// A crossbar or bus with virtual output queues, packets advanced as a whole. A packet of F flits holds one link of its
// input and one of its output (a bus: the bus) from its first flit to its last: one flit a cycle, slower only where the
// node's buffer is too small for its round trip. Flits arrive router_cycles after they enter. Each output serves
// classes in the order acknowledgment, response, read, write, signal, and within a class its inputs round robin from
// the one after the last served. Requests to a memory need a credit, reads and writes each of their own; memories give
// them back as they take requests in. Each link out ends in `channels` virtual channels of requests and as many of
// answers, with places for `buffer_flits` flits; a place can be used again router_cycles + 1 cycles after. A packet
// takes the channel whose next place is free first. A multicast waits for each of its outputs on its own; outputs that
// take it in the same cycle share its input's link, later ones make it send again; a bus sends it once, when it is the
// input's next packet for all of them. This equals a model of single flits (tests/timing/test_crossbar.cpp). A node may
// have several links in and out. Leaves out: flits of different packets in turn on one link, speculation.
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
    // Request packets that it can hold; kUnlimited where it always takes them.
    std::int64_t read_credits = kUnlimited, write_credits = kUnlimited;
    std::int64_t links = 1;  // in, and as many out
  };
  struct Config {
    std::int64_t router_cycles = 2;
    bool bus = false;               // one packet at a time in all
    std::int64_t channels = 1;      // of requests and of answers, each
    std::int64_t buffer_flits = 8;  // of a channel
  };
  Crossbar(const Config& config, const std::vector<Node>& nodes);

  void accept(const Packet& packet);  // from packet.ready on
  void return_credit(std::int32_t node, PacketClass type, Cycles now) {
    const auto output = static_cast<std::size_t>(node);
    ++credits_[output][static_cast<std::size_t>(type)];
    if (outputs_[output].waiting == 0) return;
    possible_[output] = std::min(possible_[output], now.value());
    next_ = std::min(next_, now);
  }

  // Grants all that can start at `now` (each call with a later `now`), in order of output; kNever when nothing waits.
  template <class Deliver>
  void advance(Cycles now, Deliver&& deliver);
  // Earliest cycle at which a grant may be possible, unless a packet or a credit comes.
  [[nodiscard]] Cycles next_time() const { return next_; }

  [[nodiscard]] std::int64_t flits() const { return flits_; }
  // A request of this class to this node waits for a credit.
  [[nodiscard]] bool short_of_credit(std::int32_t node, PacketClass type) const {
    const auto output = static_cast<std::size_t>(node);
    const auto index = static_cast<std::size_t>(type);
    return credits_[output][index] == 0 && ((outputs_[output].waiting >> index) & 1U) != 0;
  }
  // Packets of answers that wait at this input.
  [[nodiscard]] std::int64_t answers_waiting(std::int32_t node) const {
    return answers_waiting_[static_cast<std::size_t>(node)];
  }
  // Share of the cycles of `run` in which the busiest node's outgoing links (a bus: the bus) carry flits.
  [[nodiscard]] double busiest_link(Cycles run) const;
  [[nodiscard]] bool empty() const { return waiting_ == 0; }

 private:
  static constexpr std::size_t kWords = 2;  // 128 nodes
  using Mask = std::array<std::uint64_t, kWords>;

  // What is kept of a waiting packet; its source, destination and class are those of its queue.
  struct Entry {
    std::int64_t ready;
    std::int32_t transaction;  // of a signal: its number in signals_; of a multicast -2 - its number in forks_
    std::int32_t flits;
  };
  // A multicast: an entry in the queue of each of its outputs.
  struct Fork {
    std::int32_t transaction = -1;
    const std::vector<std::int16_t>* takers = nullptr;
    std::size_t waiting = 0;    // outputs that have not taken it
    std::int64_t started = -1;  // when it was sent last, and until when that takes its input's link
    std::int64_t until = -1;
  };
  // A queue for each class, output and input.
  class Fifo {
   public:
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] const Entry& front() const { return items_[first_]; }
    void push(const Entry& entry) {
      if (count_ == items_.size()) grow();
      items_[(first_ + count_++) & (items_.size() - 1)] = entry;
    }
    void pop() {
      first_ = (first_ + 1) & (items_.size() - 1);
      --count_;
    }

   private:
    void grow();
    std::vector<Entry> items_;  // a ring, its size a power of two
    std::size_t first_ = 0, count_ = 0;
  };
  // The links of one direction of a node, all alike: how many are free, and when the others will be.
  class Links {
   public:
    explicit Links(std::int64_t count) : free_(count), count_(count) {}
    [[nodiscard]] std::int64_t count() const { return count_; }
    [[nodiscard]] bool free_at(std::int64_t now) const { return free_ > 0 || next_ <= now; }
    // Where none is free: when the first will be.
    [[nodiscard]] std::int64_t next() const { return free_ > 0 ? 0 : next_; }
    void take(std::int64_t now, std::int64_t until);
    // One that was taken until `end` stays so until `until`.
    void extend(std::int64_t end, std::int64_t until);

   private:
    std::int64_t free_;  // of those that were free when this was last looked at
    std::int64_t count_;
    std::int64_t next_ = kNever.value();  // the earliest end of the others
    std::vector<std::int64_t> ends_;
  };
  struct Output {
    std::uint32_t waiting = 0;  // classes with a packet, as bits
    std::uint32_t last_served = 0;
    std::int64_t busy = 0;  // flits
    std::array<Mask, kPacketClasses> inputs{};
  };
  // A link out whose channels' buffers are shorter than their round trip: cycles from which each place is free again.
  struct Places {
    std::vector<std::int64_t> free;   // by channel and place
    std::vector<std::size_t> oldest;  // by channel
  };
  struct TightLink {
    std::int64_t free = 0;
    std::array<Places, 2> classes;  // requests, answers
  };
  struct Start {
    std::int64_t at;
    std::size_t link, channel;
  };

  static bool request(std::size_t type) {
    return type == static_cast<std::size_t>(PacketClass::read_request) ||
           type == static_cast<std::size_t>(PacketClass::write_request);
  }
  [[nodiscard]] Fifo& fifo(std::size_t type, std::size_t output, std::size_t input) {
    return fifos_[(type * nodes_ + output) * nodes_ + input];
  }
  // Of the inputs in `mask`: those that may start at `now`; lowers `possible` to when the others may.
  Mask ready_inputs(const Mask& mask, std::size_t type, std::size_t output, std::int64_t now, std::int64_t& possible);
  [[nodiscard]] bool ready(std::size_t type, std::size_t output, std::size_t input, std::int64_t now,
                           std::int64_t& possible) {
    const Entry& first = fifo(type, output, input).front();
    const std::int64_t at = std::max(first.ready, inputs_[input].next());
    if (at <= now || (forks(type, first) && fork_of(first).started == now)) return true;
    possible = std::min(possible, at);
    return false;
  }
  static bool forks(std::size_t type, const Entry& entry) {
    return entry.transaction < -1 && type != static_cast<std::size_t>(PacketClass::signal);
  }
  [[nodiscard]] Fork& fork_of(const Entry& entry) { return forks_[static_cast<std::size_t>(-2 - entry.transaction)]; }
  void enqueue(std::size_t type, std::size_t output, std::size_t input, const Entry& entry);
  [[nodiscard]] Start earliest_start(std::size_t output, std::size_t type) const;
  // Of the packet that this input has first for this output, to all its outputs (a bus); kNever if it is not first
  // everywhere.
  [[nodiscard]] std::int64_t common_start(std::size_t type, std::size_t output, std::size_t input, std::int64_t now);
  template <class Deliver>
  void serve_output(std::size_t output, std::int64_t now, Deliver&& deliver);
  template <class Deliver>
  void serve_bus(std::int64_t now, Deliver&& deliver);
  // Takes the packet out of its queue, its links from now on; returns it and its arrival.
  CrossbarGrant grant(std::size_t type, std::size_t output, std::size_t input, std::int64_t now);
  Entry dequeue(std::size_t type, std::size_t output, std::size_t input);
  std::int64_t send_flits(std::size_t output, std::size_t type, std::int64_t flits, std::int64_t now);
  template <class Deliver>
  std::int64_t grant_on_bus(std::size_t type, std::size_t output, std::size_t input, std::int64_t now,
                            Deliver&& deliver);
  std::int64_t send_on_bus(const std::vector<std::int16_t>& outputs, std::size_t type, std::int64_t flits,
                           std::int64_t now);

  Config config_;
  std::size_t nodes_, words_;
  bool tight_;                                                     // buffers shorter than the round trip
  std::vector<std::array<std::int64_t, kPacketClasses>> credits_;  // by output and class
  std::vector<Links> inputs_, output_links_;
  std::vector<std::int64_t> input_flits_;
  std::vector<Output> outputs_;
  std::vector<std::vector<TightLink>> tight_links_;  // by output
  std::vector<std::int64_t> possible_;  // by output: no grant before this cycle unless a packet or a credit comes
  std::vector<Fifo> fifos_;
  std::vector<SignalMessage> signals_;
  std::vector<std::int32_t> free_signals_;
  std::vector<Fork> forks_;
  std::vector<std::int32_t> free_forks_;
  std::vector<std::int64_t> answers_waiting_;
  Mask outputs_waiting_{};
  std::int64_t bus_free_ = 0;
  std::uint32_t bus_last_served_ = 0;
  std::int64_t waiting_ = 0;
  std::int64_t flits_ = 0;
  Cycles next_ = kNever;
};

// The first input of the mask after `last`, cyclic; the mask is not empty.
namespace crossbar_detail {
inline std::size_t after(const std::array<std::uint64_t, 2>& mask, std::uint32_t last) {
  const std::uint32_t from = last + 1;
  const std::size_t word = from >> 6;
  if (word < 2) {
    if (const std::uint64_t later = mask[word] & (~std::uint64_t{0} << (from & 63)); later != 0) {
      return word * 64 + static_cast<std::size_t>(__builtin_ctzll(later));
    }
    if (word == 0 && mask[1] != 0) return 64 + static_cast<std::size_t>(__builtin_ctzll(mask[1]));
  }
  if (mask[0] != 0) return static_cast<std::size_t>(__builtin_ctzll(mask[0]));
  return 64 + static_cast<std::size_t>(__builtin_ctzll(mask[1]));
}
}  // namespace crossbar_detail

template <class Deliver>
void Crossbar::serve_output(std::size_t o, std::int64_t t, Deliver&& deliver) {
  Output& output = outputs_[o];
  std::int64_t& possible = possible_[o];
  possible = kNever.value();
  const Links& links = output_links_[o];
  for (std::uint32_t types = output.waiting; types != 0; types &= types - 1) {
    const auto type = static_cast<std::size_t>(__builtin_ctz(types));
    const bool limited = request(type);
    if (limited && credits_[o][type] == 0) continue;  // the credit's return wakes
    Mask ready_now = ready_inputs(output.inputs[type], type, o, t, possible);
    while ((ready_now[0] | ready_now[1]) != 0) {
      if (tight_) {
        if (const std::int64_t start = earliest_start(o, type).at; start > t) {
          possible = std::min(possible, start);
          break;
        }
      } else if (!links.free_at(t)) {
        possible = links.next();
        return;
      }
      const std::size_t input = crossbar_detail::after(ready_now, output.last_served);
      output.last_served = static_cast<std::uint32_t>(input);
      deliver(grant(type, o, input, t));
      const bool more = ((output.inputs[type][input >> 6] >> (input & 63)) & 1U) != 0;
      if (!more || !ready(type, o, input, t, possible)) {
        ready_now[input >> 6] &= ~(std::uint64_t{1} << (input & 63));
      }
      if (limited && credits_[o][type] == 0) break;
    }
  }
}

// Returns the arrival.
template <class Deliver>
std::int64_t Crossbar::grant_on_bus(std::size_t type, std::size_t o, std::size_t input, std::int64_t now,
                                    Deliver&& deliver) {
  const Entry first = fifo(type, o, input).front();
  if (!forks(type, first)) {
    const CrossbarGrant granted = grant(type, o, input, now);
    deliver(granted);
    return granted.arrival.value();
  }
  const Fork fork = fork_of(first);
  const std::int64_t last = send_on_bus(*fork.takers, type, first.flits, now);
  outputs_[o].busy += first.flits;
  input_flits_[input] += first.flits;
  flits_ += first.flits;
  inputs_[input].take(now, last + 1);
  CrossbarGrant granted;
  granted.arrival = Cycles(last + config_.router_cycles);
  granted.packet.transaction = fork.transaction;
  granted.packet.takers = fork.takers;
  granted.packet.source = static_cast<std::int16_t>(input);
  granted.packet.flits = first.flits;
  granted.packet.type = static_cast<PacketClass>(type);
  granted.packet.ready = Cycles(first.ready);
  for (const std::int16_t taker : *fork.takers) {
    dequeue(type, static_cast<std::size_t>(taker), input);
    granted.packet.destination = taker;
    deliver(granted);
  }
  return granted.arrival.value();
}

template <class Deliver>
void Crossbar::serve_bus(std::int64_t t, Deliver&& deliver) {
  if (bus_free_ > t) {
    if (waiting_ > 0) next_ = Cycles(bus_free_);
    return;
  }
  std::int64_t possible = kNever.value();
  for (std::size_t type = 0; type < kPacketClasses; ++type) {
    // The first input after the last served with a packet; of its packets the one that was ready first.
    std::size_t best_distance = nodes_;
    std::size_t best_output = 0;
    std::int64_t best_ready = 0;
    for (std::size_t o = 0; o < nodes_; ++o) {
      if (((outputs_[o].waiting >> type) & 1U) == 0 || (request(type) && credits_[o][type] == 0)) continue;
      Mask ready_now = ready_inputs(outputs_[o].inputs[type], type, o, t, possible);
      std::size_t input = 0;
      bool found = false;
      while (!found && (ready_now[0] | ready_now[1]) != 0) {
        input = crossbar_detail::after(ready_now, bus_last_served_);
        const std::int64_t start = common_start(type, o, input, t);
        found = start <= t;
        if (found) break;
        possible = std::min(possible, start);
        ready_now[input >> 6] &= ~(std::uint64_t{1} << (input & 63));
      }
      if (!found) continue;
      const std::size_t distance = (input + 2 * nodes_ - bus_last_served_ - 1) % nodes_;
      const std::int64_t since = fifo(type, o, input).front().ready;
      if (distance > best_distance || (distance == best_distance && since >= best_ready)) continue;
      best_distance = distance;
      best_output = o;
      best_ready = since;
    }
    if (best_distance == nodes_) continue;
    const std::size_t input = (bus_last_served_ + 1 + best_distance) % nodes_;
    bus_last_served_ = static_cast<std::uint32_t>(input);
    bus_free_ = grant_on_bus(type, best_output, input, t, deliver) - config_.router_cycles + 1;
    possible = waiting_ > 0 ? bus_free_ : kNever.value();
    break;
  }
  next_ = std::min(next_, Cycles(possible));
}

template <class Deliver>
void Crossbar::advance(Cycles now, Deliver&& deliver) {
  if (now < next_) return;
  next_ = kNever;
  if (config_.bus) {
    serve_bus(now.value(), deliver);
    return;
  }
  for (std::size_t word = 0; word < words_; ++word) {
    for (std::uint64_t bits = outputs_waiting_[word]; bits != 0; bits &= bits - 1) {
      const std::size_t output = word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits));
      if (possible_[output] <= now.value()) serve_output(output, now.value(), deliver);
      next_ = std::min(next_, Cycles(possible_[output]));
    }
  }
}

}  // namespace accsim::sim
