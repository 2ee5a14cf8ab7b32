// One run as a self-contained job: an architecture, a network and a strategy in, the result object out. Sweeps and
// bench suites are lists of these, run in worker processes.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/config/json.h"

namespace accsim::app {

struct NetFile {
  std::string file;
  model::Json json;
};

struct Point {
  model::Json arch;       // as in the file, axis values put in
  std::string arch_file;  // for messages
  std::size_t net = 0;    // index into the list of networks
  std::string strategy;
  std::string objective = "edp";
};

// Cards that a strategy needs are made where `store` has none.
// {"result": accsim-result/1 without "host", "energy_fj", "area_mm2", "search_seconds", "simulation_seconds"}.
// What cannot be run is thrown (ConfigError, InfeasibleError).
model::Json run_point(const Point& point, const std::vector<NetFile>& nets, std::uint64_t seed,
                      const std::string& store = "off");

// All points, in `jobs` worker processes, so that a crash costs one point. `make_point` is asked when a process is free
// for it; `done` gets {"reply": …} or {"error": {"kind", "message"}} as points finish, in any order.
void run_points(std::size_t count, const std::function<Point(std::size_t)>& make_point,
                const std::vector<NetFile>& nets, std::uint64_t seed, int jobs, const std::string& store,
                const std::function<void(std::size_t, const model::Json&)>& done);

// The worker's side.
model::Json answer_point_job(const model::Json& context, const model::Json& job);

}  // namespace accsim::app
