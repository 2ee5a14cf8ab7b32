// The kinds of failure, told apart by whose fault it is. Libraries throw them; only the program's
// main function catches them and turns them into exit codes (2, 3, 4, 70).
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace accsim::model {

// The user's mistake: a file, an option, a value. The message is one line that names the file, the JSON
// path, what was found and what is allowed. Exit code 2.
class ConfigError : public std::runtime_error {
 public:
  explicit ConfigError(const std::string& message) : std::runtime_error(message) {}
  // "<file>: <json path>: <what>", parts left out where empty. JSON path as in "cores[0].array.rows".
  ConfigError(std::string_view file, std::string_view path, std::string_view what);
};

// No schedule fits: names the binding buffer and the smallest change that would help. Exit code 3.
class InfeasibleError : public std::runtime_error {
 public:
  explicit InfeasibleError(const std::string& message) : std::runtime_error(message) {}
};

// A comparison that the user asked for found a difference (verify, test data, bench). Exit code 4.
class MismatchError : public std::runtime_error {
 public:
  explicit MismatchError(const std::string& message) : std::runtime_error(message) {}
};

// Our bug: an invariant does not hold. Exit code 70.
class InternalError : public std::logic_error {
 public:
  explicit InternalError(const std::string& message) : std::logic_error(message) {}
};

// "; did you mean \"x\"?" with the allowed word nearest to `found` (edit distance <= 1/2 of its length), or "".
std::string did_you_mean(std::string_view found, const std::vector<std::string>& allowed);

}  // namespace accsim::model
