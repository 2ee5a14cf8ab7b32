// The blocks that dlfusion wants, before anything is known of what fits: a function of the card and the network alone.
#pragma once
#include <cstdint>
#include <vector>

#include "sched/characterize/card.h"

namespace accsim::sched {

// What the card says of one operator.
struct LayerAdvice {
  bool rides_along = false;
  bool on_array = false;
  std::int64_t operations = 0;
  double cycles = 0;  // alone, in proportion to its operations
  LayerChoice choice;
};
std::vector<LayerAdvice> advice_for(const model::Network& network, const std::vector<model::OpId>& ops,
                                    const Characterization& card, Objective objective);

// Operators `first` … of so many make a block: the longest one, at most `most` operators, where before each next one
// the work per core has not passed the critical operation count of the block, the least of its layers'. An operator
// that rides along always joins; another one joins where fusion pays for it and for all in the block.
std::size_t block_end(const std::vector<LayerAdvice>& advice, std::size_t first, std::size_t most,
                      const std::vector<std::int64_t>& core_counts);

// Cores of the block of operators first … last: the mean of what its layers want, weighted with the cycles that they
// take alone and rounded down to a count of the card.
std::int64_t block_cores(const std::vector<LayerAdvice>& advice, std::size_t first, std::size_t last,
                         const std::vector<std::int64_t>& core_counts);

}  // namespace accsim::sched
