// Random networks at overload: nothing is lost, doubled or stuck, flits of a packet stay in order, and packets of one
// source, destination and class do not overtake each other where the network keeps order. Looking only at the cycles
// that matter gives the same as looking at every cycle.
#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include "sim/noc/network.h"
#include "tests/catch.h"

namespace {

using accsim::sim::Cycles;
using accsim::sim::Flit;
using accsim::sim::kNever;
using accsim::sim::NocNetwork;
using accsim::sim::NocPacket;
using accsim::sim::NocTopology;
using accsim::sim::RouterConfig;
using accsim::sim::Topology;

struct Sent {
  int source;
  NocPacket packet;
  std::vector<int> destinations;
};

struct Run {
  NocTopology topology;
  RouterConfig router;
  std::vector<Sent> packets;  // by ready cycle
};

// An arrival of a packet's last flit.
struct Arrival {
  std::int64_t at;
  int node;
  std::int32_t packet;
  auto operator<=>(const Arrival&) const = default;
};

struct Recorder {
  std::map<std::pair<std::int32_t, int>, int> flits;  // by packet and node
  std::vector<Arrival> arrivals;
  bool in_order = true;
  const Run* run = nullptr;

  void taken(std::int32_t, Cycles) {}
  void left(const Flit&, int, Cycles) {}
  void arrived(const Flit& flit, int node, Cycles at) {
    const int length = run->packets[static_cast<std::size_t>(flit.packet)].packet.flits;
    const int number = flits[{flit.packet, node}]++;
    if (flit.head() != (number == 0) || flit.tail() != (number == length - 1)) in_order = false;
    if (flit.tail()) arrivals.push_back({at.value(), node, flit.packet});
  }
};

NocTopology random_topology(std::mt19937_64& random) {
  const auto from = [&](int least, int most) {
    return least + static_cast<int>(random() % static_cast<std::uint64_t>(most - least + 1));
  };
  switch (from(0, 3)) {
    case 0:
      return NocTopology::of(Topology::ring, from(1, 7));
    case 1:
      return NocTopology::of(Topology::crossbar, from(1, 8));
    case 2:
      return NocTopology::of(Topology::bus, from(1, 6));
    default:
      return NocTopology::mesh(from(1, 4), from(1, 4));
  }
}

Run random_run(std::uint64_t seed, bool ordered) {
  std::mt19937_64 random(seed);
  const auto from = [&](int least, int most) {
    return least + static_cast<int>(random() % static_cast<std::uint64_t>(most - least + 1));
  };
  Run run{random_topology(random), RouterConfig::of_cycles(from(2, 4), random() % 2 == 0), {}};
  RouterConfig& router = run.router;
  router.classes = from(1, 3);
  router.vcs = from(router.classes * (run.topology.splits_vcs() ? 2 : 1), 8);
  router.buffer_flits = from(1, 9);
  router.credit_delay = random() % 3 == 0 ? from(0, 4) : 0;
  router.ordered = ordered;
  const int nodes = run.topology.nodes();
  const int hot = from(0, nodes - 1);
  const bool crowd = random() % 3 == 0;
  const int packets = nodes * from(5, 25);
  std::int64_t ready = 0;
  for (std::int32_t i = 0; i < packets; ++i) {
    Sent sent{from(0, nodes - 1), {}, {}};
    ready += from(0, 3) == 0 ? from(0, 2) : 0;
    sent.packet.packet = i;
    sent.packet.packet_class = static_cast<std::uint8_t>(from(0, router.classes - 1));
    sent.packet.flits = from(1, 12);
    sent.packet.ready = Cycles(ready);
    if (run.topology.has_multicast() && random() % 5 == 0) {
      std::set<int> chosen;
      for (int k = from(2, 5); k > 0; --k) chosen.insert(from(0, nodes - 1));
      sent.destinations.assign(chosen.begin(), chosen.end());
      sent.packet.flits = std::min(sent.packet.flits, router.buffer_flits);
      sent.packet.destination =
          static_cast<std::uint16_t>(Flit::kMulticast + run.topology.add_multicast(sent.source, sent.destinations));
    } else {
      sent.destinations = {crowd && random() % 2 == 0 ? hot : from(0, nodes - 1)};
      sent.packet.destination = static_cast<std::uint16_t>(sent.destinations.front());
    }
    run.packets.push_back(sent);
  }
  return run;
}

// Runs until nothing moves.
Recorder play(const Run& run, bool every_cycle) {
  constexpr std::int64_t kTooLong = 1'000'000;
  NocNetwork network(run.topology, run.router);
  Recorder recorder;
  recorder.run = &run;
  std::size_t next = 0;
  for (std::int64_t now = 0; now < kTooLong;) {
    for (; next < run.packets.size() && run.packets[next].packet.ready == Cycles(now); ++next) {
      network.send(run.packets[next].source, run.packets[next].packet, Cycles(now));
    }
    network.advance(Cycles(now), recorder);
    const std::int64_t packet = next < run.packets.size() ? run.packets[next].packet.ready.value() : kNever.value();
    const std::int64_t soon = std::min(packet, std::max(now + 1, network.next_time().value()));
    if (soon == kNever.value()) break;
    now = every_cycle ? now + 1 : soon;
  }
  for (int id = 0; id < run.topology.routers(); ++id) CHECK(network.router(id).flits_buffered() == 0);
  return recorder;
}

// Every packet at each of its destinations, whole, and nothing else.
void check_complete(const Run& run, const Recorder& recorder) {
  std::map<std::pair<std::int32_t, int>, int> expected;
  for (const Sent& sent : run.packets) {
    for (const int node : sent.destinations) expected[{sent.packet.packet, node}] = sent.packet.flits;
  }
  CHECK(recorder.flits == expected);
  CHECK(recorder.in_order);
}

// Packets of a source, destination (or tree) and class arrive in the order of their numbers.
bool keeps_order(const Run& run, Recorder recorder) {
  std::sort(recorder.arrivals.begin(), recorder.arrivals.end());
  std::map<std::tuple<int, int, int, int>, std::int32_t> last;
  for (const Arrival& arrival : recorder.arrivals) {
    const Sent& sent = run.packets[static_cast<std::size_t>(arrival.packet)];
    const auto key = std::tuple(sent.source, int{sent.packet.destination}, int{sent.packet.packet_class}, arrival.node);
    const auto [at, first] = last.try_emplace(key, arrival.packet);
    if (!first && at->second >= arrival.packet) return false;
    at->second = arrival.packet;
  }
  return true;
}

}  // namespace

TEST_CASE("1000 random networks at overload neither lose, reorder nor hold packets") {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    INFO("seed " << seed);
    const Run run = random_run(seed, true);
    const Recorder recorder = play(run, false);
    check_complete(run, recorder);
    CHECK(keeps_order(run, recorder));
  }
}

TEST_CASE("free choice of virtual channels loses nothing, and keeps order where there is one channel") {
  for (std::uint64_t seed = 2001; seed <= 2300; ++seed) {
    INFO("seed " << seed);
    const Run run = random_run(seed, false);
    const Recorder recorder = play(run, false);
    check_complete(run, recorder);
    if (run.router.vcs / run.router.classes == 1) CHECK(keeps_order(run, recorder));
  }
}

TEST_CASE("skipping cycles in which nothing can happen changes nothing") {
  for (std::uint64_t seed = 3001; seed <= 3060; ++seed) {
    INFO("seed " << seed);
    const Run run = random_run(seed, seed % 2 == 0);
    CHECK(play(run, false).arrivals == play(run, true).arrivals);
  }
}
