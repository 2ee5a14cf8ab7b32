// Cuts and homes found by dynamic programming against all of them, one by one.
#include <algorithm>
#include <map>
#include <vector>

#include "sched/strategy/home_cuts.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"

using accsim::sched::best_homed_cuts;
using accsim::sched::Figure;
using accsim::sched::HomedCut;
using accsim::sched::HomedCuts;
using accsim::sched::HomedProblem;
using accsim::sched::HomedSegment;
using accsim::sched::HomedTensor;
using accsim::sched::HomedWay;
using accsim::sched::Objective;

namespace {

using accsim::tests::Random;

HomedProblem random_problem(Random& random) {
  HomedProblem problem;
  problem.operators = static_cast<std::size_t>(random.range(1, 5));
  problem.homes = static_cast<std::size_t>(random.range(1, 3));
  problem.scratchpad_bytes = random.range(5, 20);
  problem.buffer_bytes = random.range(0, 20);
  std::map<std::size_t, std::size_t> made_by;  // operator -> tensor
  for (std::size_t op = 0; op + 1 < problem.operators; ++op) {
    if (!random.chance(80)) continue;
    HomedTensor tensor;
    tensor.made = op;
    tensor.last = static_cast<std::size_t>(
        random.range(static_cast<std::int64_t>(op) + 1, static_cast<std::int64_t>(problem.operators) - 1));
    tensor.scratchpad_bytes = random.range(1, 12);
    tensor.buffer_bytes = random.range(1, 12);
    made_by.emplace(op, problem.tensors.size());
    problem.tensors.push_back(tensor);
  }
  for (std::size_t first = 0; first < problem.operators; ++first) {
    for (std::size_t last = first; last < problem.operators; ++last) {
      // Tensors that are made inside of a group are read there only.
      bool closed = true;
      for (const HomedTensor& t : problem.tensors)
        if (t.made >= first && t.made < last && t.last > last) closed = false;
      if (!closed || (last > first && !random.chance(60))) continue;
      HomedSegment segment;
      segment.first = first;
      segment.last = last;
      for (std::size_t t = 0; t < problem.tensors.size(); ++t)
        if (problem.tensors[t].made < first && problem.tensors[t].last >= first &&
            (problem.tensors[t].last <= last || random.chance(50)))
          segment.inputs.push_back(t);
      if (made_by.contains(last)) segment.result = made_by.at(last);
      std::size_t codes = segment.result ? problem.homes : 1;
      for (std::size_t i = 0; i < segment.inputs.size(); ++i) codes *= problem.homes;
      for (std::size_t code = 0; code < codes; ++code) {
        auto& ways = segment.ways.emplace_back();
        if (code > 0 && random.chance(15)) continue;  // no way with these homes
        for (std::int64_t w = random.range(1, 3); w > 0; --w)
          ways.push_back({{static_cast<double>(random.range(1, 50)), static_cast<double>(random.range(1, 50))},
                          code == 0 && first == last ? problem.scratchpad_bytes : random.range(0, 20)});
      }
      problem.segments.push_back(std::move(segment));
    }
  }
  return problem;
}

double value_of(const Figure& f, Objective objective) {
  return objective == Objective::latency ? f.cycles : objective == Objective::energy ? f.energy : f.cycles * f.energy;
}

// Everything that can be done from `cut` on, with homes given to what is made on the way.
class Enumeration {
 public:
  Enumeration(const HomedProblem& problem, Objective objective) : problem_(problem), objective_(objective) {
    home_.assign(problem.tensors.size(), 0);
    walk(0, {});
  }
  [[nodiscard]] double best() const { return best_; }
  [[nodiscard]] bool any() const { return any_; }

 private:
  void walk(std::size_t cut, Figure sum) {
    if (cut == problem_.operators) {
      if (!any_ || value_of(sum, objective_) < best_) best_ = value_of(sum, objective_);
      any_ = true;
      return;
    }
    for (const HomedSegment& segment : problem_.segments) {
      if (segment.first != cut) continue;
      for (std::size_t result = 0; result < (segment.result ? problem_.homes : 1); ++result) {
        if (segment.result) home_[*segment.result] = result;
        std::int64_t scratchpad = 0;
        std::int64_t buffer = 0;
        for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
          const HomedTensor& tensor = problem_.tensors[t];
          const bool lives =
              (tensor.made < segment.first && tensor.last >= segment.first) || (segment.result && *segment.result == t);
          if (lives && home_[t] == 1) scratchpad += tensor.scratchpad_bytes;
          if (lives && home_[t] == 2) buffer += tensor.buffer_bytes;
        }
        if (scratchpad > problem_.scratchpad_bytes || buffer > problem_.buffer_bytes) continue;
        std::size_t code = segment.result ? result : 0;
        for (std::size_t i = segment.inputs.size(); i-- > 0;) code = code * problem_.homes + home_[segment.inputs[i]];
        for (const HomedWay& way : segment.ways[code])
          if (way.spare_bytes >= scratchpad)
            walk(segment.last + 1, {sum.cycles + way.figure.cycles, sum.energy + way.figure.energy});
      }
    }
  }

  const HomedProblem& problem_;
  Objective objective_;
  std::vector<std::size_t> home_;  // by tensor
  double best_ = 0;
  bool any_ = false;
};

}  // namespace

TEST_CASE("cuts and homes are the best of all", "[joint]") {
  Random random(20);
  int on_chip = 0;
  for (int i = 0; i < 1500; ++i) {
    const HomedProblem problem = random_problem(random);
    for (const Objective objective : {Objective::latency, Objective::energy, Objective::edp}) {
      CAPTURE(i, static_cast<int>(objective));
      const Enumeration all(problem, objective);
      REQUIRE(all.any());
      const HomedCuts found = best_homed_cuts(problem, objective);
      CHECK(value_of(found.sum, objective) == all.best());
      // What it says adds up.
      Figure sum;
      std::size_t next = 0;
      for (const HomedCut& cut : found.cuts) {
        const HomedSegment& segment = problem.segments[cut.segment];
        REQUIRE(segment.first == next);
        next = segment.last + 1;
        sum.cycles += segment.ways[cut.code][cut.way].figure.cycles;
        sum.energy += segment.ways[cut.code][cut.way].figure.energy;
        on_chip += cut.code > 0 ? 1 : 0;
      }
      CHECK(next == problem.operators);
      CHECK(sum.cycles == found.sum.cycles);
      CHECK(sum.energy == found.sum.energy);
    }
  }
  CHECK(on_chip > 1000);
}
