// A group of several operators as one core runs it, tile by tile of the group's result, the tensors between them on the
// chip only. The last operator (the sink) loops over its tiles as its mapping says. A tile that an operator needs of a
// tensor that another operator of the group computes is made when it is asked for: that operator runs, under its own
// mapping, over the part of its loop nest that yields the box, and so on upwards. What a buffer still holds is not made
// again.
//   - a consumer that takes its reduction whole asks for a box with all channels (output centric); one whose mapping
//     tiles the reduction asks for a slice of channels at a time and keeps its partial sums (input centric);
//   - boxes of neighbouring tiles overlap in a halo, which is computed again;
//   - a tensor with several readers is made once a tile of the sink, as the hull of what all of them need.
// Everything that is made must be read: tiles with which it is not are refused (end_of_walk).
// Used by verifier (capacity), cost model and lowering alike, so that they cannot disagree about what runs. Leaves out:
// several results, Concat and copies inside, half-byte elements, halos kept or exchanged.
#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/schedule/schedule.h"
#include "model/schedule/tile_sequence.h"

namespace accsim::model {

struct FusedOperator {
  OpId op;
  const OperatorMapping* mapping = nullptr;
  LoopNest nest;            // with the tensors' own axes; of the sink this core's share
  std::vector<int> source;  // by operand: position of the operator that computes it, -1 where it comes from outside
  // By operand that has a source: for each axis of the source's result the operand's axis, -1 where it has none (one
  // coordinate).
  std::vector<std::vector<int>> axis_of;
  int readers = 0;  // operands in the group that are its result
};

class FusedGroup {
 public:
  // The group at position `place` of its cores. It has been verified and has several operators that compute; group and
  // network must outlive this.
  FusedGroup(const Group& group, const Network& network, const Architecture& arch, std::size_t place);

  [[nodiscard]] const std::vector<FusedOperator>& operators() const { return operators_; }  // the sink is the last
  [[nodiscard]] std::size_t sink() const { return operators_.size() - 1; }
  // By operator: the box of its result that this tile of the sink needs; nothing where none. Tiles of reductions are
  // taken together.
  [[nodiscard]] std::vector<std::optional<Box>> hulls(const TileIndex& tile) const;
  // The part of an operator's nest that makes this box of its result (one that `made_for` returned).
  [[nodiscard]] LoopNest part(std::size_t op, const Box& box) const;
  // The box that an operator makes when this one is asked for: dense, and whole along axes that it cannot cut.
  [[nodiscard]] Box made_for(std::size_t op, Box box) const;
  // A box of an operand in the axes of its source's result, and back.
  [[nodiscard]] Box in_result(std::size_t op, std::size_t operand, const Box& box) const;
  [[nodiscard]] Box in_operand(std::size_t op, std::size_t operand, const Box& box) const;

 private:
  std::vector<FusedOperator> operators_;
};

// Whether `inner` lies in `outer`, both dense.
bool contains(const Box& outer, const Box& inner);

// Told what a core does for a group, in an order in which it can be done.
class GroupVisitor {
 public:
  virtual ~GroupVisitor() = default;
  // The operator's result is made next: this box of it, by this part of its nest. Not called for the sink.
  virtual void begin_result(std::size_t op, const Box& box, const LoopNest& part) = 0;
  virtual void begin_tile(std::size_t op, const LoopNest& nest, const TileIndex& at) = 0;  // of its result
  // An operand from outside of the group is needed.
  virtual void fetch(std::size_t op, const LoopNest& nest, std::size_t operand, const TileIndex& at) = 0;
  // One reduction tile: all operands but biases are there.
  virtual void step(std::size_t op, const LoopNest& nest, const TileIndex& at, bool first) = 0;
  // All reduction tiles are done, biases are there.
  virtual void end_tile(std::size_t op, const LoopNest& nest, const TileIndex& at) = 0;
};
struct WalkEnd {
  // The first operator of whose result something is made that nobody reads (a reader that skips rows, readers of
  // different parts): such a group is refused.
  std::optional<std::size_t> unread;
  bool stopped = false;  // after `most_steps`
};
inline constexpr std::int64_t kAllSteps = INT64_MAX;
// Reduction tiles of all operators that a core may work on in one fused group: small tiles that are made again for
// every reader multiply with the depth of the group, and so do a program's size and the time to make it.
inline constexpr std::int64_t kMostSteps = 1'000'000;
WalkEnd walk(const FusedGroup& group, GroupVisitor& visitor, std::int64_t most_steps = kAllSteps);
// How the walk ends, at kMostSteps at the latest.
WalkEnd end_of_walk(const FusedGroup& group);

// Buffers of a fused group on one core: what lowering allocates. Roles: "weight.<layer>", "bias.<layer>",
// "input0.<layer>" … for operands from outside, "accumulator.<layer>", "result.<layer>" for tensors between operators,
// "output.<layer>" of the sink. `end`: where not null, how the walk
// ended; the needs are those of `most_steps` reduction tiles.
std::vector<BufferNeed> buffer_needs(const FusedGroup& group, const Network& network, const CoreConfig& core,
                                     std::int64_t most_steps = kAllSteps, WalkEnd* end = nullptr);
// Name of the buffers of an operand from outside.
std::string fused_role(const FusedOperator& op, std::size_t operand);

// Operators of a group that compute something (are no aliases), in the group's order.
std::vector<OpId> working_operators(const Group& group, const Network& network);
// Axes with which the group's mappings see its operators.
TensorAxes axes_of_group(const Group& group, const Network& network);

// Storage roots of the tensors that never leave a group of the schedule.
std::set<TensorId> tensors_inside(const Schedule& schedule, const Network& network);

// Why these operators cannot run as one group: where (a key of the group) and what; nothing if they can.
std::optional<ScheduleViolation> find_not_fusable(const Group& group, const Network& network);

}  // namespace accsim::model
