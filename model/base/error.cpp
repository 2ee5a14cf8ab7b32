#include "model/base/error.h"

#include <algorithm>
#include <numeric>

namespace accsim::model {
namespace {

std::string join_message(std::string_view file, std::string_view path, std::string_view what) {
  std::string message;
  for (std::string_view part : {file, path, what}) {
    if (part.empty()) continue;
    if (!message.empty()) message += ": ";
    message += part;
  }
  return message;
}

// Levenshtein distance.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

}  // namespace

ConfigError::ConfigError(std::string_view file, std::string_view path, std::string_view what)
    : std::runtime_error(join_message(file, path, what)) {}

std::string did_you_mean(std::string_view found, const std::vector<std::string>& allowed) {
  constexpr std::size_t kLongestWord = 64;
  if (found.size() < 2 || found.size() > kLongestWord) return "";  // of one letter every other one is as near
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(found.size() / 2, 1) + 1;
  for (const std::string& word : allowed) {
    const std::size_t distance = edit_distance(found, word);
    if (distance < best_distance) {
      best_distance = distance;
      best = &word;
    }
  }
  return best == nullptr ? "" : "; did you mean \"" + *best + "\"?";
}

}  // namespace accsim::model
