// Writes what arrives for a scratchpad into its banks, line by line: at once where the bank is free, else when it is.
// Bursts of one instruction that lie in one line (the port's width) are gathered and cost one access together: the
// first of them makes it. A bank's waiting lines are written in order.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "sim/core/banked_memory.h"
#include "sim/kernel/time.h"

namespace accsim::sim {

// Which lines have their access.
class LineGatherer {
 public:
  LineGatherer() { lines_.fill(-1); }
  // Calls visit(address) for the lines that instruction `number` has no access to yet.
  template <class Visit>
  void new_lines(std::int64_t port_bytes, std::int64_t number, std::int64_t address, std::int64_t bytes, Visit visit) {
    for (std::int64_t line = address / port_bytes; line * port_bytes < address + bytes; ++line) {
      // The line's number and its instruction's; a line of another instruction is another line.
      const std::int64_t key = (number << 32) | line;
      std::int64_t& gathered = lines_[static_cast<std::size_t>(line % 64)];
      if (gathered == key) continue;
      gathered = key;
      visit(line * port_bytes);
    }
  }

 private:
  std::array<std::int64_t, 64> lines_{};  // of running instructions that have their access, by line modulo 64
};

class LineWriter {
 public:
  explicit LineWriter(Master master) : master_(master) {}

  struct Written {
    Cycles done;               // behind the last line that is written
    std::int32_t lines = 0;    // accesses, written or waiting
    std::int32_t waiting = 0;  // of them, for their bank
    Cycles wake = kNever;      // when to call serve
  };
  // The lines of [address, address + bytes) that instruction `number` has not written; `item` names the burst.
  Written write(BankedMemory& memory, std::int64_t number, std::int32_t item, std::int64_t address, std::int64_t bytes,
                Cycles at) {
    if (waiting_.empty()) waiting_.resize(memory.banks());
    Written written{at, 0, 0, kNever};
    gatherer_.new_lines(memory.port_bytes(), number, address, bytes, [&](std::int64_t line) {
      ++written.lines;
      std::deque<WaitingLine>& queue = waiting_[memory.bank_of(line)];
      if (queue.empty() && memory.first_free(line, written.done) == written.done) {
        written.done = memory.access(master_, written.done, line, memory.port_bytes());
      } else {
        queue.push_back({item, line, written.done});
        ++waiting_lines_;
        ++written.waiting;
        written.wake = std::min(written.wake, written.done);
      }
    });
    return written;
  }

  // Gives waiting lines the banks that are free now; written(item, bank, done) for each. Returns when to be called
  // again.
  template <class Done>
  Cycles serve(BankedMemory& memory, Cycles now, Done&& written) {
    Cycles wake = kNever;
    if (waiting_lines_ == 0) return wake;
    for (std::deque<WaitingLine>& queue : waiting_) {
      while (!queue.empty()) {
        const WaitingLine line = queue.front();
        const Cycles free = memory.first_free(line.address, std::max(now, line.since));
        if (free > now) {
          wake = std::min(wake, free);
          break;
        }
        memory.count_wait(master_, line.address, line.since, now);
        const auto bank = static_cast<std::int64_t>(memory.bank_of(line.address));
        const Cycles done = memory.access(master_, now, line.address, memory.port_bytes());
        queue.pop_front();
        --waiting_lines_;
        written(line.item, bank, done);
      }
    }
    return wake;
  }

 private:
  struct WaitingLine {
    std::int32_t item;
    std::int64_t address;
    Cycles since;
  };
  Master master_;
  LineGatherer gatherer_;
  std::vector<std::deque<WaitingLine>> waiting_;  // by bank
  std::int64_t waiting_lines_ = 0;
};

}  // namespace accsim::sim
