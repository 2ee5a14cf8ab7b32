// An architecture too small for any tile: one message that names layer, core, memory and the smallest size that would
// do.
#include "model/base/error.h"
#include "sched/strategy/strategy.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"
#include "tests/unit/test_network_helpers.h"

namespace {

using namespace accsim;

sched::SearchResult search(const model::Network& network, const model::Architecture& arch) {
  const sched::CostModel cost(arch);
  sched::SearchRequest request;
  request.network = &network;
  request.arch = &arch;
  request.cost = &cost;
  return sched::make_strategy("layerwise")->search(request);
}

std::string refusal(const model::Network& network, const model::Architecture& arch) {
  try {
    search(network, arch);
  } catch (const model::InfeasibleError& error) {
    return error.what();
  }
  return "feasible";
}

}  // namespace

TEST_CASE("a row that does not fit names the scratchpad and the smallest size that would do") {
  // One row of input and one of output, 4096 bytes each.
  const model::Network network = tests::one_layer("[16, 4096]", R"("op": "Softmax")");
  CHECK(refusal(network, tests::small_architecture(1, 4)) ==
        "layer \"l\" (Softmax) does not fit on core 0 (\"npu\") with any tile: the scratchpad has 4 KiB, "
        "the smallest size that would do is 8 KiB");
  CHECK(refusal(network, tests::small_architecture(1, 7)) ==
        "layer \"l\" (Softmax) does not fit on core 0 (\"npu\") with any tile: the scratchpad has 7 KiB, "
        "the smallest size that would do is 8 KiB");
  const model::Architecture enough = tests::small_architecture(1, 8);
  const sched::SearchResult found = search(network, enough);
  CHECK_FALSE(model::verify_schedule(found.schedule, network, enough).has_value());
}

TEST_CASE("the smallest size is one that the banks allow") {
  const model::Network network = tests::one_layer("[16, 4096]", R"("op": "LayerNormalization")");
  // A row of input and one of output of 4096 bytes, scale and bias of int32.
  model::Architecture arch = tests::small_architecture(1, 16);
  arch.core_types.front().scratchpad.port_bytes = 2048;  // 8 KiB in a line of four banks
  CHECK(refusal(network, arch) ==
        "layer \"l\" (LayerNormalization) does not fit on core 0 (\"npu\") with any tile: the scratchpad has 16 KiB, "
        "the smallest size that would do is 40 KiB");
  arch.core_types.front().scratchpad.port_bytes = 16;
  arch.core_types.front().scratchpad.size_kib = 40;
  CHECK(refusal(network, arch) == "feasible");
}

TEST_CASE("the first layer that does not fit is named, at any number of threads") {
  const model::Network network = tests::network_of(
      R"("inputs": [{"name": "x", "shape": [16, 4096]}], "layers": [
           {"name": "a", "op": "Relu", "inputs": ["x"]},
           {"name": "b", "op": "Softmax", "inputs": ["a"]},
           {"name": "c", "op": "LayerNormalization", "inputs": ["b"]}])");
  const model::Architecture arch = tests::small_architecture(1, 4);
  const sched::CostModel cost(arch);
  for (const int threads : {1, 2, 5}) {
    sched::SearchRequest request;
    request.network = &network;
    request.arch = &arch;
    request.cost = &cost;
    request.threads = threads;
    CHECK_THROWS_WITH(sched::make_strategy("layerwise")->search(request),
                      Catch::Matchers::StartsWith("layer \"b\" (Softmax) does not fit on core 0"));
  }
}

TEST_CASE("an unknown strategy lists those that exist") {
  CHECK_THROWS_WITH(sched::make_strategy("layerwyse"),
                    "unknown strategy \"layerwyse\": corf, dlfusion, joint, layerwise, optimal-layer, oracle; did you "
                    "mean \"layerwise\"?");
}
