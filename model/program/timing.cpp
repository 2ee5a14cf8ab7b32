#include "model/program/timing.h"

#include <algorithm>

#include "model/workload/operator_table.h"

namespace accsim::model {
namespace {

struct Folding {
  std::int64_t folds;
  std::int64_t streamed;
};

Folding folding(const ProductShape& s, const ArrayConfig& array) {
  const std::int64_t rows = array.rows;
  const std::int64_t cols = array.cols;
  switch (array.dataflow) {
    case Dataflow::weight_stationary:
    case Dataflow::vector_mac: {
      if (s.k <= rows && s.n <= cols) {
        const std::int64_t packed = std::min(rows / s.k, cols / s.n);
        return {ceil_div(s.groups, packed), s.m};
      }
      return {s.groups * ceil_div(s.k, rows) * ceil_div(s.n, cols), s.m};
    }
    case Dataflow::output_stationary:
      return {s.groups * ceil_div(s.m, rows) * ceil_div(s.n, cols), s.k};
    case Dataflow::input_stationary:
      return {s.groups * ceil_div(s.k, rows) * ceil_div(s.m, cols), s.n};
  }
  throw InternalError("unknown dataflow");
}

// Cycles of one fold alone, first to last active one.
std::int64_t fold_cycles(std::int64_t streamed, const ArrayConfig& array) {
  switch (array.dataflow) {
    case Dataflow::weight_stationary:
    case Dataflow::input_stationary:
      return 2 * array.rows + array.cols + streamed - 2;
    case Dataflow::output_stationary:
      return array.rows + array.cols + streamed - 2;
    case Dataflow::vector_mac:
      return array.rows + streamed;
  }
  throw InternalError("unknown dataflow");
}

std::int64_t active_cycles(const Folding& f, const ArrayConfig& array) {
  const std::int64_t alone = fold_cycles(f.streamed, array);
  if (!array.double_buffered) return f.folds * alone;
  return (f.folds - 1) * std::max(f.streamed, array.rows) + alone;
}

}  // namespace

ProductShape shape_of(const ArrayPass& pass) {
  return {pass.extent_of(DimKind::group), pass.extent_of(DimKind::m), pass.extent_of(DimKind::k),
          pass.extent_of(DimKind::n)};
}

ArrayTiming array_timing(const ProductShape& shape, const ArrayConfig& array) {
  const Folding f = folding(shape, array);
  const std::int64_t drain = array.dataflow == Dataflow::output_stationary ? array.rows : 0;
  ArrayTiming timing;
  timing.folds = f.folds;
  timing.streamed = f.streamed;
  timing.latency = Cycles(active_cycles(f, array) + drain);
  timing.interval = array.double_buffered ? Cycles(f.folds * std::max(f.streamed, array.rows)) : timing.latency;
  return timing;
}

ArrayTiming array_timing(const ProductShape& s, const CoreConfig& core) {
  const ArrayConfig& array = core.array;
  ArrayTiming timing = array_timing(s, array);
  const auto lines = [](std::int64_t elements, DataType type, std::int64_t port) {
    return ceil_div(storage_bytes(type, elements).value(), port);
  };
  const std::int64_t scratch_port = core.scratchpad.port_bytes;
  const std::int64_t sum_port = core.accumulator.port_bytes;
  const std::int64_t k_folds = ceil_div(s.k, array.rows);
  // Times that each operand is streamed or loaded in full: once for every fold along the dimension it lacks.
  std::int64_t input_times = 1;
  std::int64_t weight_times = 1;
  std::int64_t output_times = 1;
  switch (array.dataflow) {
    case Dataflow::weight_stationary:
    case Dataflow::vector_mac:
      input_times = ceil_div(s.n, array.cols);
      output_times = k_folds;
      break;
    case Dataflow::output_stationary:
      input_times = ceil_div(s.n, array.cols);
      weight_times = ceil_div(s.m, array.rows);
      break;
    case Dataflow::input_stationary:
      weight_times = ceil_div(s.m, array.cols);
      output_times = k_folds;
      break;
  }
  timing.input_lines = lines(s.groups * s.m * s.k * input_times, array.operand_type, scratch_port);
  timing.weight_lines = lines(s.groups * s.n * s.k * weight_times, array.operand_type, scratch_port);
  timing.output_lines = lines(s.groups * s.m * s.n * output_times, array.accumulator_type, sum_port);
  return timing;
}

std::int64_t last_active_cycle(const ProductShape& shape, const ArrayConfig& array) {
  return active_cycles(folding(shape, array), array) - 1;
}

VectorWork work_of(const VectorOp& op) {
  VectorWork work;
  work.kind = op.kind;
  work.results = op.result_elements();
  work.row = op.row_elements();
  if (is_normalization(op.kind)) work.results *= work.row;
  for (const FusedActivation& a : op.activations) work.transcendental_activations += is_transcendental(a.type) ? 1 : 0;
  return work;
}

namespace {

// Cycles a lane spends on one result, and on one row, for each kind.
struct LaneCycles {
  std::int64_t result;
  std::int64_t row;
};
LaneCycles lane_cycles(const VectorWork& work, const VectorConfig& vector) {
  const std::int64_t activations = work.transcendental_activations * vector.exp_cycles;
  switch (work.kind) {
    case VectorKind::requantize:
    case VectorKind::add:
    case VectorKind::mul:
    case VectorKind::sub:
    case VectorKind::select:
    case VectorKind::move:
      return {1 + activations, 0};
    case VectorKind::prelu:
      return {2 + activations, 0};  // compare, multiply
    case VectorKind::div:
      return {vector.exp_cycles + activations, 0};  // a division
    case VectorKind::pow:
      return {1 + 2 * vector.exp_cycles + activations, 0};  // logarithm, multiply, exponential
    // a multiply-add for each neighbour
    case VectorKind::interpolate:
      return {window_reads(work.kind, work.row) + activations, 0};
    case VectorKind::activate:
      return {std::max<std::int64_t>(1, activations), 0};
    case VectorKind::max_pool:
      return {work.row + activations, 0};
    case VectorKind::average_pool:
      return {work.row + vector.exp_cycles + activations, 0};
    // maximum; subtract and exponential; sum; multiply by the reciprocal, which is one division a row
    case VectorKind::softmax:
      return {4 + vector.exp_cycles + activations, vector.exp_cycles};
    // sum; square and sum; subtract, multiply; scale, shift; a division and a square root a row
    case VectorKind::layer_normalization:
      return {7 + activations, 2 * vector.exp_cycles};
    // square and sum; multiply, scale; a division and a square root a row
    case VectorKind::rms_normalization:
      return {4 + activations, 2 * vector.exp_cycles};
  }
  throw InternalError("unknown vector operation");
}

}  // namespace

Cycles vector_cycles(const VectorWork& work, const VectorConfig& vector) {
  const LaneCycles lane = lane_cycles(work, vector);
  return Cycles(kVectorStartup + ceil_div(work.results, vector.lanes) * lane.result +
                ceil_div(work.results / std::max<std::int64_t>(work.row, 1), vector.lanes) * lane.row);
}

std::int64_t vector_lane_operations(const VectorWork& work, const VectorConfig& vector) {
  const LaneCycles lane = lane_cycles(work, vector);
  return work.results * lane.result + work.results / std::max<std::int64_t>(work.row, 1) * lane.row;
}

std::int64_t burst_count(const Copy::Side& side, const Copy& copy, std::int64_t burst) {
  // Merge the innermost dimensions that follow each other without a gap.
  std::int64_t run = copy.extent[3];
  int dim = 2;
  while (dim >= 0 && !(copy.gather && dim == 0) &&
         (copy.extent[static_cast<std::size_t>(dim)] == 1 || side.stride[static_cast<std::size_t>(dim)] == run)) {
    run *= copy.extent[static_cast<std::size_t>(dim)];
    --dim;
  }
  std::int64_t count = 0;
  std::int64_t last = -1;
  const auto extent = [&](int d) { return d <= dim ? copy.extent[static_cast<std::size_t>(d)] : 1; };
  for (std::int64_t i0 = 0; i0 < extent(0); ++i0) {
    const std::int64_t row0 =
        copy.gather ? gather_row(copy.gather->seed, copy.gather->first + i0, copy.gather->rows) : i0;
    for (std::int64_t i1 = 0; i1 < extent(1); ++i1) {
      for (std::int64_t i2 = 0; i2 < extent(2); ++i2) {
        const std::int64_t start =
            side.place.address + row0 * side.stride[0] + i1 * side.stride[1] + i2 * side.stride[2];
        const std::int64_t first = start / burst;
        const std::int64_t end = (start + run - 1) / burst;
        count += end - first + 1 - (first == last ? 1 : 0);
        last = end;
      }
    }
  }
  return count;
}

}  // namespace accsim::model
