#include "tests/support/mutation_cases.h"

#include <array>
#include <functional>
#include <utility>

#include "model/base/error.h"
#include "sched/lower/lower.h"
#include "tests/support/execution.h"
#include "tests/support/random_homes.h"
#include "tests/support/random_schedule.h"
#include "tests/support/small_programs.h"

namespace accsim::tests {

using model::Json;

namespace {

constexpr std::uint64_t kSeed = 1;

constexpr std::array<const char*, kMutationNetworks> kNetworks{
    R"({"schema": "accsim-net/1", "name": "conv", "inputs": [{"name": "x", "shape": [1, 3, 9, 7]}], "layers": [
      {"name": "a", "op": "Conv", "inputs": ["x"], "out_channels": 5, "kernel_shape": [3, 2], "strides": [2, 1],
       "pads": [1, 0, 2, 1], "dilations": [1, 2]},
      {"name": "b", "op": "Relu", "inputs": ["a"]},
      {"name": "c", "op": "Conv", "inputs": ["b"], "out_channels": 4, "kernel_shape": [1, 1], "strides": [3, 2], "bias": false}]})",
    R"({"schema": "accsim-net/1", "name": "groups", "precision": "int16", "inputs": [{"name": "x", "shape": [1, 4, 6, 5]}], "layers": [
      {"name": "a", "op": "Conv", "inputs": ["x"], "out_channels": 6, "group": 2, "kernel_shape": [2, 3], "pads": [1, 1, 0, 1]},
      {"name": "b", "op": "Clip", "inputs": ["a"], "min": -1, "max": 6},
      {"name": "c", "op": "Conv", "inputs": ["b"], "out_channels": 6, "group": 6, "kernel_shape": [3, 3], "bias": false},
      {"name": "d", "op": "Gelu", "inputs": ["c"]}, {"name": "e", "op": "Tanh", "inputs": ["d"]}]})",
    R"({"schema": "accsim-net/1", "name": "gemm", "precision": "fp16", "inputs": [{"name": "x", "shape": [7, 9]}],
      "weights": [{"name": "w", "shape": [5, 7]}, {"name": "c", "shape": [9, 1]}], "layers": [
      {"name": "a", "op": "Gemm", "inputs": ["x", "w", "c"], "transA": 1, "transB": 1},
      {"name": "b", "op": "Sigmoid", "inputs": ["a"]},
      {"name": "d", "op": "LayerNormalization", "inputs": ["b"]},
      {"name": "e", "op": "Gemm", "inputs": ["d"], "out_features": 6}]})",
    R"({"schema": "accsim-net/1", "name": "attention", "inputs": [{"name": "x", "shape": [2, 5, 6]}],
      "weights": [{"name": "q", "shape": [6, 4]}], "layers": [
      {"name": "a", "op": "MatMul", "inputs": ["x", "q"]},
      {"name": "t", "op": "Transpose", "inputs": ["a"], "perm": [0, 2, 1]},
      {"name": "s", "op": "MatMul", "inputs": ["a", "t"]},
      {"name": "p", "op": "Softmax", "inputs": ["s"]},
      {"name": "o", "op": "MatMul", "inputs": ["p", "x"]}]})",
    R"({"schema": "accsim-net/1", "name": "pools", "precision": "int16", "inputs": [{"name": "x", "shape": [1, 4, 9, 8]}], "layers": [
      {"name": "a", "op": "MaxPool", "inputs": ["x"], "kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 1, 0, 0], "ceil_mode": 1},
      {"name": "b", "op": "AveragePool", "inputs": ["a"], "kernel_shape": [2, 3], "pads": [1, 0, 1, 2], "count_include_pad": 1},
      {"name": "c", "op": "AveragePool", "inputs": ["b"], "kernel_shape": [2, 2], "strides": [3, 2], "pads": [0, 1, 1, 1]},
      {"name": "d", "op": "GlobalAveragePool", "inputs": ["c"]},
      {"name": "f", "op": "Flatten", "inputs": ["d"]},
      {"name": "e", "op": "Gemm", "inputs": ["f"], "out_features": 11}]})",
    R"({"schema": "accsim-net/1", "name": "residual", "inputs": [{"name": "x", "shape": [1, 4, 5, 6]}],
      "weights": [{"name": "scale", "shape": [4, 1, 1]}], "layers": [
      {"name": "a", "op": "Conv", "inputs": ["x"], "out_channels": 4, "kernel_shape": [3, 3], "pads": [1, 1, 1, 1]},
      {"name": "r", "op": "Relu", "inputs": ["a"]},
      {"name": "m", "op": "Mul", "inputs": ["scale", "r"]},
      {"name": "s", "op": "Add", "inputs": ["m", "x"]},
      {"name": "g", "op": "Gelu", "inputs": ["s"]},
      {"name": "y", "op": "Add", "inputs": ["g", "r"]}]})",
    R"({"schema": "accsim-net/1", "name": "movement", "precision": "bf16", "inputs": [{"name": "i", "shape": [7]}, {"name": "x", "shape": [7, 6]}],
      "weights": [{"name": "table", "shape": [11, 6]}], "layers": [
      {"name": "e", "op": "Gather", "inputs": ["table", "i"], "axis": 0},
      {"name": "c", "op": "Concat", "inputs": ["e", "x"], "axis": 1},
      {"name": "h", "op": "Reshape", "inputs": ["c"], "shape": [7, 3, 4]},
      {"name": "t", "op": "Transpose", "inputs": ["h"], "perm": [1, 0, 2]},
      {"name": "u", "op": "Transpose", "inputs": ["t"], "perm": [2, 1, 0]},
      {"name": "y", "op": "Softmax", "inputs": ["u"], "axis": 1}]})",
    R"({"schema": "accsim-net/1", "name": "small", "precision": "fp32", "inputs": [{"name": "x", "shape": [1, 3, 5, 5]}], "layers": [
      {"name": "a", "op": "Conv", "inputs": ["x"], "out_channels": 3, "kernel_shape": [2, 2], "strides": [3, 3]},
      {"name": "b", "op": "Conv", "inputs": ["x"], "out_channels": 2, "kernel_shape": [2, 2], "strides": [3, 3]},
      {"name": "c", "op": "Concat", "inputs": ["a", "b", "a"], "axis": 1},
      {"name": "n", "op": "LayerNormalization", "inputs": ["c"], "axis": 2, "bias": false},
      {"name": "f", "op": "Flatten", "inputs": ["n"]},
      {"name": "y", "op": "Gemm", "inputs": ["f"], "out_features": 5, "bias": false}]})"};

