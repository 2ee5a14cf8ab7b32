// Features of one operator under a mapping in O(dimensions), from tables that are filled once for the candidate tile
// sizes of each dimension: the search evaluates hundreds of thousands of mappings a second, and neither allocates nor
// iterates over tiles for one. Counting rule, as lowering does it: a tile is fetched when its box differs from the one
// fetched last, so the fetches of an operand are the product of the trip counts from the outermost loop to the
// innermost one that moves its box; sizes are those of clipped boxes and edge tiles. Bank conflicts: rings that fit
// into banks of their own have none; else buffers lie densely, as lowering packs them, and traffic of the DMA meets the
// array in the banks that their buffers share. Leaves out: conflicts of the vector unit, contention with other cores.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "model/program/timing.h"
#include "model/schedule/schedule.h"
#include "model/schedule/tiling.h"
#include "sched/cost/box_table.h"
#include "sched/cost/cost_model.h"
#include "sched/cost/dram_pattern.h"
#include "sched/cost/machine_rates.h"

namespace accsim::sched {

inline constexpr std::size_t kMaxDims = 12;
inline constexpr std::size_t kMaxOperands = 6;

// Index into the candidate tile sizes of each dimension.
using TileChoice = std::array<std::int32_t, kMaxDims>;

// Counted actions of one operator; everything that features and energy follow from.
struct OperatorCounts {
  double array_cycles = 0, array_passes = 0, vector_cycles = 0, vector_operations = 0;
  double macs = 0, lane_operations = 0;
  double load_bursts_long = 0, load_bursts_short = 0, load_descriptors = 0, load_bytes = 0, load_activates = 0;
  double load_slow_long = 0, load_slow_short = 0, store_slow_long = 0, store_slow_short = 0;  // bursts x slowdown
  double store_bursts_long = 0, store_bursts_short = 0, store_descriptors = 0, store_bytes = 0, store_activates = 0;
  double scratchpad_read = 0, scratchpad_write = 0, accumulator_read = 0, accumulator_write = 0;  // bytes
  double stream_lines = 0;       // that the array takes of its streamed operand
  double conflict_lines = 0;     // lines of DMA traffic times the chance that the array streams from their bank
  double first_load_bursts = 0;  // until the first tile can be worked on
  // Of the loads those that one core makes for all (multicast).
  double shared_bursts = 0, shared_slow = 0, shared_descriptors = 0, shared_activates = 0;
  // Between the core and homes on the chip; `buffer_…` those of the global buffer, `remote_…` bytes of
  // scratchpads there.
  double chip_load_bursts = 0, chip_load_descriptors = 0, chip_store_bursts = 0, chip_store_descriptors = 0;
  double buffer_load_bursts = 0, buffer_store_bursts = 0, remote_read = 0, remote_write = 0;
  double home_load_bursts = 0, home_store_bursts = 0;  // that the busiest scratchpad serves for each core here
  double first_chip_bursts = 0, last_chip_bursts = 0;
  double last_pass_interval = 0, last_pass_fill = 0, last_vector_cycles = 0, last_store_bursts = 0;
  bool serial = false;
  bool least_loads = false;  // a bound: more loads may come, so that no latency is known to be left over
  OperatorCounts& operator+=(const OperatorCounts& other);
};
GroupFeatures features_from(const OperatorCounts& counts, const MachineRates& rates);

// On-chip bytes that the buffers of a choice of tiles take.
struct BufferBytes {
  std::int64_t scratchpad = 0;
  std::int64_t accumulator = 0;
};

class NestEvaluator {
 public:
  // `tiles`: candidates of each dimension, ascending, within [1, extent].
  // The nest and the core must outlive the evaluator. Not thread-safe: tables are filled as they are asked for.
  NestEvaluator(const model::LoopNest& nest, const model::Operator& op, const MachineRates& rates,
                const model::CoreConfig& core, std::vector<std::vector<std::int64_t>> tiles);

