// One random case from end to end: a schedule by some strategy, both verifiers, execution on data, comparison with the
// reference executor.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/schedule/schedule.h"
#include "tests/support/random_case.h"

namespace accsim::tests {

// Any valid mapping that fits, see random_schedule.h; the registered strategies go by their own names.
inline constexpr char kRandomStrategy[] = "random";
inline constexpr char kRandomFusion[] = "random_fusion";  // with groups of several operators

struct CaseResult {
  enum class Kind : std::uint8_t {
    equal,
    infeasible,   // nothing fits the scratchpads
    unsupported,  // lowering refuses the element type, or the network needs more axes than a copy has
    failed
  };
  Kind kind = Kind::equal;
  std::string message;                      // of what is not equal
  std::optional<model::Schedule> schedule;  // where there is one
  std::vector<model::OpType> operators;     // that were executed
  std::int64_t elements = 0;                // compared
  std::int64_t tensors = 0;                 // compared
  std::int64_t weak = 0;                    // of them with fewer distinct values than they should have
  std::int64_t cycles = 0;
};

// Verifiers, data and reference use seed 1, as the program does where nothing else is said.
CaseResult check_case(const RandomCase& random_case, const std::string& strategy);

// A smaller case that fails in the same way: layers, cores and other parts left out one by one.
RandomCase shrink(const RandomCase& failing, const std::string& strategy);

// arch.json, net.json and, for the random strategy, schedule.json in `folder`, which is made; returns the command that
// repeats the failure.
std::string save_case(const std::filesystem::path& folder, const RandomCase& random_case, const CaseResult& result);

// What to print about a failing case: the message, the JSON files, the command.
std::string describe_case(const RandomCase& random_case, const CaseResult& result);

// Counts of many cases.
struct CaseTally {
  std::int64_t cases = 0;
  std::map<CaseResult::Kind, std::int64_t> kinds;
  std::map<model::OpType, std::int64_t> operators;  // executed and equal
  std::map<std::string, std::int64_t> precisions;   // of the equal ones
  std::int64_t elements = 0;
  std::int64_t tensors = 0;
  std::int64_t weak = 0;
  void add(const RandomCase& random_case, const CaseResult& result);
  [[nodiscard]] std::string text() const;
};

}  // namespace accsim::tests
