#include "sim/noc/crossbar.h"

#include <algorithm>

#include "model/base/error.h"

namespace accsim::sim {

Crossbar::Crossbar(std::int64_t router_cycles, const std::vector<Node>& nodes)
    : nodes_(nodes.size()),
      router_cycles_(router_cycles),
      output_busy_(nodes_, 0),
      possible_(nodes_, kNever.value()),
      last_served_(nodes_, 0),
      fifos_(kPacketClasses * nodes_ * nodes_),
      inputs_waiting_(nodes_) {
  if (nodes_ > 128) throw model::InternalError("a crossbar has at most 128 nodes");
  for (const Node& node : nodes) {
    credits_.push_back(node.credits);
    inputs_.push_back({std::vector<std::int64_t>(static_cast<std::size_t>(node.links), 0)});
    outputs_.push_back(inputs_.back());
  }
}

void Crossbar::accept(const Packet& packet) {
  std::int32_t index = free_entry_;
  if (index >= 0) {
    free_entry_ = entries_[static_cast<std::size_t>(index)].next;
  } else {
    index = static_cast<std::int32_t>(entries_.size());
    entries_.emplace_back();
  }
  entries_[static_cast<std::size_t>(index)] = {packet, -1};
  const auto output = static_cast<std::size_t>(packet.destination);
  const auto input = static_cast<std::size_t>(packet.source);
  const auto type = static_cast<std::size_t>(packet.type);
  Fifo& queue = fifo(type, output, input);
  if (queue.tail >= 0) {
    entries_[static_cast<std::size_t>(queue.tail)].next = index;
  } else {
    queue.head = index;
    inputs_waiting_[output][type][input / 64] |= std::uint64_t{1} << (input % 64);
    outputs_waiting_[output / 64] |= std::uint64_t{1} << (output % 64);
  }
  queue.tail = index;
  ++waiting_;
  const Cycles first = std::max(packet.ready, Cycles(outputs_[output].free_from()));
  possible_[output] = std::min(possible_[output], first.value());
  next_ = std::min(next_, first);
}

std::int32_t Crossbar::choose(std::size_t output, std::size_t type, std::int64_t now) {
  const bool request = type == static_cast<std::size_t>(PacketClass::read_request) ||
                       type == static_cast<std::size_t>(PacketClass::write_request);
  if (request && credits_[output] == 0) return -1;  // the credit's return wakes
  const Mask& mask = inputs_waiting_[output][type];
  const std::size_t first = (last_served_[output] + std::size_t{1}) % nodes_;
  std::int32_t best = -1;
  std::size_t best_distance = nodes_;
  for (std::size_t word = 0; word < 2; ++word) {
    for (std::uint64_t bits = mask[word]; bits != 0; bits &= bits - 1) {
      const std::size_t input = word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits));
      const Packet& head = entries_[static_cast<std::size_t>(fifo(type, output, input).head)].packet;
      const std::int64_t possible = std::max(head.ready.value(), inputs_[input].free_from());
      if (possible > now) {
        possible_[output] = std::min(possible_[output], possible);
        continue;
      }
      const std::size_t distance = (input + nodes_ - first) % nodes_;
      if (distance < best_distance) {
        best_distance = distance;
        best = static_cast<std::int32_t>(input);
      }
    }
  }
  return best;
}

Packet Crossbar::pop(std::size_t type, std::size_t output, std::size_t input) {
  Fifo& queue = fifo(type, output, input);
  const std::int32_t index = queue.head;
  Entry& entry = entries_[static_cast<std::size_t>(index)];
  const Packet packet = entry.packet;
  queue.head = entry.next;
  if (queue.head < 0) {
    queue.tail = -1;
    inputs_waiting_[output][type][input / 64] &= ~(std::uint64_t{1} << (input % 64));
    if (inputs_waiting_[output] == std::array<Mask, kPacketClasses>{}) {
      outputs_waiting_[output / 64] &= ~(std::uint64_t{1} << (output % 64));
    }
  }
  entry.next = free_entry_;
  free_entry_ = index;
  --waiting_;
  if (packet.type == PacketClass::read_request || packet.type == PacketClass::write_request) --credits_[output];
  return packet;
}

double Crossbar::busiest_output(Cycles run) const {
  double busiest = 0;
  for (std::size_t output = 0; output < nodes_; ++output) {
    const double cycles = static_cast<double>(run.value()) * static_cast<double>(outputs_[output].free.size());
    if (cycles > 0) busiest = std::max(busiest, static_cast<double>(output_busy_[output]) / cycles);
  }
  return busiest;
}

}  // namespace accsim::sim
