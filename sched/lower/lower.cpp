#include "sched/lower/lower.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "model/base/error.h"
#include "model/schedule/split.h"
#include "model/schedule/tiling.h"
#include "sched/lower/chip_memory.h"
#include "sched/lower/dram_map.h"
#include "sched/lower/lower_operator.h"

namespace accsim::sched {

using namespace model;

namespace {

constexpr std::string_view kLowered =
    "this version lowers groups of one operator, on one core or split by rows, columns, channels, batch or heads, with "
    "all tensors in DRAM";

std::optional<ScheduleViolation> not_lowered(const Group& group, const std::map<std::string, OpId>& by_name,
                                             const Network& network) {
  const auto found = [&](const std::string& key, const std::string& what) {
    return ScheduleViolation{"groups[" + std::to_string(group.id.value()) + "]." + key,
                             "found " + what + "; " + std::string(kLowered)};
  };
  const auto working = std::count_if(group.layers.begin(), group.layers.end(), [&](const std::string& layer) {
    return !is_alias(network.op(by_name.at(layer)).type);
  });
  if (working > 1) return found("layers", std::to_string(working) + " operators in one group");
  if (group.split == "reduction" || group.split == "pipeline") return found("split", "\"" + group.split + "\"");
  if (!group.edges.empty()) return found("edges", "inner edges");
  for (const auto& [tensor, home] : group.homes)
    if (home != Home::dram) return found("homes", "a home on the chip for tensor \"" + tensor + "\"");
  return std::nullopt;
}

std::map<std::string, OpId> operators_by_name(const Network& network) {
  std::map<std::string, OpId> by_name;
  for (const Operator& op : network.operators) by_name.emplace(op.name, op.id);
  return by_name;
}

class LoweredSchedule : public ProgramSource {
 public:
  LoweredSchedule(const Schedule& schedule, const Network& network, const Architecture& arch, std::uint64_t seed)
      : schedule_(&schedule),
        network_(&network),
        arch_(&arch),
        seed_(seed),
        dram_(network, arch),
        header_(dram_.header(schedule)),
        by_name_(operators_by_name(network)) {}

  [[nodiscard]] const ProgramHeader& header() const override { return header_; }

  std::optional<GroupProgram> next() override {
    if (next_ == schedule_->groups.size()) return std::nullopt;
    const Group& group = schedule_->groups[next_];
    GroupProgram program;
    program.group = group.id;
    std::optional<OpId> op;
    for (const std::string& layer : group.layers) {
      const OpId id = by_name_.at(layer);
      const std::vector<std::string> names = network_->op(id).layer_names();
      program.layers.insert(program.layers.end(), names.begin(), names.end());
      if (!is_alias(network_->op(id).type)) op = id;
    }
    if (op) lower_group(group, *op, program);
    previous_ = program.buffers;
    ++next_;
    return program;
  }

 private:
  static const OperatorMapping& mapping_of(const Group& group, const std::string& layer) {
    for (const OperatorMapping& mapping : group.mappings)
      if (mapping.layer == layer) return mapping;
    throw InternalError("group " + std::to_string(group.id.value()) + " has no mapping for layer " + layer);
  }

  void lower_group(const Group& group, OpId op, GroupProgram& program) const {
    const std::string& layer = network_->op(op).name;
    const OperatorMapping& mapping = mapping_of(group, layer);
    const std::vector<LoopNest> nests = loop_nests_of(*network_, op);
    const std::vector<std::int64_t> weights = core_weights(*arch_, group.cores);
    for (std::size_t place = 0; place < group.cores.size(); ++place) {
      const CoreId core(static_cast<std::int32_t>(group.cores[place]));
      lower_share(group, op, core, nests_of_core(nests, mapping, group.split, weights, place), mapping, program);
    }
    add_live_tensors(network_->op(op), program);
  }

