// Lowered programs compute what the network says: random operators with random tiles, loop orders and buffers run on
// values in a random order that the semaphores allow, and every activation equals a plain loop over the shapes. Also:
// every byte of a result is stored exactly once, no order of the queues gets stuck, and the program verifier finds
// nothing.
#include <string>

#include "model/program/verify.h"
#include "sched/lower/lower.h"
#include "tests/catch.h"
#include "tests/property/reference_values.h"
#include "tests/property/value_machine.h"
#include "tests/support/random_operators.h"

namespace {

using namespace accsim;
using namespace accsim::tests;

// Runs the network with a random schedule and compares every activation. Returns "" or what is wrong.
std::string difference(const model::Network& network, const model::Architecture& arch, std::uint64_t seed,
                       int splits = 40, int* multicasts = nullptr) {
  Random random(seed);
  constexpr int kFine = 60;
  const model::Schedule schedule = random_schedule(network, arch, random, kFine, splits);
  for (const model::Group& group : schedule.groups)
    for (const model::OperatorMapping& mapping : group.mappings)
      if (multicasts != nullptr && !mapping.multicast.empty()) ++*multicasts;
  if (const auto violation = model::verify_schedule(schedule, network, arch))
    return violation->where + ": " + violation->message;
  const std::unique_ptr<model::ProgramSource> source = sched::lower(schedule, network, arch, seed);
  const TensorValues inputs = random_inputs(network, seed, random);
  const TensorValues expected = evaluate(network, inputs);

  ValueMachine machine(arch, source->header(), seed);
  model::ProgramVerifier verifier(arch, source->header());
  const auto region_of = [&](const model::Tensor& tensor) -> const model::Region& {
    for (const model::Region& region : source->header().dram)
      if (region.name == network.tensor(tensor.storage).name) return region;
    throw model::InternalError("no region");
  };
  for (const model::Tensor& tensor : network.tensors)
    if (tensor.kind != model::TensorKind::activation)
      machine.write_dram(region_of(tensor).place.address, model::storage_bytes(tensor.type, 1).value(),
                         inputs[tensor.id.index()]);

  std::optional<model::GroupProgram> group = source->next();
  while (group) {
    std::optional<model::GroupProgram> next = source->next();
    if (const auto violation = verifier.check(*group)) return violation->kind + ": " + violation->message;
    if (const auto problem = machine.run(*group, next ? &*next : nullptr))
      return "groups[" + std::to_string(group->group.value()) + "]: " + *problem;
    group = std::move(next);
  }

  for (const model::Tensor& tensor : network.tensors) {
    if (tensor.kind != model::TensorKind::activation) continue;
    const model::Region& region = region_of(tensor);
    const std::int64_t element = model::storage_bytes(tensor.type, 1).value();
    const std::int64_t count = model::element_count(tensor.shape);
    if (machine.read_dram(region.place.address, element, count) != expected[tensor.id.index()])
      return "values of " + tensor.name + " differ";
    if (network.tensor(tensor.storage).kind != model::TensorKind::activation) continue;
    for (std::int64_t b = 0; b < region.size.value(); ++b)
      if (machine.writes_of(region.place.address + b) != 1)
        return "byte " + std::to_string(b) + " of " + tensor.name + " was written " +
               std::to_string(machine.writes_of(region.place.address + b)) + " times";
  }
  return "";
}

void check_many(int cases, model::Network (*make)(Random&)) {
  const model::Architecture arch = small_architecture(2, 32, 8);
  for (int i = 0; i < cases; ++i) {
    Random random(static_cast<std::uint64_t>(i) + 1);
    const model::Network network = make(random);
    INFO("case " << i << ": " << model::name_of(network.operators.front().type));
    REQUIRE(difference(network, arch, static_cast<std::uint64_t>(i) + 1) == "");
  }
}

}  // namespace

TEST_CASE("products whose operands one core loads for all compute what a plain loop computes") {
  int multicasts = 0;
  for (std::uint64_t i = 1; i <= 240; ++i) {
    Random random(i);
    const model::Architecture arch = small_architecture(2 + static_cast<std::int64_t>(i % 3), 32, 8);
    const model::Network network = i % 4 == 0   ? any_chain(random)
                                   : i % 4 == 1 ? any_gemm(random)
                                   : i % 4 == 2 ? any_matmul(random)
                                                : any_conv(random);
    INFO("case " << i);
    REQUIRE(difference(network, arch, i, 100, &multicasts) == "");
  }
  CHECK(multicasts > 100);
}
TEST_CASE("lowered convolutions compute what a plain loop computes") { check_many(150, any_conv); }
TEST_CASE("lowered Gemms compute what a plain loop computes") { check_many(60, any_gemm); }
TEST_CASE("lowered MatMuls compute what a plain loop computes") { check_many(60, any_matmul); }
TEST_CASE("lowered pools compute what a plain loop computes") { check_many(80, any_pool); }
TEST_CASE("lowered elementwise operators compute what a plain loop computes") { check_many(80, any_elementwise); }
TEST_CASE("lowered normalisations compute what a plain loop computes") { check_many(60, any_normalization); }
TEST_CASE("lowered transposes move every element to its place") { check_many(80, any_transpose); }
TEST_CASE("lowered concatenations move every element to its place") { check_many(60, any_concat); }
TEST_CASE("lowered gathers fetch the rows that the indices name") { check_many(60, any_gather); }
TEST_CASE("a lowered network computes what plain loops compute") { check_many(25, any_chain); }
