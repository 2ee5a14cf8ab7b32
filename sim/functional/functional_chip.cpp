#include "sim/functional/functional_chip.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "model/base/error.h"
#include "sim/functional/array_values.h"
#include "sim/functional/encoding.h"
#include "sim/functional/tile_walk.h"
#include "sim/functional/vector_values.h"

namespace accsim::sim {

using model::MemoryIndex;
using model::Queue;

FunctionalChip::FunctionalChip(const model::Architecture& arch, const model::ProgramHeader& header,
                               InitialBytes initial)
    : arch_(&arch), initial_(std::move(initial)), burst_bytes_(arch.dram.derived.burst_bytes) {
  sum_bits_of(arch);
  for (const model::Region& region : header.dram) dram_[region.place.address].region = &region;
  for (const model::Region& region : header.constant) {
    const auto it = dram_.find(region.place.address);
    if (it == dram_.end()) throw model::InternalError("a constant region that is no tensor's: " + region.name);
    it->second.constant = true;
  }
  const auto add = [this](std::int64_t size) {
    const std::uint64_t memory = memories_.size();
    memories_.push_back({std::make_unique<MemoryImage>(size,
                                                       [memory](std::int64_t offset, std::span<std::uint8_t> page) {
                                                         fill_unwritten(memory, offset, page);
                                                       }),
                         {}});
  };
  memories_.emplace_back();  // the DRAM: by region
  add(arch.global_buffer ? arch.global_buffer->size().value() : 0);
  for (std::int32_t core = 0; core < arch.core_count(); ++core) {
    add(arch.core(model::CoreId(core)).scratchpad.size().value());
    add(arch.core(model::CoreId(core)).accumulator.size().value());
  }
  queues_.resize(static_cast<std::size_t>(arch.core_count()) * model::kQueues.size());
}

int FunctionalChip::sum_bits_of(const model::Architecture& arch) {
  const model::DataType first = arch.core_types.front().array.accumulator_type;
  for (const model::CoreConfig& type : arch.core_types) {
    const model::DataType other = type.array.accumulator_type;
    if (sum_bits(other) == sum_bits(first)) continue;
    throw model::ConfigError("architecture " + arch.name + ": --verify needs accumulators of one width, found " +
                             std::string(model::name_of(first)) + " in core type \"" + arch.core_types.front().name +
                             "\" and " + std::string(model::name_of(other)) + " in \"" + type.name + "\"");
  }
  return sum_bits(first);
}

std::uint8_t* FunctionalChip::dram_at(std::int64_t address, std::int64_t count) {
  const auto holds = [&](const DramRegion& r) {
    const std::int64_t first = r.region->place.address;
    return address >= first && address + count <= first + r.region->size.value();
  };
  if (last_region_ == nullptr || !holds(*last_region_)) {
    auto it = dram_.upper_bound(address);
    if (it == dram_.begin() || !holds((--it)->second)) {
      throw model::InternalError("execution on data: bytes [" + std::to_string(address) + ", " +
                                 std::to_string(address + count) + ") of the DRAM are no tensor's");
    }
    last_region_ = &it->second;
  }
  DramRegion& r = *last_region_;
  if (r.image == nullptr) {
    const model::Region* region = r.region;
    MemoryImage::MakePage make;
    if (r.constant) {
      make = [this, region](std::int64_t offset, std::span<std::uint8_t> page) { initial_(*region, offset, page); };
    } else {
      make = [region](std::int64_t offset, std::span<std::uint8_t> page) {
        fill_unwritten(0, region->place.address + offset, page);
      };
    }
    r.image = std::make_unique<MemoryImage>(region->size.value(), std::move(make));
  }
  return r.image->at(address - r.region->place.address, count);
}

std::uint8_t* FunctionalChip::bytes_at(MemoryIndex memory, std::int64_t address, std::int64_t count) {
  if (memory == model::kDramMemory) return dram_at(address, count);
  return memories_[memory].image->at(address, count);
}

std::uint8_t* FunctionalChip::tile_at(const model::TileRef& tile) {
  const std::int64_t bytes = model::storage_bytes(tile.type, tile_span(tile)).value();
  return bytes_at(model::memory_of(tile.place), tile.place.address, bytes);
}

// What has arrived in a memory by `now` is in it.
void FunctionalChip::settle(MemoryIndex memory, Cycles now) {
  std::deque<Arrival>& arrivals = memories_[memory].arrivals;
  while (!arrivals.empty() && arrivals.front().at <= now) {
    Burst& burst = arrivals.front().burst;
    write(burst, memory, burst.write);  // a store arrives where it goes to, a load here
    spare_.push_back(std::move(burst));
    arrivals.pop_front();
  }
}

void FunctionalChip::arrive(MemoryIndex memory, Cycles at, Burst burst) {
  std::deque<Arrival>& arrivals = memories_[memory].arrivals;
  auto place = arrivals.end();
  while (place != arrivals.begin() && std::prev(place)->at > at) --place;
  arrivals.insert(place, {at, std::move(burst)});
}

void FunctionalChip::sample(Burst& burst, MemoryIndex from, bool remote) {
  std::int64_t total = 0;
  for (const Piece& piece : burst.pieces) total += piece.bytes;
  burst.bytes.resize(static_cast<std::size_t>(total));
  std::uint8_t* to = burst.bytes.data();
  for (const Piece& piece : burst.pieces) {
    std::memcpy(to, bytes_at(from, remote ? piece.remote : piece.local, piece.bytes),
                static_cast<std::size_t>(piece.bytes));
    to += piece.bytes;
  }
}

void FunctionalChip::write(const Burst& burst, MemoryIndex to, bool remote) {
  const std::uint8_t* from = burst.bytes.data();
  for (const Piece& piece : burst.pieces) {
    std::memcpy(bytes_at(to, remote ? piece.remote : piece.local, piece.bytes), from,
                static_cast<std::size_t>(piece.bytes));
    from += piece.bytes;
  }
}

FunctionalChip::Burst FunctionalChip::take_spare() {
  if (spare_.empty()) return {};
  Burst burst = std::move(spare_.back());
  spare_.pop_back();
  burst.pieces.clear();
  return burst;
}

std::vector<std::int64_t> FunctionalChip::gathered_rows(const model::Copy& copy) {
  std::vector<std::int64_t> rows;
  if (!copy.gather) return rows;
  constexpr std::int64_t kIndexBytes = 4;
  const model::Place& indices = copy.gather->indices;
  const std::int64_t count = copy.extent[0];
  std::vector<std::int32_t> values(static_cast<std::size_t>(count));
  decode(model::DataType::int32, bytes_at(model::memory_of(indices), indices.address, count * kIndexBytes), count,
         values.data());
  for (const std::int32_t value : values) {
    const std::int64_t row = value % copy.gather->rows;
    rows.push_back(row < 0 ? row + copy.gather->rows : row);
  }
  return rows;
}

void FunctionalChip::start(model::CoreId core, Queue queue, const model::Instruction& instruction, Cycles now) {
  QueueState& at = state(core, queue);
  const MemoryIndex scratchpad = model::memory_of({model::Space::scratchpad, core, 0});
  settle(scratchpad, now);
  if (const auto* copy = std::get_if<model::Copy>(&instruction.op)) {
    at.copies.emplace_back(*copy, queue == Queue::load, burst_bytes_, gathered_rows(*copy));
    if (at.copies.back().done()) at.copies.pop_back();  // nothing to move
    return;
  }
  Computed computed{&instruction, {}, {}};
  if (const auto* pass = std::get_if<model::ArrayPass>(&instruction.op)) {
    computed.sums = evaluate(*pass, tile_at(pass->input), tile_at(pass->weight));
  } else {
    const auto& op = std::get<model::VectorOp>(instruction.op);
    std::array<const std::uint8_t*, kMostSources> sources{};
    for (std::size_t s = 0; s < std::min(op.sources.size(), kMostSources); ++s) sources[s] = tile_at(op.sources[s]);
    computed.results = evaluate(op, sources);
  }
  at.computed.push_back(std::move(computed));
}

void FunctionalChip::end(model::CoreId core, Queue queue, Cycles now) {
  if (queue == Queue::load || queue == Queue::store) return;  // its bursts have been written as they arrived
  QueueState& at = state(core, queue);
  if (at.computed.empty()) throw model::InternalError("execution on data: an instruction ends that never started");
  settle(model::memory_of({model::Space::scratchpad, core, 0}), now);
  const Computed& computed = at.computed.front();
  if (const auto* pass = std::get_if<model::ArrayPass>(&computed.instruction->op)) {
    write_sums(*pass, computed.sums, tile_at(pass->output));
  } else {
    const auto& op = std::get<model::VectorOp>(computed.instruction->op);
    write_results(op, computed.results, tile_at(op.output));
  }
  at.computed.pop_front();
}

void FunctionalChip::send(model::CoreId core, Queue queue, std::int32_t transaction, std::int64_t burst_address,
                          Cycles now) {
  QueueState& at = state(core, queue);
  if (at.copies.empty()) throw model::InternalError("execution on data: a burst of no copy");
  const auto index = static_cast<std::size_t>(transaction);
  if (index >= bursts_.size()) bursts_.resize(index + 1);
  Burst burst = take_spare();
  BurstPieces& copy = at.copies.front();
  burst.write = queue == Queue::store;
  burst.local = model::memory_of({model::Space::scratchpad, core, 0});
  burst.remote = model::memory_of(copy.remote());
  if (copy.next(burst.pieces) != burst_address) {
    throw model::InternalError("execution on data: burst " + std::to_string(burst_address) + " is not the next one");
  }
  if (copy.done()) at.copies.pop_front();
  if (burst.write) {
    settle(burst.local, now);
    sample(burst, burst.local, false);
  }
  bursts_[index] = std::move(burst);
}

void FunctionalChip::serve(std::int32_t transaction, Cycles now, Cycles done) {
  Burst& burst = bursts_[static_cast<std::size_t>(transaction)];
  if (burst.remote == model::kDramMemory) {  // orders its bursts itself
    if (burst.write) {
      write(burst, burst.remote, true);
    } else {
      sample(burst, burst.remote, true);
    }
    return;
  }
  settle(burst.remote, now);
  if (burst.write) {
    const MemoryIndex memory = burst.remote;
    arrive(memory, done, std::move(burst));
  } else {
    sample(burst, burst.remote, true);
  }
}

void FunctionalChip::deliver(std::int32_t transaction, Cycles at) {
  Burst& burst = bursts_[static_cast<std::size_t>(transaction)];
  const MemoryIndex memory = burst.local;
  arrive(memory, at, std::move(burst));
}

void FunctionalChip::deliver_copy(std::int32_t transaction, model::CoreId core, Cycles at) {
  Burst copy = take_spare();
  copy = bursts_[static_cast<std::size_t>(transaction)];
  arrive(model::memory_of({model::Space::scratchpad, core, 0}), at, std::move(copy));
}

void FunctionalChip::read(const model::Place& place, std::span<std::uint8_t> bytes) {
  const MemoryIndex memory = model::memory_of(place);
  if (memory != model::kDramMemory) settle(memory, kNever);
  const auto count = static_cast<std::int64_t>(bytes.size());
  if (count > 0) std::memcpy(bytes.data(), bytes_at(memory, place.address, count), bytes.size());
}

void FunctionalChip::drop(const model::Region& region) {
  const auto it = dram_.find(region.place.address);
  if (region.place.space == model::Space::dram && it != dram_.end()) it->second.image.reset();
}

}  // namespace accsim::sim
