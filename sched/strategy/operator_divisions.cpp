#include "sched/strategy/operator_divisions.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "model/schedule/multicast.h"
#include "model/schedule/split.h"
#include "model/schedule/tiling.h"
#include "sched/lower/lower_operator.h"

namespace accsim::sched {

using namespace model;

namespace {

// Of the tiles of a whole operator there may be fewer than cores: then only as many cores as have work.
DividedMapping divided(const std::vector<LoopNest>& nests, const OperatorMapping& mapping, const Division& division,
                       const Architecture& arch, const std::vector<std::int64_t>& cores) {
  const auto all_work = [&](const std::vector<std::int64_t>& some) {
    const std::vector<std::int64_t> weights = core_weights(arch, some);
    for (std::size_t place = 0; place < some.size(); ++place)
      if (nests_of_core(nests, mapping, division.split, weights, place).empty()) return false;
    return true;
  };
  DividedMapping result{mapping, division.split, cores};
  result.cores.resize(division.cores);
  while (result.cores.size() > 1 && !all_work(result.cores)) result.cores.pop_back();
  if (result.cores.size() == 1) result.split = "none";
  return result;
}

// Whether there are mappings with which one core may load these operands for all: with whole tiles, as many on each
// core.
bool may_multicast(const Architecture& arch, const Network& network, OpId op, const Division& division,
                   std::vector<std::int64_t> cores) {
  if (division.cores < 2) return false;
  cores.resize(division.cores);
  const std::vector<LoopNest> nests = loop_nests_of(network, op);
  OperatorMapping mapping;
  mapping.layer = network.op(op).name;
  mapping.multicast = division.multicast;
  std::size_t entry = 0;
  return !multicast_refusal(arch, nests, mapping, division.split, cores, entry);
}

// Bytes that the buffers of every core's real share leave in its scratchpad, at least; negative where they do not fit.
std::int64_t spare_bytes(const std::vector<LoopNest>& nests, const DividedMapping& divided, const Architecture& arch) {
  const std::vector<std::int64_t> weights = core_weights(arch, divided.cores);
  std::int64_t spare = INT64_MAX;
  for (std::size_t place = 0; place < divided.cores.size(); ++place) {
    const CoreConfig& core = arch.core(CoreId(static_cast<std::int32_t>(divided.cores[place])));
    std::int64_t scratchpad = 0;
    std::int64_t accumulator = 0;
    const std::vector<LoopNest> parts = nests_to_hold(nests, divided.mapping, divided.split, weights, place);
    for (const BufferNeed& need : operator_needs(parts, divided.mapping, core))
      (need.accumulator ? accumulator : scratchpad) += need.buffers * need.bytes.value();
    const auto room = [](const MemoryConfig& memory) {
      return memory.size().value() / tile_alignment(memory) * tile_alignment(memory);
    };
    if (accumulator > room(core.accumulator)) return -1;
    spare = std::min(spare, room(core.scratchpad) - scratchpad);
  }
  return spare;
}

}  // namespace

std::vector<std::int64_t> cores_by_size(const Architecture& arch) {
  std::vector<std::int64_t> cores(static_cast<std::size_t>(arch.core_count()));
  std::iota(cores.begin(), cores.end(), std::int64_t{0});
  const std::vector<std::int64_t> sizes = core_weights(arch, cores);
  std::stable_sort(cores.begin(), cores.end(), [&](std::int64_t a, std::int64_t b) {
    return sizes[static_cast<std::size_t>(a)] > sizes[static_cast<std::size_t>(b)];
  });
  return cores;
}

std::vector<Division> divisions_of(const Architecture& arch, const Network& network, OpId op,
                                   const std::vector<std::int64_t>& cores) {
  const std::vector<LoopNest> nests = loop_nests_of(network, op);
  std::vector<Division> divisions{{}};
  const auto add = [&](Division division) {
    divisions.push_back(division);
    for (const char* role : {"input", "weight"}) {
      division.multicast = {role};
      if (may_multicast(arch, network, op, division, cores)) divisions.push_back(division);
    }
  };
  std::set<std::vector<int>> seen;
  for (const char* split : {"rows", "columns", "channels", "batch"}) {
    std::vector<int> dims;
    std::int64_t least = 0;
    for (const LoopNest& nest : nests) {
      dims.push_back(split_dimension(nest, split));
      if (dims.back() < 0) break;
      const auto d = static_cast<std::size_t>(dims.back());
      const std::int64_t units = ceil_div(nest.dims[d].extent, tile_unit(nest, d));
      least = dims.size() == 1 ? units : std::min(least, units);
    }
    if (dims.back() < 0 || !seen.insert(dims).second) continue;
    const auto most = static_cast<std::size_t>(std::min<std::int64_t>(least, static_cast<std::int64_t>(cores.size())));
    for (std::size_t n = 2; n < most; n *= 2) add({split, n});
    if (most > 1) add({split, most});
  }
  return divisions;
}

Figure figure_of(const Prediction& prediction, const Group& group) {
  const bool multicast = std::any_of(group.mappings.begin(), group.mappings.end(),
                                     [](const OperatorMapping& m) { return !m.multicast.empty(); });
  return {prediction.cycles * (multicast ? kMulticastWaiting : 1), prediction.total_energy_pj()};
}

DivisionResult search_division(const Network& network, OpId op, const CostModel& cost,
                               const std::vector<std::int64_t>& cores, const Division& division, TileGrid grid,
                               const Placement& placement) {
  const Architecture& arch = cost.arch();
  const CoreConfig& core = arch.core(CoreId(static_cast<std::int32_t>(cores.front())));
  const OperatorSearchResult searched =
      search_operator(network, op, cost, core, cores.front(), division, grid, placement);
  DivisionResult result;
  result.candidates = searched.candidates;
  result.mapspace_log10 = searched.mapspace_log10;
  const std::vector<LoopNest> nests = loop_nests_of(network, op);
  for (const MappedFigure& mapped : searched.front) {
    DividedMapping mapping = divided(nests, mapped.mapping, division, arch, cores);
    const std::int64_t spare = spare_bytes(nests, mapping, arch);
    if (spare < 0) continue;
    std::size_t entry = 0;
    if (multicast_refusal(arch, nests, mapping.mapping, mapping.split, mapping.cores, entry)) continue;
    const Prediction p = cost.predict(network, op, mapping.mapping, mapping.cores, mapping.split, placement.homes);
    const double waiting = mapping.mapping.multicast.empty() ? 1 : kMulticastWaiting;
    result.mappings.push_back(std::move(mapping));
    result.figures.push_back({p.cycles * waiting, p.total_energy_pj()});
    result.footprints.push_back(mapped.footprint);
    result.spare.push_back(spare);
  }
  return result;
}

}  // namespace accsim::sched
