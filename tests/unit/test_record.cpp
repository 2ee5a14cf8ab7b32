// The field table: every kind of field parses, writes, documents itself, and refuses what it should with the exact
// message.
#include <optional>
#include <string>
#include <vector>

#include "model/config/record.h"
#include "tests/catch.h"

namespace {

using accsim::model::Bytes;
using accsim::model::ConfigError;
using accsim::model::Json;
using accsim::model::Record;

enum class Color { red, green };

struct Inner {
  int depth = 0;
};

struct Sample {
  int rows = 0;
  std::int8_t small = 0;
  Bytes size;
  double ratio = 0;
  bool fast = false;
  std::string name;
  Color color = Color::red;
  Inner inner;
  std::optional<Inner> maybe;
  std::vector<Inner> parts;
  std::vector<std::int64_t> shape;
  std::vector<std::string> labels;
};

Record<Inner> inner_record() {
  Record<Inner> record("inner", "an inner object");
  record.integer("depth", &Inner::depth, {0, 9}, 3, "how deep");
  return record;
}

Record<Sample> sample_record() {
  Record<Sample> record("sample", "one of each kind");
  record.integer("rows", &Sample::rows, {1, 4096}, {}, "rows of elements")
      .integer("small", &Sample::small, {}, 5, "fits a byte")
      .integer("size", &Sample::size, {0, 1024}, 64, "bytes")
      .number("ratio", &Sample::ratio, {0, 2.5}, 0.5, "a ratio")
      .boolean("fast", &Sample::fast, true, "whether fast")
      .text("name", &Sample::name, "none", "a name")
      .choice("color", &Sample::color, {{"red", Color::red}, {"green", Color::green}}, {Color::green}, "a colour")
      .object("inner", &Sample::inner, inner_record(), false, "inside")
      .optional_object("maybe", &Sample::maybe, inner_record(), "may be absent")
      .list("parts", &Sample::parts, inner_record(), 0, 2, "some parts")
      .integers("shape", &Sample::shape, {1, 100}, 1, 3, std::vector<std::int64_t>{7}, "a shape")
      .texts("labels", &Sample::labels, 0, 2, std::vector<std::string>{}, "labels");
  return record;
}

Sample parse(const std::string& text) { return sample_record().parse(Json::parse(text), {"f.json", "top"}); }

std::string message_of(const std::string& text) {
  try {
    parse(text);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a record fills in every default") {
  const Sample sample = parse(R"({"rows": 4})");
  CHECK(sample.rows == 4);
  CHECK(sample.small == 5);
  CHECK(sample.size == Bytes{64});
  CHECK(sample.ratio == 0.5);
  CHECK(sample.fast);
  CHECK(sample.name == "none");
  CHECK(sample.color == Color::green);
  CHECK(sample.inner.depth == 3);
  CHECK_FALSE(sample.maybe.has_value());
  CHECK(sample.parts.empty());
  CHECK(sample.shape == std::vector<std::int64_t>{7});
  CHECK(sample.labels.empty());
}

TEST_CASE("a record reads every kind of field") {
  const Sample sample = parse(R"({"rows": 4096, "small": -128, "size": 0, "ratio": 2, "fast": false, "name": "",
    "color": "red", "inner": {"depth": 9}, "maybe": {}, "parts": [{"depth": 1}, {"depth": 2}],
    "shape": [1, 100], "labels": ["a", "b"], "_source": "a comment"})");
  CHECK(sample.rows == 4096);
  CHECK(sample.small == -128);
  CHECK(sample.size == Bytes{0});
  CHECK(sample.ratio == 2.0);
  CHECK_FALSE(sample.fast);
  CHECK(sample.name.empty());
  CHECK(sample.color == Color::red);
  CHECK(sample.inner.depth == 9);
  REQUIRE(sample.maybe.has_value());
  CHECK(sample.maybe->depth == 3);
  REQUIRE(sample.parts.size() == 2);
  CHECK(sample.parts[1].depth == 2);
  CHECK(sample.shape == std::vector<std::int64_t>{1, 100});
  CHECK(sample.labels == std::vector<std::string>{"a", "b"});
}

TEST_CASE("what a record writes reads back as the same") {
  const auto record = sample_record();
  for (const std::string text : {R"({"rows": 4})", R"({"rows": 7, "maybe": {"depth": 1}, "parts": [{}]})"}) {
    const Json written = record.dump(parse(text));
    CHECK(record.dump(record.parse(written, {})) == written);
  }
  CHECK(record.dump(parse(R"({"rows": 4})")).dump() ==
        R"({"rows":4,"small":5,"size":64,"ratio":0.5,"fast":true,"name":"none","color":"green",)"
        R"("inner":{"depth":3},"parts":[],"shape":[7],"labels":[]})");
}

TEST_CASE("a record names the file, the path, what was found and what is allowed") {
  CHECK(message_of("[]") == "f.json: top: expected an object (sample), found a list");
  CHECK(message_of("{}") == "f.json: top: missing key \"rows\" (integer, 1 to 4096: rows of elements)");
  CHECK(message_of(R"({"rows": 0})") == "f.json: top.rows: expected an integer from 1 to 4096, found 0");
  CHECK(message_of(R"({"rows": -3})") == "f.json: top.rows: expected an integer from 1 to 4096, found -3");
  CHECK(message_of(R"({"rows": 4.0})") == "f.json: top.rows: expected an integer from 1 to 4096, found 4.0");
  CHECK(message_of(R"({"rows": "4"})") == "f.json: top.rows: expected an integer from 1 to 4096, found \"4\"");
  CHECK(message_of(R"({"rows": true})") == "f.json: top.rows: expected an integer from 1 to 4096, found true");
  CHECK(message_of(R"({"rows": null})") == "f.json: top.rows: expected an integer from 1 to 4096, found null");
  CHECK(message_of(R"({"rows": {}})") == "f.json: top.rows: expected an integer from 1 to 4096, found an object");
  CHECK(message_of(R"({"rows": 18446744073709551615})") ==
        "f.json: top.rows: expected an integer from 1 to 4096, found 18446744073709551615");
  CHECK(message_of(R"({"rows": 1, "small": 128})") ==
        "f.json: top.small: expected an integer from -128 to 127, found 128");
  CHECK(message_of(R"({"rows": 1, "ratio": 2.6})") ==
        "f.json: top.ratio: expected a number from 0.0 to 2.5, found 2.6");
  CHECK(message_of(R"({"rows": 1, "ratio": "x"})") ==
        "f.json: top.ratio: expected a number from 0.0 to 2.5, found \"x\"");
  CHECK(message_of(R"({"rows": 1, "fast": 1})") == "f.json: top.fast: expected true or false, found 1");
  CHECK(message_of(R"({"rows": 1, "name": 1})") == "f.json: top.name: expected a string, found 1");
  CHECK(message_of(R"({"rows": 1, "color": 1})") == "f.json: top.color: expected one of \"red\", \"green\", found 1");
  CHECK(message_of(R"({"rows": 1, "color": "gren"})") ==
        "f.json: top.color: expected one of \"red\", \"green\", found \"gren\"; did you mean \"green\"?");
  CHECK(message_of(R"({"rows": 1, "color": "xylophone"})") ==
        "f.json: top.color: expected one of \"red\", \"green\", found \"xylophone\"");
  CHECK(message_of(R"({"rows": 1, "inner": 2})") == "f.json: top.inner: expected an object (inner), found 2");
  CHECK(message_of(R"({"rows": 1, "inner": {"depth": 10}})") ==
        "f.json: top.inner.depth: expected an integer from 0 to 9, found 10");
  CHECK(message_of(R"({"rows": 1, "maybe": null})") == "f.json: top.maybe: expected an object (inner), found null");
  CHECK(message_of(R"({"rows": 1, "parts": {}})") == "f.json: top.parts: expected a list, found an object");
  CHECK(message_of(R"({"rows": 1, "parts": [{}, {}, {}]})") ==
        "f.json: top.parts: expected a list of 0 to 2 entries, found 3");
  CHECK(message_of(R"({"rows": 1, "parts": [{}, {"depth": -1}]})") ==
        "f.json: top.parts[1].depth: expected an integer from 0 to 9, found -1");
  CHECK(message_of(R"({"rows": 1, "shape": []})") == "f.json: top.shape: expected a list of 1 to 3 entries, found 0");
  CHECK(message_of(R"({"rows": 1, "shape": [1, 0]})") ==
        "f.json: top.shape[1]: expected an integer from 1 to 100, found 0");
  CHECK(message_of(R"({"rows": 1, "labels": ["a", 2]})") == "f.json: top.labels[1]: expected a string, found 2");
  CHECK(message_of(R"({"row": 1})") ==
        "f.json: top: unknown key \"row\"; allowed: rows, small, size, ratio, fast, name, color, inner, maybe, parts, "
        "shape, labels; did you mean \"rows\"?");
  CHECK(message_of(R"({"rows": 1, "inner": {"dept": 1}})") ==
        "f.json: top.inner: unknown key \"dept\"; allowed: depth; did you mean \"depth\"?");
}

TEST_CASE("a long value is shortened in a message, between two characters") {
  std::string text = R"({"rows": ")" + std::string(58, 'x') + "é" + std::string(1000, 'y') + "\"}";
  CHECK(message_of(text) ==
        "f.json: top.rows: expected an integer from 1 to 4096, found \"" + std::string(58, 'x') + "…");
}

TEST_CASE("the schema and the documentation come from the same table") {
  const Json schema = sample_record().schema();
  CHECK(schema["required"] == Json::array({"rows"}));
  CHECK(schema["additionalProperties"] == false);
  CHECK(schema["properties"]["rows"].dump() ==
        R"({"type":"integer","minimum":1,"maximum":4096,"description":"rows of elements"})");
  CHECK(schema["properties"]["small"]["maximum"] == 127);
  CHECK(schema["properties"]["color"]["enum"] == Json::array({"red", "green"}));
  CHECK(schema["properties"]["color"]["default"] == "green");
  CHECK(schema["properties"]["inner"]["properties"]["depth"]["default"] == 3);
  CHECK(schema["properties"]["parts"]["maxItems"] == 2);

  const auto docs = sample_record().docs();
  REQUIRE(docs.size() == 12);
  CHECK(docs[0].key == "rows");
  CHECK(docs[0].allowed == "1 to 4096");
  CHECK(docs[0].default_value.empty());
  CHECK(docs[6].allowed == "red | green");
  CHECK(docs[6].default_value == "\"green\"");
  for (const auto& row : docs) CHECK_FALSE(row.doc.empty());
}
