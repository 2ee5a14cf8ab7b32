#include "sched/lower/group_builder.h"

#include <algorithm>
#include <utility>

#include "model/base/error.h"

namespace accsim::sched {

using namespace model;

RingId GroupBuilder::add_ring(std::string name, Space space, std::vector<std::int64_t> addresses) {
  rings_.push_back({std::move(name), space, std::move(addresses), {}, false});
  return rings_.size() - 1;
}

void GroupBuilder::work_for(OpId layer, std::int32_t tile) {
  layer_ = layer;
  tile_ = tile;
}

Place GroupBuilder::begin_fill(RingId ring) {
  rings_[ring].fills.emplace_back();
  return current(ring);
}

Place GroupBuilder::current(RingId id) const {
  const Ring& ring = rings_[id];
  if (ring.fills.empty()) return {ring.space, program_.core, ring.addresses.front()};
  return {ring.space, program_.core, ring.addresses[(ring.fills.size() - 1) % ring.addresses.size()]};
}

InstructionRef GroupBuilder::add(Queue queue, std::variant<Copy, ArrayPass, VectorOp> op) {
  Instruction instruction;
  instruction.op = std::move(op);
  instruction.layer = layer_;
  instruction.tile = tile_;
  program_.queue(queue).push_back(std::move(instruction));
  return {queue, program_.queue(queue).size() - 1};
}

void GroupBuilder::writes(RingId ring, InstructionRef instruction) {
  Fill& fill = rings_[ring].fills.back();
  if (!fill.written) fill.first_writer = instruction;
  fill.last_writer = instruction;
  fill.written = true;
}

void GroupBuilder::reads(RingId ring, InstructionRef instruction) {
  Fill& fill = rings_[ring].fills.back();
  if (!fill.read) fill.first_reader = instruction;
  fill.last_reader = instruction;
  fill.read = true;
}

void GroupBuilder::prefetch_first_fill(RingId ring) { rings_[ring].prefetch = true; }

CoreProgram GroupBuilder::finish() {
  for (const Ring& ring : rings_) {
    for (const Fill& fill : ring.fills)
      if (!fill.written || !fill.read) throw InternalError("a tile of " + ring.name + " is not both written and read");
    if (ring.fills.empty()) continue;
    const std::int32_t full = program_.semaphores++;
    for (const Fill& fill : ring.fills) {
      at(fill.last_writer).signals.push_back({program_.core, full, 1});
      at(fill.first_reader).waits.push_back({full, 1});
    }
    const std::size_t buffers = ring.addresses.size();
    if (ring.fills.size() <= buffers) continue;
    const std::int32_t free = program_.semaphores++;
    for (std::size_t i = 0; i + buffers < ring.fills.size(); ++i) {
      at(ring.fills[i].last_reader).signals.push_back({program_.core, free, 1});
      at(ring.fills[i + buffers].first_writer).waits.push_back({free, 1});
    }
  }
  std::vector<Instruction>& loads = program_.queue(Queue::load);
  for (const Ring& ring : rings_) {
    if (!ring.prefetch || ring.fills.empty()) continue;
    const Fill& fill = ring.fills.front();
    for (std::size_t i = fill.first_writer.index; i <= fill.last_writer.index; ++i) loads[i].prefetch = true;
  }
  std::stable_partition(loads.begin(), loads.end(), [](const Instruction& load) { return load.prefetch; });
  rings_.clear();
  return std::move(program_);
}

}  // namespace accsim::sched
