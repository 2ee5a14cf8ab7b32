#include "app/pipeline.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "model/base/error.h"
#include "model/program/verify.h"
#include "model/program/verify_structure.h"
#include "sched/lower/lower.h"
#include "sim/dram/runner.h"

namespace accsim::app {
namespace {

// Checks each group on its way to whoever asks for it.
class VerifiedProgram : public model::ProgramSource {
 public:
  VerifiedProgram(const model::Architecture& arch, std::unique_ptr<model::ProgramSource> source)
      : source_(std::move(source)), verifier_(arch, source_->header()) {}
  [[nodiscard]] const model::ProgramHeader& header() const override { return source_->header(); }
  std::optional<model::GroupProgram> next() override {
    std::optional<model::GroupProgram> group = source_->next();
    const auto violation = group ? verifier_.check(*group) : verifier_.finish();
    if (violation) {
      throw model::InternalError("program of group " + std::to_string(violation->group.value()) + ": " +
                                 violation->kind + ": " + violation->message);
    }
    return group;
  }

 private:
  std::unique_ptr<model::ProgramSource> source_;
  model::ProgramVerifier verifier_;
};

double thread_cpu_seconds() {
  constexpr double kNano = 1e-9;
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + kNano * static_cast<double>(now.tv_nsec);
}

// Simulates; with `data` executes on data as well.
model::Measurement simulate(const Inputs& inputs, model::ProgramSource& program,
                            const std::function<LastReaders()>& readers, std::uint64_t seed,
                            const sim::SimulationOptions& options, DataReport* data) {
  if (data == nullptr) return sim::simulate(inputs.arch, program, options);
  DataCheck check(inputs.network, inputs.arch, program.header(), readers(), seed);
  sim::SimulationOptions with_data = options;
  with_data.data = &check.chip();
  model::Measurement measurement = sim::simulate(inputs.arch, program, with_data);
  *data = check.finish();
  return measurement;
}

void require_program(const Inputs& inputs, const model::Program& program, const std::string& file, bool check) {
  const auto same = [&](const std::string& key, const std::string& found, const std::string& name) {
    if (found != name) throw model::ConfigError(file, key, "found \"" + found + "\", but the input is " + name);
  };
  same("arch", program.header.arch, inputs.arch.name);
  same("net", program.header.net, inputs.network.name);
  const auto refuse = [&](const std::string& path, const std::string& kind, const std::string& message) {
    throw model::ConfigError(file, path, kind + ": " + message);
  };
  model::ProgramVerifier verifier(inputs.arch, program.header);
  if (const auto finding = model::check_header(inputs.arch, program.header)) {
    refuse("dram", finding->kind, finding->message);
  }
  require_tensors(inputs.network, program.header, file);
  for (std::size_t i = 0; i < program.groups.size(); ++i) {
    const std::string path = "groups[" + std::to_string(i) + "]";
    if (check) {
      if (const auto violation = verifier.check(program.groups[i])) {
        refuse(path, violation->kind, violation->message);
      }
    } else if (const auto finding = model::check_structure(inputs.arch, program.header, program.groups[i])) {
      refuse(path, finding->kind, finding->message);
    }
  }
  if (!check) return;
  if (const auto violation = verifier.finish()) refuse("groups", violation->kind, violation->message);
}

VerifiedProgram verified_program(const Inputs& inputs, const model::Schedule& schedule, std::uint64_t seed) {
  return {inputs.arch, sched::lower(schedule, inputs.network, inputs.arch, seed)};
}

}  // namespace

Inputs inputs_of(const model::Json& arch_json, const std::string& arch_file, const model::Json& net_json,
                 const std::string& net_file, std::int64_t batch) {
  Inputs inputs;
  inputs.arch = model::parse_architecture(arch_json, arch_file);
  inputs.network = model::fuse_activations(model::parse_network(net_json, net_file, batch));
  inputs.arch_json = model::to_json(inputs.arch);
  inputs.net_json = net_json;
  inputs.arch_file = arch_file;
  inputs.net_file = net_file;
  inputs.batch = batch;
  return inputs;
}

Inputs load_inputs(const std::filesystem::path& arch_file, const std::filesystem::path& net_file, std::int64_t batch,
                   const model::NetworkFileOptions& options) {
  return inputs_of(model::read_json_file(arch_file), arch_file.string(), model::read_network_json(net_file, options),
                   net_file.string(), batch);
}

sched::Objective parse_objective(const std::string& name) {
  constexpr std::array kObjectives{sched::Objective::edp, sched::Objective::latency, sched::Objective::energy};
  std::vector<std::string> allowed;
  for (const sched::Objective objective : kObjectives) {
    if (name == sched::name_of(objective)) return objective;
    allowed.emplace_back(sched::name_of(objective));
  }
  throw model::ConfigError("unknown objective \"" + name + "\": edp, latency or energy" +
                           model::did_you_mean(name, allowed));
}

double process_cpu_seconds() {
  constexpr double kNano = 1e-9;
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + kNano * static_cast<double>(now.tv_nsec);
}

void require_valid(const Inputs& inputs, const model::Schedule& schedule, const std::string& file) {
  auto violation = model::verify_schedule(schedule, inputs.network, inputs.arch, inputs.batch);
  if (!violation) violation = sched::find_not_lowered(schedule);
  if (!violation) return;
  if (!file.empty()) throw model::ConfigError(file, violation->where, violation->message);
  throw model::InternalError("schedule of strategy " + schedule.strategy + ": " + violation->where + ": " +
                             violation->message);
}

std::string width_warning(const Inputs& inputs) {
  const model::DataType precision = inputs.network.precision;
  for (const model::CoreConfig& core : inputs.arch.core_types) {
    const model::DataType operands = core.array.operand_type;
    const bool real = model::info(precision).floating && !model::info(operands).floating;
    if (!real && model::bits_of(precision) <= model::bits_of(operands)) continue;
    return inputs.net_file + ": precision: " + std::string(model::name_of(precision)) +
           ", but the arrays of core type \"" + core.name + "\" in " + inputs.arch_file + " take " +
           std::string(model::name_of(operands)) + ": a multiplication takes the time and energy of that type";
  }
  return "";
}

sched::SearchResult search_schedule(const Inputs& inputs, const SearchSettings& settings) {
  const auto strategy = sched::make_strategy(settings.strategy);
  const sched::CostModel cost(inputs.arch, settings.coefficients);
  sched::SearchRequest request;
  request.network = &inputs.network;
  request.arch = &inputs.arch;
  request.cost = &cost;
  request.objective = settings.objective;
  request.threads = settings.threads;
  request.measurer = settings.measurer;
  request.network_file = &inputs.net_json;
  request.batch = inputs.batch;
  request.characterization = settings.characterization;
  sched::SearchResult result = strategy->search(request);
  result.schedule.batch = inputs.batch;
  require_valid(inputs, result.schedule, "");
  if (result.groups.size() != result.schedule.groups.size()) {
    throw model::InternalError("strategy " + settings.strategy + " has no prediction for each group");
  }
  return result;
}

std::vector<sched::Prediction> predict_schedule(const Inputs& inputs, const model::Schedule& schedule,
                                                const sched::CostModel& cost) {
  std::vector<sched::Prediction> predictions;
  predictions.reserve(schedule.groups.size());
  const sched::TensorHomes homes = sched::homes_of(schedule, inputs.network, inputs.arch);
  for (const model::Group& group : schedule.groups) predictions.push_back(cost.predict(inputs.network, group, homes));
  return predictions;
}

model::Measurement simulate_schedule(const Inputs& inputs, const model::Schedule& schedule, std::uint64_t seed,
                                     const sim::SimulationOptions& options, DataReport* data) {
  const double start = thread_cpu_seconds();
  VerifiedProgram program = verified_program(inputs, schedule, seed);
  const auto readers = [&] { return last_readers(inputs.network, schedule); };
  model::Measurement measurement = simulate(inputs, program, readers, seed, options, data);
  measurement.simulation_seconds = thread_cpu_seconds() - start;
  return measurement;
}

model::Measurement simulate_program(const Inputs& inputs, const model::Program& program, const std::string& file,
                                    bool check, std::uint64_t seed, const sim::SimulationOptions& options,
                                    DataReport* data) {
  const double start = thread_cpu_seconds();
  require_program(inputs, program, file, check);
  model::StoredProgram source(program);
  const auto readers = [&] { return last_readers(program); };
  try {
    model::Measurement measurement = simulate(inputs, source, readers, seed, options, data);
    measurement.simulation_seconds = thread_cpu_seconds() - start;
    return measurement;
  } catch (const sim::NoProgressError& error) {
    throw model::ConfigError(file, "", error.what());
  } catch (const model::InternalError& error) {
    if (check) throw;
    throw model::ConfigError(file, "", std::string("the simulator stopped on this unchecked program: ") + error.what());
  }
}

double sustained_bytes_per_cycle(const model::Architecture& arch) {
  constexpr std::int64_t kBurstsPerChannel = 8192;  // a few refresh intervals
  constexpr std::int64_t kFewestBursts = 32768;
  static std::map<std::string, double> known;  // by the whole configuration: sweeps and loops ask again and again
  const std::string key = model::to_json(arch.dram).dump() + "@" + std::to_string(arch.clock_mhz);
  if (const auto it = known.find(key); it != known.end()) return it->second;

  const std::int64_t capacity = arch.dram.capacity().value() / arch.dram.burst_bytes().value();
  const std::int64_t bursts = std::min(capacity, std::max(kFewestBursts, kBurstsPerChannel * arch.dram.channels));
  std::vector<sim::DramRequest> requests(static_cast<std::size_t>(bursts));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].address = i * static_cast<std::uint64_t>(arch.dram.burst_bytes().value());
  }
  sim::DramDrive drive;
  drive.mode = sim::DramMode::per_channel;
  const sim::DramRunResult run = sim::run_dram_requests(arch.dram, requests, drive, false);
  const model::ClockPeriod core = model::core_clock(arch);
  const double core_ps = static_cast<double>(core.numerator) / static_cast<double>(core.denominator);
  const auto dram_ps = static_cast<double>(arch.dram.picoseconds(model::Cycles(run.cycles_to_last_completion)));
  const double rate = static_cast<double>((arch.dram.burst_bytes() * bursts).value()) * core_ps / dram_ps;
  known.emplace(key, rate);
  return rate;
}

model::Program program_of(const Inputs& inputs, const model::Schedule& schedule, std::uint64_t seed) {
  VerifiedProgram program = verified_program(inputs, schedule, seed);
  return model::collect(program);
}

}  // namespace accsim::app
