// Nothing beats physics: random layers on random architectures, scheduled, lowered and simulated, against bounds that
// know nothing of schedules; bytes and cycles are conserved; faster memory does not make a program slower.
#include "model/result/bound.h"
#include "sched/lower/lower.h"
#include "sched/strategy/strategy.h"
#include "sim/system/simulate.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"

namespace {

using namespace accsim;
using namespace accsim::model;
using tests::Random;

Architecture random_architecture(Random& random) {
  const auto pick = [&](std::vector<Json> values) {
    return values[static_cast<std::size_t>(random.range(0, static_cast<std::int64_t>(values.size()) - 1))];
  };
  const bool floating = random.chance(25);
  Json core = {{"name", "npu"}, {"count", random.range(1, 4)}};
  core["array"] = {{"rows", pick({1, 3, 4, 8, 16, 32})},
                   {"cols", pick({1, 4, 5, 8, 16, 32})},
                   {"dataflow", pick({"weight_stationary", "output_stationary", "input_stationary", "vector_mac"})},
                   {"double_buffered", random.chance(70)},
                   {"operand_type", floating ? "fp16" : "int8"},
                   {"accumulator_type", floating ? "fp32" : "int32"}};
  core["vector"] = {{"lanes", pick({1, 8, 32, 64})}, {"exp_cycles", random.range(1, 8)}};
  core["scratchpad"] = {
      {"size_kib", pick({32, 96, 256})}, {"banks", pick({1, 2, 4, 8})}, {"port_bytes", pick({8, 16, 32, 64})}};
  core["accumulator"] = {{"size_kib", pick({8, 32, 64})}, {"banks", pick({1, 2})}, {"port_bytes", pick({16, 64, 128})}};
  core["dma"] = {
      {"channels", random.range(1, 4)}, {"outstanding", pick({1, 8, 64})}, {"bytes_per_cycle", pick({8, 32, 128})}};
  Json json = {{"schema", "accsim-arch/1"}, {"name", "random"}, {"clock_mhz", pick({300, 940, 1000, 1700})}};
  json["cores"] = Json::array({core});
  json["noc"] = {{"topology", "crossbar"}, {"flit_bytes", pick({8, 32, 64})}, {"router_cycles", random.range(1, 4)}};
  json["dram"] = {{"preset", pick({"ddr4-3200", "ref-ddr4-3200", "hbm2-2400x32B"})}};
  json["energy"] = {{"preset", "22nm"}};
  return parse_architecture(json, "random architecture");
}

Network random_layer(Random& random, DataType type) {
  Json layer = {{"name", "layer"}};
  Json shape;
  const std::int64_t channels = random.range(1, 40);
  const std::int64_t height = random.range(1, 33);
  const std::int64_t width = random.range(1, 33);
  Json inputs = Json::array({"x"});
  Json extra;
  switch (random.range(0, 7)) {
    case 0:
    case 1: {
      const std::int64_t kernel = std::min({random.range(1, 5), height, width});
      const bool depthwise = random.chance(30);
      shape = {random.range(1, 2), channels, height, width};
      layer["op"] = "Conv";
      layer["out_channels"] = depthwise ? channels : random.range(1, 70);
      layer["group"] = depthwise ? channels : 1;
      layer["kernel_shape"] = {kernel, kernel};
      layer["strides"] = {random.range(1, 3), random.range(1, 3)};
      layer["pads"] = {random.range(0, kernel - 1), random.range(0, kernel - 1), random.range(0, kernel - 1),
                       random.range(0, kernel - 1)};
      break;
    }
    case 2:
      shape = {random.range(1, 64), random.range(1, 300)};
      layer["op"] = "Gemm";
      layer["out_features"] = random.range(1, 300);
      layer["transB"] = random.range(0, 1);
      break;
    case 3:
      shape = {random.range(1, 4), random.range(1, 40), random.range(1, 40)};
      layer["op"] = "MatMul";
      inputs.push_back("y");
      extra = {{"name", "y"}, {"shape", {shape[0], shape[2], random.range(1, 40)}}};
      break;
    case 4:
      shape = {1, channels, height + 1, width + 1};
      layer["op"] = random.chance(50) ? "MaxPool" : "AveragePool";
      layer["kernel_shape"] = {2, 2};
      layer["strides"] = {random.range(1, 2), random.range(1, 2)};
      break;
    case 5:
      shape = {1, channels, height, width};
      layer["op"] = random.chance(50) ? "Add" : "Mul";
      inputs.push_back("y");
      extra = {{"name", "y"}, {"shape", random.chance(50) ? shape : Json({1, channels, 1, 1})}};
      break;
    case 6:
      shape = {random.range(1, 30), random.range(2, 200)};
      layer["op"] = random.chance(50) ? "Softmax" : "LayerNormalization";
      break;
    default:
      shape = {1, channels, height, width};
      layer["op"] = "Transpose";
      layer["perm"] = {0, 2, 3, 1};
      break;
  }
  layer["inputs"] = inputs;
  Json json = {{"schema", "accsim-net/1"}, {"name", "layer"}, {"precision", name_of(type)}};
  json["inputs"] = Json::array({{{"name", "x"}, {"shape", shape}}});
  if (!extra.is_null()) json["inputs"].push_back(extra);
  json["layers"] = Json::array({layer});
  return parse_network(json, "random layer");
}

Schedule layerwise(const Network& network, const Architecture& arch) {
  const sched::CostModel cost(arch);
  sched::SearchRequest request;
  request.network = &network;
  request.arch = &arch;
  request.cost = &cost;
  return sched::make_strategy("layerwise")->search(request).schedule;
}

Measurement measure(const Schedule& schedule, const Network& network, const Architecture& arch) {
  const auto program = sched::lower(schedule, network, arch, 1);
  return sim::simulate(arch, *program);
}

void check_conservation(const Measurement& m) {
  Bytes read;
  Bytes written;
  Cycles cycles;
  Femtojoules energy;
  for (const GroupMeasurement& g : m.groups) {
    read += g.dram_read;
    written += g.dram_written;
    cycles += g.cycles;
    energy += g.energy.total();
    CHECK(g.useful_read <= g.dram_read + g.dram_read);  // a burst shared by neighbouring rows is moved once
  }
  CHECK(read == m.dram.bytes_read);
  CHECK(written == m.dram.bytes_written);
  CHECK(cycles == m.cycles);
  CHECK(energy == m.energy.total());
  for (const CoreMeasurement& core : m.cores) {
    for (const CycleAccount* account : {&core.core, &core.load, &core.array, &core.vector, &core.store}) {
      CHECK(account->total() == m.cycles);
    }
  }
}

}  // namespace