  [[nodiscard]] std::size_t dims() const { return nest_->dims.size(); }
  // Buffers asked for ("input", "weight", "output"), as OperatorMapping::buffers.
  void set_buffers(int input, int weight, int output) { buffers_ = {input, weight, output}; }
  // Operands, as bits, whose tiles are on the chip already or stay there: no DRAM traffic is counted for them.
  void leave_out(std::uint32_t operands) { left_out_ = operands; }
  // Operands, as bits, whose tiles one core loads for all that work on the operator.
  void set_shared(std::uint32_t operands) { shared_ = operands; }
  // Where the operands' tensors live.
  void set_homes(const model::Network& network, const TensorHomes& homes);
  // The tiles that the calls below are about.
  void select(const TileChoice& choice);

  struct Needs {
    BufferBytes rings;
    BufferBytes single;  // with one buffer for each ring: never less for larger tiles
  };
  [[nodiscard]] Needs needs() const;
  // Adds what running the whole nest does. `order`: dimensions outermost first, reduced ones innermost.
  void count(std::span<const int> order, OperatorCounts& counts) const {
    count_traffic(order, counts);
    count_conflicts(order, counts);
    count_work(counts);
  }
  // The part that depends on the order of the loops: loads, stores and what they mean for the scratchpad.
  void count_traffic(std::span<const int> order, OperatorCounts& counts) const;
  // No count more than count_traffic's with any order: every distinct tile fetched once.
  void bound_traffic(OperatorCounts& counts) const;
  // What that traffic means for the banks.
  void count_conflicts(std::span<const int> order, OperatorCounts& counts) const;
  // The other part: array and vector unit.
  void count_work(OperatorCounts& counts) const { count_engines(counts, false); }
  // No count more than count_work's: whole tiles and the last one alone.
  void bound_work(OperatorCounts& counts) const { count_engines(counts, true); }

 private:
  struct OperandEntry {
    bool filled = false;
    BoxTotals totals;
    std::int64_t buffer_bytes = 0;  // largest box, rounded up to the port
    std::int64_t sum_bytes = 0;     // of the output's box in the accumulator
    std::int64_t span_bytes = 0;    // in the tensor, from the first to the last byte of the largest box
    std::int64_t all_bytes = 0;     // the same of all boxes together
    std::uint32_t moving = 0;       // dimensions that change the box
  };
  struct OperandTable {
    std::uint32_t moving = 0;                        // dimensions in the axes
    std::vector<std::pair<int, std::size_t>> radix;  // (dimension, weight of its choice in the index)
    std::vector<OperandEntry> entries;
  };
  struct AxisTable {
    std::vector<std::pair<int, std::size_t>> radix;
    std::vector<AxisTiling> entries;  // filled where `classes` is not empty
  };
  struct SizeClass {
    std::int64_t size = 1;
    double times = 1;
  };
  struct KindEntry {
    std::size_t begin = 0, end = 0;  // into size_classes_
    std::int64_t last = 1;           // size of the last tile
  };
  struct KindTable {
    std::vector<std::pair<int, std::size_t>> radix;
    std::vector<KindEntry> entries;
  };
  struct Pass {
    double cycles = 0, fill = 0;  // interval, stretched where a port is the bottleneck; latency beyond it
    double read_lines = 0, sum_lines = 0, streamed_lines = 0;
  };

