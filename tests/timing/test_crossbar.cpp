// Crossbar and bus against hand calculations, and against a model that moves every flit in every cycle.
#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include "sim/noc/crossbar.h"
#include "tests/catch.h"

namespace {

using accsim::sim::Crossbar;
using accsim::sim::CrossbarGrant;
using accsim::sim::Cycles;
using accsim::sim::kNever;
using accsim::sim::Packet;
using accsim::sim::PacketClass;

Packet packet(int source, int destination, int flits, std::int64_t ready, PacketClass type = PacketClass::response) {
  Packet p;
  p.source = static_cast<std::int16_t>(source);
  p.destination = static_cast<std::int16_t>(destination);
  p.flits = flits;
  p.type = type;
  p.ready = Cycles(ready);
  return p;
}

struct Arrival {
  int source, destination;
  std::int64_t at;
  auto operator<=>(const Arrival&) const = default;
};

std::vector<Arrival> drain(Crossbar& noc) {
  std::vector<Arrival> arrivals;
  while (noc.next_time() != kNever) {
    noc.advance(noc.next_time(), [&](const CrossbarGrant& g) {
      arrivals.push_back({g.packet.source, g.packet.destination, g.arrival.value()});
    });
  }
  return arrivals;
}

std::vector<Crossbar::Node> plain(int nodes, std::int64_t links = 1) {
  return std::vector<Crossbar::Node>(static_cast<std::size_t>(nodes),
                                     {Crossbar::kUnlimited, Crossbar::kUnlimited, links});
}

Crossbar::Config config(std::int64_t router_cycles) {
  Crossbar::Config c;
  c.router_cycles = router_cycles;
  return c;
}

// Every cycle: links that carry a packet move its next flit if the channel has a place for it, then every output looks
// for packets to start: classes in order, inputs round robin. Places come back by themselves, one by one.
class FlitModel {
 public:
  FlitModel(const Crossbar::Config& config, int nodes, int links)
      : config_(config), nodes_(nodes), input_busy_(nodes, 0), last_(nodes, 0) {
    Channel channel{std::deque<std::int64_t>(), static_cast<std::size_t>(config.buffer_flits)};
    for (int node = 0; node < nodes; ++node) {
      outputs_.emplace_back(links);
      for (Link& link : outputs_.back()) {
        link.channels.assign(2, std::vector<Channel>(static_cast<std::size_t>(config.channels), channel));
      }
    }
    links_ = links;
  }

  std::vector<Arrival> run(const std::vector<Packet>& packets) {
    std::size_t expected = 0;
    for (const Packet& p : packets) {
      std::vector<std::int16_t> takers{p.destination};
      if (p.takers != nullptr) takers = *p.takers;
      for (const std::int16_t taker : takers) queues_[{static_cast<int>(p.type), taker, p.source}].push_back(p);
      expected += takers.size();
    }
    while (arrived_ < expected) {
      REQUIRE(now_ < 20000);
      for (auto& output : outputs_) {
        for (Link& link : output) {
          if (!config_.bus) move(link);
        }
      }
      if (config_.bus) move_on_bus();
      if (config_.bus) {
        if (!medium_) start_on_bus();
      } else {
        for (int output = 0; output < nodes_; ++output) start_at(output);
      }
      // A link is free in the cycle after its packet's last flit.
      for (auto& output : outputs_) {
        for (Link& link : output) {
          if (link.packet && link.sent == link.packet->flits) finish(link);
        }
      }
      ++now_;
    }
    return arrivals_;
  }

 private:
  struct Channel {
    std::deque<std::int64_t> used;  // cycles in which its places were taken, the last `places` of them
    std::size_t places;
    // Cycle from which its next place is free.
    [[nodiscard]] std::int64_t free_from(std::int64_t round_trip) const {
      return used.size() < places ? 0 : used.front() + round_trip;
    }
  };
  struct Link {
    const Packet* packet = nullptr;
    Packet storage;
    std::int64_t free = 0;  // from this cycle on
    int sent = 0;
    std::size_t order = 0;              // in arrivals_
    std::pair<int, std::int64_t> read;  // packet and cycle in which its input began to send
    Channel* channel = nullptr;
    std::vector<std::vector<Channel>> channels;  // of requests, of answers
  };
  [[nodiscard]] std::int64_t round_trip() const { return config_.router_cycles + 1; }
  static std::size_t class_of(int type) { return type == 2 || type == 3 ? 0 : 1; }

