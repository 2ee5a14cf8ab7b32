// How much longer the DRAM takes for the bursts of a strided box than for one long sequential run, from the address
// mapping and the command distances: short runs far apart may meet one bank group only, or open a row for every burst.
// A sample of the box's bursts is decoded; of each channel the longest counts: column commands; those of one bank group
// at their own distance; activates by their window of four; rows of one bank by the row cycle. The controller may
// reorder within the sample. Leaves out: reads against writes, other streams, refresh (in the rate of the sequential
// stream).
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "model/arch/dram.h"

namespace accsim::sched {

// `count` blocks, `pitch` bytes apart, outermost first; inside the innermost a run of bytes.
struct StridedBlocks {
  std::int64_t count = 1;
  std::int64_t pitch = 0;
};

class DramPattern {
 public:
  explicit DramPattern(const model::DramConfig& dram);
  // At least 1; at most three levels count.
  double slowdown(std::int64_t run_bytes, const std::vector<StridedBlocks>& blocks);

 private:
  using Key = std::array<std::int64_t, 7>;
  [[nodiscard]] double cycles_a_burst(const Key& key);

  const model::DramConfig* dram_;
  std::int64_t sample_;  // bursts
  double sequential_ = 1;
  std::map<Key, double> known_;
  std::vector<std::int64_t> group_count_, bank_rows_, rank_activates_, channel_count_;
  std::vector<std::int32_t> open_row_;
};

}  // namespace accsim::sched
