// Routers, sources and whole networks against calculations by hand. In these, a flit that leaves its source in cycle t
// may bid at the first router in t + 2, one that wins the switch in t bids at the next router or is at its node in t +
// 3; the credit of a flit that wins in t counts in t + 2 at a source, in t + 5 at the router before (t + 3 win there, +
// 2 back).
#include <algorithm>
#include <array>
#include <vector>

#include "sim/noc/runner.h"
#include "tests/catch.h"

namespace {

using accsim::sim::Cycles;
using accsim::sim::Flit;
using accsim::sim::kNever;
using accsim::sim::NocArrival;
using accsim::sim::NocTopology;
using accsim::sim::NocTraceResult;
using accsim::sim::Router;
using accsim::sim::RouterConfig;
using accsim::sim::Topology;
using accsim::sim::TracePacket;

RouterConfig router(int cycles, int vcs, int buffer_flits, bool speculative_3 = false) {
  RouterConfig config = RouterConfig::of_cycles(cycles, speculative_3);
  config.vcs = vcs;
  config.buffer_flits = buffer_flits;
  return config;
}

Flit flit(int destination, unsigned kind, std::int32_t packet = 0) {
  Flit f;
  f.packet = packet;
  f.destination = static_cast<std::uint16_t>(destination);
  f.kind = kind & 0xFF;
  return f;
}
constexpr unsigned kSingle = Flit::kHead | Flit::kTail;

// Arrival of the last flit, by packet in the order given and by destination.
std::vector<std::int64_t> tails(NocTopology topology, const RouterConfig& config,
                                const std::vector<TracePacket>& packets) {
  const NocTraceResult result = run_noc_trace(topology, config, packets);
  std::vector<std::int64_t> found;
  for (const TracePacket& packet : packets) {
    for (const int destination : packet.destinations) {
      const auto same = [&](const NocArrival& a) {
        return a.source == packet.source && a.destination == destination && a.created == packet.cycle;
      };
      const auto at = std::find_if(result.arrivals.begin(), result.arrivals.end(), same);
      REQUIRE(at != result.arrivals.end());
      found.push_back(at->tail_arrival);
    }
  }
  return found;
}

using Times = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("a head leaves a router of 2, 3 or 4 cycles in its 1st, 2nd or 3rd cycle there", "[noc]") {
  const NocTopology topology = NocTopology::mesh(3, 1);
  struct Case {
    RouterConfig config;
    std::int64_t leaves = 0;
  };
  for (const Case& c : {Case{router(2, 1, 4), 10}, Case{router(3, 1, 4), 11}, Case{router(3, 1, 4, true), 11},
                        Case{router(4, 1, 4), 12}}) {
    INFO(c.config.cycles() << " " << c.config.speculative);
    Router machine(c.config, topology, 1);
    CHECK(machine.next_time() == kNever);
    machine.accept_flit(NocTopology::x_minus, flit(2, kSingle), Cycles(10));
    CHECK(machine.next_time() == Cycles(c.leaves));  // nothing can leave before
    for (std::int64_t t = 10; t < c.leaves; ++t) {
      machine.advance(Cycles(t));
      CHECK(machine.sent_flits().empty());
      CHECK(machine.next_time() == Cycles(t + 1));
    }
    machine.advance(Cycles(c.leaves));
    REQUIRE(machine.sent_flits().size() == 1);
    CHECK(machine.sent_flits()[0].port == NocTopology::x_plus);
    REQUIRE(machine.sent_credits().size() == 1);
    CHECK(machine.sent_credits()[0].port == NocTopology::x_minus);
    CHECK(machine.next_time() == kNever);
  }
}

TEST_CASE("a router without credits sleeps until one counts", "[noc]") {
  for (const int delay : {0, 3}) {
    const NocTopology topology = NocTopology::mesh(3, 1);
    RouterConfig config = router(2, 1, 1);
    config.credit_delay = delay;
    Router machine(config, topology, 1);
    machine.accept_flit(NocTopology::x_minus, flit(2, kSingle), Cycles(10));
    machine.advance(Cycles(10));
    CHECK(machine.sent_flits().size() == 1);  // the only credit
    machine.accept_flit(NocTopology::x_minus, flit(2, kSingle), Cycles(15));
    machine.advance(Cycles(15));
    CHECK(machine.sent_flits().empty());
    while (machine.next_time() != kNever) {
      machine.advance(machine.next_time());
      CHECK(machine.sent_flits().empty());
    }
    machine.accept_credit(NocTopology::x_plus, 0, Cycles(30));
    CHECK(machine.next_time() == Cycles(30 + delay));
    machine.advance(machine.next_time());
    CHECK(machine.sent_flits().size() == 1);
    machine.accept_flit(NocTopology::x_minus, flit(2, kSingle), Cycles(40));
    machine.advance(Cycles(40));
    machine.accept_flit(NocTopology::x_minus, flit(2, kSingle), Cycles(41));
    CHECK_THROWS(machine.advance(Cycles(41)));  // nobody gave the place for it
  }
}

TEST_CASE("latency of an empty mesh follows the formula", "[noc]") {
  for (const bool speculative_3 : {false, true}) {
    for (const int cycles : {2, 3, 4}) {
      if (speculative_3 && cycles != 3) continue;
      for (const int buffer : {1, 3, 4, 5, 8}) {
        for (const int delay : {0, 2}) {
          RouterConfig config = router(cycles, 2, buffer, speculative_3);
          config.credit_delay = delay;
          for (const int flits : {1, 2, 5, 16}) {
            for (const int to : {0, 3, 7, 11}) {  // 0, 3, 4 and 5 links
              INFO(cycles << " " << speculative_3 << " " << buffer << " " << delay << " " << flits << " " << to);
              const NocTopology mesh = NocTopology::mesh(4, 3);
              const int hops = mesh.hops(0, to);
              const std::int64_t formula =
                  2 + (hops + 1) * (cycles + 1) + (flits - 1) + (flits - 1) / buffer * std::max(0, 5 + delay - buffer);
              CHECK(tails(mesh, config, {{100, 0, {to}, flits}}) == Times{100 + formula});
            }
          }
        }
      }
    }
  }
}

TEST_CASE("two flows fight for one link: one channel serves them packet by packet", "[noc]") {
  // Both heads bid at router 1 in cycle 15: one left node 0 in 10 and won at router 0 in 12, the other left node 1
  // in 13. The first one's port comes first: it wins the channel, and the switch in 15 to 18. The other gets the
  // channel in 19 and wins in 19 to 22. Two more routers follow: the last flit is at its node 3 + 3 + 3 later.
  const NocTopology row = NocTopology::mesh(4, 1);
  const std::vector<TracePacket> packets{{10, 0, {3}, 4}, {13, 1, {3}, 4}};
  CHECK(tails(row, router(2, 1, 8), packets) == Times{18 + 9, 22 + 9});
  // Where channel and switch are two stages: the heads bid for the channel in 16, the first wins the switch in 17 to
  // 20, the second gets the channel in 21 and wins in 22 to 25. Heads take a cycle more in each router, the flits
  // behind them not.
  CHECK(tails(row, router(3, 1, 8), {{10, 0, {3}, 4}, {14, 1, {3}, 4}}) == Times{20 + 4 + 4 + 3, 25 + 4 + 4 + 3});
}

TEST_CASE("two flows fight for one link: two channels share it flit by flit", "[noc]") {
  // In 15 both channels of the link are granted to the first head, which takes one; the second head gets the other
  // in 16. The switch then alternates: 15, 17, 19, 21 and 16, 18, 20, 22.
  CHECK(tails(NocTopology::mesh(4, 1), router(2, 2, 8), {{10, 0, {3}, 4}, {13, 1, {3}, 4}}) == Times{21 + 9, 22 + 9});
}

TEST_CASE("a buffer of two flits carries two flits a round trip of five cycles", "[noc]") {
  // Leave the source: 10 11 14 15 19 20; win at router 0: 12 13 17 18 22 23 (credits of the link after 5 cycles), at
  // router 1: 15 16 20 21 25 26; last arrival 29. Two more cycles of credit delay: 12 13 19 20 26 27, so 33.
  const NocTopology pair = NocTopology::mesh(2, 1);
  RouterConfig config = router(2, 1, 2);
  CHECK(tails(pair, config, {{10, 0, {1}, 6}}) == Times{29});
  config.credit_delay = 2;
  CHECK(tails(pair, config, {{10, 0, {1}, 6}}) == Times{33});
}

TEST_CASE("a packet waits behind another that wants a different link", "[noc]") {
  // Node 0 sends 8 flits to node 1 and then one to node 3 (below). The link to node 1 is taken by 8 flits of node 0's
  // first packet in 12 to 19; the second leaves its source in 18, bids in 20, is at node 3 in 26 (one link: 3 + 3).
  const NocTopology square = NocTopology::mesh(3, 2);
  CHECK(tails(square, router(2, 1, 8), {{10, 0, {1}, 8}, {11, 0, {3}, 1}}) == Times{25, 26});
}

TEST_CASE("separate pairs do not meet at a crossbar, on a bus they do", "[noc]") {
  const std::vector<TracePacket> packets{{10, 0, {1}, 4}, {10, 2, {3}, 4}};
  CHECK(tails(NocTopology::of(Topology::crossbar, 4), router(2, 4, 8), packets) == Times{18, 18});
  // On the bus 12, 14, 16, 18 and 13, 15, 17, 19.
  CHECK(tails(NocTopology::of(Topology::bus, 4), router(2, 4, 8), packets) == Times{21, 22});
}

TEST_CASE("ring: the shorter way round, also across the seam", "[noc]") {
  const NocTopology ring = NocTopology::of(Topology::ring, 6);
  const std::array<int, 6> hops{0, 1, 2, 3, 2, 1};
  for (int to = 0; to < 6; ++to) {
    CHECK(ring.hops(0, to) == hops[static_cast<std::size_t>(to)]);
    CHECK(ring.hops(4, (4 + to) % 6) == hops[static_cast<std::size_t>(to)]);
    CHECK(tails(ring, router(2, 2, 8), {{10, 4, {(4 + to) % 6}, 3}}) ==
          Times{10 + 5 + 3 * hops[static_cast<std::size_t>(to)] + 2});
  }
}

TEST_CASE("multicast: a tree on the mesh, every branch as fast as a packet of its own", "[noc]") {
  NocTopology mesh = NocTopology::mesh(3, 3);
  const RouterConfig config = router(2, 2, 8);
  const std::vector<TracePacket> packet{{10, 0, {0, 2, 6, 8}, 4}};
  // 5 + 3 h + 3 after creation: h = 0, 2, 2, 4.
  CHECK(tails(mesh, config, packet) == Times{18, 24, 24, 30});
  // Flits cross router 0 three times (own node, x, y), 1 once, 2 twice, 5, 8, 3 and 6 once.
  CHECK(run_noc_trace(mesh, config, packet).traversals == 4 * 10);
}

TEST_CASE("multicast: a blocked branch does not hold the others up", "[noc]") {
  // On a crossbar node 3 sends 8 flits to node 1 (wins in 12 to 19, one channel). Node 0 multicasts 4 flits to 1 and 2
  // in cycle 11: it wins the output to node 2 in 13 to 16, that to node 1 in 20 to 23.
  const NocTopology crossbar = NocTopology::of(Topology::crossbar, 4);
  CHECK(tails(crossbar, router(2, 1, 8), {{10, 3, {1}, 8}, {11, 0, {1, 2}, 4}}) == Times{22, 26, 19});
  // Node 3 sent a flit to node 2 before (won in 12): with buffers of 4 the fourth copy waits for that one's credit, 12
  // + 5.
  CHECK(tails(crossbar, router(2, 1, 4), {{10, 3, {2}, 1}, {11, 0, {1, 2}, 4}}) == Times{15, 19, 20});
  // The bus, a shared medium, needs one slot a flit for all destinations.
  CHECK(tails(NocTopology::of(Topology::bus, 4), router(2, 1, 8), {{10, 0, {1, 2, 3}, 4}}) == Times{18, 18, 18});
}