  // The bus moves a flit to all takers at once, when each has a place.
  void move_on_bus() {
    for (auto& output : outputs_) {
      for (Link& link : output) {
        if (link.packet && link.channel->free_from(round_trip()) > now_) return;
      }
    }
    for (auto& output : outputs_) {
      for (Link& link : output) move(link);
    }
  }
  void move(Link& link) {
    if (!link.packet || link.channel->free_from(round_trip()) > now_) return;
    link.channel->used.push_back(now_);
    if (link.channel->used.size() > link.channel->places) link.channel->used.pop_front();
    ++link.sent;
    if (link.sent == link.packet->flits) arrivals_[link.order].at = now_ + config_.router_cycles;
  }
  void finish(Link& link) {
    // Takers that began together share the input's link until the last of them has all.
    bool shared = false;
    for (auto& output : outputs_) {
      for (const Link& other : output) shared = shared || (&other != &link && other.packet && other.read == link.read);
    }
    if (!shared) --input_busy_[static_cast<std::size_t>(link.packet->source)];
    link.packet = nullptr;
    link.free = now_ + 1;
    medium_ = false;
    ++arrived_;
  }
  // A link and a channel in which the head can go now: the channel that is free longest.
  std::pair<Link*, Channel*> way(int output, int type) {
    std::pair<Link*, Channel*> best{nullptr, nullptr};
    std::int64_t since = now_ + 1;
    for (Link& link : outputs_[static_cast<std::size_t>(output)]) {
      if (link.packet) continue;
      for (Channel& channel : link.channels[class_of(type)]) {
        const std::int64_t free = std::max(channel.free_from(round_trip()), link.free);
        if (free < since) {
          since = free;
          best = {&link, &channel};
        }
      }
    }
    return best;
  }
  bool can_leave(int type, int output, int input) {
    const auto& queue = queues_[{type, output, input}];
    return !queue.empty() && queue.front().ready.value() <= now_ &&
           (input_busy_[static_cast<std::size_t>(input)] < links_ || begun_now(queue.front()));
  }
  // Its input sends it to another taker since this cycle.
  [[nodiscard]] bool begun_now(const Packet& p) const {
    const auto it = begun_.find(p.transaction);
    return p.takers != nullptr && it != begun_.end() && it->second == now_;
  }
  void start(int type, int output, int input) {
    const auto [link, channel] = way(output, type);
    auto& queue = queues_[{type, output, input}];
    link->storage = queue.front();
    queue.pop_front();
    link->packet = &link->storage;
    link->sent = 0;
    link->channel = channel;
    link->order = arrivals_.size();
    arrivals_.push_back({input, output, -1});
    if (!begun_now(link->storage)) ++input_busy_[static_cast<std::size_t>(input)];
    begun_[link->storage.transaction] = now_;
    link->read = {link->storage.transaction, now_};
    if (!config_.bus) move(*link);
  }
  void start_at(int output) {
    int& last = last_[static_cast<std::size_t>(output)];
    for (int type = 0; type < 5; ++type) {
      for (int step = 1; step <= nodes_; ++step) {
        const int input = (last + step) % nodes_;
        if (!can_leave(type, output, input) || way(output, type).first == nullptr) continue;
        start(type, output, input);
        last = input;
        step = 0;  // the next link looks from here on
      }
    }
  }
  // It is the input's next packet for each of its takers, and each has a way.
  bool all_can_take(int type, int output, int input) {
    const Packet& first = queues_[{type, output, input}].front();
    if (first.takers == nullptr) return way(output, type).first != nullptr;
    return std::all_of(first.takers->begin(), first.takers->end(), [&](std::int16_t taker) {
      return queues_[{type, taker, input}].front().transaction == first.transaction &&
             way(taker, type).first != nullptr;
    });
  }
  void start_on_bus() {
    for (int type = 0; type < 5; ++type) {
      for (int step = 1; step <= nodes_; ++step) {
        const int input = (last_[0] + step) % nodes_;
        int chosen = -1;  // of its packets the one that was ready first
        for (int output = 0; output < nodes_; ++output) {
          if (!can_leave(type, output, input) || !all_can_take(type, output, input)) continue;
          if (chosen < 0 ||
              queues_[{type, output, input}].front().ready < queues_[{type, chosen, input}].front().ready) {
            chosen = output;
          }
        }
        if (chosen < 0) continue;
        const Packet first = queues_[{type, chosen, input}].front();
        std::vector<std::int16_t> takers{static_cast<std::int16_t>(chosen)};
        if (first.takers != nullptr) takers = *first.takers;
        for (const std::int16_t taker : takers) start(type, taker, input);
        move_on_bus();
        last_[0] = input;
        medium_ = true;
        return;
      }
    }
  }

