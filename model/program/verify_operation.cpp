#include "model/program/verify_operation.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

namespace accsim::model {

void raise(std::string kind, std::string message) { throw StructureFailure{{std::move(kind), std::move(message)}}; }

MemoryIndex checked_memory(const Architecture& arch, const Place& place, const std::function<std::string()>& who) {
  const bool on_core = place.space == Space::scratchpad || place.space == Space::accumulator;
  if (on_core && (!place.core.valid() || place.core.value() >= arch.core_count())) {
    raise("structure", who() + " names core " + std::to_string(place.core.value()) + "; the architecture has " +
                           std::to_string(arch.core_count()) + " cores");
  }
  if (!on_core && place.core.valid()) {
    raise("structure", who() + " gives a core to the " + (place.space == Space::dram ? "DRAM" : "global buffer"));
  }
  const MemoryIndex memory = memory_of(place);
  if (!memory_size(arch, memory)) raise("structure", who() + " uses a global buffer; the architecture has none");
  return memory;
}

namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 40;  // of a count, stride or size: nothing below overflows
constexpr std::size_t kMostDims = 16;

std::string kind_name(DimKind kind) {
  constexpr std::array<const char*, 5> kNames{"group", "m", "n", "k", "row"};
  return kNames[static_cast<std::size_t>(kind)];
}

class OperationCheck {
 public:
  OperationCheck(const Architecture& arch, const InstructionPlace& at, const std::function<bool(CoreId)>& takes_part)
      : arch_(arch), core_(at.core), queue_(at.queue), index_(at.index), takes_part_(takes_part) {}

  void run(const Instruction& instruction) const {
    if (const auto* copy = std::get_if<Copy>(&instruction.op)) {
      check_copy(*copy);
    } else if (const auto* pass = std::get_if<ArrayPass>(&instruction.op)) {
      check_pass(*pass);
    } else {
      check_vector(std::get<VectorOp>(instruction.op));
    }
  }

 private:
  [[nodiscard]] std::string who() const { return instruction_name(core_, queue_, index_); }

  void need_queue(bool allowed, const char* what) const {
    if (!allowed) raise("queue", who() + " is " + what + ", which this queue does not execute");
  }

  void check_side(const Copy& copy, const Copy::Side& side, const char* which) const {
    const MemoryIndex memory = checked_memory(arch_, side.place, [&] { return who() + ": " + which; });
    bool valid = side.place.address >= 0 && side.place.address <= kLargest;
    for (std::size_t d = 0; d + 1 < kCopyDims; ++d) {
      const bool table = copy.gather && &side == &copy.src && d == 0;
      const std::int64_t count = table ? std::max(copy.gather->rows, copy.extent[d]) : copy.extent[d];
      valid = valid && side.stride[d] >= 0 && side.stride[d] <= kLargest / count;
    }
    if (!valid) {
      raise("out_of_bounds",
            who() + ": " + which + " has a negative or huge address or stride in " + memory_name(memory));
    }
  }

