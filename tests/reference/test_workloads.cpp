// The shipped networks against known figures: MACs, parameters and outputs as in graphs exported from PyTorch
// (tests/reference/onnx), published parameter counts for those that are not there.
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "model/workload/network.h"
#include "tests/catch.h"
#include "tests/unit/test_network_helpers.h"

namespace accsim::model {

using namespace accsim::tests;

namespace {

struct Figures {
  std::int64_t macs = 0;
  std::int64_t parameters = 0;
  std::map<std::string, int> operators;
  bool operator==(const Figures&) const = default;
};

Network shipped(const std::string& name, std::int64_t batch = 1) {
  return load_network(std::string(ACCSIM_SOURCE_DIR) + "/workloads/" + name + ".json", batch);
}

Figures figures_of(const Network& network) {
  Figures figures{total_macs(network).value(), total_parameters(network), {}};
  for (const Operator& op : network.operators) ++figures.operators[std::string(name_of(op.type))];
  return figures;
}

// name,macs,float_param_elements_onnx,op_histogram
std::map<std::string, Figures> reference() {
  std::ifstream in(std::string(ACCSIM_SOURCE_DIR) + "/tests/reference/onnx/index.csv");
  std::map<std::string, Figures> rows;
  std::string line;
  std::getline(in, line);
  REQUIRE(line == "name,macs,float_param_elements_onnx,op_histogram");
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    std::string name;
    std::string macs;
    std::string parameters;
    std::getline(fields, name, ',');
    std::getline(fields, macs, ',');
    std::getline(fields, parameters, ',');
    Figures figures{std::stoll(macs), std::stoll(parameters), {}};
    std::string item;
    while (fields >> item)
      figures.operators[item.substr(0, item.find(':'))] = std::stoi(item.substr(item.find(':') + 1));
    rows[name] = figures;
  }
  return rows;
}

}  // namespace

TEST_CASE("image networks equal their exported graphs in MACs, parameters and operators") {
  const auto rows = reference();
  for (const std::string name :
       {"alexnet", "vgg16", "resnet18", "resnet50", "mobilenet_v2", "squeezenet1_1", "googlenet"}) {
    INFO(name);
    const Network network = shipped(name);
    const Figures figures = figures_of(network);
    REQUIRE(rows.count(name) == 1);
    CHECK(figures.macs == rows.at(name).macs);
    CHECK(figures.parameters == rows.at(name).parameters);
    CHECK(figures.operators == rows.at(name).operators);
    CHECK(network.name == name);
    REQUIRE(network.outputs.size() == 1);
    CHECK(network.tensor(network.outputs[0]).shape == Shape{1, 1000});
  }
}

TEST_CASE("BERT equals its exported graph in MACs and parameters") {
  const Network network = shipped("bert_base");
  const Figures expected = reference().at("bert_base_s128");
  CHECK(total_macs(network).value() == expected.macs);
  CHECK(total_parameters(network) == expected.parameters);
  CHECK(shape_of(network, "hidden") == Shape{1, 128, 768});
  CHECK(shape_of(network, "pooled") == Shape{1, 768});
  CHECK(network.outputs.size() == 2);
  auto operators = figures_of(network).operators;
  CHECK(operators["Softmax"] == expected.operators.at("Softmax"));
  CHECK(operators["Gelu"] == expected.operators.at("Erf"));  // the export spells Gelu with Erf
  CHECK(operators["LayerNormalization"] == 25);
  CHECK(operators["Transpose"] == expected.operators.at("Transpose"));
  // 96 products in the export: 72 with weights, which are Gemm here, and 24 between activations.
  CHECK(operators["MatMul"] == 24);
  CHECK(operators["Gemm"] == 72 + expected.operators.at("Gemm"));
}

TEST_CASE("VGG-19 has the published number of parameters") {
  const Network network = shipped("vgg19");
  CHECK(total_parameters(network) == 143'667'240);  // torchvision's documentation of VGG19_Weights
  // VGG-16 and three more convolutions of 3x3: 256 channels at 56x56, 512 at 28x28 and at 14x14.
  const std::int64_t more = 9 * (256LL * 256 * 56 * 56 + 512LL * 512 * 28 * 28 + 512LL * 512 * 14 * 14);
  CHECK(total_macs(network).value() == reference().at("vgg16").macs + more);
}

