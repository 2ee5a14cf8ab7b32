// The network as the chip has it, of every topology, between made-up nodes: the modules of ring and mesh carry packets
// as the network of `accsim noc` does, to the cycle; at overload, with memories that take requests slowly and answer
// them, nothing is lost, stuck or overtaken within a source, destination and class.
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <tuple>

#include "sim/kernel/context.h"
#include "sim/noc/chip_network.h"
#include "sim/noc/network.h"
#include "tests/catch.h"
#include "tests/support/small_chip.h"

namespace {

using namespace accsim::sim;
using accsim::model::Architecture;
using accsim::model::Topology;

const Clock kClock({1000, 1});

struct Random {
  std::mt19937_64 engine;
  std::int64_t from(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(most - least + 1));
  }
};

// What came where and when, and whether in the order in which it was sent.
struct Log {
  std::map<std::int32_t, std::int64_t> arrival;  // by packet
  // A multicast keeps its place among those to the same nodes.
  using Way = std::tuple<int, int, int, const std::vector<std::int16_t>*>;
  std::map<Way, std::deque<std::int32_t>> on_the_way;
  std::int64_t sent = 0, received = 0;
  bool in_order = true;

  static std::int32_t number(const Packet& packet) {
    return packet.type == PacketClass::signal ? packet.signal.semaphore : packet.transaction;
  }
  void send(const Packet& packet) {
    std::vector<std::int16_t> to{packet.destination};
    if (packet.takers != nullptr) to = *packet.takers;
    for (const std::int16_t node : to) {
      on_the_way[{packet.source, node, static_cast<int>(packet.type), packet.takers}].push_back(number(packet));
    }
    sent += static_cast<std::int64_t>(to.size());
  }
  void receive(const Packet& packet, Cycles at) {
    auto& queue = on_the_way[{packet.source, packet.destination, static_cast<int>(packet.type), packet.takers}];
    in_order = in_order && !queue.empty() && queue.front() == number(packet);
    if (!queue.empty()) queue.pop_front();
    ++received;
    arrival[number(packet)] = std::max(arrival[number(packet)], at.value());
  }
};

// Sends its packets when they are ready; answers requests, one every `pace` cycles, giving its credit back.
class Endpoint : public EventModule, public PacketSink {
 public:
  Endpoint(const sc_core::sc_module_name& name, int node, std::int64_t pace, int answer_flits, Log& log)
      : EventModule(name, kClock, Phase::memory),
        noc("noc"),
        node_(node),
        pace_(pace),
        answer_flits_(answer_flits),
        log_(&log) {}
  sc_core::sc_port<NocPort> noc;
  [[nodiscard]] int answer_flits() const { return answer_flits_; }
  std::vector<Packet> packets;  // by ready cycle
  // Every second answer goes to several nodes, where there are sets of them.
  std::vector<std::vector<std::int16_t>> sets;

  void receive(const Packet& packet, Cycles at) override {
    log_->receive(packet, at);
    if (packet.type != PacketClass::read_request && packet.type != PacketClass::write_request) return;
    requests_.emplace_back(packet, at);
    wake_at(std::max(at, free_));
  }

 protected:
  void start_of_simulation() override { wake_at(Cycles(0)); }
  void run(Cycles now) override {
    for (; next_ < packets.size() && packets[next_].ready <= now + Cycles(1); ++next_) {
      log_->send(packets[next_]);
      noc->send(packets[next_]);
    }
    if (!requests_.empty() && requests_.front().second <= now && free_ <= now) {
      Packet answer = requests_.front().first;
      requests_.pop_front();
      std::swap(answer.source, answer.destination);
      const PacketClass request = answer.type;
      answer.type = PacketClass::response;
      answer.flits = answer_flits_;
      answer.ready = now + Cycles(1);
      if (!sets.empty() && ++answered_ % 2 == 0) answer.takers = &sets[answered_ / 2 % sets.size()];
      free_ = now + Cycles(pace_);
      noc->return_credit(node_, request, now + Cycles(1));
      if (answer_flits_ > 0) {
        log_->send(answer);
        noc->send(answer);
      }
    }
    if (next_ < packets.size()) wake_at(packets[next_].ready - Cycles(1));
    if (!requests_.empty()) wake_at(std::max(requests_.front().second, std::max(free_, now + Cycles(1))));
  }

 private:
  int node_;
  std::int64_t pace_;
  int answer_flits_;
  Log* log_;
  std::size_t next_ = 0;
  std::size_t answered_ = 0;
  Cycles free_;
  std::deque<std::pair<Packet, Cycles>> requests_;
};

Architecture random_chip(Random& random, Topology topology) {
  Architecture arch = accsim::tests::small_chip(random.from(1, 6));
  arch.dram.channels = std::int64_t{1} << random.from(0, 2);
  arch.dram.trans_queue_size = random.from(1, 4);
  if (random.from(0, 2) == 0) arch.global_buffer = arch.core_types[0].scratchpad;
  arch.noc.topology = topology;
  arch.noc.router_cycles = random.from(2, 4);
  arch.noc.vcs = random.from(topology == Topology::ring ? 4 : 2, 6);
  arch.noc.vc_buffer_flits = random.from(1, 9);
  if (topology == Topology::crossbar) arch.noc.core_ports = random.from(1, 3);
  return arch;
}

