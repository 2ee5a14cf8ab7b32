#include "model/schedule/fused_group.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "model/base/error.h"
#include "model/program/interval_set.h"
#include "model/schedule/split.h"
#include "model/schedule/tiling.h"

namespace accsim::model {
namespace {

// For each axis of `result` with more than one coordinate the operand's axis with the same extent and stride, in order;
// nothing where they do not correspond one to one.
std::optional<std::vector<int>> axes_in_operand(const Operand& result, const Operand& operand) {
  std::vector<int> axis_of(result.axes.size(), -1);
  std::size_t next = 0;
  const auto skip_ones = [&] {
    while (next < operand.axes.size() && operand.axes[next].extent == 1) ++next;
  };
  for (std::size_t a = 0; a < result.axes.size(); ++a) {
    if (result.axes[a].extent == 1) continue;
    skip_ones();
    if (next == operand.axes.size() || operand.axes[next].extent != result.axes[a].extent ||
        operand.axes[next].stride != result.axes[a].stride) {
      return std::nullopt;
    }
    axis_of[a] = static_cast<int>(next++);
  }
  skip_ones();
  if (next != operand.axes.size()) return std::nullopt;
  return axis_of;
}

// Dimensions of more than one index that walk an axis of the nest's output.
std::vector<AxisTerm> walking(const LoopNest& nest, const Axis& axis) {
  std::vector<AxisTerm> terms;
  for (const AxisTerm& term : axis.terms)
    if (nest.dims[static_cast<std::size_t>(term.dim)].extent > 1) terms.push_back(term);
  return terms;
}

// The tile of an operator that makes a box of its result, all of its reductions with it.
TileIndex tile_of(const LoopNest& nest, const Box& box) {
  TileIndex tile;
  for (const Dim& dim : nest.dims) {
    tile.low.push_back(0);
    tile.size.push_back(dim.extent);
  }
  for (std::size_t a = 0; a < box.size(); ++a) {
    const Axis& axis = nest.output().axes[a];
    const std::vector<AxisTerm> terms = walking(nest, axis);
    if (terms.size() != 1) continue;  // one coordinate, or the whole axis
    const auto d = static_cast<std::size_t>(terms.front().dim);
    tile.low[d] = box[a].low - axis.offset;
    tile.size[d] = box[a].count;
  }
  return tile;
}

void extend(std::optional<Box>& hull, const Box& box) {
  if (!hull) {
    hull = box;
    return;
  }
  for (std::size_t a = 0; a < box.size(); ++a) {
    BoxAxis& axis = (*hull)[a];
    const std::int64_t end = std::max(axis.low + axis.count, box[a].low + box[a].count);
    axis.low = std::min(axis.low, box[a].low);
    axis.count = end - axis.low;
  }
}

// Windows that do not meet (a stride larger than the window): the tile's box has elements that nobody reads.
bool leaves_gaps(const Operand& operand, const TileIndex& tile) {
  for (const Axis& axis : operand.axes) {
    std::vector<AxisTerm> terms;
    for (const AxisTerm& term : axis.terms)
      if (tile.size[static_cast<std::size_t>(term.dim)] > 1) terms.push_back(term);
    if (axis.stride == 0 || terms.size() < 2) continue;  // a single one: the box has its step
    std::sort(terms.begin(), terms.end(), [](const auto& a, const auto& b) { return a.coefficient < b.coefficient; });
    std::int64_t reach = 1;
    for (const AxisTerm& term : terms) {
      if (term.coefficient > reach) return true;
      reach += term.coefficient * (tile.size[static_cast<std::size_t>(term.dim)] - 1);
    }
  }
  return false;
}

bool fusable_flow(const LoopNest& nest) {
  return flow_of(nest) == TileFlow::array || flow_of(nest) == TileFlow::vector;
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

}  // namespace

std::vector<OpId> working_operators(const Group& group, const Network& network) {
  std::map<std::string, OpId> by_name;
  for (const Operator& op : network.operators) by_name.emplace(op.name, op.id);
  std::vector<OpId> ops;
  for (const std::string& layer : group.layers) {
    const OpId op = by_name.at(layer);
    if (!is_alias(network.op(op).type)) ops.push_back(op);
  }
  return ops;
}

TensorAxes axes_of_group(const Group& group, const Network& network) {
  return working_operators(group, network).size() > 1 ? TensorAxes::own : TensorAxes::merged;
}

std::set<TensorId> tensors_inside(const Schedule& schedule, const Network& network) {
  std::set<TensorId> inside;
  for (const Group& group : schedule.groups) {
    const std::vector<OpId> ops = working_operators(group, network);
    for (std::size_t i = 0; i + 1 < ops.size(); ++i)
      for (const TensorId output : network.op(ops[i]).outputs) inside.insert(network.tensor(output).storage);
  }
  return inside;
}

std::optional<ScheduleViolation> find_not_fusable(const Group& group, const Network& network) {
  const std::vector<OpId> ops = working_operators(group, network);
  if (ops.size() < 2) return std::nullopt;
  const std::string path = "groups[" + std::to_string(group.id.value()) + "]";
  const auto no = [&](const std::string& key, const std::string& message) {
    return ScheduleViolation{path + "." + key, message};
  };
  std::map<TensorId, std::size_t> made_by;  // storage root -> position
  std::vector<LoopNest> nests;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const Operator& op = network.op(ops[i]);
    const std::string name = "layer " + quoted(op.name) + " (" + std::string(name_of(op.type)) + ")";
    std::vector<LoopNest> own;
    try {
      own = loop_nests_of(network, ops[i], TensorAxes::own);
    } catch (const ConfigError&) {
      return no("layers", name + " cannot be fused with others: its tensors have more than 4 axes");
    }
    if (own.size() != 1 || !fusable_flow(own.front()) || op.outputs.size() != 1)
      return no("layers", name + " cannot be fused with others: it only copies");
    nests.push_back(std::move(own.front()));
    const LoopNest& nest = nests.back();
    for (std::size_t o = 0; o + 1 < nest.operands.size(); ++o) {
      const Operand& operand = nest.operands[o];
      const auto source = made_by.find(network.tensor(operand.tensor).storage);
      if (source == made_by.end()) continue;
      const std::string tensor = "tensor " + quoted(network.tensor(operand.tensor).name);
      if (!axes_in_operand(nests[source->second].output(), operand))
        return no("layers", name + " cannot be fused with the layer before it: it sees " + tensor + " with other axes");
      if (bits_of(operand.type) < 8)
        return no("layers", name + " cannot be fused with the layer before it: " + tensor + " has half-byte elements");
    }
    made_by.emplace(network.tensor(op.outputs[0]).storage, i);
  }
  // All but the last are read in the group, and there only.
  for (std::size_t i = 0; i + 1 < ops.size(); ++i) {
    const TensorId root = network.tensor(network.op(ops[i]).outputs[0]).storage;
    bool read = false;
    for (const Tensor& tensor : network.tensors) {
      if (tensor.storage != root) continue;
      bool outside = tensor.network_output;
      for (const OpId consumer : tensor.consumers) {
        if (is_alias(network.op(consumer).type)) continue;
        const bool inside = std::find(ops.begin(), ops.end(), consumer) != ops.end();
        read = read || inside;
        outside = outside || !inside;
      }
      if (outside)
        return no("layers", "tensor " + quoted(tensor.name) +
                                " is needed outside of the group; only the result of its last layer may be");
    }
    if (!read)
      return no("layers",
                "layer " + quoted(network.op(ops[i]).name) + " is not needed by the layers behind it in the group");
  }
  return std::nullopt;
}

FusedGroup::FusedGroup(const Group& group, const Network& network, const Architecture& arch, std::size_t place) {
  std::map<TensorId, int> made_by;
  const std::vector<OpId> ops = working_operators(group, network);
  for (const OpId id : ops) {
    FusedOperator fused;
    fused.op = id;
    for (const OperatorMapping& mapping : group.mappings)
      if (mapping.layer == network.op(id).name) fused.mapping = &mapping;
    if (fused.mapping == nullptr) throw InternalError("layer " + network.op(id).name + " of a group has no mapping");
    std::vector<LoopNest> nests = loop_nests_of(network, id, TensorAxes::own);
    if (id == ops.back() && group.cores.size() > 1) {
      nests = nests_of_core(nests, *fused.mapping, group.split, core_weights(arch, group.cores), place);
      if (nests.empty()) throw InternalError("a core of a fused group has nothing to do");
    }
    fused.nest = std::move(nests.front());
    for (std::size_t o = 0; o + 1 < fused.nest.operands.size(); ++o) {
      const Operand& operand = fused.nest.operands[o];
      const auto source = made_by.find(network.tensor(operand.tensor).storage);
      fused.source.push_back(source == made_by.end() ? -1 : source->second);
      fused.axis_of.emplace_back();
      if (fused.source.back() < 0) continue;
      FusedOperator& from = operators_[static_cast<std::size_t>(fused.source.back())];
      ++from.readers;
      fused.axis_of.back() = axes_in_operand(from.nest.output(), operand).value();
    }
    made_by.emplace(network.tensor(network.op(id).outputs[0]).storage, static_cast<int>(operators_.size()));
    operators_.push_back(std::move(fused));
  }
}

Box FusedGroup::in_result(std::size_t op, std::size_t operand, const Box& box) const {
  const std::vector<int>& axis_of = operators_[op].axis_of[operand];
  Box result(axis_of.size(), BoxAxis{0, 1, 1});
  for (std::size_t a = 0; a < axis_of.size(); ++a)
    if (axis_of[a] >= 0) result[a] = box[static_cast<std::size_t>(axis_of[a])];
  return result;
}

Box FusedGroup::in_operand(std::size_t op, std::size_t operand, const Box& box) const {
  const std::vector<int>& axis_of = operators_[op].axis_of[operand];
  Box result(operators_[op].nest.operands[operand].axes.size(), BoxAxis{0, 1, 1});
  for (std::size_t a = 0; a < axis_of.size(); ++a)
    if (axis_of[a] >= 0) result[static_cast<std::size_t>(axis_of[a])] = box[a];
  return result;
}

Box FusedGroup::made_for(std::size_t op, Box box) const {
  const LoopNest& nest = operators_[op].nest;
  for (std::size_t a = 0; a < box.size(); ++a) {
    const Axis& axis = nest.output().axes[a];
    const std::vector<AxisTerm> terms = walking(nest, axis);
    const bool cut = terms.size() == 1 && nest.dims[static_cast<std::size_t>(terms.front().dim)].tileable;
    if (cut) {
      box[a] = {box[a].low, (box[a].count - 1) * box[a].step + 1, 1};
    } else {
      box[a] = {0, axis.extent, 1};
    }
  }
  return box;
}

LoopNest FusedGroup::part(std::size_t op, const Box& box) const {
  LoopNest part = operators_[op].nest;
  for (std::size_t a = 0; a < box.size(); ++a) {
    const Axis& axis = operators_[op].nest.output().axes[a];
    const std::vector<AxisTerm> terms = walking(operators_[op].nest, axis);
    if (terms.size() != 1 || box[a].count == axis.extent) continue;
    part = part_of(part, terms.front().dim, {box[a].low, box[a].low + box[a].count});
  }
  return part;
}

std::vector<std::optional<Box>> FusedGroup::hulls(const TileIndex& tile) const {
  std::vector<std::optional<Box>> hulls(operators_.size());
  for (std::size_t i = operators_.size(); i-- > 0;) {
    const FusedOperator& op = operators_[i];
    TileIndex at;
    if (i == sink()) {
      at = tile;
      for (std::size_t d = 0; d < op.nest.dims.size(); ++d) {
        if (op.nest.dims[d].kind != DimKind::k) continue;
        at.low[d] = 0;
        at.size[d] = op.nest.dims[d].extent;
      }
    } else {
      if (!hulls[i]) continue;
      at = tile_of(op.nest, *hulls[i]);
    }
    for (std::size_t o = 0; o < op.source.size(); ++o) {
      if (op.source[o] < 0) continue;
      const auto from = static_cast<std::size_t>(op.source[o]);
      const Box box = tile_box(op.nest, op.nest.operands[o], at);
      if (!is_empty(box)) extend(hulls[from], made_for(from, in_result(i, o, box)));
    }
  }
  return hulls;
}

bool contains(const Box& outer, const Box& inner) {
  for (std::size_t a = 0; a < inner.size(); ++a) {
    if (inner[a].low < outer[a].low) return false;
    if (inner[a].low + (inner[a].count - 1) * inner[a].step >= outer[a].low + outer[a].count) return false;
  }
  return true;
}

namespace {

class Walk {
 public:
  Walk(const FusedGroup& group, GroupVisitor& visitor, std::int64_t most_steps)
      : group_(group), visitor_(visitor), held_(group.operators().size()), steps_left_(most_steps) {}

