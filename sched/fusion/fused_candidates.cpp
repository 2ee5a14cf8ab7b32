#include "sched/fusion/fused_candidates.h"

#include <algorithm>
#include <optional>
#include <set>

#include "model/schedule/fused_group.h"
#include "model/schedule/multicast.h"
#include "model/schedule/split.h"
#include "model/schedule/tiling.h"

namespace accsim::sched {

using namespace model;

namespace {

constexpr std::int64_t kWorthwhileSteps =
    512;                                  // reduction tiles of all operators on a core: longer groups are not worth it
constexpr std::int64_t kWeightShare = 4;  // a tile of weights takes at most this part of the scratchpad

std::int64_t room(const MemoryConfig& memory) {
  return memory.size().value() / tile_alignment(memory) * tile_alignment(memory);
}

struct Choice {
  std::string split;
  std::int64_t tile = 1;   // of the result along the dimension that is split
  std::int64_t width = 1;  // of tiles of output channels
  bool input_centric = false;
  int buffers = 2;
};

class Candidates {
 public:
  Candidates(const std::vector<std::string>& layers, const Network& network, const CostModel& cost,
             const std::vector<std::int64_t>& cores, const Placement& placement)
      : network_(network),
        cost_(cost),
        placement_(placement),
        cores_(cores),
        core_(cost.arch().core(CoreId(static_cast<std::int32_t>(cores.front())))) {
    bare_.layers = layers;
    bare_.cores = {cores.front()};
    if (find_not_fusable(bare_, network)) return;
    ops_ = working_operators(bare_, network);
    std::set<TensorId> made;
    for (const OpId op : ops_) {
      nests_.push_back(loop_nests_of(network, op, TensorAxes::own).front());
      inner_reduction_.push_back(-1);
      if (flow_of(nests_.back()) == TileFlow::array) {
        ++arrays_;
        inner_reduction_.back() = reduction_over(nests_.back(), made);
        slices_ = slices_ || inner_reduction_.back() >= 0;
      }
      made.insert(network.tensor(network.op(op).outputs[0]).storage);
    }
  }

  [[nodiscard]] bool fusable() const { return ops_.size() > 1; }

  FusedOptions search() {
    FusedOptions found;
    ParetoSet<Group> set;
    std::set<std::vector<std::int64_t>> seen;  // several choices may come to the same tiles
    for (Choice choice : choices()) {
      Group group = group_for(choice);
      if (!seen.insert(signature_of(group)).second) continue;
      std::int64_t footprint = footprint_of(group);
      if (footprint < 0) {
        choice.buffers = 1;
        group = group_for(choice);
        footprint = footprint_of(group);
      }
      if (footprint < 0) continue;
      ++found.candidates;
      const Prediction p = cost_.predict(network_, group, placement_.homes, representative_places(group));
      set.insert({p.cycles, p.total_energy_pj()}, footprint, group);
    }
    std::vector<Group> shared;
    for (const auto& entry : set.entries())
      if (std::optional<Group> group = with_multicast(entry.candidate)) shared.push_back(std::move(*group));
    for (const Group& group : shared) {
      ++found.candidates;
      const std::int64_t footprint = footprint_of(group);
      if (footprint < 0) continue;
      const Prediction p = cost_.predict(network_, group, placement_.homes, representative_places(group));
      set.insert({p.cycles * kMulticastWaiting, p.total_energy_pj()}, footprint, group);
    }
    for (const auto& entry : set.entries()) {
      found.front.push_back({entry.figure, entry.footprint, 0, entry.candidate});
      footprint_of(entry.candidate, &found.front.back().spare);
    }
    return found;
  }

