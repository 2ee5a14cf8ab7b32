#include "sim/noc/crossbar.h"

#include <algorithm>

#include "model/base/error.h"

namespace accsim::sim {

Crossbar::Crossbar(const Config& config, const std::vector<Node>& nodes)
    : config_(config),
      nodes_(nodes.size()),
      words_((nodes.size() + 63) / 64),
      tight_(config.buffer_flits < config.router_cycles + 1),
      outputs_(nodes.size()),
      possible_(nodes.size(), kNever.value()),
      fifos_(kPacketClasses * nodes.size() * nodes.size()),
      answers_waiting_(nodes.size(), 0) {
  if (nodes_ > 64 * kWords) throw model::InternalError("a crossbar has at most 128 nodes");
  if (config.channels < 1 || config.buffer_flits < 1) throw model::InternalError("a crossbar without buffers");
  for (const Node& node : nodes) {
    credits_.push_back({kUnlimited, kUnlimited, node.read_credits, node.write_credits, kUnlimited});
    inputs_.emplace_back(node.links);
    input_flits_.push_back(0);
    output_links_.emplace_back(node.links);
    if (!tight_) continue;
    Places places;
    places.free.assign(static_cast<std::size_t>(config.channels * config.buffer_flits), 0);
    places.oldest.assign(static_cast<std::size_t>(config.channels), 0);
    tight_links_.emplace_back(static_cast<std::size_t>(node.links), TightLink{0, {places, places}});
  }
}

void Crossbar::Fifo::grow() {
  std::vector<Entry> larger(items_.empty() ? 4 : 2 * items_.size());
  for (std::size_t i = 0; i < count_; ++i) larger[i] = items_[(first_ + i) & (items_.size() - 1)];
  items_ = std::move(larger);
  first_ = 0;
}

void Crossbar::Links::take(std::int64_t now, std::int64_t until) {
  if (count_ == 1) {
    free_ = 0;
    next_ = until;
    return;
  }
  if (free_ == 0) {
    // Those that have become free.
    const auto busy = std::remove_if(ends_.begin(), ends_.end(), [now](std::int64_t end) { return end <= now; });
    free_ = ends_.end() - busy;
    ends_.erase(busy, ends_.end());
  }
  --free_;
  ends_.push_back(until);
  next_ = free_ > 0 ? kNever.value() : *std::min_element(ends_.begin(), ends_.end());
}

void Crossbar::Links::extend(std::int64_t end, std::int64_t until) {
  if (count_ == 1) {
    next_ = until;
    return;
  }
  *std::find(ends_.begin(), ends_.end(), end) = until;
  if (free_ == 0) next_ = *std::min_element(ends_.begin(), ends_.end());
}

void Crossbar::accept(const Packet& packet) {
  const auto input = static_cast<std::size_t>(packet.source);
  const auto type = static_cast<std::size_t>(packet.type);
  if (packet.type == PacketClass::response) ++answers_waiting_[input];
  Entry entry{packet.ready.value(), packet.transaction, packet.flits};
  if (packet.takers != nullptr) {
    if (free_forks_.empty()) {
      free_forks_.push_back(static_cast<std::int32_t>(forks_.size()));
      forks_.emplace_back();
    }
    entry.transaction = -2 - free_forks_.back();
    free_forks_.pop_back();
    fork_of(entry) = {packet.transaction, packet.takers, packet.takers->size(), -1, -1};
    for (const std::int16_t taker : *packet.takers) enqueue(type, static_cast<std::size_t>(taker), input, entry);
    return;
  }
  if (packet.type == PacketClass::signal) {
    if (free_signals_.empty()) {
      free_signals_.push_back(static_cast<std::int32_t>(signals_.size()));
      signals_.emplace_back();
    }
    entry.transaction = free_signals_.back();
    free_signals_.pop_back();
    signals_[static_cast<std::size_t>(entry.transaction)] = packet.signal;
  }
  enqueue(type, static_cast<std::size_t>(packet.destination), input, entry);
}

void Crossbar::enqueue(std::size_t type, std::size_t o, std::size_t input, const Entry& entry) {
  Output& output = outputs_[o];
  Fifo& queue = fifo(type, o, input);
  const bool first = queue.empty();
  queue.push(entry);
  ++waiting_;
  if (!first) return;  // the one before it wakes
  output.inputs[type][input >> 6] |= std::uint64_t{1} << (input & 63);
  output.waiting |= 1U << type;
  outputs_waiting_[o >> 6] |= std::uint64_t{1} << (o & 63);
  const std::int64_t from = std::max(entry.ready, tight_ ? std::int64_t{0} : output_links_[o].next());
  possible_[o] = std::min(possible_[o], from);
  next_ = std::min(next_, Cycles(from));
}

Crossbar::Mask Crossbar::ready_inputs(const Mask& mask, std::size_t type, std::size_t output, std::int64_t now,
                                      std::int64_t& possible) {
  Mask found{};
  for (std::size_t word = 0; word < words_; ++word) {
    for (std::uint64_t bits = mask[word]; bits != 0; bits &= bits - 1) {
      const std::uint64_t bit = bits & -bits;
      if (ready(type, output, word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits)), now, possible)) {
        found[word] |= bit;
      }
    }
  }
  return found;
}

