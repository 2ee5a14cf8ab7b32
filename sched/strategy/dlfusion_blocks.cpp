#include "sched/strategy/dlfusion_blocks.h"

#include <algorithm>
#include <limits>

namespace accsim::sched {

using namespace model;

std::vector<LayerAdvice> advice_for(const Network& network, const std::vector<OpId>& ops, const Characterization& card,
                                    Objective objective) {
  std::vector<LayerAdvice> advice;
  for (const OpId op : ops) {
    const LayerFeatures features = features_of(network, op);
    const CharacterizedLayer& layer = nearest_layer(card, features);
    advice.push_back(
        {rides_along(features.kind), features.operations, layer.best[static_cast<std::size_t>(objective)]});
  }
  return advice;
}

std::int64_t block_cores(const std::vector<LayerAdvice>& advice, std::size_t first, std::size_t last,
                         const std::vector<std::int64_t>& core_counts) {
  double weighted = 0;
  double weights = 0;
  for (std::size_t i = first; i <= last; ++i) {
    // Those that ride along have a say only among themselves.
    const bool alone = first == last;
    const double weight = advice[i].rides_along ? 1e-9 : 1.0;
    const auto cores = static_cast<double>(alone ? advice[i].choice.cores : advice[i].choice.block_cores);
    weighted += weight * static_cast<double>(advice[i].operations) * cores;
    weights += weight * static_cast<double>(advice[i].operations);
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
