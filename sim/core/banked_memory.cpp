#include "sim/core/banked_memory.h"

#include "model/base/error.h"

namespace accsim::sim {

using model::ceil_div;

bool PortCalendar::Stream::has(std::int64_t t) const {
  if (t < start || t >= start + span) return false;
  const std::int64_t k = ceil_div((t - start) * count, span);  // first access wanted at or after t
  return k >= first && k < count && start + k * span / count == t;
}

std::int64_t PortCalendar::first_free(std::int64_t t) const {
  if (t > last_busy_) return t;
  bool moved = true;
  while (moved) {
    moved = false;
    const auto after = std::upper_bound(dense_.begin(), dense_.end(), t,
                                        [](std::int64_t value, const Interval& i) { return value < i.begin; });
    if (after != dense_.begin() && t < std::prev(after)->end) {
      t = std::prev(after)->end;
      moved = true;
    }
    for (const Stream& s : streams_) {
      if (s.has(t)) {
        ++t;
        moved = true;
      }
    }
  }
  return t;
}

void PortCalendar::insert(std::int64_t begin, std::int64_t end) {
  last_busy_ = std::max(last_busy_, end - 1);
  if (!dense_.empty() && dense_.back().end == begin) {
    dense_.back().end = end;
    return;
  }
  if (dense_.empty() || dense_.back().end < begin) {
    dense_.push_back({begin, end});
    return;
  }
  const auto at = std::upper_bound(dense_.begin(), dense_.end(), begin,
                                   [](std::int64_t value, const Interval& i) { return value < i.begin; });
  const bool joins_before = at != dense_.begin() && std::prev(at)->end == begin;
  const bool joins_after = at != dense_.end() && at->begin == end;
  if (joins_before && joins_after) {
    std::prev(at)->end = at->end;
    dense_.erase(at);
  } else if (joins_before) {
    std::prev(at)->end = end;
  } else if (joins_after) {
    at->begin = begin;
  } else {
    dense_.insert(at, {begin, end});
  }
}

std::int64_t PortCalendar::take(std::int64_t t, std::int64_t count) {
  if (t > last_busy_) {
    insert(t, t + count);
    return t + count;
  }
  for (std::int64_t k = 0; k < count; ++k) {
    t = first_free(t);
    insert(t, t + 1);
    ++t;
  }
  return t;
}

std::int64_t PortCalendar::take_stream(std::int64_t start, std::int64_t span, std::int64_t count) {
  std::int64_t late = 0;
  std::int64_t k = 0;
  while (k < count && start + k * span / count + late <= last_busy_) {
    const std::int64_t wanted = start + k * span / count + late;
    const std::int64_t cycle = first_free(wanted);
    insert(cycle, cycle + 1);
    late += cycle - wanted;
    ++k;
  }
  if (k == count) return late;
  // Nobody is there from now on.
  if (count == span) {
    insert(start + k + late, start + span + late);
  } else {
    streams_.push_back({start + late, span, count, k});
    last_busy_ = std::max(last_busy_, start + late + (count - 1) * span / count);
  }
  return late;
}

void PortCalendar::forget_before(std::int64_t now) {
  while (!dense_.empty() && dense_.front().end <= now) dense_.pop_front();
  std::erase_if(streams_, [now](const Stream& s) { return s.start + s.span <= now; });
}

BankedMemory::BankedMemory(const model::MemoryConfig& config)
    : bank_bytes_(config.bank_bytes()),
      port_bytes_(config.port_bytes),
      banks_(static_cast<std::size_t>(config.banks)),
      conflicts_(banks_.size()) {}

std::size_t BankedMemory::bank_of(std::int64_t address) const {
  const auto bank = static_cast<std::size_t>(address / bank_bytes_);
  if (bank >= banks_.size()) throw model::InternalError("access outside a memory");
  return bank;
}

std::int64_t BankedMemory::conflict_cycles() const {
  std::int64_t sum = 0;
  for (std::size_t bank = 0; bank < conflicts_.size(); ++bank)
    for (std::size_t master = 0; master < kMasters; ++master) sum += conflict_cycles(bank, static_cast<Master>(master));
  return sum;
}

Cycles BankedMemory::first_free(std::int64_t address, Cycles from) const {
  return Cycles(banks_[bank_of(address)].first_free(from.value()));
}

void BankedMemory::count_wait(Master master, std::int64_t address, Cycles from, Cycles until) {
  conflicts_[bank_of(address)][static_cast<std::size_t>(master)].waited.add(from.value(), until.value());
}

void BankedMemory::advance(Cycles now) { now_ = std::max(now_, now.value()); }

Cycles BankedMemory::access(Master master, Cycles wanted, std::int64_t address, std::int64_t bytes) {
  std::int64_t t = wanted.value();
  const std::int64_t end = address + bytes;
  while (address < end) {
    const std::size_t bank = bank_of(address);
    const std::int64_t stop = std::min(end, (static_cast<std::int64_t>(bank) + 1) * bank_bytes_);
    const std::int64_t count = (stop - 1) / port_bytes_ - address / port_bytes_ + 1;
    if (banks_[bank].crowded()) banks_[bank].forget_before(now_);
    const std::int64_t done = banks_[bank].take(t, count);
    conflicts_[bank][static_cast<std::size_t>(master)].waited.add(t, done - count);
    t = done;
    address = stop;
  }
  return Cycles(t);
}

Cycles BankedMemory::stream(Master master, Cycles start, Cycles span, std::int64_t address, std::int64_t bytes,
                            std::int64_t lines) {
  late_.clear();
  if (lines == 0 || bytes == 0) return Cycles(0);
  // A port gives one line a cycle: more lines than cycles stretch the stream.
  const std::int64_t stretched = std::max(span.value(), lines);
  std::int64_t late = stretched - span.value();
  if (late > 0) late_.push_back({-1, Cycles(late)});
  std::int64_t conflicts = 0;
  const std::int64_t end = address + bytes;
  std::int64_t done_bytes = 0;
  while (address < end) {
    const std::size_t bank = bank_of(address);
    const std::int64_t stop = std::min(end, (static_cast<std::int64_t>(bank) + 1) * bank_bytes_);
    // This bank's share of the time and of the lines, in proportion to its bytes.
    const auto share = [&](std::int64_t whole, std::int64_t upto) {
      return static_cast<std::int64_t>(static_cast<model::Wide>(whole) * upto / bytes);
    };
    const std::int64_t next_bytes = done_bytes + stop - address;
    const std::int64_t first_line = share(lines, done_bytes);
    const std::int64_t count = share(lines, next_bytes) - first_line;
    const std::int64_t begin = share(stretched, done_bytes);
    const std::int64_t length = std::max(share(stretched, next_bytes) - begin, count);
    if (count > 0) {
      banks_[bank].forget_before(now_);
      const std::int64_t waited = banks_[bank].take_stream(start.value() + begin + conflicts, length, count);
      conflicts_[bank][static_cast<std::size_t>(master)].late += waited;
      conflicts += waited;
      if (waited > 0) late_.push_back({static_cast<std::int64_t>(bank), Cycles(waited)});
    }
    done_bytes = next_bytes;
    address = stop;
  }
  return Cycles(late + conflicts);
}

}  // namespace accsim::sim