 private:
  // The group with one core loading the weights for all, of every product whose weights all cores fetch alike.
  [[nodiscard]] std::optional<Group> with_multicast(Group group) const {
    bool any = false;
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      if (flow_of(nests_[i]) != TileFlow::array || weights_in_scratchpads(nests_[i])) continue;
      group.mappings[i].multicast = {"weight"};
      std::size_t mapping = 0;
      std::size_t entry = 0;
      if (multicast_refusal(cost_.arch(), network_, group, mapping, entry)) {
        group.mappings[i].multicast.clear();
      } else {
        any = true;
      }
    }
    if (!any) return std::nullopt;
    return group;
  }

  // Each core fetches its own part of them.
  [[nodiscard]] bool weights_in_scratchpads(const LoopNest& nest) const {
    return std::any_of(nest.operands.begin(), nest.operands.end(), [&](const Operand& operand) {
      if (buffer_key(operand.role) != "weight") return false;
      const auto found = placement_.homes.find(network_.tensor(operand.tensor).storage);
      return found != placement_.homes.end() && found->second.home == Home::scratchpad;
    });
  }

  // The reduced dimension that walks channels of a tensor that the group makes, -1 where there is none.
  [[nodiscard]] int reduction_over(const LoopNest& nest, const std::set<TensorId>& made) const {
    for (std::size_t o = 0; o + 1 < nest.operands.size(); ++o) {
      if (!made.contains(network_.tensor(nest.operands[o].tensor).storage)) continue;
      for (const Axis& axis : nest.operands[o].axes)
        for (const AxisTerm& term : axis.terms) {
          const Dim& dim = nest.dims[static_cast<std::size_t>(term.dim)];
          if (dim.kind == DimKind::k && dim.tileable && dim.extent > 1) return term.dim;
        }
    }
    return -1;
  }

  [[nodiscard]] std::vector<Choice> choices() const {
    std::vector<Choice> all;
    const LoopNest& sink = nests_.back();
    std::set<int> seen;
    bool pixels = false;  // rows, columns and batches cut the result likewise: the first that has work for every core
    for (const std::string split : {"rows", "columns", "batch", "channels"}) {
      const int dim = split_dimension(sink, split);
      if (dim < 0 || (pixels && split != "channels") || !seen.insert(dim).second) continue;
      const std::int64_t extent = sink.dims[static_cast<std::size_t>(dim)].extent;
      const auto most = static_cast<std::int64_t>(cores_.size());
      pixels = extent >= most;
      std::int64_t last = 0;
      for (std::int64_t parts = std::min(extent, most);; parts *= 2) {
        const std::int64_t tile = ceil_div(extent, std::min(parts, extent));
        if (tile != last) add_widths(split, tile, all);
        last = tile;
        if (tile == 1) break;
      }
    }
    return all;
  }

  void add_widths(const std::string& split, std::int64_t tile, std::vector<Choice>& all) const {
    for (const bool input_centric : {false, true}) {
      if (input_centric && !slices_) continue;
      for (const std::int64_t times : {1, 2, 4, 8}) {
        if (arrays_ == 0 && times > 1) break;
        all.push_back({split, tile, times * core_.array.cols, input_centric, 2});
      }
    }
  }

  // Where cores differ, the small ones may be left without a tile.
  [[nodiscard]] bool all_work(std::int64_t extent, std::int64_t tile, const std::vector<std::int64_t>& cores) const {
    const std::vector<Share> shares = shares_of(extent, tile, core_weights(cost_.arch(), cores));
    return std::all_of(shares.begin(), shares.end(), [](const Share& share) { return share.size() > 0; });
  }

