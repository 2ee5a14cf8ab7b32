#include "sched/strategy/operator_search.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>

#include "model/base/error.h"
#include "model/schedule/split.h"

namespace accsim::sched {

using namespace model;

namespace {

using Order = std::vector<int>;

struct Candidate {
  TileChoice choice{};
  const Order* order = nullptr;
};

// The part of each nest that one of several equal cores has: one with neighbours on both sides where there is one.
std::vector<LoopNest> typical_parts(const Network& network, OpId op, const Division& division) {
  std::vector<LoopNest> nests = loop_nests_of(network, op);
  if (division.cores == 1) return nests;
  for (LoopNest& nest : nests) {
    const int dim = split_dimension(nest, division.split);
    if (dim < 0) throw InternalError("layer " + network.op(op).name + " has nothing to split by " + division.split);
    const auto d = static_cast<std::size_t>(dim);
    const std::int64_t extent = nest.dims[d].extent;
    const std::int64_t unit = tile_unit(nest, d);
    const std::int64_t size =
        std::min(extent, ceil_div(ceil_div(extent, static_cast<std::int64_t>(division.cores)), unit) * unit);
    const std::int64_t low = std::min(size, extent - size);
    nest = part_of(nest, dim, {low, low + size});
  }
  return nests;
}

class OperatorSearch {
 public:
  OperatorSearch(const Network& network, OpId op, const CostModel& cost, const CoreConfig& core, int buffers,
                 const Division& division, TileGrid grid, const Placement& placement)
      : network_(network),
        op_(network.op(op)),
        cost_(cost),
        core_(core),
        rates_(cost.rates(core, division.cores)),
        multicast_(division.multicast),
        cores_(static_cast<double>(division.cores)),
        scratchpad_bytes_(std::min(core.scratchpad.size().value(), placement.scratchpad_bytes)),
        buffers_(buffers),
        nests_(typical_parts(network, op, division)) {
    // Of the whole operator: a core's part may have a single index.
    if (division.cores > 1) split_ = split_dimension(loop_nests_of(network, op).front(), division.split);
    const LoopNest& first = nests_.front();
    dims_ = first.dims.size();
    for (std::size_t d = 0; d < dims_; ++d) {
      std::vector<std::int64_t> tiles;
      for (const LoopNest& nest : nests_) {
        const auto more = tile_candidates(nest, d, core, rates_.dram.burst_bytes, grid);
        tiles.insert(tiles.end(), more.begin(), more.end());
      }
      std::sort(tiles.begin(), tiles.end());
      tiles.erase(std::unique(tiles.begin(), tiles.end()), tiles.end());
      tiles_.push_back(std::move(tiles));
      if (tiles_.back().size() > 1) tiled_.push_back(static_cast<int>(d));
    }
    for (const LoopNest& nest : nests_) {
      std::vector<std::vector<std::int64_t>> own(dims_);
      for (std::size_t d = 0; d < dims_; ++d)
        for (const std::int64_t tile : tiles_[d]) own[d].push_back(std::min(tile, nest.dims[d].extent));
      evaluators_.push_back(std::make_unique<NestEvaluator>(nest, op_, rates_, core, std::move(own)));
      evaluators_.back()->set_buffers(buffers, buffers, buffers);
      evaluators_.back()->set_homes(network, placement.homes);
      OperatorMapping mapping;
      mapping.multicast = multicast_;
      evaluators_.back()->set_shared(shared_operands(nest, mapping));
    }
    for (std::size_t d = 0; d < dims_; ++d) {
      std::uint64_t signature = 0;
      for (const LoopNest& nest : nests_)
        for (const Operand& operand : nest.operands)
          signature = signature * 2 + (moves(operand, static_cast<int>(d)) ? 1 : 0);
      signatures_.push_back(signature);
    }
    find_nested_axes();
  }

  // A tile of the result is a box: of two dimensions on one axis the inner one is whole, or the outer one 1.
  void find_nested_axes() {
    for (const LoopNest& nest : nests_)
      for (const Axis& axis : nest.output().axes)
        for (const AxisTerm& inner : axis.terms)
          for (const AxisTerm& outer : axis.terms)
            if (inner.coefficient < outer.coefficient) nested_.emplace_back(inner.dim, outer.dim);
  }
  [[nodiscard]] bool boxes() const {
    return std::all_of(nested_.begin(), nested_.end(), [&](const std::pair<int, int>& n) {
      const bool whole =
          n.first != split_ && tile(choice_, n.first) == tiles_[static_cast<std::size_t>(n.first)].back();
      return tile(choice_, n.second) == 1 || whole;
    });
  }

  OperatorSearchResult run() {
    descend(0);
    OperatorSearchResult result;
    result.candidates = candidates_;
    result.mapspace_log10 = mapspace();
    for (const auto& entry : front_.entries())
      result.front.push_back({entry.figure, entry.footprint, mapping_of(entry.candidate)});
    return result;
  }

