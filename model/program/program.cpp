#include "model/program/program.h"

#include <utility>

#include "model/base/error.h"

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
  }
  throw InternalError("unknown vector operation");
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
