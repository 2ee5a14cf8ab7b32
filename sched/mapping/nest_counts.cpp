#include "sched/mapping/nest_counts.h"

namespace accsim::sched {

double NestCounts::first_touches(const MapTensor& tensor, std::size_t k) const {
  double product = 1;
  for (const TensorAxis& axis : tensor.axes) {
    const double extent = tile_extent(axis, nest[k].tile);
    double apart = extent, span = extent;
    for (const AxisPart& part : axis) {
      const auto d = static_cast<std::size_t>(part.dim);
      for (std::size_t j = 0; j < k; ++j) {
        const double n = nest[j].temporal[d];
        apart *= n;
        span += static_cast<double>(part.coefficient) * nest[j + 1].tile[d] * nest[j + 1].split[d] * (n - 1);
      }
    }
    product *= axis.size() == 1 ? apart : std::min(apart, span);
  }
  return product;
}

double NestCounts::fetches(const MapTensor& tensor, std::size_t t, std::size_t k) const {
  const double size = tile_words_at(tensor, nest[k].tile);
  for (std::size_t j = k; j-- > 0;) {
    const Dataflow::Reuse& reuse = nest[j].flow->reuse[t];
    if (reuse.stop < 0) continue;
    double loops = nest[j].steps;
    for (std::uint32_t left = reuse.dropped; left != 0; left &= left - 1) {
      loops /= nest[j].temporal[static_cast<std::size_t>(__builtin_ctz(left))];
    }
    if (!reuse.slides) return size * loops;
    const auto d = static_cast<std::size_t>(reuse.stop);
    const double n = nest[j].temporal[d];
    double stays = 1;
    for (const TensorAxis& axis : tensor.axes) {
      double overlap = tile_extent(axis, nest[k].tile);
      for (const AxisPart& part : axis) {
        if (part.dim == reuse.stop) {
          overlap -= static_cast<double>(part.coefficient) * nest[j + 1].tile[d] * nest[j + 1].split[d];
        }
      }
      stays *= std::max(overlap, 0.0);
    }
    return (size + (n - 1) * (size - stays)) * (loops / n);
  }
  return size;
}

double NestCounts::groups_between(const MapTensor& tensor, std::size_t p, std::size_t k) const {
  double apart = 1;
  std::vector<SpatialLoop> moves;
  for (std::size_t j = p + 1; j <= k; ++j) {
    const MapLevel& level = hierarchy.levels[nest[j].level];
    const bool merges = tensor.output ? level.reduction : level.multicast;
    for (std::size_t d = 0; d < dims; ++d) {
      const std::int64_t n = nest[j].split[d];
      if (n == 1) continue;
      if (!merges || (!tensor.windows && tensor.uses(static_cast<int>(d)))) {
        apart *= static_cast<double>(n);
      } else if (tensor.windows) {
        moves.push_back({static_cast<int>(d), n, nest[j].tile[d]});
      }
    }
  }
  return moves.empty() ? apart : apart * distinct_positions(tensor, moves);
}

NestCounts::Service NestCounts::service_of(const MapTensor& tensor, std::size_t parent_level, std::size_t k) const {
  Service service;
  service.parent = nest_index(parent_level);
  service.groups = groups_between(tensor, service.parent, k);
  if (tensor.output) {
    service.parent_touches = first_touches(tensor, service.parent);
    service.own_touches = first_touches(tensor, k);
  }
  return service;
}

void NestCounts::serve(const MapTensor& tensor, const Service& service, double requests, Counts& counts) const {
  const Placed& at = nest[service.parent];
  const MapLevel& level = hierarchy.levels[at.level];
  if (tensor.output) {
    const double reads = std::max(0.0, requests - service.parent_touches);
    counts.reads[at.level] += reads;
    counts.writes[at.level] += requests;
    counts.energy += (requests * level.update_pj + reads * level.read_pj) * at.instances;
  } else {
    counts.reads[at.level] += requests;
    counts.energy += requests * level.read_pj * at.instances;
  }
}

void NestCounts::count_units(std::size_t k, Counts& counts) const {
  for (const KeptHere& unit : stages[k - 1].compute) {
    const MapTensor& tensor = problem.tensors[unit.tensor];
    const Service service = service_of(tensor, unit.parent, k);
    serve(tensor, service, macs / nest[k].instances * service.groups, counts);
  }
}

void NestCounts::count_kept(std::size_t k, const Service* services, Counts& counts) const {
  const Stage& stage = stages[k - 1];
  const double write_pj = hierarchy.levels[stage.level].write_pj;
  for (std::size_t i = 0; i < stage.kept.size(); ++i) {
    const MapTensor& tensor = problem.tensors[stage.kept[i].tensor];
    const double fetched = fetches(tensor, stage.kept[i].tensor, k);
    const double fills = tensor.output ? std::max(0.0, fetched - services[i].own_touches) : fetched;
    counts.writes[stage.level] += fills;
    counts.energy += fills * write_pj * nest[k].instances;
    serve(tensor, services[i], fetched * services[i].groups, counts);
  }
}

void NestCounts::count_ragged(std::size_t k, const std::vector<KeptHere>& asking, bool units, Counts& counts) const {
  const RaggedDim* all = chains.data();
  for (const KeptHere& each : asking) {
    const MapTensor& tensor = problem.tensors[each.tensor];
    const std::size_t parent = nest_index(each.parent);
    const MapLevel& own = hierarchy.levels[nest[k].level];
    const MapLevel& level = hierarchy.levels[nest[parent].level];
    RaggedFetch fetch;
    for (std::size_t j = k; j-- > 0 && !units && fetch.slide_dim < 0;) {
      const Dataflow::Reuse& reuse = nest[j].flow->reuse[each.tensor];
      for (std::uint32_t left = reuse.dropped; left != 0; left &= left - 1) {
        fetch.dropped[static_cast<std::size_t>(__builtin_ctz(left))] |= 1U << j;
      }
      fetch.slide_dim = reuse.stop;
      fetch.slide_level = j;
    }
    std::uint32_t merges = 0;
    for (std::size_t j = parent + 1; j <= k; ++j) {
      const MapLevel& below = hierarchy.levels[nest[j].level];
      if (tensor.output ? below.reduction : below.multicast) merges |= 1U << j;
    }
    const double share = tensor.windows ? ragged_sharing(tensor, all, parent, k, merges) : 1;
    for (const bool first : {true, false}) {
      std::array<std::uint32_t, kMostMapDims> here{}, asked{};
      for (std::size_t d = 0; d < dims; ++d) {
        if (first) {
          here[d] = (2U << k) - 1U;
          asked[d] = (2U << parent) - 1U;
        }
        if (!tensor.uses(static_cast<int>(d))) asked[d] |= merges;
      }
      double reads =
          share * (units ? ragged_steps(all, dims, asked) : ragged_words(tensor, all, dims, k, fetch, asked));
      double fills = units ? 0 : ragged_words(tensor, all, dims, k, fetch, here);
      double updates = 0;
      if (tensor.output) {
        updates = reads;
        reads -= ragged_touches(tensor, all, dims, parent, first);
        if (!units) fills -= ragged_touches(tensor, all, dims, k, first);
      }
      if (first) {
        counts.reads[nest[parent].level] += reads;
        counts.writes[nest[parent].level] += updates;
        counts.writes[nest[k].level] += fills;
      } else {
        counts.energy += reads * level.read_pj + updates * level.update_pj + fills * own.write_pj;
      }
    }
  }
}

NestCounts::Outer NestCounts::outer_loops(std::size_t k) const {
  Outer outer;
  for (std::size_t t = 0; t < tensors; ++t) {
    outer.all[t] = outer.passing[t] = 1;
    bool running = true;
    for (std::size_t j = k - 1; j-- > 0;) {
      const Dataflow::Reuse& reuse = nest[j].flow->reuse[t];
      for (std::size_t d = 0; d < dims; ++d) {
        const double n = nest[j].temporal[d];
        if (n == 1 || problem.tensors[t].uses(static_cast<int>(d))) continue;
        outer.all[t] *= n;
        if (!running || (reuse.stop >= 0 && (reuse.dropped >> d & 1U) == 0)) outer.passing[t] *= n;
      }
      running = running && reuse.stop < 0;
    }
  }
  return outer;
}

void NestCounts::words_once(std::size_t stage, const Pair& pair, std::vector<double>& list) const {
  for (const bool twin : {false, true}) {
    if (twin && pair.twin == nullptr) continue;
    const Tile& tile = twin ? *pair.twin : *pair.tile;
    for (const KeptHere& kept : stages[stage + (twin ? 1 : 0)].kept) {
      const MapTensor& tensor = problem.tensors[kept.tensor];
      double once = tile.words[kept.tensor] * tile.own_repeats[kept.tensor];
      if (tensor.windows) once *= slide_share(problem, tensor, tile.sizes, twin ? nullptr : pair.split);
      list.push_back(once);
    }
  }
}

std::vector<NestCounts::Asked> NestCounts::asked_above(std::size_t k) const {
  const Outer outer = outer_loops(k);
  std::vector<Asked> list;
  for (const bool twin : {false, true}) {
    if (twin && (k >= stages.size() || !stages[k].twin)) continue;
    const Stage& stage = stages[twin ? k : k - 1];
    for (const KeptHere& kept : stage.kept) {
      const std::size_t t = kept.tensor;
      const MapTensor& tensor = problem.tensors[t];
      const MapLevel& parent = hierarchy.levels[kept.parent];
      const bool from_twin = twin && kept.parent == stages[k - 1].level;
      constexpr double kNever = std::numeric_limits<double>::infinity();
      list.push_back({&kept, tensor.dims, outer.all[t], outer.passing[t],
                      from_twin ? 0 : nest[nest_index(kept.parent)].instances,
                      tensor.windows ? kNever : space.totals[t] * most_copies[kept.parent][t],
                      tensor.windows ? kNever : space.totals[t] * most_copies[stage.level][t], tensor.output,
                      parent.read_pj, parent.update_pj, hierarchy.levels[stage.level].write_pj,
                      level_ports[kept.parent], level_ports[stage.level]});
    }
  }
  return list;
}

void NestCounts::at_least(std::size_t k, const Pair& pair, const std::vector<Asked>& asked, const double* words,
                          double& energy, PortLoads& loads) const {
  std::uint32_t moving = 0;
  for (std::size_t d = 0; d < dims; ++d) {
    if (nest[k - 1].tile[d] != pair.tile->sizes[d] * pair.split->sizes[d]) moving |= 1U << d;
  }
  const double instances = nest[k - 1].instances * pair.split->instances;
  for (const Asked& each : asked) {
    const std::size_t t = each.kept->tensor;
    // Each different word of the stage's instances once for each of these iterations.
    const double once = *words++ * ((moving & each.dims) != 0 ? each.all : each.passing);
    double fills = once * pair.serving->least_shared[t];
    double reads = each.above == 0 ? fills : once * pair.serving->per_different[t] * each.kept->passed_different;
    double updates = 0;
    if (each.output) {
      updates = reads;
      reads = std::max(0.0, reads - each.first_reads);
      fills = std::max(0.0, fills - each.first_fills);
    }
    energy += reads * each.read_pj + updates * each.update_pj + fills * each.write_pj;
    const double above = each.above == 0 ? instances : each.above;
    loads[each.parent.read] += reads / above;
    loads[each.parent.write] += updates / above;
    loads[each.parent.shared] += (reads + updates) / above;
    loads[each.own.write] += fills / instances;
    loads[each.own.shared] += fills / instances;
  }
}

}  // namespace accsim::sched
