// Calibration: the non-negative solver against all active sets, the fit against made-up truths, the card and its
// refusals.
#include "model/base/error.h"
#include "sched/calibrate/calibrator.h"
#include "sched/calibrate/card.h"
#include "sched/calibrate/nnls.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"

namespace {

using namespace accsim;
using namespace accsim::model;
using sched::at;
using sched::CostCoefficients;
using sched::Feature;
using sched::GroupFeatures;
using tests::Random;

double drawn(Random& random) { return static_cast<double>(random.range(-1000, 1000)) / 100; }

double residual(const Eigen::MatrixXd& a, const Eigen::VectorXd& b, const Eigen::VectorXd& x) {
  return (a * x - b).norm();
}

// Least residual over every subset of the columns whose unconstrained solution is not negative.
double brute_force(const Eigen::MatrixXd& a, const Eigen::VectorXd& b) {
  double least = b.norm();
  for (int mask = 1; mask < 1 << a.cols(); ++mask) {
    Eigen::MatrixXd part(a.rows(), __builtin_popcount(static_cast<unsigned>(mask)));
    Eigen::Index at = 0;
    for (Eigen::Index j = 0; j < a.cols(); ++j)
      if ((mask >> j & 1) != 0) part.col(at++) = a.col(j);
    const Eigen::VectorXd x = part.colPivHouseholderQr().solve(b);
    if (x.minCoeff() >= 0) least = std::min(least, (part * x - b).norm());
  }
  return least;
}

GroupFeatures random_features(Random& random) {
  GroupFeatures f;
  const auto cycles = [&](std::int64_t most) { return static_cast<double>(random.range(1, most)); };
  for (double& v : f.cycles) v = cycles(100'000);
  at(f.cycles, Feature::array_passes) = cycles(3000);
  at(f.cycles, Feature::vector_operations) = cycles(500);
  at(f.cycles, Feature::load_descriptors) = cycles(4000);
  at(f.cycles, Feature::store_descriptors) = cycles(2000);
  at(f.cycles, Feature::start_up) = cycles(3000);
  at(f.cycles, Feature::drain) = cycles(3000);
  f.load_first = 0.01;
  f.array_last = 0.02;
  f.vector_last = 0.03;
  f.store_last = 0.01;
  for (double& v : f.action_pj) v = cycles(10'000'000);
  f.action_pj[static_cast<std::size_t>(EnergyBlock::leakage)] = 0;
  f.action_pj[static_cast<std::size_t>(EnergyBlock::global_buffer)] = 0;
  return f;
}

// What a machine would measure whose truth is the model with these coefficients, off by up to `noise`.
Measurement measure(const Architecture& arch, const std::vector<GroupFeatures>& groups, const CostCoefficients& truth,
                    Random& random, double noise) {
  const sched::CostModel model(arch, truth);
  const auto off = [&] { return 1 + noise * static_cast<double>(random.range(-1000, 1000)) / 1000; };
  const auto whole = [&](double cycles) { return Cycles(std::llround(cycles * off())); };
  Measurement m;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const sched::Prediction p = model.combine(groups[i]);
    GroupMeasurement g;
    g.id = static_cast<std::int64_t>(i);
    g.cycles = whole(p.cycles);
    g.array_busy = whole(p.array);
    g.vector_busy = whole(p.vector);
    g.load_busy = whole(p.load);
    g.store_busy = whole(p.store);
    for (std::size_t b = 0; b < kEnergyBlocks; ++b) {
      g.energy.energy[b] = Femtojoules(std::llround(p.energy_pj[b] * 1000 * off()));
      m.energy.energy[b] += g.energy.energy[b];
    }
    m.cycles += g.cycles;
    m.groups.push_back(g);
  }
  m.latency_ns = nanoseconds(arch, m.cycles);
  return m;
}

CostCoefficients some_truth() {
  CostCoefficients truth;
  at(truth.cycles, Feature::array_cycles) = 1.1;
  at(truth.cycles, Feature::array_passes) = 7;
  at(truth.cycles, Feature::load_bytes_long) = 1.2;
  at(truth.cycles, Feature::load_bytes_short) = 1.9;
  at(truth.cycles, Feature::load_descriptors) = 3;
  at(truth.cycles, Feature::store_bytes_long) = 0.9;
  at(truth.cycles, Feature::start_up) = 1.5;
  at(truth.cycles, Feature::drain) = 0.5;
  truth.shared_dram = 0.75;
  truth.exposed = 0.25;
  truth.energy[static_cast<std::size_t>(EnergyBlock::scratchpad)] = 1.4;
  truth.energy[static_cast<std::size_t>(EnergyBlock::dram)] = 0.6;
  truth.dram_standby = 1.3;
  return truth;
}

bool valid(const CostCoefficients& c) {
  for (const double v : c.cycles)
    if (!(v >= 0) || v != sched::six_digits(v)) return false;
  for (const double v : c.energy)
    if (!(v >= 0) || v != sched::six_digits(v)) return false;
  return c.shared_dram >= 0 && c.exposed >= 0 && c.exposed <= 1 && c.dram_standby >= 0;
}

sched::CalibrationCard some_card(const Architecture& arch) {
  sched::CalibrationCard card;
  card.arch = arch.name;
  card.arch_hash = sched::architecture_hash(arch);
  card.coefficients = some_truth();
  card.nets = {"resnet18", "mobilenet_v2"};
  card.schedules = 3;
  card.groups = 77;
  card.before = {12.5, 8.25};
  card.after = {4.5, 1.25};
  return card;
}

std::string refusal(const Json& json, const Architecture& arch) {
  try {
    (void)sched::coefficients_for(sched::parse_card(json, "card.json"), arch, "card.json");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("non-negative least squares equals the best of all active sets") {
  Random random(31);
  for (int round = 0; round < 300; ++round) {
    const auto rows = static_cast<Eigen::Index>(random.range(1, 9));
    const auto columns = static_cast<Eigen::Index>(random.range(1, 6));
    Eigen::MatrixXd a(rows, columns);
    Eigen::VectorXd b(rows);
    for (Eigen::Index i = 0; i < rows; ++i) {
      b(i) = drawn(random);
      for (Eigen::Index j = 0; j < columns; ++j) a(i, j) = random.chance(20) ? 0 : drawn(random);
    }
    if (columns > 1 && random.chance(20)) a.col(columns - 1) = a.col(0);  // dependent
    const Eigen::VectorXd x = sched::nnls(a, b);
    REQUIRE(x.minCoeff() >= 0);
    CHECK(residual(a, b, x) <= brute_force(a, b) + 1e-9 * (1 + b.norm()));
  }
}

TEST_CASE("the solver refuses what is no problem") {
  CHECK_THROWS_AS(sched::nnls(Eigen::MatrixXd(2, 0), Eigen::VectorXd::Zero(2)), InternalError);
  CHECK_THROWS_AS(sched::nnls(Eigen::MatrixXd::Ones(2, 1), Eigen::VectorXd::Zero(3)), InternalError);
  Eigen::MatrixXd a = Eigen::MatrixXd::Ones(1, 1);
  a(0, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(sched::nnls(a, Eigen::VectorXd::Zero(1)), InternalError);
}

TEST_CASE("six digits") {
  CHECK(sched::six_digits(1.23456789) == 1.23457);
  CHECK(sched::six_digits(0) == 0);
  CHECK(sched::six_digits(987654321.0) == 987654000.0);
  CHECK(sched::six_digits(sched::six_digits(1.0 / 3)) == sched::six_digits(1.0 / 3));
}

TEST_CASE("rank correlation") {
  CHECK(sched::kendall_tau({1, 2, 3, 4}, {10, 20, 30, 40}) == 1);
  CHECK(sched::kendall_tau({1, 2, 3, 4}, {4, 3, 2, 1}) == -1);
  CHECK(sched::kendall_tau({1, 2, 3}, {1, 3, 2}) == Approx(1.0 / 3));
  CHECK(sched::kendall_tau({1, 1}, {1, 2}) == 0);
  CHECK_THROWS_AS(sched::kendall_tau({1}, {1}), InternalError);
}

TEST_CASE("a fit finds the truth that made the measurements") {
  const Architecture arch = tests::small_architecture();
  Random random(32);
  std::vector<GroupFeatures> groups;
  for (int i = 0; i < 80; ++i) groups.push_back(random_features(random));
  sched::Calibrator calibrator(arch);
  calibrator.add(groups, measure(arch, groups, some_truth(), random, 0));
  const auto before = calibrator.report(sched::Objective::edp);
  CHECK(before.errors.latency_mape_pct > 10);
  CHECK(before.errors.energy_mape_pct > 10);
  CHECK_FALSE(before.kendall_tau.has_value());
  const CostCoefficients& fitted = calibrator.fit();
  const auto after = calibrator.report(sched::Objective::edp);
  CHECK(after.errors.latency_mape_pct < 1);
  CHECK(after.errors.energy_mape_pct < 0.5);
  CHECK(valid(fitted));
  CHECK(at(fitted.cycles, Feature::load_bytes_short) == Approx(1.9).epsilon(0.02));
  CHECK(fitted.shared_dram == 0.75);
  CHECK(fitted.energy[static_cast<std::size_t>(EnergyBlock::scratchpad)] == Approx(1.4).epsilon(0.01));

  // Other groups are predicted as well.
  std::vector<GroupFeatures> others;
  for (int i = 0; i < 40; ++i) others.push_back(random_features(random));
  sched::Calibrator fresh(arch, fitted);
  fresh.add(others, measure(arch, others, some_truth(), random, 0));
  CHECK(fresh.errors(fitted).latency_mape_pct < 1);
}

TEST_CASE("a fit never makes the errors on its own data worse, whatever they are") {
  const Architecture arch = tests::small_architecture();
  Random random(33);
  for (int round = 0; round < 25; ++round) {
    sched::Calibrator calibrator(arch);
    for (int run = 0; run < 3; ++run) {
      std::vector<GroupFeatures> groups;
      for (int i = 0; i < random.range(1, 6); ++i) groups.push_back(random_features(random));
      calibrator.add(groups, measure(arch, groups, some_truth(), random, round % 5 * 0.25));
      const auto before = calibrator.errors(calibrator.coefficients());
      const CostCoefficients fitted = calibrator.fit();
      CHECK(valid(fitted));
      const auto after = calibrator.errors(fitted);
      CHECK(after.latency_mape_pct <= before.latency_mape_pct);
      CHECK(after.energy_mape_pct <= before.energy_mape_pct);
    }
    CHECK(calibrator.schedules() == 3);
  }
}

TEST_CASE("the fit does not depend on what was fitted before") {
  const Architecture arch = tests::small_architecture();
  Random random(34);
  std::vector<GroupFeatures> groups;
  for (int i = 0; i < 30; ++i) groups.push_back(random_features(random));
  const Measurement measured = measure(arch, groups, some_truth(), random, 0.05);
  sched::Calibrator once(arch), twice(arch);
  once.add(groups, measured);
  twice.add(groups, measured);
  once.fit();
  twice.fit();
  CHECK(once.coefficients() == twice.coefficients());
}

TEST_CASE("report: rank, regret and the best product") {
  const Architecture arch = tests::small_architecture();
  Random random(35);
  sched::Calibrator calibrator(arch);
  std::vector<double> measured;
  for (int i = 0; i < 4; ++i) {
    const std::vector<GroupFeatures> groups{random_features(random), random_features(random)};
    const Measurement m = measure(arch, groups, CostCoefficients(), random, 0);
    measured.push_back(m.latency_ns * static_cast<double>(m.energy.total().value()) * 1e-3);
    calibrator.add(groups, m);
  }
  const auto report = calibrator.report(sched::Objective::edp);
  CHECK(report.schedules == 4);
  CHECK(report.groups == 8);
  CHECK(report.kendall_tau == 1);
  CHECK(report.regret_pct == Approx(0));
  CHECK(report.edp_pj_ns == Approx(*std::min_element(measured.begin(), measured.end())));

  // A model that sees only the array's energy likes another one; the regret says what that costs.
  CostCoefficients blind;
  blind.cycles.fill(0);
  blind.dram_standby = 0;
  blind.energy.fill(0);
  blind.energy[0] = 1;
  at(blind.cycles, Feature::start_up) = 1;
  CHECK(calibrator.report(sched::Objective::edp, blind).regret_pct >= 0);
}

TEST_CASE("measured groups that were not predicted are refused") {
  const Architecture arch = tests::small_architecture();
  sched::Calibrator calibrator(arch);
  Measurement m;
  m.groups.resize(1);
  m.groups[0].id = 1;
  CHECK_THROWS_AS(calibrator.add(std::vector<GroupFeatures>(1), m), InternalError);
}

TEST_CASE("a card reads back as it was written") {
  const Architecture arch = tests::small_architecture();
  const sched::CalibrationCard card = some_card(arch);
  const Json json = sched::to_json(card);
  const sched::CalibrationCard back = sched::parse_card(parse_json(pretty(json), "card.json"), "card.json");
  CHECK(sched::to_json(back) == json);
  CHECK(back.coefficients == card.coefficients);
  CHECK(sched::coefficients_for(back, arch, "card.json") == card.coefficients);
}

TEST_CASE("a card is refused for another architecture or version, with the reason") {
  const Architecture arch = tests::small_architecture();
  Json json = sched::to_json(some_card(arch));
  CHECK(refusal(json, arch) == "accepted");
  Architecture other = tests::small_architecture(2);
  other.name = "other";
  CHECK(refusal(json, other) == "card.json: arch_hash: the card was fitted on architecture \"small\" (" +
                                    sched::architecture_hash(arch) + "), this is \"other\" (" +
                                    sched::architecture_hash(other) + "): calibrate on this one");
  json["version"] = 7;
  CHECK(refusal(json, arch) ==
        "card.json: version: the card is for version 7 of the cost model, this is version 1: calibrate again");
}

TEST_CASE("cards are read strictly") {
  const Architecture arch = tests::small_architecture();
  const Json good = sched::to_json(some_card(arch));
  Json json = good;
  json["coefficients"]["cycles"]["arrray_cycles"] = 1;
  CHECK_THAT(refusal(json, arch), Catch::Matchers::StartsWith("card.json: coefficients.cycles"));
  json = good;
  json["coefficients"]["cycles"].erase("drain");
  CHECK(refusal(json, arch) == "card.json: coefficients.cycles: missing key \"drain\"");
  json = good;
  json["coefficients"]["energy"]["dram"] = -1;
  CHECK_THAT(refusal(json, arch), Catch::Matchers::StartsWith("card.json: coefficients.energy.dram"));
  json = good;
  json["coefficients"]["exposed"] = 1.5;
  CHECK_THAT(refusal(json, arch), Catch::Matchers::StartsWith("card.json: coefficients.exposed"));
  json = good;
  json["provenance"]["nets"] = "resnet18";
  CHECK_THAT(refusal(json, arch), Catch::Matchers::StartsWith("card.json: provenance.nets"));
  json = good;
  json["schema"] = "accsim-calibration/2";
  CHECK_THAT(refusal(json, arch), Catch::Matchers::StartsWith("card.json: schema"));
}
