// The independent verifier of schedules. It knows networks, nests and capacities, nothing of searchers or lowering.
// Checks in this order, the first violation ends it: what the schedule was made for; layers and dependencies; cores and
// splits; mappings (dimensions, tiles, loop orders, buffers, every output element in exactly one tile); inner edges;
// homes; capacities.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "model/base/error.h"
#include "model/schedule/chip_homes.h"
#include "model/schedule/fused_group.h"
#include "model/schedule/multicast.h"
#include "model/schedule/split.h"
#include "model/schedule/tiling.h"

namespace accsim::model {

namespace {

using Found = std::optional<ScheduleViolation>;

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::string path_of(std::size_t group) { return "groups[" + std::to_string(group) + "]"; }
std::string at(const std::string& path, std::string_view key, std::size_t i) {
  return path + "." + std::string(key) + "[" + std::to_string(i) + "]";
}

// Every coordinate of the axis is hit by exactly one index combination: sorted by coefficient, each term steps over all
// that the smaller ones reach (a mixed radix). Returns what is reached, or nothing if indices collide or leave gaps.
std::optional<std::int64_t> dense_span(const LoopNest& nest, const Axis& axis) {
  std::vector<AxisTerm> terms;
  for (const AxisTerm& term : axis.terms)
    if (nest.dims[static_cast<std::size_t>(term.dim)].extent > 1) terms.push_back(term);
  std::sort(terms.begin(), terms.end(),
            [](const AxisTerm& a, const AxisTerm& b) { return a.coefficient < b.coefficient; });
  std::int64_t span = 1;
  for (const AxisTerm& term : terms) {
    if (term.coefficient != span) return std::nullopt;
    span *= nest.dims[static_cast<std::size_t>(term.dim)].extent;
  }
  return span;
}

class Verifier {
 public:
  Verifier(const Schedule& schedule, const Network& network, const Architecture& arch)
      : schedule_(schedule), network_(network), arch_(arch), group_of_(network.operators.size()) {
    for (const Operator& op : network.operators) {
      by_name_.emplace(op.name, op.id);
      names_.push_back(op.name);
    }
  }

  Found run(std::optional<std::int64_t> batch) {
    if (Found v = made_for(batch)) return v;
    if (Found v = layers()) return v;
    for (std::size_t g = 0; g < schedule_.groups.size(); ++g) {
      if (Found v = cores(g)) return v;
      if (Found v = mappings(g)) return v;
      if (Found v = edges(g)) return v;
    }
    if (Found v = homes()) return v;
    return capacities();
  }

 private:
  struct Slot {
    std::size_t group = 0;
    std::size_t position = 0;  // in the group
    bool operator<(const Slot& o) const { return std::pair(group, position) < std::pair(o.group, o.position); }
  };

  // Operators that compute a tensor's bytes: its producer, or that of the tensor whose bytes it shares.
  [[nodiscard]] OpId computing_op(TensorId tensor) const {
    return network_.tensor(network_.tensor(tensor).storage).producer;
  }

  Found made_for(std::optional<std::int64_t> batch) {
    if (!schedule_.arch.empty() && schedule_.arch != arch_.name)
      return ScheduleViolation{"arch",
                               "is " + quoted(schedule_.arch) + ", but the architecture is " + quoted(arch_.name)};
    if (!schedule_.net.empty() && schedule_.net != network_.name)
      return ScheduleViolation{"net", "is " + quoted(schedule_.net) + ", but the network is " + quoted(network_.name)};
    if (batch && schedule_.batch != *batch)
      return ScheduleViolation{"batch", "is " + std::to_string(schedule_.batch) + ", but the network's inputs have " +
                                            std::to_string(*batch)};
    return std::nullopt;
  }

