#include "sched/calibrate/calibrator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "model/base/error.h"
#include "sched/calibrate/nnls.h"

namespace accsim::sched {

using namespace model;

namespace {

constexpr double kSmallestShare = 0.01;  // of a run that an error is taken relative to
constexpr double kRidge = 1e-3;          // of a column's squared length
constexpr double kLeastBinding = 0.05;   // weight of an engine that its group hardly waits for

double picojoules(Femtojoules energy) { return static_cast<double>(energy.value()) / 1000; }

// Weighted rows of one least squares problem.
class Fit {
 public:
  explicit Fit(std::size_t columns) : columns_(columns) {}
  void row(const std::vector<double>& features, double measured, double weight) {
    for (const double f : features) a_.push_back(f * weight);
    b_.push_back(measured * weight);
  }
  [[nodiscard]] std::size_t rows() const { return b_.size(); }

  // Huber's loss by reweighting: residuals beyond kHuber times their usual size count by their absolute value. Columns
  // without any entry keep their prior.
  [[nodiscard]] std::vector<double> solve(const std::vector<double>& prior) const {
    constexpr int kRounds = 10;
    constexpr double kHuber = 1.345;
    constexpr double kMedianToDeviation = 1.4826;
    const auto n = static_cast<Eigen::Index>(b_.size());
    const auto c = static_cast<Eigen::Index>(columns_);
    Eigen::MatrixXd a(n, c);
    Eigen::VectorXd b(n);
    for (Eigen::Index i = 0; i < n; ++i) {
      for (Eigen::Index j = 0; j < c; ++j) a(i, j) = a_[static_cast<std::size_t>(i * c + j)];
      b(i) = b_[static_cast<std::size_t>(i)];
    }
    Eigen::VectorXd trust = Eigen::VectorXd::Ones(n);
    Eigen::VectorXd x;
    for (int round = 0; round < kRounds; ++round) {
      x = ridge(trust.asDiagonal() * a, trust.cwiseProduct(b), prior);
      const Eigen::VectorXd residual = (b - a * x).cwiseAbs();
      std::vector<double> sorted(residual.data(), residual.data() + n);
      std::nth_element(sorted.begin(), sorted.begin() + n / 2, sorted.end());
      const double usual = kHuber * kMedianToDeviation * sorted[static_cast<std::size_t>(n / 2)];
      for (Eigen::Index i = 0; i < n; ++i)
        trust(i) = usual > 0 && residual(i) > usual ? std::sqrt(usual / residual(i)) : 1.0;
    }
    std::vector<double> solution(columns_);
    for (std::size_t j = 0; j < columns_; ++j) solution[j] = six_digits(x(static_cast<Eigen::Index>(j)));
    return solution;
  }

 private:
  static Eigen::VectorXd ridge(const Eigen::MatrixXd& a, const Eigen::VectorXd& b, const std::vector<double>& prior) {
    const Eigen::Index n = a.rows();
    const Eigen::Index c = a.cols();
    Eigen::MatrixXd all = Eigen::MatrixXd::Zero(n + c, c);
    Eigen::VectorXd right = Eigen::VectorXd::Zero(n + c);
    all.topRows(n) = a;
    right.head(n) = b;
    for (Eigen::Index j = 0; j < c; ++j) {
      const double length = a.col(j).norm();
      const double pull = length > 0 ? std::sqrt(kRidge) * length : 1.0;
      all(n + j, j) = pull;
      right(n + j) = pull * prior[static_cast<std::size_t>(j)];
    }
    return nnls(all, right);
  }

  std::size_t columns_;
  std::vector<double> a_, b_;
};

}  // namespace

double six_digits(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.5e", value);
  return std::strtod(text.data(), nullptr);
}

double kendall_tau(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size() || a.size() < 2) throw InternalError("a rank correlation needs two pairs of figures");
  std::int64_t balance = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = i + 1; j < a.size(); ++j) {
      const int in_a = (a[i] < a[j] ? 1 : 0) - (a[i] > a[j] ? 1 : 0);
      const int in_b = (b[i] < b[j] ? 1 : 0) - (b[i] > b[j] ? 1 : 0);
      balance += in_a * in_b;
    }
  }
  const auto n = static_cast<double>(a.size());
  return static_cast<double>(balance) / (n * (n - 1) / 2);
}

Calibrator::Calibrator(const Architecture& arch, CostCoefficients start)
    : arch_(&arch), prior_(start), coefficients_(start) {}

void Calibrator::add(const std::vector<Prediction>& predictions, const Measurement& measurement) {
  std::vector<GroupFeatures> features;
  features.reserve(predictions.size());
  for (const Prediction& p : predictions) features.push_back(p.group);
  add(features, measurement);
}

