// Every mistake in a network file is one clear line: file, JSON path, layer, what was found, what is allowed.
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/catch.h"
#include "tests/unit/test_network_helpers.h"

namespace accsim::model {

using namespace accsim::tests;

namespace {

template <class Act>
std::string error_of(Act act) {
  try {
    act();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

std::string body_error(const std::string& body) {
  return error_of([&] { network_of(body); });
}

// Error of one layer "l" on inputs x (and y).
std::string layer_error(const std::string& x, const std::string& layer, const std::string& y = "") {
  return error_of([&] { one_layer(x, layer, y); });
}

std::string text_error(const std::string& text) {
  return error_of([&] { parse_network(parse_json(text, "t.json"), "t.json"); });
}

const std::string kInput = R"("inputs": [{"name": "x", "shape": [4, 4]}], )";

bool starts_with(const std::string& text, const std::string& begin) { return text.rfind(begin, 0) == 0; }

}  // namespace

TEST_CASE("network errors: the frame of the file") {
  CHECK(text_error("[]") == "t.json: expected an object with \"schema\": \"accsim-net/1\", found a list");
  CHECK(text_error("{}") == "t.json: missing key \"schema\", expected \"accsim-net/1\"");
  CHECK(text_error(R"({"schema": "accsim-arch/1"})") ==
        "t.json: schema: expected \"accsim-net/1\", found \"accsim-arch/1\"");
  CHECK(body_error(R"("inputs": [{"name": "x", "shape": [4]}])") ==
        "t.json: missing key \"layers\" (list: the operators)");
  CHECK(body_error(kInput + R"("layers": {})") == "t.json: layers: expected a list of layers, found an object");
  CHECK(body_error(kInput + R"("layers": [])") == "t.json: layers: expected 1 to 100000 layers, found 0");
  CHECK(body_error(kInput + R"("layers": [3])") == "t.json: layers[0]: expected an object (a layer), found 3");
  CHECK(body_error(kInput + R"("layer": [])") ==
        "t.json: unknown key \"layer\"; allowed: schema, name, precision, inputs, weights, outputs, layers; did you "
        "mean \"layers\"?");
  CHECK(error_of([] { network_of(kInput + R"("layers": [])", 1, "int7"); }) ==
        "t.json: precision: expected one of \"int4\", \"int8\", \"int16\", \"fp16\", \"bf16\", \"fp32\", found "
        "\"int7\"; did you mean \"int4\"?");
  CHECK(error_of([] {
          network_of(
              R"("inputs": [{"name": "x", "shape": [2]}], "layers": [{"name": "l", "op": "Relu", "inputs": ["x"]}])",
              0);
        }) == "batch: expected an integer from 1 to 65536, found 0");
  CHECK(error_of([] {
          network_of(
              R"("inputs": [{"name": "x", "shape": []}], "layers": [{"name": "l", "op": "Relu", "inputs": ["x"]}])", 2);
        }) == "t.json: inputs[0].shape: a scalar input has no batch dimension to multiply");
}

TEST_CASE("network errors: keys and values of a layer name the layer") {
  CHECK(
      layer_error("[4]", R"("op": "Rleu")") ==
      "t.json: layers[0].op: expected one of \"Conv\", \"Gemm\", \"MatMul\", \"MaxPool\", \"AveragePool\", "
      "\"GlobalAveragePool\", "
      "\"Add\", \"Mul\", \"Relu\", \"Clip\", \"Sigmoid\", \"Tanh\", \"Gelu\", \"Softmax\", \"LayerNormalization\", "
      "\"Gather\", "
      "\"Flatten\", \"Reshape\", \"Transpose\", \"Concat\", \"Sub\", \"Div\", \"Pow\", \"PRelu\", \"Where\", \"Neg\", "
      "\"Sqrt\", \"Exp\", \"Erf\", \"LeakyRelu\", \"HardSigmoid\", \"HardSwish\", \"Silu\", \"QuantizeLinear\", "
      "\"DequantizeLinear\", \"RMSNormalization\", \"ReduceMean\", \"Slice\", \"Expand\", \"Pad\", \"Resize\", "
      "\"DepthToSpace\", found \"Rleu\"; did you mean \"Relu\"? (layer \"l\")");
  CHECK(layer_error("[4]", R"("op": "Relu", "alpha": 1)") ==
        "t.json: layers[0]: unknown key \"alpha\"; allowed: name, op, inputs, outputs (layer \"l\")");
  CHECK(layer_error("[1, 2, 4, 4]", R"("op": "MaxPool", "kernel_shape": [2, "2"])") ==
        "t.json: layers[0].kernel_shape[1]: expected an integer from 1 to 1048576, found \"2\" (layer \"l\")");
  CHECK(layer_error("[1, 2, 4, 4]", R"("op": "MaxPool", "kernel_shape": [2, -2])") ==
        "t.json: layers[0].kernel_shape[1]: expected an integer from 1 to 1048576, found -2 (layer \"l\")");
  CHECK(starts_with(layer_error("[1, 2, 4, 4]", R"("op": "MaxPool")"),
                    "t.json: layers[0]: missing key \"kernel_shape\""));
  CHECK(layer_error("[4, 4]", R"("op": "Gemm", "out_features": 4, "bias": 1)") ==
        "t.json: layers[0].bias: expected true or false, found 1 (layer \"l\")");
  CHECK(body_error(kInput + R"("layers": [{"name": "l", "inputs": ["x"]}])") ==
        "t.json: layers[0]: missing key \"op\" (the operator, as in ONNX) (layer \"l\")");
  CHECK(starts_with(body_error(kInput + R"("layers": [{"op": "Relu", "inputs": ["x"]}])"),
                    "t.json: layers[0]: missing key \"name\""));
  CHECK(body_error(kInput + R"("layers": [{"name": "l", "op": "Add", "inputs": ["x"]}])") ==
        "t.json: layers[0].inputs: expected a list of 2 to 2 entries, found 1 (layer \"l\")");
  CHECK(body_error(kInput + R"("layers": [{"name": "", "op": "Relu", "inputs": ["x"]}])") ==
        "t.json: layers[0].name: expected a name, found an empty string (layer \"\")");
  CHECK(body_error(kInput + R"("layers": [{"name": "a\nb", "op": "Relu", "inputs": ["x"]}])") ==
        "t.json: layers[0].name: control character in a name, found \"a\\nb\" (layer \"a\\nb\")");
}

TEST_CASE("network errors: tensors") {
  CHECK(
      body_error(
          kInput +
          R"("layers": [{"name": "first", "op": "Relu", "inputs": ["x"]}, {"name": "l", "op": "Add", "inputs": ["x", "fist"]}])") ==
      "t.json: layers[1].inputs[1]: layer \"l\": there is no tensor \"fist\"; did you mean \"first\"?");
  CHECK(body_error(kInput + R"("outputs": ["y"], "layers": [{"name": "l", "op": "Relu", "inputs": ["x"]}])") ==
        "t.json: outputs[0]: there is no tensor \"y\"");
  CHECK(body_error(kInput + R"("outputs": ["x"], "layers": [{"name": "l", "op": "Relu", "inputs": ["x"]}])") ==
        "t.json: outputs[0]: \"x\" is not computed by any layer");
  CHECK(body_error(kInput + R"("outputs": ["l", "l"], "layers": [{"name": "l", "op": "Relu", "inputs": ["x"]}])") ==
        "t.json: outputs[1]: tensor \"l\" is listed twice");
  CHECK(
      body_error(
          kInput +
          R"("layers": [{"name": "l", "op": "Relu", "inputs": ["x"]}, {"name": "l", "op": "Relu", "inputs": ["x"]}])") ==
      "t.json: layers[1].name: a second layer is called \"l\", the first is layers[0]");
  CHECK(body_error(kInput + R"("layers": [{"name": "x", "op": "Relu", "inputs": ["x"]}])") ==
        "t.json: layers[0].name: a second tensor is called \"x\"");
  CHECK(body_error(kInput + R"("layers": [{"name": "l", "op": "Relu", "inputs": ["x"], "outputs": ["x"]}])") ==
        "t.json: layers[0].outputs[0]: a second tensor is called \"x\"");
  CHECK(body_error(kInput + R"("weights": [{"name": "l.weight", "shape": [1]}],
                              "layers": [{"name": "l", "op": "Gemm", "inputs": ["x"], "out_features": 2}])") ==
        "t.json: layers[0]: a second tensor is called \"l.weight\"");
  CHECK(
      body_error(
          R"("inputs": [{"name": "x", "shape": [0, 4]}], "layers": [{"name": "l", "op": "Relu", "inputs": ["x"]}])") ==
      "t.json: inputs[0].shape[0]: expected an integer from 1 to 2147483648, found 0");
  CHECK(
      body_error(
          R"("inputs": [{"name": "x", "shape": [2147483648, 2147483648]}], "layers": [{"name": "l", "op": "Relu", "inputs": ["x"]}])") ==
      "t.json: inputs[0].shape: tensor \"x\" [2147483648, 2147483648] has more than 1099511627776 elements");
  CHECK(
      body_error(
          R"("inputs": [{"name": "x", "shape": [1, 1, 1, 1, 1, 1, 1, 1, 1]}], "layers": [{"name": "l", "op": "Relu", "inputs": ["x"]}])") ==
      "t.json: inputs[0].shape: expected a list of 0 to 8 entries, found 9");
  CHECK(
      error_of([] {
        network_of(
            R"("inputs": [{"name": "x", "shape": [2147483648]}], "layers": [{"name": "l", "op": "Relu", "inputs": ["x"]}])",
            2);
      }) == "t.json: inputs[0].shape: tensor \"x\" [4294967296]: extents must be 1 to 2147483648");
}

TEST_CASE("network errors: cycles") {
  CHECK(
      body_error(
          kInput +
          R"("layers": [{"name": "a", "op": "Add", "inputs": ["x", "c"]}, {"name": "b", "op": "Relu", "inputs": ["a"]},
                                          {"name": "c", "op": "Relu", "inputs": ["b"]}, {"name": "d", "op": "Relu", "inputs": ["c"]}])") ==
      "t.json: layers[0]: the layers form a cycle: \"a\" -> \"b\" -> \"c\" -> \"a\"");
  CHECK(body_error(kInput + R"("layers": [{"name": "a", "op": "Relu", "inputs": ["a"]}])") ==
        "t.json: layers[0]: the layers form a cycle: \"a\" -> \"a\"");
}

TEST_CASE("network errors: convolutions") {
  const std::string conv = R"("op": "Conv", )";
  const std::string in = "[1, 6, 8, 8]";
  CHECK(layer_error(in, conv + R"("out_channels": 4)") ==
        "t.json: layers[0]: layer \"l\" (Conv): missing key \"kernel_shape\" (needed without a weight tensor)");
  CHECK(layer_error(in, conv + R"("kernel_shape": [3, 3])") ==
        "t.json: layers[0]: layer \"l\" (Conv): missing key \"out_channels\" (needed without a weight tensor)");
  CHECK(layer_error(in, conv + R"("out_channels": 4, "kernel_shape": [9, 3])") ==
        "t.json: layers[0].kernel_shape: layer \"l\" (Conv): the window takes 9 elements along spatial axis 0, the "
        "padded input has 8");
  CHECK(layer_error(in, conv + R"("out_channels": 4, "kernel_shape": [3])") ==
        "t.json: layers[0].kernel_shape: layer \"l\" (Conv): expected 2 numbers for input [1, 6, 8, 8], found 1");
  CHECK(layer_error(in, conv + R"("out_channels": 8, "kernel_shape": [1, 1], "group": 4)") ==
        "t.json: layers[0].group: layer \"l\" (Conv): 4 does not divide the 6 input channels");
  CHECK(layer_error(in, conv + R"("out_channels": 8, "kernel_shape": [1, 1], "group": 3)") ==
        "t.json: layers[0].group: layer \"l\" (Conv): 3 does not divide the 8 output channels");
  CHECK(layer_error("[1, 6, 8, 8, 8]", conv + R"("out_channels": 8, "kernel_shape": [1, 1, 1])") ==
        "t.json: layers[0].kernel_shape: layer \"l\" (Conv): 3-D convolution is not supported, 1-D and 2-D are; found "
        "[1, 1, 1]");
  CHECK(layer_error("[6, 8]", conv + R"("out_channels": 8, "kernel_shape": [1, 1])") ==
        "t.json: layers[0].inputs[0]: layer \"l\" (Conv): expected shape [N, C, L] or [N, C, H, W], found [6, 8]");
  CHECK(layer_error(in, conv + R"("out_channels": 8, "kernel_shape": [1, 1], "pads": [1, 1])") ==
        "t.json: layers[0].pads: layer \"l\" (Conv): expected 4 numbers or none for input [1, 6, 8, 8], found 2");
  CHECK(layer_error(in,
                    conv + R"("out_channels": 8, "kernel_shape": [1, 1], "pads": [1, 0, 0, 0], "auto_pad": "VALID")") ==
        "t.json: layers[0].pads: layer \"l\" (Conv): pads and auto_pad exclude each other");
  CHECK(layer_error(in, conv + R"("out_channels": 2147483648, "kernel_shape": [16, 16], "pads": [9, 9, 9, 9])") ==
        "t.json: layers[0]: layer \"l\": weight [2147483648, 6, 16, 16] has more than 1099511627776 elements");
  CHECK(layer_error("[65536, 1, 1024, 1024]", conv + R"("out_channels": 17, "kernel_shape": [1, 1])") ==
        "t.json: layers[0]: layer \"l\": output [65536, 17, 1024, 1024] has more than 1099511627776 elements");
  // With a weight tensor.
  CHECK(layer_error(in, conv + R"("group": 2)", "[4, 6, 3, 3]") ==
        "t.json: layers[0].inputs[1]: layer \"l\" (Conv): weight [4, 6, 3, 3], expected [4, 3, 3, 3] for input [1, 6, "
        "8, 8] in 2 group(s)");
  CHECK(layer_error(in, conv + R"("kernel_shape": [1, 1])", "[4, 6, 3, 3]") ==
        "t.json: layers[0].kernel_shape: layer \"l\" (Conv): is [1, 1], the weight is [4, 6, 3, 3]");
  CHECK(layer_error(in, conv + R"("bias": true)", "[4, 6, 3, 3]") ==
        "t.json: layers[0].bias: layer \"l\" (Conv): is true, but there is no third input");
}

TEST_CASE("network errors: shapes that do not go together") {
  CHECK(layer_error("[2, 3]", R"("op": "Add")", "[2, 4]") ==
        "t.json: layers[0].inputs: layer \"l\" (Add): shapes [2, 3] and [2, 4] cannot be broadcast to each other");
  CHECK(layer_error("[2, 3]", R"("op": "MatMul")", "[4, 5]") ==
        "t.json: layers[0].inputs[1]: layer \"l\" (MatMul): [2, 3] times [4, 5]: inner dimensions differ (3 and 4)");
  CHECK(layer_error("[2, 2, 3]", R"("op": "MatMul")", "[3, 3, 5]") ==
        "t.json: layers[0].inputs[1]: layer \"l\" (MatMul): [2, 2, 3] times [3, 3, 5]: batch dimensions cannot be "
        "broadcast");
  CHECK(layer_error("[]", R"("op": "MatMul")", "[3]") ==
        "t.json: layers[0].inputs[0]: layer \"l\" (MatMul): a scalar cannot be multiplied as a matrix");
  CHECK(layer_error("[2, 3, 4]", R"("op": "Gemm", "out_features": 5)") ==
        "t.json: layers[0].inputs[0]: layer \"l\" (Gemm): expected a matrix, found [2, 3, 4]; put a Flatten or Reshape "
        "before it, or use MatMul");
  CHECK(layer_error("[2, 3]", R"("op": "Gemm", "transB": 1)", "[3, 5]") ==
        "t.json: layers[0].inputs[1]: layer \"l\" (Gemm): B is [3, 5] (transposed), but A has 3 columns: inner "
        "dimensions differ");
  CHECK(layer_error("[2, 3]", R"("op": "Gemm")") ==
        "t.json: layers[0]: layer \"l\" (Gemm): missing key \"out_features\" (needed without a weight tensor)");
  CHECK(layer_error("[2, 3]", R"("op": "Concat", "axis": 1)", "[3, 3]") ==
        "t.json: layers[0].inputs[1]: layer \"l\" (Concat): [3, 3] cannot be joined with [2, 3] along axis 1");
  CHECK(layer_error("[2, 3]", R"("op": "Concat", "axis": 2)", "[2, 3]") ==
        "t.json: layers[0].axis: layer \"l\" (Concat): 2 does not exist: the input is [2, 3]");
  CHECK(layer_error("[2, 3]", R"("op": "Softmax", "axis": -3)") ==
        "t.json: layers[0].axis: layer \"l\" (Softmax): -3 does not exist: the input is [2, 3]");
  CHECK(layer_error("[2, 3]", R"("op": "Reshape", "shape": [4, -1])") ==
        "t.json: layers[0].shape: layer \"l\" (Reshape): [4, -1] does not hold the 6 elements of [2, 3]");
  CHECK(layer_error("[2, 3]", R"("op": "Reshape", "shape": [-1, -1])") ==
        "t.json: layers[0].shape[1]: layer \"l\" (Reshape): a second -1");
  CHECK(layer_error("[2, 3]", R"("op": "Reshape", "shape": [2, 3, 0])") ==
        "t.json: layers[0].shape[2]: layer \"l\" (Reshape): 0 copies an axis that the input [2, 3] has not");
  CHECK(layer_error("[2, 3]", R"("op": "Reshape", "shape": [2147483648, 2147483648, 2147483648])") ==
        "t.json: layers[0].shape: layer \"l\" (Reshape): [2147483648, 2147483648, 2147483648] does not hold the 6 "
        "elements of [2, 3]");
  CHECK(layer_error("[2, 3]", R"("op": "Transpose", "perm": [0, 0])") ==
        "t.json: layers[0].perm: layer \"l\" (Transpose): [0, 0] is no permutation of the axes of [2, 3]");
  CHECK(layer_error("[1, 1, 4, 4]", R"("op": "MaxPool", "kernel_shape": [2, 2], "pads": [2, 0, 0, 0])") ==
        "t.json: layers[0].pads: layer \"l\" (MaxPool): a window lies in the padding altogether (window of 2, padding "
        "2 and 0)");
  CHECK(layer_error("[1, 1, 1]", R"("op": "MaxPool", "kernel_shape": [2], "dilations": [2], "pads": [1, 1])") ==
        "t.json: layers[0].pads: layer \"l\" (MaxPool): a window lies in the padding altogether (window of 3, padding "
        "1 and 1)");
  CHECK(layer_error("[4]", R"("op": "Clip", "min": 3, "max": 2)") ==
        "t.json: layers[0].min: layer \"l\" (Clip): is larger than max");
}

TEST_CASE("network errors: element types") {
  const auto with_type = [](const std::string& type, const std::string& layer) {
    return body_error(R"("inputs": [{"name": "x", "shape": [4], "type": ")" + type +
                      R"("}, {"name": "y", "shape": [4]}], "layers": [{"name": "l", )" + layer + "}]");
  };
  CHECK(with_type("fp16", R"("op": "Relu", "inputs": ["x"])") ==
        "t.json: layers[0].inputs[0]: layer \"l\" (Relu): tensor \"x\" is fp16, expected the network's precision int8");
  CHECK(with_type("int8", R"("op": "Gather", "inputs": ["y", "x"])") ==
        "t.json: layers[0].inputs[1]: layer \"l\" (Gather): indices must be int32, tensor \"x\" is int8");
  CHECK(with_type("int32", R"("op": "Concat", "inputs": ["y", "x"], "axis": 0)") ==
        "t.json: layers[0].inputs[1]: layer \"l\" (Concat): is int32, the first input is int8");
  CHECK(starts_with(with_type("int64", R"("op": "Relu", "inputs": ["x"])"),
                    "t.json: inputs[0].type: expected one of \"auto\""));
}