  Found layers() {
    for (std::size_t g = 0; g < schedule_.groups.size(); ++g) {
      const Group& group = schedule_.groups[g];
      if (group.id.value() != static_cast<std::int32_t>(g))
        return ScheduleViolation{path_of(g) + ".id", "is " + std::to_string(group.id.value()) +
                                                         ", groups are numbered in order: " + std::to_string(g)};
      if (group.layers.empty()) return ScheduleViolation{path_of(g) + ".layers", "the group has no layers"};
      for (std::size_t i = 0; i < group.layers.size(); ++i) {
        const std::string where = at(path_of(g), "layers", i);
        const auto op = by_name_.find(group.layers[i]);
        if (op == by_name_.end()) return ScheduleViolation{where, no_layer(group.layers[i])};
        std::optional<Slot>& slot = group_of_[op->second.index()];
        if (slot)
          return ScheduleViolation{where,
                                   "layer " + quoted(group.layers[i]) + " is already in " + path_of(slot->group)};
        slot = Slot{g, i};
      }
    }
    for (const Operator& op : network_.operators)
      if (!group_of_[op.id.index()] && !is_alias(op.type))
        return ScheduleViolation{"groups", "layer " + quoted(op.name) + " is in no group"};
    for (std::size_t g = 0; g < schedule_.groups.size(); ++g) {
      for (std::size_t i = 0; i < schedule_.groups[g].layers.size(); ++i) {
        const Operator& op = network_.op(by_name_.at(schedule_.groups[g].layers[i]));
        for (const TensorId input : op.inputs) {
          const OpId source = computing_op(input);
          if (!source.valid() || *group_of_[source.index()] < Slot{g, i}) continue;
          return ScheduleViolation{at(path_of(g), "layers", i),
                                   "layer " + quoted(op.name) + " reads " + quoted(network_.tensor(input).name) +
                                       " before layer " + quoted(network_.op(source).name) + " has computed it"};
        }
      }
    }
    return std::nullopt;
  }

  // Why the network has no operator of that name.
  [[nodiscard]] std::string no_layer(const std::string& name) const {
    for (const Operator& op : network_.operators)
      for (const std::string& layer : op.layer_names())
        if (layer == name) return "layer " + quoted(name) + " is fused into " + quoted(op.name) + ": leave it out";
    return "the network has no layer " + quoted(name) + did_you_mean(name, names_);
  }

  [[nodiscard]] std::vector<OpId> working_ops(std::size_t g) const {
    return working_operators(schedule_.groups[g], network_);
  }

  Found cores(std::size_t g) {
    static const std::set<std::string> splits{"none",  "rows",  "columns",   "channels",
                                              "batch", "heads", "reduction", "pipeline"};
    const Group& group = schedule_.groups[g];
    std::set<std::int64_t> seen;
    for (std::size_t i = 0; i < group.cores.size(); ++i) {
      const std::string where = at(path_of(g), "cores", i);
      if (group.cores[i] < 0 || group.cores[i] >= arch_.core_count())
        return ScheduleViolation{where, "there is no core " + std::to_string(group.cores[i]) +
                                            ", the architecture has " + std::to_string(arch_.core_count())};
      if (!seen.insert(group.cores[i]).second)
        return ScheduleViolation{where, "core " + std::to_string(group.cores[i]) + " is named twice"};
    }
    if (group.cores.empty() && !working_ops(g).empty())
      return ScheduleViolation{path_of(g) + ".cores", "a group that computes needs a core"};
    if (!splits.contains(group.split))
      return ScheduleViolation{path_of(g) + ".split", "unknown split " + quoted(group.split)};
    if (group.split == "none" && group.cores.size() > 1)
      return ScheduleViolation{path_of(g) + ".split", "several cores need a split, found \"none\""};
    return std::nullopt;
  }

