// Every operator of the reference executor on integers, against values calculated by hand from docs/arithmetic.md.
// Sums are written out and go through `requantised` or `spread`; these, activations and tables have constants of their
// own, calculated apart from this code.
#include <algorithm>

#include "tests/catch.h"
#include "tests/unit/reference_helpers.h"

using namespace accsim::tests;

namespace {

Network with_precision(const std::string& precision, const std::string& shape, const std::string& layer) {
  return network_of(R"("inputs": [{"name": "x", "shape": )" + shape +
                        R"(}], "layers": [{"name": "l", "inputs": ["x"], )" + layer + "}]",
                    1, precision);
}

Network weighted(const std::string& x, const std::string& weights, const std::string& inputs,
                 const std::string& layer) {
  return network_of(R"("inputs": [{"name": "x", "shape": )" + x + R"(}], "weights": [)" + weights +
                    R"(], "layers": [{"name": "l", "inputs": )" + inputs + ", " + layer + "}]");
}

}  // namespace

TEST_CASE("reference: requantisation of chosen numbers") {
  const std::vector<std::int64_t> sums{0, 1, -1, 5, -7, 1000, 2147483647, -2147483648, 123456789};
  CHECK(requantised(sums, 4) == Integers{0, -7, 6, 1, -6, 0, -2, -8, 7});
  CHECK(requantised(sums, 8) == Integers{0, -98, 97, 23, -84, 8, -31, -128, 127});
  CHECK(requantised(sums, 11) == Integers{0, -783, 782, 184, -669, 69, -242, -1024, 1023});
  CHECK(requantised(sums, 16) == Integers{0, -25033, 25032, 5909, -21381, 2227, -7736, -32768, 32746});
  CHECK(requantised(sums, 24) ==
        Integers{0, -6408327, 6408326, 1512800, -5473364, 570203, -1980282, -8388608, 8383160});
  CHECK(requantised(sums, 32) ==
        Integers{0, -1640531535, 1640531535, 387276917, -1401181143, 145972072, -506952113, -2147483648, 2146089093});
}

TEST_CASE("reference: chosen numbers spread") {
  const std::vector<std::int64_t> numbers{0, 1, -1, 5, -7, 1000, 2147483647, -2147483648, 123456789};
  CHECK(spread(numbers, 4) == Integers{-1, -6, 0, -4, 7, -8, 0, -1, -4});
  CHECK(spread(numbers, 8) == Integers{89, -50, -88, 28, 102, -65, -88, 89, -86});
  CHECK(spread(numbers, 11) == Integers{23, -694, 1004, -354, 574, -138, 1004, 23, -741});
  CHECK(spread(numbers, 16) == Integers{-9926, 14178, 21156, 9141, -24434, 14663, 21156, -9926, 27758});
  CHECK(spread(numbers, 24) ==
        Integers{-4003256, 2500709, -29304, 7929326, 2860154, -3462349, -29304, -4003256, -3817372});
  CHECK(spread(numbers, 32) == Integers{231560056, 175132457, 1314488648, -285514160, -1860101779, 318254936,
                                        -383474123, 1929555383, -294907774});
}