Topology topology_of(std::uint64_t seed) {
  constexpr std::array kAll{Topology::bus, Topology::ring, Topology::crossbar, Topology::mesh};
  return kAll[seed % kAll.size()];
}

std::vector<std::int16_t> random_set(Random& random, std::int64_t nodes) {
  std::vector<std::int16_t> set;
  for (std::int64_t node = 0; node < nodes; ++node) {
    if (random.from(0, 1) == 0) set.push_back(static_cast<std::int16_t>(node));
  }
  if (set.empty()) set.push_back(static_cast<std::int16_t>(random.from(0, nodes - 1)));
  return set;
}

// The chip's network with an endpoint at each node.
struct Bench {
  Bench(const Architecture& arch, Random& random, bool answers)
      : network("noc", kClock, arch), memories(arch.node_of_channel(0)) {
    for (std::int64_t node = 0; node < arch.node_count(); ++node) {
      const std::string name = "node" + std::to_string(node);
      const std::int64_t pace = node >= memories ? random.from(1, 12) : random.from(1, 3);
      const int flits = answers ? static_cast<int>(random.from(1, 6)) : 0;
      nodes.push_back(std::make_unique<Endpoint>(name.c_str(), static_cast<int>(node), pace, flits, log));
      nodes.back()->noc.bind(network.entry(node));
      network.connect_exit(node, *nodes.back());
    }
  }
  SimulationContext context;
  Log log;
  ChipNetwork network;
  std::int64_t memories;  // the first of them
  std::vector<std::unique_ptr<Endpoint>> nodes;
};

Packet packet_between(std::int64_t source, std::int64_t destination, PacketClass type, std::int64_t flits,
                      std::int64_t ready, std::int32_t number) {
  Packet packet;
  packet.transaction = number;
  packet.signal.semaphore = number;
  packet.source = static_cast<std::int16_t>(source);
  packet.destination = static_cast<std::int16_t>(destination);
  packet.type = type;
  packet.flits = static_cast<std::int32_t>(flits);
  packet.ready = Cycles(ready);
  return packet;
}

// Last arrivals in the network of `accsim noc`.
struct Arrivals {
  std::map<std::int32_t, std::int64_t> tail;
  std::int64_t count = 0;
  void taken(std::int32_t, Cycles) {}
  void left(const Flit&, int, Cycles) {}
  void arrived(const Flit& flit, int, Cycles at) {
    if (!flit.tail()) return;
    tail[flit.packet] = at.value();
    ++count;
  }
};

}  // namespace

TEST_CASE("modules of ring and mesh carry packets as the network alone does") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    Random random{std::mt19937_64(seed)};
    Architecture arch = random_chip(random, seed % 2 == 0 ? Topology::ring : Topology::mesh);
    constexpr std::int64_t kPlenty = 1000;
    arch.dram.trans_queue_size = kPlenty;
    Bench bench(arch, random, false);
    const accsim::model::NocPlacement placement = accsim::model::place_nodes(arch);
    NocTopology topology = arch.noc.topology == Topology::ring
                               ? NocTopology::of(Topology::ring, static_cast<int>(placement.places()))
                               : NocTopology::mesh(static_cast<int>(placement.cols), static_cast<int>(placement.rows));
    RouterConfig config = RouterConfig::of_cycles(static_cast<int>(arch.noc.router_cycles), false);
    config.vcs = static_cast<int>(arch.noc.vcs);
    config.buffer_flits = static_cast<int>(arch.noc.vc_buffer_flits);
    config.classes = 2;
    config.ordered = true;
    NocNetwork network(topology, config);

    // Each node sends one class, so that the order of classes at an entry does not matter.
    std::vector<Packet> packets;
    std::deque<std::vector<std::int16_t>> sets;
    std::int64_t ready = 1;
    const std::int64_t gap = random.from(0, 4);
    for (std::int32_t i = 0; i < 150; ++i) {
      const std::int64_t source = random.from(0, arch.node_count() - 1);
      ready += random.from(0, gap);
      packets.push_back(packet_between(source, random.from(0, arch.node_count() - 1),
                                       source % 2 == 0 ? PacketClass::response : PacketClass::read_request,
                                       random.from(1, 8), ready, i));
      if (arch.noc.topology == Topology::mesh && seed % 4 == 1 && source % 2 == 0 && random.from(0, 2) == 0) {
        sets.push_back(random_set(random, arch.node_count()));
        packets.back().takers = &sets.back();
        packets.back().flits = static_cast<std::int32_t>(random.from(1, arch.noc.vc_buffer_flits));
      }
      bench.nodes[static_cast<std::size_t>(source)]->packets.push_back(packets.back());
    }
    bench.context.run();

    Arrivals arrivals;
    std::size_t next = 0;
    std::int64_t expected = 0;
    for (const Packet& p : packets) expected += p.takers == nullptr ? 1 : static_cast<std::int64_t>(p.takers->size());
    for (std::int64_t now = 0; arrivals.count < expected && now < 100'000; ++now) {
      for (; next < packets.size() && packets[next].ready == Cycles(now); ++next) {
        NocPacket packet;
        packet.packet = packets[next].transaction;
        packet.destination = static_cast<std::uint16_t>(placement.place_of[packets[next].destination]);
        if (packets[next].takers != nullptr) {
          std::vector<int> to;
          for (const std::int16_t node : *packets[next].takers) {
            to.push_back(static_cast<int>(placement.place_of[node]));
          }
          const int from = static_cast<int>(placement.place_of[packets[next].source]);
          packet.lane = to.front();
          packet.destination = static_cast<std::uint16_t>(Flit::kMulticast + topology.add_multicast(from, to));
        }
        packet.packet_class = packets[next].type == PacketClass::response ? 1 : 0;
        packet.flits = packets[next].flits;
        packet.ready = packets[next].ready;
        network.send(static_cast<int>(placement.place_of[packets[next].source]), packet, Cycles(now));
      }
      network.advance(Cycles(now), arrivals);
    }
    REQUIRE(bench.log.arrival == arrivals.tail);
    CHECK(bench.log.in_order);
  }
}

