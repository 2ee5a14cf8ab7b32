// The cost model's closed forms against walking every tile: fetches, bytes, passes, cycles and stores of random
// operators under random mappings. The walk shares the definition of a box and the timing formulas with the model,
// nothing else.
#include <map>
#include <optional>

#include "model/program/timing.h"
#include "model/schedule/tiling.h"
#include "sched/cost/operator_evaluator.h"
#include "sched/lower/tile_access.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"
#include "tests/unit/test_network_helpers.h"

namespace {

using namespace accsim;
using namespace accsim::model;
using accsim::tests::Random;

struct Walked {
  double loads = 0, load_bytes = 0, load_bursts = 0;
  double stores = 0, store_bytes = 0, store_bursts = 0;
  double passes = 0, array_cycles = 0, vector_operations = 0, vector_cycles = 0, macs = 0;
  std::int64_t equal_boxes = 0;  // a loop moved, the box did not: padding
};

// Tile by tile, in the order of the mapping.
class Walk {
 public:
  Walk(const LoopNest& nest, const Operator& op, const OperatorMapping& mapping, const CoreConfig& core,
       std::int64_t burst, Walked& out)
      : nest_(nest), op_(op), core_(core), burst_(burst), out_(out), tile_(tile_sizes(nest, mapping)) {
    for (const int d : loop_order(nest, mapping)) order_.push_back(d);
    low_.assign(nest.dims.size(), 0);
    size_ = tile_;
    fetched_.resize(nest.operands.size());
    fetched_low_.resize(nest.operands.size());
  }
  void run() { loop(0); }

 private:
  bool reduced(int d) const { return nest_.dims[static_cast<std::size_t>(d)].kind == DimKind::k; }

  void loop(std::size_t level) {
    if (level == order_.size() || (reduced(order_[level]) && !in_tile_)) {
      if (!in_tile_) {
        in_tile_ = true;
        loop(level);
        in_tile_ = false;
        finish();
      } else {
        work();
      }
      return;
    }
    const auto d = static_cast<std::size_t>(order_[level]);
    const std::int64_t extent = nest_.dims[d].extent;
    for (low_[d] = 0; low_[d] < extent; low_[d] += tile_[d]) {
      size_[d] = std::min(tile_[d], extent - low_[d]);
      loop(level + 1);
    }
    low_[d] -= tile_[d];  // the last one, for finish()
    size_[d] = extent - low_[d];
  }

  std::int64_t extent_of(DimKind kind) const {
    std::int64_t e = 1;
    for (std::size_t d = 0; d < nest_.dims.size(); ++d)
      if (nest_.dims[d].kind == kind) e *= size_[d];
    return e;
  }

  double bursts(const Operand& operand, const Box& box) const {
    double n = 0;
    for (const Copy& copy :
         sched::box_copies(operand, box, {Space::dram, CoreId(), 0}, {Space::scratchpad, CoreId(0), 0}, true))
      n += static_cast<double>(burst_count(copy.src, copy, burst_));
    return n;
  }

  void fetch(std::size_t i) {
    const Operand& operand = nest_.operands[i];
    Box box = box_of(nest_, operand, low_, size_);
    std::vector<std::int64_t> where;
    for (std::size_t a = 0; a < box.size(); ++a) {
      if (operand.axes[a].stride == 0) box[a] = {0, 1, 1};
      for (const AxisTerm& term : operand.axes[a].terms) where.push_back(low_[static_cast<std::size_t>(term.dim)]);
    }
    for (const BoxAxis& axis : box)
      if (axis.count == 0) return;
    const auto same = [](const BoxAxis& a, const BoxAxis& b) {
      return a.low == b.low && a.count == b.count && a.step == b.step;
    };
    const bool moved = fetched_low_[i] != where;
    fetched_low_[i] = where;
    if (fetched_[i] && std::equal(box.begin(), box.end(), fetched_[i]->begin(), same)) {
      out_.equal_boxes += moved ? 1 : 0;
      return;
    }
    fetched_[i] = box;
    out_.loads += 1;
    out_.load_bytes += static_cast<double>(storage_bytes(operand.type, element_count(box)).value());
    out_.load_bursts += bursts(operand, box);
  }

  void work() {
    if (flow_of(nest_) != TileFlow::array) return;
    for (std::size_t i = 0; i + 1 < nest_.operands.size(); ++i)
      if (nest_.operands[i].role != OperandRole::bias) fetch(i);
    const ProductShape shape{extent_of(DimKind::group), extent_of(DimKind::m), extent_of(DimKind::k),
                             extent_of(DimKind::n)};
    const ArrayTiming timing = array_timing(shape, core_);
    const std::int64_t interval = timing.interval.value();
    std::int64_t cycles = interval;
    for (const std::int64_t lines : {timing.input_lines, timing.weight_lines, timing.output_lines})
      cycles += std::max<std::int64_t>(0, lines - interval);
    out_.passes += 1;
    out_.array_cycles += static_cast<double>(cycles);
    out_.macs += static_cast<double>(shape.groups * shape.m * shape.k * shape.n);
  }

