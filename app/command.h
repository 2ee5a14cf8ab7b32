// The frame of the command line: common options, subcommands and exit codes.
// A subcommand is one pair of files app/cmd_<name>.{h,cpp} with a function register_<name>, and one line in the list in
// command.cpp. It adds a CLI11 subcommand with its own options to the root and hands its action to the registry.
// Common options hold before and after the subcommand's name. Without a name the command is "run".
//
//   void register_array(CLI::App& root, Registry& registry) {
//     auto options = std::make_shared<ArrayOptions>();
//     CLI::App* command = root.add_subcommand("array", "cycles of GEMM layers on one systolic array");
//     command->add_option("--rows", options->rows, "rows of processing elements")->required();
//     registry.add(command, [options](const CommandContext& context) { return run_array(*options, context); });
//   }
#pragma once
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace accsim::app {

// How the program ends. Libraries throw (model/base/error.h), run_program translates.
inline constexpr int kExitDone = 0;
inline constexpr int kExitUserError = 2;   // ConfigError, a wrong command line, not enough memory
inline constexpr int kExitInfeasible = 3;  // InfeasibleError
inline constexpr int kExitMismatch = 4;    // MismatchError
inline constexpr int kExitInternal = 70;   // InternalError and whatever else is thrown

inline constexpr char kDefaultCommand[] = "run";

struct CommonOptions {
  std::string out;                             // JSON result file; empty = none
  std::string store = ".accsim/store.sqlite";  // store of measurements; "off" = none
  std::uint64_t seed = 1;
  int jobs = 0;        // as given; 0 = all cores of the host, see job_count
  bool quiet = false;  // no table, no progress; errors and results only
  std::string log_level = "warn";
};

// Threads or worker processes to use: options.jobs, or the number of cores this process may run on.
int job_count(const CommonOptions& options);

struct CommandContext {
  CommonOptions common;
  std::shared_ptr<spdlog::logger> log;  // writes to stderr
};

// Returns the exit code; what goes wrong is thrown.
using Action = std::function<int(const CommandContext&)>;

class Registry {
 public:
  // `command` must be a subcommand of the root.
  void add(CLI::App* command, Action action);
  [[nodiscard]] const Action& action_of(const CLI::App* command) const;

 private:
  std::map<std::string, Action> actions_;
};

// Parses the command line, runs one command, reports errors as one line on stderr. Returns the exit code.
int run_program(int argc, const char* const* argv);

}  // namespace accsim::app
