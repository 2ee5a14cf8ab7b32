// ONNX files against figures from outside (tests/reference/onnx, see its README): outputs of stored pairs, MACs of
// exported graphs, and the shipped networks that were written by hand.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "app/test_data.h"
#include "model/workload/onnx_load.h"
#include "tests/catch.h"

namespace accsim {
namespace {

const std::filesystem::path& folder() {
  static const std::filesystem::path kFolder = std::filesystem::path(ACCSIM_SOURCE_DIR) / "tests/reference/onnx";
  return kFolder;
}

std::vector<std::filesystem::path> sorted(const std::filesystem::path& of) {
  std::vector<std::filesystem::path> all;
  for (const auto& entry : std::filesystem::directory_iterator(of)) all.push_back(entry.path());
  std::sort(all.begin(), all.end());
  return all;
}

// Pairs whose outputs must be equal bit for bit: those with "yes" in the column exact.
std::set<std::string> exact_pairs() {
  std::ifstream in(folder() / "numeric/index.csv");
  std::string line;
  std::getline(in, line);
  REQUIRE(line.rfind("name,file_bytes,nodes,ops,macs,float_params,inputs,outputs,exact,", 0) == 0);
  std::set<std::string> names;
  while (std::getline(in, line)) {
    std::vector<std::string> fields;
    std::istringstream row(line);
    for (std::string field; std::getline(row, field, ',');) fields.push_back(field);
    if (fields.at(8) == "yes") names.insert(fields.at(0));
  }
  return names;
}

std::map<std::string, std::int64_t> macs_of_graphs() {
  std::ifstream in(folder() / "index.csv");
  std::string line;
  std::getline(in, line);
  std::map<std::string, std::int64_t> macs;
  while (std::getline(in, line)) {
    const std::size_t first = line.find(',');
    macs[line.substr(0, first)] = std::stoll(line.substr(first + 1));
  }
  return macs;
}

model::Network loaded(const std::filesystem::path& file) {
  return model::parse_network(model::read_network_json(file), file.string());
}

}  // namespace

TEST_CASE("every stored pair of inputs and outputs is reproduced, exact ones bit for bit") {
  const std::set<std::string> exact = exact_pairs();
  CHECK(exact.size() == 35);
  std::size_t pairs = 0;
  for (const auto& path : sorted(folder() / "numeric")) {
    if (!std::filesystem::is_directory(path)) continue;
    const std::string name = path.filename().string();
    INFO(name);
    const app::TestDataReport report = app::check_test_data(path / "model.onnx", path / "test_data_set_0", {}, 1e-4);
    REQUIRE(!report.outputs.empty());
    CHECK(report.message().empty());
    CHECK(report.matches());
    for (const app::ComparedOutput& output : report.outputs) {
      CHECK(output.elements > 0);
      CHECK(output.largest_difference <= 5e-7);
      if (exact.count(name) > 0) CHECK(output.different == 0);
    }
    ++pairs;
  }
  CHECK(pairs == 47);
}

TEST_CASE("a wrong output of a stored pair is found") {
  const auto path = folder() / "numeric/conv_grouped";
  const auto other = folder() / "numeric/conv_dilated/test_data_set_0";
  CHECK_THROWS_AS(app::check_test_data(path / "model.onnx", other, {}, 1e-4), model::ConfigError);  // other shapes
  app::TestDataReport report = app::check_test_data(path / "model.onnx", path / "test_data_set_0", {}, 1e-4);
  report.outputs[0].within_tolerance = false;
  CHECK(!report.matches());
  CHECK(report.message().find("differs in 0 of") != std::string::npos);
}

TEST_CASE("exported graphs have the MACs of their index") {
  const auto macs = macs_of_graphs();
  std::size_t graphs = 0;
  for (const auto& file : sorted(folder() / "graphs")) {
    INFO(file.filename().string());
    const model::Network network = loaded(file);
    CHECK(model::total_macs(network).value() == macs.at(file.stem().string()));
    CHECK(!network.outputs.empty());
    ++graphs;
  }
  CHECK(graphs == 10);
}

TEST_CASE("an exported graph is the network that was written by hand, layer by layer") {
  const model::Network onnx = loaded(folder() / "graphs/resnet18.onnx");
  const model::Network json = model::load_network(std::filesystem::path(ACCSIM_SOURCE_DIR) / "workloads/resnet18.json");
  REQUIRE(onnx.operators.size() == json.operators.size());
  REQUIRE(onnx.tensors.size() == json.tensors.size());
  CHECK(model::total_parameters(onnx) == model::total_parameters(json));
  CHECK(model::compulsory_bytes(onnx) == model::compulsory_bytes(json));
  for (std::size_t i = 0; i < json.operators.size(); ++i) {
    INFO(json.operators[i].name);
    CHECK(onnx.operators[i].type == json.operators[i].type);
    CHECK(onnx.operators[i].inputs == json.operators[i].inputs);
    CHECK(onnx.operators[i].outputs == json.operators[i].outputs);
  }
  for (std::size_t i = 0; i < json.tensors.size(); ++i) {
    CHECK(onnx.tensors[i].shape == json.tensors[i].shape);
    CHECK(onnx.tensors[i].type == json.tensors[i].type);
  }
}

TEST_CASE("what an exporter spells out in primitives is recognised") {
  const auto operators = [](const std::string& name) {
    std::map<std::string, int> count;
    for (const model::Operator& op : loaded(folder() / name).operators) ++count[std::string(model::name_of(op.type))];
    return count;
  };
  using Count = std::map<std::string, int>;
  CHECK(operators("numeric/layernorm_gelu/model.onnx") ==
        Count{{"Gelu", 1}, {"Gemm", 1}, {"LayerNormalization", 1}, {"Reshape", 2}});
  CHECK(operators("numeric/conv_batchnorm_relu_unfolded/model.onnx") == Count{{"Conv", 1}, {"Relu", 1}});
  CHECK(operators("numeric/pad_then_conv_asym_folded/model.onnx") == Count{{"Conv", 1}});
  CHECK(operators("numeric/mobilenetv3_acts/model.onnx").count("HardSigmoid") == 1);
  CHECK(operators("numeric/mobilenetv3_acts/model.onnx").count("HardSwish") == 1);
  auto llama = operators("graphs/llama7b_layer_prefill128.onnx");
  CHECK(llama["RMSNormalization"] == 2);
  CHECK(llama["Silu"] == 1);
  CHECK(llama.count("Sqrt") == 0);
  auto swin = operators("graphs/swin_t.onnx");
  CHECK(swin["LayerNormalization"] == 29);
  CHECK(swin["Gelu"] == 12);
  CHECK(swin["GlobalAveragePool"] == 1);
  CHECK(swin.count("Pad") == 0);  // all of them to the same shape
  auto unet = operators("graphs/unet_256.onnx");
  CHECK(unet["Conv"] == 23);
  CHECK(unet["DepthToSpace"] == 4);
}

}  // namespace accsim
