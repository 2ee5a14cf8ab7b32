#include "sched/strategy/dlfusion_blocks.h"

#include <algorithm>
#include <limits>

namespace accsim::sched {

using namespace model;

namespace {
constexpr double kVectorWeight = 1e-6;  // the array's layers decide; those without it only among themselves
}

std::vector<LayerAdvice> advice_for(const Network& network, const std::vector<OpId>& ops, const Characterization& card,
                                    Objective objective) {
  std::vector<LayerAdvice> advice;
  for (const OpId op : ops) {
    const LayerFeatures features = features_of(network, op);
    const CharacterizedLayer& layer = nearest_layer(card, features);
    const LayerChoice& choice = layer.best[static_cast<std::size_t>(objective)];
    const double scale = static_cast<double>(features.operations) / static_cast<double>(layer.features.operations);
    double cycles = 0;
    for (const ChainFigure& figure : layer.figures)
      if (figure.layers == 1 && figure.cores == choice.cores) cycles = static_cast<double>(figure.cycles) * scale;
    advice.push_back(
        {rides_along(features.kind), features.kind != LayerKind::vector, features.operations, cycles, choice});
  }
  return advice;
}

std::int64_t block_cores(const std::vector<LayerAdvice>& advice, std::size_t first, std::size_t last,
                         const std::vector<std::int64_t>& core_counts) {
  double weighted = 0;
  double weights = 0;
  for (std::size_t i = first; i <= last; ++i) {
    const LayerChoice& choice = advice[i].choice;
    const double weight = advice[i].on_array ? advice[i].cycles : advice[i].cycles * kVectorWeight;
    weighted += weight * static_cast<double>(first == last ? choice.cores : choice.block_cores);
    weights += weight;
  }
  std::int64_t best = core_counts.front();
  for (const std::int64_t n : core_counts)
    if (static_cast<double>(n) * weights <= weighted * (1 + 1e-12)) best = std::max(best, n);
  return best;
}

std::size_t block_end(const std::vector<LayerAdvice>& advice, std::size_t first, std::size_t most,
                      const std::vector<std::int64_t>& core_counts) {
  std::int64_t operations = 0;
  std::int64_t critical = std::numeric_limits<std::int64_t>::max();
  for (std::size_t last = first;; ++last) {
    if (!advice[last].rides_along) {
      operations += advice[last].operations;
      critical = std::min(critical, advice[last].choice.critical_operations);
    }
    if (last + 1 == advice.size() || last + 1 - first == most) return last;
    const LayerAdvice& next = advice[last + 1];
    if (next.rides_along) continue;
    const std::int64_t cores = block_cores(advice, first, last, core_counts);
    if (next.choice.critical_operations == 0 || operations >= critical * cores) return last;
  }
}

}  // namespace accsim::sched
