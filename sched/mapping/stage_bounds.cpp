#include "sched/mapping/stage_bounds.h"

#include <algorithm>
#include <cmath>

namespace accsim::sched {
namespace {

// No dimension moves several axes.
bool simple_axes(const MapTensor& tensor) {
  std::uint32_t seen = 0;
  for (const TensorAxis& axis : tensor.axes) {
    for (const AxisPart& part : axis) {
      if ((seen >> part.dim & 1U) != 0) return false;
      seen |= 1U << part.dim;
    }
  }
  return true;
}

}  // namespace

void add_point(std::vector<RestPoint>& points, const RestPoint& point) {
  const auto covers = [](const RestPoint& a, const RestPoint& b) {
    return a.energy <= b.energy && a.cycles <= b.cycles && a.instances >= b.instances;
  };
  for (const RestPoint& old : points) {
    if (covers(old, point)) return;
  }
  points.erase(std::remove_if(points.begin(), points.end(), [&](const RestPoint& old) { return covers(point, old); }),
               points.end());
  points.push_back(point);
}

double tile_extent(const TensorAxis& axis, const Sizes& sizes) {
  std::int64_t extent = 1;
  for (const AxisPart& part : axis) extent += part.coefficient * (sizes[static_cast<std::size_t>(part.dim)] - 1);
  return static_cast<double>(extent);
}

StageBounds::StageBounds(const SearchSpace& s, const std::vector<std::uint32_t>& p)
    : space(s),
      placement(p),
      hierarchy(s.hierarchy),
      problem(s.problem),
      levels(s.hierarchy.levels.size()),
      dims(s.problem.dims.size()),
      tensors(s.problem.tensors.size()) {
  macs = problem.macs();
  base = macs * hierarchy.mac_pj;
  build_stages();
  bound_rest();
}

void StageBounds::build_stages() {
  const auto meshes = [&](std::size_t from, std::size_t to) {  // instances of levels from .. to - 1
    double product = 1;
    for (std::size_t l = from; l < to; ++l) {
      product *= static_cast<double>(hierarchy.levels[l].mesh[0] * hierarchy.levels[l].mesh[1]);
    }
    return product;
  };
  const auto parent_of = [&](std::size_t t, std::size_t level) {
    std::size_t parent = 0;
    for (std::size_t l = 0; l < level; ++l) parent = (placement[t] >> l & 1U) != 0 ? l : parent;
    return parent;
  };
  const auto kept_here = [&](std::size_t t, std::size_t parent, std::size_t below) {
    KeptHere here{t, parent, 1, 1, level_ports[parent]};
    for (std::size_t l = parent + 1; l < below; ++l) {
      const bool merges = problem.tensors[t].output ? hierarchy.levels[l].reduction : hierarchy.levels[l].multicast;
      if (merges && problem.tensors[t].windows) {  // a window may move over several meshes at once
        here.passed /= mesh_size(l);
        here.passed_different /= mesh_size(l);
      } else {
        here.passed *= space.best_servings[l].per_instance[t];
        here.passed_different *= space.best_servings[l].per_different[t];
      }
    }
    return here;
  };
  rates.assign(1, 0);
  std::vector<Ports>& ports = level_ports;
  ports.resize(levels);
  most_copies.assign(levels, std::vector<double>(tensors, 1));
  for (std::size_t l = 0; l < levels; ++l) {
    const MapLevel& level = hierarchy.levels[l];
    const auto port = [&](double rate) {
      if (rate <= 0) return std::size_t{0};
      rates.push_back(rate);
      return rates.size() - 1;
    };
    ports[l] = {port(level.read_rate), port(level.write_rate), port(level.shared_rate), meshes(0, l + 1)};
    if (l + 1 < levels && mesh_size(l) > 1) other_meshes = true;
    for (std::size_t t = 0; t < tensors; ++t) {
      most_copies[l][t] = (l == 0 ? 1 : most_copies[l - 1][t]) * space.best_servings[l].most_shared[t];
    }
  }
  for (std::size_t l = 1; l < levels; ++l) {
    if (!space.is_stage(placement, l)) continue;
    Stage stage;
    stage.level = l;
    stage.ports = ports[l];
    for (std::size_t t = 0; t < tensors; ++t) {
      if ((placement[t] >> l & 1U) != 0) {
        const std::size_t parent = parent_of(t, l);
        stage.kept.push_back(kept_here(t, parent, l));
        stage.windows = stage.windows || problem.tensors[t].windows;
      }
      if (l + 1 == levels) {
        const std::size_t parent = parent_of(t, levels);
        KeptHere unit = kept_here(t, parent, l);
        if (parent == l) unit.ports.instances = meshes(0, l);
        stage.compute.push_back(unit);
      }
    }
    const std::uint32_t kept = space.kept_at(placement, l);
    stage.kept_set = kept;
    stage.twin = space.is_twin(l);
    stage.tiles = &space.tiles.at({l, kept});
    stage.splits = &space.splits[l];
    stage.classes = &space.classes[l];
    if (l + 1 == levels && !space.constraints.fixes_loops(l)) {
      for (std::size_t d = 0; d < dims; ++d) {
        bool used = false;
        for (std::size_t t = 0; t < tensors; ++t) {
          used = used || ((kept >> t & 1U) != 0 && problem.tensors[t].uses(static_cast<int>(d)));
        }
        if (!used) stage.canonical_free |= 1U << d;
      }
    }
    for (const Split& split : *stage.splits) stage.most_instances = std::max(stage.most_instances, split.instances);
    stages.push_back(std::move(stage));
  }
  for (std::size_t k = 0; k < stages.size(); ++k) {
    if (!stages[k].twin) stages[k].table = table_of(k);
  }
}

std::shared_ptr<const StageTable> StageBounds::table_of(std::size_t k) const {
  const Stage& stage = stages[k];
  const Stage* twin = k + 1 < stages.size() && stages[k + 1].twin ? &stages[k + 1] : nullptr;
  std::vector<std::uint32_t> key;
  for (const Stage* s : {&stage, twin}) {
    if (s == nullptr) continue;
    key.insert(key.end(), {static_cast<std::uint32_t>(s->level), s->kept_set});
    for (const std::vector<KeptHere>* asking : {&s->kept, &s->compute}) {
      for (const KeptHere& each : *asking) key.push_back(static_cast<std::uint32_t>(each.parent));
    }
  }
  {
    const std::lock_guard lock(space.tables_guard);
    const auto it = space.tables.find(key);
    if (it != space.tables.end()) return it->second;
  }
  auto table = std::make_shared<StageTable>();
  const auto keep = [&](const PortLoads& loads) {
    table->loads.insert(table->loads.end(), loads.begin(), loads.begin() + static_cast<std::ptrdiff_t>(rates.size()));
    return table->loads.size() - rates.size();
  };
  table->least_loads.fill(std::numeric_limits<double>::infinity());
  for (const Tile& tile : *stage.tiles) {
    StageTable::Entry entry{&tile, nullptr, 0, 0, 0, 0, 0, 0};
    Cost cost = relaxed(stage, tile_words_of(stage, tile, nullptr), space.best_servings[stage.level]);
    if (twin != nullptr) {
      entry.twin = space.find_tile(twin->level, twin->kept_set, tile.sizes);
      if (entry.twin == nullptr) continue;  // does not fit
      const Cost below = relaxed(*twin, tile_words_of(*twin, *entry.twin, nullptr), twin->classes->front().serving);
      entry.twin_energy = below.energy;
      entry.twin_cycles = below.cycles;
      entry.twin_loads = keep(below.loads);
      cost.energy += below.energy;
      cost.cycles = std::max(cost.cycles, below.cycles);
      add_loads(cost.loads, below.loads);
    }
    entry.energy = cost.energy;
    entry.cycles = cost.cycles;
    entry.loads = keep(cost.loads);
    table->entries.push_back(entry);
    table->least_energy = std::min(table->least_energy, cost.energy);
    table->least_cycles = std::min(table->least_cycles, cost.cycles);
    for (std::size_t i = 1; i < rates.size(); ++i) {
      table->least_loads[i] = std::min(table->least_loads[i], cost.loads[i]);
    }
  }
  std::stable_sort(table->entries.begin(), table->entries.end(),
                   [](const StageTable::Entry& a, const StageTable::Entry& b) { return a.energy < b.energy; });
  const std::lock_guard lock(space.tables_guard);
  return space.tables.emplace(std::move(key), std::move(table)).first->second;
}

void StageBounds::bound_rest() {
  rest_energy.assign(stages.size() + 1, 0);
  rest_cycles.assign(stages.size() + 1, 0);
  rest_instances.assign(stages.size() + 1, 1);
  rest_loads.assign(stages.size() + 1, {});
  for (std::size_t k = stages.size(); k-- > 0;) {
    rest_energy[k] = rest_energy[k + 1];
    rest_cycles[k] = rest_cycles[k + 1];
    rest_instances[k] = rest_instances[k + 1] * stages[k].most_instances;
    rest_loads[k] = rest_loads[k + 1];
    if (stages[k].table == nullptr) continue;
    rest_energy[k] += stages[k].table->least_energy;
    rest_cycles[k] = std::max(rest_cycles[k], stages[k].table->least_cycles);
    add_loads(rest_loads[k], stages[k].table->least_loads);
    rest_cycles[k] = std::max(rest_cycles[k], port_cycles(rest_loads[k].data()));
  }
}

// Best halo credit: share of the words that is fetched anew when the dimension with most overlap slides.
double StageBounds::slide_share(const MapTensor& tensor, const Tile& tile, const Split* split) const {
  if (!simple_axes(tensor)) return 0;
  double best = 1;
  for (const TensorAxis& axis : tensor.axes) {
    if (axis.size() == 1) continue;
    const double extent = tile_extent(axis, tile.sizes);
    for (const AxisPart& part : axis) {
      const auto d = static_cast<std::size_t>(part.dim);
      const double size = static_cast<double>(tile.sizes[d]) * (split != nullptr ? split->sizes[d] : 1);
      const double move = static_cast<double>(part.coefficient) * size;
      const double n = static_cast<double>(problem.dims[d].size) / size;
      if (n <= 1 || move >= extent) continue;
      best = std::min(best, (extent + (n - 1) * move) / (extent * n));
    }
  }
  return best;
}

// With remainders the number of tiles is only known to be at least dimension / tile. A tile has at least as many words
// along an axis as indices of any dimension of it; sliding along one brings at least its new indices.
double StageBounds::ragged_words_at_least(const MapTensor& tensor, const Tile& tile) const {
  double product = 1;
  for (const TensorAxis& axis : tensor.axes) {
    double most = 0, least = std::numeric_limits<double>::infinity();
    for (const AxisPart& slide : axis) {
      const auto j = static_cast<std::size_t>(slide.dim);
      double words = static_cast<double>(problem.dims[j].size);
      for (const AxisPart& part : axis) {
        const auto i = static_cast<std::size_t>(part.dim);
        if (i != j) words *= static_cast<double>(problem.dims[i].size) / tile.sizes[i];
      }
      most = std::max(most, words);
      if (tile.sizes[j] < problem.dims[j].size) least = std::min(least, words);
    }
    product *= std::min(least, most);
  }
  return product;
}

StageBounds::TileWords StageBounds::tile_words_of(const Stage& stage, const Tile& tile, const Split* split) const {
  TileWords out;
  for (const KeptHere& kept : stage.kept) {
    const std::size_t t = kept.tensor;
    if (space.imperfect && problem.tensors[t].strided) {
      const double words = ragged_words_at_least(problem.tensors[t], tile);
      out.all[t] = words * tile.repeats / tile.own_repeats[t];
      out.once[t] = words;
      continue;
    }
    const double share = problem.tensors[t].windows ? slide_share(problem.tensors[t], tile, split) : 1;
    out.all[t] = tile.words[t] * tile.repeats * share;
    out.once[t] = tile.words[t] * tile.own_repeats[t] * share;
  }
  return out;
}
Cost StageBounds::relaxed(const Stage& stage, const TileWords& tile, const SearchSpace::Serving& serving) const {
  struct Words {
    double energy, reads, updates, fills;  // the words of one instance
  };
  Words moved[kMostMapTensors][2];  // nothing dropped, the whole run dropped
  const MapLevel& own = hierarchy.levels[stage.level];
  for (const KeptHere& kept : stage.kept) {
    const std::size_t t = kept.tensor;
    const MapTensor& tensor = problem.tensors[t];
    const MapLevel& parent = hierarchy.levels[kept.parent];
    const double all = tile.all[t], once = tile.once[t];
    const double asked[2] = {all * serving.per_instance[t] * kept.passed,
                             once * serving.per_different[t] * kept.passed_different};
    const double filled[2] = {all, once * serving.least_shared[t]};
    for (int i = 0; i < 2; ++i) {
      double reads = asked[i], updates = 0, fills = filled[i];
      if (tensor.output) {
        updates = asked[i];
        if (tensor.windows) {
          reads = fills = 0;
        } else {  // an instance touches each of its words for the first time once
          const double above = stage.level > 0 ? most_copies[stage.level - 1][t] : 1;
          reads = std::max(0.0, asked[i] - space.totals[t] * most_copies[kept.parent][t]);
          fills = std::max(0.0, filled[i] - space.totals[t] * above * serving.most_shared[t]);
        }
      }
      moved[t][i] = {reads * parent.read_pj + updates * parent.update_pj + fills * own.write_pj,
                     reads / kept.ports.instances, updates / kept.ports.instances, fills / stage.ports.instances};
    }
  }
  Words units[kMostMapTensors];
  double fixed = 0;
  for (const KeptHere& unit : stage.compute) {
    const std::size_t t = unit.tensor;
    const MapTensor& tensor = problem.tensors[t];
    const MapLevel& parent = hierarchy.levels[unit.parent];
    const bool here = unit.parent == stage.level;
    const double asked = here ? macs : macs * serving.per_instance[t] * unit.passed;
    double reads = asked, updates = 0;
    if (tensor.output) {
      const double above = here && stage.level > 0 ? most_copies[stage.level - 1][t] : most_copies[unit.parent][t];
      const double most_first = space.totals[t] * above * (here ? serving.most_shared[t] : 1);
      updates = asked;
      reads = tensor.windows ? 0 : std::max(0.0, asked - most_first);
    }
    const double instances = unit.ports.instances * (here ? mesh_size(stage.level) : 1);
    units[t] = {reads * parent.read_pj + updates * parent.update_pj, reads / instances, updates / instances, 0};
    fixed += units[t].energy;
  }
  Cost cost;
  bool first = true;
  for (const std::uint32_t set : space.drop_sets) {
    double energy = fixed;
    double ports[kMostPorts];
    std::fill_n(ports, rates.size(), 0.0);
    for (const KeptHere& kept : stage.kept) {
      const Words& w = moved[kept.tensor][set >> kept.tensor & 1U];
      energy += w.energy;
      ports[kept.ports.read] += w.reads;
      ports[kept.ports.write] += w.updates;
      ports[kept.ports.shared] += w.reads + w.updates;
      ports[stage.ports.write] += w.fills;
      ports[stage.ports.shared] += w.fills;
    }
    for (const KeptHere& unit : stage.compute) {
      const Words& w = units[unit.tensor];
      ports[unit.ports.read] += w.reads;
      ports[unit.ports.write] += w.updates;
      ports[unit.ports.shared] += w.reads + w.updates;
    }
    double cycles = 0;
    for (std::size_t i = 1; i < rates.size(); ++i) {
      cycles = std::max(cycles, ports[i] / rates[i]);
      cost.loads[i] = first ? ports[i] : std::min(cost.loads[i], ports[i]);
    }
    first = false;
    cost.energy = std::min(cost.energy, energy);
    cost.cycles = std::min(cost.cycles, cycles);
  }
  cost.cycles = std::ceil(cost.cycles * kBoundRounding);
  return cost;
}

bool StageBounds::redundant(const Stage& stage, const Tile& tile, const Split& split) const {
  const std::uint32_t useful = other_meshes ? ~0U : split.joint_dims;
  for (std::uint32_t dims_left = stage.canonical_free; dims_left != 0; dims_left &= dims_left - 1) {
    const auto d = static_cast<std::size_t>(__builtin_ctz(dims_left));
    if (tile.sizes[d] > 1 && (split.sizes[d] == 1 || (useful >> d & 1U) == 0)) return true;
  }
  return false;
}

double StageBounds::mesh_size(std::size_t level) const {
  return static_cast<double>(hierarchy.levels[level].mesh[0] * hierarchy.levels[level].mesh[1]);
}

}  // namespace accsim::sched
