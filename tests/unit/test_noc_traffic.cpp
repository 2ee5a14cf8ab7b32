// Synthetic traffic: who sends to whom, and how often.
#include <vector>

#include "model/base/error.h"
#include "sim/noc/runner.h"
#include "tests/catch.h"

namespace {

using accsim::sim::NocLoad;
using accsim::sim::NocTopology;
using accsim::sim::PacketStarts;
using accsim::sim::RouterConfig;
using accsim::sim::Topology;
using accsim::sim::Traffic;
using accsim::sim::TrafficPattern;

int partner(TrafficPattern pattern, const NocTopology& topology, int source) {
  const std::vector<Traffic::Choice> choices = Traffic(pattern, topology).choices(source);
  REQUIRE(choices.size() == 1);
  return choices.front().destination;
}

}  // namespace

TEST_CASE("traffic patterns by coordinates", "[noc]") {
  const NocTopology mesh = NocTopology::mesh(8, 8);  // node 10 is (2, 1)
  CHECK(partner(TrafficPattern::transpose, mesh, 10) == 17);
  CHECK(partner(TrafficPattern::neighbor, mesh, 10) == 19);
  CHECK(partner(TrafficPattern::neighbor, mesh, 63) == 0);
  CHECK(partner(TrafficPattern::tornado, mesh, 10) == 4 * 8 + 5);
  CHECK(partner(TrafficPattern::tornado, mesh, 63) == 2 * 8 + 2);
  CHECK(partner(TrafficPattern::bitcomp, mesh, 10) == 53);
  CHECK(partner(TrafficPattern::hotspot1, mesh, 10) == 0);
  CHECK(Traffic(TrafficPattern::hotspot2, mesh).choices(10).size() == 2);
  CHECK(Traffic(TrafficPattern::uniform, mesh).choices(10).size() == 64);
  const NocTopology flat = NocTopology::mesh(3, 2);  // ceil(3/2) - 1 = 1 in x, 0 in y
  CHECK(partner(TrafficPattern::tornado, flat, 5) == 3);
  CHECK_THROWS_AS(Traffic(TrafficPattern::transpose, flat), accsim::model::ConfigError);
  CHECK_THROWS_AS(Traffic(TrafficPattern::transpose, NocTopology::of(Topology::ring, 4)), accsim::model::ConfigError);
}

TEST_CASE("ideal rates are those of the busiest link", "[noc]") {
  const auto ideal = [](TrafficPattern pattern, const NocTopology& topology) {
    return Traffic(pattern, topology).ideal_rate();
  };
  CHECK(ideal(TrafficPattern::uniform, NocTopology::mesh(8, 8)) == Approx(0.5));        // 4 / k
  CHECK(ideal(TrafficPattern::hotspot1, NocTopology::mesh(4, 4)) == Approx(1.0 / 16));  // one exit for 16
  CHECK(ideal(TrafficPattern::bitcomp, NocTopology::mesh(4, 4)) == Approx(0.5));        // 2 / (k / 2) of a row
  CHECK(ideal(TrafficPattern::bitcomp, NocTopology::of(Topology::crossbar, 8)) == Approx(1.0));
  CHECK(ideal(TrafficPattern::bitcomp, NocTopology::of(Topology::bus, 8)) == Approx(1.0 / 8));
  CHECK(ideal(TrafficPattern::neighbor, NocTopology::of(Topology::ring, 8)) == Approx(1.0));
}

TEST_CASE("packets start with the given probability in every place", "[noc]") {
  constexpr int kNodes = 5;
  for (const double probability : {0.001, 0.07, 0.5, 0.95}) {
    INFO(probability);
    PacketStarts starts(probability, kNodes, 3);
    std::vector<std::int64_t> by_node(kNodes);
    std::int64_t adjacent = 0;
    std::int64_t last = -1;
    bool in_order = true;
    constexpr std::int64_t kStarts = 200'000;
    for (std::int64_t i = 0; i < kStarts; ++i) {
      const std::int64_t place = starts.cycle() * kNodes + starts.node();
      in_order = in_order && place > last;
      adjacent += place == last + 1 ? 1 : 0;
      last = place;
      ++by_node[static_cast<std::size_t>(starts.node())];
      starts.next();
    }
    CHECK(in_order);
    CHECK(static_cast<double>(kStarts) / static_cast<double>(last + 1) == Approx(probability).epsilon(0.015));
    CHECK(static_cast<double>(adjacent) / kStarts == Approx(probability).epsilon(0.03).margin(0.0005));
    for (const std::int64_t count : by_node)
      CHECK(static_cast<double>(count) == Approx(kStarts / kNodes).epsilon(0.03));
  }
  PacketStarts all(1.0, kNodes, 3);
  for (int i = 0; i < 20; ++i, all.next()) CHECK(all.cycle() * kNodes + all.node() == i);
}

TEST_CASE("one seed gives one result, another a different one", "[noc]") {
  const NocTopology mesh = NocTopology::mesh(3, 3);
  NocLoad load;
  load.rate = 0.2;
  load.warmup_cycles = 200;
  load.measure_cycles = 800;
  load.runs = load.most_runs = 2;
  const auto mean = [&](std::uint64_t seed) {
    load.seed = seed;
    return accsim::sim::run_noc_load(mesh, RouterConfig::of_cycles(2, false), load).plat_mean;
  };
  CHECK(mean(1) == mean(1));
  CHECK(mean(1) != mean(2));
}