void Calibrator::add(const std::vector<GroupFeatures>& features, const Measurement& measurement) {
  Run run;
  run.begin = samples_.size();
  run.latency_ns = measurement.latency_ns;
  run.energy_pj = picojoules(measurement.energy.total());
  for (const GroupMeasurement& group : measurement.groups) {
    if (group.id < 0 || group.id >= static_cast<std::int64_t>(features.size())) {
      throw InternalError("a measurement of group " + std::to_string(group.id) + " without a prediction");
    }
    Sample s;
    s.features = features[static_cast<std::size_t>(group.id)];
    s.cycles = static_cast<double>(group.cycles.value());
    // The features are those of one core, what was measured the sum over all.
    const auto cores = static_cast<double>(std::max<std::size_t>(group.cores.size(), 1));
    s.array = static_cast<double>(group.array_busy.value()) / cores;
    s.vector = static_cast<double>(group.vector_busy.value()) / cores;
    s.load = static_cast<double>(group.load_busy.value()) / cores;
    s.store = static_cast<double>(group.store_busy.value()) / cores;
    for (std::size_t b = 0; b < kEnergyBlocks; ++b) s.energy_pj[b] = picojoules(group.energy.energy[b]);
    s.run_cycles = static_cast<double>(measurement.cycles.value());
    s.run_energy_pj = run.energy_pj;
    samples_.push_back(s);
  }
  run.end = samples_.size();
  runs_.push_back(run);
}

CostCoefficients Calibrator::fit_engines(CostCoefficients from) const {
  struct Term {
    double Sample::*measured;
    std::vector<Feature> features;
  };
  const std::array<Term, 4> terms{{
      {&Sample::array, {Feature::array_cycles, Feature::array_passes, Feature::array_conflicts}},
      {&Sample::vector, {Feature::vector_cycles, Feature::vector_operations}},
      {&Sample::load,
       {Feature::load_bytes_long, Feature::load_bytes_short, Feature::load_on_chip, Feature::load_descriptors}},
      {&Sample::store,
       {Feature::store_bytes_long, Feature::store_bytes_short, Feature::store_on_chip, Feature::store_descriptors}},
  }};
  for (const Term& term : terms) {
    Fit fit(term.features.size());
    std::vector<double> prior;
    for (const Feature f : term.features) prior.push_back(at(prior_.cycles, f));
    for (const Sample& s : samples_) {
      const double measured = s.*term.measured;
      if (measured <= 0) continue;
      std::vector<double> row;
      for (const Feature f : term.features) row.push_back(at(s.features.cycles, f));
      // An engine's time matters where the group waits for it.
      const double binding = s.cycles > 0 ? std::clamp(measured / s.cycles, kLeastBinding, 1.0) : 1.0;
      fit.row(row, measured, binding / std::sqrt(std::max(measured, kSmallestShare * s.run_cycles)));
    }
    if (fit.rows() == 0) continue;
    const std::vector<double> solution = fit.solve(prior);
    for (std::size_t i = 0; i < solution.size(); ++i) at(from.cycles, term.features[i]) = solution[i];
  }
  return from;
}

// What the run adds to its longest engine. The share of the DRAM that loads and stores together hold makes the problem
// non-linear: tried over a grid.
CostCoefficients Calibrator::fit_overlap(CostCoefficients from) const {
  constexpr int kSteps = 24;
  constexpr double kStep = 1.0 / 16;  // 0 to 1.5
  CostCoefficients best = from;
  double least = errors(from).latency_mape_pct;
  for (int step = 0; step <= kSteps; ++step) {
    CostCoefficients trial = from;
    trial.shared_dram = step * kStep;
    Fit all(3), no_overlap(2);
    for (const Sample& s : samples_) {
      const EngineCycles e = engine_cycles(trial, s.features);
      const double weight = 1 / std::sqrt(std::max(s.cycles, kSmallestShare * s.run_cycles));
      const double start = at(s.features.cycles, Feature::start_up);
      const double drain = at(s.features.cycles, Feature::drain);
      all.row({start, drain, e.hidden}, s.cycles - e.longest, weight);
      no_overlap.row({start, drain}, s.cycles - e.longest - e.hidden, weight);
    }
    std::vector<double> x =
        all.solve({at(prior_.cycles, Feature::start_up), at(prior_.cycles, Feature::drain), prior_.exposed});
    if (x[2] > 1) {
      x = no_overlap.solve({at(prior_.cycles, Feature::start_up), at(prior_.cycles, Feature::drain)});
      x.push_back(1);
    }
    at(trial.cycles, Feature::start_up) = x[0];
    at(trial.cycles, Feature::drain) = x[1];
    trial.exposed = x[2];
    const double error = errors(trial).latency_mape_pct;
    if (error < least) {
      least = error;
      best = trial;
    }
  }
  return best;
}

