// Schedules for tests: any valid mapping, drawn at random and shrunk until its buffers fit. Not a searcher: it shares
// nothing with sched/strategy. Reproducible on every platform (splitmix64, no distribution of the standard library).
#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/arch/arch.h"
#include "model/schedule/multicast.h"
#include "model/schedule/schedule.h"
#include "model/schedule/split.h"
#include "model/workload/loop_nest.h"
#include "model/workload/network.h"

namespace accsim::tests {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  // Any of low … high.
  std::int64_t range(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(int percent) { return range(0, 99) < percent; }
  template <class T>
  void shuffle(std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i)
      std::swap(values[i - 1], values[static_cast<std::size_t>(next() % i)]);
  }

 private:
  std::uint64_t state_;
};

// A core of the given sizes on a machine with DDR4 memory.
inline model::Architecture small_architecture(std::int64_t cores = 1, std::int64_t scratchpad_kib = 64,
                                              std::int64_t accumulator_kib = 16) {
  model::Json json = {{"schema", "accsim-arch/1"}, {"name", "small"}, {"clock_mhz", 1000}};
  json["cores"] =
      model::Json::array({{{"name", "npu"},
                           {"count", cores},
                           {"array",
                            {{"rows", 8},
                             {"cols", 8},
                             {"dataflow", "weight_stationary"},
                             {"operand_type", "int8"},
                             {"accumulator_type", "int32"}}},
                           {"vector", {{"lanes", 8}}},
                           {"scratchpad", {{"size_kib", scratchpad_kib}, {"banks", 4}, {"port_bytes", 16}}},
                           {"accumulator", {{"size_kib", accumulator_kib}, {"banks", 2}, {"port_bytes", 32}}}}});
  json["dram"] = {{"preset", "ref-ddr4-3200"}};
  json["energy"] = {{"preset", "22nm"}};
  return model::parse_architecture(json, "small");
}

inline bool buffers_fit(const std::vector<model::LoopNest>& nests, const model::OperatorMapping& mapping,
                        const model::CoreConfig& core) {
  for (const model::LoopNest& nest : nests) {
    std::int64_t scratchpad = 0;
    std::int64_t accumulator = 0;
    for (const model::BufferNeed& need : model::buffer_needs(nest, mapping, core))
      (need.accumulator ? accumulator : scratchpad) += need.buffers * need.bytes.value();
    if (scratchpad > core.scratchpad.size().value() || accumulator > core.accumulator.size().value()) return false;
  }
  return true;
}

// Makes the tiles those of a valid mapping: whole bytes, and where two dimensions share an axis of the output the inner
// one whole or the outer one 1.
inline void repair_tiles(const std::vector<model::LoopNest>& nests, model::OperatorMapping& mapping) {
  const std::vector<model::Dim>& dims = nests.front().dims;
  for (std::size_t d = 0; d < dims.size(); ++d) {  // whole bytes
    if (!dims[d].tileable) continue;
    std::int64_t unit = 1;
    std::int64_t extent = 0;
    for (const model::LoopNest& nest : nests) {
      unit = std::max(unit, model::tile_unit(nest, d));
      extent = std::max(extent, nest.dims[d].extent);
    }
    std::int64_t& size = mapping.tile[dims[d].name];
    size = std::min(extent, model::ceil_div(size, unit) * unit);
  }
  // Two dimensions of one output axis: the inner one whole, or the outer one 1.
  for (const model::Axis& axis : nests.front().output().axes)
    if (axis.terms.size() == 2) {
      const model::Dim& outer_dim = dims[static_cast<std::size_t>(axis.terms[0].dim)];
      const model::Dim& inner_dim = dims[static_cast<std::size_t>(axis.terms[1].dim)];
      const auto inner = mapping.tile.find(inner_dim.name);  // none: it stays whole
      if (inner != mapping.tile.end() && inner->second != inner_dim.extent) mapping.tile[outer_dim.name] = 1;
    }
}

// `fine`: percent of dimensions whose first tile is drawn at random, the others start whole.
inline model::OperatorMapping random_mapping(const model::Network& network, model::OpId op,
                                             const model::CoreConfig& core, Random& random, int fine = 60,
                                             model::TensorAxes axes = model::TensorAxes::merged) {
  const std::vector<model::LoopNest> nests = model::loop_nests_of(network, op, axes);
  const std::vector<model::Dim>& dims = nests.front().dims;
  model::OperatorMapping mapping;
  mapping.layer = network.op(op).name;
  std::vector<std::string> outer;
  std::vector<std::string> reduced;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    std::int64_t extent = 0;
    for (const model::LoopNest& nest : nests) extent = std::max(extent, nest.dims[d].extent);
    if (dims[d].tileable) mapping.tile[dims[d].name] = random.chance(fine) ? random.range(1, extent) : extent;
    (dims[d].kind == model::DimKind::k ? reduced : outer).push_back(dims[d].name);
  }
  random.shuffle(outer);
  random.shuffle(reduced);
  mapping.order = outer;
  mapping.order.insert(mapping.order.end(), reduced.begin(), reduced.end());
  for (const char* role : {"input", "weight", "output"})
    if (random.chance(50)) mapping.buffers[role] = static_cast<int>(random.range(1, 2));
  repair_tiles(nests, mapping);
  for (int shrunk = 0; shrunk < 1000 && !buffers_fit(nests, mapping, core); ++shrunk) {
    std::vector<std::string> large;
    for (const auto& [name, size] : mapping.tile)
      if (size > 1) large.push_back(name);
    if (large.empty()) break;
    std::int64_t& size =
        mapping.tile[large[static_cast<std::size_t>(random.range(0, static_cast<std::int64_t>(large.size()) - 1))]];
    size = (size + 1) / 2;
    repair_tiles(nests, mapping);
  }
  return mapping;
}

