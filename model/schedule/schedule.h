// A schedule: ordered groups of operators, where they run, how they are tiled, where tensors live between groups.
// The contract between searchers, verifier and lowering (accsim-schedule/1). Layers are named as in the network
// after fuse_activations.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/arch/arch.h"
#include "model/base/units.h"
#include "model/workload/loop_nest.h"
#include "model/workload/network.h"

namespace accsim::model {

enum class Home : std::uint8_t { dram, global_buffer, scratchpad };

// How one operator runs on one core: the loops over tiles, outermost first, and the tile of each dimension.
// A dimension that is not named in `tile` is whole. Reduction dimensions (kind k) are iterated innermost, so that
// partial sums never leave the accumulator.
struct OperatorMapping {
  std::string layer;
  std::map<std::string, std::int64_t> tile;  // dimension name -> size
  std::vector<std::string> order;      // dimension names, outermost first; those not named are inside, in nest order
  std::map<std::string, int> buffers;  // tensor role ("input", "weight", "output") -> 1 or 2 tile buffers; default 2
  std::vector<std::string> multicast;  // roles ("input", "weight") whose tiles one core loads for all (multicast.h)
};

struct InnerEdge {  // chapter 7: between two operators of one group
  std::string tensor;
  std::string halo = "recompute";            // recompute | retain | exchange
  std::string direction = "output_centric";  // output_centric | input_centric
};

struct Group {
  GroupId id;
  std::vector<std::string> layers;
  std::vector<std::int64_t> cores;
  std::string split = "none";  // none | rows | columns | channels | batch | heads | reduction | pipeline
  std::vector<OperatorMapping> mappings;
  std::vector<InnerEdge> edges;
  std::map<std::string, Home> homes;  // tensors that leave the group
  bool prefetch = true;               // the first weight tiles may be loaded while the group before runs
};

struct Schedule {
  std::string arch;
  std::string net;
  std::int64_t batch = 1;
  std::string strategy;
  std::string objective = "edp";
  std::vector<Group> groups;
};

Json to_json(const Schedule& schedule);
Schedule parse_schedule(const Json& json, const std::string& file);

// Bytes of on-chip buffers that a mapping needs on a core: what both the search and the verifier hold against the
// capacities. Each entry: role, buffers, bytes a buffer.
struct BufferNeed {
  std::string role;          // "input0", "input1", "weight", "bias", "accumulator", "output"
  bool accumulator = false;  // in the accumulator, else in the scratchpad
  int buffers = 2;
  Bytes bytes;  // a buffer, rounded up to tile_alignment()
};
std::vector<BufferNeed> buffer_needs(const LoopNest& nest, const OperatorMapping& mapping, const CoreConfig& core);
// Tile size of each dimension of the nest.
std::vector<std::int64_t> tile_sizes(const LoopNest& nest, const OperatorMapping& mapping);

struct ScheduleViolation {
  std::string where;  // "groups[3].mappings[0].tile.N"
  std::string message;
};
// The independent verifier: made for this architecture and network (where the schedule names them) and this batch
// (where the caller does), every operator exactly once and in dependency order, cores exist, tiles within range, orders
// valid, homes possible, every output computed exactly once, buffers within capacity. First violation or none.
std::optional<ScheduleViolation> verify_schedule(const Schedule& schedule, const Network& network,
                                                 const Architecture& arch, std::optional<std::int64_t> batch = {});

}  // namespace accsim::model