  Found mappings(std::size_t g) {
    const Group& group = schedule_.groups[g];
    const std::vector<OpId> ops = working_ops(g);
    if (Found v = find_not_fusable(group, network_)) return v;
    const TensorAxes axes = axes_of_group(group, network_);
    std::set<std::string> mapped;
    for (std::size_t i = 0; i < group.mappings.size(); ++i) {
      const OperatorMapping& mapping = group.mappings[i];
      const std::string where = at(path_of(g), "mappings", i);
      const bool known =
          std::any_of(ops.begin(), ops.end(), [&](OpId op) { return network_.op(op).name == mapping.layer; });
      if (!known)
        return ScheduleViolation{where + ".layer", quoted(mapping.layer) + " is no layer of the group that moves data"};
      if (!mapped.insert(mapping.layer).second)
        return ScheduleViolation{where + ".layer", "layer " + quoted(mapping.layer) + " is mapped twice"};
      if (Found v = mapping_is_valid(mapping, axes, where)) return v;
    }
    for (const OpId op : ops)
      if (!mapped.contains(network_.op(op).name))
        return ScheduleViolation{path_of(g) + ".mappings", "layer " + quoted(network_.op(op).name) + " has no mapping"};
    // What cores share is the result of the last layer; the others make what each core needs.
    for (const OperatorMapping& mapping : group.mappings)
      if (mapping.layer == network_.op(ops.back()).name)
        if (Found v = every_core_works(g, mapping, axes)) return v;
    for (std::size_t i = 0; i < group.mappings.size(); ++i)
      if (Found v = multicast_is_possible(g, group.mappings[i], at(path_of(g), "mappings", i))) return v;
    if (axes == TensorAxes::own) {
      std::size_t mapping = 0;
      std::size_t entry = 0;
      const std::optional<std::string> refusal = multicast_refusal(arch_, network_, group, mapping, entry);
      if (refusal) return ScheduleViolation{at(at(path_of(g), "mappings", mapping), "multicast", entry), *refusal};
    }
    return std::nullopt;
  }

  Found multicast_is_possible(std::size_t g, const OperatorMapping& mapping, const std::string& where) const {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < mapping.multicast.size(); ++i) {
      const std::string& role = mapping.multicast[i];
      if (role != "input" && role != "weight")
        return ScheduleViolation{at(where, "multicast", i), "unknown role, allowed: input, weight"};
      if (!seen.insert(role).second) return ScheduleViolation{at(where, "multicast", i), "is named twice"};
    }
    const Group& group = schedule_.groups[g];
    if (axes_of_group(group, network_) == TensorAxes::own) return std::nullopt;  // all of its mappings together
    std::size_t entry = 0;
    const std::optional<std::string> refusal = multicast_refusal(
        arch_, loop_nests_of(network_, by_name_.at(mapping.layer)), mapping, group.split, group.cores, entry);
    if (refusal) return ScheduleViolation{at(where, "multicast", entry), *refusal};
    return std::nullopt;
  }

  Found every_core_works(std::size_t g, const OperatorMapping& mapping, TensorAxes axes) const {
    const Group& group = schedule_.groups[g];
    if (group.cores.size() < 2 || group.split == "reduction" || group.split == "pipeline") return std::nullopt;
    const std::vector<std::int64_t> weights = core_weights(arch_, group.cores);
    std::vector<bool> works(group.cores.size(), false);
    std::string tiles;
    for (const LoopNest& nest : loop_nests_of(network_, by_name_.at(mapping.layer), axes)) {
      const int dim = split_dimension(nest, group.split);
      if (dim < 0)
        return ScheduleViolation{path_of(g) + ".split",
                                 "layer " + quoted(mapping.layer) + " has nothing to split by " + quoted(group.split)};
      const auto d = static_cast<std::size_t>(dim);
      const std::int64_t tile = tile_sizes(nest, mapping)[d];
      tiles =
          "dimension " + nest.dims[d].name + " has " + std::to_string(ceil_div(nest.dims[d].extent, tile)) + " tiles";
      const std::vector<Share> shares = shares_of(nest.dims[d].extent, tile, weights);
      for (std::size_t i = 0; i < shares.size(); ++i) works[i] = works[i] || shares[i].size() > 0;
    }
    for (std::size_t i = 0; i < works.size(); ++i)
      if (!works[i])
        return ScheduleViolation{at(path_of(g), "cores", i), "nothing is left for core " +
                                                                 std::to_string(group.cores[i]) + " of layer " +
                                                                 quoted(mapping.layer) + ": " + tiles};
    return std::nullopt;
  }

