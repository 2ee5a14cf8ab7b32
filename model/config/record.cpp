#include "model/config/record.h"

#include <algorithm>

namespace accsim::model {

std::int64_t read_integer(const Json& value, IntegerRange range, const Origin& at) {
  const auto allowed = [&] {
    return "an integer from " + std::to_string(range.min) + " to " + std::to_string(range.max);
  };
  if (!value.is_number_integer()) fail(at, "expected " + allowed() + ", " + describe(value));
  const bool too_large =
      value.is_number_unsigned() &&
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (too_large || value.get<std::int64_t>() < range.min || value.get<std::int64_t>() > range.max) {
    fail(at, "expected " + allowed() + ", " + describe(value));
  }
  return value.get<std::int64_t>();
}

double read_number(const Json& value, NumberRange range, const Origin& at) {
  if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() < range.min ||
      value.get<double>() > range.max) {
    fail(at,
         "expected a number from " + Json(range.min).dump() + " to " + Json(range.max).dump() + ", " + describe(value));
  }
  return value.get<double>();
}

bool read_boolean(const Json& value, const Origin& at) {
  if (!value.is_boolean()) fail(at, "expected true or false, " + describe(value));
  return value.get<bool>();
}

std::string read_text(const Json& value, const Origin& at) {
  if (!value.is_string()) fail(at, "expected a string, " + describe(value));
  return value.get<std::string>();
}

std::size_t read_choice(const Json& value, const std::vector<std::string>& allowed, const Origin& at) {
  std::string list;
  for (const std::string& name : allowed) list += (list.empty() ? "\"" : ", \"") + name + "\"";
  if (!value.is_string()) fail(at, "expected one of " + list + ", " + describe(value));
  const auto found = value.get<std::string>();
  const auto it = std::find(allowed.begin(), allowed.end(), found);
  if (it == allowed.end()) fail(at, "expected one of " + list + ", " + describe(value) + did_you_mean(found, allowed));
  return static_cast<std::size_t>(it - allowed.begin());
}

void fail_unknown_key(const std::string& key, const std::vector<std::string>& allowed, const Origin& at) {
  std::string list;
  for (const std::string& name : allowed) list += (list.empty() ? "" : ", ") + name;
  fail(at, "unknown key \"" + key.substr(0, 80) + "\"; allowed: " + list + did_you_mean(key, allowed));
}

}  // namespace accsim::model
