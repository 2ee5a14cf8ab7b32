#include "tests/support/execution.h"

#include <utility>

#include "model/base/error.h"
#include "model/program/verify.h"
#include "sim/system/simulate.h"

namespace accsim::tests {

namespace {

// Hands over groups of a program that somebody else holds.
class BorrowedProgram : public model::ProgramSource {
 public:
  explicit BorrowedProgram(const model::Program& program) : program_(program) {}
  [[nodiscard]] const model::ProgramHeader& header() const override { return program_.header; }
  std::optional<model::GroupProgram> next() override {
    if (next_ == program_.groups.size()) return std::nullopt;
    return program_.groups[next_++];
  }

 private:
  const model::Program& program_;
  std::size_t next_ = 0;
};

}  // namespace

std::optional<std::string> violation_of(const model::Architecture& arch, const model::Program& program) {
  BorrowedProgram source(program);
  const auto violation = model::verify_program(arch, source);
  if (!violation) return std::nullopt;
  return violation->kind + ": group " + std::to_string(violation->group.value()) + ": " + violation->message;
}

Execution execute(const model::Network& network, const model::Architecture& arch, const model::Program& program,
                  std::uint64_t seed) {
  Execution execution;
  BorrowedProgram source(program);
  try {
    app::require_tensors(network, program.header, "program");
    app::DataCheck check(network, arch, program.header, app::last_readers(program), seed);
    sim::SimulationOptions options;
    options.data = &check.chip();
    execution.cycles = sim::simulate(arch, source, options).cycles.value();
    const app::DataReport report = check.finish();
    execution.elements = report.elements;
    for (const app::CheckedTensor& tensor : report.tensors) {
      ++execution.tensors;
      if (tensor.distinct < tensor.required) ++execution.weak;
    }
    if (report.mismatches > 0) {
      execution.verdict = Verdict::mismatch;
      execution.message = app::message_of(report.mismatched.front());
    }
  } catch (const sim::NoProgressError& error) {
    execution.verdict = Verdict::no_progress;
    execution.message = error.what();
  } catch (const model::InternalError& error) {
    execution.verdict = Verdict::stopped;
    execution.message = error.what();
  } catch (const model::ConfigError& error) {
    execution.verdict = Verdict::stopped;
    execution.message = error.what();
  }
  return execution;
}

}  // namespace accsim::tests
