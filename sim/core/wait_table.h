// What one engine waited for: cycles summed by state and cause. The causes are few (semaphores of a group, DRAM
// channels, banks), so they stand in a list; the last ones looked up are found at once.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "model/result/result.h"

namespace accsim::sim {

using model::Cycles;
using model::CycleState;
using model::WaitFor;

struct WaitCause {
  WaitFor what = WaitFor::end;
  std::int64_t index = 0;
  std::int64_t giver = model::kNoGiver;
  bool operator==(const WaitCause&) const = default;
};

class WaitTable {
 public:
  struct Entry {
    CycleState state;
    WaitCause cause;
    Cycles cycles;
  };
  void add(CycleState state, const WaitCause& cause, Cycles cycles) {
    std::size_t& known =
        recent_[static_cast<std::size_t>(cause.index + static_cast<std::int64_t>(cause.what)) % recent_.size()];
    if (known >= entries_.size() || !same(entries_[known], state, cause)) known = find(state, cause);
    entries_[known].cycles += cycles;
  }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  [[nodiscard]] static bool same(const Entry& entry, CycleState state, const WaitCause& cause) {
    return entry.state == state && entry.cause == cause;
  }
  std::size_t find(CycleState state, const WaitCause& cause) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (same(entries_[i], state, cause)) return i;
    }
    entries_.push_back({state, cause, Cycles(0)});
    return entries_.size() - 1;
  }

  std::vector<Entry> entries_;
  std::array<std::size_t, 32> recent_{};
};

}  // namespace accsim::sim
