#include "app/cmd_bench.h"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/files.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/point.h"
#include "app/table.h"
#include "app/worker_pool.h"
#include "model/base/error.h"
#include "model/config/record.h"

namespace accsim::app {
namespace {

constexpr std::int64_t kNoGolden = -1;
constexpr char kSchema[] = "accsim-bench/1";

struct BenchCase {
  std::string name;
  std::string arch;  // relative to the data folder
  std::string net;
  std::string strategy;
  std::string objective;
  std::int64_t cycles = kNoGolden;
  std::int64_t energy_fj = kNoGolden;
};

struct Suite {
  std::string schema;
  std::vector<BenchCase> cases;
};

struct CaseResult {
  std::int64_t cycles = 0;
  std::int64_t energy_fj = 0;
  double search_seconds = 0;
  double simulation_seconds = 0;
};

struct BenchOptions {
  std::string suite;
  bool update = false;
};

model::Record<Suite> suite_record() {
  constexpr std::size_t kMostCases = 1000;
  model::Record<BenchCase> bench_case("case", "one run and its goldens");
  const model::IntegerRange golden{kNoGolden};
  bench_case.text("name", &BenchCase::name, {}, "names the case in tables")
      .text("arch", &BenchCase::arch, {}, "architecture file, relative to the data folder")
      .text("net", &BenchCase::net, {}, "network file, relative to the data folder")
      .text("strategy", &BenchCase::strategy, {}, "search strategy")
      .text("objective", &BenchCase::objective, "edp", "what is made small")
      .integer("cycles", &BenchCase::cycles, golden, kNoGolden, "golden core cycles; -1 = none yet")
      .integer("energy_fj", &BenchCase::energy_fj, golden, kNoGolden, "golden energy in femtojoules; -1 = none yet");
  model::Record<Suite> suite("suite", "runs held against goldens");
  suite.text("schema", &Suite::schema, {}, kSchema)
      .list("cases", &Suite::cases, std::move(bench_case), 1, kMostCases, "in the order of the table");
  return suite;
}

Suite read_suite(const std::string& file) {
  const model::Json json = model::read_json_file(file);
  model::require_schema(json, kSchema, file);
  return suite_record().parse(json, {file, ""});
}

// CPU seconds of a fixed piece of integer work on this machine: what times are given relative to.
double calibration_loop_seconds() {
  constexpr int kRepeats = 3;
  constexpr std::uint64_t kSteps = std::uint64_t{1} << 27U;
  double best = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const double start = process_cpu_seconds();
    std::uint64_t state = 1;  // xorshift: each step needs the one before
    for (std::uint64_t i = 0; i < kSteps; ++i) {
      state ^= state << 13U;
      state ^= state >> 7U;
      state ^= state << 17U;
    }
    volatile std::uint64_t sink = state;
    (void)sink;
    const double seconds = process_cpu_seconds() - start;
    best = repeat == 0 ? seconds : std::min(best, seconds);
  }
  return best;
}

std::vector<CaseResult> run_cases(const Suite& suite, const CommandContext& context) {
  const std::filesystem::path folder = model::data_folder();
  std::vector<NetFile> nets;
  for (const BenchCase& bench_case : suite.cases) {
    const std::string file = (folder / bench_case.net).string();
    nets.push_back({file, model::read_network_json(file)});
  }
  const auto make_point = [&](std::size_t i) {
    const BenchCase& bench_case = suite.cases[i];
    Point point;
    point.arch_file = (folder / bench_case.arch).string();
    point.arch = model::read_json_file(point.arch_file);
    point.net = i;
    point.strategy = bench_case.strategy;
    point.objective = bench_case.objective;
    return point;
  };
  std::vector<CaseResult> results(suite.cases.size());
  std::vector<model::Json> errors(suite.cases.size());
  std::int64_t finished = 0;
  Progress progress(context, "bench", static_cast<std::int64_t>(suite.cases.size()));
  run_points(suite.cases.size(), make_point, nets, context.common.seed, job_count(context.common), context.common.store,
             [&](std::size_t i, const model::Json& reply) {
               progress.advance_to(++finished);
               if (reply.contains("error")) {
                 errors[i] = reply.at("error");
                 return;
               }
               const model::Json& answer = reply.at("reply");
               results[i] = {answer.at("result").at("cycles"), answer.at("energy_fj"), answer.at("search_seconds"),
                             answer.at("simulation_seconds")};
             });
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (!errors[i].is_null()) throw_reply_error(errors[i], "case " + suite.cases[i].name + ": ");
  }
  return results;
}

bool equals_golden(const BenchCase& golden, const CaseResult& result) {
  return golden.cycles == result.cycles && golden.energy_fj == result.energy_fj;
}

