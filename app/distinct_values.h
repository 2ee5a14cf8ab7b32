// How many distinct values a tensor of a run on data must have for its comparison to mean something: 64, or as many as
// its type, its elements and what it was made of allow. Leaves out: sums and averages of few different elements, which
// are taken for any sums.
#pragma once
#include <cstdint>
#include <vector>

#include "model/workload/network.h"

namespace accsim::app {

// By tensor. The values of a tensor are as good as random, so of its elements an eighth may be asked for; operators
// that only move elements, or map each to another one, have as many values as what they read.
std::vector<std::int64_t> required_distinct(const model::Network& network);

}  // namespace accsim::app