TEST_CASE("reference: what takes single elements is one-to-one in each operand") {
  constexpr std::size_t kValues = 256;
  const IntegerValues operand(DataType::int8, 1);
  const accsim::model::reference::IntegerArithmetic arithmetic(8, 32);
  const auto one_to_one = [](const auto& function) {
    std::vector<bool> seen(kValues, false);
    for (std::int32_t x = -128; x < 128; ++x) seen[static_cast<std::size_t>(function(x) + 128)] = true;
    return std::count(seen.begin(), seen.end(), true) == kValues;
  };
  for (const OpType type : {OpType::relu, OpType::leaky_relu, OpType::clip, OpType::sigmoid, OpType::tanh, OpType::gelu,
                            OpType::neg, OpType::sqrt, OpType::exp, OpType::erf, OpType::silu, OpType::hard_sigmoid,
                            OpType::hard_swish, OpType::quantize_linear, OpType::dequantize_linear}) {
    CHECK(one_to_one([&](std::int32_t x) { return arithmetic.activate(type, {}, x); }));
  }
  for (std::int32_t y = -128; y < 128; y += 5) {
    for (const OpType type : {OpType::add, OpType::sub, OpType::mul, OpType::div, OpType::pow, OpType::prelu}) {
      CHECK(one_to_one([&](std::int32_t x) { return arithmetic.combine(type, x, y); }));
      CHECK(one_to_one([&](std::int32_t x) { return arithmetic.combine(type, y, x); }));
    }
    CHECK(one_to_one([&](std::int32_t x) { return arithmetic.select(1, x, y); }));
    CHECK(one_to_one([&](std::int32_t x) { return arithmetic.select(1, y, x); }));
    CHECK(one_to_one([&](std::int32_t x) { return arithmetic.select(2, x, y); }));
    CHECK(one_to_one([&](std::int32_t x) { return arithmetic.mean(y + x, 2); }));
    CHECK(one_to_one([&](std::int32_t x) { return arithmetic.maximum(x, y + x, 2); }));
  }
}

TEST_CASE("reference: root and quotient of integers") {
  using accsim::model::reference::floor_div;
  using accsim::model::reference::integer_root;
  CHECK(integer_root(0) == 0);
  CHECK(integer_root(15) == 3);
  CHECK(integer_root(16) == 4);
  CHECK(integer_root(0xFFFFFFFE00000000U) == 0xFFFFFFFEU);
  CHECK(integer_root(0xFFFFFFFE00000001U) == 0xFFFFFFFFU);
  CHECK(integer_root(0xFFFFFFFFFFFFFFFFU) == 0xFFFFFFFFU);
  CHECK(floor_div(7, 2) == 3);
  CHECK(floor_div(-7, 2) == -4);
  CHECK(floor_div(-8, 2) == -4);
  CHECK(floor_div(-1, 100) == -1);
}

TEST_CASE("reference: convolution") {
  // Padding on one side only, stride 2 along the width, dilation 2 along the height.
  const Network padded = one_layer("[1, 1, 3, 4]", R"("op": "Conv", "out_channels": 1, "kernel_shape": [2, 3],
      "pads": [1, 0, 0, 1], "strides": [1, 2], "dilations": [2, 1])");
  // rows    1  2  3  4     window at (-1, 0): row -1 is padding, row 1 = 5 -6 7 with weights 4 5 6, bias 100
  //         5 -6  7 -8
  //         9 10 11 12
  const Integers x{1, 2, 3, 4, 5, -6, 7, -8, 9, 10, 11, 12};
  const Integers w{1, 2, -3, 4, 5, 6};
  // (0,0): 20 - 30 + 42 = 32    (0,1): columns 2 3 4: 28 - 40 + 0 = -12
  // (1,0): 1 + 4 - 9 + 36 + 50 + 66 = 148    (1,1): 3 + 8 + 44 + 60 = 115
  CHECK(integer_result(padded, {x, w, {100}}) == requantised({132, 88, 248, 215}));

  // Two groups of one channel, two results each; the weight of result m reads channel m / 2.
  const Network grouped = one_layer(
      "[1, 2, 1, 2]", R"("op": "Conv", "out_channels": 4, "kernel_shape": [1, 1], "group": 2, "bias": false)");
  CHECK(integer_result(grouped, {{1, 2, -3, 4}, {10, 20, 30, 40}}) ==
        requantised({10, 20, 20, 40, -90, 120, -120, 160}));

  // One spatial axis; batch of 2; channels are summed.
  const Network line = one_layer("[2, 2, 3]", R"("op": "Conv", "out_channels": 1, "kernel_shape": [2], "bias": false)");
  CHECK(integer_result(line, {{1, 2, 3, 4, 5, 6, -1, -2, -3, 0, 0, 1}, {1, 10, 100, -1}}) ==
        requantised({21 + 395, 32 + 494, -21, -32 - 1}));

  // A window altogether in the padding is the bias alone.
  const Network outside =
      one_layer("[1, 1, 1, 1]", R"("op": "Conv", "out_channels": 1, "kernel_shape": [1, 1], "pads": [0, 1, 0, 1])");
  CHECK(integer_result(outside, {{3}, {-4}, {7}}) == requantised({7, -5, 7}));
}