// Several cores for an operator with this mapping, where there is something to split and it fits on all of them.
inline void split_at_random(model::Group& group, const model::Network& network, model::OpId op,
                            const model::Architecture& arch, Random& random) {
  const std::vector<model::LoopNest> nests = model::loop_nests_of(network, op);
  std::vector<std::int64_t> cores;
  for (std::int64_t core = 0; core < arch.core_count(); ++core)
    if (buffers_fit(nests, group.mappings.front(), arch.core(model::CoreId(static_cast<std::int32_t>(core)))))
      cores.push_back(core);
  random.shuffle(cores);
  std::vector<std::string> splits{"rows", "columns", "channels", "batch", "heads"};
  random.shuffle(splits);
  for (const std::string& split : splits) {
    for (std::size_t count = cores.size(); count > 1; --count) {
      const std::vector<std::int64_t> chosen(cores.begin(), cores.begin() + static_cast<std::ptrdiff_t>(count));
      const std::vector<std::int64_t> weights = model::core_weights(arch, chosen);
      bool all_work = true;
      for (const model::LoopNest& nest : nests) all_work = all_work && model::split_dimension(nest, split) >= 0;
      for (std::size_t i = 0; all_work && i < count; ++i)
        all_work = !model::nests_of_core(nests, group.mappings.front(), split, weights, i).empty();
      if (!all_work) continue;
      group.cores = chosen;
      group.split = split;
      return;
    }
  }
}

// Roles that one core may load for all.
inline void multicast_at_random(model::Group& group, const model::Network& network, model::OpId op,
                                const model::Architecture& arch, Random& random) {
  const std::vector<model::LoopNest> nests = model::loop_nests_of(network, op);
  for (const char* role : {"input", "weight"}) {
    if (!random.chance(60)) continue;
    model::OperatorMapping tried = group.mappings.front();
    tried.multicast.emplace_back(role);
    std::size_t entry = 0;
    if (model::multicast_refusal(arch, nests, tried, group.split, group.cores, entry)) continue;
    const std::vector<std::int64_t> weights = model::core_weights(arch, group.cores);
    const std::vector<model::LoopNest> held = model::nests_to_hold(nests, tried, group.split, weights, 0);
    std::map<std::string, std::int64_t> scratchpad;
    std::map<std::string, std::int64_t> accumulator;
    const model::CoreConfig& core = arch.core(model::CoreId(static_cast<std::int32_t>(group.cores.front())));
    for (const model::LoopNest& nest : held) {
      for (const model::BufferNeed& need : model::buffer_needs(nest, tried, core)) {
        std::int64_t& bytes = (need.accumulator ? accumulator : scratchpad)[need.role];
        bytes = std::max(bytes, need.buffers * need.bytes.value());
      }
    }
    const auto sum = [](const std::map<std::string, std::int64_t>& parts) {
      std::int64_t all = 0;
      for (const auto& [name, bytes] : parts) all += bytes;
      return all;
    };
    if (sum(scratchpad) > core.scratchpad.size().value() || sum(accumulator) > core.accumulator.size().value())
      continue;
    group.mappings.front() = tried;
  }
}

// `splits`: percent of operators that are split over several cores where they can be.
inline model::Schedule random_schedule(const model::Network& network, const model::Architecture& arch, Random& random,
                                       int fine = 60, int splits = 0) {
  model::Schedule schedule;
  schedule.arch = arch.name;
  schedule.net = network.name;
  schedule.strategy = "random";
  for (const model::Operator& op : network.operators) {
    const bool alias = model::is_alias(op.type);
    if (alias && random.chance(50)) continue;  // a group of its own changes nothing
    model::Group group;
    group.id = model::GroupId(static_cast<std::int32_t>(schedule.groups.size()));
    group.layers = {op.name};
    const std::int64_t core = random.range(0, arch.core_count() - 1);
    group.cores = {core};
    group.prefetch = random.chance(80);
    if (!alias)
      group.mappings.push_back(
          random_mapping(network, op.id, arch.core(model::CoreId(static_cast<std::int32_t>(core))), random, fine));
    if (!alias && splits > 0 && random.chance(splits)) split_at_random(group, network, op.id, arch, random);
    if (group.cores.size() > 1) multicast_at_random(group, network, op.id, arch, random);
    schedule.groups.push_back(std::move(group));
  }
  return schedule;
}

}  // namespace accsim::tests
