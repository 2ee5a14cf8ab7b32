// Builds the queues of one core for one group. Buffers are rings: a fill of a ring is written by instructions of one
// queue and read by instructions of one or several; the builder derives the semaphores from that. For each queue that
// reads:
//   full: the last writer of a fill signals, its first reader waits.
//   free: the last reader of fill i signals, the first writer of fill i+B waits (B buffers); only where fill i+B
//   exists.
// None where the vector queue both writes and reads: its instructions do not overlap.
// A ring that one core fills for several (multicast): its loads name the others; it signals the full of each of them,
// and has a free of its own for each of them.
// So every semaphore has one waiting queue and ends at zero. Because every wait is met by an instruction that was added
// before, the order of the calls is a valid sequential execution: no deadlock.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "model/program/program.h"

namespace accsim::sched {

// Where an instruction stands.
struct InstructionRef {
  model::Queue queue = model::Queue::load;
  std::size_t index = 0;
};

using RingId = std::size_t;

class GroupBuilder {
 public:
  explicit GroupBuilder(model::CoreId core) { program_.core = core; }

  RingId add_ring(std::string name, model::Space space, std::vector<std::int64_t> addresses);

  // Operator and tile that the next instructions work for.
  void work_for(model::OpId layer, std::int32_t tile);

  // Starts the next fill of a ring; returns its buffer.
  model::Place begin_fill(RingId ring);
  // Buffer of the ring's latest fill.
  [[nodiscard]] model::Place current(RingId ring) const;
  [[nodiscard]] std::int64_t fills(RingId ring) const { return static_cast<std::int64_t>(rings_[ring].fills.size()); }

  InstructionRef add(model::Queue queue, std::variant<model::Copy, model::ArrayPass, model::VectorOp> op);
  // The instruction writes to, or reads, the latest fill of the ring.
  void writes(RingId ring, InstructionRef instruction);
  void reads(RingId ring, InstructionRef instruction);

  // Moves the load instructions that fill `rings` for the first time to the head of the load queue, marked as prefetch.
  void prefetch_first_fill(RingId ring);

  // The ring is filled by another core.
  void fill_from_outside(RingId ring) { rings_[ring].outside = true; }
  // What a core with such a ring leaves to be done when its program is finished: by queue that reads it, the semaphore
  // that the filling core signals for each fill that is read, and who read it last and so frees its buffer.
  struct Taken {
    struct Queue {
      std::int32_t full = 0;
      std::int32_t free = -1;  // of the filling core, to be signalled; none: nothing is filled again
      std::vector<std::pair<std::size_t, InstructionRef>> last_readers;  // with the fill
    };
    std::string ring;
    std::size_t buffers = 1;
    std::size_t fills = 0;
    std::vector<Queue> queues;
  };
  [[nodiscard]] std::vector<Taken> take_taken() { return std::move(taken_); }
  // The ring is filled for another core, too. finish sets `free` where something is filled again.
  struct Taker {
    model::CoreId core;
    Taken taken;
  };
  void fill_for(RingId ring, Taker& taker) { rings_[ring].takers.push_back(&taker); }

  // Adds the semaphores; the builder is empty afterwards.
  model::CoreProgram finish();

 private:
  struct Readers {
    InstructionRef first, last;  // of one queue
  };
  struct Fill {
    bool written = false;
    InstructionRef first_writer, last_writer;
    std::vector<Readers> readers;
  };
  struct Ring {
    std::string name;
    model::Space space = model::Space::scratchpad;
    std::vector<std::int64_t> addresses;
    std::vector<Fill> fills;
    bool prefetch = false;
    bool outside = false;
    std::vector<Taker*> takers;
  };
  void add_semaphores(const Ring& ring, model::Queue reader, Taken& taken);
  void finish_multicast(const Ring& ring);
  model::Instruction& at(InstructionRef ref) { return program_.queue(ref.queue)[ref.index]; }

  model::CoreProgram program_;
  std::vector<Ring> rings_;
  std::vector<Taken> taken_;
  model::OpId layer_;
  std::int32_t tile_ = 0;
};

}  // namespace accsim::sched
