// Tilings with remainders. Counts against a walk that executes the loop nest iteration by iteration on every instance,
// with explicit sets of words; the search against brute force over the same space.
#include <map>
#include <set>

#include "sched/mapping/ragged.h"
#include "tests/property/map_cases.h"

namespace {

namespace model = accsim::model;
namespace sched = accsim::sched;
using accsim::tests::Random;
using Words = std::set<std::vector<std::int64_t>>;  // coordinates along the tensor's axes

struct Range {
  std::int64_t low = 0, size = 0;
};

// One mapping, executed.
struct Walk {
  const sched::MapHierarchy& hierarchy;
  const sched::MapProblem& problem;
  const sched::Mapping& mapping;
  struct Loop {
    std::size_t level, dim;
    std::int64_t trips;
  };
  std::vector<Loop> loops{};                                     // outermost first; also those of one iteration
  std::vector<std::vector<std::vector<std::int64_t>>> places{};  // [level]: coordinates [l * dims + d] of each instance
  // [level][tensor]: by instance
  using Counts = std::map<std::vector<std::int64_t>, sched::Accesses>;
  std::vector<std::vector<Counts>> counts{};
  std::map<std::vector<std::int64_t>, double> steps{};  // of each unit

  [[nodiscard]] std::size_t dims() const { return problem.dims.size(); }
  [[nodiscard]] std::size_t levels() const { return hierarchy.levels.size(); }

  // The range of one dimension in an instance of `level`, all loops above it at `index`; empty where it has no part.
  [[nodiscard]] Range range(std::size_t level, std::size_t d, const std::vector<std::int64_t>& place,
                            const std::vector<std::vector<std::int64_t>>& index) const {
    Range at{0, problem.dims[d].size};
    for (std::size_t l = 1; l <= level; ++l) {
      const std::int64_t tile = mapping.tile[l][d], block = tile * mapping.spatial[l][d];
      const std::int64_t skip = index[l - 1][d] * block;
      at = {at.low + skip, std::max<std::int64_t>(0, std::min(block, at.size - skip))};
      const std::int64_t aside = place[l * dims() + d] * tile;
      at = {at.low + aside, std::max<std::int64_t>(0, std::min(tile, at.size - aside))};
    }
    return at;
  }

  [[nodiscard]] Words words(const sched::MapTensor& tensor, const std::vector<Range>& at) const {
    Words all{{}};
    for (const sched::TensorAxis& axis : tensor.axes) {
      std::int64_t low = 0, extent = 1;
      for (const sched::AxisPart& part : axis) {
        const Range& r = at[static_cast<std::size_t>(part.dim)];
        low += part.coefficient * r.low;
        extent += part.coefficient * (r.size - 1);
      }
      Words longer;
      for (const auto& head : all) {
        for (std::int64_t i = low; i < low + extent; ++i) {
          longer.insert(head);
          auto entry = head;
          entry.push_back(i);
          longer.erase(head);
          longer.insert(entry);
        }
      }
      all = std::move(longer);
    }
    return all;
  }

  // What makes requests the same: ranges of the tensor's dimensions (or, along a window whose dimensions are cut
  // nowhere, the first coordinate), and the places in levels that do not share.
  [[nodiscard]] std::vector<std::int64_t> request(const sched::MapTensor& tensor, std::size_t above, std::size_t below,
                                                  const std::vector<std::int64_t>& place,
                                                  const std::vector<Range>& at) const {
    std::vector<std::int64_t> name;
    for (const sched::TensorAxis& axis : tensor.axes) {
      bool whole = true;
      for (const sched::AxisPart& part : axis) {
        const auto d = static_cast<std::size_t>(part.dim);
        bool split = false;
        for (std::size_t l = above + 1; l <= below; ++l) {
          const sched::MapLevel& level = hierarchy.levels[l];
          split = split || ((tensor.output ? level.reduction : level.multicast) && mapping.spatial[l][d] > 1);
        }
        whole = whole && (!split || sched::ragged_dim(mapping, d).whole());
      }
      std::int64_t low = 0;
      for (const sched::AxisPart& part : axis) {
        const Range& r = at[static_cast<std::size_t>(part.dim)];
        low += part.coefficient * r.low;
        if (!whole || axis.size() == 1) name.insert(name.end(), {r.low, r.size});
      }
      if (whole) name.push_back(low);
    }
    for (std::size_t l = above + 1; l <= below; ++l) {
      const sched::MapLevel& level = hierarchy.levels[l];
      if (tensor.output ? level.reduction : level.multicast) continue;
      for (std::size_t d = 0; d < dims(); ++d) name.push_back(place[l * dims() + d]);
    }
    return name;
  }

