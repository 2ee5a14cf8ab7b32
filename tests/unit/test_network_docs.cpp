// docs/networks.md says what the field tables and the shipped files say.
#include "model/workload/network_spec.h"
#include "model/workload/operator_table.h"
#include "tests/catch.h"
#include "tests/unit/test_network_helpers.h"

namespace accsim::model {

using namespace accsim::tests;

namespace {

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string row_of(const FieldDoc& field) {
  const std::string fallback = field.default_value.empty() ? "required" : "`" + field.default_value + "`";
  return "| `" + field.key + "` | " + field.type + " | " + escaped(field.allowed) + " | " + fallback + " | " +
         field.doc + " |\n";
}

std::string documentation() { return read_text_file(std::string(ACCSIM_SOURCE_DIR) + "/docs/networks.md"); }

// 1,814,073,344
std::string grouped(std::int64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t i = text.size(); i > 3;) text.insert(i -= 3, ",");
  return text;
}

}  // namespace

TEST_CASE("the network documentation has every operator and every field as the parser knows them") {
  const std::string text = documentation();
  for (const FieldDoc& field : network_record().docs()) CHECK(text.find(row_of(field)) != std::string::npos);
  for (const FieldDoc& field : tensor_record().docs()) CHECK(text.find(row_of(field)) != std::string::npos);
  for (const OpInfo& op : operator_table()) {
    INFO(op.name);
    const std::size_t begin = text.find("### " + std::string(op.name) + "\n");
    REQUIRE(begin != std::string::npos);
    const std::size_t end = text.find("\n##", begin + 1);
    const std::string section = text.substr(begin, end - begin) + "\n";
    CHECK(section.find("Inputs: " + std::string(op.inputs) + ".") != std::string::npos);
    constexpr std::size_t kCommon = 4;  // name, op, inputs, outputs
    const auto fields = layer_record(op.type).docs();
    for (std::size_t i = kCommon; i < fields.size(); ++i) CHECK(section.find(row_of(fields[i])) != std::string::npos);
  }
}

TEST_CASE("the table of shipped networks is right and complete") {
  const std::string text = documentation();
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(ACCSIM_SOURCE_DIR) + "/workloads")) {
    if (entry.path().extension() != ".json" || entry.path().stem() == "pairs") continue;  // pairs: a list of networks
    ++files;
    const Network network = load_network(entry.path());
    CHECK(network.name == entry.path().stem().string());
    const std::string row = "| `" + network.name + "` | " +
                            grouped(static_cast<std::int64_t>(network.operators.size())) + " | " +
                            grouped(total_macs(network).value()) + " | " + grouped(total_parameters(network)) + " | ";
    INFO(row);
    CHECK(text.find(row) != std::string::npos);
  }
  CHECK(files == 43);
}

TEST_CASE("the example in the network documentation loads") {
  const std::string text = documentation();
  const std::size_t begin = text.find("```json\n") + 8;
  const Network network =
      parse_network(parse_json(text.substr(begin, text.find("```", begin) - begin), "example"), "example");
  CHECK(total_macs(network) == Macs(16 * 32 * 32 * 27 + 160));
}

TEST_CASE("the network schema lists every operator") {
  const Json schema = network_schema();
  CHECK(schema["properties"]["layers"]["items"]["oneOf"].size() == operator_table().size());
  CHECK(schema["properties"]["schema"]["const"] == "accsim-net/1");
  CHECK(schema["additionalProperties"] == false);
  for (const Json& layer : schema["properties"]["layers"]["items"]["oneOf"]) {
    CHECK(layer["properties"].contains("op"));
    CHECK(layer["properties"]["inputs"]["minItems"].get<int>() >= 1);
  }
}

}  // namespace accsim::model
