#include "app/point.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "app/characterization.h"
#include "app/measurer.h"
#include "app/pipeline.h"
#include "app/result_json.h"
#include "app/store.h"
#include "app/worker_pool.h"
#include "model/base/error.h"

namespace accsim::app {

model::Json run_point(const Point& point, const std::vector<NetFile>& nets, std::uint64_t seed,
                      const std::string& store) {
  const NetFile& net = nets.at(point.net);
  const Inputs inputs = inputs_of(point.arch, point.arch_file, net.json, net.file, 1);
  SearchSettings settings;
  settings.strategy = point.strategy;
  settings.objective = parse_objective(point.objective);
  Store cards(store, nullptr);
  ProcessMeasurer measurer(inputs, seed, 1, cards);
  settings.measurer = &measurer;
  settings.characterization = characterization_source("", inputs, measurer, cards, 1, {});
  const double start = process_cpu_seconds();
  sched::SearchResult found = search_schedule(inputs, settings);
  const double search_seconds = process_cpu_seconds() - start;

  RunOutcome outcome;
  outcome.strategy = point.strategy;
  outcome.objective = settings.objective;
  outcome.seed = seed;
  outcome.schedule = std::move(found.schedule);
  outcome.predictions = std::move(found.groups);
  outcome.candidates = found.candidates;
  outcome.mapspace_log10 = found.mapspace_log10;
  outcome.exact = found.exact;
  outcome.measurement = simulate_schedule(inputs, outcome.schedule, seed);
  outcome.calibration = {entry_before_any_fit(inputs, outcome, settings.coefficients)};
  return {{"result", result_json(inputs, outcome)},
          {"energy_fj", outcome.measurement.energy.total().value()},
          {"area_mm2", model::bounds_of(inputs.arch).area_mm2},
          {"search_seconds", search_seconds},
          {"simulation_seconds", outcome.measurement.simulation_seconds}};
}

void run_points(std::size_t count, const std::function<Point(std::size_t)>& make_point,
                const std::vector<NetFile>& nets, std::uint64_t seed, int jobs, const std::string& store,
                const std::function<void(std::size_t, const model::Json&)>& done) {
  model::Json context = {{"kind", "points"}, {"seed", seed}, {"store", store}, {"nets", model::Json::array()}};
  for (const NetFile& net : nets) context["nets"].push_back({{"file", net.file}, {"json", net.json}});
  const auto make_job = [&](std::size_t i) -> model::Json {
    const Point point = make_point(i);
    return {{"arch", point.arch},
            {"arch_file", point.arch_file},
            {"net", point.net},
            {"strategy", point.strategy},
            {"objective", point.objective}};
  };
  if (count == 0) return;
  WorkerPool pool(static_cast<int>(std::min(count, static_cast<std::size_t>(jobs))), std::move(context));
  pool.run(count, make_job, done);
}

model::Json answer_point_job(const model::Json& context, const model::Json& job) {
  static std::optional<std::vector<NetFile>> nets;  // one context a process
  if (!nets) {
    nets.emplace();
    for (const auto& net : context.at("nets")) nets->push_back({net.at("file"), net.at("json")});
  }
  Point point;
  point.arch = job.at("arch");
  point.arch_file = job.at("arch_file");
  point.net = job.at("net");
  point.strategy = job.at("strategy");
  point.objective = job.at("objective");
  return run_point(point, *nets, context.at("seed"), context.at("store"));
}

}  // namespace accsim::app
