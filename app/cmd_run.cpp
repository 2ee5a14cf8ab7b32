#include "app/cmd_run.h"

#include <array>
#include <charconv>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "app/characterization.h"
#include "app/closed_loop.h"
#include "app/files.h"
#include "app/measurer.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/result_json.h"
#include "app/store.h"
#include "app/table.h"
#include "app/trace_file.h"
#include "model/base/error.h"

namespace accsim::app {
namespace {

constexpr int kMostIterations = 100;
constexpr std::int64_t kLargestBatch = 65536;

// One line on a terminal's stderr that says what is going on; wiped at the end.
class Status {
 public:
  explicit Status(const CommandContext& context) : shown_(!context.common.quiet && stderr_is_terminal()) {}
  ~Status() { wipe(); }
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;
  void say(const std::string& what) {
    if (shown_) std::cerr << "\r\x1b[K" << what << " ..." << std::flush;
  }
  void wipe() {
    if (shown_) std::cerr << "\r\x1b[K" << std::flush;
  }

 private:
  bool shown_;
};

int iterations_of(const std::string& text) {
  if (text == "off") return 0;
  int n = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size() || n < 0 || n > kMostIterations) {
    throw model::ConfigError("--calibrate: found \"" + text + "\", expected off or a number of iterations from 0 to " +
                             std::to_string(kMostIterations));
  }
  return n;
}

std::string trace_text(const std::vector<sim::DramRequestRecord>& records) {
  std::string text = "cycle,op,addr_hex\n";
  constexpr int kHex = 16;
  std::array<char, 32> address{};
  for (const sim::DramRequestRecord& record : records) {
    const auto end = std::to_chars(address.data(), address.data() + address.size(), record.address, kHex);
    text += std::to_string(record.cycle) + (record.write ? ",W,0x" : ",R,0x");
    text.append(address.data(), end.ptr);
    text += '\n';
  }
  return text;
}

model::Schedule read_schedule(const std::string& file) {
  return model::parse_schedule(model::read_json_file(file), file);
}

// What a run is of: a schedule that is searched or given, or a program.
LoopResult run_of(const RunOptions& options, const Inputs& inputs, const std::optional<model::Schedule>& given,
                  const LoopSettings& settings, const Observation& observed, ProcessMeasurer& measurer) {
  if (!options.program.empty()) {
    settings.say("simulating");
    LoopResult result;
    result.outcome = outcome_of_program(inputs, options.program, !options.no_check, settings, observed);
    measurer.count(result.outcome.measurement);
    return result;
  }
  const bool observe = observed.data != nullptr || observed.options.dram_trace || observed.options.trace != nullptr;
  // One simulation is all there is, or the best one is made again.
  if (observe && settings.iterations == 0) measurer.observe(&observed);
  if (given) {
    try {
      return measure_given(inputs, *given, options.schedule, settings, measurer);
    } catch (const sim::NoProgressError& error) {
      throw model::ConfigError(options.schedule, "", error.what());
    }
  }
  LoopResult result = run_closed_loop(inputs, settings, measurer);
  if (observe && settings.iterations > 0) {
    settings.say("simulating the best schedule again");
    const model::Cycles cycles = result.outcome.measurement.cycles;
    result.outcome.measurement = measurer.measure_observed(result.outcome.schedule, observed);
    if (result.outcome.measurement.cycles != cycles) {
      throw model::InternalError("a schedule took " + std::to_string(cycles.value()) + " cycles, then " +
                                 std::to_string(result.outcome.measurement.cycles.value()));
    }
  }
  return result;
}

// Says on stderr which tensors have too few distinct values for their comparison to mean something.
void warn_of_few_values(const CommandContext& context, const DataReport& report) {
  for (const CheckedTensor& tensor : report.tensors) {
    if (tensor.distinct >= tensor.required) continue;
    context.log->warn("--verify: tensor {} has {} distinct values in {} elements, expected {}: its comparison is weak",
                      tensor.name, tensor.distinct, tensor.elements, tensor.required);
  }
}

void throw_mismatch(const DataReport& report) {
  if (report.mismatches == 0) return;
  std::string text = message_of(report.mismatched.front());
  const std::size_t more = report.mismatched.size() - 1;
  if (more > 0) text += "; " + std::to_string(more) + (more == 1 ? " more tensor differs" : " more tensors differ");
  throw model::MismatchError(text);
}

}  // namespace

