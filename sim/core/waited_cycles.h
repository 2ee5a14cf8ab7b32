// Cycles in which somebody waits, each counted once however many wait in it: a count that no run can exceed. Of the
// past the last intervals are kept; those further back are joined, so that what reaches back over more than kKept
// separate waits is counted less.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace accsim::sim {

class WaitedCycles {
 public:
  // Somebody waits in [from, until).
  void add(std::int64_t from, std::int64_t until) {
    if (from >= until) return;
    const auto first = std::lower_bound(intervals_.begin(), intervals_.end(), from,
                                        [](const Interval& i, std::int64_t value) { return i.end < value; });
    auto last = first;
    Interval joined{from, until};
    std::int64_t known = 0;
    for (; last != intervals_.end() && last->begin <= until; ++last) {
      known += last->end - last->begin;
      joined = {std::min(joined.begin, last->begin), std::max(joined.end, last->end)};
    }
    count_ += joined.end - joined.begin - known;
    if (first != last) {
      *first = joined;
      intervals_.erase(first + 1, last);
      return;
    }
    intervals_.insert(first, joined);
    if (intervals_.size() <= kKept) return;
    intervals_[1].begin = intervals_[0].begin;
    intervals_.erase(intervals_.begin());
  }
  [[nodiscard]] std::int64_t count() const { return count_; }

 private:
  static constexpr std::size_t kKept = 64;
  struct Interval {
    std::int64_t begin, end;
  };
  std::vector<Interval> intervals_;  // disjoint, in order
  std::int64_t count_ = 0;
};

}  // namespace accsim::sim
