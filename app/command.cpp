#include "app/command.h"

#include <sched.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <limits>
#include <new>
#include <string_view>
#include <vector>

#include "app/cmd_array.h"
#include "app/cmd_bench.h"
#include "app/cmd_characterize.h"
#include "app/cmd_check.h"
#include "app/cmd_compare_strategies.h"
#include "app/cmd_convert.h"
#include "app/cmd_dram.h"
#include "app/cmd_map.h"
#include "app/cmd_noc.h"
#include "app/cmd_pairs.h"
#include "app/cmd_run.h"
#include "app/cmd_search.h"
#include "app/cmd_simulate.h"
#include "app/cmd_sweep.h"
#include "app/version.h"
#include "app/worker.h"
#include "app/worker_pool.h"
#include "model/base/error.h"

namespace accsim::app {
namespace {

constexpr std::array<std::string_view, 7> kLogLevels{"trace", "debug", "info", "warn", "error", "critical", "off"};

// Every command of the program, in the order of the help text.
void register_commands(CLI::App& root, Registry& registry) {
  register_run(root, registry);
  register_check(root, registry);
  register_search(root, registry);
  register_simulate(root, registry);
  register_compare_strategies(root, registry);
  register_characterize(root, registry);
  register_pairs(root, registry);
  register_sweep(root, registry);
  register_bench(root, registry);
  register_convert(root, registry);
  register_map(root, registry);
  register_array(root, registry);
  register_dram(root, registry);
  register_noc(root, registry);
}

// Help of the root: how to leave out the command, the default command's options, the common ones, the commands.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string name) const override {
    if (app->get_parent() == nullptr) {
      return "Usage: accsim --arch FILE --net FILE [options]\n       accsim COMMAND [options]\n";
    }
    if (app->get_name() == kDefaultCommand) return "\nUsage: accsim --arch FILE --net FILE [options]\n";
    return "\n" + CLI::Formatter::make_usage(app, std::move(name));
  }

  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    if (app->get_parent() != nullptr) return CLI::Formatter::make_help(app, std::move(name), mode);
    const CLI::App* run = app->get_subcommand_ptr(kDefaultCommand).get();
    return make_description(app) + make_usage(app, std::move(name)) + make_groups(run, CLI::AppFormatMode::Sub) +
           make_groups(app, mode) + make_subcommands(app, mode);
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text;
    if (option->get_type_size() != 0) {
      text = " " + option->get_type_name();
      if (!option->get_default_str().empty()) text += " [" + option->get_default_str() + "]";
    }
    if (option->get_required()) text += " (required)";
    return text;
  }
};

// Accepts a whole number in plain digits; checked on the text, before any conversion could wrap it round.
std::function<std::string(const std::string&)> whole_number(std::uint64_t most) {
  return [most](const std::string& text) -> std::string {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size() && value <= most) return "";
    return "expected an integer from 0 to " + std::to_string(most) + ", found \"" + text + "\"";
  };
}

void add_common_options(CLI::App& root, CommonOptions& common) {
  constexpr char kGroup[] = "Common options (before or after the command's name)";
  constexpr std::uint64_t kMostJobs = 1024;
  root.get_help_ptr()->group(kGroup);
  root.get_option("--version")->group(kGroup);
  root.add_option("--out", common.out, "write the result as JSON to this file")->type_name("FILE")->group(kGroup);
  root.add_option("--store", common.store, "SQLite store of measurements, or off")
      ->type_name("FILE")
      ->capture_default_str()
      ->group(kGroup);
  root.add_option("--seed", common.seed, "seed of everything random")
      ->check(whole_number(std::numeric_limits<std::uint64_t>::max()))
      ->type_name("N")
      ->capture_default_str()
      ->group(kGroup);
  root.add_option("--jobs", common.jobs, "threads and worker processes; 0 = all cores")
      ->check(whole_number(kMostJobs))
      ->type_name("N")
      ->capture_default_str()
      ->group(kGroup);
  root.add_flag("--quiet", common.quiet, "no table and no progress")->group(kGroup);
  root.add_option("--log-level", common.log_level, "what to log on stderr")
      ->check(CLI::IsMember(std::vector<std::string>(kLogLevels.begin(), kLogLevels.end())))
      ->type_name("LEVEL")
      ->capture_default_str()
      ->group(kGroup);
}

bool is_option(std::string_view argument) { return argument.size() > 1 && argument.front() == '-'; }

std::string option_name(std::string_view argument) { return std::string(argument.substr(0, argument.find('='))); }

