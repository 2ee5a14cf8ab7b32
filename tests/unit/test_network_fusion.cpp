#include "model/workload/network.h"
#include "tests/catch.h"
#include "tests/unit/test_network_helpers.h"

namespace accsim::model {

using namespace accsim::tests;

namespace {

std::vector<std::string> names_of(const Network& network) {
  std::vector<std::string> names;
  for (const Operator& op : network.operators) {
    std::string all;
    for (const std::string& name : op.layer_names()) all += (all.empty() ? "" : "+") + name;
    names.push_back(all);
  }
  return names;
}

const std::string kInput = R"("inputs": [{"name": "x", "shape": [1, 4, 6, 6]}], )";
const std::string kConv = R"({"name": "c", "op": "Conv", "inputs": ["x"], "out_channels": 4, "kernel_shape": [1, 1]})";

}  // namespace

TEST_CASE("an activation moves into the operator before it") {
  const Network net = network_of(kInput + R"("layers": [)" + kConv + R"(,
    {"name": "r", "op": "Clip", "inputs": ["c"], "min": 0, "max": 6}, {"name": "p", "op": "GlobalAveragePool", "inputs": ["r"]},
    {"name": "s", "op": "Sigmoid", "inputs": ["p"]}, {"name": "t", "op": "Tanh", "inputs": ["s"]}])");
  const Network fused = fuse_activations(net);
  CHECK(names_of(fused) == std::vector<std::string>{"c+r", "p+s+t"});
  REQUIRE(fused.operators[0].activations.size() == 1);
  CHECK(fused.operators[0].activations[0].type == OpType::clip);
  CHECK(fused.operators[0].activations[0].clip.max == 6.0);
  CHECK(fused.tensor(fused.operators[0].outputs[0]).name == "r");
  CHECK(tensor_called(fused, "r").producer == OpId(0));
  CHECK(tensor_called(fused, "r").consumers == std::vector<OpId>{OpId(1)});
  CHECK(fused.tensors.size() == net.tensors.size() - 3);
  CHECK(fused.tensor(fused.outputs[0]).name == "t");
  CHECK(tensor_called(fused, "t").network_output);
  CHECK(boost::num_vertices(fused.graph) == 2);
  CHECK(boost::num_edges(fused.graph) == 1);
  CHECK(total_macs(fused) == total_macs(net));
  CHECK(total_parameters(fused) == total_parameters(net));
  CHECK(compulsory_bytes(fused) == compulsory_bytes(net));
  for (std::size_t i = 0; i < fused.tensors.size(); ++i) CHECK(fused.tensors[i].id.index() == i);
}

TEST_CASE("an activation stays where its input is needed elsewhere") {
  CHECK(names_of(fuse_activations(network_of(kInput + R"("layers": [)" + kConv + R"(,
    {"name": "r", "op": "Relu", "inputs": ["c"]}, {"name": "a", "op": "Add", "inputs": ["c", "r"]}])"))) ==
        std::vector<std::string>{"c", "r", "a"});
  CHECK(names_of(fuse_activations(network_of(kInput + R"("outputs": ["c", "r"], "layers": [)" + kConv + R"(,
    {"name": "r", "op": "Relu", "inputs": ["c"]}])"))) == std::vector<std::string>{"c", "r"});
}

TEST_CASE("activations of inputs, reshapes and movements stay") {
  CHECK(names_of(fuse_activations(network_of(kInput + R"("layers": [{"name": "r", "op": "Relu", "inputs": ["x"]},
    {"name": "f", "op": "Flatten", "inputs": ["r"]}, {"name": "g", "op": "Gelu", "inputs": ["f"]},
    {"name": "t", "op": "Transpose", "inputs": ["g"]}, {"name": "s", "op": "Sigmoid", "inputs": ["t"]},
    {"name": "u", "op": "Tanh", "inputs": ["s"]}])"))) == std::vector<std::string>{"r", "f", "g", "t", "s+u"});
}

TEST_CASE("a residual block fuses both activations, the loop nests stay as they are") {
  const Network net = network_of(kInput + R"("layers": [)" + kConv + R"(, {"name": "r", "op": "Relu", "inputs": ["c"]},
    {"name": "d", "op": "Conv", "inputs": ["r"], "out_channels": 4, "kernel_shape": [3, 3], "pads": [1, 1, 1, 1]},
    {"name": "a", "op": "Add", "inputs": ["d", "x"]}, {"name": "s", "op": "Relu", "inputs": ["a"]}])");
  const Network fused = fuse_activations(net);
  CHECK(names_of(fused) == std::vector<std::string>{"c+r", "d", "a+s"});
  for (const Operator& op : fused.operators) {
    const LoopNest before = loop_nest_of(net, layer_called(net, op.name).id);
    const LoopNest after = loop_nest_of(fused, op.id);
    REQUIRE(after.dims.size() == before.dims.size());
    for (std::size_t i = 0; i < after.dims.size(); ++i) CHECK(after.dims[i].extent == before.dims[i].extent);
  }
}

}  // namespace accsim::model