TEST_CASE("reference: an accumulator of 16 bits wraps before the bias is added") {
  const Network network = one_layer("[1, 6]", R"("op": "Gemm", "out_features": 1)");
  const Integers most(6, 127);
  // 6 * 127 * 127 = 96774, modulo 2^16 as a signed number 31238
  CHECK(integer_result(network, {most, most, {5}}, 32) == Integers{-74});
  CHECK(integer_result(network, {most, most, {5}}, 16) == Integers{60});
  CHECK(integer_result(network, {most, most, {5}}, 16) == requantised({31238 + 5}));
}

TEST_CASE("reference: Gemm, transposed or not, with C broadcast") {
  const Integers rows{1, 2, 3, 4, 5, 6};       // [2, 3]; transposed [3, 2] is 1 4 2 5 3 6
  const Integers columns{1, 0, -1, 2, 10, 3};  // [3, 2]; transposed [2, 3] is 1 -1 10 0 2 3
  // 1 - 2 + 30 = 29, 4 + 9 = 13; 4 - 5 + 60 = 59, 10 + 18 = 28
  const auto gemm = [](bool a, bool b, const std::string& c) {
    return weighted(a ? "[3, 2]" : "[2, 3]",
                    std::string(R"({"name": "w", "shape": )") + (b ? "[2, 3]" : "[3, 2]") + "}" +
                        (c.empty() ? "" : R"(, {"name": "c", "shape": )" + c + "}"),
                    c.empty() ? R"(["x", "w"])" : R"(["x", "w", "c"])",
                    std::string(R"("op": "Gemm", "transA": )") + (a ? "1" : "0") + R"(, "transB": )" + (b ? "1" : "0"));
  };
  const Integers rows_transposed{1, 4, 2, 5, 3, 6};
  const Integers columns_transposed{1, -1, 10, 0, 2, 3};
  const Integers plain = requantised({29, 13, 59, 28});
  CHECK(integer_result(gemm(false, false, ""), {rows, columns}) == plain);
  CHECK(integer_result(gemm(true, false, ""), {rows_transposed, columns}) == plain);
  CHECK(integer_result(gemm(false, true, ""), {rows, columns_transposed}) == plain);
  CHECK(integer_result(gemm(true, true, ""), {rows_transposed, columns_transposed}) == plain);
  CHECK(integer_result(gemm(false, false, "[2]"), {rows, columns, {100, 200}}) == requantised({129, 213, 159, 228}));
  CHECK(integer_result(gemm(false, false, "[2, 1]"), {rows, columns, {100, 200}}) == requantised({129, 113, 259, 228}));
  CHECK(integer_result(gemm(false, false, "[2, 2]"), {rows, columns, {1, 2, 3, 4}}) == requantised({30, 15, 62, 32}));
  CHECK(integer_result(gemm(false, false, "[]"), {rows, columns, {-9}}) == requantised({20, 4, 50, 19}));
}

TEST_CASE("reference: sums that are longer than one step, and more rows and columns than fit at once") {
  // x[m][k] = m + 1, w[k][n] = n % 7: the sum is 130 * (m + 1) * (n % 7).
  const Network network =
      weighted("[70, 130]", R"({"name": "w", "shape": [130, 1030]})", R"(["x", "w"])", R"("op": "Gemm")");
  Integers x;
  Integers w;
  std::vector<std::int64_t> sums;
  for (int m = 0; m < 70; ++m) x.insert(x.end(), 130, m + 1);
  for (int k = 0; k < 130; ++k)
    for (int n = 0; n < 1030; ++n) w.push_back(n % 7);
  for (int m = 0; m < 70; ++m)
    for (int n = 0; n < 1030; ++n) sums.push_back(130 * (m + 1) * (n % 7));
  CHECK(integer_result(network, {x, w}) == requantised(sums));
}