  Found mapping_is_valid(const OperatorMapping& mapping, TensorAxes axes, const std::string& where) {
    const OpId op = by_name_.at(mapping.layer);
    const std::vector<LoopNest> nests = loop_nests_of(network_, op, axes);
    std::vector<std::string> dims;
    for (const Dim& dim : nests.front().dims) dims.push_back(dim.name);
    for (const auto& [name, size] : mapping.tile) {
      const auto it = std::find(dims.begin(), dims.end(), name);
      if (it == dims.end())
        return ScheduleViolation{where + ".tile." + name, "layer " + quoted(mapping.layer) + " has no dimension " +
                                                              quoted(name) + did_you_mean(name, dims)};
      const auto d = static_cast<std::size_t>(it - dims.begin());
      std::int64_t extent = 0;
      for (const LoopNest& nest : nests) extent = std::max(extent, nest.dims[d].extent);
      if (size < 1 || size > extent)
        return ScheduleViolation{where + ".tile." + name,
                                 "is " + std::to_string(size) + ", allowed is 1 to " + std::to_string(extent)};
      if (!nests.front().dims[d].tileable && size != extent)
        return ScheduleViolation{
            where + ".tile." + name,
            "is " + std::to_string(size) + ", this dimension stays whole (" + std::to_string(extent) + ")"};
    }
    std::set<std::string> named;
    for (std::size_t i = 0; i < mapping.order.size(); ++i) {
      const std::string place = at(where, "order", i);
      if (std::find(dims.begin(), dims.end(), mapping.order[i]) == dims.end())
        return ScheduleViolation{place, "layer " + quoted(mapping.layer) + " has no dimension " +
                                            quoted(mapping.order[i]) + did_you_mean(mapping.order[i], dims)};
      if (!named.insert(mapping.order[i]).second)
        return ScheduleViolation{place, "dimension " + quoted(mapping.order[i]) + " is named twice"};
    }
    for (const auto& [role, count] : mapping.buffers) {
      if (role != "input" && role != "weight" && role != "output")
        return ScheduleViolation{where + ".buffers." + role, "unknown role, allowed: input, weight, output"};
      if (count != 1 && count != 2)
        return ScheduleViolation{where + ".buffers." + role, "is " + std::to_string(count) + ", allowed is 1 or 2"};
    }
    for (const LoopNest& nest : nests) {
      if (Found v = reductions_innermost(nest, mapping, where)) return v;
      if (Found v = tiles_are_bytes(nest, mapping, where)) return v;
    }
    return covered_once(nests, mapping, where);
  }

  static Found reductions_innermost(const LoopNest& nest, const OperatorMapping& mapping, const std::string& where) {
    const std::vector<std::int64_t> trips = trip_counts(nest, tile_sizes(nest, mapping));
    const Dim* reduced = nullptr;
    for (const int i : loop_order(nest, mapping)) {
      const auto d = static_cast<std::size_t>(i);
      if (trips[d] == 1) continue;
      if (nest.dims[d].kind == DimKind::k) {
        reduced = &nest.dims[d];
      } else if (reduced != nullptr) {
        return ScheduleViolation{where + ".order", "the loop over " + nest.dims[d].name +
                                                       " is inside the reduction loop over " + reduced->name +
                                                       "; reduction loops are innermost"};
      }
    }
    return std::nullopt;
  }

