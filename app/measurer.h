// The Measurer that the program gives to searchers: lowers and simulates schedules, several at a time in worker
// processes, and keeps what it measured in the store. Results come in the order of the request and do not depend on the
// number of processes or on what the store held. A single schedule, or a single job, runs in this process.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "app/pipeline.h"
#include "app/store.h"
#include "model/measure.h"

namespace accsim::app {

// What measuring cost, summed over all processes.
struct MeasurerTotals {
  std::int64_t simulations = 0;
  std::int64_t from_store = 0;
  std::int64_t cycles = 0;  // core cycles simulated
  std::int64_t bursts = 0;  // DRAM bursts simulated
  double cpu_seconds = 0;
};

// What else is wanted of a simulation.
struct Observation {
  sim::SimulationOptions options;
  DataReport* data = nullptr;  // execution on data
};

class ProcessMeasurer : public model::Measurer {
 public:
  // `inputs` and `store` must outlive it. `program`: what worker processes run (a test names the built program).
  ProcessMeasurer(const Inputs& inputs, std::uint64_t seed, int jobs, Store& store,
                  std::string program = "/proc/self/exe");

  // InternalError naming the schedule where a worker crashes.
  std::vector<model::Measurement> measure(const std::vector<model::Schedule>& schedules) override;
  model::Measurement measure_one(const model::Schedule& schedule);
  // In this process and in any case, because more than the measurement is wanted: a trace, or execution on data.
  model::Measurement measure_observed(const model::Schedule& schedule, const Observation& observation);
  // From now on measure_one does that; null = no more. It must outlive the measurer.
  void observe(const Observation* observation) { observation_ = observation; }
  // Counts a simulation that was made elsewhere.
  void count(const model::Measurement& measurement);

  [[nodiscard]] const MeasurerTotals& totals() const { return totals_; }

 private:
  [[nodiscard]] std::string key_of(const model::Schedule& schedule) const;
  void keep(const std::string& key, const model::Measurement& measurement);
  void measure_in_workers(const std::vector<const model::Schedule*>& schedules,
                          const std::vector<model::Measurement*>& results);

  const Inputs* inputs_;
  std::uint64_t seed_;
  int jobs_;
  Store* store_;
  std::string program_;
  const Observation* observation_ = nullptr;
  std::string common_key_;  // digests of everything but the schedule
  MeasurerTotals totals_;
};

// The worker's side.
model::Json measure_context(const Inputs& inputs, std::uint64_t seed);
model::Json answer_measure_job(const model::Json& context, const model::Json& job);

}  // namespace accsim::app
