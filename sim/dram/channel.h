// One DRAM channel with its controller: bank queues, FR-FCFS with a hit cap, write draining, open pages, staggered
// refresh by rank, every command-to-command distance; energy by commands and standby time. Event skipping: the cost of
// a run does not depend on how many cycles pass. Times are cycles of the DRAM clock. Leaves out: power-down,
// self-refresh, per-bank refresh, the data themselves. Source: the controller's rules are those measured on DRAMsim3
// (docs/dram.md lists them).
//
// How to drive it. A cycle t has two phases: requests are accepted, then the clock ticks (at most one command, two on
// HBM). now() is the first cycle that has not ticked yet.
//
//   channel.advance(t);                                  // tick all cycles before t; t >= now()
//   if (channel.can_accept(write)) {                     // otherwise offer it again in a later cycle
//     done = channel.accept(tag, config.decode(address), write);   // in cycle now() == t; several a cycle are fine
//   }                                                    // done = t + 1 for writes (acknowledge) and forwarded reads,
//                                                        // kNever where the read comes back by completions()
//   while (channel.has_completion() && channel.next_completion().cycle <= t) { ...; channel.pop_completion(); }
//
// A read's completion is known from its RD command on, read_delay cycles ahead; completions are sorted by cycle.
// When to look again (a module that sleeps in between):
//   wake(false): nobody waits for room: the first cycle in which a completion may be due;
//   wake(true):  a refused request waits: also the first cycle in which there may be room.
// Both are exact lower bounds for a module that calls advance(wake) then and asks again: sleeping until then loses
// nothing, as long as no new request comes. When one comes in cycle t: advance(t), accept, ask again. An idle channel
// returns kNever (refreshes are caught up by the next advance). At the end of a run let the cycle of the last
// acceptance tick, call begin_flush(), then step() until drained(). Up to write_tail writes stay in the buffer.
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "model/arch/dram.h"
#include "model/base/units.h"
#include "sim/dram/pending.h"
#include "sim/dram/queues.h"
#include "sim/kernel/time.h"

namespace accsim::sim {

using model::DramAddress;
using model::DramConfig;

enum class DramCommandKind : std::uint8_t { activate, precharge, read, write, refresh };

struct DramCommand {
  Cycles cycle;
  DramCommandKind kind = DramCommandKind::activate;
  bool by_refresh = false;  // a REF, or a PRE for one: without row and column
  std::int32_t channel = 0;
  std::int32_t rank = 0;
  std::int32_t bankgroup = -1;
  std::int32_t bank = -1;
  std::int32_t row = -1;
  std::int32_t column = -1;
};

struct DramCompletion {
  Cycles cycle;  // last data of the read
  std::uint64_t tag = 0;
  Cycles accepted;
};

struct DramStatistics {
  std::int64_t reads_accepted = 0;
  std::int64_t writes_accepted = 0;
  std::int64_t activates = 0;
  std::int64_t precharges = 0;
  std::int64_t reads = 0;  // RD commands
  std::int64_t writes = 0;
  std::int64_t refreshes = 0;
  std::int64_t dual_commands = 0;     // second commands of a cycle
  std::int64_t row_hits = 0;          // column commands that are not the first after an ACT
  std::int64_t forwarded_reads = 0;   // answered from a pending write
  std::int64_t merged_reads = 0;      // to a burst that a pending read fetches
  std::int64_t merged_writes = 0;     // to a burst with a pending write
  std::int64_t read_latency_sum = 0;  // completion - acceptance, all reads
  std::int64_t read_latency_max = 0;
  std::int64_t active_cycles = 0;  // rank cycles with any bank open, up to now()
  std::int64_t idle_cycles = 0;    // rank cycles with all banks closed
  Cycles last_read_return;         // 0 = none yet
  Cycles last_write_done;          // WR command + write_delay
};

struct DramEnergy {  // pJ
  double act = 0, read = 0, write = 0, refresh = 0, active_standby = 0, precharge_standby = 0;
  [[nodiscard]] double total() const { return act + read + write + refresh + active_standby + precharge_standby; }
};
DramEnergy energy_of(const DramStatistics& statistics, const DramConfig& config);

class DramChannel {
 public:
  DramChannel(const DramConfig& config, std::int32_t channel);