  static std::size_t index_of(const std::vector<std::pair<int, std::size_t>>& radix, const TileChoice& choice) {
    std::size_t index = 0;
    for (const auto& [dim, weight] : radix)
      index += static_cast<std::size_t>(choice[static_cast<std::size_t>(dim)]) * weight;
    return index;
  }
  std::size_t add_radix(std::vector<std::pair<int, std::size_t>>& radix, std::uint32_t dims) const;
  std::vector<std::int64_t> sizes_of(const TileChoice& choice) const;
  void build_kinds();
  const OperandEntry& entry(std::size_t operand, const TileChoice& choice);
  [[nodiscard]] Pass pass_of(const model::ProductShape& shape) const;
  [[nodiscard]] std::pair<double, double> vector_of(std::int64_t results) const;  // cycles, lane operations
  // A ring of tile buffers in the scratchpad.
  struct Ring {
    std::size_t operand = 0;
    std::int64_t buffers = 1;
    std::int64_t bytes = 0;  // a buffer
    double traffic = 0;      // bytes that the DMA moves
  };
  using Rings = std::array<Ring, kMaxOperands>;
  std::size_t rings_of(Rings& rings) const;  // in the order in which lowering places them
  // Fetches of an operand's tiles; fetches of each of its distinct boxes once.
  [[nodiscard]] std::pair<double, double> loads_of(const OperandEntry& e, std::span<const int> order) const;
  void add_traffic(const std::array<std::pair<double, double>, kMaxOperands>& loads, OperatorCounts& counts) const;
  [[nodiscard]] double conflict_lines(std::span<const Ring> rings) const;
  [[nodiscard]] int packing_rank(std::size_t operand) const;
  void count_engines(OperatorCounts& counts, bool bound) const;
  void count_array(OperatorCounts& counts, bool bound) const;
  void count_vector(OperatorCounts& counts, bool bound) const;
  [[nodiscard]] std::int64_t element_count_of_output() const;
  // Copies that move a tile to or from a home on the chip: one for each piece that it lies in.
  [[nodiscard]] double pieces_of(std::size_t operand) const;
  // Pieces that all cores at work use at a time.
  [[nodiscard]] double pieces_in_use(std::size_t operand) const;
  void count_chip_load(std::size_t operand, double times, OperatorCounts& counts) const;
  [[nodiscard]] bool left_out(std::size_t operand) const { return ((left_out_ >> operand) & 1U) != 0; }

  const model::LoopNest* nest_;
  const model::CoreConfig* core_;
  DramRates dram_;
  DramPattern pattern_;
  double load_share_, store_share_, active_cores_;
  model::TileFlow flow_;
  std::vector<std::vector<std::int64_t>> tiles_;
  std::vector<std::vector<double>> trips_;  // by dimension and candidate
  std::array<int, 3> buffers_{2, 2, 2};
  std::uint32_t left_out_ = 0;
  std::uint32_t shared_ = 0;
  std::array<TensorHome, kMaxOperands> homes_{};
  TileChoice choice_{};                                    // selected
  std::array<const OperandEntry*, kMaxOperands> entry_{};  // of the operands, for it
  std::array<double, kMaxDims> trip_{};                    // of the dimensions
  model::VectorWork work_;                                 // with `results` for one element of the result
  std::int64_t row_ = 1;
  std::uint32_t result_dims_ = 0;           // not reduced over tiles
  std::vector<std::size_t> packing_order_;  // operands as lowering places their buffers
  std::vector<OperandTable> operands_;
  std::vector<std::vector<AxisTable>> axes_;  // by operand and axis
  std::array<KindTable, 4> kinds_;            // group, m, n, k
  std::vector<SizeClass> size_classes_;
};

// Operands that the mapping lets one core load for all, as bits.
std::uint32_t shared_operands(const model::LoopNest& nest, const model::OperatorMapping& mapping);

// What one core does of an operator (all of its nests, or the parts that are its share) with a mapping by dimension
// names.
OperatorCounts counts_of(const model::Network& network, model::OpId op, const std::vector<model::LoopNest>& nests,
                         const model::OperatorMapping& mapping, const model::CoreConfig& core,
                         const MachineRates& rates, const TensorHomes& homes = {});
// The same with several cores at work, each on its share: the DRAM's rate is divided among them.
MachineRates rates_among(MachineRates rates, std::size_t cores);

}  // namespace accsim::sched