TEST_CASE("network errors: what no loop nest or counter can hold") {
  CHECK(layer_error("[2, 2, 2, 2, 2]", R"("op": "Transpose", "perm": [4, 3, 2, 1, 0])") ==
        "t.json: layers[0]: layer \"l\" (Transpose): tensor \"x\" needs 5 axes after merging, at most 4 can be copied "
        "at once; "
        "put a Reshape or Transpose before it");
  CHECK(layer_error("[2, 1, 2, 3, 4]", R"("op": "MatMul")", "[2, 2, 2, 4, 5]") ==
        "t.json: layers[0]: layer \"l\" (MatMul): tensor \"y\" needs 5 axes after merging, at most 4 can be copied at "
        "once; "
        "put a Reshape or Transpose before it");
  CHECK(layer_error("[2, 1, 2, 3, 4]", R"("op": "MatMul")", "[2, 2, 1, 4, 5]") == "no error");
  CHECK(
      layer_error("[2, 1, 2, 1, 2]", R"("op": "Mul")", "[1, 2, 1, 2, 1]") ==
      "t.json: layers[0]: layer \"l\" (Mul): tensor \"l\" needs 5 axes after merging, at most 4 can be copied at once; "
      "put a Reshape or Transpose before it");
  // 2^40 results times 2^30 products each.
  CHECK(
      body_error(R"("inputs": [{"name": "x", "shape": [1024, 1073741824]}, {"name": "y", "shape": [1073741824, 1024]}],
                      "layers": [{"name": "t", "op": "MatMul", "inputs": ["y", "x"]}])") ==
      "t.json: layers[0]: layer \"t\": output [1073741824, 1073741824] has more than 1099511627776 elements");
  CHECK(body_error(R"("inputs": [{"name": "x", "shape": [1048576, 1048576]}], "layers": [
                      {"name": "a", "op": "MatMul", "inputs": ["x", "x"]}, {"name": "b", "op": "MatMul", "inputs": ["a", "x"]}])") ==
        "t.json: layers[1]: layer \"b\": more than 1152921504606846976 multiply-accumulates in the network");
}

