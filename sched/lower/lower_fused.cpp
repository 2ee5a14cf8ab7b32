#include "sched/lower/lower_fused.h"

#include <map>
#include <optional>
#include <utility>

#include "model/base/error.h"
#include "model/schedule/multicast.h"
#include "model/schedule/tiling.h"
#include "sched/lower/group_builder.h"
#include "sched/lower/tile_access.h"
#include "sched/lower/tile_work.h"

namespace accsim::sched {

using namespace model;

namespace {

class FusedLowering : public GroupVisitor {
 public:
  explicit FusedLowering(const FusedTask& task)
      : task_(task), builder_(task.core), states_(task.group->operators().size()) {
    for (const RingPlace& place : task.buffers)
      rings_[place.role] = builder_.add_ring(place.role, place.space, place.addresses);
    for (const std::string& role : task.prefetch) builder_.prefetch_first_fill(rings_.at(role));
    for (std::size_t i = 0; i < states_.size(); ++i) states_[i].fetched.resize(fused(i).source.size());
    if (task.takes) {
      for (std::size_t i = 0; i < states_.size(); ++i)
        for (std::size_t o = 0; o < fused(i).source.size(); ++o)
          if (taken(i, o)) builder_.fill_from_outside(rings_.at(fused_role(fused(i), o)));
    }
    if (task.takers != nullptr)
      for (GroupBuilder::Taker& taker : *task.takers) builder_.fill_for(rings_.at(taker.taken.ring), taker);
  }
  std::vector<GroupBuilder::Taken> take_taken() { return builder_.take_taken(); }

  CoreProgram run() {
    walk(*task_.group, *this);
    return builder_.finish();
  }

  void begin_result(std::size_t op, const Box& box, const LoopNest& /*part*/) override {
    states_[op].held = box;
    builder_.begin_fill(ring("result.", op));
  }

  void begin_tile(std::size_t op, const LoopNest& nest, const TileIndex& at) override {
    if (op == task_.group->sink()) {
      builder_.begin_fill(ring("output.", op));
      states_[op].held = tile_box(nest, nest.output(), at);
    }
    if (flow_of(nest) == TileFlow::array) builder_.begin_fill(ring("accumulator.", op));
  }

  void fetch(std::size_t op, const LoopNest& nest, std::size_t o, const TileIndex& at) override {
    const Operand& operand = nest.operands[o];
    const Box box = tile_box(nest, operand, at);
    std::optional<Box>& last = states_[op].fetched[o];
    if (is_empty(box) || (last && same_box(*last, box))) return;
    last = box;
    work_for(op);
    const RingId ring = rings_.at(fused_role(fused(op), o));
    const Place buffer = builder_.begin_fill(ring);
    if (taken(op, o)) return;
    for (const Copy& copy : task_.places->copies(operand, box, buffer, true))
      builder_.writes(ring, builder_.add(Queue::load, copy));
  }

  void step(std::size_t op, const LoopNest& nest, const TileIndex& at, bool first) override {
    if (flow_of(nest) != TileFlow::array) return;
    const std::vector<int> dims = instruction_dims(nest, at, true);
    ArrayPass pass;
    pass.accumulate = !first;
    for (const int dim : dims)
      pass.loops.push_back({at.size[static_cast<std::size_t>(dim)], nest.dims[static_cast<std::size_t>(dim)].kind});
    std::vector<RingId> read;
    for (std::size_t o = 0; o + 1 < nest.operands.size(); ++o) {
      const OperandRole role = nest.operands[o].role;
      if (role == OperandRole::bias) continue;
      (role == OperandRole::weight ? pass.weight : pass.input) = source(op, nest, o, at, dims, read);
    }
    pass.output = sums(op, nest, at, dims);
    work_for(op);
    const InstructionRef instruction = builder_.add(Queue::array, std::move(pass));
    for (const RingId ring : read) builder_.reads(ring, instruction);
    builder_.writes(ring("accumulator.", op), instruction);
  }