Crossbar::Start Crossbar::earliest_start(std::size_t output, std::size_t type) const {
  const auto places = static_cast<std::size_t>(config_.buffer_flits);
  Start best{kNever.value(), 0, 0};
  for (std::size_t l = 0; l < tight_links_[output].size(); ++l) {
    const TightLink& link = tight_links_[output][l];
    const Places& own = link.classes[request(type) ? 0 : 1];
    for (std::size_t channel = 0; channel < own.oldest.size(); ++channel) {
      const std::int64_t at = std::max(link.free, own.free[channel * places + own.oldest[channel]]);
      if (at < best.at) best = {at, l, channel};
    }
  }
  return best;
}

// Returns the cycle in which the last flit leaves.
std::int64_t Crossbar::send_flits(std::size_t output, std::size_t type, std::int64_t flits, std::int64_t now) {
  if (!tight_) {
    output_links_[output].take(now, now + flits);
    return now + flits - 1;
  }
  const auto places = static_cast<std::size_t>(config_.buffer_flits);
  const Start start = earliest_start(output, type);
  TightLink& link = tight_links_[output][start.link];
  Places& own = link.classes[request(type) ? 0 : 1];
  std::size_t& oldest = own.oldest[start.channel];
  std::int64_t at = now - 1;
  for (std::int64_t flit = 0; flit < flits; ++flit) {
    std::int64_t& free = own.free[start.channel * places + oldest];
    at = std::max(at + 1, free);
    free = at + config_.router_cycles + 1;
    oldest = oldest + 1 == places ? 0 : oldest + 1;
  }
  link.free = at + 1;
  return at;
}

std::int64_t Crossbar::common_start(std::size_t type, std::size_t o, std::size_t input, std::int64_t now) {
  const Entry& first = fifo(type, o, input).front();
  if (!forks(type, first)) return tight_ ? earliest_start(o, type).at : now;
  std::int64_t start = now;
  for (const std::int16_t taker : *fork_of(first).takers) {
    const auto output = static_cast<std::size_t>(taker);
    // What is before it there is ready, too, and goes first.
    if (fifo(type, output, input).front().transaction != first.transaction) return kNever.value();
    if (tight_) start = std::max(start, earliest_start(output, type).at);
  }
  return start;
}

