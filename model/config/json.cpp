#include "model/config/json.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "model/base/error.h"

namespace accsim::model {
namespace {

constexpr std::size_t kLongestShown = 60;  // characters of a found value in a message

// Line and column (from 1) of a byte offset.
std::string position(std::string_view text, std::size_t offset) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    column = text[i] == '\n' ? 1 : column + 1;
    line += text[i] == '\n' ? 1 : 0;
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

// The first `length` bytes, or a few less where that would cut a character in two.
std::string shortened(std::string_view text, std::size_t length) {
  if (text.size() <= length) return std::string(text);
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; };
  while (length > 0 && continues(text[length])) --length;
  return std::string(text.substr(0, length)) + "…";
}

void append_pretty(const Json& json, int indent, std::string& out) {
  constexpr std::size_t kLineLength = 120;
  const std::string compact = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  const bool short_enough = compact.size() + static_cast<std::size_t>(indent) <= kLineLength;
  if (!json.is_structured() || json.empty() || (short_enough && indent > 0)) {
    out += compact;
    return;
  }
  const std::string pad(static_cast<std::size_t>(indent) + 2, ' ');
  out += json.is_object() ? "{\n" : "[\n";
  bool first = true;
  for (const auto& [key, value] : json.items()) {
    if (!first) out += ",\n";
    first = false;
    out += pad;
    if (json.is_object()) out += Json(key).dump() + ": ";
    append_pretty(value, indent + 2, out);
  }
  out += "\n" + std::string(static_cast<std::size_t>(indent), ' ') + (json.is_object() ? "}" : "]");
}

// Looks at the text before anything is built of it: syntax, duplicate keys, depth, size.
class StructureCheck : public nlohmann::json_sax<Json> {
 public:
  StructureCheck(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  bool null() override { return count(); }
  bool boolean(bool) override { return count(); }
  bool number_integer(number_integer_t) override { return count(); }
  bool number_unsigned(number_unsigned_t) override { return count(); }
  bool number_float(number_float_t, const string_t&) override { return count(); }
  bool string(string_t&) override { return count(); }
  bool binary(binary_t&) override { return count(); }
  bool start_object(std::size_t) override {
    open_objects_.emplace_back();
    return deeper();
  }
  bool key(string_t& key) override {
    if (!open_objects_.back().insert(key).second) {
      throw ConfigError(file_, "", "duplicate key " + shortened(Json(key).dump(), kLongestShown));
    }
    return true;
  }
  bool end_object() override {
    open_objects_.pop_back();
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override { return deeper(); }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t byte, const std::string&, const Json::exception& error) override {
    if (dynamic_cast<const Json::parse_error*>(&error) == nullptr) {
      throw ConfigError(file_, "", "not valid JSON: a number is out of range");
    }
    const std::size_t offset = byte > 0 ? byte - 1 : 0;
    throw ConfigError(file_, "",
                      "not valid JSON at " + position(text_, offset) +
                          (offset >= text_.size() ? ": the text ends too early" : ": unexpected character"));
  }

 private:
  bool count() {
    if (++values_ > kMostJsonValues) {
      throw ConfigError(file_, "", "holds more than " + std::to_string(kMostJsonValues) + " JSON values");
    }
    return true;
  }
  bool deeper() {
    if (++depth_ > kDeepestNesting) {
      throw ConfigError(file_, "", "nested deeper than " + std::to_string(kDeepestNesting) + " levels");
    }
    return count();
  }

  std::string_view text_;
  const std::string& file_;
  std::vector<std::set<std::string>> open_objects_;
  std::int64_t values_ = 0;
  int depth_ = 0;
};

}  // namespace

Origin Origin::key(std::string_view name) const {
  return {file, path.empty() ? std::string(name) : path + "." + std::string(name)};
}

Origin Origin::index(std::size_t i) const { return {file, path + "[" + std::to_string(i) + "]"}; }

void fail(const Origin& at, std::string_view what) { throw ConfigError(at.file, at.path, what); }

std::string describe(const Json& value) {
  if (value.is_object()) return "found an object";
  if (value.is_array()) return "found a list";
  return "found " + shortened(value.dump(-1, ' ', false, Json::error_handler_t::replace), kLongestShown);
}

std::string read_text_file(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) throw ConfigError(file.string(), "", "no such file");
  if (std::filesystem::is_directory(status)) throw ConfigError(file.string(), "", "is a folder, expected a file");
  const auto refuse_size = [&] {
    throw ConfigError(file.string(), "", "is larger than " + std::to_string(kLargestInputBytes >> 20) + " MiB");
  };
  if (std::filesystem::is_regular_file(status)) {
    const std::uintmax_t size = std::filesystem::file_size(file, error);
    if (!error && size > static_cast<std::uintmax_t>(kLargestInputBytes)) refuse_size();
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) throw ConfigError(file.string(), "", std::string("cannot be read: ") + std::strerror(errno));
  std::string text;
  std::vector<char> block(std::size_t{1} << 20);
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())), in.gcount() > 0) {
    text.append(block.data(), static_cast<std::size_t>(in.gcount()));
    if (static_cast<std::int64_t>(text.size()) > kLargestInputBytes) refuse_size();
  }
  if (in.bad()) throw ConfigError(file.string(), "", std::string("cannot be read: ") + std::strerror(errno));
  return text;
}

Json parse_json(std::string_view text, const std::string& file) {
  StructureCheck check(text, file);
  Json::sax_parse(text.begin(), text.end(), &check);
  return Json::parse(text.begin(), text.end());
}

Json read_json_file(const std::filesystem::path& file) { return parse_json(read_text_file(file), file.string()); }

void require_schema(const Json& json, std::string_view schema, const std::string& file) {
  const Origin at{file, ""};
  if (!json.is_object())
    fail(at, "expected an object with \"schema\": \"" + std::string(schema) + "\", " + describe(json));
  const auto it = json.find("schema");
  if (it == json.end()) fail(at, "missing key \"schema\", expected \"" + std::string(schema) + "\"");
  if (!it->is_string() || it->get<std::string>() != schema) {
    fail(at.key("schema"), "expected \"" + std::string(schema) + "\", " + describe(*it));
  }
}

void write_text_file(const std::filesystem::path& file, std::string_view text) {
  const auto refuse = [&](const std::string& why) {
    throw ConfigError(file.string(), "", "cannot be written: " + why);
  };
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (std::filesystem::is_directory(status)) refuse("it is a folder");
  // A device or pipe is written to; a file is replaced as a whole, and where a link leads to it the link stays.
  const bool replaceable = !std::filesystem::exists(status) || std::filesystem::is_regular_file(status);
  std::filesystem::path target = file;
  if (replaceable) target = std::filesystem::weakly_canonical(file, error);
  if (error) target = file;
  std::filesystem::path written = target;
  if (replaceable) written += ".tmp" + std::to_string(::getpid());

  errno = 0;
  std::ofstream out(written, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  std::string why;
  if (!out) why = errno != 0 ? std::strerror(errno) : "unknown reason";
  if (why.empty() && replaceable) {
    std::filesystem::rename(written, target, error);
    if (error) why = error.message();
  }
  if (why.empty()) return;
  if (replaceable) std::filesystem::remove(written, error);
  refuse(why);
}

void write_json_file(const std::filesystem::path& file, const Json& json) {
  write_text_file(file, pretty(json) + "\n");
}

std::string pretty(const Json& json) {
  std::string out;
  append_pretty(json, 0, out);
  return out;
}

}  // namespace accsim::model
