// The reference executor in floating point: each operator against closed results of the ONNX operator specification.
#include <cmath>

#include "tests/catch.h"
#include "tests/unit/reference_helpers.h"

using namespace accsim::tests;

namespace {

using Floats = std::vector<float>;

void check_near(const Floats& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("element " << i);
    CHECK(static_cast<double>(found[i]) == Approx(expected[i]).margin(1e-6));
  }
}

Floats activated(const std::string& layer) {
  return float_result(one_layer("[5]", layer), {{-2.0F, -0.5F, 0.0F, 1.0F, 3.0F}});
}

}  // namespace

TEST_CASE("float reference: matrix operators") {
  const Network conv = one_layer("[1, 1, 1, 3]", R"("op": "Conv", "out_channels": 1, "kernel_shape": [1, 2],
      "pads": [0, 1, 0, 0])");
  check_near(float_result(conv, {{0.5F, -1.5F, 2}, {0.25F, 4}, {10}}), {12, 4.125, 17.625});
  const Network gemm = one_layer("[1, 2]", R"("op": "Gemm", "out_features": 2, "transB": 1)");
  check_near(float_result(gemm, {{0.5F, -2}, {1, 2, 3, 4}, {0.125F, 0}}), {-3.375, -6.5});
  check_near(float_result(one_layer("[2]", R"("op": "MatMul")", "[2, 1]"), {{0.5F, -2}, {3, 0.25F}}), {1});
  // Sums are in double: the small term survives between the large ones.
  check_near(float_result(one_layer("[3]", R"("op": "MatMul")", "[3]"), {{1e8F, 0.5F, -1e8F}, {1, 1, 1}}), {0.5});
}

TEST_CASE("float reference: pooling") {
  const std::string window = R"("kernel_shape": [2], "strides": [2], "pads": [1, 0], "ceil_mode": 1)";
  // . -1 | -2 -4 | -7 beyond
  const Floats x{-1, -2, -4, -7};
  check_near(float_result(one_layer("[1, 1, 4]", R"("op": "MaxPool", )" + window), {x}), {-1, -2, -7});
  check_near(float_result(one_layer("[1, 1, 4]", R"("op": "AveragePool", )" + window), {x}), {-1, -3, -7});
  check_near(float_result(one_layer("[1, 1, 4]", R"("op": "AveragePool", "count_include_pad": 1, )" + window), {x}),
             {-0.5, -3, -7});
  check_near(float_result(one_layer("[1, 2, 3]", R"("op": "GlobalAveragePool")"), {{1, 2, 4, 0, 0, 1}}),
             {7.0 / 3, 1.0 / 3});
}

TEST_CASE("float reference: elementwise operators and activations") {
  check_near(float_result(one_layer("[2, 1]", R"("op": "Add")", "[2]"), {{0.5F, 1}, {10, 20}}), {10.5, 20.5, 11, 21});
  check_near(float_result(one_layer("[2, 1]", R"("op": "Mul")", "[2]"), {{0.5F, 1}, {10, 20}}), {5, 10, 10, 20});
  check_near(activated(R"("op": "Relu")"), {0, 0, 0, 1, 3});
  check_near(activated(R"("op": "Clip", "min": -0.75, "max": 1.5)"), {-0.75, -0.5, 0, 1, 1.5});
  // 1 / (1 + e^2), …
  check_near(activated(R"("op": "Sigmoid")"), {0.1192029220, 0.3775406688, 0.5, 0.7310585786, 0.9525741268});
  check_near(activated(R"("op": "Tanh")"), {-0.9640275801, -0.4621171573, 0, 0.7615941560, 0.9950547537});
  // x times the normal distribution: Phi(-2) = 0.0227501319, Phi(-0.5) = 0.3085375387, Phi(1) = 0.8413447461
  check_near(activated(R"("op": "Gelu")"), {-0.0455002639, -0.1542687694, 0, 0.8413447461, 2.9959503059});
}

