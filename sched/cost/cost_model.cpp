#include "sched/cost/cost_model.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "model/arch/noc_placement.h"
#include "model/base/error.h"
#include "model/schedule/chip_homes.h"
#include "model/schedule/split.h"
#include "sched/cost/fused_counts.h"
#include "sched/cost/operator_evaluator.h"

namespace accsim::sched {

using namespace model;

std::string_view name_of(Feature feature) {
  constexpr std::array<std::string_view, kFeatures> kNames{
      "array_cycles",      "array_passes",     "array_conflicts",   "vector_cycles",    "vector_operations",
      "load_bytes_long",   "load_bytes_short", "load_on_chip",      "load_descriptors", "store_bytes_long",
      "store_bytes_short", "store_on_chip",    "store_descriptors", "start_up",         "drain"};
  return kNames[static_cast<std::size_t>(feature)];
}

double Prediction::total_energy_pj() const {
  double sum = 0;
  for (const double pj : energy_pj) sum += pj;
  return sum;
}

EngineCycles engine_cycles(const CostCoefficients& coefficients, const GroupFeatures& features) {
  const auto term = [&](Feature f) { return at(coefficients.cycles, f) * at(features.cycles, f); };
  EngineCycles e;
  e.array = term(Feature::array_cycles) + term(Feature::array_passes) + term(Feature::array_conflicts);
  e.vector = term(Feature::vector_cycles) + term(Feature::vector_operations);
  const double chip_loads = term(Feature::load_on_chip);
  const double chip_stores = term(Feature::store_on_chip);
  e.load =
      term(Feature::load_bytes_long) + term(Feature::load_bytes_short) + term(Feature::load_descriptors) + chip_loads;
  e.store = term(Feature::store_bytes_long) + term(Feature::store_bytes_short) + term(Feature::store_descriptors) +
            chip_stores;
  const double array = e.array * (1 - features.array_last);
  const double vector = e.vector * (1 - features.vector_last);
  const double load = e.load * (1 - features.load_first);
  const double store = e.store * (1 - features.store_last);
  const double shared = coefficients.shared_dram * (std::max(0.0, load - chip_loads) * features.load_share +
                                                    std::max(0.0, store - chip_stores) * features.store_share);
  e.memory = std::max({features.serial ? load + store : std::max(load, store), shared, features.home_cycles});
  e.longest = std::max({array, vector, e.memory});
  e.hidden = array + vector + e.memory - e.longest;
  if (features.serial) {
    e.longest += e.hidden;
    e.hidden = 0;
  }
  e.cycles = term(Feature::start_up) + e.longest + coefficients.exposed * e.hidden + term(Feature::drain);
  const double memory_busy = std::max({e.load, e.store, e.memory});
  e.bound_by = memory_busy >= e.array && memory_busy >= e.vector ? "dram" : e.array >= e.vector ? "array" : "vector";
  return e;
}

TensorHome home_of(const Tensor& root, Home home, const Architecture& arch) {
  if (home == Home::dram) return {};
  const std::vector<HomePiece> pieces = home_pieces(root, home == Home::global_buffer ? 1 : arch.core_count());
  return {home, pieces.empty() ? 0 : pieces.front().bytes, std::max(1.0, static_cast<double>(pieces.size()))};
}

TensorHomes homes_of(const Schedule& schedule, const Network& network, const Architecture& arch) {
  std::map<std::string, TensorId> by_name;
  for (const Tensor& tensor : network.tensors) by_name.emplace(tensor.name, tensor.storage);
  TensorHomes homes;
  for (const Group& group : schedule.groups)
    for (const auto& [name, home] : group.homes)
      if (home != Home::dram) homes.emplace(by_name.at(name), home_of(network.tensor(by_name.at(name)), home, arch));
  return homes;
}

CostModel::CostModel(const Architecture& arch, CostCoefficients coefficients)
    : arch_(&arch), coefficients_(coefficients), dram_(dram_rates(arch)) {
  const auto check = [](double c) {
    if (!(c >= 0)) throw InternalError("a cost coefficient is negative");
  };
  std::for_each(coefficients_.cycles.begin(), coefficients_.cycles.end(), check);
  std::for_each(coefficients_.energy.begin(), coefficients_.energy.end(), check);
  check(coefficients_.shared_dram);
  check(coefficients_.exposed);
  check(coefficients_.dram_standby);
  if (coefficients_.exposed > 1) throw InternalError("more than all of the hidden time is exposed");
  leakage_pj_cycle_ = rates(arch.core_types.front()).leakage_cycle;
  fill_multicast();
}

// The mean over the DRAM's channels of what a burst to the first cores takes, and its request.
void CostModel::fill_multicast() {
  const NocPlacement placement = place_nodes(*arch_);
  const auto flit_pj = arch_->energy.noc_pj_byte_hop * static_cast<double>(arch_->noc.flit_bytes);
  const auto flits = static_cast<double>(ceil_div(dram_.burst_bytes, arch_->noc.flit_bytes));
  std::vector<std::int64_t> cores;
  multicast_pj_.push_back(0);
  for (std::int64_t core = 0; core < arch_->core_count(); ++core) {
    cores.push_back(core);
    std::int64_t hops = 0;
    std::int64_t request = 0;
    for (std::int64_t c = 0; c < arch_->dram.channels; ++c) {
      hops += multicast_hops(*arch_, placement, arch_->node_of_channel(c), cores);
      request += routers_passed(*arch_, placement, 0, arch_->node_of_channel(c));
    }
    const auto channels = static_cast<double>(arch_->dram.channels);
    multicast_pj_.push_back(flit_pj * (static_cast<double>(hops) * flits + static_cast<double>(request)) / channels);
  }
}

MachineRates CostModel::rates(const CoreConfig& core, std::size_t cores) const {
  MachineRates r = rates(core);
  r.active_cores = static_cast<double>(cores);
  r.noc_multicast = multicast_pj_[cores];
  return r;
}

CostModel::Figures CostModel::figures(const GroupFeatures& features) const {
  const double cycles = engine_cycles(coefficients_, features).cycles;
  double pj = 0;
  for (std::size_t b = 0; b < kEnergyBlocks; ++b) pj += coefficients_.energy[b] * features.action_pj[b];
  const double idle_pj_cycle =
      coefficients_.energy[static_cast<std::size_t>(EnergyBlock::leakage)] * leakage_pj_cycle_ +
      coefficients_.dram_standby * dram_.standby_pj_cycle;
  return {cycles, pj + cycles * idle_pj_cycle};
}

Prediction CostModel::combine(const GroupFeatures& features) const {
  const EngineCycles engines = engine_cycles(coefficients_, features);
  Prediction p;
  p.group = features;
  p.array = engines.array;
  p.vector = engines.vector;
  p.load = engines.load;
  p.store = engines.store;
  p.cycles = engines.cycles;
  p.bound_by = engines.bound_by;
  for (std::size_t b = 0; b < kEnergyBlocks; ++b) p.energy_pj[b] = coefficients_.energy[b] * features.action_pj[b];
  const auto leakage = static_cast<std::size_t>(EnergyBlock::leakage);
  p.energy_pj[leakage] += coefficients_.energy[leakage] * leakage_pj_cycle_ * p.cycles;
  p.energy_pj[static_cast<std::size_t>(EnergyBlock::dram)] +=
      coefficients_.dram_standby * dram_.standby_pj_cycle * p.cycles;
  return p;
}

Prediction CostModel::predict(const Network& network, OpId op, const OperatorMapping& mapping,
                              const CoreConfig& core) const {
  if (is_alias(network.op(op).type)) return combine(GroupFeatures{});
  const MachineRates r = rates(core);
  return combine(features_from(counts_of(network, op, loop_nests_of(network, op), mapping, core, r), r));
}

Prediction CostModel::predict(const Network& network, OpId op, const OperatorMapping& mapping,
                              const std::vector<std::int64_t>& cores, const std::string& split,
                              const TensorHomes& homes) const {
  const auto config = [&](std::size_t place) -> const CoreConfig& {
    return arch_->core(CoreId(static_cast<std::int32_t>(cores[place])));
  };
  if (cores.empty() || is_alias(network.op(op).type)) return combine(GroupFeatures{});
  const std::vector<LoopNest> nests = loop_nests_of(network, op);
  const std::vector<std::int64_t> weights = core_weights(*arch_, cores);
  if (cores.size() == 1) {
    const MachineRates r = rates(config(0));
    return combine(features_from(counts_of(network, op, nests, mapping, config(0), r, homes), r));
  }
  std::vector<std::size_t> places(cores.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  // Cores of a type that have as much, as far from the borders, do the same.
  std::map<std::tuple<const CoreConfig*, std::int64_t, std::int64_t, std::int64_t>, GroupFeatures> known;
  const auto d = static_cast<std::size_t>(split_dimension(nests.front(), split));
  const std::int64_t extent = nests.front().dims[d].extent;
  const std::vector<Share> shares = shares_of(extent, tile_sizes(nests.front(), mapping)[d], weights);
  constexpr std::int64_t kFar = 8;  // indices, more than a window's padding
  return longest_of(cores, places, [&](std::size_t place, const CoreConfig& core, const MachineRates& r) {
    const Share& share = shares[place];
    const auto [found, is_new] = known.try_emplace(
        {&core, share.size(), std::min(share.low, kFar), std::min(extent - share.high, kFar)}, GroupFeatures{});
    if (is_new)
      found->second = features_from(
          counts_of(network, op, nests_of_core(nests, mapping, split, weights, place), mapping, core, r, homes), r);
    return found->second;
  });
}

Prediction CostModel::predict(const Network& network, const Group& group, const TensorHomes& homes,
                              std::vector<std::size_t> places) const {
  const std::vector<OpId> ops = working_operators(group, network);
  if (ops.empty()) return combine(GroupFeatures{});
  if (ops.size() == 1) return predict(network, ops.front(), group.mappings.front(), group.cores, group.split, homes);
  if (places.empty()) {
    places.resize(group.cores.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
  }
  return longest_of(group.cores, places, [&](std::size_t place, const CoreConfig& core, const MachineRates& r) {
    return features_from(counts_of(FusedGroup(group, network, *arch_, place), network, core, r, homes), r);
  });
}

template <class FeaturesOf>
Prediction CostModel::longest_of(const std::vector<std::int64_t>& cores, const std::vector<std::size_t>& places,
                                 FeaturesOf features_of) const {
  GroupFeatures longest;
  double cycles = -1;
  BlockEnergies actions{};
  EngineCycles busy;
  const auto group = static_cast<double>(cores.size());
  const double each = group / static_cast<double>(places.size());
  for (const std::size_t place : places) {
    const CoreConfig& core = arch_->core(CoreId(static_cast<std::int32_t>(cores[place])));
    const MachineRates r = rates(core, cores.size());
    const GroupFeatures features = features_of(place, core, r);
    for (std::size_t b = 0; b < kEnergyBlocks; ++b) actions[b] += features.action_pj[b] * each;
    const EngineCycles own = engine_cycles(coefficients_, features);
    busy.array += own.array * each;
    busy.vector += own.vector * each;
    busy.load += own.load * each * (1 - features.load_shared * (1 - 1 / group));
    busy.store += own.store * each;
    if (own.cycles <= cycles) continue;
    cycles = own.cycles;
    longest = features;
  }
  longest.action_pj = actions;
  Prediction p = combine(longest);
  p.array = busy.array;
  p.vector = busy.vector;
  p.load = busy.load;
  p.store = busy.store;
  return p;
}

}  // namespace accsim::sched
