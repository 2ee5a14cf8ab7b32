#include "app/measurer.h"

#include <algorithm>
#include <map>
#include <memory>
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

model::Measurement simulate_job(const Inputs& inputs, const model::MeasureJob& job, std::uint64_t seed) {
  if (!job.net) return simulate_schedule(inputs, job.schedule, seed);
  Inputs other = inputs;
  other.net_json = *job.net;
  other.net_file = "network of a measurement";
  other.batch = 1;
  other.network = model::fuse_activations(model::parse_network(other.net_json, other.net_file, 1));
  return simulate_schedule(other, job.schedule, seed);
}

}  // namespace

ProcessMeasurer::ProcessMeasurer(const Inputs& inputs, std::uint64_t seed, int jobs, Store& store, std::string program)
    : inputs_(&inputs), seed_(seed), jobs_(jobs), store_(&store), program_(std::move(program)) {
  arch_key_ = digest(inputs.arch_json.dump());
  build_key_ = build_identity() + " " + std::to_string(seed) + " ";
}

std::string ProcessMeasurer::key_of(const model::Schedule& schedule, const model::Json& net, std::int64_t batch) const {
  return arch_key_ + "." + digest(net.dump()) + "." + digest(build_key_ + std::to_string(batch)) + "." +
         schedule_digest(schedule);
}

void ProcessMeasurer::count(const model::Measurement& measurement) {
  ++totals_.simulations;
  totals_.cycles += measurement.cycles.value();
  totals_.bursts += measurement.bursts;
  totals_.cpu_seconds += measurement.simulation_seconds;
}

void ProcessMeasurer::keep(const std::string& key, const model::Schedule& schedule,
                           const model::Measurement& measurement) {
  count(measurement);
  store_->insert(key, inputs_->arch.name, schedule.net, measurement);
}

model::Measurement ProcessMeasurer::measure_observed(const model::Schedule& schedule, const Observation& observation) {
  model::Measurement measurement = simulate_schedule(*inputs_, schedule, seed_, observation.options, observation.data);
  keep(key_of(schedule, inputs_->net_json, inputs_->batch), schedule, measurement);
  return measurement;
}

model::Measurement ProcessMeasurer::measure_one(const model::Schedule& schedule) {
  return observation_ != nullptr ? measure_observed(schedule, *observation_) : measure({{schedule, nullptr}}).front();
}

std::vector<model::Measurement> ProcessMeasurer::measure(const std::vector<model::MeasureJob>& jobs) {
  std::vector<model::Measurement> results(jobs.size());
  std::map<std::string, std::size_t> first_with;  // key -> index
  std::vector<std::size_t> same_as(jobs.size());
  std::vector<Task> missing;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const bool own = jobs[i].net == nullptr;
    std::string key = key_of(jobs[i].schedule, own ? inputs_->net_json : *jobs[i].net, own ? inputs_->batch : 1);
    same_as[i] = first_with.emplace(key, i).first->second;
    if (same_as[i] != i) continue;
    if (auto found = store_->find(key)) {
      results[i] = std::move(*found);
      ++totals_.from_store;
      continue;
    }
    missing.push_back({&jobs[i], std::move(key), &results[i]});
  }
  auto finished = static_cast<std::int64_t>(jobs.size() - missing.size());
  const auto done = [&](std::size_t i) {
    keep(missing[i].key, missing[i].job->schedule, *missing[i].result);
    if (report_) report_(++finished, static_cast<std::int64_t>(jobs.size()));
  };
  if (jobs_ > 1 && missing.size() > 1) {
    measure_in_workers(missing, done);
  } else {
    for (std::size_t i = 0; i < missing.size(); ++i) {
      *missing[i].result = simulate_job(*inputs_, *missing[i].job, seed_);
      done(i);
    }
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (same_as[i] != i) results[i] = results[same_as[i]];
  }
  return results;
}

void ProcessMeasurer::measure_in_workers(const std::vector<Task>& tasks, const std::function<void(std::size_t)>& done) {
  const int workers = static_cast<int>(std::min(tasks.size(), static_cast<std::size_t>(jobs_)));
  WorkerPool pool(workers, measure_context(*inputs_, seed_), program_);
  const auto make_job = [&](std::size_t i) {
    model::Json job{{"schedule", model::to_json(tasks[i].job->schedule)}};
    if (tasks[i].job->net) job["net"] = *tasks[i].job->net;
    return job;
  };
  // The error of the first schedule in the list counts, whichever was first on the clock.
  std::map<std::size_t, model::Json> errors;
  pool.run(tasks.size(), make_job, [&](std::size_t i, const model::Json& reply) {
    if (reply.contains("error")) {
      errors.emplace(i, reply.at("error"));
    } else {
      *tasks[i].result = model::parse_measurement(reply.at("reply"), "reply of a worker");
      done(i);
    }
  });
  if (errors.empty()) return;
  const auto& [i, error] = *errors.begin();
  throw_reply_error(error, "simulation of schedule " + std::to_string(i + 1) + " of " + std::to_string(tasks.size()) +
                               " (" + tasks[i].job->schedule.net + " on " + inputs_->arch.name + "): ");
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
  model::MeasureJob measured{model::parse_schedule(job.at("schedule"), "schedule of a job"), nullptr};
  if (job.contains("net")) measured.net = std::make_shared<const model::Json>(job.at("net"));
  return model::to_json(simulate_job(*inputs, measured, context.at("seed")));
}

}  // namespace accsim::app
