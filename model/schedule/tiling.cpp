#include "model/schedule/tiling.h"

#include <algorithm>

#include "model/base/error.h"

namespace accsim::model {

namespace {

bool moves(const Operand& operand, int dim) {
  for (const Axis& axis : operand.axes) {
    if (axis.stride == 0) continue;
    for (const AxisTerm& term : axis.terms)
      if (term.dim == dim && term.coefficient != 0) return true;
  }
  return false;
}

// Operands of a role up to `operand`, itself not counted, and in all.
std::pair<int, int> count_role(const LoopNest& nest, std::size_t operand) {
  int before = 0;
  int all = 0;
  for (std::size_t i = 0; i < nest.operands.size(); ++i) {
    if (nest.operands[i].role != nest.operands[operand].role) continue;
    ++all;
    if (i < operand) ++before;
  }
  return {before, all};
}

}  // namespace

std::vector<std::int64_t> tile_sizes(const LoopNest& nest, const OperatorMapping& mapping) {
  std::vector<std::int64_t> sizes;
  sizes.reserve(nest.dims.size());
  for (const Dim& dim : nest.dims) {
    const auto it = mapping.tile.find(dim.name);
    sizes.push_back(it == mapping.tile.end() ? dim.extent : std::clamp<std::int64_t>(it->second, 1, dim.extent));
  }
  return sizes;
}

std::vector<int> loop_order(const LoopNest& nest, const OperatorMapping& mapping) {
  std::vector<int> order;
  std::vector<bool> named(nest.dims.size(), false);
  for (const std::string& name : mapping.order) {
    for (std::size_t d = 0; d < nest.dims.size(); ++d) {
      if (nest.dims[d].name != name || named[d]) continue;
      named[d] = true;
      order.push_back(static_cast<int>(d));
    }
  }
  for (std::size_t d = 0; d < nest.dims.size(); ++d)
    if (!named[d]) order.push_back(static_cast<int>(d));
  return order;
}

std::vector<std::int64_t> trip_counts(const LoopNest& nest, const std::vector<std::int64_t>& tile) {
  std::vector<std::int64_t> trips;
  trips.reserve(nest.dims.size());
  for (std::size_t d = 0; d < nest.dims.size(); ++d) trips.push_back(ceil_div(nest.dims[d].extent, tile[d]));
  return trips;
}

std::int64_t output_tiles(const LoopNest& nest, const std::vector<std::int64_t>& tile) {
  std::int64_t tiles = 1;
  for (std::size_t d = 0; d < nest.dims.size(); ++d)
    if (nest.dims[d].kind != DimKind::k) tiles *= ceil_div(nest.dims[d].extent, tile[d]);
  return tiles;
}

std::int64_t largest_loads(const LoopNest& nest, const OperatorMapping& mapping, const Operand& operand) {
  const std::vector<std::int64_t> trips = trip_counts(nest, tile_sizes(nest, mapping));
  std::int64_t loads = 1;
  std::int64_t outer = 1;
  for (const int dim : loop_order(nest, mapping)) {
    const std::int64_t trip = trips[static_cast<std::size_t>(dim)];
    outer *= trip;
    if (trip > 1 && moves(operand, dim)) loads = outer;
  }
  return loads;
}

int buffers_of(const OperatorMapping& mapping, const std::string& key) {
  const auto it = mapping.buffers.find(key);
  return it == mapping.buffers.end() ? 2 : it->second;
}

TileFlow flow_of(const LoopNest& nest) {
  switch (nest.engine) {
    case Engine::array:
      return TileFlow::array;
    case Engine::vector:
      return TileFlow::vector;
    case Engine::dma:
      return nest.type == OpType::gather ? TileFlow::gather : TileFlow::copy;
  }
  throw InternalError("no such engine");
}

std::string buffer_key(OperandRole role) {
  switch (role) {
    case OperandRole::input:
      return "input";
    case OperandRole::weight:
    case OperandRole::bias:
      return "weight";
    case OperandRole::output:
      return "output";
  }
  throw InternalError("no such operand role");
}

std::string role_name(const LoopNest& nest, std::size_t operand) {
  const auto [before, all] = count_role(nest, operand);
  switch (nest.operands[operand].role) {
    case OperandRole::input:
      return "input" + std::to_string(before);
    case OperandRole::weight:
      return all > 1 ? "weight" + std::to_string(before) : "weight";
    case OperandRole::bias:
      return all > 1 ? "bias" + std::to_string(before) : "bias";
    case OperandRole::output:
      return "output";
  }
  throw InternalError("no such operand role");
}

}  // namespace accsim::model
