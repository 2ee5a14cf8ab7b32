#include "sim/noc/traffic.h"

#include <algorithm>

#include "model/base/error.h"

namespace accsim::sim {

Traffic::Traffic(TrafficPattern pattern, const NocTopology& topology) : pattern_(pattern), nodes_(topology.nodes()) {
  const bool mesh = topology.kind() == Topology::mesh;
  const int width = mesh ? topology.width() : nodes_;
  const int height = mesh ? topology.height() : 1;
  if (pattern == TrafficPattern::transpose && (!mesh || width != height)) {
    throw model::ConfigError("", "--traffic", "transpose needs a square mesh");
  }
  for (int source = 0; source < nodes_; ++source) {
    const int x = source % width;
    const int y = source / width;
    const auto shifted = [&](int by_x, int by_y) { return ((y + by_y) % height) * width + (x + by_x) % width; };
    switch (pattern) {
      case TrafficPattern::transpose:
        partner_.push_back(x * width + y);
        break;
      case TrafficPattern::neighbor:
        partner_.push_back(shifted(1, 1));
        break;
      case TrafficPattern::tornado:
        partner_.push_back(shifted((width + 1) / 2 - 1, (height + 1) / 2 - 1));
        break;
      case TrafficPattern::bitcomp:
        partner_.push_back(nodes_ - 1 - source);
        break;
      default:
        partner_.push_back(0);
        break;
    }
  }

  std::vector<double> load(static_cast<std::size_t>(topology.routers() * topology.ports()), 0.0);
  double hops = 0;
  double busiest = 1;  // the link of a source into the network
  for (int source = 0; source < nodes_; ++source) {
    for (const Choice& choice : choices(source)) {
      topology.walk(source, choice.destination, [&](int router, int port) {
        load[router * topology.ports() + port] += choice.probability;
        if (topology.other_end(router, port).kind == NocTopology::End::Kind::router) hops += choice.probability;
      });
    }
  }
  if (topology.shares_medium()) {
    busiest = nodes_;
  } else {
    for (const double l : load) busiest = std::max(busiest, l);
  }
  ideal_rate_ = 1 / busiest;
  mean_hops_ = hops / nodes_;
}

std::vector<Traffic::Choice> Traffic::choices(int source) const {
  if (pattern_ == TrafficPattern::hotspot2) return {{0, 0.5}, {nodes_ - 1, 0.5}};
  if (pattern_ != TrafficPattern::uniform) return {{partner_[source], 1.0}};
  std::vector<Choice> all;
  all.reserve(static_cast<std::size_t>(nodes_));
  for (int node = 0; node < nodes_; ++node) all.push_back({node, 1.0 / nodes_});
  return all;
}

PacketStarts::PacketStarts(double probability, int nodes, std::uint64_t seed) : nodes_(nodes), random_(seed) {
  double none = 1 - probability;
  for (double& power : none_in_) {
    power = none;
    none *= none;
  }
  next();
}

void PacketStarts::next() {
  constexpr double kUnit = 1.0 / 9007199254740992.0;  // 2^-53
  const double draw = (static_cast<double>(random_() >> 11) + 0.5) * kUnit;
  double none = 1;  // probability of no start so far
  std::int64_t gap = 0;
  for (int k = kPowers - 1; k >= 0; --k) {
    if (none * none_in_[static_cast<std::size_t>(k)] <= draw) continue;
    none *= none_in_[static_cast<std::size_t>(k)];
    gap += std::int64_t{1} << k;
  }
  const std::int64_t place = node_ + 1 + gap;
  cycle_ += place / nodes_;
  node_ = static_cast<int>(place % nodes_);
}

}  // namespace accsim::sim