  void check_copy(const Copy& copy) const {
    need_queue(queue_ == Queue::load || queue_ == Queue::store, "a copy");
    std::int64_t total = 1;
    for (const std::int64_t extent : copy.extent) {
      if (extent < 1 || extent > kLargest / total)
        raise("structure", who() + " has an extent below 1 or too many bytes");
      total *= extent;
    }
    if (copy.gather && (copy.gather->rows < 1 || copy.gather->rows > kLargest || copy.gather->first < 0)) {
      raise("structure", who() + " gathers from a table with fewer than 1 rows or more than can be addressed");
    }
    check_side(copy, copy.src, "source");
    check_side(copy, copy.dst, "destination");
    const bool load = queue_ == Queue::load;
    const Place& own = load ? copy.dst.place : copy.src.place;
    const Place& other = load ? copy.src.place : copy.dst.place;
    if (own.space != Space::scratchpad || own.core != core_) {
      raise("queue", who() + (load ? " writes to " : " reads from ") + memory_name(memory_of(own)) +
                         ", must be the scratchpad of its own core");
    }
    if (other.space == Space::accumulator) {
      raise("queue", who() + (load ? " reads from " : " writes to ") + memory_name(memory_of(other)) +
                         ", must be the DRAM, the global buffer or a scratchpad");
    }
    if (!copy.multicast.empty()) check_multicast(copy);
    const StridedRange written = destination_range(copy);
    const StridedRange read = source_range(copy);
    if (!written.injective()) raise("structure", who() + " writes some bytes of its destination twice");
    if (read.tangled()) raise("structure", who() + " reads the bytes of its source again and again");
    if (memory_of(own) == memory_of(other) && written.begin() < read.end() && read.begin() < written.end())
      raise("structure", who() + " copies within its scratchpad to where it reads from");
    if (copy.gather) {
      const Copy::Gather& gather = *copy.gather;
      if (!load) raise("queue", who() + " gathers; only the load queue can");
      if (gather.rows > 1 && copy.src.stride[0] == 0)
        raise("structure", who() + " gathers from a table whose rows all lie at one place");
      checked_memory(arch_, gather.indices, [&] { return who() + ": indices"; });
      if (gather.indices.space != Space::scratchpad || gather.indices.core != core_) {
        raise("queue", who() + " takes indices from " + memory_name(memory_of(gather.indices)) +
                           ", must be the scratchpad of its own core");
      }
      if (gather.indices.address < 0 || gather.indices.address > kLargest || gather.indices.address % 4 != 0)
        raise("alignment", who() + " takes indices from an address that is no multiple of 4");
    }
  }

  void check_multicast(const Copy& copy) const {
    if (copy.dst.place.space != Space::scratchpad)
      raise("structure", who() + " is a multicast into " + memory_name(memory_of(copy.dst.place)) +
                             ", must be one into scratchpads");
    if (arch_.noc.topology == Topology::ring)
      raise("structure", who() + " is a multicast; a ring has none, the other topologies have");
    CoreId before;
    for (const CoreId core : copy.multicast) {
      const Place place{Space::scratchpad, core, 0};
      checked_memory(arch_, place, [&] { return who() + ": multicast"; });
      if (before.valid() && core <= before)
        raise("structure", who() + " is a multicast whose cores are not in ascending order");
      before = core;
      if (core == copy.dst.place.core || core == core_ ||
          (copy.src.place.space == Space::scratchpad && core == copy.src.place.core))
        raise("structure", who() + " is a multicast that names core " + std::to_string(core.value()) +
                               " again, which is its own, its source's or its destination's");
      if (!takes_part_(core))
        raise("structure", who() + " uses the scratchpad of core " + std::to_string(core.value()) +
                               ", which takes no part in the group");
    }
    const std::int64_t flits = ceil_div(arch_.dram.derived.burst_bytes, arch_.noc.flit_bytes);
    if (arch_.noc.topology == Topology::mesh && flits > arch_.noc.vc_buffer_flits)
      raise("structure", who() + " is a multicast of bursts of " + std::to_string(flits) +
                             " flits; on a mesh they must fit into noc.vc_buffer_flits, which is " +
                             std::to_string(arch_.noc.vc_buffer_flits));
  }

  void check_loops(const std::vector<Loop>& loops, bool vector) const {
    std::int64_t total = 1;
    if (loops.size() > kMostDims) raise("structure", who() + " has more than " + std::to_string(kMostDims) + " loops");
    for (const Loop& loop : loops) {
      if (loop.extent < 1 || loop.extent > kLargest / total)
        raise("structure", who() + " has a loop extent below 1 or too much work");
      total *= loop.extent;
      const bool known = vector ? loop.kind == DimKind::m || loop.kind == DimKind::row : loop.kind != DimKind::row;
      if (!known) {
        raise("structure", who() + " has a loop of a kind that its engine does not know");
      }
    }
  }