  // Of the smallest tiles.
  [[nodiscard]] BufferBytes least_needs() {
    choice_ = {};
    return needs().rings;
  }

 private:
  static bool moves(const Operand& operand, int dim) {
    for (const Axis& axis : operand.axes) {
      if (axis.stride == 0) continue;
      for (const AxisTerm& term : axis.terms)
        if (term.dim == dim && term.coefficient != 0) return true;
    }
    return false;
  }

  [[nodiscard]] std::int64_t tile(const TileChoice& choice, int dim) const {
    return tiles_[static_cast<std::size_t>(dim)][static_cast<std::size_t>(choice[static_cast<std::size_t>(dim)])];
  }
  [[nodiscard]] bool reduced(int dim) const {
    return nests_.front().dims[static_cast<std::size_t>(dim)].kind == DimKind::k;
  }

  // Selects the current choice. The nests of an operator follow each other through the same buffers.
  NestEvaluator::Needs needs() {
    NestEvaluator::Needs all;
    const auto raise = [](BufferBytes& to, const BufferBytes& by) {
      to.scratchpad = std::max(to.scratchpad, by.scratchpad);
      to.accumulator = std::max(to.accumulator, by.accumulator);
    };
    for (const auto& evaluator : evaluators_) {
      evaluator->select(choice_);
      const NestEvaluator::Needs own = evaluator->needs();
      raise(all.rings, own.rings);
      raise(all.single, own.single);
    }
    return all;
  }
  [[nodiscard]] bool fits(const BufferBytes& bytes) const {
    return bytes.scratchpad <= scratchpad_bytes_ && bytes.accumulator <= core_.accumulator.size().value();
  }

  void descend(std::size_t level) {
    if (level == tiled_.size()) {  // nothing to tile at all
      leaf(needs().rings);
      return;
    }
    const auto d = static_cast<std::size_t>(tiled_[level]);
    for (std::size_t i = 0; i < tiles_[d].size(); ++i) {
      choice_[d] = static_cast<std::int32_t>(i);
      const NestEvaluator::Needs least = needs();
      if (!fits(least.single)) break;  // larger tiles, of this or another dimension, need no less
      if (level + 1 < tiled_.size()) {
        descend(level + 1);
      } else {
        leaf(least.rings);
      }
    }
    choice_[d] = 0;
  }

  void leaf(const BufferBytes& bytes) {
    if (fits(bytes) && boxes()) evaluate(bytes);
  }

  void evaluate(const BufferBytes& bytes) {
    const std::int64_t footprint = bytes.scratchpad + bytes.accumulator;
    OperatorCounts least;  // of all orders
    for (const auto& evaluator : evaluators_) {
      evaluator->bound_traffic(least);
      evaluator->bound_work(least);
    }
    const std::vector<Order>& all = orders();
    if (front_.covers(figure_of(least), footprint)) {
      candidates_ += static_cast<std::int64_t>(all.size());
      return;
    }
    bool worked = false;
    OperatorCounts work;
    for (const Order& order : all) {
      ++candidates_;
      OperatorCounts traffic;
      for (const auto& evaluator : evaluators_) evaluator->count_traffic(order, traffic);
      if (!worked) {
        OperatorCounts bound = traffic;
        for (const auto& evaluator : evaluators_) evaluator->bound_work(bound);
        if (front_.covers(figure_of(bound), footprint)) continue;
        for (const auto& evaluator : evaluators_) evaluator->count_work(work);
        worked = true;
      }
      for (const auto& evaluator : evaluators_) evaluator->count_conflicts(order, traffic);
      traffic += work;
      front_.insert(figure_of(traffic), footprint, {choice_, &order});
    }
  }

  Figure figure_of(const OperatorCounts& counts) const {
    GroupFeatures features = features_from(counts, rates_);
    for (double& pj : features.action_pj) pj *= cores_;
    const CostModel::Figures f = cost_.figures(features);
    return {f.cycles, f.energy_pj};
  }

  // Loop orders of the current choice: dimensions with several tiles, those that are not reduced permuted by the
  // sets of operands that they move, outermost first.
  const std::vector<Order>& orders() {
    std::uint32_t active = 0;
    for (const int d : tiled_)
      if (choice_[static_cast<std::size_t>(d)] + 1 <
          static_cast<std::int32_t>(tiles_[static_cast<std::size_t>(d)].size()))
        active |= std::uint32_t{1} << static_cast<std::uint32_t>(d);
    const auto [it, fresh] = orders_.try_emplace(active);
    if (!fresh) return it->second;
    std::vector<std::vector<int>> classes;  // in nest order
    Order tail;
    for (const int d : tiled_) {
      if ((active >> static_cast<std::uint32_t>(d) & 1U) == 0) continue;
      if (reduced(d)) {
        tail.push_back(d);
        continue;
      }
      const auto same = std::find_if(classes.begin(), classes.end(), [&](const std::vector<int>& c) {
        return signatures_[static_cast<std::size_t>(c.front())] == signatures_[static_cast<std::size_t>(d)];
      });
      if (same == classes.end()) {
        classes.push_back({d});
      } else {
        same->push_back(d);
      }
    }
    std::vector<std::size_t> permutation(classes.size());
    for (std::size_t i = 0; i < permutation.size(); ++i) permutation[i] = i;
    do {
      Order order;
      for (const std::size_t c : permutation) order.insert(order.end(), classes[c].begin(), classes[c].end());
      order.insert(order.end(), tail.begin(), tail.end());
      it->second.push_back(std::move(order));
    } while (std::next_permutation(permutation.begin(), permutation.end()));
    return it->second;
  }

