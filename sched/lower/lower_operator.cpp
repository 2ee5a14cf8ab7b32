#include "sched/lower/lower_operator.h"

#include <algorithm>
#include <map>
#include <optional>

#include "model/base/error.h"
#include "model/schedule/multicast.h"
#include "model/schedule/tiling.h"
#include "sched/lower/group_builder.h"
#include "sched/lower/tile_access.h"
#include "sched/lower/tile_work.h"

namespace accsim::sched {

using namespace model;

namespace {

class OperatorLowering {
 public:
  explicit OperatorLowering(const OperatorTask& task)
      : task_(task), op_(task.network->op(task.op)), builder_(task.core) {
    for (const RingPlace& place : task.buffers)
      rings_[place.role] = builder_.add_ring(place.role, place.space, place.addresses);
    for (const std::string& role : task.prefetch) builder_.prefetch_first_fill(rings_.at(role));
    if (task.takes) {
      for (const LoopNest& nest : *task.nests)
        for (std::size_t i = 0; i + 1 < nest.operands.size(); ++i)
          if (is_multicast(*task.mapping, nest, i)) builder_.fill_from_outside(rings_.at(role_name(nest, i)));
    }
    if (task.takers != nullptr)
      for (GroupBuilder::Taker& taker : *task.takers) builder_.fill_for(rings_.at(taker.taken.ring), taker);
  }
  std::vector<GroupBuilder::Taken> take_taken() { return builder_.take_taken(); }

  CoreProgram run() {
    for (const LoopNest& nest : *task_.nests) {
      nest_ = &nest;
      fetched_.assign(nest.operands.size(), std::nullopt);
      roles_.clear();
      for (std::size_t i = 0; i < nest.operands.size(); ++i) roles_.push_back(role_name(nest, i));
      TileSequence tiles(nest, *task_.mapping);
      do {
        builder_.work_for(task_.op, tile_number_++);
        switch (flow_of(nest)) {
          case TileFlow::array:
            array_tile(tiles);
            break;
          case TileFlow::vector:
            vector_tile(tiles.at());
            break;
          case TileFlow::copy:
            copy_tile(tiles.at());
            break;
          case TileFlow::gather:
            gather_tile(tiles.at());
            break;
        }
      } while (tiles.next_output());
    }
    return builder_.finish();
  }

 private:
  // An operand's tile in its buffer.
  struct Tile {
    Box box;
    Place place;
    std::optional<RingId> ring;  // none where the box is empty: nothing was fetched
  };

  [[nodiscard]] RingId ring_of(std::size_t operand) const { return rings_.at(roles_[operand]); }
  [[nodiscard]] std::size_t output_index() const { return nest_->operands.size() - 1; }

  Tile fetch(std::size_t i, const TileIndex& at) {
    const Operand& operand = nest_->operands[i];
    const RingId ring = ring_of(i);
    Tile tile{tile_box(*nest_, operand, at), {}, ring};
    if (is_empty(tile.box)) {
      tile.ring.reset();
    } else if (!fetched_[i] || !same_box(*fetched_[i], tile.box)) {
      const Place buffer = builder_.begin_fill(ring);
      const bool loaded_here = !task_.takes || !is_multicast(*task_.mapping, *nest_, i);
      if (loaded_here)
        for (const Copy& copy : task_.places->copies(operand, tile.box, buffer, true))
          builder_.writes(ring, builder_.add(Queue::load, copy));
      fetched_[i] = tile.box;
    }
    tile.place = builder_.current(ring);
    return tile;
  }

  TileRef reference(std::size_t operand, const Tile& tile, const TileIndex& at, const std::vector<int>& dims) const {
    return tile_ref(nest_->operands[operand], tile.box, at, dims, tile.place, nest_->operands[operand].type);
  }

  void used(const Tile& tile, InstructionRef by) {
    if (tile.ring) builder_.reads(*tile.ring, by);
  }

