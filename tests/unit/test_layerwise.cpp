// layerwise: best of an exhaustive enumeration, the same at any number of threads, equal layers searched once.
#include <algorithm>
#include <limits>

#include "model/schedule/tiling.h"
#include "sched/strategy/operator_search.h"
#include "sched/strategy/pareto.h"
#include "sched/strategy/strategy.h"
#include "sched/strategy/tile_candidates.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"
#include "tests/unit/test_network_helpers.h"

namespace {

using namespace accsim;
using namespace accsim::model;
using sched::Figure;
using sched::Objective;
using tests::Random;

constexpr double kHuge = std::numeric_limits<double>::infinity();

double value_of(const Figure& f, Objective objective) {
  return objective == Objective::latency ? f.cycles : objective == Objective::energy ? f.energy : f.cycles * f.energy;
}

// All tile candidates (or all sizes) and all orders, one mapping after the other through the plain interfaces.
struct Exhaustive {
  const Network& network;
  const Architecture& arch;
  const sched::CostModel& cost;
  bool all_sizes = false;
  std::vector<LoopNest> nests = loop_nests_of(network, OpId(0));
  std::vector<Figure> figures = {};
  OperatorMapping mapping = {};

  void run() {
    mapping.layer = network.op(OpId(0)).name;
    tile(0);
  }
  void tile(std::size_t d) {
    const std::vector<Dim>& dims = nests.front().dims;
    if (d == dims.size()) {
      if (!tests::buffers_fit(nests, mapping, arch.core_types.front())) return;
      orders();
      return;
    }
    std::vector<std::int64_t> sizes;
    for (const LoopNest& nest : nests) {
      if (all_sizes && dims[d].tileable) {
        for (std::int64_t t = 1; t <= nest.dims[d].extent; ++t) sizes.push_back(t);
      } else {
        const auto some = sched::tile_candidates(nest, d, arch.core_types.front(), arch.dram.derived.burst_bytes);
        sizes.insert(sizes.end(), some.begin(), some.end());
      }
    }
    std::sort(sizes.begin(), sizes.end());
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    for (const std::int64_t size : sizes) {
      mapping.tile[dims[d].name] = size;
      tile(d + 1);
    }
  }
  void orders() {
    std::vector<std::string> outer, reduced;
    for (const Dim& dim : nests.front().dims) (dim.kind == DimKind::k ? reduced : outer).push_back(dim.name);
    std::sort(outer.begin(), outer.end());
    do {
      mapping.order = outer;
      mapping.order.insert(mapping.order.end(), reduced.begin(), reduced.end());
      const sched::Prediction p = cost.predict(network, OpId(0), mapping, arch.core_types.front());
      figures.push_back({p.cycles, p.total_energy_pj()});
    } while (std::next_permutation(outer.begin(), outer.end()));
  }
  [[nodiscard]] double best(Objective objective) const {
    double least = kHuge;
    for (const Figure& f : figures) least = std::min(least, value_of(f, objective));
    return least;
  }
};

const std::vector<Network>& small_operators() {
  static const std::vector<Network> networks = [] {
    std::vector<Network> all;
    all.push_back(tests::one_layer(
        "[1, 6, 7, 9]", R"("op": "Conv", "out_channels": 10, "kernel_shape": [3, 3], "pads": [1, 1, 1, 1])"));
    all.push_back(tests::one_layer(
        "[1, 24, 12, 12]",
        R"("op": "Conv", "out_channels": 24, "group": 24, "kernel_shape": [3, 3], "strides": [2, 2])"));
    all.push_back(tests::one_layer("[40, 96]", R"("op": "Gemm", "out_features": 70)"));
    all.push_back(tests::one_layer("[3, 20, 30]", R"("op": "MatMul")", "[3, 30, 17]"));
    all.push_back(tests::one_layer("[1, 12, 14, 14]", R"("op": "MaxPool", "kernel_shape": [3, 3], "strides": [2, 2])"));
    all.push_back(tests::one_layer("[4, 6, 40]", R"("op": "Softmax")"));
    all.push_back(tests::one_layer("[1, 20, 18]", R"("op": "Add")", "[1, 20, 18]"));
    all.push_back(tests::one_layer("[1, 20, 18]", R"("op": "Add")", "[1, 1, 18]"));
    all.push_back(tests::one_layer("[2, 8, 10]", R"("op": "Concat", "axis": 1)", "[2, 12, 10]"));
    return all;
  }();
  return networks;
}

sched::CostCoefficients random_coefficients(Random& random) {
  sched::CostCoefficients c;
  const auto draw = [&] { return random.chance(20) ? 0.0 : static_cast<double>(random.range(1, 4000)) / 1000; };
  for (double& v : c.cycles) v = draw();
  for (double& v : c.energy) v = draw();
  c.shared_dram = draw();
  c.exposed = static_cast<double>(random.range(0, 1000)) / 1000;
  c.dram_standby = draw();
  return c;
}

sched::SearchResult search(const Network& network, const Architecture& arch, const sched::CostModel& cost,
                           Objective objective, int threads = 1) {
  sched::SearchRequest request;
  request.network = &network;
  request.arch = &arch;
  request.cost = &cost;
  request.objective = objective;
  request.threads = threads;
  return sched::make_strategy("layerwise")->search(request);
}

std::string text_of(const sched::SearchResult& result) {
  std::string text = to_json(result.schedule).dump() + " " + std::to_string(result.candidates);
  for (const sched::Prediction& p : result.groups) text += " " + std::to_string(p.cycles);
  return text;
}

const Network& three_layers() {
  static const Network network = fuse_activations(tests::network_of(R"(
      "inputs": [{"name": "x", "shape": [1, 16, 20, 20]}],
      "layers": [
        {"name": "a", "op": "Conv", "inputs": ["x"], "out_channels": 16, "kernel_shape": [3, 3], "pads": [1, 1, 1, 1]},
        {"name": "ar", "op": "Relu", "inputs": ["a"]},
        {"name": "b", "op": "Conv", "inputs": ["ar"], "out_channels": 16, "kernel_shape": [3, 3], "pads": [1, 1, 1, 1]},
        {"name": "br", "op": "Relu", "inputs": ["b"]},
        {"name": "s", "op": "Add", "inputs": ["br", "x"]},
        {"name": "f", "op": "Flatten", "inputs": ["s"]},
        {"name": "g", "op": "Gemm", "inputs": ["f"], "out_features": 100}])"));
  return network;
}

}  // namespace

TEST_CASE("the search finds the best of all candidates and orders, for any coefficients") {
  const Architecture arch = tests::small_architecture(1, 8, 2);
  Random random(21);
  for (int round = 0; round < 3; ++round) {
    const sched::CostModel cost(arch, round == 0 ? sched::CostCoefficients() : random_coefficients(random));
    for (const Network& network : small_operators()) {
      Exhaustive all{network, arch, cost};
      all.run();
      const auto found = sched::search_operator(network, OpId(0), cost, arch.core_types.front(), 0);
      INFO(name_of(network.op(OpId(0)).type) << ", " << all.figures.size() << " mappings, round " << round);
      REQUIRE(all.figures.size() >= 20);
      REQUIRE(!found.front.empty());
      for (const Objective objective : {Objective::latency, Objective::energy, Objective::edp}) {
        double least = kHuge;
        for (const auto& mapped : found.front) least = std::min(least, value_of(mapped.figure, objective));
        CHECK(least == Approx(all.best(objective)).epsilon(1e-12));
      }
      // What the front says is what the model says of its mappings.
      for (const auto& mapped : found.front) {
        const sched::Prediction p = cost.predict(network, OpId(0), mapped.mapping, arch.core_types.front());
        CHECK(p.cycles == Approx(mapped.figure.cycles).epsilon(1e-12));
        CHECK(p.total_energy_pj() == Approx(mapped.figure.energy).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("tile sizes between the candidates gain little") {
  const Architecture arch = tests::small_architecture(1, 8, 2);
  const sched::CostModel cost(arch);
  for (const std::size_t i : {std::size_t{2}, std::size_t{5}, std::size_t{7}}) {
    const Network& network = small_operators()[i];
    Exhaustive all{network, arch, cost, true};
    Exhaustive some{network, arch, cost};
    all.run();
    some.run();
    REQUIRE(all.figures.size() > some.figures.size());
    for (const Objective objective : {Objective::latency, Objective::energy, Objective::edp}) {
      INFO(name_of(network.op(OpId(0)).type) << " " << sched::name_of(objective));
      CHECK(some.best(objective) <= 1.05 * all.best(objective));
    }
  }
}

TEST_CASE("even tiles: the smallest tile for every number of tiles") {
  for (std::int64_t extent = 1; extent <= 200; ++extent) {
    std::vector<std::int64_t> expected;
    for (std::int64_t n = extent; n >= 1; --n) {
      const std::int64_t tile = ceil_div(extent, n);
      if (expected.empty() || expected.back() != tile) expected.push_back(tile);
    }
    CHECK(sched::even_tiles(extent) == expected);
  }
}

TEST_CASE("the best product of sums is found") {
  Random random(22);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<Figure>> fronts(static_cast<std::size_t>(random.range(1, 4)));
    for (auto& front : fronts) {
      sched::ParetoSet<int> set;
      for (int i = 0; i < 12; ++i)
        set.insert({static_cast<double>(random.range(1, 60)), static_cast<double>(random.range(1, 60))}, 0, i);
      for (const auto& entry : set.entries()) front.push_back(entry.figure);
    }
    for (const Objective objective : {Objective::latency, Objective::energy, Objective::edp}) {
      double least = kHuge;
      std::vector<std::size_t> pick(fronts.size(), 0);
      while (true) {
        Figure sum;
        for (std::size_t i = 0; i < pick.size(); ++i) {
          sum.cycles += fronts[i][pick[i]].cycles;
          sum.energy += fronts[i][pick[i]].energy;
        }
        least = std::min(least, value_of(sum, objective));
        std::size_t i = 0;
        while (i < pick.size() && ++pick[i] == fronts[i].size()) pick[i++] = 0;
        if (i == pick.size()) break;
      }
      Figure sum;
      const std::vector<std::size_t> chosen = sched::choose(fronts, objective);
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        sum.cycles += fronts[i][chosen[i]].cycles;
        sum.energy += fronts[i][chosen[i]].energy;
      }
      CHECK(value_of(sum, objective) == Approx(least));
    }
  }
}

TEST_CASE("a Pareto set keeps what nothing beats, and of equals the smaller, then the first") {
  Random random(23);
  for (int round = 0; round < 100; ++round) {
    struct Drawn {
      Figure figure;
      std::int64_t footprint;
      int number;
    };
    std::vector<Drawn> drawn;
    sched::ParetoSet<int> set;
    for (int i = 0; i < 60; ++i) {
      drawn.push_back(
          {{static_cast<double>(random.range(0, 9)), static_cast<double>(random.range(0, 9))}, random.range(0, 3), i});
      set.insert(drawn.back().figure, drawn.back().footprint, i);
    }
    std::vector<int> expected;
    std::sort(drawn.begin(), drawn.end(), [](const Drawn& a, const Drawn& b) {
      return std::tuple(a.figure.cycles, a.figure.energy, a.footprint, a.number) <
             std::tuple(b.figure.cycles, b.figure.energy, b.footprint, b.number);
    });
    double energy = kHuge;
    for (const Drawn& d : drawn) {
      if (d.figure.energy >= energy) continue;
      energy = d.figure.energy;
      expected.push_back(d.number);
    }
    std::vector<int> kept;
    for (const auto& entry : set.entries()) kept.push_back(entry.candidate);
    CHECK(kept == expected);
  }
}

TEST_CASE("layerwise gives a valid schedule and says what it did") {
  const Architecture arch = tests::small_architecture(2, 16, 4);
  const sched::CostModel cost(arch);
  const Network& network = three_layers();
  const sched::SearchResult result = search(network, arch, cost, Objective::edp);
  CHECK_FALSE(verify_schedule(result.schedule, network, arch).has_value());
  CHECK(result.exact);
  CHECK(result.candidates > 1000);
  CHECK(result.mapspace_log10 > 4);
  REQUIRE(result.schedule.groups.size() == 4);  // Flatten moves nothing
  REQUIRE(result.groups.size() == 4);
  CHECK(result.schedule.strategy == "layerwise");
  CHECK(result.schedule.objective == "edp");
  for (const Group& group : result.schedule.groups) CHECK(group.cores == std::vector<std::int64_t>{0});
  // Equal layers may differ only in the name.
  CHECK(result.schedule.groups[0].mappings[0].tile == result.schedule.groups[1].mappings[0].tile);
}

TEST_CASE("each objective is served best by its own search") {
  const Architecture arch = tests::small_architecture(1, 16, 4);
  const sched::CostModel cost(arch);
  const auto total = [](const sched::SearchResult& result) {
    Figure sum;
    for (const sched::Prediction& p : result.groups) {
      sum.cycles += p.cycles;
      sum.energy += p.total_energy_pj();
    }
    return sum;
  };
  for (const Objective wanted : {Objective::latency, Objective::energy, Objective::edp}) {
    const double own = value_of(total(search(three_layers(), arch, cost, wanted)), wanted);
    for (const Objective other : {Objective::latency, Objective::energy, Objective::edp})
      CHECK(own <= value_of(total(search(three_layers(), arch, cost, other)), wanted) * (1 + 1e-12));
  }
}

TEST_CASE("the number of threads changes nothing") {
  const Architecture arch = tests::small_architecture(1, 16, 4);
  const sched::CostModel cost(arch);
  const std::string one = text_of(search(three_layers(), arch, cost, Objective::edp, 1));
  for (const int threads : {2, 3, 8})
    CHECK(text_of(search(three_layers(), arch, cost, Objective::edp, threads)) == one);
}

TEST_CASE("single buffers are used where double ones do not fit") {
  // One row in and one out take 8 KiB; two of each do not fit.
  const Network network = tests::one_layer("[16, 4096]", R"("op": "Softmax")");
  const Architecture arch = tests::small_architecture(1, 12);
  const sched::CostModel cost(arch);
  const sched::SearchResult result = search(network, arch, cost, Objective::edp);
  CHECK_FALSE(verify_schedule(result.schedule, network, arch).has_value());
  CHECK(result.schedule.groups[0].mappings[0].buffers.at("input") == 1);
  const Architecture large = tests::small_architecture(1, 16);
  const sched::CostModel large_cost(large);
  CHECK(search(network, large, large_cost, Objective::edp).groups[0].cycles < result.groups[0].cycles);
}
