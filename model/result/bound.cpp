#include "model/result/bound.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "model/base/error.h"
#include "model/program/timing.h"
#include "model/workload/loop_nest.h"
#include "model/workload/network_graph.h"
#include "model/workload/operator_table.h"

namespace accsim::model {
namespace {

__extension__ using Wide = __int128;  // bytes times picoseconds pass 63 bits

// Bytes of network outputs that an operator computes: they leave the chip; the rest of the compulsory bytes enter it.
Bytes output_bytes(const Network& network) {
  std::set<TensorId> roots;
  Bytes total;
  for (const TensorId id : network.outputs) {
    const Tensor& root = network.tensor(network.tensor(id).storage);
    if (root.kind == TensorKind::activation && roots.insert(root.id).second) total += network.bytes_of(root.id);
  }
  return total;
}

// ceil(bytes / (channels * burst / column_cycles) * DRAM period / core period)
Cycles transfer_cycles(const Architecture& arch, Bytes bytes) {
  const DramConfig& dram = arch.dram;
  const ClockPeriod core = core_clock(arch);
  const Wide numerator =
      static_cast<Wide>(bytes.value()) * dram.derived.column_cycles * dram.tck_ps[0] * core.denominator;
  const Wide denominator =
      static_cast<Wide>(dram.derived.burst_bytes) * dram.channels * dram.tck_ps[1] * core.numerator;
  return Cycles(static_cast<std::int64_t>((numerator + denominator - 1) / denominator));
}

// The array that covers every core's: what it cannot do, none of them can.
struct Envelope {
  bool one_dataflow = true;
  bool overlapped = false;  // any core's folds overlap
  std::int64_t rows = 0, cols = 0;
  std::int64_t fewest_rows = 0, fewest_cols = 0;
};
Envelope envelope_of(const Architecture& arch) {
  const ArrayConfig& first = arch.core_types.front().array;
  Envelope e{true, false, first.rows, first.cols, first.rows, first.cols};
  for (const CoreConfig& core : arch.core_types) {
    e.one_dataflow = e.one_dataflow && core.array.dataflow == first.dataflow;
    e.overlapped = e.overlapped || core.array.double_buffered;
    e.rows = std::max(e.rows, core.array.rows);
    e.cols = std::max(e.cols, core.array.cols);
    e.fewest_rows = std::min(e.fewest_rows, core.array.rows);
    e.fewest_cols = std::min(e.fewest_cols, core.array.cols);
  }
  return e;
}

// Fewest folds that cover groups of k x n weights. A fold holds at most g * min(k, rows/g) * min(n, cols/g) of them,
// g groups on its diagonal; one group needs a grid of whole folds.
std::int64_t weight_folds(const ProductShape& s, const Envelope& e) {
  const std::int64_t grid = ceil_div(s.k, e.rows) * ceil_div(s.n, e.cols);
  if (s.groups == 1) return grid;
  std::int64_t held = 1;
  for (std::int64_t g = 1; g <= std::min({s.groups, e.rows, e.cols}); ++g) {
    held = std::max(held, g * std::min(s.k, e.rows / g) * std::min(s.n, e.cols / g));
  }
  return static_cast<std::int64_t>((static_cast<Wide>(s.groups) * s.k * s.n + held - 1) / held);
}

// Cycles of arrays, summed over cores, that any split of the product into passes takes at least.
std::int64_t fewest_array_cycles(const ProductShape& s, Dataflow dataflow, const Envelope& e) {
  std::int64_t folds = 0;
  std::int64_t streamed = 0;
  std::int64_t alone = 0;  // what a fold takes beyond what it streams, where folds do not overlap
  switch (dataflow) {
    case Dataflow::weight_stationary:
      folds = weight_folds(s, e);
      streamed = s.m;
      alone = 2 * e.fewest_rows + e.fewest_cols - 2;
      break;
    case Dataflow::vector_mac:
      folds = weight_folds(s, e);
      streamed = s.m;
      alone = e.fewest_rows;
      break;
    case Dataflow::input_stationary:
      folds = s.groups * ceil_div(s.k, e.rows) * ceil_div(s.m, e.cols);
      streamed = s.n;
      alone = 2 * e.fewest_rows + e.fewest_cols - 2;
      break;
    case Dataflow::output_stationary:
      folds = s.groups * ceil_div(s.m, e.rows) * ceil_div(s.n, e.cols);
      streamed = s.k;
      alone = e.fewest_rows + e.fewest_cols - 2;
      break;
  }
  return folds * (e.overlapped ? std::max(streamed, e.fewest_rows) : streamed + alone);
}

ProductShape product_of(const LoopNest& nest) {
  ProductShape shape;
  for (const Dim& dim : nest.dims) {
    switch (dim.kind) {
      case DimKind::group:
        shape.groups *= dim.extent;
        break;
      case DimKind::m:
        shape.m *= dim.extent;
        break;
      case DimKind::n:
        shape.n *= dim.extent;
        break;
      case DimKind::k:
        shape.k *= dim.extent;
        break;
      case DimKind::row:
        break;
    }
  }
  return shape;
}

// What the vector unit does for one nest, as a single instruction would.
VectorWork vector_work(const Operator& op, const LoopNest& nest) {
  VectorWork work;
  work.kind = vector_kind_of(op);
  work.results = 1;
  for (const Dim& dim : nest.dims) {
    if (dim.kind == DimKind::row) work.row *= dim.extent;
    if (dim.kind == DimKind::m || dim.kind == DimKind::n || dim.kind == DimKind::group) work.results *= dim.extent;
  }
  if (is_normalization(work.kind)) work.results *= work.row;
  work.transcendental_activations = is_transcendental(op.type) ? 1 : 0;
  for (const FusedActivation& activation : op.activations) {
    work.transcendental_activations += is_transcendental(activation.type) ? 1 : 0;
  }
  return work;
}

// ceil(a / b) of numbers that are no whole cycles; a hair is forgiven so that an exact quotient is not rounded up.
std::int64_t ceil_of(double quotient) { return static_cast<std::int64_t>(std::ceil(quotient * (1.0 - 1e-12))); }

}  // namespace

NetworkBound physical_bound(const Architecture& arch, const Network& network) {
  const std::int64_t macs = total_macs(network).value();
  const Bytes written = output_bytes(network);
  const Bytes read = compulsory_bytes(network) - written;
  NetworkBound bound;
  bound.cycles = std::max(Cycles(ceil_div(macs, arch.peak_macs_per_cycle())), transfer_cycles(arch, read + written));
  double mac_pj = arch.energy.mac_pj(arch.core_types.front().array.operand_type);
  for (const CoreConfig& core : arch.core_types) mac_pj = std::min(mac_pj, arch.energy.mac_pj(core.array.operand_type));
  const DramDerived& dram = arch.dram.derived;
  bound.energy_pj = static_cast<double>(macs) * mac_pj +
                    static_cast<double>(ceil_div(read.value(), dram.burst_bytes)) * dram.read_pj +
                    static_cast<double>(ceil_div(written.value(), dram.burst_bytes)) * dram.write_pj;
  return bound;
}

NetworkBound physical_bound(const Architecture& arch, const Network& network, OpId op) {
  return physical_bound(arch, single_operator(network, op));
}

Network single_operator(const Network& network, OpId id) {
  Network alone;
  alone.name = network.name + "." + network.op(id).name;
  alone.precision = network.precision;
  Operator op = network.op(id);
  std::map<TensorId, TensorId> renumbered;
  const auto take = [&](TensorId& tensor, bool output) {
    const auto [it, is_new] = renumbered.try_emplace(tensor, TensorId(static_cast<std::int32_t>(alone.tensors.size())));
    if (is_new) {
      Tensor copy = network.tensor(tensor);
      if (!output && copy.kind == TensorKind::activation) copy.kind = TensorKind::input;
      if (copy.kind == TensorKind::input) alone.inputs.push_back(it->second);
      alone.tensors.push_back(std::move(copy));
    }
    tensor = it->second;
    if (output) alone.outputs.push_back(tensor);
  };
  for (TensorId& tensor : op.inputs) take(tensor, false);
  for (TensorId& tensor : op.outputs) take(tensor, true);
  alone.operators.push_back(std::move(op));
  link(alone);
  return alone;
}

Cycles reachable_bound(const Architecture& arch, const Network& network, double sustained_bytes_per_cycle) {
  if (!(sustained_bytes_per_cycle > 0)) throw InternalError("a sustained bandwidth must be positive");
  const Envelope envelope = envelope_of(arch);
  const Dataflow dataflow = arch.core_types.front().array.dataflow;
  VectorConfig fastest = arch.core_types.front().vector;
  std::int64_t lanes = 0;
  for (const CoreConfig& core : arch.core_types) {
    lanes += core.count * core.vector.lanes;
    fastest.exp_cycles = std::min(fastest.exp_cycles, core.vector.exp_cycles);
  }
  double array_cycles = 0;     // summed over cores
  double lane_operations = 0;  // summed over lanes
  for (const Operator& op : network.operators) {
    if (is_alias(op.type)) continue;
    for (const LoopNest& nest : loop_nests_of(network, op.id)) {
      if (nest.engine == Engine::array) {
        array_cycles += static_cast<double>(fewest_array_cycles(product_of(nest), dataflow, envelope));
      }
      if (nest.engine != Engine::dma) {
        lane_operations += static_cast<double>(vector_lane_operations(vector_work(op, nest), fastest));
      }
    }
  }
  std::int64_t cycles = physical_bound(arch, network).cycles.value();
  if (envelope.one_dataflow) {
    cycles = std::max(cycles, ceil_of(array_cycles / static_cast<double>(arch.core_count())));
  }
  cycles = std::max(cycles, ceil_of(lane_operations / static_cast<double>(lanes)));
  cycles =
      std::max(cycles, ceil_of(static_cast<double>(compulsory_bytes(network).value()) / sustained_bytes_per_cycle));
  return Cycles(cycles);
}

}  // namespace accsim::model
