#include "sched/lower/group_builder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "model/base/error.h"

namespace accsim::sched {

using namespace model;

RingId GroupBuilder::add_ring(std::string name, Space space, std::vector<std::int64_t> addresses) {
  rings_.push_back({std::move(name), space, std::move(addresses), {}, false, false, {}});
  return rings_.size() - 1;
}

void GroupBuilder::work_for(OpId layer, std::int32_t tile) {
  layer_ = layer;
  tile_ = tile;
}

Place GroupBuilder::begin_fill(RingId ring) {
  rings_[ring].fills.emplace_back();
  rings_[ring].fills.back().written = rings_[ring].outside;
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
  std::vector<Readers>& readers = rings_[ring].fills.back().readers;
  const auto same = std::find_if(readers.begin(), readers.end(),
                                 [&](const Readers& r) { return r.first.queue == instruction.queue; });
  if (same == readers.end()) {
    readers.push_back({instruction, instruction});
  } else {
    same->last = instruction;
  }
}

void GroupBuilder::prefetch_first_fill(RingId ring) { rings_[ring].prefetch = true; }

void GroupBuilder::add_semaphores(const Ring& ring, Queue reader, Taken& taken) {
  const auto readers_of = [reader](const Fill& fill) {
    const auto found = std::find_if(fill.readers.begin(), fill.readers.end(),
                                    [&](const Readers& r) { return r.first.queue == reader; });
    return found == fill.readers.end() ? nullptr : &*found;
  };
  // Vector instructions do not overlap: what one of them wrote, the next may read, and the other way round.
  const auto in_turn = [&](const Fill& fill) {
    return !ring.outside && reader == Queue::vector && fill.first_writer.queue == Queue::vector;
  };
  std::optional<std::int32_t> full;
  std::optional<std::int32_t> free;
  const auto semaphore = [this](std::optional<std::int32_t>& id) {
    if (!id) id = program_.semaphores++;
    return *id;
  };
  if (ring.outside) {
    Taken::Queue queue;
    for (std::size_t i = 0; i < ring.fills.size(); ++i) {
      const Readers* readers = readers_of(ring.fills[i]);
      if (readers == nullptr) continue;
      at(readers->first).waits.push_back({semaphore(full), 1});
      queue.last_readers.push_back({i, readers->last});
    }
    if (!full) return;
    queue.full = *full;
    taken.queues.push_back(std::move(queue));
    return;
  }
  for (const Fill& fill : ring.fills) {
    const Readers* readers = readers_of(fill);
    if (readers == nullptr || in_turn(fill)) continue;
    at(fill.last_writer).signals.push_back({program_.core, semaphore(full), 1});
    at(readers->first).waits.push_back({*full, 1});
  }
  const std::size_t buffers = ring.addresses.size();
  for (std::size_t i = 0; i + buffers < ring.fills.size(); ++i) {
    const Readers* readers = readers_of(ring.fills[i]);
    if (readers == nullptr || in_turn(ring.fills[i])) continue;
    at(readers->last).signals.push_back({program_.core, semaphore(free), 1});
    at(ring.fills[i + buffers].first_writer).waits.push_back({*free, 1});
  }
}

// The loads of this ring go to all takers.
void GroupBuilder::finish_multicast(const Ring& ring) {
  std::vector<CoreId> cores;
  for (const Taker* taker : ring.takers) cores.push_back(taker->core);
  std::sort(cores.begin(), cores.end());
  for (const Fill& fill : ring.fills)
    for (std::size_t i = fill.first_writer.index; i <= fill.last_writer.index; ++i)
      std::get<Copy>(program_.queue(Queue::load)[i].op).multicast = cores;
  const std::size_t buffers = ring.addresses.size();
  for (Taker* taker : ring.takers) {
    if (taker->taken.fills != ring.fills.size() || taker->taken.buffers != buffers)
      throw InternalError("core " + std::to_string(taker->core.value()) + " takes other tiles of " + ring.name +
                          " than core " + std::to_string(program_.core.value()) + " loads");
    for (Taken::Queue& queue : taker->taken.queues) {
      for (const auto& [fill, reader] : queue.last_readers) {
        at(ring.fills[fill].last_writer).signals.push_back({taker->core, queue.full, 1});
        if (fill + buffers >= ring.fills.size()) continue;
        if (queue.free < 0) queue.free = program_.semaphores++;
        at(ring.fills[fill + buffers].first_writer).waits.push_back({queue.free, 1});
      }
    }
  }
}

CoreProgram GroupBuilder::finish() {
  for (const Ring& ring : rings_) {
    for (const Fill& fill : ring.fills)
      if (!fill.written || fill.readers.empty())
        throw InternalError("a tile of " + ring.name + " is not both written and read");
    if (!ring.takers.empty()) finish_multicast(ring);
    Taken taken{ring.name, ring.addresses.size(), ring.fills.size(), {}};
    for (const Queue reader : {Queue::load, Queue::array, Queue::vector, Queue::store})
      add_semaphores(ring, reader, taken);
    if (ring.outside) taken_.push_back(std::move(taken));
  }
  std::vector<Instruction>& loads = program_.queue(Queue::load);
  for (const Ring& ring : rings_) {
    if (!ring.prefetch || ring.outside || ring.fills.empty()) continue;
    const Fill& fill = ring.fills.front();
    for (std::size_t i = fill.first_writer.index; i <= fill.last_writer.index; ++i) loads[i].prefetch = true;
  }
  std::stable_partition(loads.begin(), loads.end(), [](const Instruction& load) { return load.prefetch; });
  rings_.clear();
  return std::move(program_);
}

}  // namespace accsim::sched