  WalkEnd run() {
    const FusedOperator& sink = group_.operators().back();
    TileSequence tiles(sink.nest, *sink.mapping);
    do {
      hulls_ = group_.hulls(tiles.at());
      tile(group_.sink(), sink.nest, tiles);
    } while (!end_.stopped && tiles.next_output());
    if (!end_.stopped)
      for (std::size_t i = 0; i < held_.size(); ++i) check_read(i);
    return end_;
  }

 private:
  void tile(std::size_t op, const LoopNest& nest, TileSequence& tiles) {
    visitor_.begin_tile(op, nest, tiles.at());
    bool first = true;
    do {
      if (steps_left_-- == 0) end_.stopped = true;
      if (end_.stopped) return;
      operands(op, nest, tiles.at(), false);
      visitor_.step(op, nest, tiles.at(), first);
      first = false;
    } while (tiles.next_reduction());
    operands(op, nest, tiles.at(), true);
    if (end_.stopped) return;
    visitor_.end_tile(op, nest, tiles.at());
  }

  void operands(std::size_t op, const LoopNest& nest, const TileIndex& at, bool biases) {
    for (std::size_t o = 0; o + 1 < nest.operands.size(); ++o) {
      if ((nest.operands[o].role == OperandRole::bias && nest.engine == Engine::array) != biases) continue;
      const int source = group_.operators()[op].source[o];
      if (source < 0) {
        visitor_.fetch(op, nest, o, at);
      } else {
        ask(op, o, static_cast<std::size_t>(source), tile_box(nest, nest.operands[o], at),
            leaves_gaps(nest.operands[o], at));
      }
    }
  }

