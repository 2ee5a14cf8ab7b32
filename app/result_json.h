// The result of a run (accsim-result/1): keys, order and units as docs/result.md lists them. Everything that is printed
// comes from this object; all but its "host" is the same for every run of one command.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/command.h"
#include "app/measurer.h"
#include "app/pipeline.h"
#include "sched/calibrate/calibrator.h"

namespace accsim::app {

// One entry of "calibration".
struct CalibrationEntry {
  int iteration = 0;
  double latency_mape_pct = 0;
  double energy_mape_pct = 0;
  std::optional<double> kendall_tau;  // none with fewer than two candidates
  double regret_pct = 0;
  double edp_pj_ns = 0;  // best measured so far
  // How the fit went: the errors of the coefficients before it, over what was measured then; none for the entry before
  // any fit.
  std::optional<sched::PredictionErrors> before;
  std::optional<sched::PredictionErrors> fitted;  // of its coefficients over the same
  std::int64_t candidates = 1;                    // measured so far
  std::string decision = "first";    // first | changed | repeated: the schedule that the search with them returned
  std::optional<double> change_pct;  // its objective, measured, against the best before; none unless changed
};

struct RunOutcome {
  std::string strategy;
  sched::Objective objective = sched::Objective::edp;
  std::uint64_t seed = 1;
  model::Schedule schedule;
  std::vector<sched::Prediction> predictions;  // one a group of the schedule; none for a program that was given
  model::Measurement measurement;
  std::int64_t candidates = 0;  // of the search; nothing searched: zeros
  double mapspace_log10 = 0;
  bool exact = false;
  std::vector<CalibrationEntry> calibration;
  std::optional<DataReport> data;  // of execution on data
};

double edp_pj_ns(const model::Measurement& measurement);
double picojoules(model::Femtojoules energy);

// What a calibrator reports of the coefficients over all that was added to it, as an entry.
CalibrationEntry entry_of(int iteration, const sched::CalibrationReport& report);
// calibration[0] of a run of one schedule: the errors of the coefficients that it was predicted with.
CalibrationEntry entry_before_any_fit(const Inputs& inputs, const RunOutcome& outcome,
                                      const sched::CostCoefficients& coefficients);

// Without "host".
model::Json result_json(const Inputs& inputs, const RunOutcome& outcome);

// "host" of a result.
model::Json run_host(const CommandContext& context, double search_seconds, const MeasurerTotals& totals);

// The same figures a group as CSV, with the measured terms beside them.
std::string layers_csv(const Inputs& inputs, const RunOutcome& outcome);

// Names of all layers of the network file that a group stands for, fused activations included.
std::vector<std::string> layer_names_of(const Inputs& inputs, const model::Group& group);

}  // namespace accsim::app
