#include "sched/cost/box_table.h"

#include <algorithm>
#include <numeric>

#include "model/base/error.h"

namespace accsim::sched {

using namespace model;

namespace {

void add_class(AxisTiling& tiling, const BoxAxis& box, std::int64_t times) {
  for (AxisClass& c : tiling.classes) {
    if (c.count == box.count && (c.step == box.step || box.count <= 1)) {
      c.times += times;
      return;
    }
  }
  tiling.classes.push_back({box.count, box.step, times});
}

// One axis as an operand of its own, so that the shared definition of a box serves.
struct AxisProbe {
  const LoopNest& nest;
  Operand operand;
  std::size_t position;
  std::vector<std::int64_t> low, size;

  AxisProbe(const LoopNest& of, const Axis& axis, bool innermost)
      : nest(of), position(0), low(of.dims.size(), 0), size(of.dims.size(), 1) {
    operand.axes.push_back(axis);
    if (!innermost) operand.axes.push_back(Axis{});  // the innermost axis is always dense: not this one
  }
  [[nodiscard]] BoxAxis box() const { return box_of(nest, operand, low, size)[position]; }
};

std::int64_t size_at(std::int64_t extent, std::int64_t tile, std::int64_t index) {
  return std::min(tile, extent - index * tile);
}

}  // namespace

AxisTiling tile_axis(const LoopNest& nest, const Axis& axis, bool innermost, const std::vector<std::int64_t>& tile) {
  AxisTiling tiling;
  if (axis.stride == 0 || axis.terms.empty()) {  // the one coordinate, whatever the tile
    tiling.classes.push_back({1, 1, 1});
    tiling.first = tiling.last = 1;
    tiling.start_gcd = axis.stride == 0 ? 0 : std::max<std::int64_t>(axis.offset, 0);
    return tiling;
  }
  AxisProbe probe(nest, axis, innermost);
  std::vector<AxisTerm> tiled;
  for (const AxisTerm& term : axis.terms) {
    const auto d = static_cast<std::size_t>(term.dim);
    probe.size[d] = tile[d];
    if (tile[d] < nest.dims[d].extent) tiled.push_back(term);
  }
  const auto note_start = [&](const BoxAxis& box) { tiling.start_gcd = std::gcd(tiling.start_gcd, box.low); };

  if (tiled.size() == 1) {
    const AxisTerm moving = tiled.front();
    const auto d = static_cast<std::size_t>(moving.dim);
    const std::int64_t extent = nest.dims[d].extent;
    const std::int64_t trips = ceil_div(extent, tile[d]);
    const auto box_at = [&](std::int64_t i) {
      probe.low[d] = i * tile[d];
      probe.size[d] = size_at(extent, tile[d], i);
      return probe.box();
    };
    const BoxAxis first = box_at(0);
    const BoxAxis last = box_at(trips - 1);
    tiling.first = first.count;
    tiling.last = last.count;
    if (first.low == last.low && first.count == last.count && first.step == last.step) {
      tiling.still = true;  // lows and highs only grow from tile to tile
      tiling.classes.push_back({first.count, first.step, 1});
      tiling.start_gcd = first.low;
      return tiling;
    }
    std::int64_t reach = 0;  // highest coordinate minus lowest one of a whole tile
    for (const AxisTerm& term : axis.terms) reach += term.coefficient * (tile[static_cast<std::size_t>(term.dim)] - 1);
    const std::int64_t pitch = moving.coefficient * tile[d];
    // Tiles [inner_begin, inner_end) are whole and not clipped.
    const std::int64_t inner_begin = std::min(axis.offset < 0 ? ceil_div(-axis.offset, pitch) : 0, trips);
    std::int64_t inner_end = extent / tile[d];
    const std::int64_t room = axis.extent - 1 - reach - axis.offset;
    inner_end = std::min(inner_end, room < 0 ? 0 : room / pitch + 1);
    inner_end = std::max(inner_end, inner_begin);
    for (std::int64_t i = 0; i < inner_begin; ++i) {
      const BoxAxis box = box_at(i);
      add_class(tiling, box, 1);
      if (box.count > 0) note_start(box);
    }
    if (inner_end > inner_begin) {
      const BoxAxis box = box_at(inner_begin);
      add_class(tiling, box, inner_end - inner_begin);
      note_start(box);
      if (inner_end - inner_begin > 1) tiling.start_gcd = std::gcd(tiling.start_gcd, pitch);
    }
    for (std::int64_t i = inner_end; i < trips; ++i) {
      const BoxAxis box = box_at(i);
      add_class(tiling, box, 1);
      if (box.count > 0) note_start(box);
    }
    return tiling;
  }

  // No tiled dimension, or several (channels of a grouped convolution, which have no padding): size classes.
  std::int64_t combinations = 1;
  for (std::size_t i = 0; i < tiled.size(); ++i) combinations *= 2;
  for (std::int64_t mask = 0; mask < combinations; ++mask) {
    std::int64_t times = 1;
    for (std::size_t i = 0; i < tiled.size(); ++i) {
      const auto d = static_cast<std::size_t>(tiled[i].dim);
      const std::int64_t extent = nest.dims[d].extent;
      const std::int64_t trips = ceil_div(extent, tile[d]);
      const bool edge = ((mask >> i) & 1) != 0;
      const bool cut = extent % tile[d] != 0;
      if (edge && !cut) times = 0;
      if (!edge) times *= cut ? trips - 1 : trips;
      probe.low[d] = edge ? (trips - 1) * tile[d] : 0;
      probe.size[d] = edge ? extent - (trips - 1) * tile[d] : tile[d];
      if (trips > 1) tiling.start_gcd = std::gcd(tiling.start_gcd, tiled[i].coefficient * tile[d]);
    }
    if (times == 0) continue;
    const BoxAxis box = probe.box();
    add_class(tiling, box, times);
    if (mask == 0) tiling.first = box.count;
    tiling.last = box.count;
    if (box.count > 0) note_start(box);
  }
  return tiling;
}

namespace {

constexpr std::int64_t kAnywhere = 1'048'583;  // bytes between the rows of a Gather: far, and no multiple of anything

struct BoxBursts {
  double bytes = 0;
  double bursts = 0;
  double activates = 0;
  double slowdown = 1;
  bool long_runs = false;
};

// Bursts of one box. `starts`: gcd of the byte offsets at which boxes begin (0 = always 0).
BoxBursts bursts_of(const Operand& operand, const std::vector<std::int64_t>& count,
                    const std::vector<std::int64_t>& step, std::int64_t starts, const DramRates& dram,
                    DramPattern& pattern, double share, int gathered) {
  const auto bytes = [&](std::int64_t elements) { return storage_bytes(operand.type, elements).value(); };
  std::int64_t run = 1;
  std::size_t axis = operand.axes.size();
  while (axis > 0) {  // merge what follows each other without a gap
    const std::size_t a = axis - 1;
    if (count[a] != 1) {
      if (step[a] * operand.axes[a].stride != run || static_cast<int>(a) == gathered) break;
      run *= count[a];
    }
    --axis;
  }
  run = bytes(run);
  const auto pitch_of = [&](std::size_t a) { return bytes(step[a] * operand.axes[a].stride); };
  double runs = 1;
  std::int64_t aligned = starts;  // gcd of where runs may begin
  for (std::size_t a = 0; a < axis; ++a) {
    runs *= static_cast<double>(count[a]);
    if (count[a] != 1) aligned = std::gcd(aligned, pitch_of(a));
  }
  const std::int64_t burst = dram.burst_bytes;
  const std::int64_t grain = std::gcd(aligned, burst);
  const std::int64_t rounded = ceil_div(run, grain) * grain;
  const double per_run = static_cast<double>(rounded + burst - grain) / static_cast<double>(burst);
  BoxBursts result;
  result.bytes = runs * static_cast<double>(run);
  result.bursts = runs * per_run;
  result.long_runs = run >= kLongRunBytes;
  // Two runs in a row share a burst where the gap between them reaches over no border.
  std::int64_t span = rounded;  // of what lies inside the axis, from its first byte to its last
  std::int64_t nearest = 0;     // pitch of the runs
  double before = runs;         // runs in all, then blocks of the axes outside
  std::vector<StridedBlocks> blocks;
  for (std::size_t a = 0; a < axis; ++a)
    if (count[a] > 1) blocks.push_back({count[a], static_cast<int>(a) == gathered ? kAnywhere : pitch_of(a)});
  result.slowdown = std::max(1.0, pattern.slowdown(run, blocks) * share);
  for (std::size_t a = axis; a-- > 0;) {
    if (count[a] == 1) continue;
    const std::int64_t pitch = pitch_of(a);
    const auto n = static_cast<double>(count[a]);
    const std::int64_t free = burst - grain - (pitch - span);
    if (free > 0 && static_cast<int>(a) != gathered) {
      const double shared = std::min(static_cast<double>(free) / static_cast<double>(burst), per_run);
      result.bursts -= before * (n - 1) / n * shared;
    }
    if (nearest == 0) nearest = static_cast<int>(a) == gathered ? dram.open_bytes : pitch;
    before /= n;
    span += (count[a] - 1) * pitch;
  }
  // Rows: those that the bytes fill, and one more for each run that leaves the open ones.
  const double spread = std::min(1.0, static_cast<double>(nearest) / static_cast<double>(dram.open_bytes));
  const double banks = std::min(static_cast<double>(dram.open_rows), per_run);
  result.activates = result.bytes / static_cast<double>(dram.row_bytes) + (1.0 + (runs - 1) * spread) * banks;
  result.activates = std::min(result.activates, result.bursts);
  return result;
}

}  // namespace

BoxTotals box_totals(const Operand& operand, const std::vector<const AxisTiling*>& axes, const DramRates& dram,
                     DramPattern& pattern, double share, int gathered) {
  const std::size_t n = axes.size();
  std::int64_t starts = 0;
  for (std::size_t a = 0; a < n; ++a)
    starts = std::gcd(starts, storage_bytes(operand.type, axes[a]->start_gcd * operand.axes[a].stride).value());

  BoxTotals totals;
  std::vector<std::size_t> index(n, 0);
  std::vector<std::int64_t> count(n), step(n);
  while (true) {
    double times = 1;
    bool empty = false;
    for (std::size_t a = 0; a < n; ++a) {
      const AxisClass& c = axes[a]->classes[index[a]];
      count[a] = c.count;
      step[a] = c.step;
      times *= static_cast<double>(c.times);
      empty = empty || c.count == 0;
    }
    if (!empty) {
      const BoxBursts box = bursts_of(operand, count, step, starts, dram, pattern, share, gathered);
      totals.boxes += times;
      totals.bytes += times * box.bytes;
      (box.long_runs ? totals.bursts_long : totals.bursts_short) += times * box.bursts;
      (box.long_runs ? totals.slow_long : totals.slow_short) += times * box.bursts * box.slowdown;
      totals.activates += times * box.activates;
    }
    std::size_t a = 0;
    while (a < n && ++index[a] == axes[a]->classes.size()) index[a++] = 0;
    if (a == n) break;
  }
  for (const bool last : {false, true}) {
    bool empty = false;
    for (std::size_t a = 0; a < n; ++a) {
      count[a] = last ? axes[a]->last : axes[a]->first;
      step[a] = axes[a]->classes.front().step;
      empty = empty || count[a] == 0;
    }
    if (empty) continue;
    const BoxBursts box = bursts_of(operand, count, step, starts, dram, pattern, share, gathered);
    (last ? totals.last_bursts : totals.first_bursts) = box.bursts * box.slowdown;
  }
  return totals;
}

}  // namespace accsim::sched