void add_input_options(CLI::App& command, RunOptions& options) {
  command.add_option("--arch", options.arch, "architecture (accsim-arch/1)")->type_name("FILE");
  command.add_option("--net", options.net, "network (accsim-net/1, or ONNX: *.onnx)")->type_name("FILE");
  command.add_option("--batch", options.batch, "multiplies the first dimension of the network's inputs")
      ->check(CLI::Range(std::int64_t{1}, kLargestBatch))
      ->capture_default_str();
  add_network_options(command, options.network);
}

void add_search_options(CLI::App& command, RunOptions& options) {
  command.add_option("--strategy", options.strategy, "how schedules are searched")->capture_default_str();
  command.add_option("--objective", options.objective, "what is made small: edp, latency or energy")
      ->capture_default_str();
  command.add_option("--calibration", options.calibration, "start from the coefficients of this card")
      ->type_name("FILE");
  add_characterization_option(command, options);
}

void add_characterization_option(CLI::App& command, RunOptions& options) {
  command
      .add_option("--characterization", options.characterization,
                  "card of the architecture for dlfusion; else from the store, or measured at first")
      ->type_name("FILE");
}

void add_simulation_options(CLI::App& command, RunOptions& options) {
  command.add_option("--program-out", options.program_out, "save the program (accsim-program/1)")->type_name("FILE");
  command.add_option("--dram-trace", options.dram_trace, "save every DRAM request with its first cycle as CSV")
      ->type_name("FILE");
  command.add_option("--trace", options.trace, "save a timeline of engines and DRAM channels for ui.perfetto.dev")
      ->type_name("FILE");
  command.add_option("--csv", options.csv, "save the figures of every group as CSV")->type_name("FILE");
  command.add_flag("--where-time-goes", options.where_time_goes,
                   "all that engines waited for, bank conflicts, predicted and measured terms");
  command.add_flag("--verify", options.verify,
                   "execute the schedule on data and compare every activation with a reference executor");
  constexpr char kHidden[] = "";  // CLI11 hides the empty group
  command.add_option("--report", options.report)->group(kHidden);
}

void note_given(const CLI::App& command, RunOptions& options) {
  const auto given = [&](const char* name) {
    const CLI::Option* option = command.get_option_no_throw(name);
    return option != nullptr && option->count() > 0;
  };
  options.batch_given = given("--batch");
  options.strategy_given = given("--strategy");
  options.objective_given = given("--objective");
}

void check_run_options(const RunOptions& options, const CommandContext& context) {
  const auto refuse_if = [](bool asked, const char* name, const char* what) {
    if (asked) throw model::ConfigError(std::string(name) + ": this version cannot " + what);
  };
  refuse_if(!options.report.empty(), "--report", "write HTML reports");
  if (options.arch.empty()) throw model::ConfigError("--arch FILE is missing: the architecture");
  if (options.net.empty()) throw model::ConfigError("--net FILE is missing: the network");
  const bool loop = iterations_of(options.calibrate) > 0;
  if (!options.program.empty() && !(options.schedule.empty() && options.calibration.empty())) {
    throw model::ConfigError("--program gives what to run: neither --schedule nor --calibration goes with it");
  }
  if (options.no_check && options.program.empty()) {
    throw model::ConfigError("--no-check is for a program that --program gives");
  }
  if (!options.schedule.empty() && loop) {
    throw model::ConfigError("--calibrate searches schedules, --schedule gives one: only one of them");
  }
  if (!options.schedule.empty() && options.strategy_given) {
    throw model::ConfigError("--strategy searches a schedule, --schedule gives one: only one of them");
  }
  if (!options.calibration_out.empty() && !loop) {
    throw model::ConfigError("--calibration-out saves what --calibrate N finds: give both");
  }
  parse_objective(options.objective);
  sched::make_strategy(options.strategy);
  check_files(context,
              {{"--arch", options.arch},
               {"--net", options.net},
               {"--schedule", options.schedule},
               {"--program", options.program},
               {"--calibration", options.calibration},
               {"--characterization", options.characterization}},
              {{"--schedule-out", options.schedule_out},
               {"--program-out", options.program_out},
               {"--dram-trace", options.dram_trace},
               {"--trace", options.trace},
               {"--csv", options.csv},
               {"--calibration-out", options.calibration_out}});
}