  void lower_share(const Group& group, OpId op, CoreId core, const std::vector<LoopNest>& nests,
                   const OperatorMapping& mapping, GroupProgram& program) const {
    const CoreConfig& config = arch_->core(core);
    OperatorTask task;
    task.network = network_;
    task.dram = &dram_;
    task.op = op;
    task.nests = &nests;
    task.mapping = &mapping;
    task.core = core;
    task.accumulator_type = config.array.accumulator_type;
    task.seed = seed_;
    task.buffers = place_buffers(operator_needs(nests, mapping, config), config, next_ % 2 == 1,
                                 "groups[" + std::to_string(group.id.value()) + "]: layer \"" + mapping.layer + "\"");
    const std::vector<Region> buffers = regions_of(task.buffers, core);
    program.buffers.insert(program.buffers.end(), buffers.begin(), buffers.end());
    if (group.prefetch && next_ > 0) {
      for (const RingPlace& ring : task.buffers) {
        if (!constant_operand(nests, ring.role)) continue;
        const Region region = first_buffer(ring, core);
        if (overlaps_previous(region)) continue;
        task.prefetch.push_back(ring.role);
        program.prefetch.push_back(region);
      }
    }
    program.cores.push_back(lower_operator(task));
  }

  // Weights and biases whose values no operator of the network computes.
  [[nodiscard]] bool constant_operand(const std::vector<LoopNest>& nests, const std::string& role) const {
    for (const LoopNest& nest : nests) {
      for (std::size_t i = 0; i < nest.operands.size(); ++i) {
        const OperandRole kind = nest.operands[i].role;
        if ((kind != OperandRole::weight && kind != OperandRole::bias) || role_name(nest, i) != role) continue;
        const TensorId root = network_->tensor(nest.operands[i].tensor).storage;
        return network_->tensor(root).kind != TensorKind::activation;
      }
    }
    return false;
  }

  static Region first_buffer(const RingPlace& ring, CoreId core) {
    return {ring.role + "[0]", Place{ring.space, core, ring.addresses.front()}, ring.bytes};
  }

  static std::vector<Region> regions_of(const std::vector<RingPlace>& rings, CoreId core) {
    std::vector<Region> regions;
    for (const RingPlace& ring : rings)
      for (std::size_t i = 0; i < ring.addresses.size(); ++i)
        regions.push_back(
            {ring.role + "[" + std::to_string(i) + "]", Place{ring.space, core, ring.addresses[i]}, ring.bytes});
    return regions;
  }

  [[nodiscard]] bool overlaps_previous(const Region& region) const {
    return std::any_of(previous_.begin(), previous_.end(), [&](const Region& other) {
      return other.place.space == region.place.space && other.place.core == region.place.core &&
             other.place.address < region.place.address + region.size.value() &&
             region.place.address < other.place.address + other.size.value();
    });
  }

  void add_live_tensors(const Operator& op, GroupProgram& program) const {
    std::set<TensorId> seen;
    for (const TensorId input : op.inputs)
      if (seen.insert(network_->tensor(input).storage).second) program.live_in.push_back(dram_.region_of(input));
    for (const TensorId output : op.outputs) program.live_out.push_back(dram_.region_of(output));
  }

  const Schedule* schedule_;
  const Network* network_;
  const Architecture* arch_;
  std::uint64_t seed_;
  DramMap dram_;
  ProgramHeader header_;
  std::map<std::string, OpId> by_name_;
  std::size_t next_ = 0;
  std::vector<Region> previous_;  // buffers of the group before
};

}  // namespace

std::optional<ScheduleViolation> find_not_lowered(const Schedule& schedule, const Network& network) {
  const std::map<std::string, OpId> by_name = operators_by_name(network);
  for (const Group& group : schedule.groups)
    if (auto violation = not_lowered(group, by_name, network)) return violation;
  return std::nullopt;
}

std::unique_ptr<ProgramSource> lower(const Schedule& schedule, const Network& network, const Architecture& arch,
                                     std::uint64_t seed) {
  if (const auto violation = find_not_lowered(schedule, network))
    throw InternalError("lowering: " + violation->where + ": " + violation->message);
  return std::make_unique<LoweredSchedule>(schedule, network, arch, seed);
}

}  // namespace accsim::sched