  void ask(std::size_t op, std::size_t operand, std::size_t source, const Box& box, bool gaps) {
    if (is_empty(box)) return;
    const Box asked = group_.in_result(op, operand, box);
    if (held_[source] && contains(held_[source]->box, asked)) {
      if (!gaps) held_[source]->reads(asked);
      return;
    }
    check_read(source);
    const bool shared = group_.operators()[source].readers > 1;
    const Box make = shared ? hulls_[source].value() : group_.made_for(source, asked);
    held_[source] = Held{make, false, {}};
    if (!gaps) held_[source]->reads(asked);
    const LoopNest part = group_.part(source, make);
    visitor_.begin_result(source, make, part);
    TileSequence tiles(part, *group_.operators()[source].mapping);
    do {
      tile(source, part, tiles);
    } while (!end_.stopped && tiles.next_output());
  }

  // A box that was made, and what has been read of it: all, or intervals along single axes.
  struct Held {
    Box box;
    bool read = false;
    std::map<std::size_t, IntervalSet> along;

    void reads(const Box& part) {
      if (read) return;
      std::optional<std::size_t> differs;
      for (std::size_t a = 0; a < box.size(); ++a) {
        if (part[a].step > 1 && part[a].count > 1) return;
        if (part[a].low == box[a].low && part[a].count == box[a].count) continue;
        if (differs) return;
        differs = a;
      }
      read = true;
      if (!differs) return;
      const BoxAxis& axis = part[*differs];
      IntervalSet& intervals = along[*differs];
      intervals.add(axis.low, axis.low + axis.count);
      read = intervals.covers(box[*differs].low, box[*differs].low + box[*differs].count);
    }
  };

