#include "sched/cost/dram_pattern.h"

#include <algorithm>

namespace accsim::sched {

using namespace model;

namespace {

constexpr std::size_t kLevels = 3;
constexpr std::int64_t kLeastSample = 64;
constexpr std::int64_t kMostSample = 512;
constexpr std::int64_t kSampleAChannel = 16;

}  // namespace

DramPattern::DramPattern(const DramConfig& dram)
    : dram_(&dram), sample_(std::clamp(kSampleAChannel * dram.channels, kLeastSample, kMostSample)) {
  const auto channels = static_cast<std::size_t>(dram.channels);
  const auto ranks = channels * static_cast<std::size_t>(dram.ranks);
  const auto groups = ranks * static_cast<std::size_t>(dram.bankgroups);
  const auto banks = groups * static_cast<std::size_t>(dram.banks_per_group);
  channel_count_.resize(channels);
  rank_activates_.resize(ranks);
  group_count_.resize(groups);
  bank_rows_.resize(banks);
  open_row_.resize(banks);
  sequential_ = cycles_a_burst({sample_ * dram.derived.burst_bytes, 1, 0, 1, 0, 1, 0});
}

double DramPattern::slowdown(std::int64_t run_bytes, const std::vector<StridedBlocks>& blocks) {
  const std::int64_t most = sample_ * dram_->derived.burst_bytes;
  Key key{std::min(run_bytes, most), 1, 0, 1, 0, 1, 0};
  std::int64_t covered = ceil_div(run_bytes, dram_->derived.burst_bytes);
  std::size_t level = 0;
  for (std::size_t i = blocks.size(); i-- > 0 && level < kLevels && covered < sample_; ++level) {
    key[1 + 2 * level] = std::min(blocks[i].count, sample_);
    key[2 + 2 * level] = blocks[i].pitch;
    covered *= blocks[i].count;
  }
  if (level == 0) return 1;
  const auto [it, fresh] = known_.try_emplace(key, 0);
  if (fresh) it->second = std::max(1.0, cycles_a_burst(key) / sequential_);
  return it->second;
}

double DramPattern::cycles_a_burst(const Key& key) {
  const DramConfig& dram = *dram_;
  const std::int64_t burst = dram.derived.burst_bytes;
  const auto capacity = static_cast<std::uint64_t>(dram.capacity().value());
  std::fill(channel_count_.begin(), channel_count_.end(), 0);
  std::fill(rank_activates_.begin(), rank_activates_.end(), 0);
  std::fill(group_count_.begin(), group_count_.end(), 0);
  std::fill(bank_rows_.begin(), bank_rows_.end(), 0);
  std::fill(open_row_.begin(), open_row_.end(), -1);
  std::int64_t taken = 0;
  std::int64_t last = -1;
  const auto take_run = [&](std::int64_t start) {
    for (std::int64_t b = start / burst; b <= (start + key[0] - 1) / burst && taken < sample_; ++b) {
      if (b == last) continue;  // shared with the run before
      last = b;
      ++taken;
      const DramAddress at = dram.decode(static_cast<std::uint64_t>(b * burst) % capacity);
      const auto rank = static_cast<std::size_t>(at.channel * dram.ranks + at.rank);
      const auto group = rank * static_cast<std::size_t>(dram.bankgroups) + static_cast<std::size_t>(at.bankgroup);
      const auto bank = group * static_cast<std::size_t>(dram.banks_per_group) + static_cast<std::size_t>(at.bank);
      ++channel_count_[static_cast<std::size_t>(at.channel)];
      ++group_count_[group];
      if (open_row_[bank] == at.row) continue;
      open_row_[bank] = at.row;
      ++bank_rows_[bank];
      ++rank_activates_[rank];
    }
  };
  for (std::int64_t k = 0; k < key[5] && taken < sample_; ++k)
    for (std::int64_t j = 0; j < key[3] && taken < sample_; ++j)
      for (std::int64_t i = 0; i < key[1] && taken < sample_; ++i) take_run(i * key[2] + j * key[4] + k * key[6]);

  double cycles = 0;
  const auto at_least = [&cycles](const std::vector<std::int64_t>& counts, double each) {
    for (const std::int64_t count : counts) cycles = std::max(cycles, static_cast<double>(count) * each);
  };
  at_least(channel_count_, static_cast<double>(dram.derived.column_cycles));
  at_least(group_count_, static_cast<double>(std::max(dram.distances.rd_rd_same_group, dram.derived.column_cycles)));
  constexpr double kWindow = 4;
  at_least(rank_activates_, std::max(static_cast<double>(dram.distances.act_act_other_group),
                                     static_cast<double>(dram.distances.four_activates) / kWindow));
  // The first row of a bank may have been opened before.
  for (const std::int64_t rows : bank_rows_)
    cycles = std::max(cycles, static_cast<double>((rows - 1) * dram.derived.row_cycle));
  return cycles / static_cast<double>(std::max<std::int64_t>(taken, 1));
}

}  // namespace accsim::sched
