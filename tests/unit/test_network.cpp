#include <random>

#include "model/workload/network.h"
#include "tests/catch.h"
#include "tests/unit/test_network_helpers.h"

namespace accsim::model {

using namespace accsim::tests;

TEST_CASE("convolution shapes follow kernel, stride, padding and dilation") {
  const auto conv = [](const std::string& in, const std::string& attributes) {
    return shape_of(one_layer(in, R"("op": "Conv", "out_channels": 8, )" + attributes), "l");
  };
  CHECK(conv("[1, 4, 32, 32]", R"("kernel_shape": [3, 3])") == Shape{1, 8, 30, 30});
  CHECK(conv("[1, 4, 32, 32]", R"("kernel_shape": [3, 3], "pads": [1, 1, 1, 1])") == Shape{1, 8, 32, 32});
  CHECK(conv("[1, 4, 32, 33]", R"("kernel_shape": [3, 3], "strides": [2, 2])") == Shape{1, 8, 15, 16});
  CHECK(conv("[1, 4, 32, 32]", R"("kernel_shape": [3, 3], "dilations": [2, 3])") == Shape{1, 8, 28, 26});
  CHECK(conv("[1, 4, 9, 9]", R"("kernel_shape": [3, 1], "pads": [0, 2, 1, 3])") == Shape{1, 8, 8, 14});
  CHECK(conv("[2, 4, 50]", R"("kernel_shape": [5], "strides": [2], "pads": [2, 2])") == Shape{2, 8, 25});
  CHECK(conv("[1, 4, 5, 5]", R"("kernel_shape": [5, 5])") == Shape{1, 8, 1, 1});
}

TEST_CASE("auto_pad fills in the padding") {
  const auto pads = [](const std::string& mode) {
    const Network net = one_layer("[1, 4, 10, 7]", R"("op": "Conv", "out_channels": 8, "kernel_shape": [3, 4],
                                                     "strides": [2, 1], "auto_pad": ")" +
                                                       mode + "\"");
    return std::pair(std::get<ConvAttributes>(net.operators[0].attributes).pads, shape_of(net, "l"));
  };
  using Pads = std::array<std::int64_t, 4>;
  // Height: 5 outputs reach (5-1)*2+3 = 11 of 10. Width: 7 outputs reach 6+4 = 10 of 7.
  CHECK(pads("SAME_UPPER") == std::pair(Pads{0, 1, 1, 2}, Shape{1, 8, 5, 7}));
  CHECK(pads("SAME_LOWER") == std::pair(Pads{1, 2, 0, 1}, Shape{1, 8, 5, 7}));
  CHECK(pads("VALID") == std::pair(Pads{0, 0, 0, 0}, Shape{1, 8, 4, 4}));
}

TEST_CASE("convolution weights appear under the layer's name, biases are int32 in integer networks") {
  const Network net =
      one_layer("[1, 8, 4, 4]", R"("op": "Conv", "out_channels": 12, "kernel_shape": [3, 2], "group": 4)");
  CHECK(shape_of(net, "l.weight") == Shape{12, 2, 3, 2});
  CHECK(shape_of(net, "l.bias") == Shape{12});
  CHECK(tensor_called(net, "l.weight").type == DataType::int8);
  CHECK(tensor_called(net, "l.bias").type == DataType::int32);
  CHECK(tensor_called(net, "l.bias").kind == TensorKind::weight);
  CHECK(net.operators[0].inputs.size() == 3);
  CHECK(total_parameters(net) == 12 * 2 * 3 * 2 + 12);
  CHECK(total_macs(net) == Macs(12 * 2 * 3 * (2 * 3 * 2)));

  const Network half = network_of(R"("inputs": [{"name": "x", "shape": [4, 6]}],
                                     "layers": [{"name": "l", "op": "Gemm", "inputs": ["x"], "out_features": 5}])",
                                  1, "fp16");
  CHECK(tensor_called(half, "l.bias").type == DataType::fp16);
  CHECK(shape_of(half, "l.weight") == Shape{6, 5});
}

TEST_CASE("pooling shapes, with and without ceil_mode") {
  const auto pool = [](const std::string& in, const std::string& attributes) {
    return shape_of(one_layer(in, R"("op": "MaxPool", )" + attributes), "l");
  };
  CHECK(pool("[1, 3, 112, 112]", R"("kernel_shape": [3, 3], "strides": [2, 2])") == Shape{1, 3, 55, 55});
  CHECK(pool("[1, 3, 112, 112]", R"("kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1)") ==
        Shape{1, 3, 56, 56});
  // A window that would start in the padding at the end is left out: ceil((4+2-1)/4)+1 = 3 windows start at -1, 3, 7.
  CHECK(pool("[1, 3, 4]", R"("kernel_shape": [2], "strides": [4], "pads": [1, 1], "ceil_mode": 1)") == Shape{1, 3, 2});
  CHECK(pool("[1, 3, 8]", R"("kernel_shape": [2])") == Shape{1, 3, 7});
  CHECK(shape_of(one_layer("[2, 3, 7, 9]", R"("op": "GlobalAveragePool")"), "l") == Shape{2, 3, 1, 1});
  CHECK(shape_of(one_layer("[2, 3, 7]", R"("op": "GlobalAveragePool")"), "l") == Shape{2, 3, 1});
}