TEST_CASE("float reference: Softmax and LayerNormalization") {
  // ln 1, ln 2, ln 5 above a large number: parts of 8.
  const float base = 700;
  const Floats x{base, base + std::log(2.0F), base + std::log(5.0F)};
  const Floats parts = float_result(one_layer("[1, 3]", R"("op": "Softmax")"), {x});
  CHECK(parts[0] == Approx(0.125).epsilon(1e-4));
  CHECK(parts[1] == Approx(0.25).epsilon(1e-4));
  CHECK(parts[2] == Approx(0.625).epsilon(1e-4));
  check_near(float_result(one_layer("[2, 2]", R"("op": "Softmax", "axis": 0)"), {{0, 3, 0, 3}}), {0.5, 0.5, 0.5, 0.5});
  // Mean 4, variance 5 (2 4 6 with 4: (4 + 0 + 4) / 3): 1 4 7 has variance 6, 6 + 0.25 has the root 2.5.
  const Network norm = one_layer("[3]", R"("op": "LayerNormalization", "epsilon": 0.25)");
  check_near(float_result(norm, {{1, 4, 7}, {1, 2, 10}, {0.5F, -1, 0}}), {-0.7, -1, 12});
}

TEST_CASE("float reference: movements") {
  const Network gather = network_of(R"("inputs": [{"name": "x", "shape": [3]}, {"name": "i", "shape": [3]}],
      "layers": [{"name": "l", "op": "Gather", "inputs": ["x", "i"]}])");
  check_near(float_result(gather, {{0.5F, 1.5F, 2.5F}, {2, -3, -1}}), {2.5, 0.5, 2.5});
  CHECK_THROWS_AS(float_result(gather, {{0.5F, 1.5F, 2.5F}, {3, 0, 0}}), ConfigError);
  CHECK_THROWS_AS(float_result(gather, {{0.5F, 1.5F, 2.5F}, {0, -4, 0}}), ConfigError);
  CHECK_THROWS_AS(float_result(gather, {{0.5F, 1.5F, 2.5F}, {0, 0.5F, 0}}), ConfigError);
  check_near(float_result(one_layer("[2, 2]", R"("op": "Transpose")"), {{0.5F, 1, 2, 3}}), {0.5, 2, 1, 3});
  check_near(float_result(one_layer("[1]", R"("op": "Concat", "axis": 0)", "[2]"), {{0.5F}, {1, 2}}), {0.5, 1, 2});
}

TEST_CASE("float reference: a network with fused activations, an alias and named errors") {
  const Network network = fuse_activations(network_of(R"("inputs": [{"name": "x", "shape": [2, 2]}], "layers": [
      {"name": "double", "op": "Add", "inputs": ["x", "x"]}, {"name": "relu", "op": "Relu", "inputs": ["double"]},
      {"name": "flat", "op": "Reshape", "inputs": ["relu"], "shape": [4]},
      {"name": "half", "op": "Sigmoid", "inputs": ["flat"]}])"));
  const TensorId x = tensor_called(network, "x").id;
  const TensorId relu = tensor_called(network, "relu").id;
  FloatExecutor executor(network);
  CHECK_THROWS_WITH(executor.run_all(), "tensor x has no values");
  CHECK_THROWS_WITH(executor.set(x, {1, 2}), "tensor x [2, 2]: expected 4 values, found 2");
  CHECK_THROWS_AS(executor.set(relu, {1, 2, 3, 4}), InternalError);
  executor.set(x, {-1, 0, 1, 2});
  executor.run_all();
  const auto flat = executor.values(tensor_called(network, "flat").id);
  check_near({flat.begin(), flat.end()}, {0, 0, 2, 4});
  const auto half = executor.values(tensor_called(network, "half").id);
  check_near({half.begin(), half.end()}, {0.5, 0.5, 0.8807970780, 0.9820137900});
  executor.release(x);
  executor.release(relu);
  CHECK_FALSE(executor.has(x));
  CHECK_FALSE(executor.has(tensor_called(network, "flat").id));
}