  void check_read(std::size_t source) {
    if (!end_.unread && held_[source] && !held_[source]->read) end_.unread = source;
  }

  const FusedGroup& group_;
  GroupVisitor& visitor_;
  std::vector<std::optional<Box>> hulls_;
  std::vector<std::optional<Held>> held_;
  std::int64_t steps_left_;
  WalkEnd end_;
};

// Largest tile and number of fills of every ring of buffers.
class Measure : public GroupVisitor {
 public:
  explicit Measure(const FusedGroup& group) : group_(group), of_(group.operators().size()) {
    for (std::size_t i = 0; i < of_.size(); ++i) {
      const std::size_t operands = group.operators()[i].source.size();
      of_[i].operands.resize(operands);
      of_[i].fetched.resize(operands);
    }
  }
  struct Ring {
    std::int64_t elements = 0, fills = 0;
    void fill(std::int64_t with) {
      elements = std::max(elements, with);
      ++fills;
    }
  };
  struct Rings {
    std::vector<Ring> operands;  // from outside
    std::vector<std::optional<Box>> fetched;
    Ring sums;    // accumulator
    Ring result;  // of the sink: a tile
  };
  [[nodiscard]] const Rings& rings(std::size_t op) const { return of_[op]; }

  void begin_result(std::size_t op, const Box& box, const LoopNest& /*part*/) override {
    of_[op].result.fill(element_count(box));
  }
  void begin_tile(std::size_t op, const LoopNest& nest, const TileIndex& at) override {
    const std::int64_t elements = element_count(tile_box(nest, nest.output(), at));
    of_[op].sums.fill(elements);
    if (op == group_.sink()) of_[op].result.fill(elements);
  }
  void fetch(std::size_t op, const LoopNest& nest, std::size_t operand, const TileIndex& at) override {
    const Box box = tile_box(nest, nest.operands[operand], at);
    std::optional<Box>& last = of_[op].fetched[operand];
    if (is_empty(box) || (last && same_box(*last, box))) return;
    last = box;
    of_[op].operands[operand].fill(element_count(box));
  }
  void step(std::size_t /*op*/, const LoopNest& /*nest*/, const TileIndex& /*at*/, bool /*first*/) override {}
  void end_tile(std::size_t /*op*/, const LoopNest& /*nest*/, const TileIndex& /*at*/) override {}