  Crossbar::Config config_;
  int nodes_, links_ = 1;
  std::int64_t now_ = 0;
  bool medium_ = false;
  std::size_t arrived_ = 0;
  std::vector<int> input_busy_, last_;
  std::vector<std::vector<Link>> outputs_;
  std::map<std::tuple<int, int, int>, std::deque<Packet>> queues_;  // type, output, input
  std::map<int, std::int64_t> begun_;                               // by packet: when its input last began to send it
  std::vector<Arrival> arrivals_;
};

}  // namespace

TEST_CASE("an uncontended packet arrives after router and flits", "[noc]") {
  Crossbar noc(config(2), plain(3));
  noc.accept(packet(0, 2, 4, 10));
  CHECK(drain(noc) == std::vector<Arrival>{{0, 2, 15}});  // 10 + 2 + 4 - 1
}

TEST_CASE("two inputs share an output link flit by flit", "[noc]") {
  Crossbar noc(config(2), plain(3));
  noc.accept(packet(0, 2, 4, 10));
  noc.accept(packet(1, 2, 4, 10));
  // Round robin after input 0, which served last at the start: input 1 first; the other enters 4 cycles later.
  CHECK(drain(noc) == std::vector<Arrival>{{1, 2, 15}, {0, 2, 19}});
}

TEST_CASE("several links of a node carry packets side by side", "[noc]") {
  std::vector<Crossbar::Node> nodes = plain(4);
  nodes[3].links = 2;
  Crossbar noc(config(1), nodes);
  for (const int source : {0, 1, 2}) noc.accept(packet(source, 3, 4, 10));
  CHECK(drain(noc) == std::vector<Arrival>{{1, 3, 14}, {2, 3, 14}, {0, 3, 18}});
}

TEST_CASE("a request waits for a credit, an answer does not", "[noc]") {
  std::vector<Crossbar::Node> nodes = plain(3);
  nodes[2].read_credits = 1;
  Crossbar noc(config(1), nodes);
  noc.accept(packet(0, 2, 1, 5, PacketClass::read_request));
  noc.accept(packet(0, 2, 1, 6, PacketClass::read_request));
  noc.accept(packet(1, 2, 1, 7, PacketClass::response));
  CHECK(drain(noc) == std::vector<Arrival>{{0, 2, 6}, {1, 2, 8}});
  CHECK_FALSE(noc.empty());
  noc.return_credit(2, PacketClass::read_request, Cycles(20));
  CHECK(drain(noc) == std::vector<Arrival>{{0, 2, 21}});
  CHECK(noc.empty());
}

TEST_CASE("writes do not wait for the credits of reads, acknowledgments not behind data", "[noc]") {
  std::vector<Crossbar::Node> nodes = plain(3);
  nodes[2].read_credits = 1;
  nodes[2].write_credits = 1;
  Crossbar noc(config(1), nodes);
  for (const std::int64_t ready : {5, 6, 7}) noc.accept(packet(0, 2, 1, ready, PacketClass::read_request));
  noc.accept(packet(0, 2, 4, 6, PacketClass::write_request));
  CHECK(drain(noc) == std::vector<Arrival>{{0, 2, 6}, {0, 2, 10}});
  noc.return_credit(2, PacketClass::write_request, Cycles(12));  // of no use to the reads
  CHECK(drain(noc).empty());
  noc.return_credit(2, PacketClass::read_request, Cycles(20));
  CHECK(drain(noc) == std::vector<Arrival>{{0, 2, 21}});

  Crossbar answers(config(1), plain(3));
  for (int i = 0; i < 3; ++i) answers.accept(packet(2, 0, 8, 30, PacketClass::response));
  answers.accept(packet(2, 0, 1, 31, PacketClass::acknowledgment));
  CHECK(drain(answers) == std::vector<Arrival>{{2, 0, 38}, {2, 0, 39}, {2, 0, 47}, {2, 0, 55}});
}

TEST_CASE("a bus carries one packet at a time, a crossbar several", "[noc]") {
  for (const bool bus : {false, true}) {
    Crossbar::Config c = config(2);
    c.bus = bus;
    Crossbar noc(c, plain(4));
    noc.accept(packet(0, 2, 4, 10));
    noc.accept(packet(1, 3, 4, 10));
    noc.accept(packet(2, 0, 1, 11));
    // The bus: input 1 first (after input 0), then 2, then 0.
    const std::vector<Arrival> apart{{0, 2, 15}, {1, 3, 15}, {2, 0, 13}};
    const std::vector<Arrival> shared{{1, 3, 15}, {2, 0, 16}, {0, 2, 20}};
    CHECK(drain(noc) == (bus ? shared : apart));
    CHECK(noc.busiest_link(Cycles(100)) == Approx(bus ? 0.09 : 0.04));
  }
}

