// A DRAM controller written for checking only: it steps every cycle, keeps the whole history of commands and tests each
// candidate against every earlier command with distance(), straight from the list of rules in docs/dram.md. It shares
// no code with sim/dram but the request types, and reads the raw parameters of the configuration, not its derived
// distances.
#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/arch/dram.h"
#include "sim/dram/channel.h"

namespace accsim::tests {

// Least number of cycles from command a to command b of one channel; a large negative number where they are
// independent.
std::int64_t distance(const model::DramConfig& config, const sim::DramCommand& a, const sim::DramCommand& b);

// The first thing that is wrong with a log: order, distances, activate windows, bank states, commands a cycle; "" if
// nothing.
std::string first_violation(const model::DramConfig& config, const std::vector<sim::DramCommand>& log);

class DramStepper {
 public:
  explicit DramStepper(const model::DramConfig& config);

  struct Return {
    std::int64_t cycle;
    std::uint64_t tag;
  };

  [[nodiscard]] bool can_accept(bool write) const;
  // In the current cycle, before step().
  void accept(std::uint64_t tag, const model::DramAddress& at, bool write);
  void step();
  void end_of_requests() { low_ = std::min(low_, config_.write_tail); }
  [[nodiscard]] bool drained() const;
  [[nodiscard]] std::int64_t cycle() const { return cycle_; }
  [[nodiscard]] const std::vector<sim::DramCommand>& log() const { return log_; }
  [[nodiscard]] std::vector<Return> returns() const { return returns_; }
  [[nodiscard]] std::int64_t buffered_writes() const { return static_cast<std::int64_t>(writes_.size()); }
  [[nodiscard]] std::int64_t active_rank_cycles() const { return active_; }

 private:
  struct Item {
    model::DramAddress at;
    bool write = false;
  };
  struct BankState {
    std::optional<std::int32_t> row;
    std::int64_t accesses = 0;
  };

  [[nodiscard]] std::size_t bank_of(const model::DramAddress& at) const;
  [[nodiscard]] sim::DramCommand command(sim::DramCommandKind kind, const model::DramAddress& at) const;
  [[nodiscard]] bool legal(const sim::DramCommand& next) const;
  void issue(const sim::DramCommand& command, std::size_t bank);
  bool refresh_step();
  // Queue and entry whose command may be issued now, the first after the last issuer.
  struct Pick {
    std::size_t bank = 0;
    std::size_t entry = 0;
    sim::DramCommand command;
  };
  [[nodiscard]] std::optional<Pick> pick() const;
  void take(const Pick& pick);
  void move();
  bool move_read();
  [[nodiscard]] bool queues_empty() const;
  [[nodiscard]] bool drain_due() const;

  model::DramConfig config_;
  std::int64_t cycle_ = 0;
  std::deque<Item> reads_, writes_;
  std::vector<std::deque<Item>> queues_;
  std::vector<BankState> banks_;
  std::multimap<std::uint64_t, std::uint64_t> pending_reads_;  // burst -> tag
  std::map<std::uint64_t, int> pending_writes_;
  std::int64_t draining_ = 0;
  std::int64_t low_;
  std::size_t last_bank_ = 0;
  std::deque<std::int32_t> refreshes_;  // ranks
  std::int32_t next_rank_ = 0;
  std::int32_t blocked_rank_ = -1;
  std::vector<sim::DramCommand> log_;
  std::vector<Return> returns_;
  std::int64_t active_ = 0;
};

}  // namespace accsim::tests