  [[nodiscard]] Cycles now() const { return Cycles(clock_); }
  [[nodiscard]] bool can_accept(bool write) const {
    return write ? writes_.size() < write_capacity_ : reads_.size() < read_capacity_;
  }
  // In cycle now(); can_accept(write) holds and the address is of this channel. Returns the completion cycle where it
  // is known at once (now() + 1: writes, reads of a pending write), else kNever.
  Cycles accept(std::uint64_t tag, const DramAddress& at, bool write);
  // Ticks every cycle before `until`; nothing if that is not after now().
  void advance(Cycles until);
  // Ticks until a request of this kind would be accepted; InternalError if it never would.
  void advance_to_room(bool write);
  // Ticks up to and including the next cycle in which anything changes, refresh included. False: nothing ever will.
  bool step();
  // The first cycle in which a tick may change anything but refresh; kNever if there is no such cycle.
  [[nodiscard]] Cycles next_time() const;
  [[nodiscard]] Cycles wake(bool requester_waits) const;

  [[nodiscard]] bool has_completion() const { return !completions_.empty(); }
  [[nodiscard]] const DramCompletion& next_completion() const { return completions_.front(); }
  void pop_completion() { completions_.pop(); }

  // No more requests will come: writes above write_tail are drained, too, however few they are.
  void begin_flush();
  // Nothing is queued, nothing is being drained, and at most write_tail writes are buffered. Data may still be
  // returning.
  [[nodiscard]] bool drained() const {
    return reads_.empty() && queued_ == 0 && draining_ == 0 && writes_.size() <= write_tail_;
  }
  [[nodiscard]] std::int64_t buffered_writes() const { return writes_.size(); }
  [[nodiscard]] std::int64_t pending_reads() const { return pending_reads_; }  // accepted, RD not issued
  [[nodiscard]] DramStatistics statistics() const;                             // up to now()
  [[nodiscard]] const DramConfig& config() const { return config_; }

  // Optional records, appended to; null = none. The second: WR command + write_delay - acceptance of every write
  // command.
  void set_command_log(std::vector<DramCommand>* log) { command_log_ = log; }
  void set_write_latency_log(std::vector<std::int64_t>* log) { write_latency_log_ = log; }

 private:
  static constexpr std::int64_t kLongAgo = std::numeric_limits<std::int64_t>::min() / 4;
  static constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();
  static constexpr int kActivateWindow = 4;
  static constexpr int kLongActivateWindow = 32;
  static constexpr int kWords = 4;  // of the masks of bank queues: up to 256

  // What waits: in the read queue, the write buffer or a bank queue.
  struct Entry {
    std::int32_t node = 0;  // in pending_
    std::int32_t row = 0;
    std::int32_t column = 0;
    std::int16_t queue = 0;
    bool write = false;
  };

  // Times are the earliest legal cycles of a command; kLongAgo = no constraint.
  // The first cache line is what a search reads.
  struct alignas(64) Bank {
    // What its queue wants (choose()): the bank's own part of the earliest cycle, kForever = not wanted. wanted_row is
    // ACT of a closed bank, PRE of an open one.
    std::int64_t wanted_row = kLongAgo;
    std::int64_t wanted_read = kForever;
    std::int64_t wanted_write = kForever;
    std::int32_t open_row = -1;
    std::int32_t group = 0;  // rank * bankgroups + bank group
    std::int32_t rank = 0;
    std::int32_t size = 0;         // entries in its queue
    std::int32_t accesses = 0;     // column commands since ACT
    std::int32_t first_read = -1;  // first entry that hits the open row, by kind
    std::int32_t first_write = -1;
    std::int64_t act_ready = kLongAgo;
    std::int64_t pre_ready = kLongAgo;
    std::int64_t read_ready = kLongAgo;   // after ACT
    std::int64_t write_ready = kLongAgo;  // after ACT
    std::int64_t refresh_ready = kLongAgo;
  };
  struct Group {
    std::int64_t act_ready = kLongAgo;
    std::int64_t read_ready = kLongAgo;
    std::int64_t write_ready = kLongAgo;
  };
  struct Rank {
    std::int64_t act_ready = kLongAgo;  // by the windows of 4 and of 32 activates
    std::int64_t pre_ready = kLongAgo;
    std::array<std::int64_t, kActivateWindow> last_acts{};
    std::array<std::int64_t, kLongActivateWindow> last_long_acts{};
    std::int64_t act_count = 0;
    std::int32_t open_banks = 0;
    std::int64_t active_since = 0;
    std::int64_t active_cycles = 0;
  };