  [[nodiscard]] Group group_for(const Choice& choice) const {
    Group group = bare_;
    const LoopNest& sink = nests_.back();
    const int dim = split_dimension(sink, choice.split);
    const std::int64_t tiles = ceil_div(sink.dims[static_cast<std::size_t>(dim)].extent, choice.tile);
    const auto cores =
        static_cast<std::size_t>(std::min<std::int64_t>(tiles, static_cast<std::int64_t>(cores_.size())));
    group.cores.assign(cores_.begin(), cores_.begin() + static_cast<std::ptrdiff_t>(cores));
    const std::int64_t extent = sink.dims[static_cast<std::size_t>(dim)].extent;
    while (group.cores.size() > 1 && !all_work(extent, choice.tile, group.cores)) group.cores.pop_back();
    group.split = group.cores.size() > 1 ? choice.split : "none";
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      OperatorMapping mapping;
      mapping.layer = network_.op(ops_[i]).name;
      const LoopNest& nest = nests_[i];
      const bool last = i + 1 == ops_.size();
      if (last) mapping.tile[sink.dims[static_cast<std::size_t>(dim)].name] = choice.tile;
      if (flow_of(nest) == TileFlow::array) tile_array(i, choice, last ? dim : -1, mapping);
      for (const Dim& d : nest.dims)
        if (d.kind != DimKind::k) mapping.order.push_back(d.name);
      // The dimension that is split outermost: what the tiles of the others need stays.
      if (last) {
        const std::string name = sink.dims[static_cast<std::size_t>(dim)].name;
        std::stable_partition(mapping.order.begin(), mapping.order.end(),
                              [&](const std::string& n) { return n == name; });
      }
      mapping.buffers["output"] = choice.buffers;
      mapping.buffers["weight"] = choice.buffers;
      group.mappings.push_back(std::move(mapping));
    }
    return group;
  }

  // Channels, then rows and columns until the sums fit into the operator's share of the accumulator, then the
  // reduction.
  void tile_array(std::size_t i, const Choice& choice, int split, OperatorMapping& mapping) const {
    const LoopNest& nest = nests_[i];
    const std::int64_t sum_bytes = storage_bytes(core_.array.accumulator_type, 1).value();
    std::int64_t sums = room(core_.accumulator) / (sum_bytes * choice.buffers * arrays_);
    const bool whole_channels = choice.input_centric && inner_reduction_[i] >= 0;
    std::int64_t inner = 1;  // results of a tile
    const auto tile_of = [&](const Dim& dim, int d) {
      const auto given = mapping.tile.find(dim.name);
      return d == split && given != mapping.tile.end() ? given->second : dim.extent;
    };
    bool grouped = false;
    for (const Dim& dim : nest.dims) grouped = grouped || (dim.kind == DimKind::group && dim.extent > 1);
    for (std::size_t d = 0; d < nest.dims.size(); ++d) {
      const Dim& dim = nest.dims[d];
      if (dim.kind != DimKind::n) continue;
      std::int64_t size = tile_of(dim, static_cast<int>(d));
      if (!whole_channels && !grouped) size = std::min(size, choice.width);
      mapping.tile[dim.name] = size;
      inner *= size;
    }
    // Innermost first: long rows stay whole as long as possible.
    for (std::size_t d = nest.dims.size(); d-- > 0;) {
      const Dim& dim = nest.dims[d];
      if ((dim.kind != DimKind::m && dim.kind != DimKind::group) || !dim.tileable) continue;
      std::int64_t size = tile_of(dim, static_cast<int>(d));
      size = std::clamp<std::int64_t>(sums / std::max<std::int64_t>(inner, 1), 1, size);
      mapping.tile[dim.name] = size;
      inner *= size;
    }
    // Groups and their channels share an axis: one group at a time where its channels are cut.
    for (const Dim& dim : nest.dims)
      if (dim.kind == DimKind::n && grouped && mapping.tile.at(dim.name) < dim.extent)
        for (const Dim& group : nest.dims)
          if (group.kind == DimKind::group) mapping.tile[group.name] = 1;
    std::int64_t channels = 1;
    std::int64_t window = 1;
    for (const Dim& dim : nest.dims) {
      if (dim.kind == DimKind::n) channels *= mapping.tile.at(dim.name);
      if (dim.kind == DimKind::k && !dim.tileable) window *= dim.extent;
    }
    for (std::size_t d = 0; d < nest.dims.size(); ++d) {
      const Dim& dim = nest.dims[d];
      if (dim.kind != DimKind::k || !dim.tileable) continue;
      if (static_cast<int>(d) == inner_reduction_[i]) {
        if (choice.input_centric) mapping.tile[dim.name] = std::min(dim.extent, choice.width);
        continue;  // else whole: its reader pulls all channels
      }
      const std::int64_t weight = storage_bytes(core_.array.operand_type, channels * window).value();
      const std::int64_t most = room(core_.scratchpad) / kWeightShare / std::max<std::int64_t>(weight, 1);
      mapping.tile[dim.name] = std::clamp<std::int64_t>(most, 1, dim.extent);
    }
  }

