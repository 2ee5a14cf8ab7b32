#include "app/closed_loop.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sched/calibrate/calibrator.h"
#include "sched/calibrate/card.h"

namespace accsim::app {
namespace {

// A schedule that was found and measured.
struct Candidate {
  sched::SearchResult found;
  model::Measurement measurement;
};

double figure_of(sched::Objective objective, const model::Measurement& measurement) {
  switch (objective) {
    case sched::Objective::latency:
      return measurement.latency_ns;
    case sched::Objective::energy:
      return picojoules(measurement.energy.total());
    case sched::Objective::edp:
      break;
  }
  return edp_pj_ns(measurement);
}

RunOutcome outcome_of(const LoopSettings& settings, const model::Schedule& schedule) {
  RunOutcome outcome;
  outcome.strategy = schedule.strategy;
  outcome.objective = settings.objective;
  outcome.seed = settings.seed;
  outcome.schedule = schedule;
  return outcome;
}

}  // namespace

LoopResult run_closed_loop(const Inputs& inputs, const LoopSettings& settings, ProcessMeasurer& measurer) {
  LoopResult result;
  SearchSettings search;
  search.strategy = settings.strategy;
  search.objective = settings.objective;
  search.coefficients = settings.start;
  search.threads = settings.threads;
  search.measurer = &measurer;
  search.characterization = settings.characterization;
  const auto find = [&](const std::string& step) {
    settings.say(step + "searching");
    const double start = process_cpu_seconds();
    sched::SearchResult found = search_schedule(inputs, search);
    result.search_seconds += process_cpu_seconds() - start;
    return found;
  };

  std::vector<Candidate> candidates;
  std::size_t best = 0;
  sched::Calibrator calibrator(inputs.arch, settings.start);
  const auto measure = [&](sched::SearchResult found, const std::string& step) {
    settings.say(step + "simulating");
    model::Measurement measurement = measurer.measure_one(found.schedule);
    calibrator.add(found.groups, measurement);
    candidates.push_back({std::move(found), std::move(measurement)});
    const auto figure = [&](std::size_t i) { return figure_of(settings.objective, candidates[i].measurement); };
    if (figure(candidates.size() - 1) < figure(best)) best = candidates.size() - 1;
  };

  measure(find(""), "");
  std::vector<CalibrationEntry> entries{entry_of(0, calibrator.report(settings.objective))};
  for (int i = 1; i <= settings.iterations; ++i) {
    const std::string step = "iteration " + std::to_string(i) + ": ";
    const sched::PredictionErrors before = calibrator.errors(search.coefficients);
    search.coefficients = calibrator.fit();
    const sched::PredictionErrors fitted = calibrator.errors(search.coefficients);
    sched::SearchResult found = find(step);
    const bool repeated = std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
      return model::to_json(candidate.found.schedule) == model::to_json(found.schedule);
    });
    const double best_before = figure_of(settings.objective, candidates[best].measurement);
    if (!repeated) measure(std::move(found), step);
    CalibrationEntry entry = entry_of(i, calibrator.report(settings.objective, search.coefficients));
    entry.before = before;
    entry.fitted = fitted;
    entry.decision = repeated ? "repeated" : "changed";
    if (!repeated) {
      constexpr double kPercent = 100.0;
      const double now = figure_of(settings.objective, candidates.back().measurement);
      entry.change_pct = kPercent * (now - best_before) / best_before;
    }
    entries.push_back(std::move(entry));
    if (repeated) break;
  }

  const sched::CostModel cost(inputs.arch, search.coefficients);
  Candidate& chosen = candidates[best];
  result.outcome = outcome_of(settings, chosen.found.schedule);
  result.outcome.predictions = predict_schedule(inputs, chosen.found.schedule, cost);
  result.outcome.candidates = chosen.found.candidates;
  result.outcome.mapspace_log10 = chosen.found.mapspace_log10;
  result.outcome.exact = chosen.found.exact;
  result.outcome.measurement = std::move(chosen.measurement);
  if (settings.iterations > 0) {
    sched::CalibrationCard card;
    card.arch = inputs.arch.name;
    card.arch_hash = sched::architecture_hash(inputs.arch);
    card.coefficients = search.coefficients;
    card.nets = {inputs.network.name};
    card.schedules = static_cast<std::int64_t>(candidates.size());
    for (const Candidate& candidate : candidates) {
      card.groups += static_cast<std::int64_t>(candidate.found.groups.size());
    }
    card.before = calibrator.errors(settings.start);
    card.after = calibrator.errors(search.coefficients);
    result.card = sched::to_json(card);
  }
  result.outcome.calibration = std::move(entries);
  return result;
}

sched::CostCoefficients coefficients_of_card(const std::string& file, const Inputs& inputs) {
  return sched::coefficients_for(sched::parse_card(model::read_json_file(file), file), inputs.arch, file);
}

model::Program read_program(const std::string& file) { return model::parse_program(model::read_json_file(file), file); }

RunOutcome outcome_of_program(const Inputs& inputs, const std::string& file, bool check, const LoopSettings& settings,
                              const Observation& observed) {
  const model::Program program = read_program(file);
  model::Schedule schedule;
  schedule.arch = program.header.arch;
  schedule.net = program.header.net;
  schedule.strategy = "none";
  schedule.batch = inputs.batch;
  for (const model::GroupProgram& part : program.groups) {
    model::Group group;
    group.id = part.group;
    for (const model::CoreProgram& core : part.cores) group.cores.push_back(core.core.value());
    for (const std::string& layer : part.layers) {
      const auto& operators = inputs.network.operators;
      const bool known =
          std::any_of(operators.begin(), operators.end(), [&](const model::Operator& op) { return op.name == layer; });
      if (known) group.layers.push_back(layer);
    }
    schedule.groups.push_back(std::move(group));
  }
  RunOutcome outcome = outcome_of(settings, schedule);
  outcome.measurement = simulate_program(inputs, program, file, check, settings.seed, observed.options, observed.data);
  return outcome;
}

LoopResult measure_given(const Inputs& inputs, const model::Schedule& schedule, const std::string& file,
                         const LoopSettings& settings, ProcessMeasurer& measurer) {
  require_valid(inputs, schedule, file);
  LoopResult result;
  result.outcome = outcome_of(settings, schedule);
  result.outcome.predictions = predict_schedule(inputs, schedule, sched::CostModel(inputs.arch, settings.start));
  settings.say("simulating");
  result.outcome.measurement = measurer.measure_one(schedule);
  result.outcome.calibration = {entry_before_any_fit(inputs, result.outcome, settings.start)};
  return result;
}

}  // namespace accsim::app
