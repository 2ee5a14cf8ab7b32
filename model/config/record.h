// One table of fields a struct: key, member, range, default, one line of documentation. The table drives the
// strict parser (unknown, missing, mistyped and out-of-range keys are errors), the writer (every default
// visible), the JSON schema and the documentation, so that they cannot disagree.
//
//   Record<Array> record("array", "Systolic array of one core");
//   record.integer("rows", &Array::rows, {1, 4096}, {}, "rows of processing elements");        // required
//   record.boolean("double_buffered", &Array::double_buffered, true, "shadow weight registers");  // optional
#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/base/error.h"
#include "model/base/units.h"
#include "model/config/json.h"

namespace accsim::model {

struct IntegerRange {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};
struct NumberRange {
  double min = 0;
  double max = 1e18;
};

template <class E>
using Choices = std::vector<std::pair<std::string, E>>;

std::int64_t read_integer(const Json& value, IntegerRange range, const Origin& at);
double read_number(const Json& value, NumberRange range, const Origin& at);
bool read_boolean(const Json& value, const Origin& at);
std::string read_text(const Json& value, const Origin& at);
// Index into `allowed`; the error lists them and suggests the nearest.
std::size_t read_choice(const Json& value, const std::vector<std::string>& allowed, const Origin& at);
// The error for a key that no field has.
[[noreturn]] void fail_unknown_key(const std::string& key, const std::vector<std::string>& allowed, const Origin& at);

// One row of documentation, for schema and docs.
struct FieldDoc {
  std::string key;
  std::string type;           // "integer", "number", "boolean", "text", "choice", "object", "list"
  std::string allowed;        // range or choices, as text
  std::string default_value;  // as JSON text; empty = required
  std::string doc;
};

template <class T>
class Record {
 public:
  Record(std::string name, std::string doc) : name_(std::move(name)), doc_(std::move(doc)) {}

  template <class Int>
  Record& integer(std::string key, Int T::*member, IntegerRange range, std::optional<std::int64_t> fallback,
                  std::string doc) {
    if constexpr (std::is_integral_v<Int>) range = clamped<Int>(range);
    Json schema = {{"type", "integer"}, {"minimum", range.min}, {"maximum", range.max}};
    return add(
        std::move(key), "integer", range_text(range.min, range.max), json_or_null(fallback), std::move(doc),
        std::move(schema),
        [member, range](T& out, const Json& v, const Origin& at) {
          out.*member = static_cast<Int>(read_integer(v, range, at));
        },
        [member](const T& in) -> Json { return to_integer(in.*member); });
  }

  Record& number(std::string key, double T::*member, NumberRange range, std::optional<double> fallback,
                 std::string doc) {
    Json schema = {{"type", "number"}, {"minimum", range.min}, {"maximum", range.max}};
    return add(
        std::move(key), "number", range_text(range.min, range.max), json_or_null(fallback), std::move(doc),
        std::move(schema),
        [member, range](T& out, const Json& v, const Origin& at) { out.*member = read_number(v, range, at); },
        [member](const T& in) -> Json { return in.*member; });
  }

  Record& boolean(std::string key, bool T::*member, std::optional<bool> fallback, std::string doc) {
    return add(
        std::move(key), "boolean", "true or false", json_or_null(fallback), std::move(doc), Json{{"type", "boolean"}},
        [member](T& out, const Json& v, const Origin& at) { out.*member = read_boolean(v, at); },
        [member](const T& in) -> Json { return in.*member; });
  }

  Record& text(std::string key, std::string T::*member, std::optional<std::string> fallback, std::string doc) {
    return add(
        std::move(key), "text", "a string", json_or_null(fallback), std::move(doc), Json{{"type", "string"}},
        [member](T& out, const Json& v, const Origin& at) { out.*member = read_text(v, at); },
        [member](const T& in) -> Json { return in.*member; });
  }

  template <class E>
  Record& choice(std::string key, E T::*member, Choices<E> choices, std::optional<E> fallback, std::string doc) {
    std::vector<std::string> names;
    for (const auto& [name, value] : choices) names.push_back(name);
    std::string allowed;
    for (const std::string& name : names) allowed += (allowed.empty() ? "" : " | ") + name;
    Json initial;
    if (fallback) initial = name_in(choices, *fallback);
    return add(
        std::move(key), "choice", allowed, std::move(initial), std::move(doc),
        Json{{"type", "string"}, {"enum", names}},
        [member, choices, names](T& out, const Json& v, const Origin& at) {
          out.*member = choices[read_choice(v, names, at)].second;
        },
        [member, choices](const T& in) -> Json { return name_in(choices, in.*member); });
  }

