// The mapper's pruned search against brute force over the unpruned space, on random small problems and hierarchies: 1
// to 5 dimensions, windows with strides and dilations, 1 to 4 levels, meshes between any levels, bypass rules,
// buffering, with and without multicast and reduction, random non-negative coefficients on every feature of the cost;
// then the same under random constraints.
#include "sched/mapping/ragged.h"
#include "tests/property/map_cases.h"

namespace {

namespace model = accsim::model;
namespace sched = accsim::sched;
using accsim::tests::Random;

// How many cases had any mapping.
int compare(std::uint64_t first_seed, int cases, double most_mappings, bool constrained) {
  int compared = 0;
  for (std::uint64_t seed = first_seed; compared < cases; ++seed) {
    Random random(seed);
    const sched::MapProblem problem = accsim::tests::random_problem(random, 48);
    sched::MapHierarchy hierarchy = accsim::tests::random_hierarchy(random, problem);
    sched::KeepRules rules = sched::keep_rules(hierarchy, problem);
    if (std::pow(10.0, sched::raw_space_log10(hierarchy, problem, rules)) > most_mappings) continue;
    sched::MapSearchOptions options;
    options.seed_tiles = static_cast<std::size_t>(1 + seed % 3);  // so few that the first passes miss what is best
    model::Json demands;
    if (constrained) {
      demands = accsim::tests::random_constraints(random, hierarchy, problem, true);
      try {
        options.constraints = sched::parse_constraints(demands, hierarchy, problem, rules, true, "constraints");
      } catch (const model::ConfigError&) {
        continue;  // a tensor kept and left out, or a contradictory order
      }
    }
    INFO("seed " << seed << "\n"
                 << sched::problem_json(problem).dump() << "\n"
                 << sched::hierarchy_json(hierarchy).dump() << "\n"
                 << demands.dump());
    if (accsim::tests::equals_brute_force(hierarchy, problem, rules, options, seed % 4 == 0)) ++compared;
  }
  return compared;
}

}  // namespace

TEST_CASE("the search equals brute force on random problems and hierarchies") {
  CHECK(compare(1, 1200, 3e9, false) == 1200);
}

TEST_CASE("the search equals brute force under random constraints") { CHECK(compare(1, 1200, 3e9, true) == 1200); }

TEST_CASE("threads change nothing, with remainders and under constraints") {
  int compared = 0;
  for (std::uint64_t seed = 1; compared < 60; ++seed) {
    Random random(seed);
    const sched::MapProblem problem = accsim::tests::random_problem(random, 48);
    sched::MapHierarchy hierarchy = accsim::tests::random_hierarchy(random, problem);
    sched::KeepRules rules = sched::keep_rules(hierarchy, problem);
    sched::MapSearchOptions options;
    options.imperfect = seed % 2 == 0;
    options.pareto = seed % 3 == 0;
    try {
      if (options.imperfect) sched::check_ragged_problem(problem);
      const model::Json demands = accsim::tests::random_constraints(random, hierarchy, problem, !options.imperfect);
      if (seed % 4 < 2) {
        options.constraints =
            sched::parse_constraints(demands, hierarchy, problem, rules, !options.imperfect, "constraints");
      }
      if (std::pow(10.0, sched::raw_space_log10(hierarchy, problem, rules, options.imperfect)) > 1e9) continue;
      const sched::MapSearchResult one = sched::search_mapping(hierarchy, problem, rules, options);
      options.jobs = 3;
      const sched::MapSearchResult many = sched::search_mapping(hierarchy, problem, rules, options);
      INFO("seed " << seed);
      CHECK(many.certificate.evaluated == one.certificate.evaluated);
      CHECK(many.certificate.pruned_log10 == one.certificate.pruned_log10);
      REQUIRE(many.points.size() == one.points.size());
      for (std::size_t i = 0; i < one.points.size(); ++i) {
        CHECK(sched::mapping_json(hierarchy, problem, many.points[i].mapping) ==
              sched::mapping_json(hierarchy, problem, one.points[i].mapping));
      }
      ++compared;
    } catch (const model::ConfigError&) {  // contradictory demands, or no problem for remainders
    } catch (const model::InfeasibleError&) {
    }
  }
}

TEST_CASE("more and larger random problems and hierarchies", "[long]") {
  CHECK(compare(1'000'000, 3000, 1e11, false) == 3000);
  CHECK(compare(2'000'000, 3000, 1e11, true) == 3000);
}
