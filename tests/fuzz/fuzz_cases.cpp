// Random networks on random architectures, executed on data, until the time is up. Failing cases are left as JSON
// files.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "sched/strategy/strategy.h"
#include "tests/support/case_check.h"

namespace {

using namespace accsim;
using namespace accsim::tests;

constexpr int kExitUsage = 2;
constexpr int kExitFound = 4;

struct Options {
  std::uint64_t seed = 1;
  double seconds = 60;
  std::uint64_t cases = 0;  // at most; 0: as many as there is time for
  std::filesystem::path findings = "findings";
};

bool parse(int argc, char* argv[], Options& options) {
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc) return false;
    const char* value = argv[i + 1];
    char* end = nullptr;
    if (name == "--seed") {
      options.seed = std::strtoull(value, &end, 10);
    } else if (name == "--seconds") {
      options.seconds = std::strtod(value, &end);
    } else if (name == "--cases") {
      options.cases = std::strtoull(value, &end, 10);
    } else if (name == "--findings") {
      options.findings = value;
      continue;
    } else {
      return false;
    }
    if (end == value || *end != '\0') return false;
  }
  return true;
}

}  // namespace

extern "C" int sc_main(int, char*[]) { return 0; }

int main(int argc, char* argv[]) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::cerr << "Usage: fuzz_cases [--seed N] [--seconds S] [--cases N] [--findings DIR]\n";
    return kExitUsage;
  }
  // A random schedule for each case with and without fused groups, every searching strategy in turn.
  const std::vector<std::string> searching = sched::strategy_names();
  const auto start = std::chrono::steady_clock::now();
  std::map<std::string, CaseTally> tallies;
  std::int64_t failures = 0;
  for (std::uint64_t i = 0; options.cases == 0 || i < options.cases; ++i) {
    if (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() >= options.seconds) break;
    const RandomCase made = random_case(options.seed + i);
    constexpr std::uint64_t kSearchEvery = 8;
    std::vector<std::string> strategies{kRandomStrategy, kRandomFusion};
    if (i % kSearchEvery == 0) strategies.push_back(searching[i / kSearchEvery % searching.size()]);
    for (const std::string& strategy : strategies) {
      const CaseResult result = check_case(made, strategy);
      tallies[strategy].add(made, result);
      if (result.kind != CaseResult::Kind::failed) continue;
      ++failures;
      const RandomCase small = shrink(made, strategy);
      const CaseResult again = check_case(small, strategy);
      const std::filesystem::path folder = options.findings / ("case-" + std::to_string(made.seed) + "-" + strategy);
      const std::string command = save_case(folder, small, again);
      std::cout << "case " << made.seed << " (" << strategy << "): " << again.message << "\n  in " << folder.string()
                << ": " << command << std::endl;
    }
  }
  for (const auto& [strategy, tally] : tallies) std::cout << strategy << ": " << tally.text() << "\n";
  return failures > 0 ? kExitFound : 0;
}
