#include "sim/noc/router.h"

#include <algorithm>
#include <bit>
#include <type_traits>

#include "model/base/error.h"

namespace accsim::sim {

RouterConfig RouterConfig::of_cycles(int cycles, bool speculative_3) {
  RouterConfig config;
  config.route_stage = cycles == 4 || (cycles == 3 && speculative_3);
  config.speculative = cycles == 2 || (cycles == 3 && speculative_3);
  return config;
}

Router::Router(const RouterConfig& config, const NocTopology& topology, int id)
    : ports_(topology.ports()),
      vcs_(config.vcs),
      input_vcs_(ports_ * vcs_),
      port_words_(bits::words(ports_)),
      vc_words_(bits::words(input_vcs_)),
      routes_(topology.routes(id)),
      config_(config),
      topology_(&topology),
      id_(id) {
  const int own = config.classes > 0 ? config.vcs / config.classes : 0;  // channels of a class
  if (own < (topology.splits_vcs() ? 2 : 1) || config.vcs > RouterConfig::kMostVcs || config.buffer_flits < 1 ||
      config.buffer_flits > RouterConfig::kMostBufferFlits || config.credit_delay < 0 ||
      config.credit_delay > RouterConfig::kMostCreditDelay || ports_ > NocTopology::kMostPorts) {
    throw model::InternalError("a router's configuration is out of range");
  }
  while ((1 << buffer_shift_) < config.buffer_flits) ++buffer_shift_;
  stages_ = config.cycles() - 2;
  slot_mask_ = static_cast<int>(std::bit_ceil(static_cast<unsigned>(kHorizon + config.credit_delay))) - 1;
  for (int c = 0; c < config.classes; ++c) {
    const auto channels = [&](int first, int count) {
      return static_cast<VcMask>(((std::uint64_t{1} << count) - 1) << (c * own + first));
    };
    allowed_.insert(allowed_.end(), {channels(0, own), channels(0, own / 2), channels(own / 2, own - own / 2)});
  }
  restricted_ = config.classes > 1 || topology.splits_vcs() || config.ordered;
  if (topology.has_multicast()) branches_.resize(static_cast<std::size_t>(input_vcs_));

  lay_out();
  const VcMask all = static_cast<VcMask>((std::uint64_t{1} << vcs_) - 1);
  std::fill_n(free_, ports_, all);
  std::fill_n(ready_, ports_, all);
  std::fill_n(credits_, input_vcs_, static_cast<std::uint16_t>(config.buffer_flits));
  std::fill_n(inputs_, input_vcs_, InputVc{});
  for (int i = 0; i < input_vcs_; ++i) ports_of_[i] = static_cast<std::uint16_t>(i / vcs_);
}

// Everything that a cycle touches lies side by side in one block.
void Router::lay_out() {
  std::size_t words = 0;
  const auto place = [&](auto*& array, int count) {
    using Element = std::remove_reference_t<decltype(*array)>;
    if (!memory_.empty()) array = reinterpret_cast<Element*>(&memory_[words]);
    words += (static_cast<std::size_t>(count) * sizeof(Element) + 7) / 8;
  };
  const auto place_all = [&] {
    words = 0;
    const int slots = slot_mask_ + 1;
    place(slot_time_, slots);
    place(flit_ports_, slots * port_words_);
    place(credit_ports_, slots * port_words_);
    place(flits_coming_, slots * ports_);
    place(credits_coming_, slots * ports_);
    place(inputs_, input_vcs_);
    place(ports_of_, input_vcs_);
    place(free_, ports_);
    place(ready_, ports_);
    place(credits_, input_vcs_);
    place(routing_, vc_words_);
    place(wants_vc_, ports_ * vc_words_);
    place(outputs_wanted_, port_words_);
    place(bidding_, vc_words_);
    place(vc_grant_from_, input_vcs_);
    place(vc_accept_from_, input_vcs_);
    place(granted_, input_vcs_);
    place(granted_inputs_, vcs_);
    place(vc_grants_, input_vcs_);
    place(offer_from_, ports_);
    place(grant_from_, ports_);
    place(accept_from_, ports_);
    place(bids_, ports_ * ports_);
    place(bids_to_, ports_ * port_words_);
    place(grants_to_, ports_ * port_words_);
    place(outputs_bid_, port_words_);
    place(inputs_granted_, port_words_);
    place(wins_, ports_);
    place(sent_flits_, ports_);
    place(sent_credits_, ports_);
    place(port_flits_, ports_);
    place(buffer_, input_vcs_ << buffer_shift_);
  };
  place_all();
  memory_.assign(words + 1, 0);
  place_all();
}

Cycles Router::next_of(std::uint64_t slots) const {
  std::int64_t next = kNever.value();
  for (; slots != 0; slots &= slots - 1) {
    next = std::min(next, slot_time_[__builtin_ctzll(slots)]);
  }
  return Cycles(next);
}

void Router::receive(int slot) {
  slots_pending_ &= ~(std::uint64_t{1} << slot);
  flit_slots_ &= slots_pending_;
  std::uint64_t* const flit_ports = flit_ports_ + slot * port_words_;
  std::uint64_t* const credit_ports = credit_ports_ + slot * port_words_;
  for (int word = 0; word < port_words_; ++word) {
    for (std::uint64_t rest = flit_ports[word]; rest != 0; rest &= rest - 1) {
      const int port = word * 64 + __builtin_ctzll(rest);
      const Flit& flit = flits_coming_[slot * ports_ + port];
      const int input_vc = port * vcs_ + flit.vc;
      InputVc& input = inputs_[input_vc];
      if (input.count == config_.buffer_flits) throw model::InternalError("a flit came without a credit");
      flit_at(input_vc, input.head + input.count) = flit;
      ++input.count;
      ++buffered_;
      if (input.state == State::idle) {
        start_packet(input_vc);
      } else if (input.state == State::active) {
        bits::set(bidding_, input_vc);
      }
    }
    flit_ports[word] = 0;
    for (std::uint64_t rest = credit_ports[word]; rest != 0; rest &= rest - 1) {
      const int port = word * 64 + __builtin_ctzll(rest);
      VcMask coming = credits_coming_[slot * ports_ + port];
      credits_coming_[slot * ports_ + port] = 0;
      ready_[port] |= coming;
      for (; coming != 0; coming &= coming - 1) ++credits_[port * vcs_ + __builtin_ctz(coming)];
    }
    credit_ports[word] = 0;
  }
}

// A head is first in its channel's buffer.
void Router::start_packet(int input_vc) {
  ++open_packets_;
  if (config_.route_stage) {
    inputs_[input_vc].state = State::routing;
    bits::set(routing_, input_vc);
    any_routing_ = true;
  } else {
    want_vc(input_vc);
  }
}

VcMask Router::allowed(const Flit& flit, Route::Half half) const {
  const VcMask all = allowed_[flit.packet_class() * 3 + static_cast<int>(half)];
  if (!config_.ordered) return all;
  if (half == Route::Half::both) return VcMask{1} << flit.vc;
  // The channel's place in its class, in the half that it moves to.
  const int own = config_.vcs / config_.classes;
  const int place = (flit.vc - flit.packet_class() * own) % (own / 2);
  return VcMask{1} << (__builtin_ctz(all) + place);
}

void Router::want_output(int input_vc, int out) {
  bits::set(wants_vc_ + out * vc_words_, input_vc);
  bits::set(outputs_wanted_, out);
}

void Router::want_vc(int input_vc) {
  InputVc& input = inputs_[input_vc];
  const Flit& flit = flit_at(input_vc, input.head);
  input.state = State::wants_vc;
  if (flit.multicast()) {
    input.fork = true;
    input.popped = 0;
    input.allowed = allowed(flit, Route::Half::both);
    branches_[input_vc].clear();
    for (const Route& route : topology_->branches(id_, flit.destination - Flit::kMulticast)) {
      branches_[input_vc].push_back({0, static_cast<std::uint16_t>(route.port), 0, -1, false, false});
      want_output(input_vc, route.port);
    }
  } else {
    const Route route = routes_[flit.destination];
    input.allowed = allowed(flit, route.half);
    input.out = static_cast<std::uint16_t>(route.port);
    want_output(input_vc, route.port);
  }
  if (config_.speculative) bits::set(bidding_, input_vc);
}

template <int Words>
bool Router::allocate_vcs() {
  vc_grant_count_ = 0;
  bits::for_each(outputs_wanted_, Words > 0 ? Words : port_words_, [&](int out) {
    if (free_[out] != 0) allocate_output<Words>(out);
  });
  return vc_grant_count_ > 0;
}

// Each free channel of the output grants one of the inputs that want it, each of these accepts one.
template <int Words>
void Router::allocate_output(int out) {
  const int vc_words = Words > 0 ? Words : vc_words_;
  const std::uint64_t* const wanting = wants_vc_ + out * vc_words;
  const int first_channel = out * vcs_;
  int granted = 0;
  for (VcMask free = free_[out]; free != 0; free &= free - 1) {
    const int vc = __builtin_ctz(free);
    int input_vc = bits::next(wanting, vc_words, vc_grant_from_[first_channel + vc]);
    if (restricted_) {
      const auto may = [&] { return ((inputs_[input_vc].allowed >> vc) & 1U) != 0; };
      const int first = input_vc;
      while (!may()) {
        input_vc = bits::next(wanting, vc_words, input_vc + 1 == input_vcs_ ? 0 : input_vc + 1);
        if (input_vc == first) break;
      }
      if (!may()) continue;
    }
    if (granted_[input_vc] == 0) granted_inputs_[granted++] = static_cast<std::int16_t>(input_vc);
    granted_[input_vc] |= VcMask{1} << vc;
  }
  for (int i = 0; i < granted; ++i) {
    const int input_vc = granted_inputs_[i];
    const int from = vc_accept_from_[input_vc] - first_channel;
    const int vc = bits::next(granted_[input_vc], from > 0 && from < vcs_ ? from : 0);
    granted_[input_vc] = 0;
    const int channel = first_channel + vc;
    vc_grant_from_[channel] = static_cast<std::uint16_t>(input_vc + 1 == input_vcs_ ? 0 : input_vc + 1);
    vc_accept_from_[input_vc] = static_cast<std::uint16_t>(channel + 1 == input_vcs_ ? 0 : channel + 1);
    vc_grants_[vc_grant_count_++] = {static_cast<std::int16_t>(input_vc), static_cast<std::int16_t>(out),
                                     static_cast<std::int16_t>(vc)};
    if (!inputs_[input_vc].fork) {
      inputs_[input_vc].granted = static_cast<std::int16_t>(vc);
      continue;
    }
    for (Branch& branch : branches_[input_vc]) {
      if (branch.out == out) branch.granted = static_cast<std::int16_t>(vc);
    }
  }
}

// Keeps the better of an input's bids for an output: firm before speculative, then round robin.
inline void Router::bid(int input_vc, int port, int out, bool firm) {
  Bid& best = bids_[port * ports_ + out];
  std::uint64_t& inputs = bids_to_[out * port_words_ + (port >> 6)];
  const std::uint64_t bit = std::uint64_t{1} << (port & 63);
  if ((inputs & bit) != 0) {
    if (firm == best.firm) {
      const int from = port * vcs_ + offer_from_[port];
      const int distance = input_vc - from + (input_vc < from ? vcs_ : 0);
      const int best_distance = best.input_vc - from + (best.input_vc < from ? vcs_ : 0);
      if (distance > best_distance) return;
    } else if (best.firm) {
      return;
    }
  } else {
    inputs |= bit;
    bits::set(outputs_bid_, out);
  }
  best = {static_cast<std::int16_t>(input_vc), firm};
}

// The branches that are furthest behind of those that can send.
void Router::bid_branches(int input_vc) {
  const InputVc& input = inputs_[input_vc];
  const auto can_send = [&](const Branch& branch) {
    if (branch.done || branch.sent - input.popped >= input.count) return false;
    if (branch.has_vc) return ((ready_[branch.out] >> branch.out_vc) & 1U) != 0;
    return config_.speculative && (input.allowed & free_[branch.out] & ready_[branch.out]) != 0;
  };
  int least = INT32_MAX;
  for (const Branch& branch : branches_[input_vc]) {
    if (can_send(branch)) least = std::min<int>(least, branch.sent);
  }
  const int port = port_of(input_vc);
  for (const Branch& branch : branches_[input_vc]) {
    if (branch.sent == least && can_send(branch)) bid(input_vc, port, branch.out, branch.has_vc);
  }
}

// An input's channel wins an output, unless it speculated and lost.
inline void Router::win(int port, int out, int input_vc, bool has_vc, int granted) {
  const int vc = input_vc - port * vcs_;
  grant_from_[out] = static_cast<std::uint16_t>(port + 1 == ports_ ? 0 : port + 1);
  accept_from_[port] = static_cast<std::uint16_t>(out + 1 == ports_ ? 0 : out + 1);
  offer_from_[port] = static_cast<std::uint16_t>(vc + 1 == vcs_ ? 0 : vc + 1);
  if (!has_vc && (granted < 0 || ((ready_[out] >> granted) & 1U) == 0)) return;
  wins_[win_count_++] = {static_cast<std::int16_t>(input_vc), static_cast<std::int16_t>(out)};
}

// A multicast accepts all outputs that were granted to it, `first` in any case.
void Router::accept_branches(int port, int first) {
  const int input_vc = bids_[port * ports_ + first].input_vc;
  bits::for_each(grants_to_ + port * port_words_, port_words_, [&](int out) {
    if (bids_[port * ports_ + out].input_vc != input_vc) return;
    for (const Branch& branch : branches_[input_vc]) {
      if (branch.out == out) win(port, out, input_vc, branch.has_vc, branch.granted);
    }
  });
}

template <int Words>
bool Router::allocate_switch() {
  const int port_words = Words > 0 ? Words : port_words_;
  win_count_ = 0;
  bits::for_each(bidding_, Words > 0 ? Words : vc_words_, [&](int input_vc) {
    const InputVc& input = inputs_[input_vc];
    if (input.fork) {
      bid_branches(input_vc);
      return;
    }
    const int out = input.out;
    const bool firm = input.state == State::active;
    const VcMask channels = firm ? VcMask{1} << input.out_vc : input.allowed & free_[out];
    if ((channels & ready_[out]) == 0) return;
    bid(input_vc, port_of(input_vc), out, firm);
  });

  const bool shared = topology_->shares_medium();
  bool any = false;
  bits::for_each(outputs_bid_, port_words, [&](int out) {
    any = true;
    std::uint64_t* const inputs = bids_to_ + out * port_words;
    // Of a shared medium every output looks for the same input first.
    const int input = bits::next(inputs, port_words, grant_from_[shared ? 0 : out]);
    bits::set(grants_to_ + input * port_words, out);
    bits::set(inputs_granted_, input);
    std::fill_n(inputs, port_words, 0);
  });
  if (!any) return false;
  std::fill_n(outputs_bid_, port_words, 0);

  const int shared_input = shared ? bits::next(inputs_granted_, port_words, grant_from_[0]) : -1;
  bits::for_each(inputs_granted_, port_words, [&](int port) {
    std::uint64_t* const outputs = grants_to_ + port * port_words;
    if (!shared || port == shared_input) {
      const int out = bits::next(outputs, port_words, accept_from_[port]);
      const int input_vc = bids_[port * ports_ + out].input_vc;
      const InputVc& input = inputs_[input_vc];
      if (input.fork) {
        accept_branches(port, out);
      } else {
        win(port, out, input_vc, input.state == State::active, input.granted);
      }
    }
    std::fill_n(outputs, port_words, 0);
  });
  if (shared) grant_from_[0] = static_cast<std::uint16_t>(shared_input + 1 == ports_ ? 0 : shared_input + 1);
  std::fill_n(inputs_granted_, port_words, 0);
  return true;
}

void Router::take_vcs() {
  for (int i = 0; i < vc_grant_count_; ++i) {
    const VcGrant& grant = vc_grants_[i];
    InputVc& input = inputs_[grant.input_vc];
    free_[grant.out] &= ~(VcMask{1} << grant.out_vc);
    std::uint64_t* const wanting = wants_vc_ + grant.out * vc_words_;
    bits::clear(wanting, grant.input_vc);
    if (std::all_of(wanting, wanting + vc_words_, [](std::uint64_t word) { return word == 0; })) {
      bits::clear(outputs_wanted_, grant.out);
    }
    input.state = State::active;
    bits::set(bidding_, grant.input_vc);
    if (!input.fork) {
      input.out_vc = static_cast<std::uint16_t>(grant.out_vc);
      input.granted = -1;
      continue;
    }
    for (Branch& branch : branches_[grant.input_vc]) {
      if (branch.out != grant.out) continue;
      branch.has_vc = true;
      branch.out_vc = static_cast<std::uint16_t>(grant.out_vc);
      branch.granted = -1;
    }
  }
}

void Router::put_on_link(int out, int out_vc, Flit flit) {
  if (--credits_[out * vcs_ + out_vc] == 0) ready_[out] &= ~(VcMask{1} << out_vc);
  if (flit.tail()) free_[out] |= VcMask{1} << out_vc;
  flit.vc = out_vc & 0xFF;
  ++port_flits_[out];
  sent_flits_[sent_flit_count_++] = {flit, out};
}

// The first flit of an input channel's buffer is gone.
void Router::leave(int input_vc, bool tail) {
  InputVc& input = inputs_[input_vc];
  ++input.head;
  --input.count;
  --buffered_;
  const int port = port_of(input_vc);
  sent_credits_[sent_credit_count_++] = {static_cast<std::int16_t>(port),
                                         static_cast<std::int16_t>(input_vc - port * vcs_)};
  if (input.count == 0 || tail) bits::clear(bidding_, input_vc);
  if (!tail) return;
  --open_packets_;
  input.fork = false;
  input.state = State::idle;
  if (input.count > 0) start_packet(input_vc);
}

void Router::send(const Win& win) {
  const InputVc& input = inputs_[win.input_vc];
  if (input.fork) {
    send_branch(win);
    return;
  }
  const Flit flit = flit_at(win.input_vc, input.head);
  put_on_link(win.out, input.out_vc, flit);
  leave(win.input_vc, flit.tail());
}

void Router::send_branch(const Win& win) {
  InputVc& input = inputs_[win.input_vc];
  std::vector<Branch>& branches = branches_[win.input_vc];
  int least = INT32_MAX;
  for (Branch& branch : branches) {
    if (branch.out == win.out) {
      const Flit flit = flit_at(win.input_vc, input.head + branch.sent - input.popped);
      branch.done = flit.tail();
      ++branch.sent;
      put_on_link(win.out, branch.out_vc, flit);
    }
    least = std::min<int>(least, branch.sent);
  }
  if (least == input.popped) return;
  ++input.popped;
  leave(win.input_vc, std::all_of(branches.begin(), branches.end(), [](const Branch& branch) { return branch.done; }));
}

// The router was empty and one flit has come, a whole packet: what the allocators would do with it as the only one.
// False, and nothing done, where it is not so or would have to wait.
bool Router::pass_alone() {
  int slot = -1;
  for (std::uint64_t slots = flit_slots_; slots != 0; slots &= slots - 1) {
    const int other = __builtin_ctzll(slots);
    if (slot_time_[other] > now_) continue;
    if (slot >= 0) return false;
    slot = other;
  }
  if (slot < 0 || slot_time_[slot] != now_ - stages_) return false;
  int port = -1;
  for (int word = 0; word < port_words_; ++word) {
    const std::uint64_t ports = flit_ports_[slot * port_words_ + word];
    if (ports == 0) continue;
    if (port >= 0 || (ports & (ports - 1)) != 0) return false;
    port = word * 64 + __builtin_ctzll(ports);
  }
  const Flit flit = flits_coming_[slot * ports_ + port];
  if (!flit.head() || !flit.tail() || flit.multicast()) return false;
  for (std::uint64_t slots = slots_pending_; slots != 0; slots &= slots - 1) {
    const int other = __builtin_ctzll(slots);
    if (other != slot && slot_time_[other] <= now_) receive(other);  // credits
  }
  // The channel: of those that are free the first from where this input looks; its credit decides.
  const Route route = routes_[flit.destination];
  const int out = route.port;
  const int input_vc = port * vcs_ + flit.vc;
  const int first_channel = out * vcs_;
  const VcMask channels = allowed(flit, route.half) & free_[out];
  if (channels == 0) return false;
  const int from = vc_accept_from_[input_vc] - first_channel;
  const int vc = bits::next(channels, from > 0 && from < vcs_ ? from : 0);
  if (((ready_[out] >> vc) & 1U) == 0) return false;

  flit_ports_[slot * port_words_ + (port >> 6)] = 0;
  flit_slots_ &= ~(std::uint64_t{1} << slot);
  receive(slot);  // credits of the same cycle
  const int channel = first_channel + vc;
  vc_grant_from_[channel] = static_cast<std::uint16_t>(input_vc + 1 == input_vcs_ ? 0 : input_vc + 1);
  vc_accept_from_[input_vc] = static_cast<std::uint16_t>(channel + 1 == input_vcs_ ? 0 : channel + 1);
  const auto after = [](int place, int count) {
    return static_cast<std::uint16_t>(place + 1 == count ? 0 : place + 1);
  };
  grant_from_[topology_->shares_medium() ? 0 : out] = after(port, ports_);
  accept_from_[port] = after(out, ports_);
  offer_from_[port] = after(flit.vc, vcs_);
  put_on_link(out, vc, flit);
  sent_credits_[sent_credit_count_++] = {static_cast<std::int16_t>(port), static_cast<std::int16_t>(flit.vc)};
  return true;
}

[[gnu::flatten]] void Router::step(std::int64_t now) {
  now_ = now;
  for (std::uint64_t slots = slots_pending_; slots != 0; slots &= slots - 1) {
    const int slot = __builtin_ctzll(slots);
    if (slot_time_[slot] <= now_) receive(slot);
  }
  awake_ = false;
  if (buffered_ == 0) return;
  const bool small = vc_words_ == 1;  // sets are single words: a constant for the compiler
  const bool channels = small ? allocate_vcs<1>() : allocate_vcs<0>();
  const bool bids = small ? allocate_switch<1>() : allocate_switch<0>();
  awake_ = channels || bids;
  if (any_routing_) {  // those that were here before this cycle's tails leave
    any_routing_ = false;
    bits::for_each(routing_, vc_words_, [&](int input_vc) { want_vc(input_vc); });
    std::fill_n(routing_, vc_words_, 0);
    awake_ = true;
  }
  if (channels) take_vcs();
  for (int i = 0; i < win_count_; ++i) send(wins_[i]);
  awake_ = (awake_ || any_routing_) && buffered_ > 0;
}

void Router::advance(Cycles now) {
  sent_flit_count_ = 0;
  sent_credit_count_ = 0;
  std::int64_t from = now.value();
  if (buffered_ == 0) {
    now_ = now.value();
    if (flit_slots_ != 0 && pass_alone()) {
      awake_ = false;
      return;
    }
    // Cycles that were put off: nothing leaves in them.
    from = std::min(from, next_of(flit_slots_).value());
  }
  for (; from <= now.value(); ++from) step(from);
}

}  // namespace accsim::sim