TEST_CASE("a buffer shorter than the round trip slows a link down", "[noc]") {
  Crossbar::Config c = config(3);
  c.buffer_flits = 2;  // a place can be used again after 4 cycles
  {
    Crossbar noc(c, plain(2));
    noc.accept(packet(0, 1, 5, 10));
    CHECK(drain(noc) == std::vector<Arrival>{{0, 1, 21}});  // leaves in 10, 11, 14, 15, 18
  }
  c.channels = 2;
  Crossbar noc(c, plain(2));
  for (int i = 0; i < 3; ++i) noc.accept(packet(0, 1, 2, 10));
  CHECK(drain(noc) == std::vector<Arrival>{{0, 1, 14}, {0, 1, 16}, {0, 1, 18}});  // two channels hide it
}

TEST_CASE("outputs take a multicast together or one after the other", "[noc]") {
  const std::vector<std::int16_t> takers{1, 2, 3};
  Packet all = packet(0, 1, 4, 10);
  all.takers = &takers;
  for (const bool bus : {false, true}) {
    INFO("bus " << bus);
    Crossbar::Config c = config(2);
    c.bus = bus;
    {
      Crossbar noc(c, plain(4));
      noc.accept(all);
      CHECK(drain(noc) == std::vector<Arrival>{{0, 1, 15}, {0, 2, 15}, {0, 3, 15}});
      CHECK(noc.flits() == 4);
      CHECK(noc.empty());
      CHECK(noc.answers_waiting(0) == 0);
    }
    // Output 2 is busy with another input's packet in 9 to 11, so that input 0 sends again once it has sent to 1 and 3.
    Crossbar noc(c, plain(5));
    noc.accept(packet(4, 2, 3, 9));
    noc.accept(all);
    if (bus) {
      CHECK(drain(noc) == std::vector<Arrival>{{4, 2, 13}, {0, 1, 17}, {0, 2, 17}, {0, 3, 17}});
      continue;
    }
    CHECK(drain(noc) == std::vector<Arrival>{{4, 2, 13}, {0, 1, 15}, {0, 3, 15}, {0, 2, 19}});
    CHECK(noc.flits() == 7);
    CHECK(noc.busiest_link(Cycles(100)) == Approx(0.08));  // input 0 twice
  }
}

TEST_CASE("random traffic equals a model that moves every flit in every cycle", "[noc]") {
  std::mt19937_64 random(11);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<std::uint64_t>(n)); };
  for (int round = 0; round < 400; ++round) {
    INFO("round " << round);
    const int nodes = 2 + below(6);
    const int links = 1 + below(2);
    Crossbar::Config c = config(1 + below(4));
    c.bus = below(4) == 0;
    c.channels = 1 + below(2);
    c.buffer_flits = 1 + below(7);
    const int spread = 1 + below(12);  // from overload to hardly ever two at a time
    const bool multicasts = below(2) == 0;
    std::vector<Packet> packets;
    std::deque<std::vector<std::int16_t>> sets;
    std::map<std::tuple<int, int, int>, std::int64_t> last_ready;
    for (int i = 0; i < 60; ++i) {
      const int source = below(nodes);
      const int destination = below(nodes);
      const int type = below(5);
      std::vector<std::int16_t> takers{static_cast<std::int16_t>(destination)};
      for (int n = 0; multicasts && type == 1 && n < nodes; ++n) {
        if (n != destination && below(2) == 0) takers.push_back(static_cast<std::int16_t>(n));
      }
      std::int64_t ready = 0;
      for (const std::int16_t taker : takers) ready = std::max(ready, last_ready[{source, taker, type}]);
      ready += below(8) * spread;
      for (const std::int16_t taker : takers) last_ready[{source, taker, type}] = ready;
      packets.push_back(packet(source, destination, 1 + below(5), ready, static_cast<PacketClass>(type)));
      packets.back().transaction = i;
      if (takers.size() == 1) continue;
      sets.push_back(takers);
      packets.back().takers = &sets.back();
    }
    Crossbar noc(c, plain(nodes, c.bus ? 1 : links));
    for (const Packet& p : packets) noc.accept(p);
    const std::vector<Arrival> found = drain(noc);
    const std::vector<Arrival> expected = FlitModel(c, nodes, c.bus ? 1 : links).run(packets);
    REQUIRE(found == expected);
  }
}
