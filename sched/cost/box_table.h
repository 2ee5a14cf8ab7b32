// What fetching (or storing) every tile of one operand once costs, in closed form over the tiles: along each axis the
// boxes fall into a few classes (clipped at the low border, whole, clipped or cut off at the high border), and an
// operand's boxes are the product of its axes' classes. Nothing iterates over tiles. Exact: number of boxes, bytes.
// Bursts: exact where runs start at burst borders, else the mean over the starts that the strides allow. Leaves out:
// boxes of neighbouring tiles that padding makes equal (lowering fetches those once less); the widening of int4 boxes
// to whole bytes.
#pragma once
#include <cstdint>
#include <vector>

#include "model/workload/loop_nest.h"
#include "sched/cost/dram_pattern.h"
#include "sched/cost/machine_rates.h"

namespace accsim::sched {

inline constexpr std::int64_t kLongRunBytes = 256;  // contiguous DRAM runs from here on count as long

// Boxes along one axis that have the same extent.
struct AxisClass {
  std::int64_t count = 0;  // coordinates; 0 = in the padding altogether
  std::int64_t step = 1;
  std::int64_t times = 0;  // tiles of this class
};
struct AxisTiling {
  std::vector<AxisClass> classes;
  std::int64_t first = 0;  // coordinates of the first tile's and the last tile's box
  std::int64_t last = 0;
  std::int64_t start_gcd = 0;  // of the lowest coordinates of all boxes; 0 = all start at 0
  bool still = false;          // padding makes all boxes equal: one class, counted once
};
// `tile`: one entry a dimension of the nest. Tiles of a dimension start at multiples of its tile.
AxisTiling tile_axis(const model::LoopNest& nest, const model::Axis& axis, bool innermost,
                     const std::vector<std::int64_t>& tile);

// Sums over all tiles, each visited once.
struct BoxTotals {
  double boxes = 0;        // that are not empty
  double bytes = 0;        // useful ones
  double bursts_long = 0;  // in runs of at least kLongRunBytes
  double bursts_short = 0;
  double slow_long = 0;  // the same, each weighted with its pattern's slowdown
  double slow_short = 0;
  double activates = 0;     // DRAM rows opened if nothing else is in the way
  double first_bursts = 0;  // of the first and of the last tile alone, weighted
  double last_bursts = 0;
  double bursts() const { return bursts_long + bursts_short; }
};
// One AxisTiling an axis. `share`: of the DRAM's rate that the core can take at most; a slowdown of the DRAM beyond
// that is one of the core. `gathered`: the axis whose coordinates lie anywhere (Gather), -1 = none.
BoxTotals box_totals(const model::Operand& operand, const std::vector<const AxisTiling*>& axes, const DramRates& dram,
                     DramPattern& pattern, double share, int gathered = -1);

}  // namespace accsim::sched
