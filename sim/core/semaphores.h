// The counting semaphores of one core. A signal given in a cycle counts from the cycle that its giver names, at the
// earliest the next one, so that the order of events within a cycle cannot matter. Two sets: groups take turns.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "model/base/error.h"
#include "sim/kernel/time.h"

namespace accsim::sim {

class SemaphoreFile {
 public:
  // All semaphores of the set at zero; they must be.
  void open(int set, std::int32_t count) {
    for (const Semaphore& s : sets_[static_cast<std::size_t>(set)]) {
      if (s.count != 0 || !s.pending.empty())
        throw model::InternalError("a semaphore is not zero at the border of a group");
    }
    sets_[static_cast<std::size_t>(set)].assign(static_cast<std::size_t>(count), {});
  }
  void signal(int set, std::int32_t semaphore, std::int32_t count, Cycles from) {
    at(set, semaphore).pending.push_back({from, count});
  }
  // `now` if the count is there; else the next cycle in which it changes by signals already given, kNever if none is.
  [[nodiscard]] Cycles available_from(int set, std::int32_t semaphore, std::int64_t count, Cycles now) {
    Semaphore& s = at(set, semaphore);
    if (settle(s, now) >= count) return now;
    Cycles next = kNever;
    for (const Pending& p : s.pending) next = std::min(next, p.from);
    return next;
  }
  void take(int set, std::int32_t semaphore, std::int32_t count, Cycles now) {
    Semaphore& s = at(set, semaphore);
    settle(s, now);
    s.count -= count;
  }
  // Signals given so far, whenever they count: for diagnosis.
  [[nodiscard]] std::int64_t total(int set, std::int32_t semaphore) { return settle(at(set, semaphore), kNever); }

 private:
  struct Pending {
    Cycles from;
    std::int32_t count;
  };
  struct Semaphore {
    std::int64_t count = 0;
    std::vector<Pending> pending;
  };
  Semaphore& at(int set, std::int32_t semaphore) {
    auto& list = sets_[static_cast<std::size_t>(set)];
    if (semaphore < 0 || static_cast<std::size_t>(semaphore) >= list.size()) {
      throw model::InternalError("a semaphore that the group did not declare");
    }
    return list[static_cast<std::size_t>(semaphore)];
  }
  static std::int64_t settle(Semaphore& s, Cycles now) {
    std::erase_if(s.pending, [&](const Pending& p) {
      if (p.from > now) return false;
      s.count += p.count;
      return true;
    });
    return s.count;
  }

  std::array<std::vector<Semaphore>, 2> sets_;
};

}  // namespace accsim::sim
