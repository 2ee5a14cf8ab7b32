// Random networks with random schedules, executed on data in the timed simulation: every activation equals the
// reference executor's. Timing is the same without data. Mistakes show: a tile that is taken from elsewhere, rows that
// are swapped.
#include <string>
#include <vector>

#include "app/data_check.h"
#include "sched/lower/lower.h"
#include "sim/system/simulate.h"
#include "tests/catch.h"
#include "tests/support/random_operators.h"

namespace {

using namespace accsim;
using namespace accsim::tests;

model::Architecture any_architecture(Random& random) {
  model::Architecture arch = small_architecture(random.range(1, 3), random.range(24, 40), random.range(6, 10));
  model::CoreConfig& core = arch.core_types.front();
  core.array.dataflow = std::vector<model::Dataflow>{
      model::Dataflow::weight_stationary, model::Dataflow::output_stationary, model::Dataflow::input_stationary,
      model::Dataflow::vector_mac}[static_cast<std::size_t>(random.range(0, 3))];
  core.array.accumulator_type =
      std::vector<model::DataType>{model::DataType::int32, model::DataType::int16, model::DataType::int64,
                                   model::DataType::fp32}[static_cast<std::size_t>(random.range(0, 3))];
  return arch;
}

struct Executed {
  model::Measurement measurement;
  app::DataReport report;
};

Executed execute(const model::Network& network, const model::Architecture& arch, const model::Program& program,
                 std::uint64_t seed, bool data = true) {
  app::DataCheck check(network, arch, program.header, app::last_readers(program), seed);
  model::StoredProgram source(program);
  sim::SimulationOptions options;
  if (data) options.data = &check.chip();
  Executed executed;
  executed.measurement = sim::simulate(arch, source, options);
  executed.measurement.simulation_seconds = 0;
  if (data) executed.report = check.finish();
  return executed;
}

// "" or what is wrong.
std::string difference(const model::Network& network, const model::Architecture& arch, std::uint64_t seed) {
  Random random(seed);
  const model::Schedule schedule = random_schedule(network, arch, random);
  const std::unique_ptr<model::ProgramSource> source = sched::lower(schedule, network, arch, seed);
  const model::Program program = model::collect(*source);
  const Executed with_data = execute(network, arch, program, seed);
  const app::DataReport& report = with_data.report;
  if (report.mismatches != 0) return app::message_of(report.mismatched.front());
  std::size_t activations = 0;
  for (const model::Tensor& tensor : network.tensors) {
    activations += tensor.kind == model::TensorKind::activation && tensor.storage == tensor.id ? 1 : 0;
  }
  if (report.tensors.size() != activations) return "not every activation was compared";
  const Executed without = execute(network, arch, program, seed, false);
  if (model::to_json(with_data.measurement) != model::to_json(without.measurement)) return "the timing changed";
  return "";
}

void check_many(int cases, model::Network (*make)(Random&)) {
  for (int i = 0; i < cases; ++i) {
    const auto seed = static_cast<std::uint64_t>(i) + 1;
    Random random(seed);
    const model::Network network = make(random);
    const model::Architecture arch = any_architecture(random);
    INFO("case " << i << ": " << model::name_of(network.operators.front().type));
    REQUIRE(difference(network, arch, seed) == "");
  }
}

}  // namespace

TEST_CASE("random operators executed on data equal the reference executor") {
  check_many(60, any_conv);
  check_many(40, any_gemm);
  check_many(40, any_matmul);
  check_many(60, any_pool);
  check_many(50, any_elementwise);
  check_many(50, any_normalization);
  check_many(30, any_transpose);
  check_many(30, any_concat);
  check_many(40, any_gather);
}

TEST_CASE("random networks executed on data equal the reference executor") { check_many(25, any_chain); }

TEST_CASE("wrong copies and passes of a valid program show as mismatches") {
  int shown = 0;
  int tried = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    const model::Network network = any_chain(random);
    const model::Architecture arch = small_architecture(2, 32, 8);
    const model::Schedule schedule = random_schedule(network, arch, random);
    const std::unique_ptr<model::ProgramSource> source = sched::lower(schedule, network, arch, seed);
    model::Program program = model::collect(*source);
    // One load of an activation takes its bytes from one element further on, or one pass its input.
    std::vector<model::Instruction*> candidates;
    for (model::GroupProgram& group : program.groups) {
      for (model::CoreProgram& core : group.cores) {
        for (model::Instruction& pass : core.queue(model::Queue::array)) {
          if (std::get<model::ArrayPass>(pass.op).input.axes.size() > 1) candidates.push_back(&pass);
        }
      }
    }
    auto& pass = std::get<model::ArrayPass>(
        candidates[static_cast<std::size_t>(random.range(0, static_cast<std::int64_t>(candidates.size()) - 1))]->op);
    model::TileAxis& axis = pass.input.axes.back();
    if (axis.count < 2) continue;
    axis.offset += axis.step;
    ++tried;
    const app::DataReport report = execute(network, arch, program, seed).report;
    if (report.mismatches == 0) continue;
    ++shown;
    const app::Mismatch& first = report.mismatched.front();
    CHECK(first.found.has_value());
    CHECK(first.expected != *first.found);
    REQUIRE(first.writer.has_value());
    CHECK(first.writer->queue == model::Queue::store);
  }
  CHECK(tried > 20);
  CHECK(shown == tried);
}

TEST_CASE("a network output that no group stores is a mismatch") {
  Random random(1);
  const model::Network network = any_gemm(random);
  const model::Architecture arch = small_architecture(2, 32, 8);
  const model::Schedule schedule = random_schedule(network, arch, random);
  const std::unique_ptr<model::ProgramSource> source = sched::lower(schedule, network, arch, 1);
  model::Program program = model::collect(*source);
  program.groups.back().live_out.clear();
  const app::DataReport report = execute(network, arch, program, 1).report;
  REQUIRE(report.mismatched.size() == 1);
  CHECK(report.mismatches == model::element_count(network.tensor(network.outputs.front()).shape));
  CHECK(app::message_of(report.mismatched.front()) == "tensor " + network.tensor(network.outputs.front()).name +
                                                          " is a network output that no group leaves in memory");
}
