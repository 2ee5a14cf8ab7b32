// Measuring several schedules: worker processes of the built program give what this process gives, in the same order.
#include "app/measurer.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "model/base/error.h"
#include "sched/strategy/strategy.h"
#include "tests/catch.h"
#include "tests/e2e/support.h"

using namespace accsim;
using accsim::tests::Workspace;

namespace {

app::Inputs small_inputs(const Workspace& folder) {
  return app::load_inputs(tests::shipped("configs/edge-4core.json"), folder / "net.json", 1);
}

// Different schedules of one network: the best for each objective, and the last of them on another core.
std::vector<model::Schedule> some_schedules(const app::Inputs& inputs) {
  std::vector<model::Schedule> schedules;
  for (const auto objective : {sched::Objective::edp, sched::Objective::latency, sched::Objective::energy}) {
    app::SearchSettings settings;
    settings.objective = objective;
    schedules.push_back(app::search_schedule(inputs, settings).schedule);
  }
  schedules.push_back(schedules.back());
  for (model::Group& group : schedules.back().groups) group.cores = {3};
  schedules.push_back(schedules.front());
  return schedules;
}

std::vector<std::string> texts(const std::vector<model::Measurement>& measurements) {
  std::vector<std::string> result;
  for (model::Measurement measurement : measurements) {
    measurement.simulation_seconds = 0;
    result.push_back(model::to_json(measurement).dump());
  }
  return result;
}

}  // namespace

TEST_CASE("worker processes measure what this process measures") {
  const Workspace folder;
  const app::Inputs inputs = small_inputs(folder);
  const std::vector<model::Schedule> schedules = some_schedules(inputs);
  app::Store off("off", nullptr);
  app::ProcessMeasurer here(inputs, 1, 1, off);
  app::ProcessMeasurer workers(inputs, 1, 3, off, ACCSIM_PROGRAM);
  const auto expected = texts(here.measure_schedules(schedules));
  CHECK(texts(workers.measure_schedules(schedules)) == expected);
  CHECK(expected.front() == expected.back());
  CHECK(here.totals().simulations == workers.totals().simulations);
  CHECK(workers.totals().simulations < 5);  // equal schedules are measured once
  CHECK(workers.totals().cycles == here.totals().cycles);
  CHECK(workers.measure({}).empty());
}

TEST_CASE("what is in the store is not simulated again") {
  const Workspace folder;
  const app::Inputs inputs = small_inputs(folder);
  const std::vector<model::Schedule> schedules = some_schedules(inputs);
  const std::string file = (folder / "store.sqlite").string();
  app::Store store(file, nullptr);
  app::ProcessMeasurer first(inputs, 1, 2, store, ACCSIM_PROGRAM);
  const auto expected = texts(first.measure_schedules(schedules));
  app::ProcessMeasurer second(inputs, 1, 1, store);
  CHECK(texts(second.measure_schedules(schedules)) == expected);
  CHECK(second.totals().simulations == 0);
  CHECK(second.totals().from_store == first.totals().simulations);
  app::ProcessMeasurer other_seed(inputs, 2, 1, store);
  CHECK(other_seed.measure_one(schedules.front()).cycles == first.measure_one(schedules.front()).cycles);
  CHECK(other_seed.totals().simulations == 1);
}

TEST_CASE("a crashed worker is a bug of ours that names the schedule") {
  const Workspace folder;
  const app::Inputs inputs = small_inputs(folder);
  app::Store off("off", nullptr);
  app::ProcessMeasurer measurer(inputs, 1, 2, off, "/bin/false");
  std::string message;
  try {
    measurer.measure_schedules(some_schedules(inputs));
  } catch (const model::InternalError& error) {
    message = error.what();
  }
  CHECK(message.rfind("simulation of schedule 1 of ", 0) == 0);
  CHECK(message.find("small on edge-4core") != std::string::npos);
  CHECK(message.find("the worker process ended with exit code 1") != std::string::npos);
}

TEST_CASE("what a killed process measured is not measured again") {
  const Workspace folder;
  const app::Inputs inputs = small_inputs(folder);
  const std::vector<model::Schedule> all = some_schedules(inputs);
  std::vector<model::Schedule> schedules;  // enough for the kill to come in between
  for (int core = 0; core < 4; ++core) {
    for (model::Schedule schedule : all) {
      for (model::Group& group : schedule.groups) group.cores = {core};
      schedules.push_back(std::move(schedule));
    }
  }
  const std::string file = (folder / "store.sqlite").string();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    app::Store store(file, nullptr);
    app::ProcessMeasurer measurer(inputs, 1, 1, store);
    int simulated = 0;
    measurer.report_to([&](std::int64_t, std::int64_t) {
      if (++simulated == 3) ::raise(SIGKILL);  // three are there, the others not
    });
    measurer.measure_schedules(schedules);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  app::Store store(file, nullptr);
  app::ProcessMeasurer again(inputs, 1, 2, store, ACCSIM_PROGRAM);
  const auto resumed = texts(again.measure_schedules(schedules));
  app::Store off("off", nullptr);
  app::ProcessMeasurer whole(inputs, 1, 1, off);
  CHECK(resumed == texts(whole.measure_schedules(schedules)));
  CHECK(again.totals().from_store == 3);
  CHECK(again.totals().simulations == whole.totals().simulations - 3);
}

TEST_CASE("jobs may bring another network than the run's") {
  const Workspace folder;
  const app::Inputs inputs = small_inputs(folder);
  model::Json other = inputs.net_json;
  other["name"] = "other";
  other["inputs"][0]["shape"] = {1, 16, 14, 14};
  const app::Inputs others = app::inputs_of(inputs.arch_json, "arch.json", other, "other.json", 1);
  app::SearchSettings settings;
  const model::Schedule own = app::search_schedule(inputs, settings).schedule;
  const model::Schedule schedule = app::search_schedule(others, settings).schedule;
  app::Store off("off", nullptr);
  app::ProcessMeasurer alone(others, 1, 1, off);
  app::ProcessMeasurer measurer(inputs, 1, 1, off);
  app::ProcessMeasurer workers(inputs, 1, 2, off, ACCSIM_PROGRAM);
  const auto net = std::make_shared<const model::Json>(other);
  const std::vector<model::MeasureJob> jobs{{schedule, net}, {own, nullptr}};
  const auto measured = texts(measurer.measure(jobs));
  CHECK(measured.front() == texts(alone.measure_schedules({schedule})).front());
  CHECK(measured.back() == texts({measurer.measure_one(own)}).front());
  CHECK(measured == texts(workers.measure(jobs)));
}