  // Bytes of a core's buffers; negative where they do not fit or something would be made that nobody reads.
  // `spare`: what they leave free in the scratchpads.
  std::int64_t footprint_of(const Group& group, std::int64_t* spare = nullptr) const {
    std::int64_t largest = -1;
    std::int64_t least = INT64_MAX;
    for (const std::size_t place : representative_places(group)) {
      const CoreConfig& core = cost_.arch().core(CoreId(static_cast<std::int32_t>(group.cores[place])));
      const FusedGroup fused(group, network_, cost_.arch(), place);
      WalkEnd end;
      std::int64_t scratchpad = 0;
      std::int64_t accumulator = 0;
      std::vector<BufferNeed> needs = buffer_needs(fused, network_, core, kWorthwhileSteps, &end);
      if (is_multicast(group)) needs = needs_to_hold(group, network_, cost_.arch(), place);
      for (const BufferNeed& need : needs)
        (need.accumulator ? accumulator : scratchpad) += need.buffers * need.bytes.value();
      const std::int64_t most = std::min(room(core.scratchpad), placement_.scratchpad_bytes);
      if (end.unread || end.stopped || scratchpad > most || accumulator > room(core.accumulator)) return -1;
      largest = std::max(largest, scratchpad + accumulator);
      least = std::min(least, room(core.scratchpad) - scratchpad);
    }
    if (spare != nullptr) *spare = least;
    return largest;
  }

  // First, middle and last of each type of core: those in between do the same.
  [[nodiscard]] std::vector<std::size_t> representative_places(const Group& group) const {
    const auto type_at = [&](std::size_t place) {
      return &cost_.arch().core(CoreId(static_cast<std::int32_t>(group.cores[place])));
    };
    std::set<std::size_t> places;
    for (std::size_t first = 0; first < group.cores.size();) {
      std::size_t last = first;
      while (last + 1 < group.cores.size() && type_at(last + 1) == type_at(first)) ++last;
      places.insert({first, (first + last) / 2, last});
      first = last + 1;
    }
    return {places.begin(), places.end()};
  }

  // Split, number of cores, tiles and buffers.
  [[nodiscard]] static std::vector<std::int64_t> signature_of(const Group& group) {
    std::vector<std::int64_t> signature{static_cast<std::int64_t>(group.cores.size())};
    for (const char c : group.split) signature.push_back(c);
    for (const OperatorMapping& mapping : group.mappings) {
      for (const auto& [name, size] : mapping.tile) signature.push_back(size);
      for (const auto& [role, count] : mapping.buffers) signature.push_back(count);
    }
    return signature;
  }

  const Network& network_;
  const CostModel& cost_;
  const Placement& placement_;
  const std::vector<std::int64_t>& cores_;
  const CoreConfig& core_;
  Group bare_;
  std::vector<OpId> ops_;
  std::vector<LoopNest> nests_;
  std::vector<int> inner_reduction_;  // by operator
  std::int64_t arrays_ = 0;           // operators on the array
  bool slices_ = false;
};

}  // namespace

FusedOptions fused_options(const std::vector<std::string>& layers, const Network& network, const CostModel& cost,
                           const std::vector<std::int64_t>& cores, const Placement& placement) {
  Candidates candidates(layers, network, cost, cores, placement);
  if (!candidates.fusable()) return {};
  return candidates.search();
}

}  // namespace accsim::sched
