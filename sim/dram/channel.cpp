#include "sim/dram/channel.h"

#include <algorithm>
#include <bit>

#include "model/base/error.h"

namespace accsim::sim {
namespace {

constexpr std::size_t kWordBits = 64;

void raise(std::int64_t& earliest, std::int64_t value) { earliest = std::max(earliest, value); }

}  // namespace

DramChannel::DramChannel(const DramConfig& config, std::int32_t channel)
    : config_(config),
      distances_(config.distances),
      channel_(channel),
      ranks_(static_cast<std::int32_t>(config.ranks)),
      bankgroups_(static_cast<std::int32_t>(config.bankgroups)),
      banks_per_group_(static_cast<std::int32_t>(config.banks_per_group)),
      banks_(static_cast<std::int32_t>(config.derived.banks)),
      bank_capacity_(static_cast<std::int32_t>(config.cmd_queue_size)),
      read_capacity_(config.trans_queue_size),
      write_capacity_(config.write_buffer_size),
      drain_low_(config.write_drain_low),
      write_tail_(config.write_tail),
      hit_cap_(static_cast<std::int32_t>(config.hit_cap)),
      words_((static_cast<std::size_t>(config.derived.queues) + kWordBits - 1) / kWordBits),
      bank_state_(static_cast<std::size_t>(config.derived.queues)),
      ready_bound_(bank_state_.size(), kLongAgo),
      group_state_(static_cast<std::size_t>(config.ranks * config.bankgroups)),
      rank_state_(static_cast<std::size_t>(config.ranks)),
      entries_(static_cast<std::size_t>(config.derived.queues * config.cmd_queue_size)),
      reads_(config.trans_queue_size),
      writes_(config.write_buffer_size),
      pending_(config.trans_queue_size + config.write_buffer_size + config.derived.queues * config.cmd_queue_size + 1),
      refresh_interval_(config.derived.refresh_interval) {
  if (words_ > kWords) throw model::InternalError("more bank queues than the DRAM controller's masks hold");
  for (std::int32_t q = 0; q < static_cast<std::int32_t>(bank_state_.size()); ++q) {
    bank(q).group = q / banks_per_group_;
    bank(q).rank = q / banks_;
  }
  if (refresh_interval_ > 0) next_refresh_ = refresh_interval_;
  next_active_ = next_refresh_;
}

Cycles DramChannel::accept(std::uint64_t tag, const DramAddress& at, bool write) {
  const std::int32_t index = pending_.find_or_add(at.burst);
  PendingTable::Node& node = pending_.node(index);
  const auto queue = static_cast<std::int16_t>((at.rank * bankgroups_ + at.bankgroup) * banks_per_group_ + at.bank);
  const Entry entry{index, at.row, at.column, queue, write};
  ++(write ? statistics_.writes_accepted : statistics_.reads_accepted);
  if (write) {
    if (node.write_pending) {
      ++statistics_.merged_writes;
      return Cycles(clock_ + 1);
    }
    node.write_pending = true;
    node.write_accepted = clock_;
    writes_.push(entry);
  } else {
    if (node.write_pending) {
      ++statistics_.forwarded_reads;
      ++statistics_.read_latency_sum;
      statistics_.read_latency_max = std::max<std::int64_t>(statistics_.read_latency_max, 1);
      statistics_.last_read_return = std::max(statistics_.last_read_return, Cycles(clock_ + 1));
      return Cycles(clock_ + 1);
    }
    const bool merged = node.read_pending;
    pending_.add_reader(index, tag, clock_);
    ++pending_reads_;
    if (merged) {
      ++statistics_.merged_reads;
      return kNever;
    }
    reads_.push(entry);
  }
  move_pending_ = true;
  next_active_ = clock_;
  return write ? Cycles(clock_ + 1) : kNever;
}

void DramChannel::advance(Cycles until) {
  while (next_active_ < until.value()) {
    if (next_active_ == next_refresh_) skip_refreshes(until.value());
    clock_ = next_active_;
    tick();
  }
  clock_ = std::max(clock_, until.value());
}

// While nothing waits and all banks are closed each refresh takes its own cycle and leaves nothing behind but the times
// from which its rank can be used: of whole rounds over the ranks all but the last count and need not be run.
void DramChannel::skip_refreshes(std::int64_t until) {
  const std::int64_t round = refresh_interval_ * ranks_;
  const std::int64_t rounds = (until - 1 - next_refresh_) / round - 1;
  if (rounds <= 0 || work_left() || refreshes_waiting_ > 0 || command_log_ != nullptr || round < distances_.ref_act)
    return;
  for (const Rank& rank : rank_state_)
    if (rank.open_banks > 0) return;
  for (const Bank& b : bank_state_)
    if (b.refresh_ready > next_refresh_) return;
  statistics_.refreshes += rounds * ranks_;
  next_refresh_ += rounds * round;
  next_active_ = next_refresh_;
}

void DramChannel::advance_to_room(bool write) {
  while (!can_accept(write)) {
    if (!step()) throw model::InternalError("a DRAM controller that is full and never has room again");
  }
}

bool DramChannel::step() {
  if (next_active_ == kForever) return false;
  clock_ = next_active_;
  tick();
  return true;
}

Cycles DramChannel::next_time() const { return work_left() ? Cycles(std::max(next_active_, clock_)) : kNever; }

Cycles DramChannel::wake(bool requester_waits) const {
  Cycles first = has_completion() ? next_completion().cycle : kNever;
  const Cycles active = next_time();
  if (active == kNever) return first;
  if (pending_reads_ > 0) first = std::min(first, active + Cycles(config_.derived.read_delay));
  if (requester_waits) first = std::min(first, active + Cycles(1));
  return first;
}

void DramChannel::begin_flush() {
  drain_low_ = std::min(drain_low_, write_tail_);
  move_pending_ = true;
  next_active_ = clock_;
}

void DramChannel::tick() {
  const std::int64_t time = clock_;
  if (time == next_refresh_) {
    ++refreshes_waiting_;
    next_refresh_ += refresh_interval_;
  }
  bool issued = refreshes_waiting_ > 0 && tick_refresh();
  bool first_was_column = false;
  if (!issued) {
    if (choice_stale_) find_next(time);
    if (best_time_ <= time) {
      const Choice choice = choice_at(best_queue_, time);
      first_was_column = choice.kind == DramCommandKind::read || choice.kind == DramCommandKind::write;
      issue(best_queue_, choice);
      issued = true;
    }
  }
  if (issued && config_.enable_hbm_dual_cmd) {
    find_next(time);
    if (best_time_ <= time) {
      const Choice choice = choice_at(best_queue_, time);
      const bool is_column = choice.kind == DramCommandKind::read || choice.kind == DramCommandKind::write;
      if (is_column != first_was_column) {
        ++statistics_.dual_commands;
        issue(best_queue_, choice);
      } else {
        last_queue_ = best_queue_;  // the search moves the round robin even where its command is not taken
        choice_stale_ = true;
      }
    }
  }
  if (move_pending_) move_pending_ = move_transaction();

  clock_ = time + 1;
  if (choice_stale_) find_next(clock_);
  next_active_ = std::min(best_time_, next_refresh_);
  if (refreshes_waiting_ > 0) next_active_ = std::min(next_active_, refreshing_ ? refresh_time() : clock_);
  if (move_pending_) next_active_ = clock_;
  next_active_ = std::max(next_active_, clock_);
}

// A refresh waits: closes the rank's banks in order, then refreshes.
bool DramChannel::tick_refresh() {
  const std::int32_t first = refresh_rank_ * banks_;
  if (!refreshing_) {
    refreshing_ = true;
    for (std::int32_t q = first; q < first + banks_; ++q) {
      blocked_[static_cast<std::size_t>(q) / kWordBits] |= std::uint64_t{1}
                                                           << (static_cast<std::size_t>(q) % kWordBits);
    }
    choice_stale_ = true;
  }
  const std::int64_t rank_pre_ready = rank_state_[static_cast<std::size_t>(refresh_rank_)].pre_ready;
  bool all_ready = true;
  for (std::int32_t q = first; q < first + banks_; ++q) {
    const Bank& b = bank(q);
    if (b.open_row >= 0) {
      if (std::max(b.pre_ready, rank_pre_ready) <= clock_) {
        precharge(q, true);
        return true;
      }
      all_ready = false;
    } else if (b.refresh_ready > clock_) {
      all_ready = false;
    }
  }
  if (all_ready) refresh(refresh_rank_);
  return all_ready;
}

std::int64_t DramChannel::refresh_time() const {
  const std::int32_t first = refresh_rank_ * banks_;
  const std::int64_t rank_pre_ready = rank_state_[static_cast<std::size_t>(refresh_rank_)].pre_ready;
  std::int64_t precharge_time = kForever;
  std::int64_t all_ready = clock_;
  for (std::int32_t q = first; q < first + banks_; ++q) {
    const Bank& b = bank(q);
    if (b.open_row >= 0) {
      precharge_time = std::min(precharge_time, std::max(b.pre_ready, rank_pre_ready));
    } else {
      raise(all_ready, b.refresh_ready);
    }
  }
  return precharge_time != kForever ? precharge_time : all_ready;
}

// Earliest legal cycle of any command that the bank's queue wants.
inline std::int64_t DramChannel::ready_time(const Bank& bank) const {
  const Group& group = group_state_[static_cast<std::size_t>(bank.group)];
  const Rank& rank = rank_of(bank);
  const std::int64_t shared = bank.open_row < 0 ? std::max(group.act_ready, rank.act_ready) : rank.pre_ready;
  return std::min({std::max(bank.wanted_row, shared), std::max(bank.wanted_read, group.read_ready),
                   std::max(bank.wanted_write, group.write_ready)});
}

void DramChannel::scan_word(std::size_t word, std::uint64_t mask, std::int64_t from) {
  for (std::uint64_t left = occupied_[word] & ~blocked_[word] & mask; left != 0; left &= left - 1) {
    const auto queue = static_cast<std::int32_t>(word * kWordBits) + std::countr_zero(left);
    std::int64_t& bound = ready_bound_[static_cast<std::size_t>(queue)];
    if (bound >= best_time_) continue;
    bound = ready_time(bank(queue));
    const std::int64_t time = std::max(bound, from);
    if (time < best_time_) {
      best_time_ = time;
      best_queue_ = queue;
      if (time == from) return;
    }
  }
}

// The earliest command of the bank queues, not before `from`; among equals the first after the last issuer.
void DramChannel::find_next(std::int64_t from) {
  best_time_ = kForever;
  choice_stale_ = false;
  const std::size_t first = static_cast<std::size_t>(last_queue_) / kWordBits;
  const std::size_t bit = static_cast<std::size_t>(last_queue_) % kWordBits;
  const std::uint64_t upper = bit + 1 == kWordBits ? 0 : ~std::uint64_t{0} << (bit + 1);
  scan_word(first, upper, from);
  for (std::size_t i = 1; i < words_ && best_time_ != from; ++i)
    scan_word((first + i) % words_, ~std::uint64_t{0}, from);
  if (best_time_ != from) scan_word(first, ~upper, from);
}

void DramChannel::reconsider(std::int32_t queue) {
  if (choice_stale_) return;
  const auto bit = static_cast<std::size_t>(queue);
  if ((blocked_[bit / kWordBits] >> (bit % kWordBits) & 1) != 0) return;
  const std::int64_t time = std::max(ready_time(bank(queue)), clock_ + 1);
  if (queue == best_queue_) {
    choice_stale_ = time > best_time_;
    best_time_ = time;
    return;
  }
  if (time > best_time_) return;
  if (time == best_time_) {
    // The first after the last issuer.
    const auto turn = [this](std::int32_t q) {
      return q > last_queue_ ? q - last_queue_ : q - last_queue_ + (1 << 20);
    };
    if (turn(queue) > turn(best_queue_)) return;
  }
  best_time_ = time;
  best_queue_ = queue;
}

DramChannel::Choice DramChannel::choice_at(std::int32_t queue, std::int64_t time) const {
  const Bank& b = bank(queue);
  if (b.open_row < 0) return {DramCommandKind::activate, 0};
  if (std::max(b.wanted_row, rank_of(b).pre_ready) <= time) return {DramCommandKind::precharge, 0};
  const Group& group = group_state_[static_cast<std::size_t>(b.group)];
  const bool read = std::max(b.wanted_read, group.read_ready) <= time;
  const bool write = std::max(b.wanted_write, group.write_ready) <= time;
  if (read && (!write || b.first_read < b.first_write)) return {DramCommandKind::read, b.first_read};
  return {DramCommandKind::write, b.first_write};
}

void DramChannel::issue(std::int32_t queue, Choice choice) {
  last_queue_ = queue;
  switch (choice.kind) {
    case DramCommandKind::activate:
      activate(queue);
      break;
    case DramCommandKind::precharge:
      precharge(queue, false);
      break;
    default:
      access_column(queue, choice.index);
      break;
  }
}

// A write never has to wait for an older read of its column inside a bank queue: while that read is pending the write
// does not enter (move_transaction).
void DramChannel::choose(std::int32_t queue) {
  Bank& b = bank(queue);
  ready_bound_[static_cast<std::size_t>(queue)] = kLongAgo;
  b.wanted_read = b.wanted_write = kForever;
  if (b.open_row < 0) {
    b.wanted_row = b.act_ready;
    return;
  }
  b.wanted_row = kForever;
  b.first_read = b.first_write = -1;
  if (b.size == 0) return;
  const Entry* entry = entries(queue);
  for (std::int32_t i = 0; i < b.size; ++i) {
    if (entry[i].row != b.open_row) continue;
    std::int32_t& first = entry[i].write ? b.first_write : b.first_read;
    if (first < 0) first = i;
  }
  if (b.first_read >= 0) b.wanted_read = b.read_ready;
  if (b.first_write >= 0) b.wanted_write = b.write_ready;
  const bool hits = b.first_read >= 0 || b.first_write >= 0;
  if (entry[0].row != b.open_row && (!hits || b.accesses >= hit_cap_)) b.wanted_row = b.pre_ready;
}

// Moves one transaction into its bank queue. True if anything changed, so that the next cycle may move another.
bool DramChannel::move_transaction() {
  const std::int64_t draining_before = draining_;
  const auto has_room = [this](const Entry& entry) { return bank(entry.queue).size < bank_capacity_; };
  const auto drain_due = [this] {
    return writes_.size() >= write_capacity_ || (writes_.size() > drain_low_ && queued_ == 0);
  };
  if (draining_ == 0 && drain_due()) draining_ = writes_.size();
  if (draining_ > 0) {
    for (std::int64_t i = 0; i < writes_.size(); ++i) {
      const Entry entry = writes_.at(i);
      if (!has_room(entry)) continue;
      if (!pending_.node(entry.node).read_pending) {
        --draining_;
        push_to_bank(entry);
        writes_.erase(i);
        return true;
      }
      draining_ = 0;
      // Where that read still waits behind the writes and the next cycle would drain again, nothing would ever move:
      // reads go first then.
      if (queued_ == 0 && drain_due()) break;
      return draining_before != 0;
    }
    if (draining_ > 0) return draining_ != draining_before;
  }
  for (std::int64_t i = 0; i < reads_.size(); ++i) {
    const Entry entry = reads_.at(i);
    if (!has_room(entry)) continue;
    push_to_bank(entry);
    reads_.erase(i);
    return true;
  }
  return draining_ != draining_before;
}

void DramChannel::push_to_bank(const Entry& entry) {
  Bank& b = bank(entry.queue);
  const std::int32_t index = b.size++;
  entries(entry.queue)[index] = entry;
  ++queued_;
  const auto queue = static_cast<std::size_t>(entry.queue);
  occupied_[queue / kWordBits] |= std::uint64_t{1} << (queue % kWordBits);
  if (index == 0) {
    if (b.open_row >= 0) choose(entry.queue);
  } else {
    // Only the first hit of its kind changes what the queue wants.
    std::int32_t& first = entry.write ? b.first_write : b.first_read;
    if (b.open_row < 0 || entry.row != b.open_row || first >= 0) return;
    first = index;
    (entry.write ? b.wanted_write : b.wanted_read) = entry.write ? b.write_ready : b.read_ready;
    if (b.accesses < hit_cap_) b.wanted_row = kForever;
    ready_bound_[queue] = kLongAgo;
  }
  reconsider(entry.queue);
}

void DramChannel::erase_from_bank(std::int32_t queue, std::int32_t index) {
  Bank& b = bank(queue);
  Entry* entry = entries(queue);
  std::copy(entry + index + 1, entry + b.size, entry + index);
  --queued_;
  if (--b.size == 0) {
    const auto bit = static_cast<std::size_t>(queue);
    occupied_[bit / kWordBits] &= ~(std::uint64_t{1} << (bit % kWordBits));
  }
}

void DramChannel::activate(std::int32_t queue) {
  const std::int64_t time = clock_;
  Bank& b = bank(queue);
  const Entry& head = entries(queue)[0];
  ++statistics_.activates;
  log(DramCommandKind::activate, false, queue, head.row, head.column);
  b.open_row = head.row;
  b.accesses = 0;
  b.read_ready = time + distances_.act_rd;
  b.write_ready = time + distances_.act_wr;
  raise(b.pre_ready, time + distances_.act_pre);
  raise(b.act_ready, time + distances_.act_act_same_bank);
  for (std::int32_t g = b.rank * bankgroups_; g < (b.rank + 1) * bankgroups_; ++g) {
    raise(group_state_[static_cast<std::size_t>(g)].act_ready,
          time + (g == b.group ? distances_.act_act_same_group : distances_.act_act_other_group));
  }
  Rank& rank = rank_of(b);
  rank.last_acts[static_cast<std::size_t>(rank.act_count % kActivateWindow)] = time;
  rank.last_long_acts[static_cast<std::size_t>(rank.act_count % kLongActivateWindow)] = time;
  ++rank.act_count;
  if (rank.act_count >= kActivateWindow) {
    raise(rank.act_ready,
          rank.last_acts[static_cast<std::size_t>(rank.act_count % kActivateWindow)] + distances_.four_activates);
  }
  if (rank.act_count >= kLongActivateWindow) {
    raise(rank.act_ready, rank.last_long_acts[static_cast<std::size_t>(rank.act_count % kLongActivateWindow)] +
                              distances_.thirty_two_activates);
  }
  if (rank.open_banks++ == 0) rank.active_since = time;
  choose(queue);
  choice_stale_ = true;
}

void DramChannel::precharge(std::int32_t queue, bool by_refresh) {
  const std::int64_t time = clock_;
  Bank& b = bank(queue);
  ++statistics_.precharges;
  if (command_log_ != nullptr) {
    const Entry& head = entries(queue)[0];
    log(DramCommandKind::precharge, by_refresh, queue, by_refresh ? -1 : head.row, by_refresh ? -1 : head.column);
  }
  b.open_row = -1;
  b.accesses = 0;
  raise(b.act_ready, time + distances_.pre_act);
  raise(b.refresh_ready, time + distances_.pre_act);
  Rank& rank = rank_of(b);
  raise(rank.pre_ready, time + distances_.pre_pre);
  if (--rank.open_banks == 0) rank.active_cycles += time - rank.active_since;
  choose(queue);
  choice_stale_ = true;
}

void DramChannel::access_column(std::int32_t queue, std::int32_t index) {
  const std::int64_t time = clock_;
  const Entry entry = entries(queue)[index];
  Bank& b = bank(queue);
  const model::DramDistances& d = distances_;
  log(entry.write ? DramCommandKind::write : DramCommandKind::read, false, queue, entry.row, entry.column);
  ++(entry.write ? statistics_.writes : statistics_.reads);
  if (b.accesses++ > 0) ++statistics_.row_hits;
  raise(b.pre_ready, time + (entry.write ? d.wr_pre : d.rd_pre));
  space_columns(b, entry.write);
  if (entry.write) {
    finish_write(entry.node);
  } else {
    finish_read(entry.node);
  }
  erase_from_bank(queue, index);
  choose(queue);
  choice_stale_ = true;
  move_pending_ = true;
}

// Distances from a column command of the bank at this cycle to those of every bank group.
void DramChannel::space_columns(const Bank& bank, bool write) {
  const model::DramDistances& d = distances_;
  Group* const groups = group_state_.data();
  const std::int32_t first = bank.rank * bankgroups_;
  const std::int32_t last = first + bankgroups_;
  const auto raise_all = [&](std::int32_t begin, std::int32_t end, std::int64_t to_read, std::int64_t to_write) {
    for (Group* group = groups + begin; group != groups + end; ++group) {
      raise(group->read_ready, clock_ + to_read);
      raise(group->write_ready, clock_ + to_write);
    }
  };
  const auto raise_rank = [&](std::int64_t to_read, std::int64_t to_write, std::int64_t own_read,
                              std::int64_t own_write) {
    raise_all(first, bank.group, to_read, to_write);
    raise_all(bank.group, bank.group + 1, own_read, own_write);
    raise_all(bank.group + 1, last, to_read, to_write);
  };
  if (write) {
    raise_rank(d.wr_rd_other_group, d.wr_wr_other_group, d.wr_rd_same_group, d.wr_wr_same_group);
  } else {
    raise_rank(d.rd_rd_other_group, d.rd_wr_same_rank, d.rd_rd_same_group, d.rd_wr_same_rank);
  }
  if (ranks_ == 1) return;
  const std::int64_t to_read = write ? d.wr_rd_other_rank : d.rd_rd_other_rank;
  const std::int64_t to_write = write ? d.wr_wr_other_rank : d.rd_wr_other_rank;
  raise_all(0, first, to_read, to_write);
  raise_all(last, ranks_ * bankgroups_, to_read, to_write);
}

void DramChannel::refresh(std::int32_t rank) {
  const std::int64_t ready = clock_ + distances_.ref_act;
  ++statistics_.refreshes;
  if (command_log_ != nullptr) {
    command_log_->push_back({Cycles(clock_), DramCommandKind::refresh, true, channel_, rank, -1, -1, -1, -1});
  }
  for (std::int32_t q = rank * banks_; q < (rank + 1) * banks_; ++q) {
    raise(bank(q).act_ready, ready);
    raise(bank(q).refresh_ready, ready);
    choose(q);
  }
  blocked_.fill(0);
  refreshing_ = false;
  --refreshes_waiting_;
  refresh_rank_ = rank + 1 == ranks_ ? 0 : rank + 1;
  choice_stale_ = true;
}

void DramChannel::finish_read(std::int32_t node) {
  const std::int64_t done = clock_ + config_.derived.read_delay;
  pending_.take_readers(node, [&](const PendingTable::Waiter& reader) {
    const std::int64_t latency = done - reader.accepted;
    completions_.push({Cycles(done), reader.tag, Cycles(reader.accepted)});
    statistics_.read_latency_sum += latency;
    statistics_.read_latency_max = std::max(statistics_.read_latency_max, latency);
    --pending_reads_;
  });
  statistics_.last_read_return = std::max(statistics_.last_read_return, Cycles(done));
  pending_.release(node);
}

void DramChannel::finish_write(std::int32_t node) {
  const std::int64_t done = clock_ + config_.derived.write_delay;
  statistics_.last_write_done = Cycles(done);
  PendingTable::Node& n = pending_.node(node);
  if (write_latency_log_ != nullptr) write_latency_log_->push_back(done - n.write_accepted);
  n.write_pending = false;
  pending_.release(node);
}

void DramChannel::log(DramCommandKind kind, bool by_refresh, std::int32_t queue, std::int32_t row,
                      std::int32_t column) {
  if (command_log_ == nullptr) return;
  command_log_->push_back({Cycles(clock_), kind, by_refresh, channel_, bank(queue).rank,
                           bank(queue).group % bankgroups_, queue % banks_per_group_, row, column});
}

DramStatistics DramChannel::statistics() const {
  DramStatistics result = statistics_;
  for (const Rank& rank : rank_state_) {
    const std::int64_t active = rank.active_cycles + (rank.open_banks > 0 ? clock_ - rank.active_since : 0);
    result.active_cycles += active;
    result.idle_cycles += clock_ - active;
  }
  return result;
}

DramEnergy energy_of(const DramStatistics& statistics, const DramConfig& config) {
  const auto times = [](std::int64_t count, double each) { return static_cast<double>(count) * each; };
  const model::DramDerived& d = config.derived;
  return {times(statistics.activates, d.act_pj),
          times(statistics.reads, d.read_pj),
          times(statistics.writes, d.write_pj),
          times(statistics.refreshes, d.refresh_pj),
          times(statistics.active_cycles, d.active_standby_pj),
          times(statistics.idle_cycles, d.precharge_standby_pj)};
}

}  // namespace accsim::sim