  void run() {
    for (std::size_t l = 0; l < levels(); ++l) {
      std::vector<bool> listed(dims(), false);
      std::vector<Loop> here;
      for (const int d : mapping.order[l]) listed[static_cast<std::size_t>(d)] = true;
      for (std::size_t d = 0; d < dims(); ++d) {
        if (!listed[d]) here.push_back({l, d, 1});
      }
      for (std::size_t i = mapping.order[l].size(); i-- > 0;) {
        const auto d = static_cast<std::size_t>(mapping.order[l][i]);
        here.push_back({l, d, mapping.temporal[l][d]});
      }
      loops.insert(loops.end(), here.begin(), here.end());
    }
    counts.assign(levels(), std::vector<Counts>(problem.tensors.size()));
    places.push_back({std::vector<std::int64_t>(levels() * dims(), 0)});
    for (std::size_t l = 1; l < levels(); ++l) {
      places.push_back(places.back());
      for (std::size_t d = 0; d < dims(); ++d) {
        std::vector<std::vector<std::int64_t>> more;
        for (const auto& place : places.back()) {
          for (std::int64_t i = 0; i < mapping.spatial[l][d]; ++i) {
            more.push_back(place);
            more.back()[l * dims() + d] = i;
          }
        }
        places.back() = std::move(more);
      }
    }
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
      std::size_t parent = 0;
      for (std::size_t l = 1; l < levels(); ++l) {
        if ((mapping.keep[t] >> l & 1U) == 0) continue;
        tensor(t, parent, l, false);
        parent = l;
      }
      tensor(t, parent, levels() - 1, true);
    }
  }

  // All that moves of tensor t between `parent` and `level` (or the units below it).
  void tensor(std::size_t t, std::size_t parent, std::size_t level, bool units) {
    const sched::MapTensor& tensor = problem.tensors[t];
    // Loops above the level; the innermost run of those that do not index the tensor is not looked at.
    std::size_t above = 0;
    while (above < loops.size() && (units || loops[above].level < level)) ++above;
    std::size_t seen = above;
    while (seen > 0 && !units && (loops[seen - 1].trips == 1 || !tensor.uses(static_cast<int>(loops[seen - 1].dim)))) {
      --seen;
    }
    struct State {
      std::vector<std::int64_t> index;
      Words held;
      bool any = false;
    };
    std::map<std::vector<std::int64_t>, State> states;
    std::map<std::vector<std::int64_t>, Words> touched_below, touched_above;
    std::vector<std::vector<std::int64_t>> index(levels(), std::vector<std::int64_t>(dims(), 0));
    const auto visit = [&] {
      std::vector<std::int64_t> key;
      for (std::size_t i = 0; i < seen; ++i) key.push_back(index[loops[i].level][loops[i].dim]);
      std::map<std::vector<std::int64_t>, std::map<std::vector<std::int64_t>, Words>> requests;  // by parent, by name
      for (const auto& place : places[level]) {
        std::vector<Range> at;
        bool works = true;
        for (std::size_t d = 0; d < dims(); ++d) {
          at.push_back(range(level, d, place, index));
          if (units) {  // one index of the innermost tile
            const std::int64_t i = index[levels() - 1][d];
            at.back() = {at.back().low + i, i < at.back().size ? 1 : 0};
          }
          works = works && at.back().size > 0;
        }
        if (!works) continue;
        Words now = words(tensor, at);
        if (units) {
          if (t == 0) steps[place] += 1;
        } else {
          State& state = states[place];
          if (state.any && state.index == key) continue;
          const Words all = now;
          bool slides = state.any && seen > 0;
          for (std::size_t i = 0; i + 1 < seen && slides; ++i) slides = state.index[i] == key[i];
          if (slides && state.index.back() + 1 == key.back()) {
            for (const auto& word : state.held) now.erase(word);
          }
          state = {key, all, true};
          sched::Accesses& own = counts[level][t][place];
          own.fills += static_cast<double>(now.size());
          if (tensor.output) {
            for (const auto& word : now) own.fills -= touched_below[place].insert(word).second ? 1 : 0;
          }
        }
        std::vector<std::int64_t> owner = place;
        for (std::size_t l = parent + 1; l < levels(); ++l) {
          for (std::size_t d = 0; d < dims(); ++d) owner[l * dims() + d] = 0;
        }
        Words& asked = requests[owner][request(tensor, parent, level, place, at)];
        if (asked.size() < now.size()) asked = now;  // the same box; whose window slid less far asks for more
      }
      for (const auto& [owner, list] : requests) {
        sched::Accesses& at = counts[parent][t][owner];
        for (const auto& [name, asked] : list) {
          if (!tensor.output) {
            at.reads += static_cast<double>(asked.size());
            continue;
          }
          at.updates += static_cast<double>(asked.size());
          for (const auto& word : asked) at.reads += touched_above[owner].insert(word).second ? 0 : 1;
        }
      }
    };
    const auto nest = [&](const auto& self, std::size_t i) -> void {
      if (i == above) {
        visit();
        return;
      }
      for (std::int64_t k = 0; k < loops[i].trips; ++k) {
        index[loops[i].level][loops[i].dim] = k;
        self(self, i + 1);
      }
      index[loops[i].level][loops[i].dim] = 0;
    };
    nest(nest, 0);
  }
};