std::vector<std::string> command_names(const CLI::App& root) {
  std::vector<std::string> names;
  for (const CLI::App* command : root.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

// Inserts the default command's name in front of the first argument that the root does not know, where that is
// an option; a word there must be the name of a command.
void name_the_command(const CLI::App& root, std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (!is_option(arguments[i])) {
      const std::vector<std::string> names = command_names(root);
      if (std::find(names.begin(), names.end(), arguments[i]) != names.end()) return;
      throw model::ConfigError("unknown command \"" + arguments[i] + "\"" + model::did_you_mean(arguments[i], names) +
                               " (see accsim --help)");
    }
    const CLI::Option* common = root.get_option_no_throw(option_name(arguments[i]));
    if (common == nullptr) {
      arguments.insert(arguments.begin() + static_cast<std::ptrdiff_t>(i), kDefaultCommand);
      return;
    }
    const bool takes_next = common->get_expected_min() > 0 && arguments[i].find('=') == std::string::npos;
    if (takes_next) ++i;
  }
}

// "; did you mean \"--seed\"?", compared without the dashes.
std::string nearest_option(const std::string& unknown, const CLI::App& root, const CLI::App* command) {
  std::vector<std::string> names;
  for (const CLI::App* app : {command, &root}) {
    if (app == nullptr) continue;
    for (const CLI::Option* option : app->get_options()) {
      names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
    }
  }
  std::string hint =
      model::did_you_mean(unknown.substr(std::min(unknown.find_first_not_of('-'), unknown.size())), names);
  if (!hint.empty()) hint.insert(hint.find('"') + 1, "--");
  return hint;
}

// The parser's error as the one line that the user gets. A word that nobody expected comes first: what else is
// said to be missing is often just misspelt.
model::ConfigError as_config_error(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App* command = root.get_subcommands().empty() ? nullptr : root.get_subcommands().front();
  const std::string name =
      command == nullptr || command->get_name() == kDefaultCommand ? "" : " " + command->get_name();
  const std::string see = " (see accsim" + name + " --help)";
  const std::vector<std::string> left_over = root.remaining(true);
  const std::vector<std::string> commands = command_names(root);
  for (const std::string& word : left_over) {
    if (name.empty() && std::find(commands.begin(), commands.end(), word) != commands.end()) {
      return model::ConfigError("the command \"" + word + "\" has to come before its options" + see);
    }
  }
  for (const std::string& word : left_over) {
    if (!is_option(word)) continue;
    const std::string unknown = option_name(word);
    return model::ConfigError("unknown option \"" + unknown + "\"" + nearest_option(unknown, root, command) + see);
  }
  if (!left_over.empty()) return model::ConfigError("unexpected argument \"" + left_over.front() + "\"" + see);
  std::string text = error.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const std::string option = text.substr(0, text.find(':'));
    if (text.find("missing") != std::string::npos) text = option + ": its value is missing";
    if (text.find("At Most 1") != std::string::npos) text = option + ": given more than once";
  }
  return model::ConfigError(text + see);
}

std::shared_ptr<spdlog::logger> make_logger(const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>("accsim", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern("accsim: %^%l%$: %v");
  logger->set_level(spdlog::level::from_str(level));
  return logger;
}

int parse_and_run(int argc, const char* const* argv) {
  CLI::App root{"Finds the best schedule of a neural network on a multi-core accelerator and simulates it.", "accsim"};
  root.formatter(std::make_shared<HelpFormatter>());
  root.set_version_flag("--version", std::string("accsim ") + kVersion + " (" + kGitCommit + ")");
  root.set_help_flag("--help", "print this help");
  root.fallthrough();  // inherited by the commands: a common option may follow the command's name
  root.require_subcommand(0, 1);

  CommandContext context;
  Registry registry;
  add_common_options(root, context.common);
  register_commands(root, registry);
  for (CLI::App* command : root.get_subcommands([](const CLI::App*) { return true; })) {
    command->footer("Common options, such as --out FILE and --jobs N: see accsim --help");
    if (command->get_name() == kDefaultCommand) command->group("");  // its options stand in the root's help
  }

  std::vector<std::string> arguments(argv + 1, argv + argc);
  name_the_command(root, arguments);
  std::reverse(arguments.begin(), arguments.end());  // the parser takes them from the back
  try {
    root.parse(arguments);
  } catch (const CLI::Success& success) {
    return root.exit(success);  // --help, --version
  } catch (const CLI::ParseError& error) {
    throw as_config_error(root, error);
  }
  if (root.get_subcommands().empty()) {
    throw model::ConfigError("nothing to do: give --arch FILE and --net FILE, or a command (see accsim --help)");
  }
  context.log = make_logger(context.common.log_level);
  const int code = registry.action_of(root.get_subcommands().front())(context);
  if (!std::cout.flush()) throw model::ConfigError("standard output cannot be written");
  return code;
}

int report(int code, std::string_view kind, std::string_view message) {
  std::string line = "accsim: " + std::string(kind) + ": " + std::string(message);
  // One line; lists go on in lines that begin with two blanks.
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\n' && line.compare(i + 1, 2, "  ") != 0) line[i] = ' ';
  }
  std::cout.flush();
  std::cerr << line << '\n';
  return code;
}

}  // namespace

int job_count(const CommonOptions& options) {
  if (options.jobs > 0) return options.jobs;
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  return std::max(1, CPU_COUNT(&allowed));
}

void Registry::add(CLI::App* command, Action action) {
  if (command == nullptr || !action || !actions_.emplace(command->get_name(), std::move(action)).second) {
    throw model::InternalError("a command was registered twice or without an action");
  }
}

const Action& Registry::action_of(const CLI::App* command) const {
  const auto it = actions_.find(command->get_name());
  if (it == actions_.end()) throw model::InternalError("command " + command->get_name() + " has no action");
  return it->second;
}

int run_program(int argc, const char* const* argv) {
  try {
    if (argc > 1 && std::string_view(argv[1]) == kWorkerOption) return run_worker();  // before any thread exists
    return parse_and_run(argc, argv);
  } catch (const model::ConfigError& error) {
    return report(kExitUserError, "error", error.what());
  } catch (const model::InfeasibleError& error) {
    return report(kExitInfeasible, "infeasible", error.what());
  } catch (const model::MismatchError& error) {
    return report(kExitMismatch, "mismatch", error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    return report(kExitUserError, "error", error.what());
  } catch (const std::bad_alloc&) {
    return report(kExitUserError, "error", "not enough memory");
  } catch (const std::exception& error) {
    return report(kExitInternal, "internal error (a bug in accsim)", error.what());
  } catch (...) {
    return report(kExitInternal, "internal error (a bug in accsim)", "an unknown exception");
  }
}

}  // namespace accsim::app
