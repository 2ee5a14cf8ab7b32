#include "sim/noc/topology.h"

#include <algorithm>
#include <string>

#include "model/base/error.h"
#include "sim/noc/flit.h"

namespace accsim::sim {

void NocTopology::connect(int router, int port, int other, int other_port) {
  ends_[router * ports_ + port] = {End::Kind::router, static_cast<std::int16_t>(other),
                                   static_cast<std::int16_t>(other_port)};
}

void NocTopology::place(int node, int router, int port) {
  ends_[router * ports_ + port] = {End::Kind::node, static_cast<std::int16_t>(node), 0};
  places_[node] = {static_cast<std::int16_t>(router), static_cast<std::int16_t>(port)};
}

NocTopology NocTopology::mesh(int width, int height) {
  if (width < 1 || height < 1 || width > kMostNodes / height) {
    throw model::InternalError("a mesh of " + std::to_string(width) + " x " + std::to_string(height));
  }
  NocTopology t;
  t.kind_ = Topology::mesh;
  t.width_ = width;
  t.height_ = height;
  t.nodes_ = t.routers_ = width * height;
  t.ports_ = local + 1;
  t.ends_.resize(static_cast<std::size_t>(t.routers_) * static_cast<std::size_t>(t.ports_));
  t.places_.resize(static_cast<std::size_t>(t.nodes_));
  t.routes_.resize(static_cast<std::size_t>(t.routers_) * static_cast<std::size_t>(t.nodes_));
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int router = y * width + x;
      if (x + 1 < width) t.connect(router, x_plus, router + 1, x_minus);
      if (x > 0) t.connect(router, x_minus, router - 1, x_plus);
      if (y + 1 < height) t.connect(router, y_plus, router + width, y_minus);
      if (y > 0) t.connect(router, y_minus, router - width, y_plus);
      t.place(router, router, local);
      for (int to = 0; to < t.nodes_; ++to) {
        const int to_x = to % width;
        const int to_y = to / width;
        int port = local;
        if (to_x != x) {
          port = to_x > x ? x_plus : x_minus;
        } else if (to_y != y) {
          port = to_y > y ? y_plus : y_minus;
        }
        t.routes_[router * t.nodes_ + to].port = static_cast<std::int16_t>(port);
      }
    }
  }
  return t;
}

NocTopology NocTopology::of(Topology kind, int nodes) {
  const bool one_router = kind == Topology::crossbar || kind == Topology::bus;
  if (kind == Topology::mesh || nodes < 1 || nodes > (one_router ? kMostPorts : kMostNodes)) {
    throw model::InternalError("a network of " + std::to_string(nodes) + " nodes");
  }
  NocTopology t;
  t.kind_ = kind;
  t.nodes_ = nodes;
  t.routers_ = one_router ? 1 : nodes;
  constexpr int kUp = 0;
  constexpr int kDown = 1;
  constexpr int kLocal = 2;
  t.ports_ = one_router ? nodes : kLocal + 1;
  t.ends_.resize(static_cast<std::size_t>(t.routers_) * static_cast<std::size_t>(t.ports_));
  t.places_.resize(static_cast<std::size_t>(nodes));
  t.routes_.resize(static_cast<std::size_t>(t.routers_) * static_cast<std::size_t>(nodes));
  if (one_router) {
    for (int node = 0; node < nodes; ++node) {
      t.place(node, 0, node);
      t.routes_[node].port = static_cast<std::int16_t>(node);
    }
    return t;
  }
  for (int router = 0; router < nodes; ++router) {
    if (nodes > 1) {
      t.connect(router, kUp, (router + 1) % nodes, kDown);
      t.connect(router, kDown, (router + nodes - 1) % nodes, kUp);
    }
    t.place(router, router, kLocal);
    for (int to = 0; to < nodes; ++to) {
      Route& route = t.routes_[router * nodes + to];
      const int up = (to - router + nodes) % nodes;
      if (up == 0) {
        route = {kLocal, Route::Half::both};
      } else if (up <= nodes - up) {
        route = {kUp, to < router ? Route::Half::lower : Route::Half::upper};
      } else {
        route = {kDown, to > router ? Route::Half::lower : Route::Half::upper};
      }
    }
  }
  return t;
}

int NocTopology::hops(int source, int destination) const {
  int links = -1;
  walk(source, destination, [&](int, int) { ++links; });
  return links;
}

int NocTopology::add_multicast(int source, std::vector<int> destinations) {
  if (!has_multicast()) throw model::InternalError("this topology has no multicast");
  std::sort(destinations.begin(), destinations.end());
  destinations.erase(std::unique(destinations.begin(), destinations.end()), destinations.end());
  const auto [known, added] = tree_of_.try_emplace({source, destinations}, static_cast<int>(trees_.size()));
  if (!added) return known->second;
  if (trees_.size() == kMostTrees) throw model::InternalError("too many multicast trees");
  Tree tree{std::move(destinations), {}, {}};
  std::vector<std::vector<Route>> at(static_cast<std::size_t>(routers_));
  for (const int destination : tree.destinations) {
    walk(source, destination, [&](int router, int port) {
      std::vector<Route>& branches = at[router];
      const auto same = [port](const Route& route) { return route.port == port; };
      if (std::none_of(branches.begin(), branches.end(), same)) branches.push_back(routes(router)[destination]);
    });
  }
  for (std::vector<Route>& branches : at) {
    std::sort(branches.begin(), branches.end(), [](const Route& a, const Route& b) { return a.port < b.port; });
    tree.first.push_back(static_cast<int>(tree.branches.size()));
    tree.branches.insert(tree.branches.end(), branches.begin(), branches.end());
  }
  tree.first.push_back(static_cast<int>(tree.branches.size()));
  trees_.push_back(std::move(tree));
  return static_cast<int>(trees_.size()) - 1;
}

std::span<const Route> NocTopology::branches(int router, int tree) const {
  const Tree& t = trees_[tree];
  return {t.branches.data() + t.first[router], t.branches.data() + t.first[router + 1]};
}

}  // namespace accsim::sim
