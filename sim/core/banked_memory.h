// A memory of single-ported banks: bank = address / (size / banks), one access of one line (port width) a bank and cycle.
// Accesses are reserved in the order in which they are asked for; an access takes the first free cycle of its bank at
// or after the one it wants. A stream is a row of accesses spread evenly over a span; one that finds its cycle taken
// waits, and all accesses after it are late by as much.
// Leaves out: bits, ECC, more than one port, sub-banking.
#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

#include "model/arch/arch.h"
#include "model/base/units.h"
#include "model/base/wide.h"

namespace accsim::sim {

using model::Cycles;

// The reserved cycles of one port.
class PortCalendar {
 public:
  // First cycle at or after `t` that nobody has.
  [[nodiscard]] std::int64_t first_free(std::int64_t t) const;
  // Takes `count` cycles one after the other, each the first free one; returns the last taken cycle + 1.
  std::int64_t take(std::int64_t t, std::int64_t count);
  // Takes `count` accesses wanted at start + floor(k * span / count), count <= span. Returns by how many cycles the last
  // one is late.
  std::int64_t take_stream(std::int64_t start, std::int64_t span, std::int64_t count);
  // Forgets reservations that end at or before `now`: nothing asks for earlier cycles any more.
  void forget_before(std::int64_t now);
  [[nodiscard]] bool crowded() const { return dense_.size() > 64; }

 private:
  struct Interval {
    std::int64_t begin;
    std::int64_t end;
  };
  struct Stream {  // accesses first .. count-1, the k-th at start + floor(k * span / count)
    std::int64_t start;
    std::int64_t span;
    std::int64_t count;
    std::int64_t first;
    [[nodiscard]] bool has(std::int64_t t) const;
  };
  void insert(std::int64_t begin, std::int64_t end);

  std::deque<Interval> dense_;    // disjoint, in order
  std::vector<Stream> streams_;   // evenly spread ones with gaps
  std::int64_t last_busy_ = -1;   // no reservation at or after this + 1
};

class BankedMemory {
 public:
  explicit BankedMemory(const model::MemoryConfig& config);

  // Tells that nobody will ask for a cycle before `now` any more.
  void advance(Cycles now);

  // One access after the other to [address, address + bytes): returns the cycle after the last. Conflicts are counted.
  Cycles access(Cycles wanted, std::int64_t address, std::int64_t bytes);
  // `lines` accesses over [address, address + bytes) in address order, spread over `span` cycles from `start`: returns
  // the cycles by which the last one is late (a span too short for the lines included).
  Cycles stream(Cycles start, Cycles span, std::int64_t address, std::int64_t bytes, std::int64_t lines);

  [[nodiscard]] std::int64_t port_bytes() const { return port_bytes_; }
  [[nodiscard]] std::int64_t conflict_cycles() const { return conflict_cycles_; }

 private:
  std::int64_t bank_bytes_;
  std::int64_t port_bytes_;
  std::vector<PortCalendar> banks_;
  std::int64_t now_ = 0;
  std::int64_t conflict_cycles_ = 0;
};

}  // namespace accsim::sim
