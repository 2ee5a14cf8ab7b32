// Reading and writing JSON strictly: a file is valid JSON with no duplicate key, or there is one ConfigError
// that names the file, the line and column. Files are written to a temporary name and renamed, so that
// nothing half-written is ever seen under the final name.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace accsim::model {

using Json = nlohmann::ordered_json;  // keeps the order of keys, so that what is printed reads as written

inline constexpr std::int64_t kLargestInputBytes = std::int64_t{1} << 28;  // 256 MiB
inline constexpr int kDeepestNesting = 64;
inline constexpr std::int64_t kMostJsonValues = std::int64_t{1} << 23;

// Where a value came from, for error messages: file name and JSON path ("cores[0].array.rows").
struct Origin {
  std::string file;
  std::string path;
  [[nodiscard]] Origin key(std::string_view name) const;
  [[nodiscard]] Origin index(std::size_t i) const;
};

// Throws ConfigError: `at.file`: `at.path`: `what`.
[[noreturn]] void fail(const Origin& at, std::string_view what);

// "found 3", "found \"abc\"", "found an object": a short form of any value for messages.
std::string describe(const Json& value);

// Whole content of a file; ConfigError if it is missing, a directory, unreadable or over kLargestInputBytes.
std::string read_text_file(const std::filesystem::path& file);

// Parses text; ConfigError on a syntax error, a duplicate key, nesting deeper than kDeepestNesting or more
// than kMostJsonValues values.
Json parse_json(std::string_view text, const std::string& file);
Json read_json_file(const std::filesystem::path& file);

// Requires an object whose "schema" is `schema`.
void require_schema(const Json& json, std::string_view schema, const std::string& file);

// Writes through a temporary file in the same folder and renames (a device or pipe is written to directly);
// ConfigError where that fails.
void write_text_file(const std::filesystem::path& file, std::string_view text);
void write_json_file(const std::filesystem::path& file, const Json& json);

// Like Json::dump(2), but short arrays and objects (up to 120 characters) stay on one line.
std::string pretty(const Json& json);

}  // namespace accsim::model