TEST_CASE("matrix products") {
  CHECK(shape_of(one_layer("[7, 6]", R"("op": "Gemm", "out_features": 5, "transB": 1)"), "l") == Shape{7, 5});
  CHECK(shape_of(one_layer("[6, 7]", R"("op": "Gemm", "out_features": 5, "transA": 1)"), "l") == Shape{7, 5});
  CHECK(shape_of(one_layer("[7, 6]", R"("op": "Gemm", "transB": 1, "bias": false)", "[5, 6]"), "l") == Shape{7, 5});
  const auto matmul = [](const std::string& a, const std::string& b) {
    const Network net = one_layer(a, R"("op": "MatMul")", b);
    return std::pair(shape_of(net, "l"), total_macs(net).value());
  };
  CHECK(matmul("[7, 6]", "[6, 5]") == std::pair(Shape{7, 5}, std::int64_t{210}));
  CHECK(matmul("[2, 3, 7, 6]", "[6, 5]") == std::pair(Shape{2, 3, 7, 5}, std::int64_t{6 * 210}));
  CHECK(matmul("[2, 1, 7, 6]", "[3, 6, 5]") == std::pair(Shape{2, 3, 7, 5}, std::int64_t{6 * 210}));
  CHECK(matmul("[6]", "[6, 5]") == std::pair(Shape{5}, std::int64_t{30}));
  CHECK(matmul("[2, 7, 6]", "[6]") == std::pair(Shape{2, 7}, std::int64_t{84}));
  CHECK(matmul("[6]", "[6]") == std::pair(Shape{}, std::int64_t{6}));
}

TEST_CASE("shapes of the other operators") {
  CHECK(shape_of(one_layer("[2, 1, 4]", R"("op": "Add")", "[3, 1]"), "l") == Shape{2, 3, 4});
  CHECK(shape_of(one_layer("[]", R"("op": "Mul")", "[3, 1]"), "l") == Shape{3, 1});
  CHECK(shape_of(one_layer("[2, 3, 4]", R"("op": "Flatten")"), "l") == Shape{2, 12});
  CHECK(shape_of(one_layer("[2, 3, 4]", R"("op": "Flatten", "axis": 0)"), "l") == Shape{1, 24});
  CHECK(shape_of(one_layer("[2, 3, 4]", R"("op": "Flatten", "axis": 3)"), "l") == Shape{24, 1});
  CHECK(shape_of(one_layer("[2, 3, 4]", R"("op": "Flatten", "axis": -1)"), "l") == Shape{6, 4});
  CHECK(shape_of(one_layer("[2, 3, 4]", R"("op": "Reshape", "shape": [0, -1])"), "l") == Shape{2, 12});
  CHECK(shape_of(one_layer("[2, 3, 4]", R"("op": "Reshape", "shape": [4, 3, 2])"), "l") == Shape{4, 3, 2});
  CHECK(shape_of(one_layer("[1, 1]", R"("op": "Reshape", "shape": [])"), "l").empty());
  CHECK(shape_of(one_layer("[2, 3, 4]", R"("op": "Transpose")"), "l") == Shape{4, 3, 2});
  CHECK(shape_of(one_layer("[2, 3, 4]", R"("op": "Transpose", "perm": [1, 2, 0])"), "l") == Shape{3, 4, 2});
  CHECK(shape_of(one_layer("[2, 3, 4]", R"("op": "Concat", "axis": -2)", "[2, 5, 4]"), "l") == Shape{2, 8, 4});
  CHECK(shape_of(one_layer("[2, 3, 4]", R"("op": "Softmax")"), "l") == Shape{2, 3, 4});
  CHECK(shape_of(one_layer("[10, 3, 4]", R"("op": "Gather", "axis": 1)", "[5, 6]"), "l") == Shape{10, 5, 6, 4});
}