model::Json bench_json(const std::string& file, const Suite& suite, const std::vector<CaseResult>& results,
                       double loop_seconds, const CommandContext& context) {
  constexpr double kFemtoPerPico = 1000.0;
  model::Json cases = model::Json::array();
  model::Json times = model::Json::array();
  std::int64_t different = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const BenchCase& golden = suite.cases[i];
    const auto golden_or_null = [](std::int64_t value, double scale) {
      return value == kNoGolden ? model::Json() : model::Json(static_cast<double>(value) / scale);
    };
    const bool equal = equals_golden(golden, results[i]);
    different += equal ? 0 : 1;
    cases.push_back({{"name", golden.name},
                     {"arch", golden.arch},
                     {"net", golden.net},
                     {"strategy", golden.strategy},
                     {"objective", golden.objective},
                     {"cycles", results[i].cycles},
                     {"golden_cycles", golden.cycles == kNoGolden ? model::Json() : model::Json(golden.cycles)},
                     {"energy_pj", static_cast<double>(results[i].energy_fj) / kFemtoPerPico},
                     {"golden_energy_pj", golden_or_null(golden.energy_fj, kFemtoPerPico)},
                     {"equal", equal}});
    const double seconds = results[i].search_seconds + results[i].simulation_seconds;
    times.push_back({{"name", golden.name},
                     {"search_seconds", results[i].search_seconds},
                     {"simulation_seconds", results[i].simulation_seconds},
                     {"seconds", seconds},
                     {"ratio", loop_seconds > 0 ? seconds / loop_seconds : 0.0}});
  }
  model::Json host = host_object(context);
  host["calibration_loop_seconds"] = loop_seconds;
  host["cases"] = std::move(times);
  return {{"schema", "accsim-bench-result/1"}, {"suite", file},
          {"seed", context.common.seed},       {"different", different},
          {"cases", std::move(cases)},         {"host", std::move(host)}};
}

// `updated`: the goldens are now what was measured.
void print_bench(std::ostream& out, const model::Json& result, bool updated) {
  Table table;
  table.column("case", Table::Align::left);
  table.column("cycles");
  table.column("golden");
  table.column("energy pJ");
  table.column("golden");
  table.column("equal");
  table.column("CPU s");
  table.column("ratio");
  const auto cell = [](const model::Json& value) {
    if (value.is_null()) return std::string("none");
    return value.is_number_integer() ? grouped(value.get<std::int64_t>()) : fixed(value.get<double>(), 3);
  };
  constexpr int kDecimals = 2;
  for (std::size_t i = 0; i < result.at("cases").size(); ++i) {
    const model::Json& row = result.at("cases")[i];
    const model::Json& time = result.at("host").at("cases")[i];
    table.row({row.at("name").get<std::string>(), cell(row.at("cycles")), cell(row.at("golden_cycles")),
               cell(row.at("energy_pj")), cell(row.at("golden_energy_pj")),
               row.at("equal").get<bool>() ? "yes"
               : updated                   ? "updated"
                                           : "NO",
               fixed(time.at("seconds"), kDecimals), fixed(time.at("ratio"), kDecimals)});
  }
  table.print(out);
  out << "\nratio: CPU seconds of search and simulation over those of a fixed loop ("
      << fixed(result.at("host").at("calibration_loop_seconds"), 3) << " s here)\n";
}

int run_bench(const BenchOptions& options, const CommandContext& context) {
  const std::string file =
      options.suite.empty() ? (model::data_folder() / "tests" / "golden" / "bench.json").string() : options.suite;
  const NamedFile suite_file{"--suite", file};
  if (options.update) {
    check_files(context, {}, {suite_file});
  } else {
    check_files(context, {suite_file});
  }
  Suite suite = read_suite(file);
  const std::vector<CaseResult> results = run_cases(suite, context);
  const model::Json result = bench_json(file, suite, results, calibration_loop_seconds(), context);
  if (options.update) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      suite.cases[i].cycles = results[i].cycles;
      suite.cases[i].energy_fj = results[i].energy_fj;
    }
    model::write_json_file(file, suite_record().dump(suite));
  }
  save_result(context, result);
  if (!context.common.quiet) {
    print_bench(std::cout, result, options.update);
    if (options.update) std::cout << "written to " << file << '\n';
  }
  if (options.update || result.at("different") == 0) return kExitDone;
  std::string names;
  for (const auto& row : result.at("cases")) {
    if (!row.at("equal").get<bool>()) names += (names.empty() ? "" : ", ") + row.at("name").get<std::string>();
  }
  throw model::MismatchError(std::to_string(result.at("different").get<std::int64_t>()) + " of " +
                             std::to_string(results.size()) + " cases differ from their goldens: " + names);
}

}  // namespace

void register_bench(CLI::App& root, Registry& registry) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = root.add_subcommand("bench", "run a suite and hold cycles and energy against its goldens");
  command->add_option("--suite", options->suite, "suite file (accsim-bench/1); default: the one that ships")
      ->type_name("FILE");
  command->add_flag("--update", options->update, "write what was measured into the suite file as its goldens");
  registry.add(command, [options](const CommandContext& context) { return run_bench(*options, context); });
}

}  // namespace accsim::app
