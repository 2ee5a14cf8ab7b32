// The Measurer that the program gives to searchers: lowers and simulates schedules, several at a time in worker
// processes, and keeps each measurement in the store as soon as it is there, so that a killed run goes on where it was.
// Results come in the order of the request and do not depend on the number of processes or on what the store held. A
// single schedule, or a single job, runs in this process. The key of a measurement is made of digests: the
// architecture, the network and its batch, the schedule, the seed, and the build of the program, which together make
// the instruction streams.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
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

  // Told how many of how many jobs are done, each time one is.
  using Report = std::function<void(std::int64_t done, std::int64_t jobs)>;

  // InternalError naming the schedule where a worker crashes.
  std::vector<model::Measurement> measure(const std::vector<model::MeasureJob>& jobs) override;
  void report_to(Report report) { report_ = std::move(report); }
  model::Measurement measure_one(const model::Schedule& schedule);
  // In this process and in any case, because more than the measurement is wanted: a trace, or execution on data.
  model::Measurement measure_observed(const model::Schedule& schedule, const Observation& observation);
  // From now on measure_one does that; null = no more. It must outlive the measurer.
  void observe(const Observation* observation) { observation_ = observation; }
  // Counts a simulation that was made elsewhere.
  void count(const model::Measurement& measurement);

  [[nodiscard]] const MeasurerTotals& totals() const { return totals_; }

 private:
  struct Task {
    const model::MeasureJob* job;
    std::string key;
    model::Measurement* result;
  };
  [[nodiscard]] std::string key_of(const model::Schedule& schedule, const model::Json& net, std::int64_t batch) const;
  void keep(const std::string& key, const model::Schedule& schedule, const model::Measurement& measurement);
  void measure_in_workers(const std::vector<Task>& tasks, const std::function<void(std::size_t)>& done);

  const Inputs* inputs_;
  std::uint64_t seed_;
  int jobs_;
  Store* store_;
  std::string program_;
  const Observation* observation_ = nullptr;
  Report report_;
  std::string arch_key_, build_key_;
  MeasurerTotals totals_;
};

// The worker's side.
model::Json measure_context(const Inputs& inputs, std::uint64_t seed);
model::Json answer_measure_job(const model::Json& context, const model::Json& job);

}  // namespace accsim::app