struct Machine {
  const char* name;
  int cores;
  const char* dataflow;
  bool double_buffered;
  int rows, cols, lanes;
  bool global_buffer;
  const char* dram;
};
constexpr std::array<Machine, kMutationArchitectures> kMachines{{
    {"one-ws", 1, "weight_stationary", true, 4, 4, 4, false, "ref-ddr4-3200"},
    {"two-os", 2, "output_stationary", false, 3, 5, 3, true, "lpddr4-3200"},
    {"two-is", 2, "input_stationary", true, 5, 2, 8, false, "gddr6"},
    {"one-mac", 1, "vector_mac", true, 4, 8, 2, true, "ddr4-2400"},
}};

model::Architecture machine(std::size_t number, const std::string& precision) {
  const Machine& m = kMachines[number];
  const bool floating = precision == "fp16" || precision == "bf16" || precision == "fp32";
  Json json = {{"schema", "accsim-arch/1"}, {"name", m.name}, {"clock_mhz", 1000}};
  json["cores"] = Json::array({{{"name", "npu"},
                                {"count", m.cores},
                                {"array",
                                 {{"rows", m.rows},
                                  {"cols", m.cols},
                                  {"dataflow", m.dataflow},
                                  {"double_buffered", m.double_buffered},
                                  {"operand_type", precision},
                                  {"accumulator_type", floating ? "fp32" : "int32"}}},
                                {"vector", {{"lanes", m.lanes}}},
                                {"scratchpad", {{"size_kib", 8}, {"banks", 4}, {"port_bytes", 16}}},
                                {"accumulator", {{"size_kib", 4}, {"banks", 2}, {"port_bytes", 16}}}}});
  if (m.global_buffer) json["global_buffer"] = {{"size_kib", 16}, {"banks", 4}, {"port_bytes", 16}};
  json["dram"] = {{"preset", m.dram}, {"channels", 1}};
  return model::parse_architecture(json, m.name);
}

