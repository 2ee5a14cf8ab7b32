#include "sched/cost/operator_evaluator.h"

#include <algorithm>

#include "model/base/error.h"
#include "model/schedule/multicast.h"
#include "model/workload/operator_table.h"

namespace accsim::sched {

using namespace model;

namespace {

std::uint32_t bit(int dim) { return std::uint32_t{1} << static_cast<std::uint32_t>(dim); }

std::int64_t padded(std::int64_t bytes, std::int64_t port) {
  return ceil_div(std::max<std::int64_t>(bytes, 1), port) * port;
}

}  // namespace

NestEvaluator::NestEvaluator(const LoopNest& nest, const Operator& op, const MachineRates& rates,
                             const CoreConfig& core, std::vector<std::vector<std::int64_t>> tiles)
    : nest_(&nest),
      core_(&core),
      dram_(rates.dram),
      pattern_(*rates.dram.config),
      load_share_(rates.load_share),
      store_share_(rates.store_share),
      active_cores_(rates.active_cores),
      flow_(flow_of(nest)),
      tiles_(std::move(tiles)) {
  if (nest.dims.size() > kMaxDims || nest.operands.size() > kMaxOperands || tiles_.size() != nest.dims.size()) {
    throw InternalError("layer " + op.name + ": a nest of " + std::to_string(nest.dims.size()) + " dimensions and " +
                        std::to_string(nest.operands.size()) + " operands");
  }
  for (std::size_t d = 0; d < tiles_.size(); ++d) {
    auto& trips = trips_.emplace_back();
    for (const std::int64_t tile : tiles_[d]) trips.push_back(static_cast<double>(ceil_div(nest.dims[d].extent, tile)));
  }
  work_.kind = vector_kind_of(op);
  for (const Dim& dim : nest.dims)
    if (dim.kind == DimKind::row) row_ *= dim.extent;
  work_.row = flow_ == TileFlow::array ? 1 : row_;
  work_.transcendental_activations = is_transcendental(op.type) ? 1 : 0;
  for (const FusedActivation& a : op.activations) work_.transcendental_activations += is_transcendental(a.type) ? 1 : 0;

  for (std::size_t d = 0; d < nest.dims.size(); ++d)
    if (nest.dims[d].kind != DimKind::k) result_dims_ |= bit(static_cast<int>(d));
  for (std::size_t i = 0; i < nest.operands.size(); ++i) packing_order_.push_back(i);
  std::stable_sort(packing_order_.begin(), packing_order_.end(),
                   [this](std::size_t x, std::size_t y) { return packing_rank(x) < packing_rank(y); });
  for (const Operand& operand : nest.operands) {
    OperandTable& table = operands_.emplace_back();
    std::vector<AxisTable>& axes = axes_.emplace_back();
    for (const Axis& axis : operand.axes) {
      std::uint32_t dims = 0;
      if (axis.stride != 0)
        for (const AxisTerm& term : axis.terms) dims |= term.coefficient != 0 ? bit(term.dim) : 0U;
      table.moving |= dims;
      AxisTable& axis_table = axes.emplace_back();
      axis_table.entries.resize(add_radix(axis_table.radix, dims));
    }
    table.entries.resize(add_radix(table.radix, table.moving));
  }
  build_kinds();
}

std::size_t NestEvaluator::add_radix(std::vector<std::pair<int, std::size_t>>& radix, std::uint32_t dims) const {
  std::size_t weight = 1;
  for (std::size_t d = 0; d < tiles_.size(); ++d) {
    if ((dims & bit(static_cast<int>(d))) == 0 || tiles_[d].size() == 1) continue;
    radix.emplace_back(static_cast<int>(d), weight);
    weight *= tiles_[d].size();
  }
  return weight;
}

std::vector<std::int64_t> NestEvaluator::sizes_of(const TileChoice& choice) const {
  std::vector<std::int64_t> sizes(tiles_.size());
  for (std::size_t d = 0; d < sizes.size(); ++d) sizes[d] = tiles_[d][static_cast<std::size_t>(choice[d])];
  return sizes;
}

// Sizes of a tile taken over all dimensions of a kind, and how often each occurs.
void NestEvaluator::build_kinds() {
  for (std::size_t kind = 0; kind < kinds_.size(); ++kind) {
    KindTable& table = kinds_[kind];
    std::uint32_t dims = 0;
    for (std::size_t d = 0; d < nest_->dims.size(); ++d)
      if (static_cast<std::size_t>(nest_->dims[d].kind) == kind) dims |= bit(static_cast<int>(d));
    table.entries.resize(add_radix(table.radix, dims));
    std::vector<SizeClass> product, next;
    for (std::size_t index = 0; index < table.entries.size(); ++index) {
      product.assign(1, {});
      KindEntry entry;
      for (std::size_t d = 0; d < nest_->dims.size(); ++d) {
        if ((dims & bit(static_cast<int>(d))) == 0) continue;
        std::size_t candidate = 0;
        for (const auto& [dim, weight] : table.radix)
          if (dim == static_cast<int>(d)) candidate = index / weight % tiles_[d].size();
        const std::int64_t extent = nest_->dims[d].extent;
        const std::int64_t tile = tiles_[d][candidate];
        const std::int64_t trips = ceil_div(extent, tile);
        const std::int64_t edge = extent - (trips - 1) * tile;
        entry.last *= edge;
        next.clear();
        const auto add = [&](std::int64_t size, double times) {
          for (SizeClass& c : next) {
            if (c.size == size) {
              c.times += times;
              return;
            }
          }
          next.push_back({size, times});
        };
        for (const SizeClass& c : product) {
          if (edge == tile) {
            add(c.size * tile, c.times * static_cast<double>(trips));
          } else {
            if (trips > 1) add(c.size * tile, c.times * static_cast<double>(trips - 1));
            add(c.size * edge, c.times);
          }
        }
        product.swap(next);
      }
      entry.begin = size_classes_.size();
      size_classes_.insert(size_classes_.end(), product.begin(), product.end());
      entry.end = size_classes_.size();
      table.entries[index] = entry;
    }
  }
}

const NestEvaluator::OperandEntry& NestEvaluator::entry(std::size_t operand, const TileChoice& choice) {
  OperandTable& table = operands_[operand];
  OperandEntry& entry = table.entries[index_of(table.radix, choice)];
  if (entry.filled) return entry;
  const Operand& what = nest_->operands[operand];
  const std::vector<std::int64_t> sizes = sizes_of(choice);
  std::vector<const AxisTiling*> tilings;
  for (std::size_t a = 0; a < what.axes.size(); ++a) {
    AxisTable& axis = axes_[operand][a];
    AxisTiling& tiling = axis.entries[index_of(axis.radix, choice)];
    if (tiling.classes.empty()) tiling = tile_axis(*nest_, what.axes[a], a + 1 == what.axes.size(), sizes);
    tilings.push_back(&tiling);
    if (what.axes[a].stride == 0 || tiling.still) continue;
    for (const AxisTerm& term : what.axes[a].terms) entry.moving |= term.coefficient != 0 ? bit(term.dim) : 0U;
  }
  const bool gathered = flow_ == TileFlow::gather && operand == 0;
  const bool stored = operand + 1 == nest_->operands.size();
  entry.totals = box_totals(what, tilings, dram_, pattern_, stored ? store_share_ : load_share_,
                            gathered ? static_cast<int>(what.axes.size()) - 2 : -1);
  entry.buffer_bytes =
      padded(storage_bytes(what.type, largest_box(*nest_, what, sizes)).value(), tile_alignment(core_->scratchpad));
  const auto span = [&](auto size_of) {
    std::int64_t last = 0;  // elements behind the first
    for (const Axis& axis : what.axes) {
      std::int64_t reach = 0;
      for (const AxisTerm& term : axis.terms) reach += term.coefficient * (size_of(term.dim) - 1);
      last += std::min(reach, axis.extent - 1) * axis.stride;
    }
    return storage_bytes(what.type, last + 1).value();
  };
  entry.span_bytes = span([&](int dim) { return sizes[static_cast<std::size_t>(dim)]; });
  entry.all_bytes = span([&](int dim) { return nest_->dims[static_cast<std::size_t>(dim)].extent; });
  if (flow_ == TileFlow::array && operand + 1 == nest_->operands.size()) {
    entry.sum_bytes = padded(storage_bytes(core_->array.accumulator_type, largest_box(*nest_, what, sizes)).value(),
                             tile_alignment(core_->accumulator));
  }
  entry.filled = true;
  return entry;
}

void NestEvaluator::select(const TileChoice& choice) {
  choice_ = choice;
  for (std::size_t i = 0; i < nest_->operands.size(); ++i) entry_[i] = &entry(i, choice);
  for (std::size_t d = 0; d < tiles_.size(); ++d) trip_[d] = trips_[d][static_cast<std::size_t>(choice[d])];
}

std::size_t NestEvaluator::rings_of(Rings& rings) const {
  std::size_t n = 0;
  std::uint32_t looped = 0;
  for (std::size_t d = 0; d < tiles_.size(); ++d)
    if (trip_[d] > 1) looped |= bit(static_cast<int>(d));
  const std::size_t output = nest_->operands.size() - 1;
  for (const std::size_t i : packing_order_) {
    if ((flow_ == TileFlow::gather && i == 0) || (flow_ == TileFlow::copy && i == output)) continue;
    const OperandRole role = nest_->operands[i].role;
    const int asked = buffers_[role == OperandRole::output ? 2 : role == OperandRole::input ? 0 : 1];
    const bool refilled = flow_ == TileFlow::copy || (looped & (i == output ? result_dims_ : operands_[i].moving)) != 0;
    rings[n++] = {i, refilled ? asked : 1, entry_[i]->buffer_bytes, 0};
  }
  return n;
}

NestEvaluator::Needs NestEvaluator::needs() const {
  Rings rings;
  const std::size_t n = rings_of(rings);
  Needs needs;
  for (std::size_t r = 0; r < n; ++r) {
    const std::int64_t sums = entry_[rings[r].operand]->sum_bytes;
    needs.rings.scratchpad += rings[r].buffers * rings[r].bytes;
    needs.rings.accumulator += rings[r].buffers * sums;
    needs.single.scratchpad += rings[r].bytes;
    needs.single.accumulator += sums;
  }
  return needs;
}

int NestEvaluator::packing_rank(std::size_t operand) const {
  const OperandRole role = nest_->operands[operand].role;
  return role == OperandRole::weight ? 0 : role == OperandRole::bias ? 1 : 2;
}

// Buffers as lowering places them where they do not fit into banks of their own: densely.
double NestEvaluator::conflict_lines(std::span<const Ring> rings) const {
  const std::int64_t bank = core_->scratchpad.bank_bytes();
  const OperandRole streamed =
      core_->array.dataflow == Dataflow::input_stationary ? OperandRole::weight : OperandRole::input;
  const auto port = static_cast<double>(core_->scratchpad.port_bytes);
  double lines = 0;
  std::int64_t stream_at = 0;
  for (const Ring& stream : rings) {
    if (nest_->operands[stream.operand].role == streamed) {
      std::int64_t other_at = 0;
      for (const Ring& other : rings) {
        double chance = 0;
        for (std::int64_t i = 0; i < stream.buffers; ++i) {
          for (std::int64_t j = 0; j < other.buffers; ++j) {
            if (stream.operand == other.operand && i == j) continue;
            const std::int64_t a = stream_at + i * stream.bytes, a_end = a + stream.bytes;
            const std::int64_t b = other_at + j * other.bytes, b_end = b + other.bytes;
            // Buffers that do not overlap share one bank at most.
            const std::int64_t shared = std::max(a, b) / bank;
            if (shared != (std::min(a_end, b_end) - 1) / bank) continue;
            const auto part = [&](std::int64_t from, std::int64_t to) {
              return static_cast<double>(std::min(to, (shared + 1) * bank) - std::max(from, shared * bank)) /
                     static_cast<double>(to - from);
            };
            chance += part(a, a_end) * part(b, b_end);
          }
        }
        lines += other.traffic / port * chance / static_cast<double>(stream.buffers * other.buffers);
        other_at += other.buffers * other.bytes;
      }
    }
    stream_at += stream.buffers * stream.bytes;
  }
  return lines;
}

NestEvaluator::Pass NestEvaluator::pass_of(const ProductShape& shape) const {
  const ArrayTiming timing = array_timing(shape, *core_);
  const std::int64_t interval = timing.interval.value();
  std::int64_t stall = 0;
  for (const std::int64_t lines : {timing.input_lines, timing.weight_lines, timing.output_lines})
    stall += std::max<std::int64_t>(0, lines - interval);
  Pass pass;
  pass.cycles = static_cast<double>(interval + stall);
  pass.fill = static_cast<double>(timing.latency.value() - interval);
  pass.read_lines = static_cast<double>(timing.input_lines + timing.weight_lines);
  pass.sum_lines = static_cast<double>(timing.output_lines);
  pass.streamed_lines = static_cast<double>(core_->array.dataflow == Dataflow::input_stationary ? timing.weight_lines
                                                                                                : timing.input_lines);
  return pass;
}

std::pair<double, double> NestEvaluator::vector_of(std::int64_t results) const {
  VectorWork work = work_;
  const bool normalises = is_normalization(work.kind);
  work.results = normalises ? results * row_ : results;
  const std::int64_t base = vector_cycles(work, core_->vector).value();
  const std::int64_t busy = base - kVectorStartup;
  // The widest stream through a port.
  std::int64_t lines =
      ceil_div(storage_bytes(nest_->output().type, work.results).value(), core_->scratchpad.port_bytes);
  if (flow_ == TileFlow::array) {
    lines = std::max(
        lines, ceil_div(storage_bytes(core_->array.accumulator_type, results).value(), core_->accumulator.port_bytes));
  } else {
    const std::int64_t reads = is_pool(work.kind) ? window_reads(work.kind, row_) : passes_of(work.kind);
    const std::int64_t elements = work.results * reads;
    lines = std::max(lines,
                     ceil_div(storage_bytes(nest_->operands[0].type, elements).value(), core_->scratchpad.port_bytes));
  }
  return {static_cast<double>(base + std::max<std::int64_t>(0, lines - busy)),
          static_cast<double>(vector_lane_operations(work, core_->vector))};
}

void NestEvaluator::count_engines(OperatorCounts& counts, bool bound) const {
  if (flow_ == TileFlow::array) count_array(counts, bound);
  if (flow_ == TileFlow::vector) count_vector(counts, bound);
}

void NestEvaluator::count_array(OperatorCounts& counts, bool bound) const {
  std::array<const KindEntry*, 4> kind{};
  for (std::size_t i = 0; i < kind.size(); ++i) kind[i] = &kinds_[i].entries[index_of(kinds_[i].radix, choice_)];
  const auto classes = [&](std::size_t i) {  // whole tiles come first
    return std::span(size_classes_).subspan(kind[i]->begin, bound ? 1 : kind[i]->end - kind[i]->begin);
  };
  constexpr std::size_t kGroup = 0, kM = 1, kN = 2, kK = 3;
  const auto scratch_port = static_cast<double>(core_->scratchpad.port_bytes);
  const auto sum_port = static_cast<double>(core_->accumulator.port_bytes);
  double reduction_tiles = 0;
  for (const SizeClass& k : classes(kK)) reduction_tiles += k.times;
  for (const SizeClass& g : classes(kGroup)) {
    for (const SizeClass& m : classes(kM)) {
      for (const SizeClass& n : classes(kN)) {
        const double tiles = g.times * m.times * n.times;
        double largest_sums = 0;
        for (const SizeClass& k : classes(kK)) {
          const Pass pass = pass_of({g.size, m.size, k.size, n.size});
          const double times = tiles * k.times;
          counts.array_cycles += times * pass.cycles;
          counts.scratchpad_read += times * pass.read_lines * scratch_port;
          counts.stream_lines += times * pass.streamed_lines;
          counts.accumulator_write += times * pass.sum_lines * sum_port;
          counts.accumulator_read += times * pass.sum_lines * sum_port;
          largest_sums = std::max(largest_sums, pass.sum_lines * sum_port);
        }
        const std::int64_t results = g.size * m.size * n.size;
        const auto sums = static_cast<double>(storage_bytes(core_->array.accumulator_type, results).value());
        // The first write to an element does not read it; the vector unit reads each once.
        counts.accumulator_read += tiles * (sums - std::min(sums, largest_sums));
        const auto [cycles, lanes] = vector_of(results);
        counts.vector_cycles += tiles * cycles;
        counts.lane_operations += tiles * lanes;
        counts.vector_operations += tiles;
        counts.array_passes += tiles * reduction_tiles;
        counts.scratchpad_write += tiles * static_cast<double>(storage_bytes(nest_->output().type, results).value());
      }
    }
  }
  const Pass last = pass_of({kind[kGroup]->last, kind[kM]->last, kind[kK]->last, kind[kN]->last});
  counts.last_pass_interval = last.cycles;
  counts.last_pass_fill = last.fill;
  counts.last_vector_cycles = vector_of(kind[kGroup]->last * kind[kM]->last * kind[kN]->last).first;
  double macs = 1;
  for (const Dim& dim : nest_->dims) macs *= static_cast<double>(dim.extent);
  counts.macs += macs;
}

void NestEvaluator::count_vector(OperatorCounts& counts, bool bound) const {
  const auto m = static_cast<std::size_t>(DimKind::m);
  const KindEntry& entry = kinds_[m].entries[index_of(kinds_[m].radix, choice_)];
  const bool normalises = is_normalization(work_.kind);
  for (const SizeClass& c : std::span(size_classes_).subspan(entry.begin, bound ? 1 : entry.end - entry.begin)) {
    const auto [cycles, lanes] = vector_of(c.size);
    counts.vector_cycles += c.times * cycles;
    counts.lane_operations += c.times * lanes;
    counts.vector_operations += c.times;
    const std::int64_t elements = normalises ? c.size * row_ : c.size;
    counts.scratchpad_write += c.times * static_cast<double>(storage_bytes(nest_->output().type, elements).value());
  }
  counts.last_vector_cycles = vector_of(entry.last).first;
}

std::pair<double, double> NestEvaluator::loads_of(const OperandEntry& e, std::span<const int> order) const {
  double loads = 1, outer = 1, own = 1;
  for (const int d : order) {
    const double trip = trip_[static_cast<std::size_t>(d)];
    if (trip <= 1) continue;
    outer *= trip;
    if ((e.moving & bit(d)) == 0) continue;
    own *= trip;
    loads = outer;
  }
  return {loads, own};
}

// Rings in banks of their own (biases behind what is before them) have none.
void NestEvaluator::count_conflicts(std::span<const int> order, OperatorCounts& counts) const {
  if (flow_ != TileFlow::array) return;
  Rings rings;
  const std::size_t n = rings_of(rings);
  std::int64_t used = 0;
  for (std::size_t r = 0; r < n; ++r) {
    const std::int64_t align =
        packing_rank(rings[r].operand) == 1 ? tile_alignment(core_->scratchpad) : core_->scratchpad.bank_bytes();
    for (std::int64_t i = 0; i < rings[r].buffers; ++i) used = ceil_div(used, align) * align + rings[r].bytes;
  }
  if (used <= core_->scratchpad.size().value()) return;
  for (std::size_t r = 0; r < n; ++r) {
    const OperandEntry& e = *entry_[rings[r].operand];
    rings[r].traffic = e.totals.bytes;
    if (rings[r].operand + 1 == nest_->operands.size()) continue;
    const auto [loads, own] = loads_of(e, order);
    rings[r].traffic *= loads / own;
  }
  counts.conflict_lines += conflict_lines(std::span(rings).first(n));
}

void NestEvaluator::set_homes(const Network& network, const TensorHomes& homes) {
  for (std::size_t i = 0; i < nest_->operands.size(); ++i) {
    const auto home = homes.find(network.tensor(nest_->operands[i].tensor).storage);
    homes_[i] = home == homes.end() ? TensorHome{} : home->second;
  }
}

double NestEvaluator::pieces_of(std::size_t operand) const {
  const TensorHome& home = homes_[operand];
  if (home.home != Home::scratchpad || home.piece_bytes == 0) return 1;
  const double touched =
      1 + static_cast<double>(entry_[operand]->span_bytes - 1) / static_cast<double>(home.piece_bytes);
  return std::min(touched, home.pieces);
}

// Where each core has a part of the tensor to itself, so many more than of one core.
double NestEvaluator::pieces_in_use(std::size_t operand) const {
  const TensorHome& home = homes_[operand];
  const double tensor = static_cast<double>(home.piece_bytes) * home.pieces;
  constexpr double kOverlap = 1.5;
  const bool apart = static_cast<double>(entry_[operand]->all_bytes) * active_cores_ <= kOverlap * tensor;
  return std::min(home.pieces, pieces_of(operand) * (apart ? active_cores_ : 1));
}

void NestEvaluator::count_chip_load(std::size_t operand, double times, OperatorCounts& counts) const {
  const BoxTotals& totals = entry_[operand]->totals;
  const double bursts = (totals.bursts_long + totals.bursts_short) * times;
  counts.chip_load_bursts += bursts;
  counts.chip_load_descriptors += totals.boxes * times * pieces_of(operand);
  if (homes_[operand].home == Home::global_buffer) {
    counts.buffer_load_bursts += bursts;
  } else {
    counts.home_load_bursts += bursts / pieces_in_use(operand);
    counts.remote_read += totals.bytes * times;
  }
}

void NestEvaluator::count_traffic(std::span<const int> order, OperatorCounts& counts) const {
  std::array<std::pair<double, double>, kMaxOperands> loads;
  for (std::size_t i = 0; i + 1 < nest_->operands.size(); ++i) loads[i] = loads_of(*entry_[i], order);
  add_traffic(loads, counts);
}

void NestEvaluator::bound_traffic(OperatorCounts& counts) const {
  std::array<std::pair<double, double>, kMaxOperands> loads;
  for (std::size_t i = 0; i + 1 < nest_->operands.size(); ++i) {
    double own = 1;
    for (std::size_t d = 0; d < tiles_.size(); ++d) {
      if ((entry_[i]->moving & bit(static_cast<int>(d))) != 0) own *= trip_[d];
    }
    loads[i] = {own, own};
  }
  add_traffic(loads, counts);
  counts.least_loads = true;
}

// `loads`: of each operand, and of each of its distinct boxes once.
void NestEvaluator::add_traffic(const std::array<std::pair<double, double>, kMaxOperands>& all,
                                OperatorCounts& counts) const {
  const std::size_t output = nest_->operands.size() - 1;
  double tiles = 1;  // of the output
  for (std::size_t d = 0; d < tiles_.size(); ++d)
    if (nest_->dims[d].kind != DimKind::k) tiles *= trip_[d];

  const bool vector = flow_ == TileFlow::vector;
  const bool window = is_pool(work_.kind);
  const bool first_nest = counts.load_descriptors == 0 && counts.chip_load_descriptors == 0;
  double first_bursts = 0;
  double first_chip = 0;
  for (std::size_t i = 0; i < output; ++i) {
    const OperandEntry& e = *entry_[i];
    const auto [loads, own] = all[i];
    const OperandRole role = nest_->operands[i].role;
    const bool table = flow_ == TileFlow::gather && i == 0;
    const double times = loads / own;  // that each distinct box is fetched
    double descriptors = e.totals.boxes * times;
    if (table && nest_->operands[0].axes.size() > 2)  // one for each index of the outer axis
      descriptors *= static_cast<double>(tiles_[0][static_cast<std::size_t>(choice_[0])]);
    if (!left_out(i) && homes_[i].home != Home::dram) {
      count_chip_load(i, times, counts);
      counts.scratchpad_write += e.totals.bytes * times;
      if (role != OperandRole::bias || vector) first_chip += e.totals.first_bursts;
      if (loads > 1) counts.serial = counts.serial || buffers_[role == OperandRole::input ? 0 : 1] == 1;
    } else if (!left_out(i)) {
      counts.load_bursts_long += e.totals.bursts_long * times;
      counts.load_bursts_short += e.totals.bursts_short * times;
      counts.load_slow_long += e.totals.slow_long * times;
      counts.load_slow_short += e.totals.slow_short * times;
      counts.load_descriptors += descriptors;
      counts.load_bytes += e.totals.bytes * times;
      counts.load_activates += e.totals.activates * times;
      counts.scratchpad_write += e.totals.bytes * times;
      if ((shared_ & bit(static_cast<int>(i))) != 0) {
        counts.shared_bursts += (e.totals.bursts_long + e.totals.bursts_short) * times;
        counts.shared_slow += (e.totals.slow_long + e.totals.slow_short) * times;
        counts.shared_descriptors += descriptors;
        counts.shared_activates += e.totals.activates * times;
      }
      if (role != OperandRole::bias || vector) first_bursts += e.totals.first_bursts;
      if (!table && loads > 1) counts.serial = counts.serial || buffers_[role == OperandRole::input ? 0 : 1] == 1;
    }
    // What the vector unit reads from the scratchpad.
    if (vector || role == OperandRole::bias) {
      const double uses = tiles / own;
      const double passes = role == OperandRole::input ? static_cast<double>(passes_of(work_.kind)) : 1.0;
      if (!(vector && window && role == OperandRole::input)) counts.scratchpad_read += e.totals.bytes * uses * passes;
    }
  }
  if (vector && window) {
    const double elements =
        static_cast<double>(element_count_of_output()) * static_cast<double>(window_reads(work_.kind, row_));
    counts.scratchpad_read += elements * bits_of(nest_->operands[0].type) / 8;
  }
  if (first_nest) {
    counts.first_load_bursts = first_bursts;
    counts.first_chip_bursts = first_chip;
  }

  if (left_out(output)) return;
  const OperandEntry& out = *entry_[output];
  if (tiles > 1) counts.serial = counts.serial || buffers_[flow_ == TileFlow::copy ? 0 : 2] == 1;
  counts.scratchpad_read += out.totals.bytes;
  if (homes_[output].home != Home::dram) {
    const double bursts = out.totals.bursts_long + out.totals.bursts_short;
    counts.chip_store_bursts += bursts;
    counts.chip_store_descriptors += out.totals.boxes * pieces_of(output);
    counts.last_chip_bursts = out.totals.last_bursts;
    if (homes_[output].home == Home::global_buffer) {
      counts.buffer_store_bursts += bursts;
    } else {
      counts.home_store_bursts += bursts / pieces_in_use(output);
      counts.remote_write += out.totals.bytes;
    }
    return;
  }
  counts.store_bursts_long += out.totals.bursts_long;
  counts.store_bursts_short += out.totals.bursts_short;
  counts.store_slow_long += out.totals.slow_long;
  counts.store_slow_short += out.totals.slow_short;
  counts.store_descriptors += out.totals.boxes;
  counts.store_bytes += out.totals.bytes;
  counts.store_activates += out.totals.activates;
  counts.last_store_bursts = out.totals.last_bursts;
}

std::int64_t NestEvaluator::element_count_of_output() const {
  std::int64_t elements = 1;
  for (const Dim& dim : nest_->dims)
    if (dim.kind != DimKind::k && dim.kind != DimKind::row) elements *= dim.extent;
  return elements;
}

OperatorCounts& OperatorCounts::operator+=(const OperatorCounts& o) {
  for (const auto member : {&OperatorCounts::array_cycles,
                            &OperatorCounts::array_passes,
                            &OperatorCounts::vector_cycles,
                            &OperatorCounts::vector_operations,
                            &OperatorCounts::macs,
                            &OperatorCounts::lane_operations,
                            &OperatorCounts::load_bursts_long,
                            &OperatorCounts::load_bursts_short,
                            &OperatorCounts::load_descriptors,
                            &OperatorCounts::load_slow_long,
                            &OperatorCounts::load_slow_short,
                            &OperatorCounts::store_slow_long,
                            &OperatorCounts::store_slow_short,
                            &OperatorCounts::stream_lines,
                            &OperatorCounts::conflict_lines,
                            &OperatorCounts::load_bytes,
                            &OperatorCounts::load_activates,
                            &OperatorCounts::store_bursts_long,
                            &OperatorCounts::store_bursts_short,
                            &OperatorCounts::store_descriptors,
                            &OperatorCounts::store_bytes,
                            &OperatorCounts::store_activates,
                            &OperatorCounts::scratchpad_read,
                            &OperatorCounts::scratchpad_write,
                            &OperatorCounts::accumulator_read,
                            &OperatorCounts::accumulator_write,
                            &OperatorCounts::first_load_bursts,
                            &OperatorCounts::shared_bursts,
                            &OperatorCounts::shared_slow,
                            &OperatorCounts::shared_descriptors,
                            &OperatorCounts::shared_activates,
                            &OperatorCounts::chip_load_bursts,
                            &OperatorCounts::chip_load_descriptors,
                            &OperatorCounts::chip_store_bursts,
                            &OperatorCounts::chip_store_descriptors,
                            &OperatorCounts::buffer_load_bursts,
                            &OperatorCounts::buffer_store_bursts,
                            &OperatorCounts::home_load_bursts,
                            &OperatorCounts::home_store_bursts,
                            &OperatorCounts::remote_read,
                            &OperatorCounts::remote_write,
                            &OperatorCounts::first_chip_bursts,
                            &OperatorCounts::last_chip_bursts,
                            &OperatorCounts::last_pass_interval,
                            &OperatorCounts::last_pass_fill,
                            &OperatorCounts::last_vector_cycles,
                            &OperatorCounts::last_store_bursts}) {
    this->*member += o.*member;
  }
  serial = serial || o.serial;
  least_loads = least_loads || o.least_loads;
  return *this;
}

namespace {

// Cycles that the busiest port of the network is held by flits where tensors live on the chip: data, and a flit for
// each request and acknowledgment. A core's port carries its own bursts and what others want of its scratchpad. There a
// piece lies in one bank, which serves a line a cycle.
double home_cycles(const OperatorCounts& c, const MachineRates& r) {
  if (c.chip_load_bursts + c.chip_store_bursts == 0) return 0;
  const double loads = c.load_bursts_long + c.load_bursts_short + c.chip_load_bursts;
  const double stores = c.store_bursts_long + c.store_bursts_short + c.chip_store_bursts;
  const auto busiest = [&](double sent, double received) { return std::max(sent, received) / r.node_ports; };
  const auto core = [&](double served_loads, double served_stores) {
    return std::max((served_loads + served_stores) * r.burst_lines,
                    busiest(loads + stores * r.burst_flits + served_loads * r.burst_flits + served_stores,
                            loads * r.burst_flits + stores + served_loads + served_stores * r.burst_flits));
  };
  const double buffer_loads = c.buffer_load_bursts * r.active_cores;
  const double buffer_stores = c.buffer_store_bursts * r.active_cores;
  return std::max(core((c.home_load_bursts) * r.active_cores, c.home_store_bursts * r.active_cores),
                  std::max(buffer_loads * r.burst_flits + buffer_stores, buffer_loads + buffer_stores * r.burst_flits));
}

}  // namespace

GroupFeatures features_from(const OperatorCounts& c, const MachineRates& r) {
  const auto burst = static_cast<double>(r.dram.burst_bytes);
  const double load_cycles = burst / r.load_bytes_per_cycle;  // a burst
  const double store_cycles = burst / r.store_bytes_per_cycle;
  // Descriptors: an issue cycle, or what the other DMA channels do not hide of a descriptor's latency.
  const auto descriptors = [&](double count, double transfer, double latency) {
    if (count == 0) return 0.0;
    if (c.least_loads) return count;
    const double each = transfer / count;
    return count * std::max(1.0, (latency + each) / r.dma_channels - each);
  };
  GroupFeatures f;
  at(f.cycles, Feature::array_cycles) = c.array_cycles;
  at(f.cycles, Feature::array_passes) = c.array_passes;
  // Where the stream needs its port only part of the time, traffic finds gaps.
  at(f.cycles, Feature::array_conflicts) =
      c.array_cycles > 0 ? c.conflict_lines * std::min(1.0, c.stream_lines / c.array_cycles) : 0.0;
  at(f.cycles, Feature::vector_cycles) = c.vector_cycles;
  at(f.cycles, Feature::vector_operations) = c.vector_operations;
  at(f.cycles, Feature::load_bytes_long) = c.load_slow_long * load_cycles;
  at(f.cycles, Feature::load_bytes_short) = c.load_slow_short * load_cycles;
  at(f.cycles, Feature::store_bytes_long) = c.store_slow_long * store_cycles;
  at(f.cycles, Feature::store_bytes_short) = c.store_slow_short * store_cycles;
  const double slow_loads = c.load_slow_long + c.load_slow_short;
  const double slow_stores = c.store_slow_long + c.store_slow_short;
  const double loads = c.load_bursts_long + c.load_bursts_short;
  const double stores = c.store_bursts_long + c.store_bursts_short;
  // What one core loads for all is read once; it has arrived when all have said so.
  const auto share = [](double part, double whole) { return whole > 0 ? std::min(1.0, part / whole) : 0.0; };
  const double shared = share(c.shared_slow, slow_loads);
  const double readers = r.active_cores - shared * (r.active_cores - 1);
  const double load_latency = r.load_latency + share(c.shared_descriptors, c.load_descriptors) * r.multicast_latency;
  const double chip_cycles = burst / r.chip_bytes_per_cycle;
  at(f.cycles, Feature::load_on_chip) = c.chip_load_bursts * chip_cycles;
  at(f.cycles, Feature::store_on_chip) = c.chip_store_bursts * chip_cycles;
  at(f.cycles, Feature::load_descriptors) =
      descriptors(c.load_descriptors, slow_loads * load_cycles, load_latency) +
      descriptors(c.chip_load_descriptors, c.chip_load_bursts * chip_cycles, r.chip_latency);
  at(f.cycles, Feature::store_descriptors) =
      descriptors(c.store_descriptors, slow_stores * store_cycles, r.store_latency) +
      descriptors(c.chip_store_descriptors, c.chip_store_bursts * chip_cycles, r.chip_latency);
  f.home_cycles = home_cycles(c, r);
  // Cores that start and end together meet at the DRAM.
  at(f.cycles, Feature::start_up) =
      c.first_load_bursts * load_cycles * std::max(1.0, readers * r.load_share) + c.first_chip_bursts * chip_cycles +
      (c.chip_load_descriptors > 0 && c.load_descriptors == 0 ? r.chip_latency : load_latency);
  at(f.cycles, Feature::drain) = c.last_pass_interval + c.last_pass_fill + c.last_vector_cycles +
                                 c.last_store_bursts * store_cycles * std::max(1.0, r.active_cores * r.store_share) +
                                 c.last_chip_bursts * chip_cycles +
                                 (c.chip_store_descriptors > 0 ? r.chip_latency : r.store_latency);
  f.load_first = share(c.first_load_bursts * load_cycles + c.first_chip_bursts * chip_cycles,
                       slow_loads * load_cycles + c.chip_load_bursts * chip_cycles);
  f.array_last = share(c.last_pass_interval, c.array_cycles);
  f.vector_last = share(c.last_vector_cycles, c.vector_cycles);
  f.store_last = share(c.last_store_bursts * store_cycles + c.last_chip_bursts * chip_cycles,
                       slow_stores * store_cycles + c.chip_store_bursts * chip_cycles);
  f.load_share = readers * r.load_share;
  f.load_shared = shared;
  f.store_share = r.active_cores * r.store_share;
  f.serial = c.serial;

  const auto energy = [&f](EnergyBlock block) -> double& { return f.action_pj[static_cast<std::size_t>(block)]; };
  energy(EnergyBlock::array) = c.macs * r.mac;
  energy(EnergyBlock::vector) = c.lane_operations * r.lane_operation;
  energy(EnergyBlock::scratchpad) = (c.scratchpad_read + c.remote_read) * r.scratchpad_read_byte +
                                    (c.scratchpad_write + c.remote_write) * r.scratchpad_write_byte;
  energy(EnergyBlock::global_buffer) =
      c.buffer_load_bursts * r.buffer_read_burst + c.buffer_store_bursts * r.buffer_write_burst;
  energy(EnergyBlock::accumulator) =
      c.accumulator_read * r.accumulator_read_byte + c.accumulator_write * r.accumulator_write_byte;
  // Each core pays its part of what one loads for all.
  const double part = 1 / r.active_cores;
  const double own = loads - c.shared_bursts;
  const double activates = c.load_activates - c.shared_activates * (1 - part) + c.store_activates;
  const double on_chip = c.chip_load_bursts + c.chip_store_bursts;
  energy(EnergyBlock::noc) =
      (own + stores) * r.noc_burst + c.shared_bursts * part * r.noc_multicast + on_chip * r.chip_noc_burst;
  energy(EnergyBlock::dma) = (own + stores + c.shared_bursts * part + on_chip) * r.dma_burst;
  energy(EnergyBlock::dram) =
      (own + c.shared_bursts * part) * r.dram.read_pj + stores * r.dram.write_pj + activates * r.dram.activate_pj;
  return f;
}

std::uint32_t shared_operands(const LoopNest& nest, const OperatorMapping& mapping) {
  std::uint32_t operands = 0;
  for (std::size_t i = 0; i + 1 < nest.operands.size(); ++i)
    if (is_multicast(mapping, nest, i)) operands |= bit(static_cast<int>(i));
  return operands;
}

OperatorCounts counts_of(const Network& network, OpId op, const std::vector<LoopNest>& nests,
                         const OperatorMapping& mapping, const CoreConfig& core, const MachineRates& rates,
                         const TensorHomes& homes) {
  OperatorCounts counts;
  for (const LoopNest& nest : nests) {
    std::vector<std::vector<std::int64_t>> tiles;
    for (const std::int64_t size : tile_sizes(nest, mapping)) tiles.push_back({size});
    NestEvaluator evaluator(nest, network.op(op), rates, core, std::move(tiles));
    evaluator.set_buffers(buffers_of(mapping, "input"), buffers_of(mapping, "weight"), buffers_of(mapping, "output"));
    evaluator.set_shared(shared_operands(nest, mapping));
    if (!homes.empty()) evaluator.set_homes(network, homes);
    evaluator.select(TileChoice{});
    evaluator.count(loop_order(nest, mapping), counts);
  }
  return counts;
}

}  // namespace accsim::sched