  void end_tile(std::size_t op, const LoopNest& nest, const TileIndex& at) override {
    if (flow_of(nest) == TileFlow::array) {
      const std::vector<int> dims = instruction_dims(nest, at, false);
      VectorOp requantize;
      requantize.kind = VectorKind::requantize;
      requantize.loops = vector_loops(nest, dims, at);
      requantize.sources.push_back(sums(op, nest, at, dims));
      std::vector<RingId> read{ring("accumulator.", op)};
      for (std::size_t o = 0; o + 1 < nest.operands.size(); ++o)
        if (nest.operands[o].role == OperandRole::bias)
          requantize.sources.push_back(source(op, nest, o, at, dims, read));
      requantize.activations = activations_of(operation(op));
      add_vector(op, nest, at, dims, std::move(requantize), read);
    } else {
      for (const TilePart& part : tile_parts(*task_.network, operation(op), nest, at)) {
        const std::vector<int> dims = instruction_dims(nest, part.at, true);
        VectorOp work;
        work.kind = vector_kind_of(operation(op));
        work.loops = vector_loops(nest, dims, part.at);
        work.activations = activations_of(operation(op));
        work.divisor = part.divisor;
        std::vector<RingId> read;
        for (std::size_t o = 0; o + 1 < nest.operands.size(); ++o)
          work.sources.push_back(source(op, nest, o, part.at, dims, read));
        add_vector(op, nest, part.at, dims, std::move(work), read);
      }
    }
    ++states_[op].tiles;
    if (op == task_.group->sink()) store(op, nest);
  }

 private:
  struct State {
    std::vector<std::optional<Box>> fetched;  // by operand from outside: the box that was loaded last
    Box held;                                 // of the result, in its buffer
    std::int32_t tiles = 0;                   // made so far
  };
  // Another core loads the operand for this one.
  [[nodiscard]] bool taken(std::size_t op, std::size_t o) const {
    return task_.takes && fused(op).source[o] < 0 && is_multicast(*fused(op).mapping, fused(op).nest, o);
  }
  [[nodiscard]] const FusedOperator& fused(std::size_t op) const { return task_.group->operators()[op]; }
  [[nodiscard]] const Operator& operation(std::size_t op) const { return task_.network->op(fused(op).op); }
  [[nodiscard]] RingId ring(const std::string& kind, std::size_t op) const {
    return rings_.at(kind + fused(op).mapping->layer);
  }
  [[nodiscard]] RingId result_ring(std::size_t op) const {
    return ring(op == task_.group->sink() ? "output." : "result.", op);
  }
  void work_for(std::size_t op) { builder_.work_for(fused(op).op, states_[op].tiles); }

  // The tile of an operand as loops over `dims` see it; adds its ring to those that are read.
  TileRef source(std::size_t op, const LoopNest& nest, std::size_t o, const TileIndex& at, const std::vector<int>& dims,
                 std::vector<RingId>& read) {
    const Operand& operand = nest.operands[o];
    const Box box = tile_box(nest, operand, at);
    const int from = fused(op).source[o];
    if (from < 0) {
      const RingId ring = rings_.at(fused_role(fused(op), o));
      if (is_empty(box)) return tile_ref(operand, box, at, dims, place_of(ring), operand.type);
      read.push_back(ring);
      return tile_ref(operand, states_[op].fetched[o].value(), at, dims, place_of(ring), operand.type);
    }
    const auto maker = static_cast<std::size_t>(from);
    const RingId ring = result_ring(maker);
    if (is_empty(box)) return tile_ref(operand, box, at, dims, place_of(ring), operand.type);
    read.push_back(ring);
    return tile_ref_within(operand, box, task_.group->in_operand(op, o, states_[maker].held), at, dims, place_of(ring),
                           operand.type);
  }
  [[nodiscard]] Place place_of(RingId ring) const { return builder_.current(ring); }

  TileRef sums(std::size_t op, const LoopNest& nest, const TileIndex& at, const std::vector<int>& dims) {
    return tile_ref(nest.output(), tile_box(nest, nest.output(), at), at, dims, place_of(ring("accumulator.", op)),
                    task_.accumulator_type);
  }

  void add_vector(std::size_t op, const LoopNest& nest, const TileIndex& at, const std::vector<int>& dims,
                  VectorOp work, const std::vector<RingId>& read) {
    const Operand& output = nest.output();
    const RingId result = result_ring(op);
    work.output =
        tile_ref_within(output, tile_box(nest, output, at), states_[op].held, at, dims, place_of(result), output.type);
    work_for(op);
    const InstructionRef instruction = builder_.add(Queue::vector, std::move(work));
    for (const RingId ring : read) builder_.reads(ring, instruction);
    builder_.writes(result, instruction);
  }

  void store(std::size_t op, const LoopNest& nest) {
    const Operand& output = nest.output();
    const RingId result = result_ring(op);
    for (const Copy& copy : task_.places->copies(output, states_[op].held, place_of(result), false))
      builder_.reads(result, builder_.add(Queue::store, copy));
  }

  const FusedTask& task_;
  GroupBuilder builder_;
  std::map<std::string, RingId> rings_;
  std::vector<State> states_;
};

}  // namespace

CoreProgram lower_fused(const FusedTask& task, std::vector<GroupBuilder::Taken>* taken) {
  FusedLowering lowering(task);
  CoreProgram program = lowering.run();
  if (taken != nullptr) *taken = lowering.take_taken();
  return program;
}

}  // namespace accsim::sched
