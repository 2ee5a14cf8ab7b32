#include "sim/noc/source.h"

#include <algorithm>
#include <numeric>

namespace accsim::sim {

namespace {

std::vector<int> every_class(int classes) {
  std::vector<int> list(static_cast<std::size_t>(classes));
  std::iota(list.begin(), list.end(), 0);
  return list;
}

}  // namespace

NocSource::NocSource(const RouterConfig& config) : NocSource(config, every_class(config.classes)) {}

NocSource::NocSource(const RouterConfig& config, const std::vector<int>& class_of)
    : ordered_(config.ordered),
      queues_(class_of.size()),
      credits_(static_cast<std::size_t>(config.vcs), config.buffer_flits),
      last_queue_(queues_.size() - 1) {
  const int own = config.vcs / config.classes;
  for (std::size_t q = 0; q < queues_.size(); ++q) {
    queues_[q].packet_class = class_of[q];
    queues_[q].first_vc = class_of[q] * own;
    queues_[q].vcs = own;
  }
}

void NocSource::accept(const NocPacket& packet) {
  Queue& queue = queues_[packet.packet_class];
  if (queue.count == queue.packets.size()) {
    std::rotate(queue.packets.begin(), queue.packets.begin() + static_cast<std::ptrdiff_t>(queue.first),
                queue.packets.end());
    queue.first = 0;
    queue.packets.resize(std::max<std::size_t>(4, 2 * queue.count));
  }
  std::size_t place = queue.first + queue.count;
  if (place >= queue.packets.size()) place -= queue.packets.size();
  queue.packets[place] = packet;
  ++queue.count;
  ++waiting_;
  next_ = std::min(next_, packet.ready);
}

void NocSource::accept_credit(int vc, Cycles at) {
  credits_coming_.push_back({at.value(), vc});
  if (waiting_ > 0) next_ = std::min(next_, at);
}

int NocSource::choose_vc(const Queue& queue) const {
  const auto may = [&](int vc) {
    return credits_[queue.first_vc + vc] > 0 && ((taken_vcs_ >> (queue.first_vc + vc)) & 1U) == 0;
  };
  if (ordered_) {
    const NocPacket& packet = queue.front();
    const int vc = (packet.lane < 0 ? packet.destination : packet.lane) % queue.vcs;
    return may(vc) ? vc : -1;
  }
  int vc = queue.last_vc;
  for (int i = 0; i < queue.vcs; ++i) {
    vc = vc + 1 == queue.vcs ? 0 : vc + 1;
    if (may(vc)) return vc;
  }
  return -1;
}

Flit NocSource::take_flit(Queue& queue) {
  const NocPacket& packet = queue.front();
  Flit flit;
  flit.packet = packet.packet;
  flit.destination = packet.destination;
  flit.vc = (queue.first_vc + queue.vc) & 0xFF;
  const bool tail = queue.sent + 1 == packet.flits;
  flit.kind = ((queue.sent == 0 ? Flit::kHead : 0) | (tail ? Flit::kTail : 0) | (queue.packet_class << 2));
  --credits_[flit.vc];
  ++queue.sent;
  const VcMask channel = VcMask{1} << flit.vc;
  taken_vcs_ = tail ? taken_vcs_ & ~channel : taken_vcs_ | channel;
  if (tail) {
    queue.last_vc = queue.vc;
    queue.vc = -1;
    queue.sent = 0;
    queue.taken = false;
    queue.first = queue.first + 1 == queue.packets.size() ? 0 : queue.first + 1;
    --queue.count;
    --waiting_;
  }
  return flit;
}

bool NocSource::advance(Cycles now, Flit& flit) {
  taken_ = -1;
  std::size_t come = 0;
  while (come < credits_coming_.size() && credits_coming_[come].at <= now.value()) {
    ++credits_[credits_coming_[come++].vc];
  }
  credits_coming_.erase(credits_coming_.begin(), credits_coming_.begin() + static_cast<std::ptrdiff_t>(come));

  bool sent = false;
  Cycles ready = kNever;  // of a packet that waits for its time
  for (std::size_t i = 1; i <= queues_.size(); ++i) {
    const std::size_t q = (last_queue_ + i) % queues_.size();
    Queue& queue = queues_[q];
    if (queue.count == 0) continue;
    if (queue.front().ready > now) {
      ready = std::min(ready, queue.front().ready);
      continue;
    }
    if (!queue.taken) {
      queue.taken = true;
      taken_ = queue.front().packet;
    }
    if (sent) continue;
    if (queue.vc < 0) {
      queue.vc = choose_vc(queue);
      if (queue.vc < 0) continue;
    } else if (credits_[queue.first_vc + queue.vc] == 0) {
      continue;
    }
    flit = take_flit(queue);
    last_queue_ = q;
    sent = true;
    break;
  }
  next_ = kNever;
  if (sent && waiting_ > 0) {
    next_ = now + Cycles(1);
  } else if (waiting_ > 0) {
    next_ = ready;
    if (!credits_coming_.empty()) next_ = std::min(next_, Cycles(credits_coming_.front().at));
  }
  return sent;
}

}  // namespace accsim::sim