  // Sums lie in the accumulator, everything else in the scratchpad.
  void check_tile(const TileRef& tile, const char* which, const std::vector<Loop>& loops, bool accumulator) const {
    checked_memory(arch_, tile.place, [&] { return who() + ": " + which; });
    if (tile.place.space != (accumulator ? Space::accumulator : Space::scratchpad) || tile.place.core != core_) {
      raise("queue", who() + ": " + which + " lies in " + memory_name(memory_of(tile.place)) + ", must be in the " +
                         (accumulator ? "accumulator" : "scratchpad") + " of its own core");
    }
    const DataType sums = arch_.core(core_).array.accumulator_type;
    if (tile.place.space == Space::accumulator && tile.type != sums) {
      raise("structure", who() + ": " + which + " is " + std::string(name_of(tile.type)) + ", the accumulator holds " +
                             std::string(name_of(sums)));
    }
    std::int64_t total = 1;
    bool valid = tile.place.address >= 0 && tile.place.address <= kLargest && tile.axes.size() <= kMostDims;
    for (const TileAxis& axis : tile.axes) {
      valid = valid && axis.count >= 0 && axis.count <= kLargest / total && axis.step >= 1 && axis.step <= kLargest &&
              axis.stride >= 0 && axis.stride <= kLargest / std::max<std::int64_t>(axis.count, 1) &&
              std::abs(axis.offset) <= kLargest;
      if (!valid) break;
      total *= std::max<std::int64_t>(axis.count, 1);
      if (axis.coefficient.size() != loops.size()) {
        raise("structure", who() + ": " + which + " has " + std::to_string(axis.coefficient.size()) +
                               " coefficients for " + std::to_string(loops.size()) + " loops");
      }
      for (std::size_t l = 0; l < loops.size(); ++l)
        valid = valid && std::abs(axis.coefficient[l]) <= kLargest / loops[l].extent;
    }
    if (!valid) raise("structure", who() + ": " + which + " has a count, step, stride or coefficient out of range");
    if (read_range(tile).tangled()) raise("structure", who() + ": " + which + " visits its bytes again and again");
    const std::int64_t bytes = bits_of(tile.type) / 8;
    if (bytes > 1 && tile.place.address % bytes != 0) {
      raise("alignment", who() + ": " + which + " at address " + std::to_string(tile.place.address) +
                             " is not aligned to its " + std::to_string(bytes) + "-byte elements");
    }
  }

  static bool moves(const TileRef& tile, std::size_t loop) {
    return std::any_of(tile.axes.begin(), tile.axes.end(),
                       [&](const TileAxis& axis) { return axis.coefficient[loop] != 0; });
  }

  // No element of the box is padding.
  void check_inside(const TileRef& tile, const char* which, const std::vector<Loop>& loops) const {
    for (const TileAxis& axis : tile.axes) {
      std::int64_t low = axis.offset;
      std::int64_t high = axis.offset;
      bool on_grid = axis.offset % axis.step == 0;
      for (std::size_t l = 0; l < loops.size(); ++l) {
        const std::int64_t reach = axis.coefficient[l] * (loops[l].extent - 1);
        (reach < 0 ? low : high) += reach;
        on_grid = on_grid && (reach == 0 || axis.coefficient[l] % axis.step == 0);
      }
      if (low < 0 || high / axis.step >= axis.count || !on_grid) {
        raise("structure", who() + ": the loops leave the box of the " + which + " (coordinates " +
                               std::to_string(low) + " to " + std::to_string(high) + ", count " +
                               std::to_string(axis.count) + ", step " + std::to_string(axis.step) + ")");
      }
    }
  }

