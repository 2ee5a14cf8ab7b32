// One clear error, naming file and node, for every ONNX file that cannot be a network.
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "model/base/error.h"
#include "model/workload/onnx_load.h"
#include "tests/catch.h"
#include "tests/run_program.h"
#include "tests/support/onnx_file.h"

namespace accsim::tests {
namespace {

using model::NetworkFileOptions;

class Reader {
 public:
  model::Network load(const std::string& bytes, const NetworkFileOptions& options = {}) const {
    const std::filesystem::path file = folder_ / "m.onnx";
    std::ofstream(file, std::ios::binary) << bytes;
    return model::parse_network(model::read_network_json(file, options), file.string());
  }
  // The message without the folder; "" if it loads.
  std::string error(const std::string& bytes, const NetworkFileOptions& options = {}) const {
    try {
      load(bytes, options);
    } catch (const model::ConfigError& e) {
      std::string text = e.what();
      const std::string folder = folder_.path().string() + "/";
      for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder))
        text.erase(at, folder.size());
      return text;
    }
    return "";
  }
  [[nodiscard]] std::filesystem::path path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

OnnxFile relu() { return OnnxFile().input("x", {"1", "4"}).node("Relu", {"x"}, "y").output("y"); }

bool starts_with(const std::string& text, const std::string& start) { return text.rfind(start, 0) == 0; }
bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("ONNX errors: files that are none") {
  const Reader reader;
  CHECK(reader.error(relu().text()).empty());
  CHECK(reader.error("") == "m.onnx: is empty");
  CHECK(starts_with(reader.error("no model"), "m.onnx: is no ONNX model, or damaged"));
  const std::string whole = relu().text();
  for (std::size_t length = 1; length < whole.size(); ++length) {
    INFO(length);
    const std::string error = reader.error(whole.substr(0, length));
    CHECK(starts_with(error, "m.onnx: "));
    CHECK(!contains(error, "\n"));
  }
  CHECK_THROWS_AS(model::read_network_json(reader.path() / "absent.onnx"), model::ConfigError);
  CHECK_THROWS_AS(model::read_network_json(reader.path()), model::ConfigError);
}

TEST_CASE("ONNX errors: every changed byte is an error or a network, never a crash") {
  const Reader reader;
  std::string bytes = OnnxFile()
                          .input("x", {"1", "3", "8", "8"})
                          .floats("w", {4, 3, 1, 1}, std::vector<float>(12, 1.0F))
                          .numbers("s", {1, -1})
                          .node("Conv", {"x", "w"}, "c", {OnnxFile::integers("kernel_shape", {1, 1})})
                          .node("Relu", {"c"}, "r")
                          .node("Reshape", {"r", "s"}, "y")
                          .output("y")
                          .text();
  REQUIRE(reader.error(bytes).empty());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const char value : {'\0', '\x7f', '\xff', static_cast<char>(bytes[i] + 1)}) {
      std::string changed = bytes;
      changed[i] = value;
      INFO("byte " << i);
      CHECK_NOTHROW(reader.error(changed));  // a ConfigError is caught there
    }
  }
}

TEST_CASE("ONNX errors: operators") {
  const Reader reader;
  const auto with = [&](const std::string& op, const std::string& domain = "") {
    return reader.error(OnnxFile().input("x", {"1", "4"}).node(op, {"x"}, "y", {}, domain).output("y").text());
  };
  CHECK(starts_with(with("Rulu"), "m.onnx: node \"node_y\": operator Rulu is not supported; supported: Add, "));
  CHECK(starts_with(with("Relu", "com.example"),
                    "m.onnx: node \"node_y\": operator Relu of domain \"com.example\" is not supported; supported: "));
  CHECK(starts_with(with("Det"), "m.onnx: node \"node_y\" (Det): "));
  CHECK(starts_with(with("Acos"), "m.onnx: node \"node_y\" (Acos): is not supported; supported: Add, AveragePool, "));
  OnnxFile old = relu();
  old.opset = 8;
  CHECK(reader.error(old.text()) == "m.onnx: operator set 8, expected 9 to 25");
}

TEST_CASE("ONNX errors: graphs that do not hang together") {
  const Reader reader;
  CHECK(reader.error(OnnxFile().input("x", {"1"}).node("Relu", {"z"}, "y").output("y").text()) ==
        "m.onnx: node \"node_y\": there is no tensor \"z\"");
  CHECK(reader.error(
            OnnxFile().input("x", {"1"}).node("Add", {"x", "b"}, "a").node("Relu", {"a"}, "b").output("b").text()) ==
        "m.onnx: node \"node_a\": its input \"b\" is computed by a later node (a cycle, or nodes out of order)");
  CHECK(
      reader.error(OnnxFile().input("x", {"1"}).node("Relu", {"x"}, "y").node("Relu", {"x"}, "y").output("y").text()) ==
      "m.onnx: node \"node_y\": a second tensor is called \"y\"");
  CHECK(contains(
      reader.error(
          OnnxFile().input("x", {"2", "3"}).input("z", {"4", "5"}).node("MatMul", {"x", "z"}, "y").output("y").text()),
      "node \"node_y\" (MatMul): shapes do not go together: "));
}