  void finish() {
    const TileFlow flow = flow_of(nest_);
    for (std::size_t i = 0; i + 1 < nest_.operands.size(); ++i)
      if (flow != TileFlow::array || nest_.operands[i].role == OperandRole::bias) fetch(i);
    if (flow == TileFlow::array || flow == TileFlow::vector) out_.vector_operations += 1;
    if (flow == TileFlow::array) {
      VectorWork work;
      work.results = extent_of(DimKind::group) * extent_of(DimKind::m) * extent_of(DimKind::n);
      const std::int64_t base = vector_cycles(work, core_.vector).value();
      const std::int64_t lines = std::max(
          ceil_div(storage_bytes(core_.array.accumulator_type, work.results).value(), core_.accumulator.port_bytes),
          ceil_div(storage_bytes(nest_.output().type, work.results).value(), core_.scratchpad.port_bytes));
      out_.vector_cycles += static_cast<double>(std::max(base, kVectorStartup + lines));
    }
    const Box box = box_of(nest_, nest_.output(), low_, size_);
    out_.stores += 1;
    out_.store_bytes += static_cast<double>(storage_bytes(nest_.output().type, element_count(box)).value());
    out_.store_bursts += bursts(nest_.output(), box);
  }

  const LoopNest& nest_;
  const Operator& op_;
  const CoreConfig& core_;
  std::int64_t burst_;
  Walked& out_;
  std::vector<std::int64_t> tile_, low_, size_;
  std::vector<int> order_;
  bool in_tile_ = false;
  std::vector<std::optional<Box>> fetched_;
  std::vector<std::vector<std::int64_t>> fetched_low_;
};

std::string list(std::initializer_list<std::int64_t> values) {
  std::string text;
  for (const std::int64_t v : values) text += (text.empty() ? "[" : ", ") + std::to_string(v);
  return text + "]";
}

// One operator of any kind, small enough to walk.
Network random_operator(Random& random, bool padded) {
  const auto pick = [&](std::initializer_list<std::int64_t> of) {
    return *(of.begin() + random.range(0, static_cast<std::int64_t>(of.size()) - 1));
  };
  switch (random.range(0, 7)) {
    case 0:
    case 1:
    case 2: {
      const std::int64_t groups = pick({1, 1, 1, 2, 4});
      const std::int64_t kernel = pick({1, 2, 3, 5});
      const std::int64_t pad = padded ? random.range(0, kernel - 1) : 0;
      return tests::one_layer(
          list({random.range(1, 2), groups * random.range(1, 5), random.range(5, 14), random.range(5, 17)}),
          R"("op": "Conv", "out_channels": )" + std::to_string(groups * random.range(1, 9)) + R"(, "group": )" +
              std::to_string(groups) + R"(, "kernel_shape": )" + list({kernel, kernel}) + R"(, "strides": )" +
              list({random.range(1, 3), random.range(1, 3)}) + R"(, "pads": )" + list({pad, pad, pad, pad}));
    }
    case 3:
      return tests::one_layer(list({random.range(1, 20), random.range(1, 40)}),
                              R"("op": "Gemm", "out_features": )" + std::to_string(random.range(1, 40)));
    case 4: {
      const std::int64_t heads = random.range(1, 4), rows = random.range(1, 12), inner = random.range(1, 20);
      return tests::one_layer(list({heads, rows, inner}), R"("op": "MatMul")",
                              list({heads, inner, random.range(1, 20)}));
    }
    case 5: {
      const std::int64_t kernel = pick({2, 3});
      const std::int64_t pad = padded ? random.range(0, kernel / 2) : 0;
      return tests::one_layer(list({1, random.range(1, 9), random.range(4, 15), random.range(4, 15)}),
                              R"("op": "MaxPool", "kernel_shape": )" + list({kernel, kernel}) + R"(, "strides": )" +
                                  list({random.range(1, 3), random.range(1, 3)}) + R"(, "pads": )" +
                                  list({pad, pad, pad, pad}));
    }
    case 6: {
      const std::int64_t c = random.range(1, 9), h = random.range(1, 20);
      return tests::one_layer(list({1, c, h}), R"("op": "Add")", random.chance(50) ? list({1, c, h}) : list({1, 1, h}));
    }
    default:
      return tests::one_layer(list({random.range(1, 6), random.range(1, 9), random.range(2, 30)}),
                              R"("op": "Softmax")");
  }
}

struct Case {
  Network network;
  OperatorMapping mapping;
  sched::OperatorCounts counts;
  Walked walked;
  std::string text;
};

Case random_case(Random& random, const Architecture& arch, const sched::MachineRates& rates, bool padded) {
  Case c{random_operator(random, padded), {}, {}, {}, {}};
  const CoreConfig& core = arch.core_types.front();
  c.mapping = tests::random_mapping(c.network, OpId(0), core, random, 80);
  c.counts = sched::counts_of(c.network, OpId(0), loop_nests_of(c.network, OpId(0)), c.mapping, core, rates);
  for (const LoopNest& nest : loop_nests_of(c.network, OpId(0))) {
    Walk(nest, c.network.op(OpId(0)), c.mapping, core, rates.dram.burst_bytes, c.walked).run();
    for (const Dim& dim : nest.dims) c.text += " " + dim.name + std::to_string(dim.extent);
  }
  for (const auto& [name, tile] : c.mapping.tile) c.text += " t" + name + std::to_string(tile);
  for (const std::string& name : c.mapping.order) c.text += " " + name;
  return c;
}

constexpr int kCases = 600;

}  // namespace

