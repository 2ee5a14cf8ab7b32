// A program executed on data, as a test sees it: every activation equals the reference executor's, or one differs, or
// the run got stuck, or the simulator refused to go on.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "app/data_check.h"
#include "model/arch/arch.h"
#include "model/program/program.h"
#include "model/workload/network.h"

namespace accsim::tests {

enum class Verdict : std::uint8_t { equal, mismatch, no_progress, stopped };

struct Execution {
  Verdict verdict = Verdict::equal;
  std::string message;  // of what is not equal
  std::int64_t cycles = 0;
  std::int64_t elements = 0;  // compared
  std::int64_t tensors = 0;   // compared
  std::int64_t weak = 0;      // of them with fewer distinct values than they should have
};

// What the program verifier has against it: "kind: message".
std::optional<std::string> violation_of(const model::Architecture& arch, const model::Program& program);

// Simulates on data without asking the verifiers.
Execution execute(const model::Network& network, const model::Architecture& arch, const model::Program& program,
                  std::uint64_t seed);

}  // namespace accsim::tests
