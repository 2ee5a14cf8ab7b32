// One DMA queue of a core, load or store: strided copies cut into bursts, issued at bytes_per_cycle, at most
// `outstanding` bursts and `channels` instructions in flight. Instructions end in order. Loads: a request goes out, the
// data come back, are written to the scratchpad's banks. Stores: the data are read from the banks, travel with the
// request, an acknowledgment comes back. A bank serves the DMA in cycles that no stream of array or vector unit has
// reserved; a burst that waits for its bank is still outstanding. Bursts that lie in one line of the scratchpad (its
// port's width) are gathered and cost its bank one access together. A multicast ends when every other core that takes
// it has said that it has it: a load's takers with one message each, a store's with one for each burst. Accounting: the
// cycles up to the return of a burst are split by where that burst was: in the network, in the memory, or arriving
// (which is the engine's own work).
#pragma once
#include <deque>
#include <vector>

#include "model/arch/noc_placement.h"
#include "sim/core/memory_port.h"
#include "sim/core/queue_unit.h"
#include "sim/dma/burst_walker.h"
#include "sim/dma/line_writer.h"
#include "sim/noc/packet.h"

namespace accsim::sim {

// Where things are: filled in by the chip.
struct NocMap {
  const model::Architecture* arch = nullptr;
  std::int64_t burst_bytes = 64;
  std::int64_t nodes = 0;
  std::vector<std::int64_t> routers;  // that a packet passes, by source and destination
  model::NocPlacement placement;
  std::vector<std::size_t> core_types;  // by core
  [[nodiscard]] std::int32_t node_of(const model::Place& place, std::int64_t address) const;
  [[nodiscard]] std::int64_t routers_between(std::int32_t from, std::int32_t to) const {
    return routers[static_cast<std::size_t>(from * nodes + to)];
  }
  // Links out of routers that a multicast takes.
  [[nodiscard]] std::int64_t hops_to_all(std::int32_t from, const std::vector<std::int16_t>& takers) const {
    return model::multicast_hops(*arch, placement, from, {takers.begin(), takers.end()});
  }
};

class DmaUnit : public QueueUnit {
 public:
  DmaUnit(const sc_core::sc_module_name& name, Clock clock, model::Queue queue, const model::CoreConfig& config,
          std::size_t core_type, const NocMap& map, TransactionPool& pool);

  sc_core::sc_port<MemoryPort> scratchpad;
  sc_core::sc_port<NocPort> noc;

  // The answer to one of this queue's bursts: its last flit arrives at `at`.
  void receive_answer(std::int32_t transaction, std::int32_t flits, Cycles at);

 protected:
  void run(Cycles now) override;

 private:
  struct Descriptor {
    Started started;
    BurstWalker walker;
    Cycles begin;
    Cycles last_done;
    std::int64_t outstanding = 0;
    bool remote_dram = true;
    std::int32_t multicast = -1;
    std::int64_t takers = 0;  // of a multicast load: cores that do not have it yet
    [[nodiscard]] bool ended() const { return walker.done() && outstanding == 0 && takers == 0; }
  };
  void count_multicast(const Packet& packet, ActionCounts& actions) const;
  void begin_multicast(Descriptor& descriptor, std::int64_t number);
  // A burst of a load is here: its lines go to their banks, at once or when they are free.
  void write_lines(std::int32_t transaction, Cycles at);
  void serve_waiting(Cycles now);
  void take_in(std::int32_t transaction, Cycles done, Cycles now);  // all its lines are written
  // All lines of a burst are read or written.
  void finish(std::int32_t transaction, Cycles done);
  void issue_loads(Cycles from);
  void issue_store(Cycles now);
  void send(Descriptor& descriptor, std::int64_t number, Cycles ready);
  void retire(Cycles now);
  [[nodiscard]] Descriptor* next_to_issue();
  // The burst was in the memory until then.
  void report_memory(const Descriptor& descriptor, const Transaction& transaction, Cycles until);
  // Cycle in which a burst may go out that may not before `earliest`; takes the turn.
  Cycles take_turn(Cycles earliest);
  [[nodiscard]] Cycles next_turn() const { return Cycles(next_issue_bytes_ / config_->dma.bytes_per_cycle); }
  [[nodiscard]] bool write() const { return queue() == model::Queue::store; }

  const model::CoreConfig* config_;
  std::size_t core_type_;
  const NocMap* map_;
  std::int32_t channel_node_;  // of DRAM channel 0
  std::int64_t burst_flits_;
  TransactionPool* pool_;
  std::deque<Descriptor> active_;
  std::int64_t first_number_ = 0;  // of active_.front()
  std::size_t issuing_ = 0;        // index in active_ of the oldest that has bursts to issue
  std::int64_t outstanding_ = 0;
  std::int64_t next_issue_bytes_ = 0;  // the next burst may go out in cycle next_issue_bytes_ / bytes_per_cycle
  LineGatherer read_lines_;            // of stores
  LineWriter writer_{Master::load};
  std::int64_t waited_bank_ = -1;  // that a line of a running instruction waited for last
  Cycles last_ready_;
  Cycles refused_since_ = kNever;  // the next burst of a store wants its bank
  Cycles last_retired_;
};

}  // namespace accsim::sim
