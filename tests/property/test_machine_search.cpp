// The search under the `machine` rules against brute force: random operators on random small cores, every tile
// candidate times every order of the loops priced one by one through the plain interface, with random non-negative
// coefficients on every feature of the cost model. Compared: the three objectives and the whole Pareto set.
#include <algorithm>
#include <limits>

#include "model/base/error.h"
#include "model/schedule/tiling.h"
#include "sched/strategy/operator_search.h"
#include "sched/strategy/tile_candidates.h"
#include "tests/catch.h"
#include "tests/support/random_operators.h"

namespace {

using namespace accsim;
using namespace accsim::model;
using sched::Figure;

constexpr double kMostMappings = 2500;

struct Exhaustive {
  const Network& network;
  const Architecture& arch;
  const sched::CostModel& cost;
  OpId op;
  std::vector<LoopNest> nests = loop_nests_of(network, op);
  std::vector<std::vector<std::int64_t>> sizes = {};
  std::vector<Figure> figures = {};
  OperatorMapping mapping = {};

  // Combinations of tiles and orders.
  double prepare() {
    mapping.layer = network.op(op).name;
    double count = 1, outer = 0;
    for (std::size_t d = 0; d < nests.front().dims.size(); ++d) {
      std::vector<std::int64_t>& list = sizes.emplace_back();
      for (const LoopNest& nest : nests) {
        const auto some = sched::tile_candidates(nest, d, arch.core_types.front(), arch.dram.derived.burst_bytes);
        list.insert(list.end(), some.begin(), some.end());
      }
      std::sort(list.begin(), list.end());
      list.erase(std::unique(list.begin(), list.end()), list.end());
      count *= static_cast<double>(list.size());
      if (nests.front().dims[d].kind != DimKind::k && list.size() > 1) count *= ++outer;
    }
    return count;
  }
  void tile(std::size_t d) {
    const std::vector<Dim>& dims = nests.front().dims;
    if (d == dims.size()) {
      if (boxes() && tests::buffers_fit(nests, mapping, arch.core_types.front())) orders();
      return;
    }
    for (const std::int64_t size : sizes[d]) {
      mapping.tile[dims[d].name] = size;
      tile(d + 1);
    }
  }
  // A tile of the result is a box: of two dimensions on one axis the inner one is whole, or the outer one 1.
  [[nodiscard]] bool boxes() const {
    for (const LoopNest& nest : nests) {
      for (const Axis& axis : nest.output().axes) {
        for (const AxisTerm& inner : axis.terms) {
          for (const AxisTerm& outer : axis.terms) {
            if (inner.coefficient >= outer.coefficient) continue;
            const Dim &in = nest.dims[static_cast<std::size_t>(inner.dim)],
                      &out = nest.dims[static_cast<std::size_t>(outer.dim)];
            if (mapping.tile.at(in.name) < in.extent && mapping.tile.at(out.name) > 1) return false;
          }
        }
      }
    }
    return true;
  }
  void orders() {
    std::vector<std::string> outer, reduced;
    for (std::size_t d = 0; d < sizes.size(); ++d) {
      const Dim& dim = nests.front().dims[d];
      if (dim.kind == DimKind::k) reduced.push_back(dim.name);
      if (dim.kind != DimKind::k && sizes[d].size() > 1) outer.push_back(dim.name);
    }
    std::sort(outer.begin(), outer.end());
    do {
      mapping.order = outer;
      mapping.order.insert(mapping.order.end(), reduced.begin(), reduced.end());
      const sched::Prediction p = cost.predict(network, op, mapping, arch.core_types.front());
      figures.push_back({p.cycles, p.total_energy_pj()});
    } while (std::next_permutation(outer.begin(), outer.end()));
  }
};

Network any_operator(tests::Random& random) {
  switch (random.range(0, 8)) {
    case 0:
    case 1:
      return tests::any_conv(random);
    case 2:
    case 3:
      return tests::any_gemm(random);
    case 4:
      return tests::any_matmul(random);
    case 5:
      return tests::any_pool(random);
    case 6:
      return tests::any_elementwise(random);
    case 7:
      return tests::any_normalization(random);
    default:
      return tests::any_transpose(random);
  }
}

sched::CostCoefficients any_coefficients(tests::Random& random) {
  sched::CostCoefficients c;
  const auto draw = [&] { return random.chance(20) ? 0.0 : static_cast<double>(random.range(1, 4000)) / 1000; };
  for (double& v : c.cycles) v = draw();
  for (double& v : c.energy) v = draw();
  c.shared_dram = draw();
  c.exposed = static_cast<double>(random.range(0, 1000)) / 1000;
  c.dram_standby = draw();
  return c;
}

// How many operators were compared; `mappings`: priced by brute force.
int compare(std::uint64_t first_seed, int cases, double& mappings, int& fronts) {
  constexpr double kNear = 1e-9;
  int compared = 0;
  for (std::uint64_t seed = first_seed; compared < cases; ++seed) {
    tests::Random random(seed);
    Architecture arch = tests::small_architecture(1, random.range(1, 8), random.range(1, 4));
    constexpr std::array kDataflows{Dataflow::weight_stationary, Dataflow::output_stationary,
                                    Dataflow::input_stationary, Dataflow::vector_mac};
    arch.core_types.front().array.dataflow = kDataflows[static_cast<std::size_t>(random.range(0, 3))];
    const Network network = any_operator(random);
    const sched::CostModel cost(arch, any_coefficients(random));
    for (const Operator& op : network.operators) {
      INFO("seed " << seed << ", " << name_of(op.type));
      Exhaustive all{network, arch, cost, op.id};
      if (all.nests.empty() || all.prepare() > kMostMappings) continue;
      all.tile(0);
      if (all.figures.size() < 2) continue;  // nothing fits with two buffers each, or no choice
      mappings += static_cast<double>(all.figures.size());
      const sched::OperatorSearchResult found =
          sched::search_operator(network, op.id, cost, arch.core_types.front(), 0);
      // Nothing beats what was found, in any weighting: each mapping is covered by a point of the front.
      const auto covered = [&](const Figure& f) {
        return std::any_of(found.front.begin(), found.front.end(), [&](const sched::MappedFigure& m) {
          return m.figure.cycles <= f.cycles * (1 + kNear) && m.figure.energy <= f.energy * (1 + kNear);
        });
      };
      CHECK(std::all_of(all.figures.begin(), all.figures.end(), covered));
      // What was found is what the model says of its mapping, and one of those that were priced.
      for (const sched::MappedFigure& m : found.front) {
        const sched::Prediction p = cost.predict(network, op.id, m.mapping, arch.core_types.front());
        CHECK(p.cycles == Approx(m.figure.cycles).epsilon(kNear));
        CHECK(p.total_energy_pj() == Approx(m.figure.energy).epsilon(kNear));
        CHECK(std::any_of(all.figures.begin(), all.figures.end(), [&](const Figure& f) {
          return f.cycles == Approx(m.figure.cycles).epsilon(kNear) &&
                 f.energy == Approx(m.figure.energy).epsilon(kNear);
        }));
      }
      fronts += found.front.size() > 1 ? 1 : 0;
      ++compared;
    }
  }
  return compared;
}

}  // namespace

TEST_CASE("the search for operators equals brute force, with random coefficients on every feature") {
  double mappings = 0;
  int fronts = 0;
  CHECK(compare(1, 1000, mappings, fronts) >= 1000);
  CHECK(mappings > 200'000);
  CHECK(fronts > 100);
}
