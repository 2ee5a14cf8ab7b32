// How the searcher asks for measurements without knowing the simulator: a batch of schedules in, a measurement each
// out, in the same order. The program provides it (worker processes that lower and simulate); sched only asks.
#pragma once
#include <vector>

#include "model/result/result.h"
#include "model/schedule/schedule.h"

namespace accsim::model {

class Measurer {
 public:
  virtual ~Measurer() = default;
  // Deterministic: the same schedule always gives the same measurement, whatever else runs.
  virtual std::vector<Measurement> measure(const std::vector<Schedule>& schedules) = 0;
};

}  // namespace accsim::model