  // A nested object; `required` false: the sub-record's own defaults fill it in when the key is absent.
  template <class S>
  Record& object(std::string key, S T::*member, Record<S> sub, bool required, std::string doc) {
    auto shared = std::make_shared<Record<S>>(std::move(sub));
    return add(
        std::move(key), "object", shared->name(), required ? Json() : Json::object(), std::move(doc), shared->schema(),
        [member, shared](T& out, const Json& v, const Origin& at) { out.*member = shared->parse(v, at); },
        [member, shared](const T& in) -> Json { return shared->dump(in.*member); });
  }

  // A nested object that may be absent altogether (left out of the dump, too).
  template <class S>
  Record& optional_object(std::string key, std::optional<S> T::*member, Record<S> sub, std::string doc) {
    auto shared = std::make_shared<Record<S>>(std::move(sub));
    add(
        std::move(key), "object", shared->name(), Json("absent"), std::move(doc), shared->schema(),
        [member, shared](T& out, const Json& v, const Origin& at) { out.*member = shared->parse(v, at); },
        [member, shared](const T& in) -> Json { return in.*member ? shared->dump(*(in.*member)) : Json(); });
    fields_.back().absent_allowed = true;
    return *this;
  }

  template <class S>
  Record& list(std::string key, std::vector<S> T::*member, Record<S> sub, std::size_t min_size, std::size_t max_size,
               std::string doc) {
    auto shared = std::make_shared<Record<S>>(std::move(sub));
    Json schema = {{"type", "array"}, {"items", shared->schema()}, {"minItems", min_size}, {"maxItems", max_size}};
    return add(
        std::move(key), "list", shared->name(), min_size > 0 ? Json() : Json::array(), std::move(doc),
        std::move(schema),
        [=](T& out, const Json& v, const Origin& at) {
          check_list(v, min_size, max_size, at);
          (out.*member).clear();
          for (std::size_t i = 0; i < v.size(); ++i) (out.*member).push_back(shared->parse(v[i], at.index(i)));
        },
        [member, shared](const T& in) -> Json {
          Json items = Json::array();
          for (const S& item : in.*member) items.push_back(shared->dump(item));
          return items;
        });
  }

  Record& integers(std::string key, std::vector<std::int64_t> T::*member, IntegerRange range, std::size_t min_size,
                   std::size_t max_size, std::optional<std::vector<std::int64_t>> fallback, std::string doc) {
    Json schema = {{"type", "array"}, {"items", {{"type", "integer"}}}, {"minItems", min_size}, {"maxItems", max_size}};
    return add(
        std::move(key), "list", "integers " + range_text(range.min, range.max), json_or_null(fallback), std::move(doc),
        std::move(schema),
        [=](T& out, const Json& v, const Origin& at) {
          check_list(v, min_size, max_size, at);
          (out.*member).clear();
          for (std::size_t i = 0; i < v.size(); ++i) (out.*member).push_back(read_integer(v[i], range, at.index(i)));
        },
        [member](const T& in) -> Json { return in.*member; });
  }

  Record& texts(std::string key, std::vector<std::string> T::*member, std::size_t min_size, std::size_t max_size,
                std::optional<std::vector<std::string>> fallback, std::string doc) {
    Json schema = {{"type", "array"}, {"items", {{"type", "string"}}}, {"minItems", min_size}, {"maxItems", max_size}};
    return add(
        std::move(key), "list", "strings", json_or_null(fallback), std::move(doc), std::move(schema),
        [=](T& out, const Json& v, const Origin& at) {
          check_list(v, min_size, max_size, at);
          (out.*member).clear();
          for (std::size_t i = 0; i < v.size(); ++i) (out.*member).push_back(read_text(v[i], at.index(i)));
        },
        [member](const T& in) -> Json { return in.*member; });
  }

  // Keys starting with "_" are comments anywhere (sources of numbers stand beside the numbers).
  [[nodiscard]] T parse(const Json& json, const Origin& at) const {
    if (!json.is_object()) fail(at, "expected an object (" + name_ + "), " + describe(json));
    T out{};
    for (const auto& [key, value] : json.items()) {
      if (!key.empty() && key[0] == '_') continue;
      if (find(key) == nullptr) fail_unknown_key(key, keys(), at);
    }
    for (const Field& field : fields_) {
      const auto it = json.find(field.doc.key);
      if (it != json.end()) {
        field.parse(out, *it, at.key(field.doc.key));
      } else if (field.absent_allowed) {
        continue;
      } else if (field.fallback.is_null()) {
        fail(at, "missing key \"" + field.doc.key + "\" (" + field.doc.type + ", " + field.doc.allowed + ": " +
                     field.doc.doc + ")");
      } else {
        field.parse(out, field.fallback, at.key(field.doc.key));
      }
    }
    return out;
  }