CostCoefficients Calibrator::fit_energy(CostCoefficients from) const {
  const CostModel model(*arch_, from);
  for (std::size_t b = 0; b < kEnergyBlocks; ++b) {
    const auto block = static_cast<EnergyBlock>(b);
    const bool dram = block == EnergyBlock::dram;
    Fit fit(dram ? 2 : 1);
    for (const Sample& s : samples_) {
      const double weight = 1 / std::sqrt(std::max(s.energy_pj[b], kSmallestShare * s.run_energy_pj));
      double predicted = s.features.action_pj[b];
      if (block == EnergyBlock::leakage) predicted += model.leakage_pj_cycle() * s.cycles;
      std::vector<double> row{predicted};
      if (dram) row.push_back(model.standby_pj_cycle() * s.cycles);
      fit.row(row, s.energy_pj[b], weight);
    }
    if (fit.rows() == 0) continue;
    std::vector<double> prior{prior_.energy[b]};
    if (dram) prior.push_back(prior_.dram_standby);
    const std::vector<double> x = fit.solve(prior);
    from.energy[b] = x[0];
    if (dram) from.dram_standby = x[1];
  }
  return from;
}

const CostCoefficients& Calibrator::fit() {
  if (samples_.empty()) return coefficients_;
  const PredictionErrors before = errors(coefficients_);
  const CostCoefficients engines = fit_overlap(fit_engines(coefficients_));
  const CostCoefficients overlap = fit_overlap(coefficients_);
  CostCoefficients best = coefficients_;
  PredictionErrors least = before;
  for (const CostCoefficients& timing : {engines, overlap, coefficients_}) {
    for (const CostCoefficients& all : {fit_energy(timing), timing}) {
      const PredictionErrors e = errors(all);
      const bool allowed = e.latency_mape_pct <= before.latency_mape_pct && e.energy_mape_pct <= before.energy_mape_pct;
      if (!allowed || e.latency_mape_pct + e.energy_mape_pct >= least.latency_mape_pct + least.energy_mape_pct)
        continue;
      least = e;
      best = all;
    }
  }
  coefficients_ = best;
  return coefficients_;
}

PredictionErrors Calibrator::errors(const CostCoefficients& coefficients) const {
  PredictionErrors sum;
  if (samples_.empty()) return sum;
  const CostModel model(*arch_, coefficients);
  for (const Sample& s : samples_) {
    const CostModel::Figures predicted = model.figures(s.features);
    double energy = 0;
    for (const double pj : s.energy_pj) energy += pj;
    const auto add = [](double& total, double from, double to, double run) {
      const double relative_to = std::max(to, kSmallestShare * run);
      if (relative_to > 0) total += std::abs(from - to) / relative_to * 100;
    };
    add(sum.latency_mape_pct, predicted.cycles, s.cycles, s.run_cycles);
    add(sum.energy_mape_pct, predicted.energy_pj, energy, s.run_energy_pj);
  }
  const auto n = static_cast<double>(samples_.size());
  return {sum.latency_mape_pct / n, sum.energy_mape_pct / n};
}

CalibrationReport Calibrator::report(Objective objective, const CostCoefficients& coefficients) const {
  CalibrationReport report;
  report.schedules = runs_.size();
  report.groups = samples_.size();
  report.errors = errors(coefficients);
  if (runs_.empty()) return report;
  const CostModel model(*arch_, coefficients);
  const auto value = [&](double latency, double energy) {
    return objective == Objective::latency ? latency : objective == Objective::energy ? energy : latency * energy;
  };
  std::vector<double> predicted, measured;
  for (const Run& run : runs_) {
    CostModel::Figures sum;
    for (std::size_t i = run.begin; i < run.end; ++i) {
      const CostModel::Figures f = model.figures(samples_[i].features);
      sum.cycles += f.cycles;
      sum.energy_pj += f.energy_pj;
    }
    predicted.push_back(value(sum.cycles, sum.energy_pj));
    measured.push_back(value(run.latency_ns, run.energy_pj));
    const double edp = run.latency_ns * run.energy_pj;
    if (report.edp_pj_ns == 0 || edp < report.edp_pj_ns) report.edp_pj_ns = edp;
  }
  if (runs_.size() > 1) report.kendall_tau = kendall_tau(predicted, measured);
  const auto liked = std::min_element(predicted.begin(), predicted.end()) - predicted.begin();
  const double best = *std::min_element(measured.begin(), measured.end());
  if (best > 0) report.regret_pct = (measured[static_cast<std::size_t>(liked)] / best - 1) * 100;
  return report;
}

}  // namespace accsim::sched
