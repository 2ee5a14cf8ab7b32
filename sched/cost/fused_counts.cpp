#include "sched/cost/fused_counts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "model/schedule/tiling.h"

namespace accsim::sched {

using namespace model;

namespace {

class Counter : public GroupVisitor {
 public:
  Counter(const FusedGroup& group, const Network& network, const CoreConfig& core, const MachineRates& rates,
          const TensorHomes& homes)
      : group_(group), network_(network), core_(core), rates_(rates), homes_(homes), held_(group.operators().size()) {
    for (std::size_t i = 0; i < held_.size(); ++i) held_[i].resize(group.operators()[i].source.size());
    const std::size_t sink = group.sink();
    sink_ = part_counts(sink, group.operators()[sink].nest, inside(sink));
  }

  [[nodiscard]] OperatorCounts result() const {
    OperatorCounts all = sum_;
    all += sink_;
    all.conflict_lines = 0;
    all.array_cycles += waits_;
    all.first_load_bursts = first_bursts_.first;
    all.first_chip_bursts = first_bursts_.second;
    all.last_pass_interval = sink_.last_pass_interval;
    all.last_pass_fill = sink_.last_pass_fill;
    all.last_vector_cycles = sink_.last_vector_cycles;
    all.last_store_bursts = sink_.last_store_bursts;
    all.last_chip_bursts = sink_.last_chip_bursts;
    return all;
  }

  void begin_result(std::size_t op, const Box& /*box*/, const LoopNest& part) override {
    std::uint32_t without = inside(op) | (1U << (part.operands.size() - 1));
    const OperatorMapping& mapping = *group_.operators()[op].mapping;
    const TileSequence first(part, mapping);
    for (std::size_t o = 0; o + 1 < part.operands.size(); ++o) {
      if (group_.operators()[op].source[o] >= 0) continue;
      std::optional<Box>& held = held_[op][o];
      if (largest_loads(part, mapping, part.operands[o]) > 1) {
        held.reset();
        continue;
      }
      Box box = tile_box(part, part.operands[o], first.at());
      if (held && same_box(*held, box)) without |= 1U << o;
      held = std::move(box);
    }
    const OperatorCounts& counts = part_counts(op, part, without);
    last_ = &counts;
    sum_ += counts;
    waits_ += counts.last_pass_fill + counts.last_vector_cycles;
  }
  void step(std::size_t /*op*/, const LoopNest& /*nest*/, const TileIndex& /*at*/, bool /*first*/) override {
    if (!started_ && last_ != nullptr) first_bursts_ = {last_->first_load_bursts, last_->first_chip_bursts};
    started_ = true;
  }
  void begin_tile(std::size_t /*op*/, const LoopNest& /*nest*/, const TileIndex& /*at*/) override {}
  void fetch(std::size_t /*op*/, const LoopNest& /*nest*/, std::size_t /*o*/, const TileIndex& /*at*/) override {}
  void end_tile(std::size_t /*op*/, const LoopNest& /*nest*/, const TileIndex& /*at*/) override {}

 private:
  // Operands that other operators of the group make, as bits.
  [[nodiscard]] std::uint32_t inside(std::size_t op) const {
    std::uint32_t bits = 0;
    for (std::size_t o = 0; o < group_.operators()[op].source.size(); ++o)
      if (group_.operators()[op].source[o] >= 0) bits |= 1U << o;
    return bits;
  }

  const OperatorCounts& part_counts(std::size_t op, const LoopNest& part, std::uint32_t without) {
    std::vector<std::int64_t> key{static_cast<std::int64_t>(op), static_cast<std::int64_t>(without)};
    for (const Dim& dim : part.dims) key.push_back(dim.extent);
    // What padding cuts off at both ends of an operand's axes.
    for (const Operand& operand : part.operands) {
      for (const Axis& axis : operand.axes) {
        std::int64_t last = axis.offset;
        for (const AxisTerm& term : axis.terms)
          last += term.coefficient * (part.dims[static_cast<std::size_t>(term.dim)].extent - 1);
        key.push_back(std::max<std::int64_t>(0, -axis.offset));
        key.push_back(std::max<std::int64_t>(0, last - axis.extent + 1));
      }
    }
    const auto [found, is_new] = known_.try_emplace(std::move(key));
    if (!is_new) return found->second;
    const FusedOperator& fused = group_.operators()[op];
    const OperatorMapping& mapping = *fused.mapping;
    std::vector<std::vector<std::int64_t>> tiles;
    for (const std::int64_t size : tile_sizes(part, mapping)) tiles.push_back({size});
    NestEvaluator evaluator(part, network_.op(fused.op), rates_, core_, std::move(tiles));
    evaluator.set_buffers(buffers_of(mapping, "input"), buffers_of(mapping, "weight"), buffers_of(mapping, "output"));
    evaluator.leave_out(without);
    evaluator.set_homes(network_, homes_);
    evaluator.set_shared(shared_operands(part, mapping));
    evaluator.select(TileChoice{});
    const std::vector<int> order = loop_order(part, mapping);
    evaluator.count_traffic(order, found->second);
    evaluator.count_work(found->second);
    return found->second;
  }

  const FusedGroup& group_;
  const Network& network_;
  const CoreConfig& core_;
  const MachineRates& rates_;
  const TensorHomes& homes_;
  std::map<std::vector<std::int64_t>, OperatorCounts> known_;
  std::vector<std::vector<std::optional<Box>>> held_;  // by operator and operand: the tile that was fetched last
  OperatorCounts sum_, sink_;
  const OperatorCounts* last_ = nullptr;
  double waits_ = 0;
  std::pair<double, double> first_bursts_{0, 0};  // from DRAM, from the chip
  bool started_ = false;
};

}  // namespace

OperatorCounts counts_of(const FusedGroup& group, const Network& network, const CoreConfig& core,
                         const MachineRates& rates, const TensorHomes& homes) {
  Counter counter(group, network, core, rates, homes);
  walk(group, counter);
  return counter.result();
}

}  // namespace accsim::sched
