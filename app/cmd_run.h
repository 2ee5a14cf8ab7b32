// The default command: the whole loop from an architecture and a network to simulated cycles and energy. `simulate` is
// the same with a saved schedule, and shares its options and its action.
#pragma once
#include <cstdint>
#include <string>

#include "app/command.h"
#include "app/network_options.h"

namespace accsim::app {

struct RunOptions {
  std::string arch;
  std::string net;
  std::string strategy = "joint";  // the strongest that there is
  std::string objective = "edp";
  std::int64_t batch = 1;
  NetworkOptions network;
  std::string calibrate = "off";
  std::string calibration;       // card to start from
  std::string characterization;  // card for strategies that need one
  std::string calibration_out;   // card to write
  std::string schedule;          // instead of a search
  std::string program;           // instead of a schedule
  bool no_check = false;         // of the program
  std::string schedule_out;
  std::string program_out;
  std::string dram_trace;
  std::string csv;
  std::string trace;
  bool where_time_goes = false;
  bool verify = false;
  // Of later versions: refused in one line each.
  std::string report;
  // Filled in by whoever parsed the command line: whether the user gave the option.
  bool batch_given = false;
  bool strategy_given = false;
  bool objective_given = false;
};

// --arch, --net, --batch, --dim, --precision, and with `search` what chooses a schedule. After parsing, note_given
// fills in what was given.
void add_input_options(CLI::App& command, RunOptions& options);
void add_search_options(CLI::App& command, RunOptions& options);
void add_characterization_option(CLI::App& command, RunOptions& options);
void add_simulation_options(CLI::App& command, RunOptions& options);
void note_given(const CLI::App& command, RunOptions& options);

// ConfigError in one line for what this version does not do and for options that exclude each other.
void check_run_options(const RunOptions& options, const CommandContext& context);

int run_whole_loop(RunOptions options, const CommandContext& context);

void register_run(CLI::App& root, Registry& registry);

}  // namespace accsim::app
