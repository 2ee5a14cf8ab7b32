// Bus, ring, crossbar, mesh: routers, links, where nodes sit, and the route of every packet. A mesh routes x first,
// then y; a ring the shorter way round (even: upwards), on the lower half of the virtual channels while it has the seam
// before it and on the upper half afterwards, so that no cycle of waiting can close. Bus and crossbar are one router.
// Sets of destinations (multicast) follow the same routes as a tree. Leaves out: adaptive routing, tori.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "model/arch/arch.h"

namespace accsim::sim {

using model::Topology;

// A step of a packet at a router: the port it leaves through and which of its class's virtual channels it may take.
struct Route {
  enum class Half : std::uint8_t { both, lower, upper };
  std::int16_t port = 0;
  Half half = Half::both;
};

class NocTopology {
 public:
  static constexpr int kMostNodes = 1024;
  static constexpr int kMostPorts = 128;  // nodes of a bus or crossbar
  // Ports of a mesh's router; a ring has up, down, local.
  enum MeshPort : std::uint8_t { x_plus, x_minus, y_plus, y_minus, local };

  // Node y * width + x sits at router (x, y).
  static NocTopology mesh(int width, int height);
  // Bus, ring or crossbar.
  static NocTopology of(Topology kind, int nodes);

  [[nodiscard]] Topology kind() const { return kind_; }
  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] int height() const { return height_; }
  [[nodiscard]] int nodes() const { return nodes_; }
  [[nodiscard]] int routers() const { return routers_; }
  [[nodiscard]] int ports() const { return ports_; }  // of each router
  [[nodiscard]] bool splits_vcs() const { return kind_ == Topology::ring; }
  [[nodiscard]] bool shares_medium() const { return kind_ == Topology::bus; }
  [[nodiscard]] bool has_multicast() const { return kind_ != Topology::ring; }

  // The other end of a port's links, both directions: a router's port, a node, or nothing.
  struct End {
    enum class Kind : std::uint8_t { nothing, router, node };
    Kind kind = Kind::nothing;
    std::int16_t id = 0;    // router or node
    std::int16_t port = 0;  // of that router
  };
  [[nodiscard]] End other_end(int router, int port) const { return ends_[router * ports_ + port]; }
  struct Place {
    std::int16_t router = 0;
    std::int16_t port = 0;
  };
  [[nodiscard]] Place place_of(int node) const { return places_[node]; }

  // Routes at a router, by destination.
  [[nodiscard]] const Route* routes(int router) const { return &routes_[router * nodes_]; }
  // Links between routers from one node to another.
  [[nodiscard]] int hops(int source, int destination) const;
  // Calls visit(router, port) for every link of the way, the last one that to the destination itself.
  template <class Visit>
  void walk(int source, int destination, Visit&& visit) const {
    int router = places_[source].router;
    for (;;) {
      const int port = routes(router)[destination].port;
      visit(router, port);
      const End end = other_end(router, port);
      if (end.kind != End::Kind::router) return;
      router = end.id;
    }
  }

  // A tree from `source` to several nodes; the same again returns the same number. Where has_multicast().
  static constexpr int kMostTrees = 32768;
  int add_multicast(int source, std::vector<int> destinations);
  [[nodiscard]] std::span<const Route> branches(int router, int tree) const;
  [[nodiscard]] std::span<const int> destinations_of(int tree) const { return trees_[tree].destinations; }

 private:
  NocTopology() = default;
  void connect(int router, int port, int other, int other_port);
  void place(int node, int router, int port);

  struct Tree {
    std::vector<int> destinations;
    std::vector<int> first;  // by router, into branches
    std::vector<Route> branches;
  };

  Topology kind_ = Topology::mesh;
  int width_ = 0, height_ = 0, nodes_ = 0, routers_ = 0, ports_ = 0;
  std::vector<End> ends_;
  std::vector<Place> places_;
  std::vector<Route> routes_;
  std::vector<Tree> trees_;
  std::map<std::pair<int, std::vector<int>>, int> tree_of_;  // source and destinations
};

}  // namespace accsim::sim
