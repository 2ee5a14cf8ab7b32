#include "sched/lower/lower.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "model/base/error.h"
#include "model/schedule/tiling.h"
#include "sched/lower/chip_memory.h"
#include "sched/lower/dram_map.h"
#include "sched/lower/lower_operator.h"

namespace accsim::sched {

using namespace model;

namespace {

constexpr std::string_view kLowered = "this version lowers groups of one operator on one core with all tensors in DRAM";

[[noreturn]] void refuse(const Group& group, const std::string& what) {
  throw ConfigError("schedule: groups[" + std::to_string(group.id.value()) + "]: " + what + "; " +
                    std::string(kLowered));
}

class LoweredSchedule : public ProgramSource {
 public:
  LoweredSchedule(const Schedule& schedule, const Network& network, const Architecture& arch, std::uint64_t seed)
      : schedule_(&schedule),
        network_(&network),
        arch_(&arch),
        seed_(seed),
        dram_(network, arch),
        header_(dram_.header(schedule)) {
    for (const Operator& op : network.operators) by_name_.emplace(op.name, op.id);
    for (const Group& group : schedule.groups) check(group);
  }

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
  void check(const Group& group) const {
    std::size_t working = 0;
    for (const std::string& layer : group.layers) {
      const auto op = by_name_.find(layer);
      if (op == by_name_.end()) refuse(group, "there is no layer \"" + layer + "\"");
      if (!is_alias(network_->op(op->second).type)) ++working;
    }
    if (working > 1) refuse(group, "found " + std::to_string(working) + " operators in one group");
    if (working == 1 && group.cores.size() != 1)
      refuse(group, "found " + std::to_string(group.cores.size()) + " cores");
    if (group.split != "none") refuse(group, "found the split \"" + group.split + "\"");
    if (!group.edges.empty()) refuse(group, "found inner edges");
    for (const auto& [tensor, home] : group.homes)
      if (home != Home::dram) refuse(group, "found a home on the chip for tensor \"" + tensor + "\"");
  }

  static const OperatorMapping& mapping_of(const Group& group, const std::string& layer) {
    for (const OperatorMapping& mapping : group.mappings)
      if (mapping.layer == layer) return mapping;
    refuse(group, "found no mapping for layer \"" + layer + "\"");
  }

  void lower_group(const Group& group, OpId op, GroupProgram& program) const {
    const std::string& layer = network_->op(op).name;
    const OperatorMapping& mapping = mapping_of(group, layer);
    const std::vector<LoopNest> nests = loop_nests_of(*network_, op);
    const CoreId core(static_cast<std::int32_t>(group.cores.front()));
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
                                 "schedule: groups[" + std::to_string(group.id.value()) + "]: layer \"" + layer + "\"");
    program.buffers = regions_of(task.buffers, core);
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
    add_live_tensors(network_->op(op), program);
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

std::unique_ptr<ProgramSource> lower(const Schedule& schedule, const Network& network, const Architecture& arch,
                                     std::uint64_t seed) {
  return std::make_unique<LoweredSchedule>(schedule, network, arch, seed);
}

}  // namespace accsim::sched