TEST_CASE("reference: wide types wrap modulo 2^32") {
  const Network network = network_of(R"("inputs": [{"name": "x", "shape": [1, 2]}], "weights":
      [{"name": "w", "shape": [2, 1]}], "layers": [{"name": "l", "op": "Gemm", "inputs": ["x", "w"]}])",
                                     1, "fp32");
  // 2^22 * 2^22 = 2^44 and 3 * 5: only 15 is left of the sum
  CHECK(integer_result(network, {{1 << 22, 3}, {1 << 22, 5}}) == requantised({15}, 24));
}

TEST_CASE("reference: MatMul with batches and vectors") {
  const std::string matmul = R"("op": "MatMul")";
  // A [2, 1, 1, 2] times B [3, 2, 1]: the batch is [2, 3].
  CHECK(integer_result(one_layer("[2, 1, 1, 2]", matmul, "[3, 2, 1]"), {{1, 2, -3, 4}, {1, 0, 0, 1, 5, 6}}) ==
        requantised({1, 2, 17, -3, 4, 9}));
  // A vector on the left is a row, on the right a column.
  CHECK(integer_result(one_layer("[2]", matmul, "[2, 2]"), {{1, 2}, {3, 4, 5, 6}}) == requantised({13, 16}));
  CHECK(integer_result(one_layer("[2, 2]", matmul, "[2]"), {{3, 4, 5, 6}, {1, 2}}) == requantised({11, 17}));
  CHECK(integer_result(one_layer("[2]", matmul, "[2]"), {{3, -4}, {5, 6}}) == requantised({-9}));
}

TEST_CASE("reference: MaxPool") {
  // Of the elements and their number: padding is none. Windows -5 -4 | -3 | -5 -4 -2 -9 | -3 -8
  const Network network =
      one_layer("[1, 1, 2, 3]", R"("op": "MaxPool", "kernel_shape": [2, 2], "pads": [1, 0, 0, 1], "strides": [1, 2])");
  CHECK(integer_result(network, {{-5, -4, -3, -2, -9, -8}}) ==
        spread({3 * -9 + 2, 3 * -3 + 1, 3 * -20 + 4, 3 * -11 + 2}));
  // Dilation 2: elements 0 and 2, 1 and 3.
  const Network dilated = one_layer("[1, 1, 4]", R"("op": "MaxPool", "kernel_shape": [2], "dilations": [2])");
  CHECK(integer_result(dilated, {{7, 1, 3, 2}}) == spread({3 * 10 + 2, 3 * 3 + 2}));
  // ceil_mode: the third window has one element.
  const Network ceiled =
      one_layer("[1, 1, 5]", R"("op": "MaxPool", "kernel_shape": [2], "strides": [2], "ceil_mode": 1)");
  CHECK(integer_result(ceiled, {{7, 1, 3, 2, -6}}) == spread({3 * 8 + 2, 3 * 5 + 2, 3 * -6 + 1}));
  CHECK(spread({-25, -8, -56, -31}) == Integers{-11, -78, -15, -77});
}

