#include "model/program/program.h"

#include <utility>

#include "model/base/error.h"
#include "model/workload/operator_table.h"

namespace accsim::model {
namespace {

std::int64_t product(const std::vector<Loop>& loops, DimKind kind) {
  std::int64_t result = 1;
  for (const Loop& loop : loops) result *= loop.kind == kind ? loop.extent : 1;
  return result;
}

}  // namespace

std::int64_t TileRef::elements() const {
  std::int64_t result = 1;
  for (const TileAxis& axis : axes) result *= axis.count;
  return result;
}

std::int64_t ArrayPass::extent_of(DimKind kind) const { return product(loops, kind); }

Macs ArrayPass::macs() const {
  std::int64_t result = 1;
  for (const Loop& loop : loops) result *= loop.extent;
  return Macs(result);
}

std::int64_t VectorOp::result_elements() const { return product(loops, DimKind::m); }
std::int64_t VectorOp::row_elements() const { return product(loops, DimKind::row); }

std::string_view name_of(Queue queue) {
  switch (queue) {
    case Queue::load:
      return "load";
    case Queue::array:
      return "array";
    case Queue::vector:
      return "vector";
    case Queue::store:
      return "store";
  }
  throw InternalError("unknown queue");
}

std::string_view name_of(Space space) {
  switch (space) {
    case Space::dram:
      return "dram";
    case Space::global_buffer:
      return "global_buffer";
    case Space::scratchpad:
      return "scratchpad";
    case Space::accumulator:
      return "accumulator";
  }
  throw InternalError("unknown space");
}

std::string_view name_of(VectorKind kind) {
  switch (kind) {
    case VectorKind::requantize:
      return "requantize";
    case VectorKind::add:
      return "add";
    case VectorKind::mul:
      return "mul";
    case VectorKind::max_pool:
      return "max_pool";
    case VectorKind::average_pool:
      return "average_pool";
    case VectorKind::softmax:
      return "softmax";
    case VectorKind::layer_normalization:
      return "layer_normalization";
    case VectorKind::move:
      return "move";
    case VectorKind::activate:
      return "activate";
    case VectorKind::sub:
      return "sub";
    case VectorKind::div:
      return "div";
    case VectorKind::pow:
      return "pow";
    case VectorKind::prelu:
      return "prelu";
    case VectorKind::select:
      return "select";
    case VectorKind::rms_normalization:
      return "rms_normalization";
    case VectorKind::interpolate:
      return "interpolate";
  }
  throw InternalError("unknown vector operation");
}

VectorKind vector_kind_of(const Operator& op) {
  if (is_activation(op.type)) return VectorKind::activate;
  switch (op.type) {
    case OpType::conv:
    case OpType::gemm:
    case OpType::matmul:
      return VectorKind::requantize;
    case OpType::max_pool:
      return VectorKind::max_pool;
    case OpType::average_pool:
    case OpType::global_average_pool:
    case OpType::reduce_mean:
      return VectorKind::average_pool;
    case OpType::add:
      return VectorKind::add;
    case OpType::mul:
      return VectorKind::mul;
    case OpType::sub:
      return VectorKind::sub;
    case OpType::div:
      return VectorKind::div;
    case OpType::pow:
      return VectorKind::pow;
    case OpType::prelu:
      return VectorKind::prelu;
    case OpType::where:
      return VectorKind::select;
    case OpType::softmax:
      return VectorKind::softmax;
    case OpType::layer_normalization:
      return VectorKind::layer_normalization;
    case OpType::rms_normalization:
      return VectorKind::rms_normalization;
    case OpType::resize: {
      const bool nearest = std::get<ResizeAttributes>(op.attributes).mode == ResizeMode::nearest;
      return nearest ? VectorKind::move : VectorKind::interpolate;
    }
    default:
      return VectorKind::move;
  }
}

std::optional<GroupProgram> StoredProgram::next() {
  if (next_ >= program_.groups.size()) return std::nullopt;
  return program_.groups[next_++];
}

Program collect(ProgramSource& source) {
  Program program;
  program.header = source.header();
  while (auto group = source.next()) program.groups.push_back(std::move(*group));
  return program;
}

}  // namespace accsim::model
