// The data of a chip: the bytes of all its memories, moved by the same instructions and at the same times as the timed
// model moves them. The timed modules tell what happens and when; nothing here influences them.
//   A burst samples its source when it is served there (a DRAM controller orders bursts as it accepts them; a store
//   reads its scratchpad when it leaves) and is written where it goes when it arrives.
//   Array passes and vector instructions read when they start and write when they end.
// So instructions that are not kept apart by semaphores show as wrong data. Memory that nobody has written holds a
// pattern, so that reading it shows, too.
// Leaves out: data in flight inside a memory's pipeline.
#pragma once
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "model/arch/arch.h"
#include "model/program/program.h"
#include "model/program/verify_access.h"
#include "sim/functional/burst_pieces.h"
#include "sim/functional/memory_image.h"
#include "sim/kernel/time.h"

namespace accsim::sim {

class FunctionalChip {
 public:
  // Makes bytes [offset, offset + bytes.size()) of a region of the header's `constant` list.
  using InitialBytes =
      std::function<void(const model::Region& region, std::int64_t offset, std::span<std::uint8_t> bytes)>;
  // Called when all instructions of a group have ended, before the next group starts (its prefetches apart).
  using GroupEnded = std::function<void(const model::GroupProgram& group)>;

  // `arch` and `header` must outlive it. ConfigError where the cores' accumulators differ in width: sums modulo
  // different powers of two have no common result.
  FunctionalChip(const model::Architecture& arch, const model::ProgramHeader& header, InitialBytes initial);
  GroupEnded group_ended;

  // Width of a sum in every accumulator, at most 32.
  static int sum_bits_of(const model::Architecture& arch);

  // What the timed modules tell; `now` never goes back within a core.
  void start(model::CoreId core, model::Queue queue, const model::Instruction& instruction, Cycles now);
  void end(model::CoreId core, model::Queue queue, Cycles now);
  // The DMA queue sends its next burst, whose address it names; `transaction` identifies it until it is delivered.
  void send(model::CoreId core, model::Queue queue, std::int32_t transaction, std::int64_t burst_address, Cycles now);
  // The remote memory reads it now, or has written it at `done`.
  void serve(std::int32_t transaction, Cycles now, Cycles done);
  // The data of a load are in the scratchpad at `at`.
  void deliver(std::int32_t transaction, Cycles at);
  // A burst of a multicast is in the scratchpad of this core at `at`; others may still wait for it.
  void deliver_copy(std::int32_t transaction, model::CoreId core, Cycles at);

  // For whoever compares: bytes outside the cores.
  void read(const model::Place& place, std::span<std::uint8_t> bytes);
  // The region's bytes are needed no more; touched again, they are initial or unwritten.
  void drop(const model::Region& region);

 private:
  struct Burst {
    model::MemoryIndex remote = 0;
    model::MemoryIndex local = 0;
    bool write = false;
    std::vector<Piece> pieces;
    std::vector<std::uint8_t> bytes;  // of the pieces, one after the other
  };
  // Bytes on their way into a memory, written when somebody looks at it at or after `at`.
  struct Arrival {
    Cycles at;
    Burst burst;
  };
  struct Memory {
    std::unique_ptr<MemoryImage> image;
    std::deque<Arrival> arrivals;  // in order of time
  };
  struct DramRegion {
    const model::Region* region = nullptr;
    bool constant = false;
    std::unique_ptr<MemoryImage> image;
  };
  // An array pass or vector instruction between its start and its end.
  struct Computed {
    const model::Instruction* instruction = nullptr;
    std::vector<std::uint32_t> sums;
    std::vector<std::int32_t> results;
  };
  struct QueueState {
    std::deque<BurstPieces> copies;  // with bursts to send, oldest first
    std::deque<Computed> computed;
  };

  [[nodiscard]] QueueState& state(model::CoreId core, model::Queue queue) {
    return queues_[core.index() * model::kQueues.size() + static_cast<std::size_t>(queue)];
  }
  std::uint8_t* bytes_at(model::MemoryIndex memory, std::int64_t address, std::int64_t count);
  std::uint8_t* dram_at(std::int64_t address, std::int64_t count);
  std::uint8_t* tile_at(const model::TileRef& tile);
  void settle(model::MemoryIndex memory, Cycles now);
  void arrive(model::MemoryIndex memory, Cycles at, Burst burst);
  void sample(Burst& burst, model::MemoryIndex from, bool remote);
  void write(const Burst& burst, model::MemoryIndex to, bool remote);
  Burst take_spare();
  std::vector<std::int64_t> gathered_rows(const model::Copy& copy);

  const model::Architecture* arch_;
  InitialBytes initial_;
  std::int64_t burst_bytes_;
  std::map<std::int64_t, DramRegion> dram_;  // by first address
  DramRegion* last_region_ = nullptr;
  std::vector<Memory> memories_;  // by MemoryIndex; the DRAM's is unused
  std::vector<QueueState> queues_;
  std::vector<Burst> bursts_;  // by transaction
  std::vector<Burst> spare_;
};

}  // namespace accsim::sim
