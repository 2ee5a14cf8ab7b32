#include "sched/lower/lower.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "model/base/error.h"
#include "model/schedule/fused_group.h"
#include "model/schedule/multicast.h"
#include "model/schedule/split.h"
#include "model/schedule/tiling.h"
#include "sched/lower/chip_memory.h"
#include "sched/lower/lower_fused.h"
#include "sched/lower/lower_operator.h"
#include "sched/lower/tensor_places.h"

namespace accsim::sched {

using namespace model;

namespace {

constexpr std::string_view kLowered =
    "this version lowers groups on one core or split by rows, columns, channels, batch or heads, halos recomputed";

std::optional<ScheduleViolation> not_lowered(const Group& group) {
  const auto found = [&](const std::string& key, const std::string& what) {
    return ScheduleViolation{"groups[" + std::to_string(group.id.value()) + "]." + key,
                             "found " + what + "; " + std::string(kLowered)};
  };
  if (group.split == "reduction" || group.split == "pipeline") return found("split", "\"" + group.split + "\"");
  for (std::size_t i = 0; i < group.edges.size(); ++i) {
    const std::string edge = "edges[" + std::to_string(i) + "]";
    if (group.edges[i].halo != "recompute") return found(edge + ".halo", "\"" + group.edges[i].halo + "\"");
  }
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
        places_(schedule, network, arch),
        header_(places_.dram().header(schedule)),
        by_name_(operators_by_name(network)) {}

  [[nodiscard]] const ProgramHeader& header() const override { return header_; }

  std::optional<GroupProgram> next() override {
    if (next_ == schedule_->groups.size()) return std::nullopt;
    const Group& group = schedule_->groups[next_];
    GroupProgram program;
    program.group = group.id;
    for (const std::string& layer : group.layers) {
      const std::vector<std::string> names = network_->op(by_name_.at(layer)).layer_names();
      program.layers.insert(program.layers.end(), names.begin(), names.end());
    }
    const std::vector<OpId> ops = working_operators(group, *network_);
    if (ops.size() == 1) lower_alone(group, ops.front(), program);
    if (ops.size() > 1) lower_together(group, program);
    add_live_tensors(ops, program);
    previous_ = program.buffers;
    for (const HomePiece& piece : places_.on_chip().alive(next_))
      previous_.push_back({"", piece.place, Bytes(piece.bytes)});
    ++next_;
    return program;
  }

 private:
  static const OperatorMapping& mapping_of(const Group& group, const std::string& layer) {
    for (const OperatorMapping& mapping : group.mappings)
      if (mapping.layer == layer) return mapping;
    throw InternalError("group " + std::to_string(group.id.value()) + " has no mapping for layer " + layer);
  }

  void lower_alone(const Group& group, OpId op, GroupProgram& program) const {
    const std::string& layer = network_->op(op).name;
    const OperatorMapping& mapping = mapping_of(group, layer);
    const std::vector<LoopNest> nests = loop_nests_of(*network_, op);
    const std::vector<std::int64_t> weights = core_weights(*arch_, group.cores);
    lower_cores(group, program, [&](std::size_t i, Takers* takers, std::vector<GroupBuilder::Taken>& rings) {
      OperatorTask task;
      task.op = op;
      task.mapping = &mapping;
      task.core = CoreId(static_cast<std::int32_t>(group.cores[i]));
      const std::vector<LoopNest> parts = nests_of_core(nests, mapping, group.split, weights, i);
      task.nests = &parts;
      task.takes = i > 0;
      task.takers = takers;
      prepare(task, group, nests_to_hold(nests, mapping, group.split, weights, i), program);
      return lower_operator(task, &rings);
    });
  }

  void lower_together(const Group& group, GroupProgram& program) const {
    lower_cores(group, program, [&](std::size_t place, Takers* takers, std::vector<GroupBuilder::Taken>& rings) {
      const CoreId core(static_cast<std::int32_t>(group.cores[place]));
      const CoreConfig& config = arch_->core(core);
      const FusedGroup fused(group, *network_, *arch_, place);
      FusedTask task;
      task.network = network_;
      task.places = &places_;
      task.group = &fused;
      task.core = core;
      task.accumulator_type = config.array.accumulator_type;
      task.takes = place > 0;
      task.takers = takers;
      task.buffers = place_buffers(needs_to_hold(group, *network_, *arch_, place), config, taken(group), next_ % 2 == 1,
                                   "groups[" + std::to_string(group.id.value()) + "]");
      std::set<std::string> constant;
      std::set<std::string> everywhere;
      for (const FusedOperator& op : fused.operators()) {
        for (std::size_t o = 0; o < op.source.size(); ++o) {
          if (op.source[o] >= 0) continue;
          if (is_constant(op.nest.operands[o])) constant.insert(fused_role(op, o));
          if (is_multicast(*op.mapping, op.nest, o)) everywhere.insert(fused_role(op, o));
        }
      }
      task.prefetch = place_in_program(group, core, task.buffers, constant, everywhere, program);
      return lower_fused(task, &rings);
    });
  }

  // The first core loads what is multicast: it is lowered last, when it is known who takes what.
  using Takers = std::vector<GroupBuilder::Taker>;
  template <class Lower>
  void lower_cores(const Group& group, GroupProgram& program, const Lower& lower) const {
    std::vector<CoreProgram> programs(group.cores.size());
    Takers takers;
    for (std::size_t i = group.cores.size(); i-- > 0;) {
      std::vector<GroupBuilder::Taken> rings;
      programs[i] = lower(i, i == 0 && !takers.empty() ? &takers : nullptr, rings);
      for (GroupBuilder::Taken& ring : rings)
        takers.push_back({CoreId(static_cast<std::int32_t>(group.cores[i])), std::move(ring)});
    }
    for (const GroupBuilder::Taker& taker : takers) free_buffers(taker, programs);
    std::move(programs.begin(), programs.end(), std::back_inserter(program.cores));
  }

  // Tells the program where the buffers lie; returns the roles, of those that are constant, whose first tile may be
  // prefetched. The tiles of some are written on all cores of the group.
  std::vector<std::string> place_in_program(const Group& group, CoreId core, const std::vector<RingPlace>& buffers,
                                            const std::set<std::string>& constant,
                                            const std::set<std::string>& everywhere, GroupProgram& program) const {
    const std::vector<Region> regions = regions_of(buffers, core);
    program.buffers.insert(program.buffers.end(), regions.begin(), regions.end());
    std::vector<std::string> prefetch;
    if (!group.prefetch || next_ == 0) return prefetch;
    for (const RingPlace& ring : buffers) {
      if (!constant.contains(ring.role)) continue;
      bool used = overlaps_previous(first_buffer(ring, core));
      if (everywhere.contains(ring.role))
        for (const std::int64_t other : group.cores)
          used = used || overlaps_previous(first_buffer(ring, CoreId(static_cast<std::int32_t>(other))));
      if (used) continue;
      prefetch.push_back(ring.role);
      program.prefetch.push_back(first_buffer(ring, core));
    }
    return prefetch;
  }

  // Who takes tiles from the first core tells it when a buffer that is filled again is free.
  static void free_buffers(const GroupBuilder::Taker& taker, std::vector<CoreProgram>& programs) {
    for (CoreProgram& program : programs) {
      if (program.core != taker.core) continue;
      for (const GroupBuilder::Taken::Queue& queue : taker.taken.queues) {
        if (queue.free < 0) continue;
        for (const auto& [fill, at] : queue.last_readers)
          if (fill + taker.taken.buffers < taker.taken.fills)
            program.queue(at.queue)[at.index].signals.push_back({programs.front().core, queue.free, 1});
      }
    }
  }

  // The task's buffers, and which of them may be filled early. `held`: what the buffers are made for.
  void prepare(OperatorTask& task, const Group& group, const std::vector<LoopNest>& held, GroupProgram& program) const {
    const CoreConfig& config = arch_->core(task.core);
    task.network = network_;
    task.places = &places_;
    task.accumulator_type = config.array.accumulator_type;
    task.seed = seed_;
    task.buffers =
        place_buffers(operator_needs(held, *task.mapping, config), config, taken(group), next_ % 2 == 1,
                      "groups[" + std::to_string(group.id.value()) + "]: layer \"" + task.mapping->layer + "\"");
    std::set<std::string> constant;
    std::set<std::string> everywhere;
    for (const LoopNest& nest : *task.nests) {
      for (std::size_t i = 0; i < nest.operands.size(); ++i) {
        if (is_constant(nest.operands[i])) constant.insert(role_name(nest, i));
        if (is_multicast(*task.mapping, nest, i)) everywhere.insert(role_name(nest, i));
      }
    }
    task.prefetch = place_in_program(group, task.core, task.buffers, constant, everywhere, program);
  }

  // Weights and biases whose values no operator of the network computes.
  [[nodiscard]] bool is_constant(const Operand& operand) const {
    if (operand.role != OperandRole::weight && operand.role != OperandRole::bias) return false;
    return network_->tensor(network_->tensor(operand.tensor).storage).kind != TensorKind::activation;
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

  // Bytes at the start of the scratchpads where tensors live during this group: what the group's buffers leave free on
  // each of its cores.
  [[nodiscard]] std::int64_t taken(const Group& group) const {
    return places_.on_chip().taken(next_, group.cores, *arch_);
  }
  static void add(std::vector<Region> regions, std::vector<Region>& to) {
    to.insert(to.end(), std::make_move_iterator(regions.begin()), std::make_move_iterator(regions.end()));
  }

  // What the group reads and does not make itself, and the result of its last operator.
  void add_live_tensors(const std::vector<OpId>& ops, GroupProgram& program) const {
    std::set<TensorId> seen;
    for (std::size_t i = 0; i < ops.size(); ++i) {
      const Operator& op = network_->op(ops[i]);
      for (const TensorId input : op.inputs)
        if (seen.insert(network_->tensor(input).storage).second) add(places_.regions_of(input), program.live_in);
      for (const TensorId output : op.outputs) {
        seen.insert(network_->tensor(output).storage);
        if (i + 1 == ops.size()) add(places_.regions_of(output), program.live_out);
      }
    }
  }

  const Schedule* schedule_;
  const Network* network_;
  const Architecture* arch_;
  std::uint64_t seed_;
  TensorPlaces places_;
  ProgramHeader header_;
  std::map<std::string, OpId> by_name_;
  std::size_t next_ = 0;
  std::vector<Region> previous_;  // buffers of the group before, and tensors that lived on the chip then
};

}  // namespace

std::optional<ScheduleViolation> find_not_lowered(const Schedule& schedule) {
  for (const Group& group : schedule.groups)
    if (auto violation = not_lowered(group)) return violation;
  return std::nullopt;
}

std::unique_ptr<ProgramSource> lower(const Schedule& schedule, const Network& network, const Architecture& arch,
                                     std::uint64_t seed) {
  if (const auto violation = find_not_lowered(schedule))
    throw InternalError("lowering: " + violation->where + ": " + violation->message);
  return std::make_unique<LoweredSchedule>(schedule, network, arch, seed);
}

}  // namespace accsim::sched