TEST_CASE("reference: AveragePool divides by the elements that count") {
  const auto mean = [](std::int64_t sum, std::int64_t count) { return sum + 5 * count; };
  const std::string attributes = R"("op": "AveragePool", "kernel_shape": [3], "strides": [3], "pads": [1, 0])";
  const Integers x{1, 2, 3, -4, -6, 100, 50};
  // Padded: . 1 2 | 3 -4 -6 | 100 50 with one element beyond
  const Network plain = one_layer("[1, 1, 7]", attributes);
  CHECK(integer_result(plain, {x}) == spread({mean(3, 2), mean(-7, 3)}));
  const Network ceiled = one_layer("[1, 1, 7]", attributes + R"(, "ceil_mode": 1)");
  CHECK(integer_result(ceiled, {x}) == spread({mean(3, 2), mean(-7, 3), mean(150, 2)}));
  // Padding counts, what lies beyond it does not.
  const Network counted = one_layer("[1, 1, 7]", attributes + R"(, "ceil_mode": 1, "count_include_pad": 1)");
  CHECK(integer_result(counted, {x}) == spread({mean(3, 3), mean(-7, 3), mean(150, 2)}));
  const Network wide = one_layer("[1, 1, 7]", R"("op": "AveragePool", "kernel_shape": [4], "strides": [3],
      "pads": [1, 1], "ceil_mode": 1, "count_include_pad": 1)");
  // Padded: . 1 2 3 | 3 -4 -6 100 | 100 50 . with one element beyond
  CHECK(integer_result(wide, {x}) == spread({mean(6, 4), mean(93, 4), mean(150, 3)}));
  // In the plane: 2 x 2 windows in the corners of 3 x 3 with padding all round, dilation 2.
  const Network plane = one_layer("[1, 1, 3, 3]", R"("op": "AveragePool", "kernel_shape": [2, 2], "strides": [2, 2],
      "pads": [1, 1, 1, 1], "dilations": [2, 2])");
  // Taps at -1 and 1, and at 1 and 3: the middle element alone, in all four windows.
  CHECK(integer_result(plane, {{1, 2, 3, 4, 5, 6, 7, 8, 9}}) ==
        spread({mean(5, 1), mean(5, 1), mean(5, 1), mean(5, 1)}));
}

TEST_CASE("reference: GlobalAveragePool") {
  const Network network = one_layer("[1, 2, 1, 3]", R"("op": "GlobalAveragePool")");
  CHECK(integer_result(network, {{1, 2, 4, -1, -2, -4}}) == spread({7 + 15, -7 + 15}));
  const Network line = one_layer("[2, 1, 2]", R"("op": "GlobalAveragePool")");
  CHECK(integer_result(line, {{1, 2, 3, 5}}) == spread({3 + 10, 8 + 10}));
}

TEST_CASE("reference: Add and Mul with broadcasting") {
  CHECK(integer_result(one_layer("[2, 1]", R"("op": "Add")", "[3]"), {{10, -20}, {1, 2, 3}}) ==
        spread({11, 12, 13, -19, -18, -17}));
  CHECK(integer_result(one_layer("[2, 1]", R"("op": "Mul")", "[3]"), {{10, -20}, {1, 2, 3}}) ==
        Integers{-68, -94, -105, 69, 65, -35});
  CHECK(integer_result(one_layer("[]", R"("op": "Mul")", "[2]"), {{-128}, {-128, 127}}) == Integers{117, 115});
  CHECK(integer_result(one_layer("[2, 2]", R"("op": "Add")", "[1, 1, 1]"), {{1, 2, 3, 4}, {-4}}) ==
        spread({-3, -2, -1, 0}));
}

TEST_CASE("reference: operators of elements whose operands have an order") {
  const auto result = [](const std::string& op) {
    return integer_result(one_layer("[4]", R"("op": ")" + op + "\"", "[4]"), {{10, -20, 0, 127}, {3, 7, 0, -128}});
  };
  CHECK(result("Sub") == Integers{103, 38, -37, 115});
  CHECK(result("Div") == Integers{-27, 102, -37, 11});
  CHECK(result("Pow") == Integers{-63, -48, -37, -31});
  CHECK(result("PRelu") == Integers{-5, -59, -37, -45});
  CHECK(integer_result(weighted("[4]", R"({"name": "c", "shape": [4]}, {"name": "b", "shape": [4]})",
                                R"(["c", "x", "b"])", R"("op": "Where")"),
                       {{1, 2, -1, 0}, {10, 10, -20, 0}, {3, 3, 7, 0}}) == Integers{-11, 106, 20, -37});
}

