#include "sched/mapping/evaluate.h"

#include <algorithm>
#include <cmath>

namespace accsim::sched {
namespace {

std::int64_t extent_of(const TensorAxis& axis, const std::vector<std::int64_t>& tile) {
  std::int64_t extent = 1;
  for (const AxisPart& part : axis) extent += part.coefficient * (tile[static_cast<std::size_t>(part.dim)] - 1);
  return extent;
}

struct Nest {
  const MapHierarchy& hierarchy;
  const MapProblem& problem;
  const Mapping& mapping;
  std::vector<std::vector<std::int64_t>> tiles;

  // How far one step of a loop in `level` moves: the share of all instances below it.
  [[nodiscard]] std::int64_t step(std::size_t level, std::size_t dim) const {
    return level + 1 < tiles.size() ? tiles[level + 1][dim] * mapping.spatial[level + 1][dim] : 1;
  }

  // Words that one instance of `level` fetches of a tensor in the whole run.
  [[nodiscard]] double fetches(const MapTensor& tensor, std::size_t level) const {
    const double words = tile_words(tensor, tiles[level]);
    double total = words;
    bool running = true;  // in the innermost run of loops that do not index the tensor
    for (std::size_t l = level; l-- > 0;) {
      for (const int d : mapping.order[l]) {
        const auto dim = static_cast<std::size_t>(d);
        const auto n = static_cast<double>(mapping.temporal[l][dim]);
        if (!running) {
          total *= n;
          continue;
        }
        if (!tensor.uses(d)) continue;
        running = false;
        double kept = 1;  // of the tile after one step
        for (const TensorAxis& axis : tensor.axes) {
          std::int64_t overlap = extent_of(axis, tiles[level]);
          for (const AxisPart& part : axis) {
            if (part.dim == d) overlap -= part.coefficient * step(l, dim);
          }
          kept *= static_cast<double>(std::max<std::int64_t>(overlap, 0));
        }
        total = words + (n - 1) * (words - kept);
      }
    }
    return total;
  }

  // Words of an output that one instance of `level` touches at least once.
  [[nodiscard]] double first_touches(const MapTensor& tensor, std::size_t level) const {
    double words = 1;
    for (const TensorAxis& axis : tensor.axes) {
      const auto extent = static_cast<double>(extent_of(axis, tiles[level]));
      double apart = extent, span = extent;
      for (const AxisPart& part : axis) {
        const auto dim = static_cast<std::size_t>(part.dim);
        for (std::size_t l = 0; l < level; ++l) {
          const auto n = static_cast<double>(mapping.temporal[l][dim]);
          apart *= n;
          span += static_cast<double>(part.coefficient * step(l, dim)) * (n - 1);
        }
      }
      words *= axis.size() == 1 ? apart : std::min(apart, span);
    }
    return words;
  }

