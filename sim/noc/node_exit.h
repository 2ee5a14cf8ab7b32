// A node's exit from a network of routers: flits of its last link, put together to packets. Answers and signals are
// always taken at once. Requests to a memory need room: a head without room stays in its virtual channel's buffer, with
// all that is behind it, and no place is given back until the memory has taken a request in; rooms go to the heads in
// the order in which they came. Packets that have waited leave a flit a cycle. Leaves out: limits of reassembly (a
// packet's flits wait for its tail outside the channel).
#pragma once
#include <cstdint>
#include <deque>
#include <vector>

#include "model/base/error.h"
#include "sim/kernel/time.h"
#include "sim/noc/flit.h"
#include "sim/noc/router.h"

namespace accsim::sim {

class NodeExit {
 public:
  static constexpr std::int64_t kUnlimited = INT64_C(1) << 40;
  static constexpr int kRequests = 0;  // the class that needs room

  NodeExit(const RouterConfig& config, std::int64_t room)
      : room_(room), limited_(room != kUnlimited), channels_(static_cast<std::size_t>(config.vcs)) {}

  // What happens, with its cycle:
  //   struct Observer {
  //     void place_free(int vc, Cycles at);             // of the channel's buffer
  //     void arrived(std::int32_t packet, Cycles at);   // all of it
  //   };
  template <class Observer>
  void accept(const Flit& flit, Cycles at, Observer&& observer) {
    if (!limited_ || flit.packet_class() != kRequests) {
      observer.place_free(flit.vc, at);
      if (flit.tail()) observer.arrived(flit.packet, at);
      return;
    }
    Channel& channel = channels_[flit.vc];
    if (channel.held.empty() && !channel.has_room && waiting_.empty() && room_ > 0) {
      --room_;
      channel.has_room = true;
    }
    if (channel.held.empty() && channel.has_room) {
      pass(channel, flit, at, observer);
      return;
    }
    if (channel.held.empty()) waiting_.push_back(flit.vc);
    channel.held.push_back({flit, at});
  }
  // The memory has taken a request in.
  template <class Observer>
  void return_room(Cycles now, Observer&& observer) {
    if (!limited_) return;
    ++room_;
    while (room_ > 0 && !waiting_.empty()) {
      const int vc = waiting_.front();
      waiting_.pop_front();
      Channel& channel = channels_[vc];
      --room_;
      channel.has_room = true;
      while (!channel.held.empty() && channel.has_room) {
        const Held held = channel.held.front();
        channel.held.pop_front();
        pass(channel, held.flit, std::max(held.at, now), observer);
      }
      if (!channel.held.empty()) waiting_.push_back(vc);
    }
  }

 private:
  struct Held {
    Flit flit;
    Cycles at;
  };
  struct Channel {
    bool has_room = false;  // for the packet that is passing
    std::deque<Held> held;
  };
  template <class Observer>
  void pass(Channel& channel, const Flit& flit, Cycles at, Observer&& observer) {
    at = std::max(at, last_ + Cycles(1));
    last_ = at;
    observer.place_free(flit.vc, at);
    if (!flit.tail()) return;
    channel.has_room = false;
    observer.arrived(flit.packet, at);
  }

  std::int64_t room_;
  bool limited_;
  std::vector<Channel> channels_;
  std::deque<int> waiting_;  // channels whose first packet has no room
  Cycles last_{-1};          // in which a request's flit passed
};

}  // namespace accsim::sim
