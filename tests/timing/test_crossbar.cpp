// The crossbar against hand calculations and a model that looks at every cycle.
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
  return std::vector<Crossbar::Node>(static_cast<std::size_t>(nodes), {Crossbar::kUnlimited, links});
}

}  // namespace

TEST_CASE("an uncontended packet arrives after router and flits", "[noc]") {
  Crossbar noc(2, plain(3));
  noc.accept(packet(0, 2, 4, 10));
  CHECK(drain(noc) == std::vector<Arrival>{{0, 2, 15}});  // 10 + 2 + 4 - 1
}

TEST_CASE("two inputs share an output link flit by flit", "[noc]") {
  Crossbar noc(2, plain(3));
  noc.accept(packet(0, 2, 4, 10));
  noc.accept(packet(1, 2, 4, 10));
  // Round robin after input 0, which served last at the start: input 1 first; the other enters 4 cycles later.
  CHECK(drain(noc) == std::vector<Arrival>{{1, 2, 15}, {0, 2, 19}});
}

TEST_CASE("several links of a node carry packets side by side", "[noc]") {
  std::vector<Crossbar::Node> nodes = plain(4);
  nodes[3].links = 2;
  Crossbar noc(1, nodes);
  for (const int source : {0, 1, 2}) noc.accept(packet(source, 3, 4, 10));
  CHECK(drain(noc) == std::vector<Arrival>{{1, 3, 14}, {2, 3, 14}, {0, 3, 18}});
}

TEST_CASE("a request waits for a credit, an answer does not", "[noc]") {
  std::vector<Crossbar::Node> nodes = plain(3);
  nodes[2].credits = 1;
  Crossbar noc(1, nodes);
  noc.accept(packet(0, 2, 1, 5, PacketClass::read_request));
  noc.accept(packet(0, 2, 1, 6, PacketClass::read_request));
  noc.accept(packet(1, 2, 1, 7, PacketClass::response));
  CHECK(drain(noc) == std::vector<Arrival>{{0, 2, 6}, {1, 2, 8}});
  CHECK_FALSE(noc.empty());
  noc.return_credit(2, Cycles(20));
  CHECK(drain(noc) == std::vector<Arrival>{{0, 2, 21}});
  CHECK(noc.empty());
}

TEST_CASE("random traffic equals a model that looks at every cycle", "[noc]") {
  std::mt19937_64 random(11);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<std::uint64_t>(n)); };
  for (int round = 0; round < 200; ++round) {
    const int nodes = 2 + below(6);
    const int router = 1 + below(3);
    std::vector<Packet> packets;
    std::map<std::tuple<int, int, int>, std::int64_t> last_ready;
    for (int i = 0; i < 60; ++i) {
      const int source = below(nodes);
      const int destination = below(nodes);
      const int type = below(4);
      auto& ready = last_ready[{source, destination, type}];
      ready += below(8);
      packets.push_back(packet(source, destination, 1 + below(5), ready, static_cast<PacketClass>(type)));
    }
    Crossbar noc(router, plain(nodes));
    for (const Packet& p : packets) noc.accept(p);
    std::vector<Arrival> found = drain(noc);

    // Every cycle, every output in order: classes in order, inputs round robin.
    std::map<std::tuple<int, int, int>, std::deque<Packet>> queues;  // type, output, input
    for (const Packet& p : packets) queues[{static_cast<int>(p.type), p.destination, p.source}].push_back(p);
    std::vector<std::int64_t> input_free(static_cast<std::size_t>(nodes), 0);
    std::vector<std::int64_t> output_free(static_cast<std::size_t>(nodes), 0);
    std::vector<int> last(static_cast<std::size_t>(nodes), 0);
    std::vector<Arrival> expected;
    for (std::int64_t t = 0; expected.size() < packets.size(); ++t) {
      REQUIRE(t < 10000);
      for (int output = 0; output < nodes; ++output) {
        const auto o = static_cast<std::size_t>(output);
        bool served = output_free[o] > t;
        for (int type = 0; type < 4 && !served; ++type) {
          for (int step = 1; step <= nodes && !served; ++step) {
            const int input = (last[o] + step) % nodes;
            const auto i = static_cast<std::size_t>(input);
            auto& queue = queues[{type, output, input}];
            if (queue.empty() || queue.front().ready.value() > t || input_free[i] > t) continue;
            const std::int64_t flits = queue.front().flits;
            queue.pop_front();
            input_free[i] = output_free[o] = t + flits;
            last[o] = input;
            expected.push_back({input, output, t + router + flits - 1});
            served = true;
          }
        }
      }
    }
    REQUIRE(found == expected);
  }
}