// The same flits in the same cycles at all outputs, each when all have a place. Returns the cycle in which the last one
// leaves.
std::int64_t Crossbar::send_on_bus(const std::vector<std::int16_t>& outputs, std::size_t type, std::int64_t flits,
                                   std::int64_t now) {
  if (!tight_) {
    for (const std::int16_t o : outputs) output_links_[static_cast<std::size_t>(o)].take(now, now + flits);
    return now + flits - 1;
  }
  const auto places = static_cast<std::size_t>(config_.buffer_flits);
  std::vector<Start> starts;
  for (const std::int16_t o : outputs) starts.push_back(earliest_start(static_cast<std::size_t>(o), type));
  const auto own = [&](std::size_t i) -> Places& {
    TightLink& link = tight_links_[static_cast<std::size_t>(outputs[i])][starts[i].link];
    return link.classes[request(type) ? 0 : 1];
  };
  std::int64_t at = now - 1;
  for (std::int64_t flit = 0; flit < flits; ++flit) {
    ++at;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Places& p = own(i);
      at = std::max(at, p.free[starts[i].channel * places + p.oldest[starts[i].channel]]);
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      Places& p = own(i);
      std::size_t& oldest = p.oldest[starts[i].channel];
      p.free[starts[i].channel * places + oldest] = at + config_.router_cycles + 1;
      oldest = oldest + 1 == places ? 0 : oldest + 1;
    }
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    tight_links_[static_cast<std::size_t>(outputs[i])][starts[i].link].free = at + 1;
  }
  return at;
}

Crossbar::Entry Crossbar::dequeue(std::size_t type, std::size_t o, std::size_t input) {
  Fifo& queue = fifo(type, o, input);
  const Entry entry = queue.front();
  queue.pop();
  --waiting_;
  bool whole = true;  // no other output waits for it
  if (forks(type, entry)) {
    whole = --fork_of(entry).waiting == 0;
    if (whole) free_forks_.push_back(-2 - entry.transaction);
  }
  if (whole && type == static_cast<std::size_t>(PacketClass::response)) --answers_waiting_[input];
  if (request(type)) --credits_[o][type];
  Output& output = outputs_[o];
  if (queue.empty()) {
    Mask& inputs = output.inputs[type];
    inputs[input >> 6] &= ~(std::uint64_t{1} << (input & 63));
    if ((inputs[0] | inputs[1]) == 0) output.waiting &= ~(1U << type);
    if (output.waiting == 0) outputs_waiting_[o >> 6] &= ~(std::uint64_t{1} << (o & 63));
  }
  return entry;
}

CrossbarGrant Crossbar::grant(std::size_t type, std::size_t o, std::size_t input, std::int64_t now) {
  const Entry entry = dequeue(type, o, input);
  CrossbarGrant granted;
  Packet& packet = granted.packet;
  packet.transaction = entry.transaction;
  packet.source = static_cast<std::int16_t>(input);
  packet.destination = static_cast<std::int16_t>(o);
  packet.flits = entry.flits;
  packet.type = static_cast<PacketClass>(type);
  packet.ready = Cycles(entry.ready);
  if (packet.type == PacketClass::signal) {
    packet.signal = signals_[static_cast<std::size_t>(entry.transaction)];
    free_signals_.push_back(entry.transaction);
    packet.transaction = -1;
  }
  outputs_[o].busy += entry.flits;
  const std::int64_t last = send_flits(o, type, entry.flits, now);
  granted.arrival = Cycles(last + config_.router_cycles);
  bool again = false;
  if (forks(type, entry)) {
    Fork& fork = fork_of(entry);
    packet.transaction = fork.transaction;
    packet.takers = fork.takers;
    again = fork.started >= 0;
    if (fork.started == now) {  // the link carries it for another output already
      if (last + 1 > fork.until) inputs_[input].extend(fork.until, last + 1);
      fork.until = std::max(fork.until, last + 1);
      return granted;
    }
    fork.started = now;
    fork.until = last + 1;
  }
  if (!again) flits_ += entry.flits;
  input_flits_[input] += entry.flits;
  inputs_[input].take(now, last + 1);
  return granted;
}

double Crossbar::busiest_link(Cycles run) const {
  double busiest = 0;
  std::int64_t all = 0;
  for (std::size_t output = 0; output < nodes_; ++output) {
    const double cycles = static_cast<double>(run.value()) * static_cast<double>(output_links_[output].count());
    const std::int64_t flits = std::max(outputs_[output].busy, input_flits_[output]);  // out of the crossbar, into it
    if (cycles > 0) busiest = std::max(busiest, static_cast<double>(flits) / cycles);
    all += outputs_[output].busy;
  }
  if (!config_.bus) return busiest;
  return run > Cycles(0) ? static_cast<double>(all) / static_cast<double>(run.value()) : 0;
}

}  // namespace accsim::sim
