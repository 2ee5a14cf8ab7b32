// Operators of a network that look the same to a search are searched once, and several at a time.
#pragma once
#include <cstddef>
#include <functional>
#include <vector>

#include "model/workload/network.h"

namespace accsim::sched {

struct OperatorClasses {
  std::vector<model::OpId> ops;       // that move data, in network order
  std::vector<std::size_t> class_of;  // by entry of ops
  std::vector<model::OpId> distinct;  // the first operator of each class
};
OperatorClasses operator_classes(const model::Network& network);

// Calls work(i) for every i below `count`, on so many threads. Of what is thrown, that of the smallest i comes out.
void for_each_parallel(std::size_t count, int threads, const std::function<void(std::size_t)>& work);

}  // namespace accsim::sched