int run_whole_loop(RunOptions options, const CommandContext& context) {
  check_run_options(options, context);
  Status status(context);
  std::optional<model::Schedule> given;
  if (!options.schedule.empty()) {
    given = read_schedule(options.schedule);
    if (!options.objective_given) options.objective = given->objective;
    if (!options.batch_given) options.batch = given->batch;
    if (options.batch != given->batch) {
      throw model::ConfigError(
          options.schedule, "batch",
          "found " + std::to_string(given->batch) + ", but --batch is " + std::to_string(options.batch));
    }
  }
  const Inputs inputs = load_inputs(options.arch, options.net, options.batch, network_file_options(options.network));
  if (const std::string warning = width_warning(inputs); !warning.empty()) context.log->warn(warning);
  const sched::CostCoefficients start =
      options.calibration.empty() ? sched::CostCoefficients() : coefficients_of_card(options.calibration, inputs);
  Store store(context.common.store, context.log);
  ProcessMeasurer measurer(inputs, context.common.seed, job_count(context.common), store);

  LoopSettings settings;
  settings.strategy = options.strategy;
  settings.objective = parse_objective(options.objective);
  settings.seed = context.common.seed;
  settings.iterations = iterations_of(options.calibrate);
  settings.start = start;
  settings.threads = job_count(context.common);
  settings.characterization =
      characterization_source(options.characterization, inputs, measurer, store, settings.threads,
                              [&](const std::string& what) { settings.say(what); });
  settings.say = [&](const std::string& what) {
    context.log->info("{}", what);
    status.say(what);
  };
  std::vector<sim::DramRequestRecord> trace;
  DataReport data;
  Observation observed;
  if (!options.dram_trace.empty()) {
    observed.options.dram_trace = [&trace](const sim::DramRequestRecord& record) { trace.push_back(record); };
  }
  std::optional<TraceFile> timeline;
  if (!options.trace.empty()) observed.options.trace = &timeline.emplace(options.trace, inputs);
  if (options.verify) {
    sim::FunctionalChip::sum_bits_of(inputs.arch);  // refuses before the search what cannot be verified
    observed.data = &data;
  }
  LoopResult loop = run_of(options, inputs, given, settings, observed, measurer);
  if (options.verify) loop.outcome.data = data;
  if (timeline) timeline->finish(loop.outcome.measurement);
  model::Json result = result_json(inputs, loop.outcome);
  result["host"] = run_host(context, loop.search_seconds, measurer.totals());
  status.say("writing");

  if (!options.schedule_out.empty())
    model::write_json_file(options.schedule_out, model::to_json(loop.outcome.schedule));
  if (!options.program_out.empty()) {
    const model::Program program = options.program.empty()
                                       ? program_of(inputs, loop.outcome.schedule, context.common.seed)
                                       : read_program(options.program);
    model::write_json_file(options.program_out, model::to_json(program));
  }
  if (!options.dram_trace.empty()) model::write_text_file(options.dram_trace, trace_text(trace));
  if (!options.csv.empty()) model::write_text_file(options.csv, layers_csv(inputs, loop.outcome));
  if (!options.calibration_out.empty()) model::write_json_file(options.calibration_out, loop.card);
  save_result(context, result);
  status.wipe();
  if (!context.common.quiet) {
    print_run(std::cout, result, options.where_time_goes);
    if (settings.iterations > 0) print_calibration(std::cout, result);
  }
  if (options.verify) {
    std::cout.flush();
    warn_of_few_values(context, data);
    throw_mismatch(data);
  }
  return kExitDone;
}

void register_run(CLI::App& root, Registry& registry) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command =
      root.add_subcommand(kDefaultCommand, "search a schedule, simulate it, show where time and energy went");
  add_input_options(*command, *options);
  add_search_options(*command, *options);
  command->add_option("--schedule", options->schedule, "run this schedule instead of searching one")->type_name("FILE");
  command->add_option("--calibrate", options->calibrate, "fit the cost model to N measurements in turn, or off")
      ->type_name("N|off")
      ->capture_default_str();
  command
      ->add_option("--calibration-out", options->calibration_out, "save the fitted coefficients (accsim-calibration/1)")
      ->type_name("FILE");
  command->add_option("--schedule-out", options->schedule_out, "save the schedule (accsim-schedule/1)")
      ->type_name("FILE");
  add_simulation_options(*command, *options);
  registry.add(command, [options, command](const CommandContext& context) {
    note_given(*command, *options);
    return run_whole_loop(*options, context);
  });
}

}  // namespace accsim::app