TEST_CASE("ONNX errors: symbolic dimensions") {
  const Reader reader;
  const std::string file = OnnxFile().input("x", {"N", "4"}).node("Relu", {"x"}, "y").output("y").text();
  CHECK(reader.error(file) ==
        "m.onnx: symbolic dimension \"N\" (axis 0 of input \"x\") is unknown; give --dim N=EXTENT");
  NetworkFileOptions options;
  options.dims["N"] = 3;
  const model::Network network = reader.load(file, options);
  CHECK(network.tensor(network.inputs[0]).shape == model::Shape{3, 4});
  options.dims["M"] = 2;
  CHECK(reader.error(file, options) == "--dim M=2: m.onnx has the symbolic dimensions N");
  CHECK(reader.error(relu().text(), options) == "--dim M=2: m.onnx has no symbolic dimensions");
  const std::string unnamed = OnnxFile().input("x", {"", "4"}).node("Relu", {"x"}, "y").output("y").text();
  NetworkFileOptions by_axis;
  by_axis.dims["x.0"] = 5;
  CHECK(reader.load(unnamed, by_axis).tensors[0].shape == model::Shape{5, 4});
}

TEST_CASE("ONNX errors: tensors") {
  const Reader reader;
  const auto with = [&](const std::function<void(OnnxFile&)>& add) {
    OnnxFile file = OnnxFile().input("x", {"1", "2"});
    add(file);
    return reader.error(file.node("Add", {"x", "w"}, "y").output("y").text());
  };
  CHECK(with([](OnnxFile& f) { f.floats("w", {2}, {1, 2}); }).empty());
  CHECK(with([](OnnxFile& f) {
          f.floats("w", {3}, {1, 2});
        }) == "m.onnx: tensor \"w\" [3] has 8 bytes of data, expected 12");
  const std::string text = with([](OnnxFile& f) { f.tensor("w", kOnnxString, {1}, "a"); });
  CHECK(contains(text, "STRING"));
  CHECK(contains(text, "w"));
  CHECK(with([](OnnxFile& f) {
          f.tensor("w", kOnnxFloat, {2}, "", {{"location", "w.bin"}});
        }) == "m.onnx: tensor \"w\": its data file \"w.bin\" is missing");
  CHECK(with([](OnnxFile& f) {
          f.tensor("w", kOnnxFloat, {2}, "", {{"location", "../w.bin"}});
        }) == "m.onnx: tensor \"w\": its data file \"../w.bin\" leaves the folder of the model");
  CHECK(with([](OnnxFile& f) {
          f.tensor("w", kOnnxFloat, {2}, "", {{"location", "/etc/passwd"}});
        }) == "m.onnx: tensor \"w\": its data file \"/etc/passwd\" leaves the folder of the model");
  std::ofstream(reader.path() / "w.bin", std::ios::binary) << std::string(8, '\0');
  CHECK(with([](OnnxFile& f) { f.tensor("w", kOnnxFloat, {2}, "", {{"location", "w.bin"}}); }).empty());
  CHECK(with([](OnnxFile& f) {
          f.tensor("w", kOnnxFloat, {2}, "", {{"location", "w.bin"}, {"offset", "4"}});
        }) == "m.onnx: tensor \"w\": its data file \"w.bin\" has 8 bytes, but 8 at byte 4 are needed");
}

TEST_CASE("ONNX errors: what is computed at run time") {
  const Reader reader;
  const std::string file = OnnxFile()
                               .input("x", {"2", "3"})
                               .input("s", {"2"}, kOnnxInt64)
                               .node("Reshape", {"x", "s"}, "y")
                               .node("Relu", {"y"}, "z")
                               .output("z")
                               .text();
  CHECK(reader.error(file) == "m.onnx: node \"node_y\" (Reshape): the shape of tensor \"y\" is unknown");
}

TEST_CASE("shape arithmetic of exporters leaves no trace") {
  const Reader reader;
  const std::string file = OnnxFile()
                               .input("x", {"2", "3", "4"})
                               .numbers("zero", {0})
                               .numbers("minus", {-1})
                               .node("Shape", {"x"}, "shape")
                               .node("Gather", {"shape", "zero"}, "batch")
                               .node("Concat", {"batch", "minus"}, "target", {OnnxFile::integer("axis", 0)})
                               .node("Reshape", {"x", "target"}, "flat")
                               .node("Relu", {"flat"}, "y")
                               .output("y")
                               .text();
  const model::Network network = reader.load(file);
  REQUIRE(network.operators.size() == 2);
  CHECK(network.tensor(network.outputs[0]).shape == model::Shape{2, 12});
}

}  // namespace accsim::tests