TEST_CASE("counts without padding equal those of a walk over all tiles") {
  const Architecture arch = tests::small_architecture();
  const sched::MachineRates rates = sched::machine_rates(arch, sched::dram_rates(arch), arch.core_types.front());
  Random random(11);
  for (int i = 0; i < kCases; ++i) {
    const Case c = random_case(random, arch, rates, false);
    INFO(c.text);
    REQUIRE(c.walked.equal_boxes == 0);
    REQUIRE(c.counts.load_descriptors == c.walked.loads);
    REQUIRE(c.counts.load_bytes == c.walked.load_bytes);
    REQUIRE(c.counts.store_descriptors == c.walked.stores);
    REQUIRE(c.counts.store_bytes == c.walked.store_bytes);
    REQUIRE(c.counts.array_passes == c.walked.passes);
    REQUIRE(c.counts.array_cycles == c.walked.array_cycles);
    REQUIRE(c.counts.vector_operations == c.walked.vector_operations);
    REQUIRE(c.counts.macs == c.walked.macs);
    if (c.walked.passes > 0) REQUIRE(c.counts.vector_cycles == c.walked.vector_cycles);
  }
}

TEST_CASE("with padding, too, unless it makes boxes of neighbouring tiles equal") {
  const Architecture arch = tests::small_architecture();
  const sched::MachineRates rates = sched::machine_rates(arch, sched::dram_rates(arch), arch.core_types.front());
  Random random(12);
  int exact = 0;
  for (int i = 0; i < kCases; ++i) {
    const Case c = random_case(random, arch, rates, true);
    INFO(c.text);
    REQUIRE(c.counts.store_bytes == c.walked.store_bytes);
    REQUIRE(c.counts.array_cycles == c.walked.array_cycles);
    if (c.walked.equal_boxes > 0) {
      REQUIRE(c.counts.load_bytes >= c.walked.load_bytes);
      continue;
    }
    ++exact;
    REQUIRE(c.counts.load_descriptors == c.walked.loads);
    REQUIRE(c.counts.load_bytes == c.walked.load_bytes);
  }
  CHECK(exact > kCases / 2);
}

TEST_CASE("padding that makes all boxes equal is seen: the tile is fetched once") {
  const Architecture arch = tests::small_architecture();
  const sched::MachineRates rates = sched::machine_rates(arch, sched::dram_rates(arch), arch.core_types.front());
  const Network network = tests::one_layer(
      "[1, 8, 2, 12]", R"("op": "Conv", "out_channels": 4, "kernel_shape": [3, 3], "pads": [1, 1, 1, 1])");
  OperatorMapping mapping;
  mapping.layer = "l";
  mapping.tile = {{"P", 1}};
  const auto counts =
      sched::counts_of(network, OpId(0), loop_nests_of(network, OpId(0)), mapping, arch.core_types.front(), rates);
  CHECK(counts.load_descriptors == 3);  // input, weight, bias
  CHECK(counts.array_passes == 2);
}

TEST_CASE("bursts are exact where runs are aligned") {
  const Architecture arch = tests::small_architecture();
  const sched::MachineRates rates = sched::machine_rates(arch, sched::dram_rates(arch), arch.core_types.front());
  REQUIRE(rates.dram.burst_bytes == 64);
  const Network network = tests::one_layer("[256, 512]", R"("op": "Gemm", "out_features": 128)");
  Random random(13);
  for (int i = 0; i < 50; ++i) {
    OperatorMapping mapping;
    mapping.layer = "l";
    mapping.tile = {{"M", random.range(1, 256)}, {"N", 64 * random.range(1, 2)}, {"K", 64 * random.range(1, 8)}};
    mapping.order = {"M", "N", "K"};
    Walked walked;
    const LoopNest nest = loop_nest_of(network, OpId(0));
    Walk(nest, network.op(OpId(0)), mapping, arch.core_types.front(), 64, walked).run();
    const auto counts =
        sched::counts_of(network, OpId(0), loop_nests_of(network, OpId(0)), mapping, arch.core_types.front(), rates);
    CHECK(counts.load_bursts_long + counts.load_bursts_short == walked.load_bursts);
    CHECK(counts.store_bursts_long + counts.store_bursts_short == walked.store_bursts);
  }
}

