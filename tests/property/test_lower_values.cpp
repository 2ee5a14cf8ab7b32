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

namespace {

using namespace accsim;
using namespace accsim::tests;
using model::Json;

Json integers(std::initializer_list<std::int64_t> values) {
  Json list = Json::array();
  for (const std::int64_t v : values) list.push_back(v);
  return list;
}

model::Network network_of(Json inputs, Json layers, const std::string& precision, Json weights = Json::array()) {
  const Json json = {{"schema", "accsim-net/1"},      {"name", "random"},
                     {"precision", precision},        {"inputs", std::move(inputs)},
                     {"weights", std::move(weights)}, {"layers", std::move(layers)}};
  return model::fuse_activations(model::parse_network(json, "random"));
}
Json input(const char* name, Json shape) { return {{"name", name}, {"shape", std::move(shape)}}; }

std::string any_precision(Random& random) {
  static const std::vector<std::string> all{"int8", "int16", "fp32"};
  return all[static_cast<std::size_t>(random.range(0, 2))];
}

// Runs the network with a random schedule and compares every activation. Returns "" or what is wrong.
std::string difference(const model::Network& network, const model::Architecture& arch, std::uint64_t seed,
                       int fine = 60) {
  Random random(seed);
  const model::Schedule schedule = random_schedule(network, arch, random, fine);
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

model::Network any_conv(Random& random) {
  const std::int64_t group = random.chance(40) ? random.range(2, 6) : 1;
  const bool depthwise = group > 1 && random.chance(50);
  const std::int64_t in = group * (depthwise ? 1 : random.range(1, 6));
  const std::int64_t out = group * (depthwise ? random.range(1, 2) : random.range(1, 8));
  const std::int64_t kernel_h = random.range(1, 4);
  const std::int64_t kernel_w = random.range(1, 4);
  const std::int64_t dilation_h = random.range(1, 3);
  const std::int64_t dilation_w = random.range(1, 2);
  const std::int64_t height = (kernel_h - 1) * dilation_h + random.range(1, 9);
  const std::int64_t width = (kernel_w - 1) * dilation_w + random.range(1, 9);
  Json layer = {{"name", "conv"},      {"op", "Conv"},   {"inputs", {"x"}},
                {"out_channels", out}, {"group", group}, {"bias", random.chance(60)}};
  layer["kernel_shape"] = integers({kernel_h, kernel_w});
  layer["strides"] = integers({random.range(1, 3), random.range(1, 3)});
  layer["dilations"] = integers({dilation_h, dilation_w});
  layer["pads"] = integers({random.range(0, 3), random.range(0, 3), random.range(0, 3), random.range(0, 3)});
  Json layers = Json::array({layer});
  if (random.chance(50)) layers.push_back({{"name", "act"}, {"op", "Relu"}, {"inputs", {"conv"}}});
  return network_of(Json::array({input("x", integers({random.range(1, 2), in, height, width}))}), layers,
                    any_precision(random));
}

model::Network any_gemm(Random& random) {
  const std::int64_t m = random.range(1, 30);
  const std::int64_t k = random.range(1, 40);
  const std::int64_t n = random.range(1, 30);
  const bool trans_a = random.chance(40);
  const bool trans_b = random.chance(50);
  Json layer = {{"name", "gemm"}, {"op", "Gemm"}, {"transA", trans_a ? 1 : 0}, {"transB", trans_b ? 1 : 0}};
  Json weights = Json::array();
  if (random.chance(50)) {
    layer["inputs"] = Json::array({"x"});
    layer["out_features"] = n;
  } else {
    weights.push_back(input("b", trans_b ? integers({n, k}) : integers({k, n})));
    const std::int64_t form = random.range(0, 4);
    if (form == 0) weights.push_back(input("c", integers({n})));
    if (form == 1) weights.push_back(input("c", integers({m, n})));
    if (form == 2) weights.push_back(input("c", integers({m, 1})));
    if (form == 3) weights.push_back(input("c", integers({1})));
    layer["inputs"] = form == 4 ? Json::array({"x", "b"}) : Json::array({"x", "b", "c"});
  }
  return network_of(Json::array({input("x", trans_a ? integers({k, m}) : integers({m, k}))}), Json::array({layer}),
                    any_precision(random), weights);
}

model::Network any_matmul(Random& random) {
  const std::int64_t k = random.range(1, 20);
  Json a = Json::array();
  Json b = Json::array();
  const std::int64_t rank = random.range(0, 2);
  for (std::int64_t i = 0; i < rank; ++i) {
    const std::int64_t extent = random.range(1, 4);
    a.push_back(random.chance(75) ? extent : 1);
    b.push_back(random.chance(75) ? extent : 1);
  }
  a.push_back(random.range(1, 15));
  a.push_back(k);
  b.push_back(k);
  b.push_back(random.range(1, 15));
  return network_of(Json::array({input("x", a), input("y", b)}),
                    Json::array({{{"name", "product"}, {"op", "MatMul"}, {"inputs", {"x", "y"}}}}),
                    any_precision(random));
}

model::Network any_pool(Random& random) {
  const Json shape = integers({random.range(1, 2), random.range(1, 7), random.range(4, 12), random.range(4, 12)});
  Json layer = {{"name", "pool"}, {"inputs", {"x"}}};
  const std::int64_t kind = random.range(0, 2);
  if (kind == 2) {
    layer["op"] = "GlobalAveragePool";
  } else {
    layer["op"] = kind == 0 ? "MaxPool" : "AveragePool";
    const std::int64_t h = random.range(1, 4);
    const std::int64_t w = random.range(1, 4);
    layer["kernel_shape"] = integers({h, w});
    layer["strides"] = integers({random.range(1, 3), random.range(1, 3)});
    layer["pads"] =
        integers({random.range(0, h - 1), random.range(0, w - 1), random.range(0, h - 1), random.range(0, w - 1)});
    layer["ceil_mode"] = random.range(0, 1);
    if (kind == 1) layer["count_include_pad"] = random.range(0, 1);
  }
  Json layers = Json::array({layer});
  if (random.chance(30)) layers.push_back({{"name", "act"}, {"op", "Sigmoid"}, {"inputs", {"pool"}}});
  return network_of(Json::array({input("x", shape)}), layers, any_precision(random));
}

model::Network any_elementwise(Random& random) {
  static const std::vector<std::string> unary{"Relu", "Sigmoid", "Tanh", "Gelu", "Clip"};
  const std::int64_t rank = random.range(1, 4);
  Json a = Json::array();
  Json b = Json::array();
  for (std::int64_t i = 0; i < rank; ++i) {
    const std::int64_t extent = random.range(1, 9);
    a.push_back(random.chance(80) ? extent : 1);
    b.push_back(random.chance(80) ? extent : 1);
  }
  while (!b.empty() && random.chance(20)) b.erase(b.begin());
  Json layer = {{"name", "l"}};
  Json inputs = Json::array({input("x", a)});
  if (random.chance(60)) {
    layer["op"] = random.chance(50) ? "Add" : "Mul";
    inputs.push_back(input("y", b));
    layer["inputs"] = random.chance(50) ? Json::array({"x", "y"}) : Json::array({"y", "x"});
  } else if (random.chance(30)) {
    layer["op"] = "Add";
    layer["inputs"] = Json::array({"x", "x"});
  } else {
    layer["op"] = unary[static_cast<std::size_t>(random.range(0, 4))];
    layer["inputs"] = Json::array({"x"});
    if (layer["op"] == "Clip") {
      layer["min"] = -100;
      layer["max"] = 50;
    }
  }
  return network_of(inputs, Json::array({layer}), any_precision(random));
}

model::Network any_normalization(Random& random) {
  const std::int64_t rank = random.range(1, 4);
  Json shape = Json::array();
  for (std::int64_t i = 0; i < rank; ++i) shape.push_back(random.range(1, 9));
  Json layer = {{"name", "l"}, {"inputs", {"x"}}, {"axis", random.range(-rank, rank - 1)}};
  layer["op"] = random.chance(50) ? "Softmax" : "LayerNormalization";
  if (layer["op"] == "LayerNormalization") layer["bias"] = random.chance(60);
  return network_of(Json::array({input("x", shape)}), Json::array({layer}), any_precision(random));
}

model::Network any_transpose(Random& random) {
  const std::int64_t rank = random.range(1, 4);
  Json shape = Json::array();
  std::vector<std::int64_t> perm;
  for (std::int64_t i = 0; i < rank; ++i) {
    shape.push_back(random.range(1, 9));
    perm.push_back(i);
  }
  random.shuffle(perm);
  return network_of(Json::array({input("x", shape)}),
                    Json::array({{{"name", "l"}, {"op", "Transpose"}, {"inputs", {"x"}}, {"perm", perm}}}),
                    any_precision(random));
}

model::Network any_concat(Random& random) {
  const std::int64_t rank = random.range(1, 4);
  std::vector<std::int64_t> shape;
  for (std::int64_t i = 0; i < rank; ++i) shape.push_back(random.range(1, 7));
  const std::int64_t axis = random.range(0, rank - 1);
  Json inputs = Json::array();
  Json names = Json::array();
  const std::int64_t parts = random.range(1, 4);
  for (std::int64_t i = 0; i < parts; ++i) {
    shape[static_cast<std::size_t>(axis)] = random.range(1, 9);
    const std::string name = "x" + std::to_string(i);
    inputs.push_back(input(name.c_str(), shape));
    names.push_back(name);
  }
  if (random.chance(30)) names.push_back("x0");
  return network_of(inputs, Json::array({{{"name", "l"}, {"op", "Concat"}, {"inputs", names}, {"axis", axis}}}),
                    any_precision(random));
}

model::Network any_gather(Random& random) {
  const std::int64_t rank = random.range(1, 3);
  Json table = Json::array();
  for (std::int64_t i = 0; i < rank; ++i) table.push_back(random.range(1, 12));
  const Json indices =
      random.chance(50) ? integers({random.range(1, 20)}) : integers({random.range(1, 3), random.range(1, 9)});
  return network_of(
      Json::array({input("i", indices)}),
      Json::array({{{"name", "l"}, {"op", "Gather"}, {"inputs", {"table", "i"}}, {"axis", random.range(0, rank - 1)}}}),
      any_precision(random), Json::array({input("table", table)}));
}

// A small residual network with attention at its end: several groups, aliases, prefetch over borders.
model::Network any_chain(Random& random) {
  const std::int64_t c = random.range(2, 8);
  const std::int64_t size = random.range(3, 7);
  Json layers = Json::array();
  const auto conv = [&](const char* name, const char* from, std::int64_t kernel) {
    Json layer = {{"name", name}, {"op", "Conv"}, {"inputs", Json::array({from})}, {"out_channels", c}};
    layer["kernel_shape"] = integers({kernel, kernel});
    layer["pads"] = integers({kernel / 2, kernel / 2, kernel / 2, kernel / 2});
    layers.push_back(layer);
  };
  conv("a", "x", 3);
  layers.push_back({{"name", "ar"}, {"op", "Relu"}, {"inputs", {"a"}}});
  conv("b", "ar", 1);
  layers.push_back({{"name", "sum"}, {"op", "Add"}, {"inputs", {"b", "ar"}}});
  layers.push_back({{"name", "cat"}, {"op", "Concat"}, {"inputs", {"sum", "ar"}}, {"axis", 1}});
  layers.push_back(
      {{"name", "rows"}, {"op", "Reshape"}, {"inputs", {"cat"}}, {"shape", integers({2 * c, size * size})}});
  layers.push_back({{"name", "turned"}, {"op", "Transpose"}, {"inputs", {"rows"}}, {"perm", integers({1, 0})}});
  layers.push_back({{"name", "scores"}, {"op", "MatMul"}, {"inputs", {"rows", "turned"}}});
  layers.push_back({{"name", "weights"}, {"op", "Softmax"}, {"inputs", {"scores"}}});
  layers.push_back({{"name", "mixed"}, {"op", "MatMul"}, {"inputs", {"weights", "rows"}}});
  layers.push_back({{"name", "flat"}, {"op", "Flatten"}, {"inputs", {"mixed"}}, {"axis", 0}});
  layers.push_back({{"name", "head"}, {"op", "Gemm"}, {"inputs", {"flat"}}, {"out_features", 11}});
  return network_of(Json::array({input("x", integers({1, random.range(1, 5), size, size}))}), layers,
                    any_precision(random));
}

}  // namespace

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
