// The result of a run (accsim-result/1): keys, order and units as docs/result.md lists them. Everything that is printed comes
// from this object; all but its "host" is the same for every run of one command.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/command.h"
#include "app/measurer.h"
#include "app/pipeline.h"

namespace accsim::app {

// One entry of "calibration".
struct CalibrationEntry {
  int iteration = 0;
  double latency_mape_pct = 0;
  double energy_mape_pct = 0;
  std::optional<double> kendall_tau;  // none with fewer than two candidates
  double regret_pct = 0;
  double edp_pj_ns = 0;  // best measured so far
};

struct RunOutcome {
  std::string strategy;
  sched::Objective objective = sched::Objective::edp;
  std::uint64_t seed = 1;
  model::Schedule schedule;
  std::vector<sched::Prediction> predictions;  // one a group of the schedule
  model::Measurement measurement;
  std::int64_t candidates = 0;  // of the search; nothing searched: zeros
  double mapspace_log10 = 0;
  bool exact = false;
  std::vector<CalibrationEntry> calibration;
};

double edp_pj_ns(const model::Measurement& measurement);
double picojoules(model::Femtojoules energy);

// Mean absolute error of the predictions, in per cent, over the groups. A group's error is taken relative to the larger of its
// measured figure and 1 % of the run's.
struct GroupErrors {
  double latency_mape_pct = 0;
  double energy_mape_pct = 0;
};
GroupErrors group_errors(const model::Schedule& schedule, const std::vector<sched::Prediction>& predictions,
                         const model::Measurement& measurement);

// calibration[0]: the errors of the coefficients that the run started with.
CalibrationEntry entry_before_any_fit(const RunOutcome& outcome);

// Without "host".
model::Json result_json(const Inputs& inputs, const RunOutcome& outcome);

// "host" of a result.
model::Json run_host(const CommandContext& context, double search_seconds, const MeasurerTotals& totals);

// The same figures a group as CSV, with the measured terms beside them.
std::string layers_csv(const Inputs& inputs, const RunOutcome& outcome);

// Names of all layers of the network file that a group stands for, fused activations included.
std::vector<std::string> layer_names_of(const Inputs& inputs, const model::Group& group);

}  // namespace accsim::app