  void array_tile(TileSequence& tiles) {
    const RingId accumulator = rings_.at("accumulator");
    const Operand& output = nest_->output();
    const DataType sum_type = accumulator_type();
    Tile sums{tile_box(*nest_, output, tiles.at()), builder_.begin_fill(accumulator), accumulator};
    bool first = true;
    do {
      const TileIndex& at = tiles.at();
      const std::vector<int> dims = instruction_dims(*nest_, at, true);
      ArrayPass pass;
      pass.accumulate = !first;
      for (const int dim : dims)
        pass.loops.push_back({at.size[static_cast<std::size_t>(dim)], nest_->dims[static_cast<std::size_t>(dim)].kind});
      std::vector<Tile> sources;
      for (std::size_t i = 0; i < output_index(); ++i) {
        const OperandRole role = nest_->operands[i].role;
        if (role == OperandRole::bias) continue;
        sources.push_back(fetch(i, at));
        (role == OperandRole::weight ? pass.weight : pass.input) = reference(i, sources.back(), at, dims);
      }
      pass.output = tile_ref(output, sums.box, at, dims, sums.place, sum_type);
      const InstructionRef instruction = builder_.add(Queue::array, std::move(pass));
      for (const Tile& source : sources) used(source, instruction);
      builder_.writes(accumulator, instruction);
      first = false;
    } while (tiles.next_reduction());

    const TileIndex& at = tiles.at();
    const std::vector<int> dims = instruction_dims(*nest_, at, false);
    std::vector<Tile> sources{sums};
    VectorOp requantize;
    requantize.kind = VectorKind::requantize;
    requantize.loops = vector_loops(*nest_, dims, at);
    requantize.sources.push_back(tile_ref(output, sums.box, at, dims, sums.place, sum_type));
    for (std::size_t i = 0; i < output_index(); ++i) {
      if (nest_->operands[i].role != OperandRole::bias) continue;
      sources.push_back(fetch(i, at));
      requantize.sources.push_back(reference(i, sources.back(), at, dims));
    }
    requantize.activations = activations_of(op_);
    const Tile result = begin_result(at);
    add_vector(std::move(requantize), sources, result, at, dims);
    store(result);
  }

  void vector_tile(const TileIndex& at) {
    std::vector<Tile> sources;
    for (std::size_t i = 0; i < output_index(); ++i) sources.push_back(fetch(i, at));
    const Tile result = begin_result(at);
    for (const TilePart& part : tile_parts(*task_.network, op_, *nest_, at)) {
      const std::vector<int> dims = instruction_dims(*nest_, part.at, true);
      VectorOp work;
      work.kind = vector_kind_of(op_);
      work.loops = vector_loops(*nest_, dims, part.at);
      work.activations = activations_of(op_);
      work.divisor = part.divisor;
      for (std::size_t i = 0; i < output_index(); ++i) {
        work.sources.push_back(reference(i, sources[i], part.at, dims));
      }
      add_vector(std::move(work), sources, result, part.at, dims);
    }
    store(result);
  }

  [[nodiscard]] Tile begin_result(const TileIndex& at) {
    const RingId ring = rings_.at("output");
    return {tile_box(*nest_, nest_->output(), at), builder_.begin_fill(ring), ring};
  }

  // A vector instruction that makes (a part of) the tile of the result.
  void add_vector(VectorOp work, const std::vector<Tile>& sources, const Tile& result, const TileIndex& at,
                  const std::vector<int>& dims) {
    work.output = reference(output_index(), result, at, dims);
    const InstructionRef instruction = builder_.add(Queue::vector, std::move(work));
    for (const Tile& source : sources) used(source, instruction);
    builder_.writes(*result.ring, instruction);
  }

  void store(const Tile& tile) {
    const Operand& output = nest_->output();
    for (const Copy& copy : task_.places->copies(output, tile.box, tile.place, false))
      used(tile, builder_.add(Queue::store, copy));
  }

