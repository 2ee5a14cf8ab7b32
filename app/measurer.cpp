#include "app/measurer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "app/digest.h"
#include "app/worker_pool.h"
#include "model/base/error.h"

namespace accsim::app {
namespace {

// What the simulation depends on: not who found the schedule, nor why.
std::string schedule_digest(const model::Schedule& schedule) {
  model::Json json = model::to_json(schedule);
  json.erase("strategy");
  json.erase("objective");
  return digest(json.dump());
}

}  // namespace

ProcessMeasurer::ProcessMeasurer(const Inputs& inputs, std::uint64_t seed, int jobs, Store& store, std::string program)
    : inputs_(&inputs), seed_(seed), jobs_(jobs), store_(&store), program_(std::move(program)) {
  common_key_ = digest(inputs.arch_json.dump()) + "." + digest(inputs.net_json.dump()) + "." +
                digest(build_identity() + " " + std::to_string(seed) + " " + std::to_string(inputs.batch));
}

std::string ProcessMeasurer::key_of(const model::Schedule& schedule) const {
  return common_key_ + "." + schedule_digest(schedule);
}

void ProcessMeasurer::count(const model::Measurement& measurement) {
  ++totals_.simulations;
  totals_.cycles += measurement.cycles.value();
  totals_.bursts += measurement.bursts;
  totals_.cpu_seconds += measurement.simulation_seconds;
}

void ProcessMeasurer::keep(const std::string& key, const model::Measurement& measurement) {
  count(measurement);
  store_->insert(key, inputs_->arch.name, inputs_->network.name, measurement);
}

model::Measurement ProcessMeasurer::measure_observed(const model::Schedule& schedule, const Observation& observation) {
  model::Measurement measurement = simulate_schedule(*inputs_, schedule, seed_, observation.options, observation.data);
  keep(key_of(schedule), measurement);
  return measurement;
}

model::Measurement ProcessMeasurer::measure_one(const model::Schedule& schedule) {
  return observation_ != nullptr ? measure_observed(schedule, *observation_) : measure({schedule}).front();
}

std::vector<model::Measurement> ProcessMeasurer::measure(const std::vector<model::Schedule>& schedules) {
  std::vector<model::Measurement> results(schedules.size());
  std::map<std::string, std::size_t> first_with;  // key -> index
  std::vector<std::size_t> same_as(schedules.size());
  std::vector<std::string> keys;
  std::vector<const model::Schedule*> missing;
  std::vector<model::Measurement*> places;
  std::vector<std::string> missing_keys;
  for (std::size_t i = 0; i < schedules.size(); ++i) {
    keys.push_back(key_of(schedules[i]));
    same_as[i] = first_with.emplace(keys[i], i).first->second;
    if (same_as[i] != i) continue;
    if (auto found = store_->find(keys[i])) {
      results[i] = std::move(*found);
      ++totals_.from_store;
      continue;
    }
    missing.push_back(&schedules[i]);
    places.push_back(&results[i]);
    missing_keys.push_back(keys[i]);
  }
  if (jobs_ > 1 && missing.size() > 1) {
    measure_in_workers(missing, places);
  } else {
    for (std::size_t i = 0; i < missing.size(); ++i) *places[i] = simulate_schedule(*inputs_, *missing[i], seed_);
  }
  for (std::size_t i = 0; i < missing.size(); ++i) keep(missing_keys[i], *places[i]);
  for (std::size_t i = 0; i < schedules.size(); ++i) {
    if (same_as[i] != i) results[i] = results[same_as[i]];
  }
  return results;
}

void ProcessMeasurer::measure_in_workers(const std::vector<const model::Schedule*>& schedules,
                                         const std::vector<model::Measurement*>& results) {
  const int workers = static_cast<int>(std::min(schedules.size(), static_cast<std::size_t>(jobs_)));
  WorkerPool pool(workers, measure_context(*inputs_, seed_), program_);
  const auto make_job = [&](std::size_t i) { return model::Json{{"schedule", model::to_json(*schedules[i])}}; };
  // The error of the first schedule in the list counts, whichever was first on the clock.
  std::map<std::size_t, model::Json> errors;
  pool.run(schedules.size(), make_job, [&](std::size_t i, const model::Json& reply) {
    if (reply.contains("error")) {
      errors.emplace(i, reply.at("error"));
    } else {
      *results[i] = model::parse_measurement(reply.at("reply"), "reply of a worker");
    }
  });
  if (errors.empty()) return;
  const auto& [i, error] = *errors.begin();
  throw_reply_error(error, "simulation of schedule " + std::to_string(i + 1) + " of " +
                               std::to_string(schedules.size()) + " (" + inputs_->network.name + " on " +
                               inputs_->arch.name + "): ");
}

model::Json measure_context(const Inputs& inputs, std::uint64_t seed) {
  return {{"kind", "measure"},
          {"arch", inputs.arch_json},
          {"arch_file", inputs.arch_file},
          {"net", inputs.net_json},
          {"net_file", inputs.net_file},
          {"batch", inputs.batch},
          {"seed", seed}};
}

model::Json answer_measure_job(const model::Json& context, const model::Json& job) {
  static std::optional<Inputs> inputs;  // one context a process
  if (!inputs) {
    inputs = inputs_of(context.at("arch"), context.at("arch_file"), context.at("net"), context.at("net_file"),
                       context.at("batch"));
  }
  const model::Schedule schedule = model::parse_schedule(job.at("schedule"), "schedule of a job");
  return model::to_json(simulate_schedule(*inputs, schedule, context.at("seed")));
}

}  // namespace accsim::app