  // In closed form: the nests' iteration spaces map one to one onto the output's elements, and each tile of them maps
  // onto a box. Tiles cut the iteration space into disjoint parts, hence so do their boxes.
  Found covered_once(const std::vector<LoopNest>& nests, const OperatorMapping& mapping,
                     const std::string& where) const {
    std::int64_t elements = 0;
    std::vector<std::vector<std::pair<std::int64_t, std::int64_t>>> parts;  // a nest, an axis: first and end
    for (const LoopNest& nest : nests) {
      const std::vector<std::int64_t> tile = tile_sizes(nest, mapping);
      std::set<int> used;
      std::int64_t count = 1;
      parts.emplace_back();
      for (const Axis& axis : nest.output().axes) {
        const std::optional<std::int64_t> span = dense_span(nest, axis);
        for (const AxisTerm& term : axis.terms)
          if (nest.dims[static_cast<std::size_t>(term.dim)].extent > 1 && !used.insert(term.dim).second)
            return ScheduleViolation{where, "an output of layer " + quoted(mapping.layer) + " uses a dimension twice"};
        if (!span || axis.offset < 0 || axis.offset + *span > axis.extent)
          return ScheduleViolation{where, "layer " + quoted(mapping.layer) + " does not compute every output once"};
        count *= *span;
        parts.back().emplace_back(axis.offset, axis.offset + *span);
        if (Found v = tiles_are_boxes(nest, axis, tile, where)) return v;
      }
      for (std::size_t d = 0; d < nest.dims.size(); ++d) {
        const DimKind kind = nest.dims[d].kind;
        if (nest.dims[d].extent == 1 || kind == DimKind::k || kind == DimKind::row ||
            used.contains(static_cast<int>(d)))
          continue;
        return ScheduleViolation{where + ".tile." + nest.dims[d].name,
                                 "outputs would be computed again for each index"};
      }
      elements += count;
    }
    for (std::size_t a = 0; a < parts.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        bool apart = false;
        for (std::size_t x = 0; x < parts[a].size(); ++x)
          apart = apart || parts[a][x].second <= parts[b][x].first || parts[b][x].second <= parts[a][x].first;
        if (!apart)
          return ScheduleViolation{where, "two parts of layer " + quoted(mapping.layer) + " write the same outputs"};
      }
    }
    const Tensor& output = network_.tensor(nests.front().output().tensor);
    if (elements != element_count(output.shape))
      return ScheduleViolation{where, "layer " + quoted(mapping.layer) + " computes " + std::to_string(elements) +
                                          " outputs of " + std::to_string(element_count(output.shape))};
    return std::nullopt;
  }

  // Where two dimensions share an axis of the output, the inner one must be whole in a tile that is longer than 1 in
  // the outer one: otherwise the tile is no box.
  static Found tiles_are_boxes(const LoopNest& nest, const Axis& axis, const std::vector<std::int64_t>& tile,
                               const std::string& where) {
    for (const AxisTerm& inner : axis.terms) {
      for (const AxisTerm& outer : axis.terms) {
        const auto i = static_cast<std::size_t>(inner.dim);
        const auto o = static_cast<std::size_t>(outer.dim);
        if (inner.coefficient >= outer.coefficient || tile[o] == 1 || tile[i] == nest.dims[i].extent) continue;
        return ScheduleViolation{where + ".tile." + nest.dims[i].name,
                                 "is " + std::to_string(tile[i]) + " where the tile of " + nest.dims[o].name + " is " +
                                     std::to_string(tile[o]) + ": either this tile is whole (" +
                                     std::to_string(nest.dims[i].extent) + ") or that one is 1"};
      }
    }
    return std::nullopt;
  }