TEST_CASE("bursts of runs anywhere are right on average") {
  const Architecture arch = tests::small_architecture();
  const sched::MachineRates rates = sched::machine_rates(arch, sched::dram_rates(arch), arch.core_types.front());
  Random random(14);
  double counted = 0, walked = 0, deviation = 0;
  int cases = 0;
  for (int i = 0; i < kCases; ++i) {
    const Case c = random_case(random, arch, rates, false);
    const double mine = c.counts.load_bursts_long + c.counts.load_bursts_short + c.counts.store_bursts_long +
                        c.counts.store_bursts_short;
    const double real = c.walked.load_bursts + c.walked.store_bursts;
    INFO(c.text);
    CHECK(mine >= (c.counts.load_bytes + c.counts.store_bytes) / static_cast<double>(rates.dram.burst_bytes) * 0.5);
    counted += mine;
    walked += real;
    deviation += std::abs(mine / real - 1);
    ++cases;
  }
  INFO("mean deviation " << deviation / cases << ", in all " << counted / walked - 1);
  CHECK(std::abs(counted / walked - 1) < 0.03);
  CHECK(deviation / cases < 0.10);
}

TEST_CASE("tables for many candidates give what one mapping gives") {
  const Architecture arch = tests::small_architecture();
  const sched::MachineRates rates = sched::machine_rates(arch, sched::dram_rates(arch), arch.core_types.front());
  const CoreConfig& core = arch.core_types.front();
  Random random(15);
  for (int i = 0; i < 60; ++i) {
    const Network network = random_operator(random, true);
    const Operator& op = network.op(OpId(0));
    const LoopNest nest = loop_nest_of(network, OpId(0));
    std::vector<std::vector<std::int64_t>> tiles;
    for (const Dim& dim : nest.dims) {
      tiles.emplace_back();
      for (std::int64_t t = dim.tileable ? 1 : dim.extent; t <= dim.extent; ++t) tiles.back().push_back(t);
    }
    sched::NestEvaluator evaluator(nest, op, rates, core, tiles);
    for (int j = 0; j < 20; ++j) {
      const OperatorMapping mapping = tests::random_mapping(network, OpId(0), core, random, 80);
      const std::vector<std::int64_t> sizes = tile_sizes(nest, mapping);
      sched::TileChoice choice{};
      for (std::size_t d = 0; d < sizes.size(); ++d)
        choice[d] = static_cast<std::int32_t>(std::find(tiles[d].begin(), tiles[d].end(), sizes[d]) - tiles[d].begin());
      evaluator.set_buffers(buffers_of(mapping, "input"), buffers_of(mapping, "weight"), buffers_of(mapping, "output"));
      sched::OperatorCounts counts;
      evaluator.select(choice);
      evaluator.count(loop_order(nest, mapping), counts);
      const auto single = sched::counts_of(network, OpId(0), loop_nests_of(network, OpId(0)), mapping, core, rates);
      REQUIRE(counts.load_bytes == single.load_bytes);
      REQUIRE(counts.load_bursts_long == single.load_bursts_long);
      REQUIRE(counts.array_cycles == single.array_cycles);
      REQUIRE(counts.vector_cycles == single.vector_cycles);
      REQUIRE(counts.scratchpad_read == single.scratchpad_read);

      // And the buffers are those that the verifier and lowering hold against the capacities.
      std::int64_t scratchpad = 0, accumulator = 0;
      for (const BufferNeed& need : buffer_needs(nest, mapping, core))
        (need.accumulator ? accumulator : scratchpad) += need.buffers * need.bytes.value();
      const sched::BufferBytes bytes = evaluator.needs().rings;
      REQUIRE(bytes.scratchpad == scratchpad);
      REQUIRE(bytes.accumulator == accumulator);

      // The bound used for pruning is none that the counts undercut.
      sched::OperatorCounts bound;
      evaluator.count_traffic(loop_order(nest, mapping), bound);
      evaluator.bound_work(bound);
      REQUIRE(bound.array_cycles <= counts.array_cycles);
      REQUIRE(bound.vector_cycles <= counts.vector_cycles);
      REQUIRE(bound.last_pass_interval == counts.last_pass_interval);
      REQUIRE(bound.last_vector_cycles == counts.last_vector_cycles);
    }
  }
}