  // Different requests that the instances of levels above+1 .. below under one instance of `above` make together.
  [[nodiscard]] double groups(const MapTensor& tensor, std::size_t above, std::size_t below) const {
    double apart = 1;
    std::vector<SpatialLoop> loops;
    for (std::size_t l = above + 1; l <= below; ++l) {
      const MapLevel& level = hierarchy.levels[l];
      const bool merges = tensor.output ? level.reduction : level.multicast;
      for (std::size_t d = 0; d < problem.dims.size(); ++d) {
        if (mapping.spatial[l][d] == 1) continue;
        if (merges) {
          loops.push_back({static_cast<int>(d), mapping.spatial[l][d], tiles[l][d]});
        } else {
          apart *= static_cast<double>(mapping.spatial[l][d]);
        }
      }
    }
    return apart * distinct_positions(tensor, loops);
  }
};

}  // namespace

namespace {

// Different sums of multiples of `moves`, each taken 0 .. factor - 1 times.
double distinct_sums(const std::vector<std::pair<std::int64_t, std::int64_t>>& moves) {
  if (moves.size() <= 1) return moves.empty() ? 1.0 : static_cast<double>(moves.front().second);
  std::vector<std::int64_t> sums{0}, next;
  for (const auto& [move, factor] : moves) {
    next.clear();
    for (const std::int64_t sum : sums) {
      for (std::int64_t k = 0; k < factor; ++k) next.push_back(sum + k * move);
    }
    std::sort(next.begin(), next.end());
    next.erase(std::unique(next.begin(), next.end()), next.end());
    sums.swap(next);
  }
  return static_cast<double>(sums.size());
}

}  // namespace

double distinct_positions(const MapTensor& tensor, const std::vector<SpatialLoop>& loops) {
  std::uint32_t seen = 0;
  bool apart = true;  // no dimension moves several axes
  for (const TensorAxis& axis : tensor.axes) {
    for (const AxisPart& part : axis) {
      apart = apart && (seen >> part.dim & 1U) == 0;
      seen |= 1U << part.dim;
    }
  }
  if (apart) {
    double product = 1;
    std::vector<std::pair<std::int64_t, std::int64_t>> moves;
    for (const TensorAxis& axis : tensor.axes) {
      moves.clear();
      for (const SpatialLoop& loop : loops) {
        for (const AxisPart& part : axis) {
          if (part.dim == loop.dim && loop.factor > 1) moves.emplace_back(part.coefficient * loop.step, loop.factor);
        }
      }
      product *= distinct_sums(moves);
    }
    return product;
  }
  struct Part {  // loops that move along common axes, and the positions that they reach together
    std::vector<bool> axes;
    std::vector<std::vector<std::int64_t>> positions;
  };
  std::vector<Part> parts;
  for (const SpatialLoop& loop : loops) {
    if (loop.factor == 1 || !tensor.uses(loop.dim)) continue;
    std::vector<std::int64_t> move(tensor.axes.size(), 0);
    for (std::size_t a = 0; a < move.size(); ++a) {
      for (const AxisPart& part : tensor.axes[a]) move[a] += part.dim == loop.dim ? part.coefficient * loop.step : 0;
    }
    Part joined{std::vector<bool>(move.size(), false), {std::vector<std::int64_t>(move.size(), 0)}};
    for (std::size_t a = 0; a < move.size(); ++a) joined.axes[a] = move[a] != 0;
    const auto sum = [](std::vector<std::int64_t> at, const std::vector<std::int64_t>& by, std::int64_t times) {
      for (std::size_t a = 0; a < at.size(); ++a) at[a] += by[a] * times;
      return at;
    };
    for (std::size_t p = parts.size(); p-- > 0;) {
      bool common = false;
      for (std::size_t a = 0; a < move.size(); ++a) common = common || (move[a] != 0 && parts[p].axes[a]);
      if (!common) continue;
      std::vector<std::vector<std::int64_t>> all;
      for (const auto& x : joined.positions) {
        for (const auto& y : parts[p].positions) all.push_back(sum(x, y, 1));
      }
      joined.positions = std::move(all);
      for (std::size_t a = 0; a < move.size(); ++a) joined.axes[a] = joined.axes[a] || parts[p].axes[a];
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(p));
    }
    std::vector<std::vector<std::int64_t>> moved;
    for (const auto& x : joined.positions) {
      for (std::int64_t k = 0; k < loop.factor; ++k) moved.push_back(sum(x, move, k));
    }
    std::sort(moved.begin(), moved.end());
    moved.erase(std::unique(moved.begin(), moved.end()), moved.end());
    joined.positions = std::move(moved);
    parts.push_back(std::move(joined));
  }
  double count = 1;
  for (const Part& part : parts) count *= static_cast<double>(part.positions.size());
  return count;
}

