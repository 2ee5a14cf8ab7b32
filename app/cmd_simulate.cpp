#include "app/cmd_simulate.h"

#include <memory>

#include "app/cmd_run.h"
#include "model/base/error.h"

namespace accsim::app {

void register_simulate(CLI::App& root, Registry& registry) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = root.add_subcommand("simulate", "run a saved schedule or program on the simulator");
  add_input_options(*command, *options);
  command->add_option("--schedule", options->schedule, "the schedule (accsim-schedule/1)")->type_name("FILE");
  command->add_option("--program", options->program, "instead of a schedule: a program (accsim-program/1)")
      ->type_name("FILE");
  command->add_flag("--no-check", options->no_check, "run a program that the program verifier would refuse");
  command->add_option("--objective", options->objective, "named in the result; default: the schedule's");
  command->add_option("--calibration", options->calibration, "predict with the coefficients of this card")
      ->type_name("FILE");
  add_simulation_options(*command, *options);
  registry.add(command, [options, command](const CommandContext& context) {
    if (options->schedule.empty() && options->program.empty()) {
      throw model::ConfigError("--schedule FILE or --program FILE is missing: what to simulate");
    }
    note_given(*command, *options);
    return run_whole_loop(*options, context);
  });
}

}  // namespace accsim::app