  // From the input's tile straight to the result. Each axis of input and output follows one dimension of the nest.
  void copy_tile(const TileIndex& at) {
    const Tile tile = fetch(0, at);
    const Operand& input = nest_->operands[0];
    const Operand& output = nest_->output();
    std::vector<std::int64_t> tile_stride(nest_->dims.size(), 0);
    std::int64_t dense = 1;
    for (std::size_t a = input.axes.size(); a-- > 0;) {
      for (const AxisTerm& term : input.axes[a].terms) tile_stride[static_cast<std::size_t>(term.dim)] = dense;
      dense *= tile.box[a].count;
    }
    const Box to = tile_box(*nest_, output, at);
    std::int64_t start = 0;
    std::vector<CopyAxis> axes(to.size());
    for (std::size_t a = 0; a < to.size(); ++a) {
      start += to[a].low * output.axes[a].stride;
      axes[a] = {to[a].count, to[a].step * output.axes[a].stride, 0};
      for (const AxisTerm& term : output.axes[a].terms)
        axes[a].tile_stride = tile_stride[static_cast<std::size_t>(term.dim)];
    }
    for (const Copy& copy : task_.places->copies(std::move(axes), output, start, tile.place, false))
      used(tile, builder_.add(Queue::store, copy));
  }

  // operands: table {OUTER?, ROWS, WIDTH}, indices {ROWS}, output {OUTER?, ROWS, WIDTH}.
  void gather_tile(const TileIndex& at) {
    const Tile indices = fetch(1, at);
    const Operand& table = nest_->operands[0];
    const Operand& output = nest_->output();
    const std::size_t rows_axis = table.axes.size() - 2;
    const auto bytes = [&](std::int64_t elements) { return storage_bytes(table.type, elements).value(); };
    const std::int64_t width = table.axes[rows_axis].stride;
    const bool has_outer = rows_axis > 0;
    const std::int64_t outer_extent = has_outer ? table.axes[0].extent : 1;
    const RingId ring = rings_.at("output");
    const Tile result{tile_box(*nest_, output, at), builder_.begin_fill(ring), ring};
    const BoxAxis outer = has_outer ? result.box.front() : BoxAxis{0, 1, 1};
    const BoxAxis& rows = result.box[rows_axis];
    const BoxAxis& columns = result.box[rows_axis + 1];
    for (std::int64_t i = 0; i < outer.count; ++i) {
      Copy copy;
      copy.extent = {rows.count, 1, 1, bytes(columns.count)};
      copy.src.place = {Space::dram, CoreId(), task_.places->dram().address_of(table.tensor)};
      if (has_outer) copy.src.place.address += bytes((outer.low + i) * table.axes[0].stride);
      copy.src.place.address += bytes(columns.low);
      copy.src.stride[0] = bytes(width);
      copy.dst.place = result.place;
      copy.dst.place.address += bytes(i * rows.count * columns.count);
      copy.dst.stride[0] = bytes(columns.count);
      const std::int64_t table_rows = element_count(task_.network->tensor(table.tensor).shape) / (width * outer_extent);
      copy.gather = Copy::Gather{indices.place, rows.low, table_rows, task_.seed};
      const InstructionRef load = builder_.add(Queue::load, copy);
      used(indices, load);
      builder_.writes(ring, load);
    }
    store(result);
  }

  [[nodiscard]] DataType accumulator_type() const { return task_.accumulator_type; }

  const OperatorTask& task_;
  const Operator& op_;
  GroupBuilder builder_;
  std::map<std::string, RingId> rings_;
  const LoopNest* nest_ = nullptr;
  std::vector<std::string> roles_;           // by operand
  std::vector<std::optional<Box>> fetched_;  // by operand: the box that was fetched last
  std::int32_t tile_number_ = 0;
};

}  // namespace

std::vector<BufferNeed> operator_needs(const std::vector<LoopNest>& nests, const OperatorMapping& mapping,
                                       const CoreConfig& core) {
  std::vector<BufferNeed> all;
  for (const LoopNest& nest : nests) {
    for (const BufferNeed& need : buffer_needs(nest, mapping, core)) {
      const auto same = std::find_if(all.begin(), all.end(), [&](const BufferNeed& n) { return n.role == need.role; });
      if (same == all.end()) {
        all.push_back(need);
      } else {
        same->buffers = std::max(same->buffers, need.buffers);
        same->bytes = std::max(same->bytes, need.bytes);
      }
    }
  }
  return all;
}

CoreProgram lower_operator(const OperatorTask& task, std::vector<GroupBuilder::Taken>* taken) {
  OperatorLowering lowering(task);
  CoreProgram program = lowering.run();
  if (taken != nullptr) *taken = lowering.take_taken();
  return program;
}

}  // namespace accsim::sched
