// The steps of a run, shared by every command that makes one: read both files, search a schedule, verify it, lower and
// verify the program on the fly, simulate.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/data_check.h"
#include "model/arch/arch.h"
#include "model/result/result.h"
#include "model/schedule/schedule.h"
#include "model/workload/network.h"
#include "model/workload/onnx_load.h"
#include "sched/cost/cost_model.h"
#include "sched/strategy/strategy.h"
#include "sim/system/simulate.h"

namespace accsim::app {

struct Inputs {
  model::Architecture arch;
  model::Network network;  // activations fused into their producers
  model::Json arch_json;   // resolved: keys the store, goes to workers
  model::Json net_json;    // as in the file, or converted from it
  std::string arch_file;   // for messages
  std::string net_file;
  std::int64_t batch = 1;
};

// ConfigError where a file cannot be read or is wrong.
Inputs load_inputs(const std::filesystem::path& arch_file, const std::filesystem::path& net_file, std::int64_t batch,
                   const model::NetworkFileOptions& options = {});
// The same from what has been read already; the names are for messages.
Inputs inputs_of(const model::Json& arch_json, const std::string& arch_file, const model::Json& net_json,
                 const std::string& net_file, std::int64_t batch);

// What to warn of where the network's values do not fit the operands of an array: their traffic counts as they are, but
// multiplications as those of the array. "" where they fit.
std::string width_warning(const Inputs& inputs);

sched::Objective parse_objective(const std::string& name);

// CPU seconds of this process, all threads; only differences mean something.
double process_cpu_seconds();

struct SearchSettings {
  std::string strategy = "layerwise";
  sched::Objective objective = sched::Objective::edp;
  sched::CostCoefficients coefficients;
  int threads = 1;
  model::Measurer* measurer = nullptr;
  std::function<std::shared_ptr<const sched::Characterization>()> characterization;  // may be null
};
// Whatever the strategy returns has passed the verifier (InternalError otherwise).
sched::SearchResult search_schedule(const Inputs& inputs, const SearchSettings& settings);

// ConfigError naming `file` for a schedule that a user gave; InternalError where `file` is empty.
void require_valid(const Inputs& inputs, const model::Schedule& schedule, const std::string& file);

// The cost model's figures for a schedule, one a group.
std::vector<sched::Prediction> predict_schedule(const Inputs& inputs, const model::Schedule& schedule,
                                                const sched::CostModel& cost);

// Lowers group by group, verifies each group as it is handed over, simulates. `simulation_seconds` of the result covers
// all of it. InternalError on a violation: programs are always ours. With `data` the program is executed on data as
// well, and the report of that goes there.
model::Measurement simulate_schedule(const Inputs& inputs, const model::Schedule& schedule, std::uint64_t seed,
                                     const sim::SimulationOptions& options = {}, DataReport* data = nullptr);

// A program that a user gave in `file`. ConfigError naming it where it is not of this architecture and network, where
// the program verifier finds something (`check`; else only its structure is checked), or where it stops making
// progress.
model::Measurement simulate_program(const Inputs& inputs, const model::Program& program, const std::string& file,
                                    bool check, std::uint64_t seed, const sim::SimulationOptions& options = {},
                                    DataReport* data = nullptr);

// The whole program in memory, verified.
model::Program program_of(const Inputs& inputs, const model::Schedule& schedule, std::uint64_t seed);

// DRAM bytes a core cycle that one long sequential read stream gets.
double sustained_bytes_per_cycle(const model::Architecture& arch);

}  // namespace accsim::app