TEST_CASE("reference: activations") {
  const auto activated = [](const std::string& layer) {
    return integer_result(one_layer("[6]", layer), {{-128, -97, -1, 0, 97, 127}});
  };
  CHECK(activated(R"("op": "Relu")") == Integers{-125, -98, -2, 0, 97, 127});
  CHECK(activated(R"("op": "LeakyRelu")") == Integers{-127, -34, -2, 0, 97, 127});
  CHECK(activated(R"("op": "Clip", "min": 0, "max": 6)") == Integers{-58, -83, 28, -3, 32, -6});
  CHECK(activated(R"("op": "Clip", "min": -0.0, "max": 6)") == Integers{-58, -83, 28, -3, 32, -6});
  CHECK(activated(R"("op": "Clip", "min": -1, "max": 1)") == Integers{63, -18, 83, 21, -72, 44});
  CHECK(activated(R"("op": "Clip", "min": -1, "max": 0)") == Integers{42, 38, -109, 85, -106, -50});
  CHECK(activated(R"("op": "Sigmoid")") == Integers{-40, 5, 79, -14, -65, 33});
  CHECK(activated(R"("op": "Tanh")") == Integers{-120, -35, 31, 93, 51, 66});
  CHECK(activated(R"("op": "Gelu")") == Integers{48, 79, -112, 94, 105, -51});
  CHECK(activated(R"("op": "Neg")") == Integers{84, -57, 69, 43, -28, 24});
  CHECK(activated(R"("op": "Sqrt")") == Integers{-6, 96, 51, 28, 24, 8});
  CHECK(activated(R"("op": "Exp")") == Integers{-76, 52, 69, -23, 71, 24});
  CHECK(activated(R"("op": "Erf")") == Integers{104, 19, -65, -97, -119, -47});
  CHECK(activated(R"("op": "Silu")") == Integers{-40, -10, 45, -14, 21, 82});
  CHECK(activated(R"("op": "HardSigmoid")") == Integers{-109, -99, 31, -50, -1, 66});
  CHECK(activated(R"("op": "HardSwish")") == Integers{-6, -73, 31, 28, 22, 66});
  CHECK(integer_result(with_precision("int4", "[4]", R"("op": "Clip", "min": -2, "max": 6)"), {{-8, -6, 5, 7}}) ==
        Integers{-1, 5, -2, 0});
}

TEST_CASE("reference: fused activations act in order on the result") {
  const Network network = fuse_activations(network_of(R"("inputs": [{"name": "x", "shape": [4]},
      {"name": "y", "shape": [4]}], "layers": [{"name": "sum", "op": "Add", "inputs": ["x", "y"]},
      {"name": "relu", "op": "Relu", "inputs": ["sum"]}, {"name": "tanh", "op": "Tanh", "inputs": ["relu"]}])"));
  REQUIRE(network.operators.size() == 1);
  // Sums 1, -1, 5, 120 -> -50, -88, 28, -17 -> -119, -53, 28, -82
  CHECK(integer_result(network, {{0, 0, 2, 120}, {1, -1, 3, 0}}) == Integers{-38, 15, -7, -70});
}

TEST_CASE("reference: Softmax looks exponentials up") {
  // E: 16, 18, 20, …, E[127] = 55727, E[128] = 59210, E[255] = 130685670
  const Network row = one_layer("[4]", R"("op": "Softmax")");
  CHECK(integer_result(row, {{-128, 127, 0, -1}}) == Integers{109, 91, -37, -86});
  const Integers shares = requantised({2, 16762471, 7594, 7147});
  CHECK(shares == Integers{60, -57, 89, 22});
  CHECK(integer_result(row, {{-128, 127, 0, -1}}) ==
        spread({-128 + shares[0], 127 + shares[1], shares[2], -1 + shares[3]}));
  CHECK(integer_result(one_layer("[1]", R"("op": "Softmax")"), {{5}}) == Integers{-115});  // 2^24
  CHECK(integer_result(with_precision("int4", "[3]", R"("op": "Softmax")"), {{-8, 7, 0}}) == Integers{7, -2, 0});
  CHECK(integer_result(with_precision("int16", "[4]", R"("op": "Softmax")"), {{-32768, 32767, 255, 256}}) ==
        Integers{3188, -11238, 27965, -15201});
  CHECK(integer_result(with_precision("fp32", "[3]", R"("op": "Softmax")"), {{-8388608, 8388607, 0}}) ==
        Integers{-6859411, 2661708, -8187992});
  // Along the first axis: columns -128 -128 -127 and 5.
  const Network columns = one_layer("[3, 2]", R"("op": "Softmax", "axis": 0)");
  const Integers result = integer_result(columns, {{-128, 5, -128, 5, -127, 5}});
  CHECK(Integers{result[0], result[2], result[4]} == Integers{108, 108, 65});
  CHECK(Integers{result[1], result[3], result[5]} == Integers{121, 121, 121});
}