std::size_t instructions_of(const model::Program& program) {
  std::size_t sum = 0;
  for (const model::GroupProgram& group : program.groups)
    for (const model::CoreProgram& core : group.cores)
      for (const auto& queue : core.queues) sum += queue.size();
  return sum;
}

// h = x * w1 on core 0, y = h + w2 on core 1, in tiles of 16 bytes.
struct Relay {
  static constexpr std::int64_t kTile = 16;
  static constexpr std::int64_t kTiles = 4;

  static model::Network network() {
    Json json = {{"schema", "accsim-net/1"}, {"name", "relay"}};
    const Json shape = Json::array({kTiles * kTile});
    json["inputs"] = Json::array({{{"name", "x"}, {"shape", shape}}});
    json["weights"] =
        Json::array({{{"name", "w1"}, {"shape", Json::array({kTile})}}, {{"name", "w2"}, {"shape", shape}}});
    json["inputs"][0]["shape"] = Json::array({kTiles, kTile});
    json["weights"][1]["shape"] = Json::array({kTiles, kTile});
    json["layers"] = Json::array({{{"name", "h"}, {"op", "Mul"}, {"inputs", {"x", "w1"}}},
                                  {{"name", "y"}, {"op", "Add"}, {"inputs", {"h", "w2"}}}});
    return model::fuse_activations(model::parse_network(json, "relay"));
  }

  static model::ProgramHeader header(std::int64_t groups) {
    const std::vector<model::Region> constant{region("x", dram(0), 64), region("w1", dram(4096), 16),
                                              region("w2", dram(8192), 64)};
    std::vector<model::Region> all = constant;
    all.push_back(region("y", dram(12288), 64));
    return {"two-os", "relay", all, constant, groups};
  }

  static model::Signal signal(int core, std::int32_t semaphore) { return {model::CoreId(core), semaphore, 1}; }
  static model::Instruction binary(model::VectorKind kind, model::Place a, model::Place b, model::Place out,
                                   std::vector<model::Wait> waits, std::vector<model::Signal> signals) {
    model::Instruction instruction =
        vector_op(kind, {{a, model::DataType::int8}, {b, model::DataType::int8}}, out, kTile);
    instruction.waits = std::move(waits);
    instruction.signals = std::move(signals);
    return instruction;
  }

  // x tiles in a ring of two, w1 once, products in one buffer, from where they are stored to `to(t)`. Semaphores: 0 x
  // full, 1 w1 full, 2 x free, 3 product full, 4 product free; the store of tile t also waits for `store_wait` and
  // signals `stored`.
  static model::CoreProgram sender(const std::function<model::Place(std::int64_t)>& to, std::int32_t store_wait,
                                   const std::vector<model::Signal>& stored) {
    using model::Queue;
    model::CoreProgram core;
    core.core = model::CoreId(0);
    core.semaphores = store_wait >= 0 ? 6 : 5;
    core.queue(Queue::load).push_back(copy_bytes(dram(4096), scratchpad(0, 32), kTile, {}, {signal(0, 1)}));
    for (std::int64_t t = 0; t < kTiles; ++t) {
      const model::Place x = scratchpad(0, kTile * (t % 2));
      core.queue(Queue::load).push_back(copy_bytes(dram(kTile * t), x, kTile, {}, {signal(0, 0)}));
      if (t >= 2) core.queue(Queue::load).back().waits = {{2, 1}};
      core.queue(Queue::vector)
          .push_back(binary(model::VectorKind::mul, x, scratchpad(0, 32), scratchpad(0, 48), {{0, 1}}, {signal(0, 3)}));
      model::Instruction& product = core.queue(Queue::vector).back();
      if (t == 0) product.waits.push_back({1, 1});
      if (t > 0) product.waits.push_back({4, 1});
      if (t + 2 < kTiles) product.signals.push_back(signal(0, 2));
      core.queue(Queue::store).push_back(copy_bytes(scratchpad(0, 48), to(t), kTile, {{3, 1}}, stored));
      model::Instruction& store = core.queue(Queue::store).back();
      if (store_wait >= 0 && t >= 2) store.waits.push_back({store_wait, 1});
      if (t + 1 < kTiles) store.signals.push_back(signal(0, 4));
    }
    return core;
  }
};