TEST_CASE("network errors: files") {
  const auto folder = std::filesystem::temp_directory_path() / "accsim-network-errors";
  std::filesystem::create_directories(folder);
  const auto write = [&](const std::string& text) {
    auto file = folder / "net.json";
    std::ofstream(file, std::ios::binary) << text;
    return file;
  };
  CHECK(error_of([&] { load_network(folder / "absent.json"); }) ==
        (folder / "absent.json").string() + ": no such file");
  CHECK(error_of([&] { load_network(folder); }) == folder.string() + ": is a folder, expected a file");
  const auto cut = write(R"({"schema": "accsim-net/1", "layers": [)");
  CHECK(error_of([&] { load_network(cut); }) ==
        cut.string() + ": not valid JSON at line 1, column 39: the text ends too early");
  CHECK(starts_with(error_of([&] { load_network(write(std::string(1 << 20, '\xff'))); }),
                    cut.string() + ": not valid JSON"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("damaged network files end in an error or a network, never otherwise") {
  const std::string text = read_text_file(std::string(ACCSIM_SOURCE_DIR) + "/workloads/squeezenet1_1.json");
  std::mt19937 random(11);
  int loaded = 0;
  int refused = 0;
  const std::string pieces = "0123456789-.,:[]{}\"eE lno";
  for (int round = 0; round < 400; ++round) {
    std::string damaged = text;
    for (int hits = 1 + static_cast<int>(random() % 3); hits > 0; --hits) {
      const std::size_t at = random() % damaged.size();
      const std::size_t kind = random() % 3;
      if (kind == 0) damaged[at] = pieces[random() % pieces.size()];
      if (kind == 1) damaged.erase(at, 1 + random() % 20);
      if (kind == 2) damaged.insert(at, damaged.substr(random() % damaged.size(), random() % 40));
    }
    try {
      const Network network = parse_network(parse_json(damaged, "t.json"), "t.json");
      loaded += static_cast<int>(total_macs(fuse_activations(network)).value() > 0);
    } catch (const ConfigError& error) {
      const std::string message = error.what();
      CHECK(message.find('\n') == std::string::npos);
      CHECK(starts_with(message, "t.json: "));
      ++refused;
    }
  }
  CHECK(loaded + refused == 400);
  CHECK(loaded > 0);
  CHECK(refused > 200);
}

}  // namespace accsim::model