  // Elements smaller than a byte: no two tiles of the result share a byte.
  static Found tiles_are_bytes(const LoopNest& nest, const OperatorMapping& mapping, const std::string& where) {
    const std::vector<std::int64_t> tile = tile_sizes(nest, mapping);
    for (std::size_t d = 0; d < nest.dims.size(); ++d) {
      const std::int64_t unit = tile_unit(nest, d);
      if (tile[d] == nest.dims[d].extent || tile[d] % unit == 0) continue;
      return ScheduleViolation{
          where + ".tile." + nest.dims[d].name,
          "is " + std::to_string(tile[d]) + ", allowed is " +
              (unit == nest.dims[d].extent ? "the whole dimension" : "a multiple of " + std::to_string(unit)) + " (" +
              std::to_string(nest.dims[d].extent) + " in all): tiles of " + std::string(name_of(nest.output().type)) +
              " must be whole bytes"};
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<TensorId> tensor_named(const std::string& name) const {
    for (const Tensor& tensor : network_.tensors)
      if (tensor.name == name) return tensor.id;
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::size_t> group_of(OpId op) const {
    if (!op.valid() || !group_of_[op.index()]) return std::nullopt;
    return group_of_[op.index()]->group;
  }

  Found edges(std::size_t g) {
    const Group& group = schedule_.groups[g];
    std::set<std::string> seen;
    for (std::size_t i = 0; i < group.edges.size(); ++i) {
      const InnerEdge& edge = group.edges[i];
      const std::string where = at(path_of(g), "edges", i);
      const std::optional<TensorId> tensor = tensor_named(edge.tensor);
      if (!tensor) return ScheduleViolation{where + ".tensor", "there is no tensor " + quoted(edge.tensor)};
      const std::vector<OpId>& consumers = network_.tensor(*tensor).consumers;
      const bool read_here =
          std::any_of(consumers.begin(), consumers.end(), [&](OpId op) { return group_of(op) == g; });
      if (group_of(computing_op(*tensor)) != g || !read_here)
        return ScheduleViolation{where + ".tensor",
                                 "tensor " + quoted(edge.tensor) + " is not both computed and read in the group"};
      if (!seen.insert(edge.tensor).second)
        return ScheduleViolation{where + ".tensor", "tensor " + quoted(edge.tensor) + " is named twice"};
      if (edge.halo != "recompute" && edge.halo != "retain" && edge.halo != "exchange")
        return ScheduleViolation{where + ".halo", "unknown halo policy " + quoted(edge.halo)};
      if (edge.direction != "output_centric" && edge.direction != "input_centric")
        return ScheduleViolation{where + ".direction", "unknown direction " + quoted(edge.direction)};
      const std::string found = direction_of(g, network_.tensor(*tensor).storage);
      if (edge.direction != found)
        return ScheduleViolation{where + ".direction", "is " + quoted(edge.direction) + ", but the mappings say " +
                                                           quoted(found) +
                                                           ": a reader takes its reduction over the tensor " +
                                                           (found == "input_centric" ? "in several tiles" : "whole")};
    }
    return std::nullopt;
  }

  // Input centric where a reader of the group tiles a reduction that walks the tensor.
  [[nodiscard]] std::string direction_of(std::size_t g, TensorId root) const {
    for (const OperatorMapping& mapping : schedule_.groups[g].mappings) {
      const LoopNest nest = loop_nests_of(network_, by_name_.at(mapping.layer), TensorAxes::own).front();
      const std::vector<std::int64_t> tile = tile_sizes(nest, mapping);
      for (std::size_t o = 0; o + 1 < nest.operands.size(); ++o) {
        if (network_.tensor(nest.operands[o].tensor).storage != root) continue;
        for (const Axis& axis : nest.operands[o].axes)
          for (const AxisTerm& term : axis.terms) {
            const auto d = static_cast<std::size_t>(term.dim);
            if (nest.dims[d].kind == DimKind::k && tile[d] < nest.dims[d].extent) return "input_centric";
          }
      }
    }
    return "output_centric";
  }

  // Last group that reads the bytes of a tensor (aliases followed), at least `from`.
  [[nodiscard]] std::size_t last_use(TensorId root, std::size_t from) const {
    std::size_t last = from;
    for (const Tensor& tensor : network_.tensors) {
      if (tensor.storage != root) continue;
      for (const OpId op : tensor.consumers) last = std::max(last, group_of(op).value_or(from));
    }
    return last;
  }
  [[nodiscard]] bool is_network_output(TensorId root) const {
    return std::any_of(network_.tensors.begin(), network_.tensors.end(),
                       [&](const Tensor& t) { return t.storage == root && t.network_output; });
  }

  Found homes() {
    std::set<TensorId> housed;  // storage roots
    for (std::size_t g = 0; g < schedule_.groups.size(); ++g) {
      for (const auto& [name, home] : schedule_.groups[g].homes) {
        const std::string where = path_of(g) + ".homes." + name;
        const std::optional<TensorId> tensor = tensor_named(name);
        if (!tensor) return ScheduleViolation{where, "there is no tensor " + quoted(name)};
        if (group_of(computing_op(*tensor)) != g)
          return ScheduleViolation{where, "tensor " + quoted(name) + " is not computed in the group"};
        const TensorId root = network_.tensor(*tensor).storage;
        const std::size_t last = last_use(root, g);
        if (last == g && !is_network_output(root))
          return ScheduleViolation{where, "tensor " + quoted(name) + " does not leave the group"};
        if (home == Home::dram) continue;
        if (is_network_output(root))
          return ScheduleViolation{where, "tensor " + quoted(name) + " is an output of the network: its home is dram"};
        if (home == Home::global_buffer && !arch_.global_buffer)
          return ScheduleViolation{where, "the architecture has no global buffer"};
        if (!housed.insert(root).second)
          return ScheduleViolation{where, "the tensor whose bytes " + quoted(name) + " shares has a home already"};
        if (const Operator* gather = gathers_from(root))
          return ScheduleViolation{where, "layer " + quoted(gather->name) + " gathers rows of tensor " + quoted(name) +
                                              ": its home is dram"};
      }
    }
    chip_homes_.emplace(schedule_, network_, arch_);
    for (std::size_t g = 0; g < schedule_.groups.size(); ++g)
      if (Found v = no_multicast_from_scratchpads(g)) return v;
    return std::nullopt;
  }

  // The core that would send to all others is one of them.
  Found no_multicast_from_scratchpads(std::size_t g) const {
    const Group& group = schedule_.groups[g];
    for (std::size_t m = 0; m < group.mappings.size(); ++m) {
      const OperatorMapping& mapping = group.mappings[m];
      if (mapping.multicast.empty()) continue;
      const LoopNest nest = loop_nests_of(network_, by_name_.at(mapping.layer), axes_of_group(group, network_)).front();
      for (std::size_t o = 0; o + 1 < nest.operands.size(); ++o) {
        const std::vector<HomePiece>* pieces = chip_homes_->pieces_of(nest.operands[o].tensor);
        if (!is_multicast(mapping, nest, o) || pieces == nullptr || pieces->front().place.space != Space::scratchpad)
          continue;
        return ScheduleViolation{at(path_of(g), "mappings", m) + ".multicast",
                                 "tensor " + quoted(network_.tensor(nest.operands[o].tensor).name) +
                                     " lives in the scratchpads: each core fetches its own part"};
      }
    }
    return std::nullopt;
  }

  // An operator that takes rows of the tensor by index.
  [[nodiscard]] const Operator* gathers_from(TensorId root) const {
    for (const Operator& op : network_.operators)
      if (op.type == OpType::gather && !op.inputs.empty() && network_.tensor(op.inputs.front()).storage == root)
        return &op;
    return nullptr;
  }

  // What a fused group makes must be read.
  Found all_is_read(std::size_t g) const {
    const Group& group = schedule_.groups[g];
    if (axes_of_group(group, network_) != TensorAxes::own) return std::nullopt;
    for (std::size_t place = 0; place < group.cores.size(); ++place) {
      const FusedGroup fused(group, network_, arch_, place);
      const WalkEnd end = end_of_walk(fused);
      if (end.stopped)
        return ScheduleViolation{path_of(g) + ".mappings",
                                 "with these tiles core " + std::to_string(group.cores[place]) +
                                     " works on more than " + std::to_string(kMostSteps) +
                                     " tiles, halos made again counted each time: larger tiles are needed"};
      if (!end.unread) continue;
      return ScheduleViolation{path_of(g) + ".mappings",
                               "with these tiles not all that layer " +
                                   quoted(fused.operators()[*end.unread].mapping->layer) +
                                   " makes for one tile of the group's result is read: a reader skips rows or columns, "
                                   "or its readers need different parts at different times"};
    }
    return std::nullopt;
  }

  Found capacities() const {
    for (std::size_t g = 0; g < schedule_.groups.size(); ++g) {
      const std::int64_t global = chip_homes_->reach(g, Space::global_buffer);
      if (arch_.global_buffer && global > arch_.global_buffer->size().value())
        return ScheduleViolation{path_of(g), "global buffer: the tensors that live there reach to " +
                                                 std::to_string(global) + " bytes, it has " +
                                                 std::to_string(arch_.global_buffer->size().value())};
      if (Found v = all_is_read(g)) return v;
      for (std::size_t place = 0; place < schedule_.groups[g].cores.size(); ++place)
        if (Found v = core_capacity(g, place)) return v;
    }
    return std::nullopt;
  }

  // By operator (a fused group: all together) and role.
  [[nodiscard]] std::vector<std::map<std::string, BufferNeed>> buffers_of_core(const Group& group,
                                                                               const CoreConfig& config,
                                                                               std::size_t place) const {
    std::vector<std::map<std::string, BufferNeed>> all;
    if (axes_of_group(group, network_) == TensorAxes::own) {
      all.emplace_back();
      for (const BufferNeed& need : needs_to_hold(group, network_, arch_, place)) all.back().emplace(need.role, need);
      return all;
    }
    for (const OperatorMapping& mapping : group.mappings) {
      // Nests of one operator follow each other through the same buffers.
      std::map<std::string, BufferNeed>& roles = all.emplace_back();
      const std::vector<LoopNest> nests = loop_nests_of(network_, by_name_.at(mapping.layer));
      const bool shared = split_dimension(nests.front(), group.split) >= 0;
      for (const LoopNest& nest :
           shared ? nests_to_hold(nests, mapping, group.split, core_weights(arch_, group.cores), place) : nests) {
        for (const BufferNeed& need : buffer_needs(nest, mapping, config)) {
          BufferNeed& role = roles.try_emplace(need.role, need).first->second;
          role.buffers = std::max(role.buffers, need.buffers);
          role.bytes = std::max(role.bytes, need.bytes);
        }
      }
    }
    return all;
  }

  Found core_capacity(std::size_t g, std::size_t place) const {
    const Group& group = schedule_.groups[g];
    const std::int64_t core = group.cores[place];
    const CoreConfig& config = arch_.core(CoreId(static_cast<std::int32_t>(core)));
    std::array<std::int64_t, 2> used{0, 0};  // scratchpad, accumulator
    std::array<std::string, 2> parts;
    for (const std::map<std::string, BufferNeed>& roles : buffers_of_core(group, config, place)) {
      for (const auto& [name, need] : roles) {
        const std::size_t memory = need.accumulator ? 1 : 0;
        used[memory] += need.buffers * need.bytes.value();
        parts[memory] += (parts[memory].empty() ? "" : ", ") + name + " " + std::to_string(need.buffers) + " x " +
                         std::to_string(need.bytes.value());
      }
    }
    if (const std::int64_t taken = chip_homes_->taken(g, group.cores, arch_); taken > 0) {
      used[0] += taken;
      parts[0] += (parts[0].empty() ? "" : ", ") + std::string("tensors that live there ") + std::to_string(taken);
    }
    const std::array<const MemoryConfig*, 2> memories{&config.scratchpad, &config.accumulator};
    for (std::size_t m = 0; m < 2; ++m) {
      const std::int64_t size =
          memories[m]->size().value() / tile_alignment(*memories[m]) * tile_alignment(*memories[m]);
      if (used[m] <= size) continue;
      return ScheduleViolation{path_of(g), std::string(m == 0 ? "scratchpad" : "accumulator") + " of core " +
                                               std::to_string(core) + ": needs " + std::to_string(used[m]) +
                                               " bytes (" + parts[m] + "), it has " + std::to_string(size)};
    }
    return std::nullopt;
  }

  const Schedule& schedule_;
  const Network& network_;
  const Architecture& arch_;
  std::map<std::string, OpId> by_name_;
  std::vector<std::string> names_;
  std::vector<std::optional<Slot>> group_of_;  // by operator
  std::optional<ChipHomes> chip_homes_;
};

}  // namespace

std::optional<ScheduleViolation> verify_schedule(const Schedule& schedule, const Network& network,
                                                 const Architecture& arch, std::optional<std::int64_t> batch) {
  return Verifier(schedule, network, arch).run(batch);
}

}  // namespace accsim::model