  // Every element of the result is written exactly once and lies inside the box. `reduced`: the kind of loop that adds
  // up inside a result.
  void check_output(const TileRef& tile, const std::vector<Loop>& loops, std::optional<DimKind> reduced) const {
    check_inside(tile, "output", loops);
    for (std::size_t l = 0; l < loops.size(); ++l) {
      const bool moves = std::any_of(tile.axes.begin(), tile.axes.end(), [&](const TileAxis& axis) {
        return axis.coefficient[l] != 0 && axis.stride != 0;
      });
      if (loops[l].extent == 1) continue;
      if (loops[l].kind != reduced && !moves)
        raise("structure", who() + ": loop " + std::to_string(l) + " writes the same output elements again and again");
      if (loops[l].kind == reduced && moves)
        raise("structure", who() + ": loop " + std::to_string(l) + " is reduced, but moves the output");
    }
    if (!written_range(tile, loops).injective()) raise("structure", who() + ": two results go to one output element");
  }

  // An input is the same for all columns of the result, a weight for all rows; otherwise they move: a pass of other
  // extents than it computes would be timed.
  void check_moves(const TileRef& tile, const char* which, const std::vector<Loop>& loops, DimKind still) const {
    for (std::size_t l = 0; l < loops.size(); ++l) {
      if (loops[l].extent == 1 || moves(tile, l) == (loops[l].kind != still)) continue;
      raise("structure", who() + ": loop " + std::to_string(l) + " is of kind " + kind_name(loops[l].kind) + ", but " +
                             (loops[l].kind == still ? "moves the " : "does not move the ") + which);
    }
  }

  void check_pass(const ArrayPass& pass) const {
    need_queue(queue_ == Queue::array, "an array pass");
    check_loops(pass.loops, false);
    check_tile(pass.input, "input", pass.loops, false);
    check_tile(pass.weight, "weight", pass.loops, false);
    check_tile(pass.output, "output", pass.loops, true);
    check_moves(pass.input, "input", pass.loops, DimKind::n);
    check_moves(pass.weight, "weight", pass.loops, DimKind::m);
    check_inside(pass.weight, "weight", pass.loops);  // only inputs are padded
    check_output(pass.output, pass.loops, DimKind::k);
  }

  void check_vector(const VectorOp& op) const {
    need_queue(queue_ == Queue::vector, "a vector operation");
    check_loops(op.loops, true);
    const auto [least, most] = source_count(op.kind);
    if (op.sources.size() < least || op.sources.size() > most) {
      raise("structure", who() + " (" + std::string(name_of(op.kind)) + ") has " + std::to_string(op.sources.size()) +
                             " sources, needs " + std::to_string(least) +
                             (most > least ? " to " + std::to_string(most) : ""));
    }
    if (op.divisor < 0) raise("structure", who() + " has a negative divisor");
    if (op.divisor > 0 && op.kind != VectorKind::average_pool)
      raise("structure", who() + " (" + std::string(name_of(op.kind)) + ") has a divisor");
    if (op.kind == VectorKind::activate && op.activations.empty())
      raise("structure", who() + " (activate) has no activation");
    constexpr const char* kSources[] = {"source 0", "source 1", "source 2"};
    for (std::size_t s = 0; s < op.sources.size(); ++s) {
      const bool sums = op.kind == VectorKind::requantize && s == 0;
      check_tile(op.sources[s], kSources[s], op.loops, sums);
    }
    check_tile(op.output, "output", op.loops, false);
    const bool pool = is_pool(op.kind);
    const bool rows = pool || is_normalization(op.kind);
    if (!rows && std::any_of(op.loops.begin(), op.loops.end(), [](const Loop& l) { return l.kind == DimKind::row; })) {
      raise("structure", who() + " (" + std::string(name_of(op.kind)) + ") has a loop of kind row, but no rows");
    }
    check_output(op.output, op.loops, pool ? std::optional(DimKind::row) : std::nullopt);
  }

  const Architecture& arch_;
  CoreId core_;
  Queue queue_;
  std::size_t index_;
  const std::function<bool(CoreId)>& takes_part_;
};

}  // namespace

void check_operation(const Architecture& arch, const InstructionPlace& at,
                     const std::function<bool(CoreId)>& takes_part, const Instruction& instruction) {
  OperationCheck(arch, at, takes_part).run(instruction);
}

}  // namespace accsim::model