Evaluation evaluate(const MapHierarchy& hierarchy, const MapProblem& problem, const KeepRules& rules,
                    const Mapping& mapping) {
  if (!mapping.tile.empty()) return evaluate_ragged(hierarchy, problem, rules, mapping);
  const std::size_t levels = hierarchy.levels.size(), tensors = problem.tensors.size();
  const Nest nest{hierarchy, problem, mapping, tile_sizes(mapping)};
  Evaluation result;
  result.macs = problem.macs();
  double steps = 1, used = 1;
  for (std::size_t l = 0; l < levels; ++l) {
    for (std::size_t d = 0; d < problem.dims.size(); ++d) {
      used *= static_cast<double>(mapping.spatial[l][d]);
      steps *= static_cast<double>(mapping.temporal[l][d]);
    }
    result.instances.push_back(used);
  }
  result.units = used;
  result.accesses.assign(levels, std::vector<Accesses>(tensors));
  for (std::size_t t = 0; t < tensors; ++t) {
    const MapTensor& tensor = problem.tensors[t];
    std::size_t parent = 0;
    const auto serve = [&](double requests) {  // what the parent does for the level or unit below it
      Accesses& at = result.accesses[parent][t];
      if (tensor.output) {
        at.updates += requests;
        at.reads += std::max(0.0, requests - nest.first_touches(tensor, parent));  // strided tiles have holes
      } else {
        at.reads += requests;
      }
    };
    for (std::size_t l = 1; l < levels; ++l) {
      if ((mapping.keep[t] >> l & 1U) == 0) continue;
      const double fetched = nest.fetches(tensor, l);
      result.accesses[l][t].fills += tensor.output ? std::max(0.0, fetched - nest.first_touches(tensor, l)) : fetched;
      serve(fetched * nest.groups(tensor, parent, l));
      parent = l;
    }
    serve(steps * nest.groups(tensor, parent, levels - 1));
  }
  result.totals = result.accesses;
  for (std::size_t l = 0; l < levels; ++l) {
    for (Accesses& all : result.totals[l]) {
      all.reads *= result.instances[l];
      all.fills *= result.instances[l];
      all.updates *= result.instances[l];
    }
  }
  price(hierarchy, problem, rules, mapping, steps, result);
  return result;
}

void price(const MapHierarchy& hierarchy, const MapProblem& problem, const KeepRules& rules, const Mapping& mapping,
           double steps, Evaluation& result) {
  const std::size_t levels = hierarchy.levels.size(), tensors = problem.tensors.size();
  const auto tiles = tile_sizes(mapping);
  result.compute_pj = result.macs * hierarchy.mac_pj;
  result.energy_pj = result.compute_pj;
  result.compute_cycles = whole_cycles(steps, hierarchy.ops_per_cycle);
  result.cycles = result.compute_cycles;
  for (std::size_t l = 0; l < levels; ++l) {
    const MapLevel& level = hierarchy.levels[l];
    Accesses sum, all;
    double words = 0;
    for (std::size_t t = 0; t < tensors; ++t) {
      const Accesses& at = result.accesses[l][t];
      sum.reads += at.reads;
      sum.fills += at.fills;
      sum.updates += at.updates;
      all.reads += result.totals[l][t].reads;
      all.fills += result.totals[l][t].fills;
      all.updates += result.totals[l][t].updates;
      if ((mapping.keep[t] >> l & 1U) != 0) words += rules.copies[l][t] * tile_words(problem.tensors[t], tiles[l]);
    }
    result.used_words.push_back(words);
    result.level_pj.push_back(all.reads * level.read_pj + all.fills * level.write_pj + all.updates * level.update_pj);
    result.energy_pj += result.level_pj.back();
    const double cycles =
        std::max({whole_cycles(sum.reads, level.read_rate), whole_cycles(sum.fills + sum.updates, level.write_rate),
                  whole_cycles(sum.reads + sum.fills + sum.updates, level.shared_rate)});
    result.level_cycles.push_back(cycles);
    result.cycles = std::max(result.cycles, cycles);
  }
}

}  // namespace accsim::sched