 private:
  const FusedGroup& group_;
  std::vector<Rings> of_;
};

}  // namespace

WalkEnd walk(const FusedGroup& group, GroupVisitor& visitor, std::int64_t most_steps) {
  return Walk(group, visitor, most_steps).run();
}

WalkEnd end_of_walk(const FusedGroup& group) {
  Measure nothing(group);
  return walk(group, nothing, kMostSteps);
}

std::string fused_role(const FusedOperator& op, std::size_t operand) {
  return role_name(op.nest, operand) + "." + op.mapping->layer;
}

std::vector<BufferNeed> buffer_needs(const FusedGroup& group, const Network& network, const CoreConfig& core,
                                     std::int64_t most_steps, WalkEnd* end) {
  Measure measure(group);
  const WalkEnd found = walk(group, measure, most_steps);
  if (end != nullptr) *end = found;
  std::vector<BufferNeed> needs;
  const auto need = [&](const std::string& role, bool accumulator, int asked, const Measure::Ring& ring,
                        DataType type) {
    const MemoryConfig& memory = accumulator ? core.accumulator : core.scratchpad;
    const std::int64_t bytes = std::max<std::int64_t>(storage_bytes(type, ring.elements).value(), 1);
    needs.push_back({role, accumulator, static_cast<int>(std::clamp<std::int64_t>(ring.fills, 1, asked)),
                     Bytes(ceil_div(bytes, tile_alignment(memory)) * tile_alignment(memory))});
  };
  for (std::size_t i = 0; i < group.operators().size(); ++i) {
    const FusedOperator& op = group.operators()[i];
    const Measure::Rings& rings = measure.rings(i);
    for (std::size_t o = 0; o < op.source.size(); ++o) {
      const Operand& operand = op.nest.operands[o];
      if (op.source[o] < 0)
        need(fused_role(op, o), false, buffers_of(*op.mapping, buffer_key(operand.role)), rings.operands[o],
             operand.type);
    }
    const int results = buffers_of(*op.mapping, "output");
    if (flow_of(op.nest) == TileFlow::array)
      need("accumulator." + op.mapping->layer, true, results, rings.sums, core.array.accumulator_type);
    need((i == group.sink() ? "output." : "result.") + op.mapping->layer, false, results, rings.result,
         network.tensor(network.op(op.op).outputs[0]).type);
  }
  return needs;
}

}  // namespace accsim::model
