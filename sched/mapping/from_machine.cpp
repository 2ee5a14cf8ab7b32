#include "sched/mapping/from_machine.h"

#include <algorithm>
#include <cmath>

#include "model/base/error.h"
#include "sched/cost/machine_rates.h"

namespace accsim::sched {
namespace {

using model::Json;

std::vector<bool> dims_left(const model::LoopNest& nest) {
  std::vector<bool> left;
  bool any = false;
  for (const model::Dim& dim : nest.dims) {
    left.push_back(dim.extent > 1);
    any = any || dim.extent > 1;
  }
  if (!any && !left.empty()) left.back() = true;
  return left;
}

// Names of the problem's dimensions that have one of these kinds.
Json dims_of(const model::LoopNest& nest, const MapProblem& problem, const std::vector<model::DimKind>& kinds) {
  Json names = Json::array();
  for (const model::Dim& dim : nest.dims) {
    if (std::find(kinds.begin(), kinds.end(), dim.kind) == kinds.end()) continue;
    for (const MapDim& left : problem.dims) {
      if (left.name == dim.name) names.push_back(dim.name);
    }
  }
  return names;
}

}  // namespace

bool is_mappable(model::OpType type) {
  switch (type) {
    case model::OpType::conv:
    case model::OpType::gemm:
    case model::OpType::matmul:
    case model::OpType::max_pool:
    case model::OpType::average_pool:
    case model::OpType::global_average_pool:
      return true;
    default:
      return false;
  }
}

MapProblem problem_of(const model::LoopNest& nest, const std::string& layer) {
  MapProblem problem;
  problem.name = layer;
  const std::vector<bool> left = dims_left(nest);
  std::vector<int> index(nest.dims.size(), -1);
  for (std::size_t d = 0; d < nest.dims.size(); ++d) {
    if (!left[d]) continue;
    if (nest.dims[d].extent > kLargestMapDim) {
      throw model::ConfigError("", "--layer",
                               "dimension " + nest.dims[d].name + " of layer \"" + layer + "\" has " +
                                   std::to_string(nest.dims[d].extent) + " indices, allowed: at most " +
                                   std::to_string(kLargestMapDim));
    }
    index[d] = static_cast<int>(problem.dims.size());
    problem.dims.push_back({nest.dims[d].name, nest.dims[d].extent});
  }
  std::size_t inputs = 0;
  for (const model::Operand& operand : nest.operands) inputs += operand.role == model::OperandRole::input ? 1 : 0;
  std::size_t seen = 0;
  for (const model::Operand& operand : nest.operands) {
    if (operand.role == model::OperandRole::bias) continue;
    MapTensor tensor;
    tensor.output = operand.role == model::OperandRole::output;
    tensor.name = tensor.output                                ? "output"
                  : operand.role == model::OperandRole::weight ? "weight"
                  : inputs == 1                                ? "input"
                                                               : "input" + std::to_string(seen++);
    for (const model::Axis& from : operand.axes) {
      TensorAxis axis;
      for (const model::AxisTerm& term : from.terms) {
        if (index[static_cast<std::size_t>(term.dim)] >= 0) {
          axis.push_back({index[static_cast<std::size_t>(term.dim)], term.coefficient});
        }
      }
      if (axis.empty()) continue;
      tensor.windows = tensor.windows || axis.size() > 1;
      for (const AxisPart& part : axis) {
        tensor.dims |= 1U << part.dim;
        tensor.strided = tensor.strided || part.coefficient > 1;
      }
      tensor.axes.push_back(std::move(axis));
    }
    tensor.strided = tensor.strided || tensor.windows;
    problem.tensors.push_back(std::move(tensor));
  }
  if (problem.macs() > 9e15) {
    throw model::ConfigError("", "--layer", "layer \"" + layer + "\" has more than 9e15 operations");
  }
  return problem;
}

MachineHierarchy hierarchy_of(const model::Architecture& arch, const model::LoopNest& nest, const MapProblem& problem,
                              const std::string& kind) {
  std::vector<std::string> kinds;
  std::string list;
  for (const model::CoreConfig& core : arch.core_types) {
    kinds.push_back(core.name);
    list += (list.empty() ? "\"" : ", \"") + core.name + "\"";
  }
  if (kind.empty() && kinds.size() > 1) {
    throw model::ConfigError("", "--core",
                             "missing; \"" + arch.name + "\" has " + std::to_string(kinds.size()) +
                                 " kinds of cores, and a hierarchy has one: allowed: " + list);
  }
  const auto place = kind.empty() ? kinds.begin() : std::find(kinds.begin(), kinds.end(), kind);
  if (place == kinds.end()) {
    throw model::ConfigError(
        "", "--core",
        "\"" + arch.name + "\" has no cores \"" + kind + "\", allowed: " + list + model::did_you_mean(kind, kinds));
  }
  const model::CoreConfig& core = arch.core_types[static_cast<std::size_t>(place - kinds.begin())];
  const DramRates dram = dram_rates(arch);
  const MachineRates rates = machine_rates(arch, dram, core);
  const bool array = nest.engine == model::Engine::array;
  const model::DataType type = nest.operands.front().type;
  const double word = model::bits_of(type) / 8.0, sum = model::bits_of(core.array.accumulator_type) / 8.0;
  MachineHierarchy out;
  MapHierarchy& h = out.hierarchy;
  h.name = arch.name;
  h.word_bits = model::bits_of(type);
  h.compute_name = array ? "MAC" : "lane";
  h.mac_pj = array ? rates.mac : rates.lane_operation;
  const auto bandwidth = [](const model::MemoryConfig& memory, double element) {
    return static_cast<double>(memory.banks * memory.port_bytes) / element;
  };
  const auto words = [](const model::MemoryConfig& memory, double element) {
    return std::floor(static_cast<double>(memory.size().value()) / element);
  };
  const double way = (rates.noc_burst + rates.dma_burst) / static_cast<double>(dram.burst_bytes);  // pJ a byte

  MapLevel outer;
  outer.name = "DRAM";
  outer.read_pj = (dram.read_pj / static_cast<double>(dram.burst_bytes) + way) * word;
  outer.write_pj = outer.update_pj = (dram.write_pj / static_cast<double>(dram.burst_bytes) + way) * word;
  outer.shared_rate = dram.bytes_per_cycle / word;
  outer.must_keep_all = true;
  h.levels.push_back(outer);
  if (arch.global_buffer) {
    const model::MemoryEnergy energy = model::global_buffer_energy(arch.energy, *arch.global_buffer);
    MapLevel level;
    level.name = "global_buffer";
    level.capacity_words = words(*arch.global_buffer, word);
    level.read_pj = (energy.read_pj_byte + way) * word;
    level.write_pj = energy.write_pj_byte * word;
    level.update_pj = (energy.write_pj_byte + way) * word;
    level.shared_rate = bandwidth(*arch.global_buffer, word);
    h.levels.push_back(level);
  }
  std::vector<std::string> operands, results;
  for (const MapTensor& tensor : problem.tensors) (tensor.output ? results : operands).push_back(tensor.name);
  {
    const model::MemoryEnergy energy = model::scratchpad_energy(arch.energy, core.scratchpad);
    MapLevel level;
    level.name = "scratchpad";
    level.capacity_words = words(core.scratchpad, word);
    level.read_pj = energy.read_pj_byte * word;
    level.write_pj = level.update_pj = energy.write_pj_byte * word;
    level.shared_rate = bandwidth(core.scratchpad, word);
    level.write_rate = static_cast<double>(core.dma.bytes_per_cycle) / word;
    level.buffering = 2;
    level.has_mesh = true;
    level.mesh = {core.count, 1};
    level.multicast = level.reduction = false;
    if (array) {
      level.may_keep_all = false;
      level.may_keep = level.must_keep = operands;
    } else {
      level.must_keep_all = true;
    }
    h.levels.push_back(level);
  }
  Json levels = {
      {"scratchpad", {{"x", dims_of(nest, problem, {model::DimKind::group, model::DimKind::m, model::DimKind::n})}}}};
  MapLevel inner;
  inner.has_mesh = true;
  inner.may_keep_all = false;
  if (!array) {
    inner.name = "lanes";
    inner.capacity_words = 1;
    inner.mesh = {core.vector.lanes, 1};
    inner.must_keep = inner.may_keep = results;
    levels["lanes"] = {{"x", dims_of(nest, problem, {model::DimKind::m, model::DimKind::n, model::DimKind::group})}};
  } else {
    const model::MemoryEnergy energy = model::accumulator_energy(arch.energy, core.accumulator);
    MapLevel level;
    level.name = "accumulator";
    level.capacity_words = words(core.accumulator, sum);
    level.read_pj = energy.read_pj_byte * sum;
    level.write_pj = level.update_pj = energy.write_pj_byte * sum;
    level.shared_rate = bandwidth(core.accumulator, sum);
    level.buffering = 2;
    level.may_keep_all = false;
    level.may_keep = level.must_keep = results;
    h.levels.push_back(level);
    Json one = Json::object();  // a tile in the scratchpad is worked on whole
    for (const MapDim& dim : problem.dims) one[dim.name] = 1;
    levels["scratchpad"]["loops"] = std::move(one);

    inner.name = "array";
    inner.capacity_words = 1;
    inner.mesh = {core.array.cols, core.array.rows};
    const auto dataflow = core.array.dataflow;
    const bool sums = dataflow == model::Dataflow::output_stationary;
    const bool inputs = dataflow == model::Dataflow::input_stationary;
    inner.must_keep = {sums ? problem.tensors.back().name : problem.tensors[inputs ? 0 : 1].name};
    inner.may_keep = inner.must_keep;
    levels["array"] = {{"x", dims_of(nest, problem, {inputs ? model::DimKind::m : model::DimKind::n})},
                       {"y", dims_of(nest, problem, {sums ? model::DimKind::m : model::DimKind::k})}};
  }
  h.levels.push_back(inner);
  out.constraints = {{"schema", "accsim-constraints/1"}, {"name", arch.name}, {"levels", std::move(levels)}};
  return out;
}

}  // namespace accsim::sched
