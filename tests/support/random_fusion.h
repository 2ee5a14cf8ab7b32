// Schedules with fused groups for tests: runs of operators that may be fused, each with any valid mapping, drawn at
// random and shrunk until the group's buffers fit.
#pragma once
#include "model/schedule/fused_group.h"
#include "model/schedule/multicast.h"
#include "tests/support/random_schedule.h"

namespace accsim::tests {

inline bool group_fits(const model::Group& group, const model::Network& network, const model::Architecture& arch) {
  const model::LoopNest sink =
      model::loop_nests_of(network, model::working_operators(group, network).back(), model::TensorAxes::own).front();
  for (std::size_t place = 0; place < group.cores.size(); ++place) {
    if (group.cores.size() > 1 &&
        model::nests_of_core({sink}, group.mappings.back(), group.split, model::core_weights(arch, group.cores), place)
            .empty())
      return false;  // shrunk tiles may leave a small core none
    const model::WalkEnd end = model::end_of_walk(model::FusedGroup(group, network, arch, place));
    if (end.unread || end.stopped) return false;
    const model::CoreConfig& core = arch.core(model::CoreId(static_cast<std::int32_t>(group.cores[place])));
    std::int64_t scratchpad = 0;
    std::int64_t accumulator = 0;
    for (const model::BufferNeed& need : model::needs_to_hold(group, network, arch, place))
      (need.accumulator ? accumulator : scratchpad) += need.buffers * need.bytes.value();
    if (scratchpad > core.scratchpad.size().value() || accumulator > core.accumulator.size().value()) return false;
  }
  return true;
}

// Several cores for the group where its last operator can be split.
inline void split_fused_at_random(model::Group& group, const model::LoopNest& sink, const model::Architecture& arch,
                                  Random& random) {
  std::vector<std::string> splits{"rows", "columns", "channels", "batch", "heads"};
  random.shuffle(splits);
  std::vector<std::int64_t> cores;
  for (std::int64_t core = 0; core < arch.core_count(); ++core) cores.push_back(core);
  random.shuffle(cores);
  for (const std::string& split : splits) {
    if (model::split_dimension(sink, split) < 0) continue;
    for (std::size_t count = cores.size(); count > 1; --count) {
      const std::vector<std::int64_t> chosen(cores.begin(), cores.begin() + static_cast<std::ptrdiff_t>(count));
      bool all_work = true;
      for (std::size_t i = 0; all_work && i < count; ++i)
        all_work =
            !model::nests_of_core({sink}, group.mappings.back(), split, model::core_weights(arch, chosen), i).empty();
      if (!all_work) continue;
      group.cores = chosen;
      group.split = split;
      return;
    }
  }
}

// Roles that one core may load for all.
inline void multicast_fused_at_random(model::Group& group, const model::Network& network,
                                      const model::Architecture& arch, Random& random) {
  if (group.cores.size() < 2) return;
  for (std::size_t i = 0; i < group.mappings.size(); ++i) {
    for (const char* role : {"input", "weight"}) {
      if (!random.chance(60)) continue;
      model::Group tried = group;
      tried.mappings[i].multicast.emplace_back(role);
      std::size_t mapping = 0;
      std::size_t entry = 0;
      if (!model::multicast_refusal(arch, network, tried, mapping, entry) && group_fits(tried, network, arch))
        group = std::move(tried);
    }
  }
}

inline model::Schedule random_fused_schedule(const model::Network& network, const model::Architecture& arch,
                                             Random& random, int fine = 50, int splits = 40) {
  model::Schedule schedule = random_schedule(network, arch, random, fine, splits);
  std::vector<model::Group> alone;
  for (model::Group& group : schedule.groups)
    if (!group.mappings.empty()) alone.push_back(std::move(group));
  schedule.groups.clear();
  for (std::size_t first = 0; first < alone.size();) {
    std::size_t taken = 1;
    model::Group group = alone[first];
    for (std::size_t count = static_cast<std::size_t>(random.range(1, 5)); count > 1; --count) {
      if (first + count > alone.size()) continue;
      model::Group fused = alone[first];
      fused.layers.clear();
      fused.mappings.clear();
      fused.split = "none";
      fused.cores = {random.range(0, arch.core_count() - 1)};
      for (std::size_t i = first; i < first + count; ++i) fused.layers.push_back(alone[i].layers.front());
      if (model::find_not_fusable(fused, network)) continue;
      const model::CoreConfig& core = arch.core(model::CoreId(static_cast<std::int32_t>(fused.cores.front())));
      for (const model::OpId op : model::working_operators(fused, network))
        fused.mappings.push_back(random_mapping(network, op, core, random, fine, model::TensorAxes::own));
      const model::OpId last = model::working_operators(fused, network).back();
      if (random.chance(splits))
        split_fused_at_random(fused, model::loop_nests_of(network, last, model::TensorAxes::own).front(), arch, random);
      bool fits = false;
      for (int shrunk = 0; shrunk < 60 && !(fits = group_fits(fused, network, arch)); ++shrunk) {
        const std::size_t which = static_cast<std::size_t>(random.range(0, static_cast<std::int64_t>(count) - 1));
        model::OperatorMapping& mapping = fused.mappings[which];
        for (auto& [name, size] : mapping.tile)
          if (random.chance(50)) size = (size + 1) / 2;
        repair_tiles(
            model::loop_nests_of(network, model::working_operators(fused, network)[which], model::TensorAxes::own),
            mapping);
      }
      if (!fits) continue;
      multicast_fused_at_random(fused, network, arch, random);
      group = std::move(fused);
      taken = count;
      break;
    }
    group.id = model::GroupId(static_cast<std::int32_t>(schedule.groups.size()));
    schedule.groups.push_back(std::move(group));
    first += taken;
  }
  return schedule;
}

}  // namespace accsim::tests
