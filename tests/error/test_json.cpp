// Files that are no valid input: one exact message each, in bounded time and memory, and nothing half-written.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "model/base/error.h"
#include "model/config/json.h"
#include "tests/catch.h"
#include "tests/run_program.h"

namespace {

namespace fs = std::filesystem;
using accsim::model::ConfigError;
using accsim::model::Json;
using accsim::tests::TemporaryFolder;

template <class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

std::string parse_message(const std::string& text) {
  return message_of([&] { accsim::model::parse_json(text, "f.json"); });
}

std::string repeated(const std::string& unit, std::size_t bytes) {
  std::string text;
  text.reserve(bytes + unit.size());
  while (text.size() < bytes) text += unit;
  return text;
}

constexpr std::size_t kHundredMegabytes = 100'000'000;

}  // namespace

TEST_CASE("broken JSON is refused with line and column") {
  CHECK(parse_message("") == "f.json: not valid JSON at line 1, column 1: the text ends too early");
  CHECK(parse_message("  \n ") == "f.json: not valid JSON at line 2, column 2: the text ends too early");
  CHECK(parse_message("{\"a\": [1, 2") == "f.json: not valid JSON at line 1, column 12: the text ends too early");
  CHECK(parse_message("{\"a\": \"tex") == "f.json: not valid JSON at line 1, column 11: the text ends too early");
  CHECK(parse_message("{\"a\": tr") == "f.json: not valid JSON at line 1, column 9: the text ends too early");
  CHECK(parse_message("{\n  \"a\": 1,\n  b\n}") == "f.json: not valid JSON at line 3, column 3: unexpected character");
  CHECK(parse_message("{} x") == "f.json: not valid JSON at line 1, column 4: unexpected character");
  CHECK(parse_message("{\"a\": 01}") == "f.json: not valid JSON at line 1, column 8: unexpected character");
  CHECK(parse_message("[1,]") == "f.json: not valid JSON at line 1, column 4: unexpected character");
  CHECK(parse_message("// comment\n{}") == "f.json: not valid JSON at line 1, column 1: unexpected character");
  CHECK(parse_message("[NaN]") == "f.json: not valid JSON at line 1, column 2: unexpected character");
  CHECK(parse_message(std::string("\0\0\0", 3)) == "f.json: not valid JSON at line 1, column 1: unexpected character");
  CHECK(parse_message("[\"\xff\xfe\"]") == "f.json: not valid JSON at line 1, column 3: unexpected character");
  CHECK(parse_message("[1e999]") == "f.json: not valid JSON: a number is out of range");
}

TEST_CASE("every truncation of a valid file is refused") {
  const std::string text = R"({"schema": "x/1", "list": [1, 2.5, -3e2, true, null, {"k": "ab\n\u00e9"}], "z": {}})";
  CHECK(parse_message(text) == "no error");
  for (std::size_t length = 0; length < text.size(); ++length) {
    CAPTURE(length);
    CHECK(parse_message(text.substr(0, length)).rfind("f.json: not valid JSON at line 1, column ", 0) == 0);
  }
}

TEST_CASE("a duplicate key is refused at any depth") {
  CHECK(parse_message(R"({"a": 1, "b": 2, "a": 3})") == "f.json: duplicate key \"a\"");
  CHECK(parse_message(R"({"a": [{"b": {"c": 1, "c": 1}}]})") == "f.json: duplicate key \"c\"");
  CHECK(parse_message(R"({"a": {"b": 1}, "b": {"a": 1}})") == "no error");
  CHECK(parse_message(R"([{"a": 1}, {"a": 1}])") == "no error");
  CHECK(parse_message(R"({"a\nb": 1, "a\nb": 1})") == R"(f.json: duplicate key "a\nb")");
}

TEST_CASE("deep nesting is refused before it can exhaust the stack") {
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  CHECK(parse_message(nested(accsim::model::kDeepestNesting)) == "no error");
  CHECK(parse_message(nested(accsim::model::kDeepestNesting + 2)) == "f.json: nested deeper than 64 levels");
  CHECK(parse_message(std::string(10'000'000, '[')) == "f.json: nested deeper than 64 levels");
  CHECK(parse_message(repeated("{\"a\":", 1'000'000)) == "f.json: nested deeper than 64 levels");
}