// Any chain of tiles and splits, not only those that the search considers.
sched::Mapping random_mapping(Random& random, const sched::MapHierarchy& h, const sched::MapProblem& problem,
                              const sched::KeepRules& rules, bool whole) {
  sched::Mapping m = sched::empty_mapping(h, problem);
  m.tile = m.temporal;
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    m.tile[0][d] = problem.dims[d].size;
    for (std::size_t l = 1; l < h.levels.size(); ++l) {
      const std::int64_t above = m.tile[l - 1][d];
      std::int64_t tile = 1 + random.below(above);
      while (whole && above % tile != 0) tile = 1 + random.below(above);
      m.tile[l][d] = tile;
      if (h.levels[l].has_mesh && random.chance(60)) {
        const std::int64_t most = std::min<std::int64_t>(3, (above + tile - 1) / tile);
        std::int64_t split = 1 + random.below(most);
        while (whole && above % (tile * split) != 0) split = 1 + random.below(most);
        m.spatial[l][d] = split;
      }
    }
    const sched::RaggedDim chain = sched::ragged_dim(m, d);
    for (std::size_t l = 0; l < h.levels.size(); ++l) m.temporal[l][d] = chain.trips(l);
  }
  for (std::size_t l = 0; l < h.levels.size(); ++l) {
    for (std::size_t d = 0; d < problem.dims.size(); ++d) {
      if (m.temporal[l][d] > 1) m.order[l].push_back(static_cast<int>(d));
    }
    for (std::size_t i = m.order[l].size(); i > 1; --i) {
      std::swap(m.order[l][i - 1], m.order[l][static_cast<std::size_t>(random.below(static_cast<std::int64_t>(i)))]);
    }
  }
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    for (std::size_t l = 1; l < h.levels.size(); ++l) {
      if (random.chance(60)) m.keep[t] |= 1U << l;
    }
  }
  static_cast<void>(rules);
  return m;
}

bool defined(const sched::MapProblem& problem) {
  try {
    sched::check_ragged_problem(problem);
    return true;
  } catch (const model::ConfigError&) {
    return false;
  }
}

}  // namespace

TEST_CASE("counts with remainders equal those of the executed loop nest") {
  int compared = 0, cut = 0;
  for (std::uint64_t seed = 1; compared < 600; ++seed) {
    Random random(seed);
    const sched::MapProblem problem = accsim::tests::random_problem(random, 150);
    const sched::MapHierarchy hierarchy = accsim::tests::random_hierarchy(random, problem);
    if (!defined(problem)) continue;
    const sched::KeepRules rules = sched::keep_rules(hierarchy, problem);
    const sched::Mapping mapping = random_mapping(random, hierarchy, problem, rules, false);
    INFO("seed " << seed << "\n"
                 << sched::problem_json(problem).dump() << "\n"
                 << sched::hierarchy_json(hierarchy).dump() << "\n"
                 << sched::mapping_json(hierarchy, problem, mapping).dump());
    const sched::Evaluation e = sched::evaluate(hierarchy, problem, rules, mapping);
    Walk walk{hierarchy, problem, mapping};
    walk.run();
    ++compared;
    for (std::size_t d = 0; d < problem.dims.size(); ++d) cut += sched::ragged_dim(mapping, d).whole() ? 0 : 1;
    double pj = problem.macs() * hierarchy.mac_pj, unit_steps = 0;
    for (const auto& [place, steps] : walk.steps) unit_steps = std::max(unit_steps, steps);
    CHECK(e.compute_cycles == sched::whole_cycles(unit_steps, hierarchy.ops_per_cycle));
    for (std::size_t l = 0; l < hierarchy.levels.size(); ++l) {
      const sched::MapLevel& level = hierarchy.levels[l];
      std::map<std::vector<std::int64_t>, sched::Accesses> sums;  // by instance
      for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
        INFO(level.name << " " << problem.tensors[t].name);
        sched::Accesses all, most;
        for (const auto& [place, a] : walk.counts[l][t]) {
          all.reads += a.reads;
          all.fills += a.fills;
          all.updates += a.updates;
          most.reads = std::max(most.reads, a.reads);
          most.fills = std::max(most.fills, a.fills);
          most.updates = std::max(most.updates, a.updates);
        }
        CHECK(e.totals[l][t].reads == all.reads);
        CHECK(e.totals[l][t].fills == all.fills);
        CHECK(e.totals[l][t].updates == all.updates);
        CHECK(e.accesses[l][t].reads == most.reads);  // nobody has more than the first
        CHECK(e.accesses[l][t].fills == most.fills);
        CHECK(e.accesses[l][t].updates == most.updates);
        pj += all.reads * level.read_pj + all.fills * level.write_pj + all.updates * level.update_pj;
      }
    }
    CHECK(accsim::tests::near(e.energy_pj, pj));
    const model::Json json = sched::mapping_json(hierarchy, problem, mapping);
    sched::MapHierarchy roomy = hierarchy;  // the random mapping may not fit the real one
    for (sched::MapLevel& level : roomy.levels) {
      level.capacity_words = std::numeric_limits<double>::infinity();
      if (level.has_mesh) level.mesh = {4096, 4096};
      level.must_keep.clear();
      level.may_keep_all = true;
    }
    roomy.levels[0].must_keep_all = true;
    const sched::Mapping again = sched::parse_mapping(json, roomy, problem, "mapping");
    CHECK(sched::tile_sizes(again) == mapping.tile);
    CHECK(again.temporal == mapping.temporal);
  }
  CHECK(cut > 300);
}

