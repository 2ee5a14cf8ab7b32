#include "model/program/verify_structure.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "model/program/interval_set.h"
#include "model/program/verify_operation.h"

namespace accsim::model {
namespace {

constexpr std::int32_t kMostSemaphores = 65536;  // of a core

std::string region_name(const Region& region, const char* list) {
  return std::string(list) + " region \"" + region.name + "\"";
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
    const auto takes_part = [&](CoreId other) { return semaphores_.find(other) != semaphores_.end(); };
    check_operation(arch_, {core_, queue_, index_}, takes_part, instruction);
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
    for (const MemoryIndex memory : destinations_of(copy)) {
      const bool reserved = std::any_of(group_.prefetch.begin(), group_.prefetch.end(), [&](const Region& region) {
        return memory_of(region.place) == memory && contains(region, target.begin(), target.end());
      });
      if (!reserved) {
        raise("prefetch", who() + " is a prefetch that writes " + bytes_name(target.begin(), target.end(), memory) +
                              ", outside every prefetch region of the group");
      }
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
    for (auto region = header.constant.begin(); region != header.constant.end(); ++region) {
      const auto same = [&](const Region& other) {
        return other.name == region->name && other.place == region->place && other.size == region->size;
      };
      if (std::none_of(header.dram.begin(), header.dram.end(), same))
        raise("structure", region_name(*region, "constant") + " is none of the dram regions");
      if (std::any_of(header.constant.begin(), region, same))
        raise("structure", region_name(*region, "constant") + " stands there twice");
    }
  } catch (StructureFailure& failure) {
    return std::move(failure.finding);
  }
  return std::nullopt;
}

std::optional<Finding> check_structure(const Architecture& arch, const ProgramHeader& header,
                                       const GroupProgram& group) {
  try {
    StructureCheck(arch, header, group).run();
  } catch (StructureFailure& failure) {
    return std::move(failure.finding);
  }
  return std::nullopt;
}

}  // namespace accsim::model
