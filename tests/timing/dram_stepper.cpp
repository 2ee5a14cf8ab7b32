#include "tests/timing/dram_stepper.h"

#include "sim/dram/runner.h"

namespace accsim::tests {
namespace {

using Kind = sim::DramCommandKind;
using sim::Cycles;
using sim::DramCommand;

constexpr std::int64_t kIndependent = std::numeric_limits<std::int64_t>::min() / 2;

bool is_column(Kind kind) { return kind == Kind::read || kind == Kind::write; }

// Commands further back than this cannot matter.
std::int64_t horizon(const model::DramConfig& c) {
  return c.t_rfc + c.t_ras + c.t_rp + c.t_rc + c.t_faw + c.t_32aw + c.cl + c.cwl + 2 * c.al + c.t_wr + c.t_wtr_l +
         4 * c.bl + c.t_rtrs + c.t_ccd_l + c.t_rrd_l + c.t_rcd + c.t_rcdrd + c.t_rcdwr + 64;
}

std::string text_of(const DramCommand& c) { return "[" + sim::to_line(c, 1) + "]"; }

}  // namespace

std::int64_t distance(const model::DramConfig& c, const DramCommand& a, const DramCommand& b) {
  const bool newer = c.protocol == model::DramProtocol::hbm2 || c.protocol == model::DramProtocol::gddr6;
  const bool ppd = c.protocol == model::DramProtocol::lpddr4 || c.protocol == model::DramProtocol::lpddr5 ||
                   c.protocol == model::DramProtocol::gddr6;
  const bool rank = a.rank == b.rank;
  const bool group = rank && a.bankgroup == b.bankgroup;
  const bool bank = group && a.bank == b.bank;
  const bool one_group = c.bankgroups == 1;
  const std::int64_t burst = c.bl / c.transfers_per_clock;
  const std::int64_t rl = c.al + c.cl;
  const std::int64_t wl = c.al + c.cwl;
  const auto by_group = [&](std::int64_t same, std::int64_t other) { return group && !one_group ? same : other; };

  if (a.kind == Kind::refresh || b.kind == Kind::refresh) {
    if (!rank) return kIndependent;
    if (a.kind == Kind::refresh && (b.kind == Kind::activate || b.kind == Kind::refresh)) return c.t_rfc;
    if (a.kind == Kind::precharge && b.kind == Kind::refresh) return c.t_rp;
    return kIndependent;
  }
  if (is_column(a.kind) && is_column(b.kind)) {
    if (a.kind == b.kind) {
      if (!rank) return burst + (a.kind == Kind::read ? c.t_rtrs : 0);
      return std::max(burst, by_group(c.t_ccd_l, c.t_ccd_s));
    }
    if (a.kind == Kind::read) {
      return rank ? rl + burst - wl + c.t_rtrs : (rl + burst) + burst + c.t_rtrs - (wl + burst);
    }
    return rank ? wl + burst + by_group(c.t_wtr_l, c.t_wtr_s) : (wl + burst) + burst + c.t_rtrs - (rl + burst);
  }
  if (a.kind == Kind::activate && b.kind == Kind::activate && rank) {
    if (bank) return c.t_rc > 0 ? c.t_rc : c.t_ras + c.t_rp;
    return by_group(c.t_rrd_l, c.t_rrd_s);
  }
  if (a.kind == Kind::precharge && b.kind == Kind::precharge && rank && !bank) return ppd ? c.t_ppd : kIndependent;
  if (!bank) return kIndependent;
  if (a.kind == Kind::activate) {
    if (b.kind == Kind::precharge) return c.t_ras;
    if (b.kind == Kind::read) return (newer ? c.t_rcdrd : c.t_rcd) - c.al;
    return (newer ? c.t_rcdwr : c.t_rcd) - c.al;
  }
  if (a.kind == Kind::precharge) return b.kind == Kind::activate ? c.t_rp : kIndependent;
  if (b.kind == Kind::precharge) return a.kind == Kind::read ? c.al + c.t_rtp : wl + burst + c.t_wr;
  return kIndependent;
}

std::string first_violation(const model::DramConfig& config, const std::vector<DramCommand>& log) {
  const std::int64_t far = horizon(config);
  std::vector<std::optional<std::int32_t>> open(static_cast<std::size_t>(config.derived.queues));
  const auto state = [&](const DramCommand& c) -> std::optional<std::int32_t>& {
    return open[static_cast<std::size_t>((c.rank * config.bankgroups + c.bankgroup) * config.banks_per_group + c.bank)];
  };
  std::vector<std::vector<std::int64_t>> activates(static_cast<std::size_t>(config.ranks));
  for (std::size_t i = 0; i < log.size(); ++i) {
    const DramCommand& b = log[i];
    for (std::size_t j = i; j-- > 0 && b.cycle.value() - log[j].cycle.value() <= far;) {
      const DramCommand& a = log[j];
      if (b.cycle < a.cycle) return text_of(b) + " comes after " + text_of(a);
      if (a.cycle == b.cycle && (!config.enable_hbm_dual_cmd || is_column(a.kind) == is_column(b.kind))) {
        return text_of(a) + " and " + text_of(b) + " in one cycle";
      }
      if (b.cycle.value() - a.cycle.value() < distance(config, a, b)) return text_of(a) + " too close to " + text_of(b);
    }
    switch (b.kind) {
      case Kind::activate: {
        if (state(b)) return text_of(b) + " opens an open bank";
        state(b) = b.row;
        std::vector<std::int64_t>& acts = activates[static_cast<std::size_t>(b.rank)];
        acts.push_back(b.cycle.value());
        const auto window = [&](std::size_t count, std::int64_t cycles) {
          return acts.size() <= count || acts.back() - acts[acts.size() - 1 - count] >= cycles;
        };
        if (!window(4, config.t_faw)) return text_of(b) + " is the fifth in a window of four";
        if (config.protocol == model::DramProtocol::gddr6 && !window(32, config.t_32aw)) {
          return text_of(b) + " is the 33rd in a window of 32";
        }
        break;
      }
      case Kind::precharge:
        if (!state(b)) return text_of(b) + " closes a closed bank";
        state(b).reset();
        break;
      case Kind::refresh:
        for (std::int64_t q = 0; q < config.derived.banks; ++q) {
          if (open[static_cast<std::size_t>(b.rank * config.derived.banks + q)])
            return text_of(b) + " with an open bank";
        }
        break;
      default:
        if (!state(b) || *state(b) != b.row) return text_of(b) + " misses the open row";
    }
  }
  return "";
}

DramStepper::DramStepper(const model::DramConfig& config)
    : config_(config),
      queues_(static_cast<std::size_t>(config.derived.queues)),
      banks_(queues_.size()),
      low_(config.write_drain_low) {}

bool DramStepper::can_accept(bool write) const {
  return write ? static_cast<std::int64_t>(writes_.size()) < config_.write_buffer_size
               : static_cast<std::int64_t>(reads_.size()) < config_.trans_queue_size;
}

void DramStepper::accept(std::uint64_t tag, const model::DramAddress& at, bool write) {
  if (write) {
    if (pending_writes_.emplace(at.burst, 1).second) writes_.push_back({at, true});
  } else if (pending_writes_.count(at.burst) > 0) {
    returns_.push_back({cycle_ + 1, tag});
  } else {
    if (pending_reads_.count(at.burst) == 0) reads_.push_back({at, false});
    pending_reads_.emplace(at.burst, tag);
  }
}

std::size_t DramStepper::bank_of(const model::DramAddress& at) const {
  return static_cast<std::size_t>((at.rank * config_.bankgroups + at.bankgroup) * config_.banks_per_group + at.bank);
}

DramCommand DramStepper::command(Kind kind, const model::DramAddress& at) const {
  return {Cycles(cycle_), kind, false, at.channel, at.rank, at.bankgroup, at.bank, at.row, at.column};
}

bool DramStepper::legal(const DramCommand& next) const {
  std::int64_t activates = 0;
  const std::int64_t far = horizon(config_);
  for (std::size_t j = log_.size(); j-- > 0 && cycle_ - log_[j].cycle.value() <= far;) {
    const std::int64_t since = cycle_ - log_[j].cycle.value();
    if (since < distance(config_, log_[j], next)) return false;
    if (next.kind == Kind::activate && log_[j].kind == Kind::activate && log_[j].rank == next.rank) {
      ++activates;
      if (activates == 4 && since < config_.t_faw) return false;
      if (activates == 32 && config_.protocol == model::DramProtocol::gddr6 && since < config_.t_32aw) return false;
    }
  }
  return true;
}

void DramStepper::issue(const DramCommand& c, std::size_t bank) {
  log_.push_back(c);
  switch (c.kind) {
    case Kind::activate:
      banks_[bank] = {c.row, 0};
      break;
    case Kind::precharge:
      banks_[bank] = {};
      break;
    case Kind::refresh:
      break;
    default:
      ++banks_[bank].accesses;
  }
}

bool DramStepper::refresh_step() {
  if (refreshes_.empty()) return false;
  blocked_rank_ = refreshes_.front();
  bool all_ready = true;
  model::DramAddress at;
  at.rank = blocked_rank_;
  for (at.bankgroup = 0; at.bankgroup < config_.bankgroups; ++at.bankgroup) {
    for (at.bank = 0; at.bank < config_.banks_per_group; ++at.bank) {
      const std::size_t bank = bank_of(at);
      DramCommand precharge = command(Kind::precharge, at);
      precharge.by_refresh = true;
      precharge.row = precharge.column = -1;
      if (banks_[bank].row) {
        if (legal(precharge)) {
          issue(precharge, bank);
          return true;
        }
        all_ready = false;
      }
    }
  }
  DramCommand refresh{Cycles(cycle_), Kind::refresh, true, 0, blocked_rank_, -1, -1, -1, -1};
  if (!all_ready || !legal(refresh)) return false;
  issue(refresh, 0);
  refreshes_.pop_front();
  blocked_rank_ = -1;
  return true;
}

std::optional<DramStepper::Pick> DramStepper::pick() const {
  for (std::size_t i = 1; i <= queues_.size(); ++i) {
    const std::size_t bank = (last_bank_ + i) % queues_.size();
    const std::deque<Item>& queue = queues_[bank];
    if (queue.empty() || queue.front().at.rank == blocked_rank_) continue;
    const Item& head = queue.front();
    if (!banks_[bank].row) {
      const DramCommand activate = command(Kind::activate, head.at);
      if (legal(activate)) return Pick{bank, 0, activate};
      continue;
    }
    const std::int32_t row = *banks_[bank].row;
    const bool hits = std::any_of(queue.begin(), queue.end(), [&](const Item& item) { return item.at.row == row; });
    if (head.at.row != row && (!hits || banks_[bank].accesses >= config_.hit_cap)) {
      const DramCommand precharge = command(Kind::precharge, head.at);
      if (legal(precharge)) return Pick{bank, 0, precharge};
    }
    for (std::size_t e = 0; e < queue.size(); ++e) {
      if (queue[e].at.row != row) continue;
      const bool passes_read =
          queue[e].write &&
          std::any_of(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(e),
                      [&](const Item& older) { return !older.write && older.at.burst == queue[e].at.burst; });
      if (passes_read) continue;
      const DramCommand access = command(queue[e].write ? Kind::write : Kind::read, queue[e].at);
      if (legal(access)) return Pick{bank, e, access};
    }
  }
  return std::nullopt;
}

void DramStepper::take(const Pick& picked) {
  issue(picked.command, picked.bank);
  if (!is_column(picked.command.kind)) return;
  const Item item = queues_[picked.bank][picked.entry];
  queues_[picked.bank].erase(queues_[picked.bank].begin() + static_cast<std::ptrdiff_t>(picked.entry));
  if (item.write) {
    pending_writes_.erase(item.at.burst);
    return;
  }
  const auto [first, last] = pending_reads_.equal_range(item.at.burst);
  for (auto it = first; it != last; ++it) {
    returns_.push_back({cycle_ + config_.al + config_.cl + config_.bl / config_.transfers_per_clock, it->second});
  }
  pending_reads_.erase(first, last);
}

void DramStepper::step() {
  const std::int64_t interval = config_.t_refi / config_.ranks;
  if (interval > 0 && cycle_ > 0 && cycle_ % interval == 0) {
    refreshes_.push_back(next_rank_);
    next_rank_ = static_cast<std::int32_t>((next_rank_ + 1) % config_.ranks);
  }
  bool issued = refresh_step();
  bool column = false;
  if (!issued) {
    if (const std::optional<Pick> picked = pick()) {
      last_bank_ = picked->bank;
      column = is_column(picked->command.kind);
      take(*picked);
      issued = true;
    }
  }
  if (issued && config_.enable_hbm_dual_cmd) {
    if (const std::optional<Pick> picked = pick()) {
      last_bank_ = picked->bank;
      if (is_column(picked->command.kind) != column) take(*picked);
    }
  }
  for (std::int64_t r = 0; r < config_.ranks; ++r) {
    const auto first = banks_.begin() + static_cast<std::ptrdiff_t>(r * config_.derived.banks);
    if (std::any_of(first, first + static_cast<std::ptrdiff_t>(config_.derived.banks),
                    [](const BankState& b) { return b.row.has_value(); }))
      ++active_;
  }
  move();
  ++cycle_;
}

bool DramStepper::queues_empty() const {
  return std::all_of(queues_.begin(), queues_.end(), [](const std::deque<Item>& q) { return q.empty(); });
}

bool DramStepper::drain_due() const {
  const auto buffered = static_cast<std::int64_t>(writes_.size());
  return buffered >= config_.write_buffer_size || (buffered > low_ && queues_empty());
}

bool DramStepper::move_read() {
  for (auto it = reads_.begin(); it != reads_.end(); ++it) {
    std::deque<Item>& queue = queues_[bank_of(it->at)];
    if (static_cast<std::int64_t>(queue.size()) >= config_.cmd_queue_size) continue;
    queue.push_back(*it);
    reads_.erase(it);
    return true;
  }
  return false;
}

void DramStepper::move() {
  if (draining_ == 0 && drain_due()) draining_ = static_cast<std::int64_t>(writes_.size());
  if (draining_ == 0) {
    move_read();
    return;
  }
  for (auto it = writes_.begin(); it != writes_.end(); ++it) {
    std::deque<Item>& queue = queues_[bank_of(it->at)];
    if (static_cast<std::int64_t>(queue.size()) >= config_.cmd_queue_size) continue;
    if (pending_reads_.count(it->at.burst) > 0) {
      draining_ = 0;
      // The one rule that is not the reference's: it would hang here for ever.
      if (queues_empty() && drain_due()) move_read();
      return;
    }
    queue.push_back(*it);
    writes_.erase(it);
    --draining_;
    return;
  }
}

bool DramStepper::drained() const {
  return reads_.empty() && queues_empty() && draining_ == 0 &&
         static_cast<std::int64_t>(writes_.size()) <= config_.write_tail;
}

}  // namespace accsim::tests