TEST_CASE("a hundred megabytes of garbage are refused") {
  const TemporaryFolder folder;
  const fs::path file = folder / "garbage.json";
  std::string text;
  std::string expected;
  SECTION("random bytes") {
    std::uint64_t state = 88172645463325252U;
    text.resize(kHundredMegabytes);
    for (char& c : text) {
      state ^= state << 13U;
      state ^= state >> 7U;
      state ^= state << 17U;
      c = static_cast<char>(state);
    }
    expected = ": not valid JSON at line 1, column 1: unexpected character";
  }
  SECTION("one letter") {
    text = std::string(kHundredMegabytes, 'x');
    expected = ": not valid JSON at line 1, column 1: unexpected character";
  }
  SECTION("valid, but far too many values") {
    text = "[" + repeated("1,", kHundredMegabytes) + "1]";
    expected = ": holds more than 8388608 JSON values";
  }
  SECTION("one endless string") {
    text = "\"" + std::string(kHundredMegabytes, 'x');
    expected = ": not valid JSON at line 1, column 100000002: the text ends too early";
  }
  std::ofstream(file, std::ios::binary) << text;
  CHECK(message_of([&] { accsim::model::read_json_file(file); }) == file.string() + expected);
}

TEST_CASE("a file over the limit is refused without being read to its end") {
  const TemporaryFolder folder;
  const fs::path file = folder / "huge.json";
  std::ofstream(file) << "{}";
  fs::resize_file(file, std::uintmax_t{1} << 40U);  // sparse
  CHECK(message_of([&] { accsim::model::read_json_file(file); }) == file.string() + ": is larger than 256 MiB");
}

TEST_CASE("a missing file, a folder and an unreadable file are told apart") {
  const TemporaryFolder folder;
  const auto read = [](const fs::path& file) { return message_of([&] { accsim::model::read_json_file(file); }); };
  CHECK(read("/no/such/file.json") == "/no/such/file.json: no such file");
  CHECK(read(folder / "a.json") == (folder / "a.json").string() + ": no such file");
  CHECK(read(folder / "") == (folder / "").string() + ": is a folder, expected a file");
  CHECK(read("/proc/self/mem") == "/proc/self/mem: cannot be read: Input/output error");  // even for root
  const fs::path secret = folder / "secret.json";
  std::ofstream(secret) << "{}";
  REQUIRE(::chmod(secret.c_str(), 0) == 0);
  const bool root = ::geteuid() == 0;
  CHECK(read(secret) == (root ? "no error" : secret.string() + ": cannot be read: Permission denied"));
}

TEST_CASE("a file with the wrong schema is refused") {
  const auto check = [](const std::string& text) {
    return message_of([&] { accsim::model::require_schema(Json::parse(text), "accsim-arch/1", "f.json"); });
  };
  CHECK(check(R"({"schema": "accsim-arch/1"})") == "no error");
  CHECK(check("[]") == "f.json: expected an object with \"schema\": \"accsim-arch/1\", found a list");
  CHECK(check("{}") == "f.json: missing key \"schema\", expected \"accsim-arch/1\"");
  CHECK(check(R"({"schema": "accsim-net/1"})") == "f.json: schema: expected \"accsim-arch/1\", found \"accsim-net/1\"");
  CHECK(check(R"({"schema": 1})") == "f.json: schema: expected \"accsim-arch/1\", found 1");
}

TEST_CASE("a file is written whole or not at all") {
  const TemporaryFolder folder;
  const auto write = [](const fs::path& file) {
    return message_of([&] { accsim::model::write_text_file(file, "text\n"); });
  };
  const fs::path file = folder / "r.json";
  CHECK(write(file) == "no error");
  CHECK(accsim::model::read_text_file(file) == "text\n");
  CHECK(write(file) == "no error");  // again over the old one
  CHECK(folder.entries() == 1);

  CHECK(write(folder / "no/r.json") ==
        (folder / "no/r.json").string() + ": cannot be written: No such file or directory");
  CHECK(write(folder / "") == (folder / "").string() + ": cannot be written: it is a folder");
  CHECK(write("/dev/full") == "/dev/full: cannot be written: No space left on device");
  CHECK(folder.entries() == 1);
}

TEST_CASE("writing to a device or through a link leaves the device and the link in place") {
  const TemporaryFolder folder;
  accsim::model::write_text_file("/dev/null", "text");
  CHECK(fs::is_character_file("/dev/null"));
  const fs::path file = folder / "target.json";
  const fs::path link = folder / "link.json";
  accsim::model::write_text_file(file, "zero");
  fs::create_symlink(file, link);
  accsim::model::write_text_file(link, "one");
  accsim::model::write_text_file(link, "two");
  CHECK(fs::is_symlink(link));
  CHECK(accsim::model::read_text_file(file) == "two");
  CHECK(folder.entries() == 2);
}

TEST_CASE("what is printed prettily reads back as the same") {
  const Json json =
      Json::parse(R"({"short": [1, 2, 3], "empty": {}, "text": "a\"b\n", "long": [)" +
                  repeated("[12345678, 12345678],", 400) + R"(null], "nested": {"a": {"b": [true, 1.5, -7]}}})");
  const std::string text = accsim::model::pretty(json);
  CHECK(Json::parse(text) == json);
  CHECK(text.find("  \"short\": [1,2,3],\n") != std::string::npos);
  CHECK(accsim::model::pretty(Json::parse("[]")) == "[]");
}
