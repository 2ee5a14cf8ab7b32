// An ONNX file without its weights: reads the protobuf wire format of a model and copies all of it but large tensor
// payloads, so that a file of gigabytes is parsed in little memory. What was left out is found again by its place.
// Source: protobuf encoding (https://protobuf.dev/programming-guides/encoding), field numbers of onnx.proto (IR 8).
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace accsim::model::importer {

// Key of the external_data entry that stands for a payload which was left out; its value is
// "<field>:<offset>:<length>".
inline constexpr std::string_view kLeftOut = "accsim-left-out";
inline constexpr std::int64_t kLargestPayload = 16'384;  // bytes that stay

// A file mapped into memory, read only.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& file);  // ConfigError if it cannot be read
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  [[nodiscard]] std::string_view bytes() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

// The model with payloads of more than kLargestPayload bytes replaced as told above. ConfigError naming `file` where
// the bytes are no protobuf message or end too early.
std::string without_payloads(std::string_view model, const std::string& file);

}  // namespace accsim::model::importer
