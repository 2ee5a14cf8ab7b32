// Fits the cost model's coefficients to measured schedules, term by term: every engine's features to the cycles that
// engine was busy, then what start, drain and imperfect overlap add, then energy block by block.
//   Calibrator calibrator(arch, coefficients);
//   calibrator.add(predictions, measurement);   // any number of schedules
//   calibrator.fit();                           // coefficients() are the new ones
//   calibrator.report(Objective::edp);          // errors over all that was added
// Weights: a group's residual is divided by the square root of max(measured, 1 % of its run): half way between absolute
// and relative errors, so that large groups dominate and small ones still count; an engine's also multiplied by its
// busy part of the group's cycles. Huber's loss, so that outliers count by their absolute value. Weak ridge towards the
// coefficients it started with, so that features that always occur together share what they explain. The fit never
// makes the mean error over its own data worse, latency and energy each: where it would, the old coefficients stay. All
// new coefficients are >= 0 and rounded to six significant digits. Leaves out: families of architectures.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "model/result/result.h"
#include "sched/cost/cost_model.h"
#include "sched/strategy/strategy.h"

namespace accsim::sched {

// Mean absolute error over the groups, per cent. A group's error is taken relative to the larger of its measured figure
// and 1 % of its run's.
struct PredictionErrors {
  double latency_mape_pct = 0;
  double energy_mape_pct = 0;
};

struct CalibrationReport {
  std::size_t schedules = 0;
  std::size_t groups = 0;
  PredictionErrors errors;
  std::optional<double> kendall_tau;  // predicted against measured objective; none with fewer than two schedules
  double regret_pct = 0;  // measured objective of the schedule that the model likes best, over the best measured one
  double edp_pj_ns = 0;   // best measured
};

class Calibrator {
 public:
  explicit Calibrator(const model::Architecture& arch, CostCoefficients start = {});

  // Predictions: one a group of the schedule, in its order, by whatever coefficients (their features are what counts).
  // InternalError where the measurement is of other groups.
  void add(const std::vector<Prediction>& predictions, const model::Measurement& measurement);
  void add(const std::vector<GroupFeatures>& features, const model::Measurement& measurement);

  // Refits to all that was added; returns the new coefficients (the old ones where there is nothing better).
  const CostCoefficients& fit();
  [[nodiscard]] const CostCoefficients& coefficients() const { return coefficients_; }

  [[nodiscard]] CalibrationReport report(Objective objective) const { return report(objective, coefficients_); }
  [[nodiscard]] CalibrationReport report(Objective objective, const CostCoefficients& coefficients) const;
  [[nodiscard]] PredictionErrors errors(const CostCoefficients& coefficients) const;
  [[nodiscard]] std::size_t schedules() const { return runs_.size(); }

 private:
  struct Sample {  // one group
    GroupFeatures features;
    double cycles = 0;
    double array = 0, vector = 0, load = 0, store = 0;  // busy
    BlockEnergies energy_pj{};
    double run_cycles = 0;  // of its run
    double run_energy_pj = 0;
  };
  struct Run {
    std::size_t begin = 0, end = 0;  // samples
    double latency_ns = 0;
    double energy_pj = 0;
  };
  [[nodiscard]] CostCoefficients fit_engines(CostCoefficients from) const;
  [[nodiscard]] CostCoefficients fit_overlap(CostCoefficients from) const;
  [[nodiscard]] CostCoefficients fit_energy(CostCoefficients from) const;

  const model::Architecture* arch_;
  CostCoefficients prior_;
  CostCoefficients coefficients_;
  std::vector<Sample> samples_;
  std::vector<Run> runs_;
};

// The nearest number with six significant decimal digits.
double six_digits(double value);

// Kendall's tau of two figures of the same things: (concordant - discordant) / pairs; pairs that tie in either count
// as neither.
double kendall_tau(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace accsim::sched
