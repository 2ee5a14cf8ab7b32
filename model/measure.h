// How the searcher asks for measurements without knowing the simulator: a batch of jobs in, a measurement each out, in
// the same order. A job is a schedule of the run's own network, or of another one on the same architecture: a part of
// it, or a made-up layer. It starts on an empty machine and ends when all queues are drained. The program provides this
// (worker processes that lower and simulate); sched only asks.
#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "model/config/json.h"
#include "model/result/result.h"
#include "model/schedule/schedule.h"

namespace accsim::model {

struct MeasureJob {
  Schedule schedule;
  std::shared_ptr<const Json> net;  // accsim-net/1, batch 1; null: the network of the run
};

class Measurer {
 public:
  virtual ~Measurer() = default;
  // Deterministic: the same job always gives the same measurement, whatever else runs.
  virtual std::vector<Measurement> measure(const std::vector<MeasureJob>& jobs) = 0;
  // Of the run's own network.
  std::vector<Measurement> measure_schedules(const std::vector<Schedule>& schedules) {
    std::vector<MeasureJob> jobs;
    jobs.reserve(schedules.size());
    for (const Schedule& schedule : schedules) jobs.push_back({schedule, nullptr});
    return measure(jobs);
  }
};

}  // namespace accsim::model