TEST_CASE("reference: LayerNormalization") {
  const Network row = one_layer("[4]", R"("op": "LayerNormalization")");
  // n = 4, S1 = 10, S2 = 70: r = floor(sqrt(180)) + 1 = 14, d = -6 -18 6 18, q = -110 -330 109 329
  CHECK(integer_result(row, {{1, -2, 4, 7}, {3, -5, 7, 1000000}, {10, -20, 30, -40}}) == Integers{68, -53, 114, 51});
  const Integers shares = requantised({-110 * 3 + 10, 330 * 5 - 20, 109 * 7 + 30, 329000000 - 40});
  CHECK(shares == Integers{58, 101, 25, -19});
  CHECK(spread({1 + 58, -2 + 101, 4 + 25, 7 - 19}) == Integers{68, -53, 114, 51});
  // All equal: the root is 0, r is 1, q is 0. Two rows of [3], normalised from axis 1.
  const Network rows = one_layer("[2, 3]", R"("op": "LayerNormalization", "axis": 1)");
  const Integers result = integer_result(rows, {{5, 5, 5, -128, -128, -128}, {9, 9, 9}, {1, 2, 3}});
  CHECK(result == Integers{-42, 44, 64, 5, 109, -99});
  // From axis 0 over all; no bias.
  const Network all = one_layer("[2, 2]", R"("op": "LayerNormalization", "axis": 0, "bias": false)");
  CHECK(integer_result(all, {{1, -2, 4, 7}, {1, 1, 1, 1}}) == Integers{28, 112, -18, -85});
  CHECK(integer_result(with_precision("int16", "[2]", R"("op": "LayerNormalization")"),
                       {{-32768, 32767}, {1, 1}, {0, 0}}) == Integers{-30125, 16096});
}

TEST_CASE("reference: Gather") {
  const auto gather = [](const std::string& indices, int axis) {
    return network_of(R"("inputs": [{"name": "x", "shape": [3, 2]}, {"name": "i", "shape": )" + indices +
                      R"(}], "layers": [{"name": "l", "op": "Gather", "inputs": ["x", "i"], "axis": )" +
                      std::to_string(axis) + "}]");
  };
  const Integers table{1, 2, 3, 4, 5, 6};
  CHECK(integer_result(gather("[2]", 0), {table, {2, 0}}) == Integers{5, 6, 1, 2});
  CHECK(integer_result(gather("[2, 1]", 1), {table, {1, 1}}) == Integers{2, 2, 4, 4, 6, 6});
  CHECK(integer_result(gather("[]", 0), {table, {1}}) == Integers{3, 4});
  // Modulo the rows, never negative.
  CHECK(integer_result(gather("[4]", 0), {table, {3, -1, -3, 1000000001}}) == Integers{1, 2, 5, 6, 1, 2, 5, 6});
}

TEST_CASE("reference: Transpose and Concat move elements as they are") {
  const Integers x{1, 2, 3, 4, 5, 6};
  CHECK(integer_result(one_layer("[2, 3]", R"("op": "Transpose")"), {x}) == Integers{1, 4, 2, 5, 3, 6});
  CHECK(integer_result(one_layer("[1, 2, 3]", R"("op": "Transpose", "perm": [2, 0, 1])"), {x}) ==
        Integers{1, 4, 2, 5, 3, 6});
  CHECK(integer_result(one_layer("[2, 2]", R"("op": "Concat", "axis": 1)", "[2, 1]"), {{1, 2, 3, 4}, {-5, -6}}) ==
        Integers{1, 2, -5, 3, 4, -6});
  CHECK(integer_result(one_layer("[1, 2]", R"("op": "Concat", "axis": 0)", "[2, 2]"), {{1, 2}, {3, 4, 5, 6}}) == x);
}
