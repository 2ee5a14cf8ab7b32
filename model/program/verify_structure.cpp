#include "model/program/verify_structure.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "model/program/interval_set.h"

namespace accsim::model {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 40;  // of a count, stride or size: nothing below overflows
constexpr std::size_t kMostDims = 16;
constexpr std::int32_t kMostSemaphores = 65536;  // of a core

struct Failure {  // thrown inside this file only: the first finding
  Finding finding;
};
[[noreturn]] void raise(std::string kind, std::string message) { throw Failure{{std::move(kind), std::move(message)}}; }

std::string region_name(const Region& region, const char* list) {
  return std::string(list) + " region \"" + region.name + "\"";
}

template <class Who>  // who(): called for a message only
MemoryIndex checked_memory(const Architecture& arch, const Place& place, Who&& who) {
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

void check_region(const Architecture& arch, const Region& region, const std::string& who) {
  const MemoryIndex memory = checked_memory(arch, region.place, [&] { return who; });
  const std::int64_t size = *memory_size(arch, memory);
  if (region.size.value() < 0 || region.place.address < 0 || region.size.value() > size ||
      region.place.address > size - region.size.value()) {
    raise("out_of_bounds", who + " is " +
                               bytes_name(region.place.address, region.place.address + region.size.value(), memory) +
                               ", which has " + std::to_string(size));
  }
}

bool contains(const Region& region, std::int64_t begin, std::int64_t end) {
  return region.place.address <= begin && end <= region.place.address + region.size.value();
}

bool overlap(const Region& a, const Region& b) {
  return memory_of(a.place) == memory_of(b.place) && a.place.address < b.place.address + b.size.value() &&
         b.place.address < a.place.address + a.size.value();
}

class StructureCheck {
 public:
  StructureCheck(const Architecture& arch, const ProgramHeader& header, const GroupProgram& group)
      : arch_(arch), header_(header), group_(group) {}

  void run() {
    check_regions();
    check_cores();
    for (const CoreProgram& core : group_.cores) {
      for (const Queue queue : kQueues) {
        const auto& instructions = core.queue(queue);
        for (std::size_t i = 0; i < instructions.size(); ++i) {
          core_ = core.core;
          queue_ = queue;
          index_ = i;
          check_instruction(core, instructions[i]);
        }
      }
    }
  }

 private:
  [[nodiscard]] std::string who() const { return instruction_name(core_, queue_, index_); }

  void check_regions() {
    const auto declare = [&](const std::vector<Region>& regions, const char* list, bool readable, bool writable) {
      for (const Region& region : regions) {
        check_region(arch_, region, region_name(region, list));
        if (readable) readable_[memory_of(region.place)].push_back(&region);
        if (writable) writable_[memory_of(region.place)].push_back(&region);
      }
    };
    declare(group_.live_in, "live_in", true, false);
    declare(group_.live_out, "live_out", true, true);
    declare(group_.buffers, "buffer", true, true);
    declare(group_.prefetch, "prefetch", false, false);
    for (const Region& out : group_.live_out) {
      for (const Region& constant : header_.constant) {
        if (overlap(out, constant)) {
          raise("live_out", region_name(out, "live_out") + " overlaps \"" + constant.name +
                                "\", which holds a network input or weights");
        }
      }
    }
    check_homes(group_.live_in, "live_in");
    check_homes(group_.live_out, "live_out");
    for (auto out = group_.live_out.begin(); out != group_.live_out.end(); ++out) {
      const auto other = std::find_if(group_.live_out.begin(), out, [&](const Region& r) { return overlap(r, *out); });
      if (other != out)
        raise("live_out", region_name(*out, "live_out") + " overlaps " + region_name(*other, "live_out"));
    }
    for (const Region& out : group_.live_out) {
      if (out.place.space == Space::dram) continue;
      for (const Region& in : group_.live_in) {
        if (overlap(out, in)) {
          raise("live_out", region_name(out, "live_out") + " overlaps " + region_name(in, "live_in"));
        }
      }
    }
    for (const Region& region : group_.prefetch) {
      const bool inside = std::any_of(group_.buffers.begin(), group_.buffers.end(), [&](const Region& buffer) {
        return memory_of(buffer.place) == memory_of(region.place) &&
               contains(buffer, region.place.address, region.place.address + region.size.value());
      });
      if (!inside) raise("prefetch", region_name(region, "prefetch") + " is not part of a buffer of the group");
    }
  }

  // What lives in the DRAM lies in the home of one tensor.
  void check_homes(const std::vector<Region>& regions, const char* list) const {
    for (const Region& region : regions) {
      const bool inside = std::any_of(header_.dram.begin(), header_.dram.end(), [&](const Region& home) {
        return contains(home, region.place.address, region.place.address + region.size.value());
      });
      if (region.place.space == Space::dram && !inside) {
        raise("undeclared", region_name(region, list) + " is not part of a dram region of the header");
      }
    }
  }

  void check_cores() {
    for (const CoreProgram& core : group_.cores) {
      if (!core.core.valid() || core.core.value() >= arch_.core_count()) {
        raise("structure", "core " + std::to_string(core.core.value()) + " does not exist; the architecture has " +
                               std::to_string(arch_.core_count()) + " cores");
      }
      if (!semaphores_.emplace(core.core, core.semaphores).second) {
        raise("structure", "core " + std::to_string(core.core.value()) + " has two programs");
      }
      if (core.semaphores < 0 || core.semaphores > kMostSemaphores) {
        raise("semaphore", "core " + std::to_string(core.core.value()) + " has " + std::to_string(core.semaphores) +
                               " semaphores, must have 0 to " + std::to_string(kMostSemaphores));
      }
    }
  }

  void check_instruction(const CoreProgram& core, const Instruction& instruction) {
    if (const auto* copy = std::get_if<Copy>(&instruction.op)) {
      check_copy(*copy);
    } else if (const auto* pass = std::get_if<ArrayPass>(&instruction.op)) {
      check_pass(*pass);
    } else {
      check_vector(std::get<VectorOp>(instruction.op));
    }
    check_semaphores(core, instruction);
    for (const Access& access : accesses_of(instruction)) check_address(access);
    if (instruction.prefetch) check_prefetch(instruction);
  }

  void check_semaphores(const CoreProgram& core, const Instruction& instruction) {
    for (const Wait& wait : instruction.waits) {
      const auto name = [&] { return semaphore_name(core_, wait.semaphore); };
      if (wait.semaphore < 0 || wait.semaphore >= core.semaphores) {
        raise("semaphore", who() + " waits for " + name() + ", which has " + std::to_string(core.semaphores));
      }
      if (wait.count < 1)
        raise("semaphore", who() + " waits for " + name() + " with count " + std::to_string(wait.count));
      const auto [it, is_new] = waiting_.emplace(std::pair(core_, wait.semaphore), queue_);
      if (!is_new && it->second != queue_) {
        raise("semaphore", who() + " waits for " + name() + ", for which the " + std::string(name_of(it->second)) +
                               " queue waits already");
      }
    }
    for (const Signal& signal : instruction.signals) {
      const auto name = [&] { return semaphore_name(signal.core, signal.semaphore); };
      const auto it = semaphores_.find(signal.core);
      if (it == semaphores_.end())
        raise("semaphore", who() + " signals " + name() + ", which takes no part in the group");
      if (signal.semaphore < 0 || signal.semaphore >= it->second) {
        raise("semaphore", who() + " signals " + name() + ", which has " + std::to_string(it->second));
      }
      if (signal.count < 1)
        raise("semaphore", who() + " signals " + name() + " with count " + std::to_string(signal.count));
    }
  }

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
    if (other.space == Space::accumulator || (other.space == Space::scratchpad && other.core == core_)) {
      raise("queue", who() + (load ? " reads from " : " writes to ") + memory_name(memory_of(other)) +
                         ", must be the DRAM, the global buffer or the scratchpad of another core");
    }
    if (other.space == Space::scratchpad && semaphores_.find(other.core) == semaphores_.end()) {
      raise("structure", who() + " uses the scratchpad of core " + std::to_string(other.core.value()) +
                             ", which takes no part in the group");
    }
    const StridedRange written = destination_range(copy);
    if (!written.injective()) raise("structure", who() + " writes some bytes of its destination twice");
    if (source_range(copy).tangled()) raise("structure", who() + " reads the bytes of its source again and again");
    if (copy.gather) {
      const Copy::Gather& gather = *copy.gather;
      if (!load) raise("queue", who() + " gathers; only the load queue can");
      checked_memory(arch_, gather.indices, [&] { return who() + ": indices"; });
      if (gather.indices.space != Space::scratchpad || gather.indices.core != core_) {
        raise("queue", who() + " takes indices from " + memory_name(memory_of(gather.indices)) +
                           ", must be the scratchpad of its own core");
      }
      if (gather.indices.address < 0 || gather.indices.address > kLargest || gather.indices.address % 4 != 0)
        raise("alignment", who() + " takes indices from an address that is no multiple of 4");
    }
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

  void check_tile(const TileRef& tile, const char* which, const std::vector<Loop>& loops, bool accumulator,
                  bool either) const {
    checked_memory(arch_, tile.place, [&] { return who() + ": " + which; });
    const bool space_fits = tile.place.space == (accumulator ? Space::accumulator : Space::scratchpad) ||
                            (either && tile.place.space == Space::scratchpad);
    if (!space_fits || tile.place.core != core_) {
      raise("queue",
            who() + ": " + which + " lies in " + memory_name(memory_of(tile.place)) + ", must be in the " +
                (accumulator ? std::string(either ? "scratchpad or accumulator" : "accumulator") : "scratchpad") +
                " of its own core");
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

  // Every element of the result is written exactly once and lies inside the box.
  void check_output(const TileRef& tile, const std::vector<Loop>& loops) const {
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
        raise("structure", who() + ": the loops leave the box of the output (coordinates " + std::to_string(low) +
                               " to " + std::to_string(high) + ", count " + std::to_string(axis.count) + ", step " +
                               std::to_string(axis.step) + ")");
      }
    }
    for (std::size_t l = 0; l < loops.size(); ++l) {
      const bool moves = std::any_of(tile.axes.begin(), tile.axes.end(), [&](const TileAxis& axis) {
        return axis.coefficient[l] != 0 && axis.stride != 0;
      });
      const bool must = loops[l].kind != DimKind::k && loops[l].kind != DimKind::row;
      if (loops[l].extent > 1 && must && !moves)
        raise("structure", who() + ": loop " + std::to_string(l) + " writes the same output elements again and again");
      if (loops[l].extent > 1 && loops[l].kind == DimKind::k && moves)
        raise("structure", who() + ": loop " + std::to_string(l) + " is reduced, but moves the output");
    }
    if (!written_range(tile, loops).injective()) raise("structure", who() + ": two results go to one output element");
  }

  void check_pass(const ArrayPass& pass) const {
    need_queue(queue_ == Queue::array, "an array pass");
    check_loops(pass.loops, false);
    check_tile(pass.input, "input", pass.loops, false, false);
    check_tile(pass.weight, "weight", pass.loops, false, false);
    check_tile(pass.output, "output", pass.loops, true, false);
    check_output(pass.output, pass.loops);
  }

  void check_vector(const VectorOp& op) const {
    need_queue(queue_ == Queue::vector, "a vector operation");
    check_loops(op.loops, true);
    std::size_t least = 1;
    std::size_t most = 1;
    if (op.kind == VectorKind::requantize) most = 2;
    if (op.kind == VectorKind::add || op.kind == VectorKind::mul) least = most = 2;
    if (op.kind == VectorKind::layer_normalization) most = 3;
    if (op.sources.size() < least || op.sources.size() > most) {
      raise("structure", who() + " (" + std::string(name_of(op.kind)) + ") has " + std::to_string(op.sources.size()) +
                             " sources, needs " + std::to_string(least) +
                             (most > least ? " to " + std::to_string(most) : ""));
    }
    if (op.divisor < 0) raise("structure", who() + " has a negative divisor");
    constexpr const char* kSources[] = {"source 0", "source 1", "source 2"};
    for (std::size_t s = 0; s < op.sources.size(); ++s) {
      const bool sums = op.kind == VectorKind::requantize && s == 0;
      check_tile(op.sources[s], kSources[s], op.loops, true, !sums);
    }
    check_tile(op.output, "output", op.loops, false, false);
    check_output(op.output, op.loops);
  }

  void check_address(const Access& access) const {
    const std::int64_t begin = access.range.begin();
    const std::int64_t end = access.range.end();
    const std::int64_t size = *memory_size(arch_, access.memory);
    const auto what = [&] {
      return who() + (access.write ? " writes " : " reads ") + bytes_name(begin, end, access.memory);
    };
    if (begin < 0 || end > size) raise("out_of_bounds", what() + ", which has " + std::to_string(size));
    const auto& regions = access.write ? writable_ : readable_;
    const auto it = regions.find(access.memory);
    const bool declared =
        it != regions.end() && std::any_of(it->second.begin(), it->second.end(),
                                           [&](const Region* region) { return contains(*region, begin, end); });
    if (!declared)
      raise("undeclared",
            what() + ", outside every " +
                (access.write ? "live_out region and buffer" : "live_in region, live_out region and buffer") +
                " of the group");
  }

  void check_prefetch(const Instruction& instruction) const {
    if (queue_ != Queue::load) raise("prefetch", who() + " is marked prefetch; only load instructions can be");
    const auto& copy = std::get<Copy>(instruction.op);
    const StridedRange source = source_range(copy);
    const StridedRange target = destination_range(copy);
    const bool constant = std::any_of(header_.constant.begin(), header_.constant.end(), [&](const Region& region) {
      return memory_of(region.place) == memory_of(copy.src.place) && contains(region, source.begin(), source.end());
    });
    if (!constant) {
      raise("prefetch", who() + " is a prefetch that reads " +
                            bytes_name(source.begin(), source.end(), memory_of(copy.src.place)) +
                            ", which is no network input or weight");
    }
    if (copy.gather)
      raise("prefetch", who() + " is a prefetch that gathers: its indices are not there before the group");
    const bool reserved = std::any_of(group_.prefetch.begin(), group_.prefetch.end(), [&](const Region& region) {
      return memory_of(region.place) == memory_of(copy.dst.place) && contains(region, target.begin(), target.end());
    });
    if (!reserved) {
      raise("prefetch", who() + " is a prefetch that writes " +
                            bytes_name(target.begin(), target.end(), memory_of(copy.dst.place)) +
                            ", outside every prefetch region of the group");
    }
  }

  const Architecture& arch_;
  const ProgramHeader& header_;
  const GroupProgram& group_;
  std::map<MemoryIndex, std::vector<const Region*>> readable_;
  std::map<MemoryIndex, std::vector<const Region*>> writable_;
  std::map<CoreId, std::int32_t> semaphores_;
  std::map<std::pair<CoreId, std::int32_t>, Queue> waiting_;
  CoreId core_;
  Queue queue_ = Queue::load;
  std::size_t index_ = 0;
};

}  // namespace

std::string instruction_name(CoreId core, Queue queue, std::size_t index) {
  return "core " + std::to_string(core.value()) + " " + std::string(name_of(queue)) + "[" + std::to_string(index) + "]";
}

std::string semaphore_name(CoreId core, std::int32_t semaphore) {
  return "semaphore " + std::to_string(semaphore) + " of core " + std::to_string(core.value());
}

std::string bytes_name(std::int64_t begin, std::int64_t end, MemoryIndex memory) {
  return "bytes [" + std::to_string(begin) + ", " + std::to_string(end) + ") of " + memory_name(memory);
}

std::optional<std::int64_t> memory_size(const Architecture& arch, MemoryIndex memory) {
  if (memory == kDramMemory) return arch.dram.capacity().value();
  if (memory == kGlobalBufferMemory)
    return arch.global_buffer ? std::optional(arch.global_buffer->size().value()) : std::nullopt;
  const CoreConfig& core = arch.core(CoreId(static_cast<std::int32_t>(memory / 2 - 1)));
  return (memory % 2 == 0 ? core.scratchpad : core.accumulator).size().value();
}

std::optional<Finding> check_header(const Architecture& arch, const ProgramHeader& header) {
  try {
    IntervalSet taken;
    for (const Region& region : header.dram) {
      const std::string who = region_name(region, "dram");
      if (region.place.space != Space::dram) raise("structure", who + " of the header is not in the DRAM");
      check_region(arch, region, who);
      if (taken.add(region.place.address, region.place.address + region.size.value())) {
        raise("structure", who + " overlaps another one");
      }
    }
    for (const Region& region : header.constant) {
      const bool inside = std::any_of(header.dram.begin(), header.dram.end(), [&](const Region& home) {
        return memory_of(region.place) == memory_of(home.place) &&
               contains(home, region.place.address, region.place.address + region.size.value());
      });
      if (!inside) raise("structure", region_name(region, "constant") + " is not part of a dram region");
    }
  } catch (Failure& failure) {
    return std::move(failure.finding);
  }
  return std::nullopt;
}

std::optional<Finding> check_structure(const Architecture& arch, const ProgramHeader& header,
                                       const GroupProgram& group) {
  try {
    StructureCheck(arch, header, group).run();
  } catch (Failure& failure) {
    return std::move(failure.finding);
  }
  return std::nullopt;
}

}  // namespace accsim::model