TEST_CASE("converted networks equal their exported graphs in MACs, and in parameters up to folded constants") {
  const auto rows = reference();
  for (const auto& [name, graph] :
       std::map<std::string, std::string>{{"efficientnet_b0", "efficientnet_b0"},
                                          {"unet", "unet_256"},
                                          {"fsrcnn", "fsrcnn_560x960_x2"},
                                          {"gpt2_small_prefill", "gpt2_small_prefill256"},
                                          {"gpt2_small_decode", "gpt2_small_decode512"},
                                          {"vit_b16", "vit_b_16"},
                                          {"llama7b_layer_prefill", "llama7b_layer_prefill128"},
                                          {"llama7b_layer_decode", "llama7b_layer_decode1024"}}) {
    INFO(name);
    const Network network = shipped(name);
    CHECK(network.name == name);
    CHECK(total_macs(network).value() == rows.at(graph).macs);
    const auto difference = total_parameters(network) - rows.at(graph).parameters;
    CHECK(std::abs(difference) <= rows.at(graph).parameters / 1000);  // biases of phases, factors, masks of prefill
  }
}

TEST_CASE("networks from papers have their published parameters and work") {
  CHECK(total_parameters(shipped("bert_base_s512")) == 109'482'240);
  const Network yolo = shipped("yolov3_tiny");
  constexpr std::int64_t kNormalised = 16 + 32 + 64 + 128 + 256 + 512 + 1024 + 256 + 512 + 128 + 256;
  CHECK(total_parameters(yolo) + 3 * kNormalised == 8'858'734);  // four numbers a channel before folding, one after
  CHECK(total_macs(yolo).value() == 2'782'480'896);              // Darknet's 5.56 billion operations
  const Network gpt3 = shipped("gpt3_6b7_layer");
  constexpr std::int64_t kWidth = 4096;
  constexpr std::int64_t kTokens = 512;
  CHECK(total_macs(gpt3).value() == 12 * kTokens * kWidth * kWidth + 2 * kTokens * kTokens * kWidth);
  CHECK(total_parameters(gpt3) == 12 * kWidth * kWidth + 13 * kWidth + kTokens * kTokens);  // the last: the mask
  for (const auto& [channels, size] : {std::pair<std::int64_t, std::int64_t>{64, 56}, {128, 28}, {256, 14}, {512, 7}}) {
    const std::string form = "_" + std::to_string(channels) + "_" + std::to_string(size);
    CHECK(total_macs(shipped("conv1x1" + form)) == Macs(size * size * channels * channels));
    CHECK(total_macs(shipped("conv3x3" + form)) == Macs(9 * size * size * channels * channels));
    CHECK(total_macs(shipped("dwconv3x3" + form)) == Macs(9 * size * size * channels));
  }
}

TEST_CASE("matrix networks have the work that their names say") {
  for (const std::int64_t n : {512, 1024, 2048, 4096, 8192}) {
    const Network gemm = shipped("gemm_" + std::to_string(n));
    CHECK(total_macs(gemm) == Macs(n * n * n));
    CHECK(total_parameters(gemm) == n * n);
    CHECK(compulsory_bytes(gemm) == Bytes(3 * n * n));
    if (n == 512) continue;
    const Network gemv = shipped("gemv_" + std::to_string(n));
    CHECK(total_macs(gemv) == Macs(n * n));
    CHECK(compulsory_bytes(gemv) == Bytes(n * n + 2 * n));
  }
}

TEST_CASE("every shipped network takes a batch and fuses its activations") {
  for (const std::string name : {"alexnet", "vgg16", "vgg19", "resnet18", "resnet50", "mobilenet_v2", "squeezenet1_1",
                                 "googlenet", "bert_base", "gemm_512", "gemv_1024"}) {
    INFO(name);
    const Network one = shipped(name);
    const Network four = shipped(name, 4);
    CHECK(total_macs(four) == 4 * total_macs(one));
    CHECK(total_parameters(four) == total_parameters(one));
    const Network fused = fuse_activations(one);
    CHECK(total_macs(fused) == total_macs(one));
    CHECK(compulsory_bytes(fused) == compulsory_bytes(one));
    std::size_t layers = 0;
    for (const Operator& op : fused.operators) {
      layers += op.layer_names().size();
      CHECK(op.type != OpType::relu);  // all of them have a producer that computes
      CHECK(op.type != OpType::clip);
    }
    CHECK(layers == one.operators.size());
  }
}

}  // namespace accsim::model
