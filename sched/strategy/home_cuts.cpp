#include "sched/strategy/home_cuts.h"

#include <algorithm>
#include <limits>

#include "model/base/error.h"

namespace accsim::sched {
namespace {

constexpr std::uint8_t kScratchpads = 1;
constexpr std::uint8_t kBuffer = 2;

// A state at a cut: the homes of the tensors alive there as digits, the first one's the lowest.
class Searcher {
 public:
  explicit Searcher(const HomedProblem& problem) : problem_(problem), alive_(problem.operators + 1) {
    for (std::size_t cut = 0; cut <= problem.operators; ++cut)
      for (std::size_t t = 0; t < problem.tensors.size(); ++t)
        if (problem.tensors[t].made < cut && cut <= problem.tensors[t].last) alive_[cut].push_back(t);
    for (const std::vector<std::size_t>& alive : alive_) states_.push_back(power(alive.size()));
    from_.resize(problem.operators);
    for (const HomedSegment& segment : problem.segments) from_[segment.first].push_back(expand(segment));
  }

  [[nodiscard]] HomedCuts best(const Figure& weight) const {
    constexpr double kNone = std::numeric_limits<double>::infinity();
    struct Step {
      double cost = kNone;
      std::size_t groups = 0;
      std::size_t cut = 0, state = 0;  // before
      HomedCut taken;
    };
    std::vector<std::vector<Step>> steps;
    for (const std::size_t states : states_) steps.emplace_back(states);
    steps[0][0].cost = 0;
    for (std::size_t cut = 0; cut < problem_.operators; ++cut) {
      for (const Expanded& segment : from_[cut]) {
        const std::size_t end = segment.segment->last + 1;
        for (const Move& move : segment.moves) {
          const Step& before = steps[cut][move.from];
          if (before.cost == kNone) continue;
          Step& step = steps[end][move.to];
          const std::vector<HomedWay>& ways = segment.segment->ways[move.code];
          for (std::size_t w = 0; w < ways.size(); ++w) {
            if (ways[w].spare_bytes < move.scratchpad_bytes) continue;
            const double cost =
                before.cost + ways[w].figure.cycles * weight.cycles + ways[w].figure.energy * weight.energy;
            const std::size_t groups = before.groups + 1;
            if (cost > step.cost || (cost == step.cost && groups >= step.groups)) continue;
            step = {cost, groups, cut, move.from, {index_of(*segment.segment), move.code, w}};
          }
        }
      }
    }
    HomedCuts found;
    if (steps[problem_.operators][0].cost == kNone)
      throw model::InternalError("the segments do not reach the last operator");
    for (std::size_t cut = problem_.operators, state = 0; cut > 0;) {
      const Step& step = steps[cut][state];
      found.cuts.push_back(step.taken);
      const Figure& figure = problem_.segments[step.taken.segment].ways[step.taken.code][step.taken.way].figure;
      found.sum.cycles += figure.cycles;
      found.sum.energy += figure.energy;
      cut = step.cut;
      state = step.state;
    }
    std::reverse(found.cuts.begin(), found.cuts.end());
    return found;
  }

  // Least product over all corners between two of them.
  void between(const HomedCuts& fast, const HomedCuts& frugal, HomedCuts& found) const {
    const Figure weight{fast.sum.energy - frugal.sum.energy, frugal.sum.cycles - fast.sum.cycles};
    if (weight.cycles <= 0 || weight.energy <= 0) return;
    const HomedCuts corner = best(weight);
    const auto value = [&](const Figure& f) { return f.cycles * weight.cycles + f.energy * weight.energy; };
    constexpr double kRounding = 1e-12;
    if (value(corner.sum) >= value(fast.sum) * (1 - kRounding)) return;  // nothing below the line through both
    if (product(corner) < product(found)) found = corner;
    between(fast, corner, found);
    between(corner, frugal, found);
  }
  static double product(const HomedCuts& cuts) { return cuts.sum.cycles * cuts.sum.energy; }

 private:
  struct Move {
    std::size_t from = 0, to = 0;  // states
    std::size_t code = 0;
    std::int64_t scratchpad_bytes = 0;  // of tensors alive while the group runs, on each core
  };
  struct Expanded {
    const HomedSegment* segment = nullptr;
    std::vector<Move> moves;
  };

  [[nodiscard]] std::size_t index_of(const HomedSegment& segment) const {
    return static_cast<std::size_t>(&segment - problem_.segments.data());
  }
  [[nodiscard]] std::size_t power(std::size_t digits) const {
    std::size_t all = 1;
    for (std::size_t i = 0; i < digits; ++i) all *= problem_.homes;
    return all;
  }

  // All moves of a segment that fit.
  [[nodiscard]] Expanded expand(const HomedSegment& segment) const {
    Expanded expanded{&segment, {}};
    const std::vector<std::size_t>& before = alive_[segment.first];
    const std::vector<std::size_t>& after = alive_[segment.last + 1];
    const std::size_t results = segment.result ? problem_.homes : 1;
    std::vector<std::uint8_t> home(problem_.tensors.size(), 0);
    for (std::size_t from = 0; from < states_[segment.first]; ++from) {
      std::size_t rest = from;
      for (const std::size_t t : before) {
        home[t] = static_cast<std::uint8_t>(rest % problem_.homes);
        rest /= problem_.homes;
      }
      for (std::size_t result = 0; result < results; ++result) {
        if (segment.result) home[*segment.result] = static_cast<std::uint8_t>(result);
        Move move;
        move.from = from;
        std::int64_t buffer_bytes = 0;
        const auto add = [&](std::size_t t) {
          if (home[t] == kScratchpads) move.scratchpad_bytes += problem_.tensors[t].scratchpad_bytes;
          if (home[t] == kBuffer) buffer_bytes += problem_.tensors[t].buffer_bytes;
        };
        for (const std::size_t t : before) add(t);
        if (segment.result) add(*segment.result);
        if (move.scratchpad_bytes > problem_.scratchpad_bytes || buffer_bytes > problem_.buffer_bytes) continue;
        std::size_t digit = 1;
        for (const std::size_t t : segment.inputs) {
          move.code += home[t] * digit;
          digit *= problem_.homes;
        }
        if (segment.result) move.code += result * digit;
        digit = 1;
        for (const std::size_t t : after) {
          move.to += home[t] * digit;
          digit *= problem_.homes;
        }
        if (move.code < segment.ways.size() && !segment.ways[move.code].empty()) expanded.moves.push_back(move);
      }
    }
    return expanded;
  }

  const HomedProblem& problem_;
  std::vector<std::vector<std::size_t>> alive_;  // by cut: tensors
  std::vector<std::size_t> states_;              // by cut: how many
  std::vector<std::vector<Expanded>> from_;      // by first operator
};

}  // namespace

HomedCuts best_homed_cuts(const HomedProblem& problem, Objective objective) {
  if (problem.operators == 0) return {};
  const Searcher searcher(problem);
  const HomedCuts fast = searcher.best({1, 0});
  if (objective == Objective::latency) return fast;
  const HomedCuts frugal = searcher.best({0, 1});
  if (objective == Objective::energy) return frugal;
  HomedCuts found = Searcher::product(frugal) < Searcher::product(fast) ? frugal : fast;
  searcher.between(fast, frugal, found);
  return found;
}

}  // namespace accsim::sched
