// Where cores, global buffer and memory controllers sit on a mesh or ring, and how many routers a packet passes. Places
// are numbered row by row (mesh) or upwards (ring). `noc.nodes` names who sits at each place: "core0", "global_buffer",
// "dram0", "" for nobody. Without it memory controllers sit at the rim (mesh: last and first column in turn, spread
// over the rows; ring: at even distances), the global buffer in the middle, cores in the places that are left, in
// order. Bus and crossbar have no places: every node is one router away from every other.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/arch/arch.h"

namespace accsim::model {

struct NocPlacement {
  std::int64_t rows = 1;
  std::int64_t cols = 1;               // a ring is one row
  std::vector<std::int64_t> place_of;  // by node
  [[nodiscard]] std::int64_t places() const { return rows * cols; }
};

// ConfigError at `at` (the block "noc") where the network's keys do not fit together or the nodes do not fit in.
NocPlacement place_nodes(const Architecture& arch, const Origin& at);
inline NocPlacement place_nodes(const Architecture& arch) { return place_nodes(arch, Origin{"", "noc"}); }

// As `noc.nodes` names it.
std::string node_name(const Architecture& arch, std::int64_t node);

// Routers from one node to another: links between routers + 1.
std::int64_t routers_passed(const Architecture& arch, const NocPlacement& placement, std::int64_t from,
                            std::int64_t to);
// Links out of routers, the last ones to the nodes included, that a packet takes to several nodes; to a single one it
// equals routers_passed. A bus carries it once, a crossbar to each node, a mesh along the tree of the routes. 0 on a
// ring, which has no multicast.
std::int64_t multicast_hops(const Architecture& arch, const NocPlacement& placement, std::int64_t from,
                            const std::vector<std::int64_t>& to);
// Mean over cores and DRAM channels.
double mean_routers_to_memory(const Architecture& arch);
// Mean over pairs of cores, a core with itself included.
double mean_routers_on_chip(const Architecture& arch);

}  // namespace accsim::model