// Products go from core 0 into a ring of two buffers of core 1.
MutationCase relay_through_scratchpad() {
  using model::Queue;
  model::CoreProgram receiver;
  receiver.core = model::CoreId(1);
  receiver.semaphores = 5;  // 0 product arrived, 1 w2 full, 2 w2 free, 3 sum full, 4 sum free
  for (std::int64_t t = 0; t < Relay::kTiles; ++t) {
    const model::Place product = scratchpad(1, 64 + 16 * (t % 2));
    receiver.queue(Queue::load)
        .push_back(copy_bytes(dram(8192 + 16 * t), scratchpad(1, 0), 16, {}, {Relay::signal(1, 1)}));
    if (t > 0) receiver.queue(Queue::load).back().waits = {{2, 1}};
    receiver.queue(Queue::vector)
        .push_back(Relay::binary(model::VectorKind::add, product, scratchpad(1, 0), scratchpad(1, 32), {{0, 1}, {1, 1}},
                                 {Relay::signal(1, 3)}));
    model::Instruction& sum = receiver.queue(Queue::vector).back();
    if (t > 0) sum.waits.push_back({4, 1});
    if (t + 1 < Relay::kTiles) sum.signals.push_back(Relay::signal(1, 2));
    if (t + 2 < Relay::kTiles) sum.signals.push_back(Relay::signal(0, 5));
    receiver.queue(Queue::store).push_back(copy_bytes(scratchpad(1, 32), dram(12288 + 16 * t), 16, {{3, 1}}));
    if (t + 1 < Relay::kTiles) receiver.queue(Queue::store).back().signals = {Relay::signal(1, 4)};
  }
  MutationCase made;
  made.name = "relay through a scratchpad";
  made.network = Relay::network();
  made.arch = machine(1, "int8");
  made.program.header = Relay::header(1);
  model::GroupProgram group;
  group.group = model::GroupId(0);
  group.layers = {"h", "y"};
  group.cores = {
      Relay::sender([](std::int64_t t) { return scratchpad(1, 64 + 16 * (t % 2)); }, 5, {Relay::signal(1, 0)}),
      receiver};
  group.live_in = made.program.header.constant;
  group.live_out = {made.program.header.dram.back()};
  group.buffers = {region("x[0]", scratchpad(0, 0), 16),        region("x[1]", scratchpad(0, 16), 16),
                   region("w1", scratchpad(0, 32), 16),         region("product", scratchpad(0, 48), 16),
                   region("w2", scratchpad(1, 0), 16),          region("sum", scratchpad(1, 32), 16),
                   region("arrived[0]", scratchpad(1, 64), 16), region("arrived[1]", scratchpad(1, 80), 16)};
  made.program.groups = {group};
  return made;
}

