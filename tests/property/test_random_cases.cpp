// Random small networks on random small architectures, from the schedule to the comparison with the reference executor.
#include <map>
#include <string>

#include "model/schedule/multicast.h"
#include "sched/strategy/strategy.h"
#include "tests/catch.h"
#include "tests/support/case_check.h"

namespace {

using namespace accsim;
using namespace accsim::tests;
using Kind = CaseResult::Kind;

// Cases first … first + count - 1; a failing one is shrunk and printed as files.
CaseTally check_cases(std::uint64_t first, std::uint64_t count, const std::string& strategy) {
  CaseTally tally;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const RandomCase made = random_case(seed);
    const CaseResult result = check_case(made, strategy);
    tally.add(made, result);
    if (result.kind != Kind::failed) continue;
    const RandomCase small = shrink(made, strategy);
    FAIL(describe_case(small, check_case(small, strategy)));
  }
  return tally;
}

// The cases are what they are meant to be: few are infeasible, every operator and type occurs.
void check_mixture(const CaseTally& tally) {
  INFO(tally.text());
  const auto count = [&](Kind kind) { return tally.kinds.count(kind) > 0 ? tally.kinds.at(kind) : 0; };
  CHECK(count(Kind::equal) > tally.cases * 3 / 4);
  CHECK(tally.elements > 20 * tally.cases);
  for (const char* precision : {"int8", "int16", "fp16", "bf16", "fp32"}) {
    CAPTURE(precision);
    CHECK(tally.precisions.count(precision) == 1);
  }
  if (tally.cases < 500) return;
  constexpr int kOperators = 20;
  CHECK(tally.operators.size() == kOperators);
}

constexpr std::uint64_t kCheap = 500;  // four times

}  // namespace

TEST_CASE("random schedules of random cases compute what the network says (part 1)") {
  check_mixture(check_cases(1, kCheap, kRandomStrategy));
}
TEST_CASE("random schedules of random cases compute what the network says (part 2)") {
  check_mixture(check_cases(1 + kCheap, kCheap, kRandomStrategy));
}
TEST_CASE("random schedules of random cases compute what the network says (part 3)") {
  check_mixture(check_cases(1 + 2 * kCheap, kCheap, kRandomStrategy));
}
TEST_CASE("random schedules of random cases compute what the network says (part 4)") {
  check_mixture(check_cases(1 + 3 * kCheap, kCheap, kRandomStrategy));
}

TEST_CASE("random fused groups of random cases compute what the network says (part 1)") {
  check_mixture(check_cases(20'001, kCheap, kRandomFusion));
}
TEST_CASE("random fused groups of random cases compute what the network says (part 2)") {
  check_mixture(check_cases(20'001 + kCheap, kCheap, kRandomFusion));
}

TEST_CASE("random schedules of random cases fuse groups of two to five operators") {
  std::map<std::size_t, int> groups;  // by operators
  int multicasts = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const CaseResult result = check_case(random_case(seed), kRandomFusion);
    if (!result.schedule) continue;
    for (const model::Group& group : result.schedule->groups) {
      ++groups[group.mappings.size()];
      multicasts += group.mappings.size() > 1 && model::is_multicast(group) ? 1 : 0;
    }
  }
  CHECK(multicasts > 5);
  CHECK(groups[2] > 50);
  CHECK(groups[3] > 10);
  CHECK(groups[4] + groups[5] > 3);
}

TEST_CASE("schedules that the strategies find for random cases compute what the network says") {
  for (const std::string& strategy : sched::strategy_names()) {
    CAPTURE(strategy);
    check_mixture(check_cases(10'001, 100, strategy));
  }
}

TEST_CASE("many random schedules of random cases compute what the network says", "[long]") {
  check_mixture(check_cases(100'001, 20'000, kRandomStrategy));
}

TEST_CASE("many random fused groups of random cases compute what the network says", "[long]") {
  check_mixture(check_cases(300'001, 10'000, kRandomFusion));
}

TEST_CASE("many schedules that the strategies find compute what the network says", "[long]") {
  for (const std::string& strategy : sched::strategy_names()) {
    CAPTURE(strategy);
    check_mixture(check_cases(200'001, 1000, strategy));
  }
}

TEST_CASE("a random case follows from its seed alone") {
  for (const std::uint64_t seed : {1, 2, 77}) {
    CHECK(random_case(seed).arch == random_case(seed).arch);
    CHECK(random_case(seed).net == random_case(seed).net);
    CHECK(random_case(seed).net != random_case(seed + 1).net);
  }
}
