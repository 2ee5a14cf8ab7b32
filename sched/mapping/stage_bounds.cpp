#include "sched/mapping/stage_bounds.h"

#include <algorithm>
#include <cmath>

namespace accsim::sched {
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
    KeptHere here{t, parent, 1, 1, level_ports[parent], space.totals[t] * most_copies[parent][t]};
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
      pace[rates.size() - 1] = 1 / rate;
      return rates.size() - 1;
    };
    ports[l] = {port(level.read_rate), port(level.write_rate), port(level.shared_rate), meshes(0, l + 1),
                1 / meshes(0, l + 1)};
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
  table->entries.reserve(stage.tiles->size());
  table->energies.reserve(stage.tiles->size());
  table->loads.reserve(stage.tiles->size() * rates.size() * (twin != nullptr ? 2 : 1));
  for (const Tile* each : *stage.tiles) {
    const Tile& tile = *each;
    StageTable::Entry entry{&tile, nullptr, 0, 0, 0, 0, 0, 0};
    Cost cost = relaxed(stage, tile_words_of(stage, tile, nullptr), space.best_servings[stage.level]);
    if (twin != nullptr) {
      if (!space.fits(twin->level, twin->kept_set, tile)) continue;
      entry.twin = &tile;
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
    table->energies.push_back(entry.energy);
    table->least_energy = std::min(table->least_energy, cost.energy);
    table->least_cycles = std::min(table->least_cycles, cost.cycles);
    for (std::size_t i = 1; i < rates.size(); ++i) {
      table->least_loads[i] = std::min(table->least_loads[i], cost.loads[i]);
    }
  }
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

StageBounds::TileWords StageBounds::tile_words_of(const Stage& stage, const Tile& tile, const Split* split) const {
  TileWords out;
  for (const KeptHere& kept : stage.kept) {
    const std::size_t t = kept.tensor;
    out.all[t] = tile.all[t];
    out.once[t] = tile.once[t];
    if (split == nullptr || !problem.tensors[t].windows || (space.imperfect && problem.tensors[t].strided)) continue;
    const double share = slide_share(problem, problem.tensors[t], tile.sizes, split);
    out.all[t] = tile.words[t] * tile.repeats * share;
    out.once[t] = tile.words[t] * tile.own_repeats[t] * share;
  }
  return out;
}

// `ports`: at least the limited ones; loops of a fixed length are fast.
template <std::size_t ports>
Cost StageBounds::relaxed_over(const Stage& stage, const TileWords& tile, const SearchSpace::Serving& serving) const {
  struct Moved {
    double energy;
    std::array<double, ports> loads;
  };
  Moved moved[kMostMapTensors][2];  // nothing dropped, the whole run dropped; in the order of stage.kept
  const MapLevel& own = hierarchy.levels[stage.level];
  for (std::size_t j = 0; j < stage.kept.size(); ++j) {
    const KeptHere& kept = stage.kept[j];
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
          reads = std::max(0.0, asked[i] - kept.first_reads);
          fills = std::max(0.0, filled[i] - space.totals[t] * most_copies[stage.level - 1][t] * serving.most_shared[t]);
        }
      }
      Moved& m = moved[j][i];
      m.energy = reads * parent.read_pj + updates * parent.update_pj + fills * own.write_pj;
      m.loads.fill(0);
      const double each = kept.ports.part, fill = fills * stage.ports.part;
      m.loads[kept.ports.read] += reads * each;
      m.loads[kept.ports.write] += updates * each;
      m.loads[kept.ports.shared] += (reads + updates) * each;
      m.loads[stage.ports.write] += fill;
      m.loads[stage.ports.shared] += fill;
    }
  }
  Moved units{};  // what the units ask for: the same in every order
  for (const KeptHere& unit : stage.compute) {
    const std::size_t t = unit.tensor;
    const MapTensor& tensor = problem.tensors[t];
    const MapLevel& parent = hierarchy.levels[unit.parent];
    const bool here = unit.parent == stage.level;
    const double asked = here ? macs : macs * serving.per_instance[t] * unit.passed;
    double reads = asked, updates = 0;
    if (tensor.output) {
      const double most_first =
          here ? space.totals[t] * most_copies[stage.level - 1][t] * serving.most_shared[t] : unit.first_reads;
      updates = asked;
      reads = tensor.windows ? 0 : std::max(0.0, asked - most_first);
    }
    const double each = unit.ports.part;
    units.energy += reads * parent.read_pj + updates * parent.update_pj;
    units.loads[unit.ports.read] += reads * each;
    units.loads[unit.ports.write] += updates * each;
    units.loads[unit.ports.shared] += (reads + updates) * each;
  }
  Cost cost;
  std::array<double, ports> least;
  least.fill(std::numeric_limits<double>::infinity());
  for (const std::uint32_t set : space.drop_sets) {
    double energy = units.energy;
    std::array<double, ports> loads = units.loads;
    for (std::size_t j = 0; j < stage.kept.size(); ++j) {
      const Moved& m = moved[j][set >> stage.kept[j].tensor & 1U];
      energy += m.energy;
      for (std::size_t i = 0; i < ports; ++i) loads[i] += m.loads[i];
    }
    double cycles = 0;
    for (std::size_t i = 0; i < ports; ++i) {
      cycles = std::max(cycles, loads[i] * pace[i]);
      least[i] = std::min(least[i], loads[i]);
    }
    cost.energy = std::min(cost.energy, energy);
    cost.cycles = std::min(cost.cycles, cycles);
  }
  std::copy(least.begin(), least.end(), cost.loads.begin());
  cost.cycles = std::ceil(cost.cycles * kBoundRounding);
  return cost;
}

Cost StageBounds::relaxed(const Stage& stage, const TileWords& tile, const SearchSpace::Serving& serving) const {
  return rates.size() <= kFewPorts ? relaxed_over<kFewPorts>(stage, tile, serving)
                                   : relaxed_over<kMostPorts>(stage, tile, serving);
}

bool StageBounds::redundant(const Stage& stage, const Tile& tile, const Split& split) const {
  // Remainders: the tile decides which instances idle in the last block.
  const std::uint32_t useful = other_meshes || space.imperfect ? ~0U : split.joint_dims;
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
