#include "model/arch/noc_placement.h"

#include <algorithm>
#include <map>

namespace accsim::model {
namespace {

constexpr std::int64_t kNobody = -1;

std::string topology_name(Topology topology) {
  switch (topology) {
    case Topology::bus:
      return "bus";
    case Topology::ring:
      return "ring";
    case Topology::crossbar:
      return "crossbar";
    case Topology::mesh:
      return "mesh";
  }
  throw InternalError("unknown topology");
}

bool has_places(Topology topology) { return topology == Topology::mesh || topology == Topology::ring; }

void check_keys(const NocConfig& noc, const Origin& at) {
  const std::string name = topology_name(noc.topology);
  const auto refuse = [&](const char* key, std::int64_t found, const std::string& expected) {
    fail(at.key(key), "expected " + expected + " with topology \"" + name + "\", found " + std::to_string(found));
  };
  constexpr std::int64_t kMostRouterBuffer = 256;
  if (noc.vcs < 2) refuse("vcs", noc.vcs, "at least 2 (requests and answers have their own)");
  if (noc.topology != Topology::mesh && noc.rows != 0) refuse("rows", noc.rows, "none");
  if (noc.topology != Topology::mesh && noc.cols != 0) refuse("cols", noc.cols, "none");
  if (!has_places(noc.topology)) {
    if (!noc.nodes.empty()) fail(at.key("nodes"), "expected none with topology \"" + name + "\"");
    if (noc.topology == Topology::bus && noc.core_ports != 1) refuse("core_ports", noc.core_ports, "1");
    return;
  }
  if (noc.topology == Topology::ring && noc.vcs < 4) {
    refuse("vcs", noc.vcs, "at least 4 (two for requests, two for answers: before and after the seam)");
  }
  if (noc.router_cycles < 2 || noc.router_cycles > 4) refuse("router_cycles", noc.router_cycles, "2 to 4");
  if (noc.vc_buffer_flits > kMostRouterBuffer) refuse("vc_buffer_flits", noc.vc_buffer_flits, "at most 256");
  if (noc.core_ports != 1) refuse("core_ports", noc.core_ports, "1");
}

// The extent of the mesh: as given, or as square as possible.
void choose_extent(const Architecture& arch, const Origin& at, NocPlacement& placement) {
  const NocConfig& noc = arch.noc;
  const std::int64_t nodes = arch.node_count();
  if (noc.topology == Topology::ring) {
    placement.cols = noc.nodes.empty() ? nodes : static_cast<std::int64_t>(noc.nodes.size());
    return;
  }
  placement.rows = noc.rows;
  placement.cols = noc.cols;
  if (placement.cols == 0) {
    placement.cols = placement.rows == 0 ? 1 : ceil_div(nodes, placement.rows);
    while (placement.rows == 0 && placement.cols * placement.cols < nodes) ++placement.cols;
  }
  if (placement.rows == 0) placement.rows = ceil_div(nodes, placement.cols);
  constexpr std::int64_t kMostPlaces = 1024;
  if (placement.places() > kMostPlaces) {
    fail(at, "expected at most " + std::to_string(kMostPlaces) + " places on the mesh, found " +
                 std::to_string(placement.rows) + " x " + std::to_string(placement.cols));
  }
}

void place_by_name(const Architecture& arch, const Origin& at, NocPlacement& placement) {
  const Origin list = at.key("nodes");
  if (static_cast<std::int64_t>(arch.noc.nodes.size()) != placement.places()) {
    fail(list, "expected an entry for each of the " + std::to_string(placement.places()) + " places, found " +
                   std::to_string(arch.noc.nodes.size()));
  }
  std::map<std::string, std::int64_t> node_of;
  for (std::int64_t node = 0; node < arch.node_count(); ++node) node_of[node_name(arch, node)] = node;
  for (std::size_t place = 0; place < arch.noc.nodes.size(); ++place) {
    const std::string& name = arch.noc.nodes[place];
    if (name.empty()) continue;
    const auto node = node_of.find(name);
    if (node == node_of.end()) {
      fail(list.index(place),
           "expected the name of a node (\"core0\", \"global_buffer\", \"dram0\") or \"\", found \"" + name + "\"");
    }
    std::int64_t& mine = placement.place_of[static_cast<std::size_t>(node->second)];
    if (mine != kNobody) {
      fail(list.index(place), "\"" + name + "\" sits at place " + std::to_string(mine) + " already");
    }
    mine = static_cast<std::int64_t>(place);
  }
  for (std::int64_t node = 0; node < arch.node_count(); ++node) {
    if (placement.place_of[static_cast<std::size_t>(node)] == kNobody) {
      fail(list, "\"" + node_name(arch, node) + "\" has no place");
    }
  }
}

// Places for the memory controllers, best first.
std::vector<std::int64_t> memory_places(const NocPlacement& placement, std::int64_t channels) {
  const std::int64_t rows = placement.rows;
  const std::int64_t cols = placement.cols;
  std::vector<std::int64_t> places;
  if (rows == 1) {
    for (std::int64_t c = 0; c < channels; ++c) places.push_back((2 * c + 1) * cols / (2 * channels));
    return places;
  }
  // Columns from the rim inwards, last and first in turn; within one spread evenly.
  for (std::int64_t column = 0; column < cols && channels > 0; ++column) {
    const std::int64_t x = column % 2 == 0 ? cols - 1 - column / 2 : column / 2;
    // Two columns share what is left where both are needed or even.
    const std::int64_t here = column % 2 == 0 && column + 1 < cols && channels > rows
                                  ? std::min(rows, ceil_div(channels, 2))
                                  : std::min(rows, channels);
    for (std::int64_t i = 0; i < here; ++i) places.push_back((2 * i + 1) * rows / (2 * here) * cols + x);
    channels -= here;
  }
  return places;
}

void place_by_rule(const Architecture& arch, NocPlacement& placement) {
  std::vector<bool> taken(static_cast<std::size_t>(placement.places()), false);
  const auto sit = [&](std::int64_t node, std::int64_t place) {
    while (taken[static_cast<std::size_t>(place)]) place = (place + 1) % placement.places();
    taken[static_cast<std::size_t>(place)] = true;
    placement.place_of[static_cast<std::size_t>(node)] = place;
  };
  const std::vector<std::int64_t> memory = memory_places(placement, arch.dram.channels);
  for (std::int64_t c = 0; c < arch.dram.channels; ++c) {
    sit(arch.node_of_channel(c), memory[static_cast<std::size_t>(c)]);
  }
  if (arch.global_buffer) sit(arch.node_of_global_buffer(), placement.rows / 2 * placement.cols + placement.cols / 2);
  for (std::int64_t core = 0; core < arch.core_count(); ++core) sit(core, 0);
}

}  // namespace

std::string node_name(const Architecture& arch, std::int64_t node) {
  if (node < arch.core_count()) return "core" + std::to_string(node);
  if (arch.global_buffer && node == arch.node_of_global_buffer()) return "global_buffer";
  return "dram" + std::to_string(node - arch.node_of_channel(0));
}

NocPlacement place_nodes(const Architecture& arch, const Origin& at) {
  check_keys(arch.noc, at);
  NocPlacement placement;
  placement.place_of.assign(static_cast<std::size_t>(arch.node_count()), kNobody);
  if (!has_places(arch.noc.topology)) {
    placement.cols = arch.node_count();
    for (std::int64_t node = 0; node < arch.node_count(); ++node) {
      placement.place_of[static_cast<std::size_t>(node)] = node;
    }
    return placement;
  }
  choose_extent(arch, at, placement);
  if (placement.places() < arch.node_count()) {
    fail(at, "expected places for " + std::to_string(arch.node_count()) + " nodes (" +
                 std::to_string(arch.core_count()) + " cores, " + std::to_string(arch.global_buffer ? 1 : 0) +
                 " global buffer, " + std::to_string(arch.dram.channels) + " DRAM channels), found " +
                 std::to_string(placement.places()));
  }
  if (arch.noc.nodes.empty()) {
    place_by_rule(arch, placement);
  } else {
    place_by_name(arch, at, placement);
  }
  return placement;
}

std::int64_t routers_passed(const Architecture& arch, const NocPlacement& placement, std::int64_t from,
                            std::int64_t to) {
  if (!has_places(arch.noc.topology)) return 1;
  const std::int64_t a = placement.place_of[static_cast<std::size_t>(from)];
  const std::int64_t b = placement.place_of[static_cast<std::size_t>(to)];
  if (arch.noc.topology == Topology::ring) {
    const std::int64_t up = (b - a + placement.cols) % placement.cols;
    return std::min(up, placement.cols - up) + 1;
  }
  const auto distance = [](std::int64_t x, std::int64_t y) { return x < y ? y - x : x - y; };
  return distance(a / placement.cols, b / placement.cols) + distance(a % placement.cols, b % placement.cols) + 1;
}

std::int64_t multicast_hops(const Architecture& arch, const NocPlacement& placement, std::int64_t from,
                            const std::vector<std::int64_t>& to) {
  if (arch.noc.topology == Topology::ring) return 0;
  if (arch.noc.topology == Topology::bus) return 1;
  const auto copies = static_cast<std::int64_t>(to.size());
  if (arch.noc.topology == Topology::crossbar) return copies;
  // x first, then y: the row of the source out to the farthest columns, in each column as far as its nodes lie.
  const std::int64_t start = placement.place_of[static_cast<std::size_t>(from)];
  const std::int64_t row = start / placement.cols;
  struct Span {
    std::int64_t low, high;
    void add(std::int64_t at) {
      low = std::min(low, at);
      high = std::max(high, at);
    }
    [[nodiscard]] std::int64_t links() const { return high - low; }
  };
  const std::int64_t col = start % placement.cols;
  Span along{col, col};
  std::map<std::int64_t, Span> columns;
  for (const std::int64_t node : to) {
    const std::int64_t place = placement.place_of[static_cast<std::size_t>(node)];
    along.add(place % placement.cols);
    columns.try_emplace(place % placement.cols, Span{row, row}).first->second.add(place / placement.cols);
  }
  std::int64_t hops = copies + along.links();
  for (const auto& [x, span] : columns) hops += span.links();
  return hops;
}

double mean_routers_to_memory(const Architecture& arch) {
  const NocPlacement placement = place_nodes(arch);
  std::int64_t sum = 0;
  for (std::int64_t core = 0; core < arch.core_count(); ++core) {
    for (std::int64_t c = 0; c < arch.dram.channels; ++c) {
      sum += routers_passed(arch, placement, core, arch.node_of_channel(c));
    }
  }
  return static_cast<double>(sum) / static_cast<double>(arch.core_count() * arch.dram.channels);
}

double mean_routers_on_chip(const Architecture& arch) {
  const NocPlacement placement = place_nodes(arch);
  std::int64_t sum = 0;
  for (std::int64_t from = 0; from < arch.core_count(); ++from)
    for (std::int64_t to = 0; to < arch.core_count(); ++to) sum += routers_passed(arch, placement, from, to);
  return static_cast<double>(sum) / static_cast<double>(arch.core_count() * arch.core_count());
}

}  // namespace accsim::model