TEST_CASE("attributes are stored resolved") {
  const auto axis = [](const std::string& op, const std::string& more) {
    return std::get<AxisAttributes>(one_layer("[2, 3, 4]", "\"op\": \"" + op + "\"" + more).operators[0].attributes)
        .axis;
  };
  CHECK(axis("Softmax", "") == 2);
  CHECK(axis("LayerNormalization", R"(, "axis": -2)") == 1);
  CHECK(axis("Flatten", R"(, "axis": -3)") == 0);
  const Network net = one_layer("[2, 3, 4]", R"("op": "Transpose")");
  CHECK(std::get<TransposeAttributes>(net.operators[0].attributes).perm == std::vector<std::int64_t>{2, 1, 0});
  const auto clip =
      std::get<ClipAttributes>(one_layer("[2]", R"("op": "Clip", "min": -1.5, "max": 4)").operators[0].attributes);
  CHECK(clip.min == -1.5);
  CHECK(clip.max == 4.0);
}

TEST_CASE("layer normalization brings scale and bias of the normalised shape") {
  const Network net = one_layer("[2, 3, 4]", R"("op": "LayerNormalization", "axis": 1)");
  CHECK(shape_of(net, "l.scale") == Shape{3, 4});
  CHECK(tensor_called(net, "l.scale").type == DataType::int32);
  CHECK(total_parameters(net) == 24);
  CHECK(total_parameters(one_layer("[2, 3, 4]", R"("op": "LayerNormalization", "bias": false)")) == 4);
}

TEST_CASE("declared constants serve as weights, biases, tables and operands") {
  const Network net = network_of(R"(
    "inputs": [{"name": "ids", "shape": [1, 6]}],
    "weights": [{"name": "table", "shape": [100, 8]}, {"name": "w", "shape": [8, 4]}, {"name": "c", "shape": [4]},
                {"name": "offset", "shape": []}, {"name": "unused", "shape": [1000]}],
    "layers": [{"name": "e", "op": "Gather", "inputs": ["table", "ids"]},
               {"name": "rows", "op": "Reshape", "inputs": ["e"], "shape": [-1, 8]},
               {"name": "g", "op": "Gemm", "inputs": ["rows", "w", "c"]},
               {"name": "a", "op": "Add", "inputs": ["g", "offset"]}])");
  CHECK(shape_of(net, "e") == Shape{1, 6, 8});
  CHECK(tensor_called(net, "ids").type == DataType::int32);
  CHECK(tensor_called(net, "c").type == DataType::int32);
  CHECK(tensor_called(net, "table").type == DataType::int8);
  CHECK(total_parameters(net) == 800 + 32 + 4 + 1);
  CHECK(total_macs(net) == Macs(6 * 8 * 4));
  CHECK(std::get<GemmAttributes>(layer_called(net, "g").attributes).bias);
}

TEST_CASE("layers may stand in any order and a sorted file keeps its own") {
  const Network net = network_of(R"("inputs": [{"name": "x", "shape": [4]}],
    "layers": [{"name": "c", "op": "Add", "inputs": ["a", "b"]}, {"name": "b", "op": "Tanh", "inputs": ["x"]},
               {"name": "a", "op": "Relu", "inputs": ["b"]}, {"name": "d", "op": "Relu", "inputs": ["x"]}])");
  std::vector<std::string> order;
  for (const Operator& op : net.operators) order.push_back(op.name);
  CHECK(order == std::vector<std::string>{"b", "a", "c", "d"});
  CHECK(boost::num_vertices(net.graph) == 4);
  CHECK(boost::num_edges(net.graph) == 3);
  CHECK(net.outputs == std::vector<TensorId>{tensor_called(net, "c").id, tensor_called(net, "d").id});
  CHECK(tensor_called(net, "b").consumers == std::vector<OpId>{OpId(1), OpId(2)});
  CHECK(tensor_called(net, "c").producer == OpId(2));

  // A long chain, shuffled: every order must be found, and the sorted file must come out as it is.
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<int> file(30);
    for (int i = 0; i < 30; ++i) file[static_cast<std::size_t>(i)] = i;
    if (round > 0) std::shuffle(file.begin(), file.end(), random);
    std::string layers;
    for (const int i : file) {
      const std::string from = i == 0 ? "x" : "l" + std::to_string(i - 1);
      layers += std::string(layers.empty() ? "" : ", ") + R"({"name": "l)" + std::to_string(i) +
                R"(", "op": "Relu", "inputs": [")" + from + "\"]}";
    }
    const Network chain = network_of(R"("inputs": [{"name": "x", "shape": [4]}], "layers": [)" + layers + "]");
    for (std::size_t i = 0; i < 30; ++i) CHECK(chain.operators[i].name == "l" + std::to_string(i));
  }
}

TEST_CASE("a layer may read one tensor twice and name its output otherwise") {
  const Network net = network_of(R"("inputs": [{"name": "x", "shape": [4]}], "outputs": ["y"],
    "layers": [{"name": "l", "op": "Add", "inputs": ["x", "x"], "outputs": ["y"]}, {"name": "m", "op": "Relu", "inputs": ["y"]}])");
  CHECK(tensor_called(net, "x").consumers.size() == 1);
  CHECK(tensor_called(net, "y").network_output);
  CHECK_FALSE(tensor_called(net, "m").network_output);
}

