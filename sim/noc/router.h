// A router with input buffers and virtual channels, exact to the flit. A flit passes: route computation (heads, where
// route_stage), allocation of an output channel (heads), allocation of the switch, the switch itself, one cycle each;
// with `speculative` heads bid for channel and switch in one cycle and waste the slot where only the switch is won.
// Both allocators are one iteration of iSLIP; of one input's channels that want one output a round robin offers one,
// firm bids before speculative ones. An output channel belongs to a packet from its head's allocation until its tail
// has won the switch. Multicast packets fork: every branch has its own place in the packet, a flit leaves the buffer
// when all branches have sent it, branches at the same place share the read. Leaves out: speed-up, shared buffers,
// priorities. Source: W. Dally and B. Towles, Principles and Practices of Interconnection Networks; N. McKeown, iSLIP,
// 1999; pipeline details after the figures measured on BookSim2 (docs/noc.md).
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sim/kernel/time.h"
#include "sim/noc/flit.h"
#include "sim/noc/topology.h"

namespace accsim::sim {

struct RouterConfig {
  int vcs = 4;           // of each port
  int buffer_flits = 8;  // of each virtual channel
  bool route_stage = false;
  bool speculative = true;
  int credit_delay = 0;  // cycles a credit waits before it counts
  int classes = 1;       // of packets; each has an equal share of the virtual channels
  bool ordered = false;  // packets of a class and destination keep one channel all the way, so that those of one source
                         // cannot overtake each other

  static constexpr int kMostVcs = 32;
  static constexpr int kMostBufferFlits = 256;
  static constexpr int kMostCreditDelay = 32;

  // Routers of 2, 3 or 4 cycles; 3 either without speculation or (`speculative_3`) with it and a route stage.
  static RouterConfig of_cycles(int cycles, bool speculative_3);
  [[nodiscard]] int cycles() const { return 2 + (route_stage ? 1 : 0) + (speculative ? 0 : 1); }
  // From a flit's win of the switch to the cycle in which its buffer place can be bid for again.
  [[nodiscard]] int round_trip() const { return 5 + credit_delay; }
};

class Router {
 public:
  // From a win of the switch to the cycle in which the flit bids at the next router or is at its node: switch, link,
  // write.
  static constexpr int kFlitCycles = 3;
  // From a win of the switch to the cycle in which the credit is at the sender (where credit_delay starts).
  static constexpr int kCreditCycles = 2;

  Router(const RouterConfig& config, const NocTopology& topology, int id);
  ~Router() = default;
  Router(Router&&) = default;
  Router& operator=(Router&&) = default;
  Router(const Router&) = delete;  // its arrays point into its own block
  Router& operator=(const Router&) = delete;

  // A flit that may bid from `at` on, a credit that is here at `at`; both later than the last advance, and at most
  // kHorizon ahead of the time. One flit a port and cycle.
  static constexpr int kHorizon = 8;
  void accept_flit(int port, const Flit& flit, Cycles at) {
    const int slot = slot_of(at);
    flits_coming_[slot * ports_ + port] = flit;
    flit_slots_ |= std::uint64_t{1} << slot;
    bits::set(flit_ports_ + slot * port_words_, port);
  }
  void accept_credit(int port, int vc, Cycles at) {
    const int slot = slot_of(at + Cycles(config_.credit_delay));
    credits_coming_[slot * ports_ + port] |= VcMask{1} << vc;
    bits::set(credit_ports_ + slot * port_words_, port);
  }

  // Does what happens in cycle `now`, which must not be later than next_time(); then sent_flits and sent_credits tell
  // what left. Credits change nothing as long as no flit is here: they are taken in later then. Nor can a flit leave a
  // router without packets before its head has passed the stages: advance goes through these cycles when their end has
  // come, and a packet of one flit that is alone by then takes its channel and the switch without a look at anybody
  // else.
  void advance(Cycles now);
  [[nodiscard]] Cycles next_time() const {
    if (awake_) return Cycles(now_ + 1);
    if (buffered_ > 0) return next_of(slots_pending_);
    const Cycles first = next_of(flit_slots_);
    return first == kNever || open_packets_ > 0 ? first : first + Cycles(stages_);
  }
  [[nodiscard]] bool awake() const { return awake_; }  // the next cycle may change something

  struct SentFlit {
    Flit flit;
    std::int32_t port = 0;  // out
  };
  struct SentCredit {
    std::int16_t port;  // in
    std::int16_t vc;
  };
  [[nodiscard]] std::span<const SentFlit> sent_flits() const { return {sent_flits_, sent_flit_count_}; }
  [[nodiscard]] std::span<const SentCredit> sent_credits() const { return {sent_credits_, sent_credit_count_}; }

  [[nodiscard]] std::int64_t flits_sent(int port) const { return port_flits_[port]; }
  [[nodiscard]] int flits_buffered() const { return buffered_; }

