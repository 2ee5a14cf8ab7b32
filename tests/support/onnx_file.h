// Small ONNX files written byte by byte (protobuf wire format), for tests of the reader: what no exporter would write
// can be written as well.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace accsim::tests {

class Wire {
 public:
  Wire& number(std::uint32_t field, std::int64_t value) {
    varint(field << 3U);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  Wire& bytes(std::uint32_t field, const std::string& content) {
    varint(field << 3U | 2U);
    varint(content.size());
    text_ += content;
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) text_ += static_cast<char>(value | 0x80);
    text_ += static_cast<char>(value);
  }
  std::string text_;
};

inline constexpr std::int64_t kOnnxFloat = 1;
inline constexpr std::int64_t kOnnxInt64 = 7;
inline constexpr std::int64_t kOnnxString = 8;

struct OnnxFile {
  std::string nodes, inputs, outputs, initializers, metadata;
  std::int64_t opset = 13;

  // An extent is a number, or the name of a symbolic dimension.
  static std::string value_info(const std::string& name, const std::vector<std::string>& dims,
                                std::int64_t type = kOnnxFloat) {
    Wire shape;
    for (const std::string& dim : dims) {
      const bool number = dim.find_first_not_of("0123456789") == std::string::npos && !dim.empty();
      shape.bytes(1, number ? Wire().number(1, std::stoll(dim)).text() : Wire().bytes(2, dim).text());
    }
    const std::string tensor = Wire().number(1, type).bytes(2, shape.text()).text();
    return Wire().bytes(1, name).bytes(2, Wire().bytes(1, tensor).text()).text();
  }
  OnnxFile& input(const std::string& name, const std::vector<std::string>& dims, std::int64_t type = kOnnxFloat) {
    inputs += Wire().bytes(11, value_info(name, dims, type)).text();
    return *this;
  }
  OnnxFile& output(const std::string& name, const std::vector<std::string>& dims = {}) {
    outputs += Wire().bytes(12, value_info(name, dims)).text();
    return *this;
  }
  static std::string integer(const std::string& name, std::int64_t value) {
    return Wire().bytes(1, name).number(3, value).number(20, 2).text();
  }
  static std::string integers(const std::string& name, const std::vector<std::int64_t>& values) {
    Wire wire;
    wire.bytes(1, name);
    for (const std::int64_t v : values) wire.number(8, v);
    return wire.number(20, 7).text();
  }
  OnnxFile& node(const std::string& op, const std::vector<std::string>& in, const std::string& out,
                 const std::vector<std::string>& attributes = {}, const std::string& domain = "") {
    Wire wire;
    for (const std::string& name : in) wire.bytes(1, name);
    wire.bytes(2, out).bytes(3, "node_" + out).bytes(4, op);
    for (const std::string& attribute : attributes) wire.bytes(5, attribute);
    if (!domain.empty()) wire.bytes(7, domain);
    nodes += Wire().bytes(1, wire.text()).text();
    return *this;
  }
  OnnxFile& tensor(const std::string& name, std::int64_t type, const std::vector<std::int64_t>& dims,
                   const std::string& raw, const std::vector<std::pair<std::string, std::string>>& external = {}) {
    Wire wire;
    for (const std::int64_t dim : dims) wire.number(1, dim);
    wire.number(2, type).bytes(8, name);
    if (external.empty()) wire.bytes(9, raw);
    for (const auto& [key, value] : external) wire.bytes(13, Wire().bytes(1, key).bytes(2, value).text());
    if (!external.empty()) wire.number(14, 1);
    initializers += Wire().bytes(5, wire.text()).text();
    return *this;
  }
  OnnxFile& floats(const std::string& name, const std::vector<std::int64_t>& dims, const std::vector<float>& values) {
    return tensor(name, kOnnxFloat, dims,
                  std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
  }
  OnnxFile& numbers(const std::string& name, const std::vector<std::int64_t>& values) {
    return tensor(name, kOnnxInt64, {static_cast<std::int64_t>(values.size())},
                  std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(std::int64_t)));
  }
  [[nodiscard]] std::string text() const {
    const std::string graph = nodes + Wire().bytes(2, "g").text() + initializers + inputs + outputs;
    const std::string set = Wire().bytes(1, "").number(2, opset).text();
    return Wire().number(1, 8).text() + Wire().bytes(7, graph).bytes(8, set).text() + metadata;
  }
};

}  // namespace accsim::tests