TEST_CASE("1000 random chips at overload neither lose, reorder nor hold packets") {
  std::int64_t multicasts = 0;  // packets more than requests and answers
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    INFO("seed " << seed);
    Random random{std::mt19937_64(seed)};
    const Architecture arch = random_chip(random, topology_of(seed));
    Bench bench(arch, random, true);
    const std::int64_t hot = random.from(bench.memories, arch.node_count() - 1);
    const bool crowd = random.from(0, 2) == 0;
    if (arch.noc.topology != Topology::ring && seed % 3 == 0) {
      for (auto& node : bench.nodes) {
        if (arch.noc.topology == Topology::mesh && node->answer_flits() > arch.noc.vc_buffer_flits) continue;
        node->sets = {random_set(random, arch.core_count()), random_set(random, arch.core_count())};
      }
    }
    std::int64_t ready = 1;
    std::int64_t requests = 0;
    for (std::int32_t i = 0; i < 120; ++i) {
      const std::int64_t source = random.from(0, arch.core_count() - 1);
      const std::int64_t kind = random.from(0, 9);
      ready += random.from(0, 5) == 0 ? 1 : 0;
      auto type = kind < 5 ? PacketClass::read_request : kind < 9 ? PacketClass::write_request : PacketClass::signal;
      std::int64_t to = crowd ? hot : random.from(0, arch.node_count() - 1);
      if (type == PacketClass::signal) to = random.from(0, arch.core_count() - 1);
      if (type != PacketClass::signal) ++requests;
      const std::int64_t flits = type == PacketClass::write_request ? random.from(1, 12) : 1;
      bench.nodes[static_cast<std::size_t>(source)]->packets.push_back(
          packet_between(source, to, type, flits, ready, i));
    }
    bench.context.run();
    CHECK(bench.log.received >= 120 + requests);
    multicasts += bench.log.received - 120 - requests;
    CHECK(bench.log.sent == bench.log.received);
    CHECK(bench.log.in_order);
    CHECK(bench.network.busiest_link(Cycles(100'000)) > 0);
  }
  CHECK(multicasts > 10'000);
}

TEST_CASE("the hops of a multicast are the links of its tree") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    Random random{std::mt19937_64(seed)};
    Architecture arch = random_chip(random, Topology::mesh);
    arch.core_types[0].count = random.from(1, 30);
    const accsim::model::NocPlacement placement = accsim::model::place_nodes(arch);
    NocTopology mesh = NocTopology::mesh(static_cast<int>(placement.cols), static_cast<int>(placement.rows));
    const std::int64_t from = random.from(0, arch.node_count() - 1);
    const std::int64_t single = random.from(0, arch.node_count() - 1);
    CHECK(accsim::model::multicast_hops(arch, placement, from, {single}) ==
          accsim::model::routers_passed(arch, placement, from, single));
    std::vector<std::int64_t> to;
    std::vector<int> places;
    for (const std::int16_t node : random_set(random, arch.node_count())) {
      to.push_back(node);
      places.push_back(static_cast<int>(placement.place_of[static_cast<std::size_t>(node)]));
    }
    const int tree = mesh.add_multicast(static_cast<int>(placement.place_of[static_cast<std::size_t>(from)]), places);
    std::int64_t links = 0;
    for (int router = 0; router < mesh.routers(); ++router) {
      links += static_cast<std::int64_t>(mesh.branches(router, tree).size());
    }
    CHECK(accsim::model::multicast_hops(arch, placement, from, to) == links);
    arch.noc.topology = Topology::crossbar;
    CHECK(accsim::model::multicast_hops(arch, placement, from, to) == static_cast<std::int64_t>(to.size()));
    arch.noc.topology = Topology::bus;
    CHECK(accsim::model::multicast_hops(arch, placement, from, to) == 1);
  }
}