 private:
  enum class State : std::uint16_t { idle, routing, wants_vc, active };
  struct InputVc {
    VcMask allowed = 0;        // output channels that its packet may take
    std::uint16_t head = 0;    // place of the first flit in its ring
    std::uint16_t count = 0;   // flits
    std::uint16_t popped = 0;  // multicast: flits of the packet that have left
    std::uint16_t out = 0;     // port
    std::uint16_t out_vc = 0;
    std::int16_t granted = -1;  // output channel won in this cycle
    State state = State::idle;
    bool fork = false;  // its packet is a multicast
  };
  struct Branch {
    std::uint16_t sent;  // flits
    std::uint16_t out;
    std::uint16_t out_vc;
    std::int16_t granted;
    bool has_vc;
    bool done;
  };
  struct Bid {
    std::int16_t input_vc;
    bool firm;
  };
  struct VcGrant {
    std::int16_t input_vc, out, out_vc;
  };
  struct Win {
    std::int16_t input_vc, out;
  };

  [[nodiscard]] int slot_of(Cycles at) {
    const int slot = static_cast<int>(at.value()) & slot_mask_;
    if (((slots_pending_ >> slot) & 1U) == 0) {
      slots_pending_ |= std::uint64_t{1} << slot;
    } else if (slot_time_[slot] != at.value()) {
      receive(slot);  // credits of a cycle before
      slots_pending_ |= std::uint64_t{1} << slot;
    }
    slot_time_[slot] = at.value();
    return slot;
  }
  [[nodiscard]] Cycles next_of(std::uint64_t slots) const;
  void receive(int slot);
  void step(std::int64_t now);
  bool pass_alone();
  void start_packet(int input_vc);
  void want_vc(int input_vc);
  void want_output(int input_vc, int out);
  template <int Words>
  bool allocate_vcs();
  template <int Words>
  void allocate_output(int out);
  template <int Words>
  bool allocate_switch();
  void bid_branches(int input_vc);
  void bid(int input_vc, int port, int out, bool firm);
  void accept_branches(int port, int first);
  void win(int port, int out, int input_vc, bool has_vc, int granted);
  void take_vcs();
  void send(const Win& win);
  void send_branch(const Win& win);
  void leave(int input_vc, bool tail);
  void put_on_link(int out, int out_vc, Flit flit);
  void lay_out();

  [[nodiscard]] Flit& flit_at(int input_vc, int place) {
    return buffer_[(input_vc << buffer_shift_) + (place & ((1 << buffer_shift_) - 1))];
  }
  [[nodiscard]] VcMask allowed(const Flit& flit, Route::Half half) const;
  [[nodiscard]] int port_of(int input_vc) const { return ports_of_[input_vc]; }

  // Sizes.
  int ports_, vcs_, input_vcs_, port_words_, vc_words_, buffer_shift_ = 0, slot_mask_ = 0;
  // What is on its way here, by cycle modulo slots.
  std::uint64_t slots_pending_ = 0, flit_slots_ = 0;
  std::int64_t* slot_time_ = nullptr;
  std::uint64_t *flit_ports_ = nullptr, *credit_ports_ = nullptr;
  Flit* flits_coming_ = nullptr;
  VcMask* credits_coming_ = nullptr;

  std::int64_t now_ = -1;
  int open_packets_ = 0;  // whose head has come and whose tail has not left
  int stages_ = 0;        // of a head before the cycle in which it can win the switch
  int buffered_ = 0;
  bool awake_ = false;
  bool any_routing_ = false;
  bool restricted_ = false;  // not every packet may take every channel

  // Input channels: state, flits, port.
  InputVc* inputs_ = nullptr;
  Flit* buffer_ = nullptr;
  std::uint16_t* ports_of_ = nullptr;
  // Outputs: channels without owner, channels with a credit, credits by channel.
  VcMask *free_ = nullptr, *ready_ = nullptr;
  std::uint16_t* credits_ = nullptr;
  // Who takes part: input channels in the route stage; by output, those that want a channel; those that bid for the
  // switch.
  std::uint64_t *routing_ = nullptr, *wants_vc_ = nullptr, *outputs_wanted_ = nullptr, *bidding_ = nullptr;

  // Channel allocation: where each side looks first; grants to an input channel; what was accepted.
  std::uint16_t *vc_grant_from_ = nullptr, *vc_accept_from_ = nullptr;
  VcMask* granted_ = nullptr;
  std::int16_t* granted_inputs_ = nullptr;
  VcGrant* vc_grants_ = nullptr;
  int vc_grant_count_ = 0;
  // Switch allocation: where inputs offer, outputs grant, inputs accept first; the bid of an input for an output;
  // inputs that bid, by output; outputs that granted, by input.
  std::uint16_t *offer_from_ = nullptr, *grant_from_ = nullptr, *accept_from_ = nullptr;
  Bid* bids_ = nullptr;
  std::uint64_t *bids_to_ = nullptr, *grants_to_ = nullptr, *outputs_bid_ = nullptr, *inputs_granted_ = nullptr;
  Win* wins_ = nullptr;
  int win_count_ = 0;

  SentFlit* sent_flits_ = nullptr;
  SentCredit* sent_credits_ = nullptr;
  std::size_t sent_flit_count_ = 0, sent_credit_count_ = 0;
  std::int64_t* port_flits_ = nullptr;

  const Route* routes_;
  std::vector<std::uint64_t> memory_;  // holds all of the arrays above side by side
  RouterConfig config_;
  const NocTopology* topology_;
  int id_;
  std::vector<VcMask> allowed_;                // by class and half
  std::vector<std::vector<Branch>> branches_;  // by input channel
};

}  // namespace accsim::sim