TEST_CASE("without remainders the counts are those of divisor tilings") {
  int compared = 0;
  for (std::uint64_t seed = 1; compared < 2000; ++seed) {
    Random random(seed);
    const sched::MapProblem problem = accsim::tests::random_problem(random, 4000);
    const sched::MapHierarchy hierarchy = accsim::tests::random_hierarchy(random, problem);
    if (!defined(problem)) continue;
    const sched::KeepRules rules = sched::keep_rules(hierarchy, problem);
    sched::Mapping mapping = random_mapping(random, hierarchy, problem, rules, true);
    INFO("seed " << seed << "\n"
                 << sched::problem_json(problem).dump() << "\n"
                 << sched::mapping_json(hierarchy, problem, mapping).dump());
    const sched::Evaluation ragged = sched::evaluate(hierarchy, problem, rules, mapping);
    mapping.tile.clear();
    const sched::Evaluation plain = sched::evaluate(hierarchy, problem, rules, mapping);
    CHECK(accsim::tests::near(ragged.energy_pj, plain.energy_pj));
    CHECK(ragged.cycles == plain.cycles);
    CHECK(ragged.used_words == plain.used_words);
    ++compared;
  }
}

namespace {

int compare(std::uint64_t first_seed, int cases, double most_mappings, bool words = false) {
  int compared = 0;
  for (std::uint64_t seed = first_seed; compared < cases; ++seed) {
    Random random(seed);
    const sched::MapProblem problem = accsim::tests::random_problem(random, 48);
    sched::MapHierarchy hierarchy = accsim::tests::random_hierarchy(random, problem);
    if (!defined(problem)) continue;
    sched::KeepRules rules = sched::keep_rules(hierarchy, problem);
    if (std::pow(10.0, sched::raw_space_log10(hierarchy, problem, rules, true)) > most_mappings) continue;
    sched::MapSearchOptions options;
    options.imperfect = true;
    options.seed_tiles = static_cast<std::size_t>(1 + seed % 3);
    model::Json demands;
    if (seed % 3 == 0) {
      demands = accsim::tests::random_constraints(random, hierarchy, problem, false);
      try {
        options.constraints = sched::parse_constraints(demands, hierarchy, problem, rules, false, "constraints");
      } catch (const model::ConfigError&) {
        continue;
      }
    }
    INFO("seed " << seed << "\n"
                 << sched::problem_json(problem).dump() << "\n"
                 << sched::hierarchy_json(hierarchy).dump() << "\n"
                 << demands.dump());
    if (accsim::tests::equals_brute_force(hierarchy, problem, rules, options, words)) ++compared;
  }
  return compared;
}

}  // namespace

TEST_CASE("the search with remainders equals brute force") { CHECK(compare(1, 250, 1e7) == 250); }

TEST_CASE("the search with remainders equals brute force, words of levels among the criteria") {
  CHECK(compare(1'000'252, 1, 1e10, true) == 1);
  CHECK(compare(5'000'000, 150, 1e7, true) == 150);
}

TEST_CASE("more and larger problems with remainders", "[long]") {
  CHECK(compare(1'000'000, 2000, 1e10) == 2000);
  CHECK(compare(6'000'000, 1500, 1e9, true) == 1500);
}
