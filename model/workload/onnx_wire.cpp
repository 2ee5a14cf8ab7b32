#include "model/workload/onnx_wire.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "model/base/error.h"

namespace accsim::model::importer {
namespace {

enum class Kind : std::uint8_t { model, graph, node, attribute, tensor };

// Field numbers of onnx.proto.
constexpr std::uint32_t kModelGraph = 7;
constexpr std::uint32_t kGraphNode = 1;
constexpr std::uint32_t kGraphInitializer = 5;
constexpr std::uint32_t kNodeAttribute = 5;
constexpr std::uint32_t kAttributeTensor = 5;
constexpr std::uint32_t kTensorExternalData = 13;
constexpr std::uint32_t kTensorDataLocation = 14;

bool is_payload(std::uint32_t field) {  // float, int32, int64, raw, double, uint64 data
  return field == 4 || field == 5 || field == 7 || field == 9 || field == 10 || field == 11;
}

enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7U;
  }
  out.push_back(static_cast<char>(value));
}
void put_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  put_varint(out, field << 3U | kLength);
  put_varint(out, bytes.size());
  out.append(bytes);
}

class Stripper {
 public:
  Stripper(std::string_view all, const std::string& file) : all_(all), file_(file) {}

  std::string strip(Kind kind, std::size_t begin, std::size_t end) {
    std::string out;
    at_ = begin;
    while (at_ < end) {
      const std::size_t start = at_;
      const std::uint64_t tag = varint(end);
      const auto field = static_cast<std::uint32_t>(tag >> 3U);
      if (field == 0) fail("a field without a number");
      switch (static_cast<std::uint32_t>(tag & 7U)) {
        case kVarint:
          varint(end);
          break;
        case kFixed64:
          skip(8, end);
          break;
        case kFixed32:
          skip(4, end);
          break;
        case kLength: {
          const std::uint64_t length = varint(end);
          const std::size_t content = at_;
          skip(length, end);
          const std::size_t after = at_;
          if (kind == Kind::tensor && is_payload(field) && length > static_cast<std::uint64_t>(kLargestPayload)) {
            leave_out(out, field, content, length);
            continue;
          }
          if (const auto child = child_of(kind, field)) {
            put_bytes(out, field, strip(*child, content, after));
            at_ = after;
            continue;
          }
          break;
        }
        default:
          fail("an unknown kind of field");
      }
      out.append(all_.substr(start, at_ - start));
    }
    return out;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw ConfigError(file_ + ": is no ONNX model, or damaged: " + what + " at byte " + std::to_string(at_) + " of " +
                      std::to_string(all_.size()));
  }
  std::uint64_t varint(std::size_t end) {
    std::uint64_t value = 0;
    for (std::uint32_t shift = 0; shift < 64; shift += 7) {
      if (at_ >= end) fail("it ends inside a field");
      const auto byte = static_cast<unsigned char>(all_[at_++]);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    fail("a number that is too long");
  }
  void skip(std::uint64_t length, std::size_t end) {
    if (length > end - at_) fail("it ends inside a field");
    at_ += length;
  }
  static std::optional<Kind> child_of(Kind kind, std::uint32_t field) {
    if (kind == Kind::model && field == kModelGraph) return Kind::graph;
    if (kind == Kind::graph && field == kGraphNode) return Kind::node;
    if (kind == Kind::graph && field == kGraphInitializer) return Kind::tensor;
    if (kind == Kind::node && field == kNodeAttribute) return Kind::attribute;
    if (kind == Kind::attribute && field == kAttributeTensor) return Kind::tensor;
    return std::nullopt;
  }
  static void leave_out(std::string& out, std::uint32_t field, std::size_t content, std::uint64_t length) {
    std::string entry;
    put_bytes(entry, 1, kLeftOut);
    put_bytes(entry, 2, std::to_string(field) + ":" + std::to_string(content) + ":" + std::to_string(length));
    put_bytes(out, kTensorExternalData, entry);
    put_varint(out, kTensorDataLocation << 3U | kVarint);
    put_varint(out, 1);  // EXTERNAL
  }

  std::string_view all_;
  const std::string& file_;
  std::size_t at_ = 0;
};

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& file) {
  const auto refuse = [&](const std::string& what) { throw ConfigError(file.string() + ": " + what); };
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) refuse("is a folder, expected a file");
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) refuse(std::string("cannot be read: ") + std::strerror(errno));
  struct stat status {};
  const bool regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  if (regular && status.st_size > 0) {
    size_ = static_cast<std::size_t>(status.st_size);
    void* const data = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    data_ = data == MAP_FAILED ? nullptr : static_cast<const char*>(data);
  }
  ::close(descriptor);
  if (!regular) refuse("is no regular file");
  if (size_ == 0) refuse("is empty");
  if (data_ == nullptr) refuse("cannot be mapped into memory");
}

MappedFile::~MappedFile() { ::munmap(const_cast<char*>(data_), size_); }

std::string without_payloads(std::string_view model, const std::string& file) {
  return Stripper(model, file).strip(Kind::model, 0, model.size());
}

}  // namespace accsim::model::importer
