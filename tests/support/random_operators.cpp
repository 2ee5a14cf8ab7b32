#include "tests/support/random_operators.h"

#include <string>
#include <utility>
#include <vector>

namespace accsim::tests {

using model::Json;

namespace {

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
  static const std::vector<std::string> all{"int8", "int16", "fp16", "bf16", "fp32"};
  return all[static_cast<std::size_t>(random.range(0, 4))];
}

}  // namespace

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

}  // namespace accsim::tests