  void tick();
  bool tick_refresh();  // true: issued a command
  void skip_refreshes(std::int64_t until);
  // The command that a bank queue gets at `time`; one is ready.
  struct Choice {
    DramCommandKind kind = DramCommandKind::activate;
    std::int32_t index = 0;  // of the entry that it is for
  };
  [[nodiscard]] Choice choice_at(std::int32_t queue, std::int64_t time) const;
  void issue(std::int32_t queue, Choice choice);
  void find_next(std::int64_t from);    // sets best_time_ and best_queue_
  void reconsider(std::int32_t queue);  // the same after a change of one queue, for the cycles after this one
  void scan_word(std::size_t word, std::uint64_t mask, std::int64_t from);
  [[nodiscard]] std::int64_t ready_time(const Bank& bank) const;
  [[nodiscard]] std::int64_t refresh_time() const;  // of the next command for the refresh under way
  void choose(std::int32_t queue);                  // recomputes what a bank queue wants
  bool move_transaction();                          // true: something changed
  void push_to_bank(const Entry& entry);
  void erase_from_bank(std::int32_t queue, std::int32_t index);

  void activate(std::int32_t queue);
  void precharge(std::int32_t queue, bool by_refresh);
  void access_column(std::int32_t queue, std::int32_t index);
  void space_columns(const Bank& bank, bool write);
  void refresh(std::int32_t rank);
  void finish_read(std::int32_t node);
  void finish_write(std::int32_t node);
  void log(DramCommandKind kind, bool by_refresh, std::int32_t queue, std::int32_t row, std::int32_t column);

  [[nodiscard]] Bank& bank(std::int32_t queue) { return bank_state_[static_cast<std::size_t>(queue)]; }
  [[nodiscard]] const Bank& bank(std::int32_t queue) const { return bank_state_[static_cast<std::size_t>(queue)]; }
  [[nodiscard]] Rank& rank_of(const Bank& bank) { return rank_state_[static_cast<std::size_t>(bank.rank)]; }
  [[nodiscard]] const Rank& rank_of(const Bank& bank) const { return rank_state_[static_cast<std::size_t>(bank.rank)]; }
  [[nodiscard]] Entry* entries(std::int32_t queue) {
    return entries_.data() + static_cast<std::size_t>(queue) * static_cast<std::size_t>(bank_capacity_);
  }
  [[nodiscard]] bool work_left() const { return queued_ > 0 || move_pending_; }

  DramConfig config_;
  model::DramDistances distances_;
  std::int32_t channel_;
  std::int32_t ranks_;
  std::int32_t bankgroups_;
  std::int32_t banks_per_group_;
  std::int32_t banks_;  // a rank
  std::int32_t bank_capacity_;
  std::int64_t read_capacity_;
  std::int64_t write_capacity_;
  std::int64_t drain_low_;
  std::int64_t write_tail_;
  std::int32_t hit_cap_;
  std::size_t words_;  // used of kWords

  std::int64_t clock_ = 0;
  std::int64_t next_active_ = 0;  // no tick before it changes anything
  std::vector<Bank> bank_state_;
  // A bank queue is not ready before this. It only falls when the queue or its bank's row changes, which resets it, so
  // a scan looks closely only at queues that can beat the best so far.
  std::vector<std::int64_t> ready_bound_;
  std::vector<Group> group_state_;
  std::vector<Rank> rank_state_;
  std::vector<Entry> entries_;  // bank_capacity_ a bank
  std::array<std::uint64_t, kWords> occupied_{};
  std::array<std::uint64_t, kWords> blocked_{};  // of the rank that is being refreshed
  std::int32_t queued_ = 0;                      // entries in all bank queues
  std::int32_t last_queue_ = 0;                  // round robin
  std::int32_t best_queue_ = -1;
  std::int64_t best_time_ = kForever;
  bool choice_stale_ = false;

  ErasableFifo<Entry> reads_;
  ErasableFifo<Entry> writes_;
  PendingTable pending_;
  std::int64_t draining_ = 0;
  std::int64_t pending_reads_ = 0;
  bool move_pending_ = false;  // a transaction may move in the next tick

  std::int64_t refresh_interval_;
  std::int64_t next_refresh_ = kForever;
  std::int64_t refreshes_waiting_ = 0;
  std::int32_t refresh_rank_ = 0;  // the next or the one under way
  bool refreshing_ = false;

  GrowingFifo<DramCompletion> completions_;
  DramStatistics statistics_;
  std::vector<DramCommand>* command_log_ = nullptr;
  std::vector<std::int64_t>* write_latency_log_ = nullptr;
};

}  // namespace accsim::sim