// Products lie in the global buffer from one group to the next; the next one's first tile of w2 is prefetched.
MutationCase relay_through_global_buffer() {
  using model::Queue;
  MutationCase made;
  made.name = "relay through the global buffer";
  made.network = Relay::network();
  made.arch = machine(1, "int8");
  made.program.header = Relay::header(2);
  const model::Region h = region("h", global_buffer(256), 64);
  model::GroupProgram first;
  first.group = model::GroupId(0);
  first.layers = {"h"};
  first.cores = {Relay::sender([](std::int64_t t) { return global_buffer(256 + 16 * t); }, -1, {})};
  first.live_in = {made.program.header.constant[0], made.program.header.constant[1]};
  first.live_out = {h};
  first.buffers = {region("x[0]", scratchpad(0, 0), 16), region("x[1]", scratchpad(0, 16), 16),
                   region("w1", scratchpad(0, 32), 16), region("product", scratchpad(0, 48), 16)};
  model::CoreProgram adder;
  adder.core = model::CoreId(1);
  adder.semaphores = 4;  // 0 h full, 1 w2 full, 2 both free, 3 sum full
  for (std::int64_t t = 0; t < Relay::kTiles; ++t) {
    const model::Place w2 = scratchpad(1, 16 * (t % 2));
    const model::Place from = scratchpad(1, 32 + 16 * (t % 2));
    adder.queue(Queue::load).push_back(copy_bytes(dram(8192 + 16 * t), w2, 16, {}, {Relay::signal(1, 1)}));
    if (t == 0) adder.queue(Queue::load).back().prefetch = true;
    if (t >= 2) adder.queue(Queue::load).back().waits = {{2, 1}};
    adder.queue(Queue::load).push_back(copy_bytes(global_buffer(256 + 16 * t), from, 16, {}, {Relay::signal(1, 0)}));
    adder.queue(Queue::vector)
        .push_back(Relay::binary(model::VectorKind::add, from, w2, scratchpad(1, 64 + 16 * t), {{0, 1}, {1, 1}},
                                 {Relay::signal(1, 3)}));
    if (t + 2 < Relay::kTiles) adder.queue(Queue::vector).back().signals.push_back(Relay::signal(1, 2));
  }
  adder.queue(Queue::store).push_back(copy_bytes(scratchpad(1, 64), dram(12288), 64, {{3, 4}}));
  model::GroupProgram second;
  second.group = model::GroupId(1);
  second.layers = {"y"};
  second.cores = {adder};
  second.live_in = {h, made.program.header.constant[2]};
  second.live_out = {made.program.header.dram.back()};
  second.buffers = {region("w2[0]", scratchpad(1, 0), 16), region("w2[1]", scratchpad(1, 16), 16),
                    region("h[0]", scratchpad(1, 32), 16), region("h[1]", scratchpad(1, 48), 16),
                    region("sum", scratchpad(1, 64), 64)};
  second.prefetch = {region("w2[0]", scratchpad(1, 0), 16)};
  made.program.groups = {first, second};
  return made;
}

}  // namespace

MutationCase mutation_case(std::size_t net, std::size_t arch, std::uint64_t variant) {
  // Few instructions, so that there are not too many mutants, but several tiles.
  constexpr std::size_t kMost = 70;
  constexpr std::size_t kLeast = 25;
  constexpr int kFine = 45;
  MutationCase made;
  made.network = model::fuse_activations(model::parse_network(model::parse_json(kNetworks[net], "network"), "network"));
  made.arch = machine(arch, std::string(model::name_of(made.network.precision)));
  made.name = made.network.name + " on " + made.arch.name;
  std::size_t best = 0;
  Random random(1000 * net + 100 * arch + variant);
  for (int tries = 0; tries < 200; ++tries) {
    model::Schedule schedule = random_schedule(made.network, made.arch, random, kFine);
    if (model::verify_schedule(schedule, made.network, made.arch)) continue;
    if (variant % 2 == 1) random_homes(schedule, made.network, made.arch, random);
    const auto source = sched::lower(schedule, made.network, made.arch, kSeed);
    model::Program program = model::collect(*source);
    const std::size_t count = instructions_of(program);
    if (count > kMost || count <= best) continue;
    best = count;
    made.schedule = schedule;
    made.program = std::move(program);
    if (count >= kLeast && tries > 50) break;
  }
  if (best == 0) throw model::InternalError("no small schedule for " + made.name);
  return made;
}

std::vector<MutationCase> handmade_cases() { return {relay_through_scratchpad(), relay_through_global_buffer()}; }

}  // namespace accsim::tests