TEST_CASE("aliases share the storage of their root") {
  const Network net = network_of(R"("inputs": [{"name": "x", "shape": [2, 12]}],
    "layers": [{"name": "r", "op": "Reshape", "inputs": ["x"], "shape": [2, 3, 4]},
               {"name": "f", "op": "Flatten", "inputs": ["r"]}, {"name": "t", "op": "Relu", "inputs": ["f"]}])");
  CHECK(tensor_called(net, "r").storage == tensor_called(net, "x").id);
  CHECK(tensor_called(net, "f").storage == tensor_called(net, "x").id);
  CHECK(tensor_called(net, "t").storage == tensor_called(net, "t").id);
  CHECK(compulsory_bytes(net) == Bytes(24 + 24));
  CHECK_THROWS_AS(loop_nest_of(net, layer_called(net, "r").id), InternalError);
}

TEST_CASE("batch multiplies the first dimension of the inputs") {
  const std::string body = R"("inputs": [{"name": "x", "shape": [1, 3, 8, 8]}],
    "layers": [{"name": "c", "op": "Conv", "inputs": ["x"], "out_channels": 4, "kernel_shape": [3, 3]},
               {"name": "f", "op": "Flatten", "inputs": ["c"]},
               {"name": "g", "op": "Gemm", "inputs": ["f"], "out_features": 10}])";
  const Network one = network_of(body);
  const Network five = network_of(body, 5);
  CHECK(shape_of(five, "g") == Shape{5, 10});
  CHECK(total_macs(five) == 5 * total_macs(one));
  CHECK(total_parameters(five) == total_parameters(one));
}

TEST_CASE("compulsory bytes count what is read and written once") {
  // Every other row and column of the input is never touched by a 1x1 convolution of stride 2.
  const Network strided = one_layer(
      "[1, 4, 8, 8]", R"("op": "Conv", "out_channels": 4, "kernel_shape": [1, 1], "strides": [2, 2], "bias": false)");
  CHECK(compulsory_bytes(strided) == Bytes(4 * 4 * 4 + 16 + 4 * 4 * 4));
  // Windows of 2 at distance 3 leave a third out; the last column is not reached.
  const Network gaps = one_layer("[1, 1, 9]", R"("op": "MaxPool", "kernel_shape": [2], "strides": [3])");
  CHECK(compulsory_bytes(gaps) == Bytes(6 + 3));
  // A table: only the rows in use, or all of a small one.
  const auto gather = [](const std::string& table, const std::string& ids) {
    return compulsory_bytes(one_layer(table, R"("op": "Gather")", ids)).value();
  };
  CHECK(gather("[1000, 16]", "[10]") == 10 * 16 + 10 * 4 + 10 * 16);
  CHECK(gather("[2, 16]", "[10]") == 2 * 16 + 10 * 4 + 10 * 16);
  // Two readers of one tensor need it once.
  const Network twice = network_of(R"("inputs": [{"name": "x", "shape": [100]}],
    "layers": [{"name": "a", "op": "Relu", "inputs": ["x"]}, {"name": "b", "op": "Tanh", "inputs": ["x"]}])");
  CHECK(compulsory_bytes(twice) == Bytes(300));
  // int4: two elements a byte.
  const Network packed =
      network_of(R"("inputs": [{"name": "x", "shape": [5]}], "layers": [{"name": "a", "op": "Relu", "inputs": ["x"]}])",
                 1, "int4");
  CHECK(compulsory_bytes(packed) == Bytes(3 + 3));
  CHECK(packed.bytes_of(TensorId(0)) == Bytes(3));
}

TEST_CASE("gather rows are fixed, in range and spread") {
  CHECK(gather_row(1, 0, 1000) == gather_row(1, 0, 1000));
  CHECK(gather_index(0, 0) == (0xE220A8397B1DCDAFULL >> 33U));  // SplitMix64's first
  CHECK(gather_row(0, 0, std::int64_t{1} << 31) == (0xE220A8397B1DCDAFULL >> 33U));
  std::vector<int> hits(10, 0);
  for (std::int64_t i = 0; i < 10'000; ++i) {
    const std::int64_t row = gather_row(3, i, 10);
    REQUIRE(row >= 0);
    REQUIRE(row < 10);
    ++hits[static_cast<std::size_t>(row)];
  }
  for (const int hit : hits) CHECK((hit > 800 && hit < 1200));
  CHECK(gather_row(5, 12345, 1) == 0);
}

}  // namespace accsim::model
