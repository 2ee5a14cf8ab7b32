// Synthetic traffic: who sends to whom, and when. Every node starts a packet in a cycle with the probability
// rate / packet_flits, independent of everything else; packets to the node itself go through its router.
// Patterns, with k the extent of each dimension: uniform (all nodes, itself too); transpose (x and y exchanged);
// neighbor
// (+1 in each dimension); tornado (+ceil(k/2)-1 in each dimension); bitcomp (N-1-s); hotspot1 (all to node 0); hotspot2
// (node 0 or N-1, even chances). Leaves out: bursts.
#pragma once
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "sim/noc/topology.h"

namespace accsim::sim {

enum class TrafficPattern : std::uint8_t { uniform, transpose, neighbor, tornado, bitcomp, hotspot1, hotspot2 };
inline constexpr std::array<const char*, 7> kTrafficNames{"uniform", "transpose", "neighbor", "tornado",
                                                          "bitcomp", "hotspot1",  "hotspot2"};

class Traffic {
 public:
  // ConfigError where the pattern does not fit the topology.
  Traffic(TrafficPattern pattern, const NocTopology& topology);

  struct Choice {
    int destination;
    double probability;
  };
  [[nodiscard]] std::vector<Choice> choices(int source) const;
  template <class Random>
  int destination(int source, Random& random) const {
    if (pattern_ == TrafficPattern::uniform)
      return static_cast<int>(((random() >> 32) * static_cast<std::uint64_t>(nodes_)) >> 32);
    if (pattern_ == TrafficPattern::hotspot2) return (random() >> 63) != 0 ? nodes_ - 1 : 0;
    return partner_[source];
  }

  // Rate (flits a node and cycle) at which the busiest link or medium is full, and mean links between routers of a
  // packet.
  [[nodiscard]] double ideal_rate() const { return ideal_rate_; }
  [[nodiscard]] double mean_hops() const { return mean_hops_; }

 private:
  TrafficPattern pattern_;
  int nodes_;
  std::vector<int> partner_;
  double ideal_rate_ = 0, mean_hops_ = 0;
};

// The cycles and nodes at which packets start, in order. Draws the gaps between them instead of every node's cycle;
// exact arithmetic on any host (multiplications only).
class PacketStarts {
 public:
  PacketStarts(double probability, int nodes, std::uint64_t seed);
  [[nodiscard]] std::int64_t cycle() const { return cycle_; }
  [[nodiscard]] int node() const { return node_; }
  void next();
  [[nodiscard]] std::mt19937_64& random() { return random_; }

 private:
  static constexpr int kPowers = 41;
  std::array<double, kPowers> none_in_{};  // probability of no start in 2^k places
  int nodes_;
  std::int64_t cycle_ = 0;
  int node_ = -1;
  std::mt19937_64 random_;
};

}  // namespace accsim::sim