  // Every field, defaults included, in table order.
  [[nodiscard]] Json dump(const T& in) const {
    Json out = Json::object();
    for (const Field& field : fields_) {
      Json value = field.dump(in);
      if (!(field.absent_allowed && value.is_null())) out[field.doc.key] = std::move(value);
    }
    return out;
  }

  [[nodiscard]] Json schema() const {
    Json properties = Json::object();
    Json required = Json::array();
    for (const Field& field : fields_) {
      properties[field.doc.key] = field.schema;
      properties[field.doc.key]["description"] = field.doc.doc;
      if (field.absent_allowed) continue;
      if (field.fallback.is_null()) {
        required.push_back(field.doc.key);
      } else {
        properties[field.doc.key]["default"] = field.fallback;
      }
    }
    return {{"type", "object"},         {"description", doc_},
            {"properties", properties}, {"patternProperties", {{"^_", Json::object()}}},
            {"required", required},     {"additionalProperties", false}};
  }

  [[nodiscard]] std::vector<FieldDoc> docs() const {
    std::vector<FieldDoc> rows;
    for (const Field& field : fields_) rows.push_back(field.doc);
    return rows;
  }
  [[nodiscard]] std::vector<std::string> keys() const {
    std::vector<std::string> names;
    for (const Field& field : fields_) names.push_back(field.doc.key);
    return names;
  }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& doc() const { return doc_; }

 private:
  struct Field {
    FieldDoc doc;
    Json fallback;  // null = required
    Json schema;
    bool absent_allowed = false;
    std::function<void(T&, const Json&, const Origin&)> parse;
    std::function<Json(const T&)> dump;
  };

  template <class Parse, class Dump>
  Record& add(std::string key, std::string type, std::string allowed, Json fallback, std::string doc, Json schema,
              Parse parse, Dump dump) {
    const std::string shown = fallback.is_null() ? "" : fallback.dump();
    fields_.push_back(Field{{std::move(key), std::move(type), std::move(allowed), shown, std::move(doc)},
                            std::move(fallback),
                            std::move(schema),
                            false,
                            std::move(parse),
                            std::move(dump)});
    return *this;
  }

  [[nodiscard]] const Field* find(const std::string& key) const {
    for (const Field& field : fields_)
      if (field.doc.key == key) return &field;
    return nullptr;
  }

  // The part of a range that a member of type Int can hold.
  template <class Int>
  static IntegerRange clamped(IntegerRange range) {
    constexpr auto kLowest = static_cast<std::int64_t>(std::numeric_limits<Int>::min());
    constexpr auto kHighest = std::numeric_limits<Int>::max();
    range.min = std::max(range.min, kLowest);
    if (std::cmp_greater(range.max, kHighest)) range.max = static_cast<std::int64_t>(kHighest);
    return range;
  }
  template <class V>
  static Json json_or_null(const std::optional<V>& value) {
    return value ? Json(*value) : Json();
  }
  template <class V>
  static std::int64_t to_integer(const V& value) {
    if constexpr (requires { value.value(); }) {
      return value.value();
    } else {
      return static_cast<std::int64_t>(value);
    }
  }
  template <class E>
  static std::string name_in(const Choices<E>& choices, E value) {
    for (const auto& [name, v] : choices)
      if (v == value) return name;
    throw InternalError("a value has no name in its table of choices");
  }
  template <class V>
  static std::string range_text(V min, V max) {
    if constexpr (std::is_integral_v<V>) {
      const std::string low = min == std::numeric_limits<V>::min() ? "any" : std::to_string(min);
      const std::string high = max == std::numeric_limits<V>::max() ? "any" : std::to_string(max);
      return low + " to " + high;
    } else {
      return Json(min).dump() + " to " + Json(max).dump();
    }
  }
  static void check_list(const Json& v, std::size_t min_size, std::size_t max_size, const Origin& at) {
    if (!v.is_array()) fail(at, "expected a list, " + describe(v));
    if (v.size() < min_size || v.size() > max_size) {
      fail(at, "expected a list of " + std::to_string(min_size) + " to " + std::to_string(max_size) +
                   " entries, found " + std::to_string(v.size()));
    }
  }

  std::string name_;
  std::string doc_;
  std::vector<Field> fields_;
};

}  // namespace accsim::model
