// A set of bytes as disjoint half-open intervals, merged where they touch: what has been written, what is touched.
// Every operation takes time logarithmic in the number of intervals, plus those it removes.
#pragma once
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

namespace accsim::model {

class IntervalSet {
 public:
  // Adds [begin, end); returns whether any byte of it was there before.
  bool add(std::int64_t begin, std::int64_t end) {
    if (begin >= end) return false;
    auto it = intervals_.upper_bound(begin);
    if (it != intervals_.begin() && std::prev(it)->second >= begin) --it;
    bool overlaps = false;
    std::int64_t low = begin;
    std::int64_t high = end;
    while (it != intervals_.end() && it->first <= end) {
      overlaps = overlaps || (it->first < end && it->second > begin);
      low = std::min(low, it->first);
      high = std::max(high, it->second);
      it = intervals_.erase(it);
    }
    intervals_.emplace_hint(it, low, high);
    return overlaps;
  }

  void remove(std::int64_t begin, std::int64_t end) {
    auto it = intervals_.upper_bound(begin);
    if (it != intervals_.begin()) --it;
    while (it != intervals_.end() && it->first < end) {
      const auto [low, high] = *it;
      if (high <= begin) {
        ++it;
        continue;
      }
      it = intervals_.erase(it);
      if (low < begin) intervals_.emplace(low, begin);
      if (high > end) it = intervals_.emplace(end, high).first;
    }
  }

  [[nodiscard]] bool covers(std::int64_t begin, std::int64_t end) const { return !first_gap(begin, end); }

  // First byte of [begin, end) that is not in the set.
  [[nodiscard]] std::optional<std::int64_t> first_gap(std::int64_t begin, std::int64_t end) const {
    if (begin >= end) return std::nullopt;
    const auto it = intervals_.upper_bound(begin);
    if (it == intervals_.begin()) return begin;
    const std::int64_t high = std::prev(it)->second;
    if (high <= begin) return begin;
    return high >= end ? std::nullopt : std::optional(high);
  }

  // First byte of [begin, end) that is in the set.
  [[nodiscard]] std::optional<std::int64_t> first_common(std::int64_t begin, std::int64_t end) const {
    if (begin >= end) return std::nullopt;
    const auto it = intervals_.upper_bound(begin);
    if (it != intervals_.begin() && std::prev(it)->second > begin) return begin;
    return it != intervals_.end() && it->first < end ? std::optional(it->first) : std::nullopt;
  }
  [[nodiscard]] bool intersects(std::int64_t begin, std::int64_t end) const {
    return first_common(begin, end).has_value();
  }

  [[nodiscard]] const std::map<std::int64_t, std::int64_t>& intervals() const { return intervals_; }

 private:
  std::map<std::int64_t, std::int64_t> intervals_;  // begin -> end
};

}  // namespace accsim::model