TEST_CASE("no random layer beats its bounds and nothing is lost", "[physics]") {
  int simulated = 0;
  int slower = 0;  // with faster memory
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    Random random(seed);
    const Architecture arch = random_architecture(random);
    const Network network = fuse_activations(random_layer(random, arch.core_types[0].array.operand_type));
    CAPTURE(seed, to_json(arch).dump(), network.operators[0].type);
    Schedule schedule;
    try {
      schedule = layerwise(network, arch);
    } catch (const InfeasibleError&) {
      continue;
    }
    REQUIRE_FALSE(verify_schedule(schedule, network, arch).has_value());
    const Measurement m = measure(schedule, network, arch);
    const NetworkBound bound = physical_bound(arch, network);
    CHECK(m.cycles >= bound.cycles);
    CHECK(static_cast<double>(m.energy.total().value()) >= bound.energy_pj * 1000);
    CHECK(m.macs == total_macs(network));
    CHECK(m.dram.bytes_read + m.dram.bytes_written >= compulsory_bytes(network));
    check_conservation(m);

    Architecture faster = arch;
    faster.dram.tck_ps[1] *= 2;
    faster.dram.t_refi = 0;
    faster.dram.resolve({"faster", "dram"});
    const Measurement quick = measure(schedule, network, faster);
    // Faster data may meet others in the network or in a bank at another moment; that must stay rare and small.
    const double ratio = static_cast<double>(quick.cycles.value()) / static_cast<double>(m.cycles.value());
    CHECK(ratio <= 1.05);
    if (ratio > 1.01) ++slower;
    ++simulated;
  }
  CHECK(simulated >= 100);
  CHECK(slower <= 1);
}

TEST_CASE("no shipped network beats its bounds, nor does any of its layers alone", "[physics]") {
  const std::filesystem::path root = ACCSIM_SOURCE_DIR;
  for (const auto& [arch_name, net_name] :
       {std::pair{"edge-4core", "mobilenet_v2"}, std::pair{"gemmini-like", "squeezenet1_1"},
        std::pair{"onnxim-tpuv4", "resnet18"}, std::pair{"mlu100-like", "googlenet"}}) {
    CAPTURE(arch_name, net_name);
    const Architecture arch = load_architecture(root / "configs" / (std::string(arch_name) + ".json"));
    const Network network = fuse_activations(load_network(root / "workloads" / (std::string(net_name) + ".json")));
    const Schedule schedule = layerwise(network, arch);
    const Measurement m = measure(schedule, network, arch);
    CHECK(m.cycles >= physical_bound(arch, network).cycles);
    check_conservation(m);
    Architecture faster = arch;
    faster.dram.tck_ps[1] *= 2;
    faster.dram.t_refi = 0;
    faster.dram.resolve({"faster", "dram"});
    CHECK(static_cast<double>(measure(schedule, network, faster).cycles.value()) <=
          1.01 * static_cast<double>(m.cycles.value()));
    for (const Group& group : schedule.groups) {
      Schedule alone = schedule;
      alone.groups = {group};
      const auto op = std::find_if(network.operators.begin(), network.operators.end(),
                                   [&](const Operator& o) { return o.name == group.layers[0]; });
      REQUIRE(op != network.operators.end());
      const Network layer = single_operator(network, op->id);
      alone.net = layer.name;
      alone.groups[0].id = GroupId(0);
      const Measurement single = measure(alone, layer, arch);
      CAPTURE(group.layers[0]);
      CHECK(single.cycles >= physical_bound(arch, layer).cycles);
    }
  }
}
