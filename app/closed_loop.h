// The closed loop: search, measure, fit the cost model to all that was measured, search again. With no iterations:
// search and measure once. The figures of the result are those of the best schedule measured. Stops early where a
// search returns a schedule that was measured before: the decision repeats. Leaves out: measuring the rivals that the
// search liked almost as well.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "app/measurer.h"
#include "app/pipeline.h"
#include "app/result_json.h"

namespace accsim::app {

struct LoopSettings {
  std::string strategy = "layerwise";
  sched::Objective objective = sched::Objective::edp;
  std::uint64_t seed = 1;
  int iterations = 0;
  sched::CostCoefficients start;
  int threads = 1;
  std::function<std::shared_ptr<const sched::Characterization>()> characterization;  // may be null
  std::function<void(const std::string&)> say = [](const std::string&) {};           // what is going on
};

struct LoopResult {
  RunOutcome outcome;
  double search_seconds = 0;  // CPU, all searches
  model::Json card;           // accsim-calibration/1, where there was a fit
};

LoopResult run_closed_loop(const Inputs& inputs, const LoopSettings& settings, ProcessMeasurer& measurer);

// A schedule that a user gave in `file`: verified, predicted with the starting coefficients, measured.
LoopResult measure_given(const Inputs& inputs, const model::Schedule& schedule, const std::string& file,
                         const LoopSettings& settings, ProcessMeasurer& measurer);

model::Program read_program(const std::string& file);
// A program that a user gave in `file`: verified where `check` says so, run, not predicted. Its groups stand for a
// schedule in the result.
RunOutcome outcome_of_program(const Inputs& inputs, const std::string& file, bool check, const LoopSettings& settings,
                              const Observation& observed);

// The coefficients of a calibration card; ConfigError where it does not hold for this architecture.
sched::CostCoefficients coefficients_of_card(const std::string& file, const Inputs& inputs);

}  // namespace accsim::app
