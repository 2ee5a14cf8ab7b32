// A memory of single-ported banks: bank = address / (size / banks), one access of one line (port width) a bank and
// cycle. Arbitration: a stream (array, vector unit) reserves its accesses when it begins, in the order in which streams
// begin: a row of accesses spread evenly over a span; one that finds its cycle taken waits, and all accesses after it
// are late by as much. DMA accesses come after all streams: they take a cycle that nobody has reserved, when it comes.
// Leaves out: bits, ECC, more than one port, sub-banking.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "model/arch/arch.h"
#include "model/base/units.h"
#include "model/base/wide.h"
#include "sim/core/waited_cycles.h"

namespace accsim::sim {

using model::Cycles;

// The reserved cycles of one port.
class PortCalendar {
 public:
  // First cycle at or after `t` that nobody has.
  [[nodiscard]] std::int64_t first_free(std::int64_t t) const;
  // Takes `count` cycles one after the other, each the first free one; returns the last taken cycle + 1.
  std::int64_t take(std::int64_t t, std::int64_t count);
  // Takes `count` accesses wanted at start + floor(k * span / count), count <= span. Returns by how many cycles the
  // last one is late.
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

  std::deque<Interval> dense_;   // disjoint, in order
  std::vector<Stream> streams_;  // evenly spread ones with gaps
  std::int64_t last_busy_ = -1;  // no reservation at or after this + 1
};

// Who uses a bank.
enum class Master : std::uint8_t { array, vector, load, store, remote };
inline constexpr std::size_t kMasters = 5;

class BankedMemory {
 public:
  explicit BankedMemory(const model::MemoryConfig& config);

  // Tells that nobody will ask for a cycle before `now` any more.
  void advance(Cycles now);

  // One access after the other to [address, address + bytes), each in the first free cycle: returns the cycle after the
  // last. Conflicts are counted.
  Cycles access(Master master, Cycles wanted, std::int64_t address, std::int64_t bytes);
  // First cycle at or after `from` in which the bank of `address` is free.
  [[nodiscard]] Cycles first_free(std::int64_t address, Cycles from) const;
  // An access waited before it asked for its bank.
  void count_wait(Master master, std::int64_t address, Cycles from, Cycles until);
  // Part of the cycles by which a stream is late: those of a bank, or of the port (-1), which has more lines than
  // cycles.
  struct Late {
    std::int64_t bank;
    Cycles cycles;
  };
  // `lines` accesses over [address, address + bytes) in address order, spread over `span` cycles from `start`: returns
  // the cycles by which the last one is late (a span too short for the lines included). late() says why.
  Cycles stream(Master master, Cycles start, Cycles span, std::int64_t address, std::int64_t bytes, std::int64_t lines);

  [[nodiscard]] const std::vector<Late>& late() const { return late_; }  // of the last stream

  [[nodiscard]] std::int64_t port_bytes() const { return port_bytes_; }
  [[nodiscard]] std::size_t bank_of(std::int64_t address) const;
  [[nodiscard]] std::size_t banks() const { return banks_.size(); }
  // Cycles lost to conflicts: of streams those by which they are late, of single accesses the cycles in which one or
  // several of the master's wait for the bank. No master loses more in a bank than the run is long.
  [[nodiscard]] std::int64_t conflict_cycles() const;
  [[nodiscard]] std::int64_t conflict_cycles(std::size_t bank, Master master) const {
    const Conflicts& of = conflicts_[bank][static_cast<std::size_t>(master)];
    return of.late + of.waited.count();
  }

 private:
  std::int64_t bank_bytes_;
  std::int64_t port_bytes_;
  std::vector<PortCalendar> banks_;
  std::int64_t now_ = 0;
  std::vector<Late> late_;
  struct Conflicts {
    std::int64_t late = 0;
    WaitedCycles waited;
  };
  std::vector<std::array<Conflicts, kMasters>> conflicts_;  // by bank and master
};

}  // namespace accsim::sim