  [[nodiscard]] double mapspace() const {
    double log10 = 0;
    double free = 0;
    for (const int d : tiled_) {
      log10 += std::log10(static_cast<double>(tiles_[static_cast<std::size_t>(d)].size()));
      if (!reduced(d)) log10 += std::log10(++free);
    }
    return log10;
  }

  [[nodiscard]] OperatorMapping mapping_of(const Candidate& candidate) const {
    OperatorMapping mapping;
    mapping.layer = op_.name;
    const LoopNest& nest = nests_.front();
    for (const int d : tiled_) mapping.tile[nest.dims[static_cast<std::size_t>(d)].name] = tile(candidate.choice, d);
    for (const int d : *candidate.order) mapping.order.push_back(nest.dims[static_cast<std::size_t>(d)].name);
    if (split_ >= 0) {  // of the whole operator this dimension has several tiles
      const auto d = static_cast<std::size_t>(split_);
      const std::string& name = nest.dims[d].name;
      mapping.tile[name] = tile(candidate.choice, split_);
      if (std::find(mapping.order.begin(), mapping.order.end(), name) == mapping.order.end())
        mapping.order.insert(mapping.order.begin(), name);
    }
    mapping.multicast = multicast_;
    if (buffers_ == 1) mapping.buffers = {{"input", 1}, {"weight", 1}, {"output", 1}};
    return mapping;
  }

  const Network& network_;
  const Operator& op_;
  const CostModel& cost_;
  const CoreConfig& core_;
  MachineRates rates_;
  std::vector<std::string> multicast_;
  double cores_;
  std::int64_t scratchpad_bytes_;
  int buffers_;
  int split_ = -1;  // dimension divided over the cores
  std::vector<LoopNest> nests_;
  std::size_t dims_ = 0;
  std::vector<std::vector<std::int64_t>> tiles_;
  std::vector<int> tiled_;  // dimensions with more than one candidate
  std::vector<std::unique_ptr<NestEvaluator>> evaluators_;
  std::vector<std::pair<int, int>> nested_;  // inner and outer dimension of one axis of the result
  std::vector<std::uint64_t> signatures_;    // by dimension: operands that it moves
  std::map<std::uint32_t, std::vector<Order>> orders_;
  TileChoice choice_{};
  ParetoSet<Candidate> front_;
  std::int64_t candidates_ = 0;
};

[[noreturn]] void refuse(const Operator& op, const CoreConfig& core, std::int64_t core_id, const BufferBytes& least) {
  const bool scratchpad = least.scratchpad > core.scratchpad.size().value();
  const MemoryConfig& memory = scratchpad ? core.scratchpad : core.accumulator;
  const std::int64_t bytes = scratchpad ? least.scratchpad : least.accumulator;
  constexpr std::int64_t kKib = 1024;
  const std::int64_t step = std::lcm(kKib, memory.banks * memory.port_bytes);  // sizes that the banks allow
  throw InfeasibleError("layer \"" + op.name + "\" (" + std::string(name_of(op.type)) + ") does not fit on core " +
                        std::to_string(core_id) + " (\"" + core.name + "\") with any tile: the " +
                        (scratchpad ? "scratchpad" : "accumulator") + " has " + std::to_string(memory.size_kib) +
                        " KiB, the smallest size that would do is " +
                        std::to_string(ceil_div(bytes, step) * step / kKib) + " KiB");
}

}  // namespace

OperatorSearchResult search_operator(const Network& network, OpId op, const CostModel& cost, const CoreConfig& core,
                                     std::int64_t core_id, const Division& division, TileGrid grid,
                                     const Placement& placement) {
  OperatorSearch both(network, op, cost, core, 2, division, grid, placement);
  OperatorSearchResult result = both.run();
  if (!result.front.empty()) return result;
  OperatorSearch single(network, op, cost, core, 1, division, grid, placement);
  OperatorSearchResult reduced = single.run();
  if (reduced.front.empty()) refuse(network.op(op), core, core_id, single.least_needs());
  return reduced;
}

}  // namespace accsim::sched
