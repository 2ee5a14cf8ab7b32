#include "model/program/verify.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "model/program/byte_map.h"
#include "model/program/verify_memory.h"
#include "model/program/verify_order.h"
#include "model/program/verify_structure.h"

namespace accsim::model {
namespace {

using Node = GroupOrder::Node;
using Sets = std::map<MemoryIndex, IntervalSet>;

std::int64_t end_of(const Region& region) { return region.place.address + region.size.value(); }

std::string of_region(const Region& region) { return "\"" + region.name + "\""; }

// All accesses of one group, in an order in which some execution makes them.
class MemoryCheck {
 public:
  MemoryCheck(const GroupProgram& group, const GroupOrder& order, const Sets& holds)
      : group_(group), order_(order), holds_(holds) {}

  std::optional<Finding> run() {
    if (auto finding = provide()) return finding;
    if (auto finding = survey_dram()) return finding;
    for (const Node node : order_.sequence()) {
      for (const Access& access : accesses_of(order_.instruction(node))) {
        if (auto finding = check(node, access)) return finding;
      }
    }
    if (auto finding = check_live_out()) return finding;
    return check_never_read();
  }

  [[nodiscard]] Sets touched() const {
    Sets sets;
    for (const auto& [memory, state] : states_) sets[memory] = state.touched();
    return sets;
  }

  // On the chip.
  [[nodiscard]] Sets written() const {
    Sets sets;
    for (const auto& [memory, state] : states_)
      if (memory != kDramMemory) sets[memory] = state.written();
    return sets;
  }

  // What the memories outside hold after the group, and the on-chip ones in live regions. `written`: see above.
  void leave(Sets& holds, const Sets& written) const {
    for (const auto& [memory, set] : written)
      for (const auto& [begin, end] : set.intervals()) holds[memory].remove(begin, end);
    for (const Region& region : group_.live_out) {
      holds[memory_of(region.place)].add(region.place.address, end_of(region));
    }
  }

 private:
  [[nodiscard]] const IntervalSet& held(MemoryIndex memory) const {
    static const IntervalSet kNothing;
    const auto it = holds_.find(memory);
    return it == holds_.end() ? kNothing : it->second;
  }

  std::optional<Finding> provide() {
    for (const Region& region : group_.live_in) {
      const MemoryIndex memory = memory_of(region.place);
      const std::int64_t begin = region.place.address;
      const std::int64_t end = end_of(region);
      if (const auto gap = held(memory).first_gap(begin, end)) {
        return Finding{"live_in", "live_in region " + of_region(region) + ", " + bytes_name(begin, end, memory) +
                                      ": byte " + std::to_string(*gap) + " is written by no earlier group"};
      }
      if (memory != kDramMemory) states_[memory].provide(begin, end);
    }
    return std::nullopt;
  }

  // The map of the DRAM live_out region that [begin, end) lies in.
  [[nodiscard]] ByteMap* output_with(std::int64_t begin, std::int64_t end) {
    const auto it = std::find_if(outputs_.begin(), outputs_.end(),
                                 [&](const ByteMap& output) { return output.contains(begin, end); });
    return it == outputs_.end() ? nullptr : &*it;
  }

  // Which ranges of the DRAM may be stored to and loaded from, from the first to the last byte of each copy: only where
  // they meet do accesses have to be followed one by one. And that every byte of a live_out region is stored once.
  std::optional<Finding> survey_dram() {
    for (const Region& region : group_.live_out) {
      if (region.place.space != Space::dram) continue;
      outputs_.emplace_back(region.place.address, end_of(region));
      if (const auto byte = held(kDramMemory).first_common(region.place.address, end_of(region))) {
        return Finding{"written_twice", "live_out region " + of_region(region) + ", " +
                                            bytes_name(region.place.address, end_of(region), kDramMemory) + ": byte " +
                                            std::to_string(*byte) + " has been written by an earlier group"};
      }
    }
    for (const Node node : order_.sequence()) {
      const auto* copy = std::get_if<Copy>(&order_.instruction(node).op);
      if (copy == nullptr) continue;
      if (copy->src.place.space == Space::dram) {
        const StridedRange range = source_range(*copy);
        loaded_.add(range.begin(), range.end());
      }
      if (copy->dst.place.space != Space::dram) continue;
      const StridedRange range = destination_range(*copy);
      stored_.add(range.begin(), range.end());
      ByteMap* output = output_with(range.begin(), range.end());
      if (output == nullptr) continue;
      std::optional<Finding> finding;
      range.each_row([&](std::int64_t begin, std::int64_t end) {
        if (output->add(begin, end)) {
          finding = {"written_twice", order_.name(node) + " writes " + bytes_name(begin, end, kDramMemory) +
                                          ", parts of which the group has written already"};
        }
        return !finding;
      });
      if (finding) return finding;
    }
    return std::nullopt;
  }

  std::optional<Finding> check(Node node, const Access& access) {
    const std::int64_t begin = access.range.begin();
    const std::int64_t end = access.range.end();
    MemoryState::Earlier earlier;
    if (access.memory == kDramMemory) {
      if (!access.write && !stored_.intersects(begin, end)) {
        const IntervalSet& data = held(kDramMemory);
        if (data.covers(begin, end)) return std::nullopt;
        std::optional<Finding> finding;
        access.range.each_row([&](std::int64_t low, std::int64_t high) {
          if (!data.covers(low, high)) finding = unwritten(node, low, high, kDramMemory);
          return !finding;
        });
        return finding;
      }
      if (access.write && !loaded_.intersects(begin, end) && output_with(begin, end) != nullptr) return std::nullopt;
      earlier = [this](std::int64_t low, std::int64_t high) { return held(kDramMemory).covers(low, high); };
    }
    MemoryState& state = states_[access.memory];
    std::optional<Finding> finding;
    access.range.each_row([&](std::int64_t low, std::int64_t high) {
      const auto conflict = access.write ? state.write(low, high, node, order_)
                                         : state.read(low, high, node, order_, earlier, access.element);
      if (conflict) finding = describe(node, access, *conflict);
      return !finding;
    });
    return finding;
  }

  [[nodiscard]] Finding unwritten(Node node, std::int64_t begin, std::int64_t end, MemoryIndex memory) const {
    return {"unwritten_read", order_.name(node) + " reads " + bytes_name(begin, end, memory) +
                                  ", which nothing ordered before it has written"};
  }

  [[nodiscard]] Finding describe(Node node, const Access& access, const MemoryState::Conflict& conflict) const {
    using Kind = MemoryState::Conflict::Kind;
    if (conflict.kind == Kind::unwritten) return unwritten(node, conflict.begin, conflict.end, access.memory);
    const std::string what = order_.name(node) + (access.write ? " writes " : " reads ") +
                             bytes_name(conflict.begin, conflict.end, access.memory);
    if (conflict.kind == Kind::torn) {
      return {"torn_read", what + " as one element, only a part of which " + order_.name(conflict.other) + " wrote"};
    }
    if (conflict.kind == Kind::unread) {
      const std::string by = conflict.other == MemoryState::kBefore ? "an earlier group" : order_.name(conflict.other);
      return {"overwrite_unread", what + ", which " + by + " wrote and nobody has read"};
    }
    return {"unordered_access", what + " while " + order_.name(conflict.other) + " may still " +
                                    (conflict.kind == Kind::with_writer ? "write" : "read") +
                                    " them: neither queue order nor semaphores order the two"};
  }

  [[nodiscard]] std::optional<Finding> check_live_out() const {
    std::size_t output = 0;
    for (const Region& region : group_.live_out) {
      const MemoryIndex memory = memory_of(region.place);
      const std::int64_t begin = region.place.address;
      std::optional<std::int64_t> gap = begin;
      if (memory == kDramMemory) {
        gap = outputs_[output++].first_gap();
      } else if (const auto state = states_.find(memory); state != states_.end()) {
        gap = state->second.written().first_gap(begin, end_of(region));
      }
      if (gap) {
        return Finding{"live_out", "live_out region " + of_region(region) + ", " +
                                       bytes_name(begin, end_of(region), memory) + ": byte " + std::to_string(*gap) +
                                       " is never written"};
      }
    }
    return std::nullopt;
  }

  // What is written on the chip is read there, or live after the group.
  [[nodiscard]] std::optional<Finding> check_never_read() const {
    Sets kept;
    for (const Region& region : group_.live_out) {
      kept[memory_of(region.place)].add(region.place.address, end_of(region));
    }
    for (const auto& [memory, state] : states_) {
      if (memory == kDramMemory) continue;
      if (const auto dead = state.unread(kept[memory])) {
        return Finding{"never_read", order_.name(dead->other) + " writes " +
                                         bytes_name(dead->begin, dead->end, memory) + ", which nobody reads"};
      }
    }
    return std::nullopt;
  }

  const GroupProgram& group_;
  const GroupOrder& order_;
  const Sets& holds_;
  std::map<MemoryIndex, MemoryState> states_;
  std::vector<ByteMap> outputs_;  // live_out regions of the DRAM, in their order
  IntervalSet stored_;
  IntervalSet loaded_;
};

// Prefetch regions against what the group before touched.
std::optional<Finding> check_prefetch(const GroupProgram& group, const Sets& touched) {
  for (const Region& region : group.prefetch) {
    const MemoryIndex memory = memory_of(region.place);
    const auto it = touched.find(memory);
    if (it == touched.end()) continue;
    if (const auto byte = it->second.first_common(region.place.address, end_of(region))) {
      return Finding{"prefetch", "prefetch region " + of_region(region) + ", " +
                                     bytes_name(region.place.address, end_of(region), memory) +
                                     ": the group before uses byte " + std::to_string(*byte)};
    }
  }
  return std::nullopt;
}

}  // namespace

ProgramVerifier::ProgramVerifier(const Architecture& arch, const ProgramHeader& header)
    : arch_(&arch), header_(header) {
  for (const Region& region : header_.constant) {
    if (region.place.space == Space::dram) holds_[kDramMemory].add(region.place.address, end_of(region));
  }
}

std::optional<ProgramViolation> ProgramVerifier::check(const GroupProgram& group) {
  const auto violation = [&](Finding finding) {
    return ProgramViolation{group.group, std::move(finding.kind), std::move(finding.message)};
  };
  if (groups_ == 0) {
    if (auto finding = check_header(*arch_, header_)) return violation(std::move(*finding));
  } else if (group.group <= last_) {
    return violation({"structure", "group " + std::to_string(group.group.value()) + " follows group " +
                                       std::to_string(last_.value()) + ", must have a larger number"});
  }
  last_ = group.group;
  ++groups_;

  if (auto finding = check_structure(*arch_, header_, group)) return violation(std::move(*finding));
  if (auto finding = check_prefetch(group, touched_)) return violation(std::move(*finding));
  GroupOrder order(group);
  if (auto finding = order.run()) return violation(std::move(*finding));
  MemoryCheck memory(group, order, holds_);
  if (auto finding = memory.run()) return violation(std::move(*finding));
  const Sets written = memory.written();
  if (auto found = check_left(group, written)) return found;
  touched_ = memory.touched();
  memory.leave(holds_, written);
  return std::nullopt;
}

// A region that was left on the chip for later groups is read by one before it is overwritten, as a whole or in part.
std::optional<ProgramViolation> ProgramVerifier::check_left(const GroupProgram& group, const Sets& written) {
  const auto overlap = [](const Region& a, const Region& b) {
    return memory_of(a.place) == memory_of(b.place) && a.place.address < end_of(b) && b.place.address < end_of(a);
  };
  for (Left& left : left_) {
    left.read = left.read || std::any_of(group.live_in.begin(), group.live_in.end(),
                                         [&](const Region& region) { return overlap(region, left.region); });
  }
  const auto overwritten = [&](const Left& left) {
    const auto it = written.find(memory_of(left.region.place));
    return it != written.end() && it->second.intersects(left.region.place.address, end_of(left.region));
  };
  for (const Left& left : left_) {
    if (left.read || !overwritten(left)) continue;
    return ProgramViolation{group.group, "overwrite_unread",
                            "the group writes to region " + of_region(left.region) + " that group " +
                                std::to_string(left.group.value()) + " left in " +
                                memory_name(memory_of(left.region.place)) + " and nobody has read"};
  }
  std::erase_if(left_, overwritten);
  for (const Region& region : group.live_out)
    if (region.place.space != Space::dram) left_.push_back({region, group.group, false});
  return std::nullopt;
}

std::optional<ProgramViolation> ProgramVerifier::finish() const {
  if (groups_ != header_.groups) {
    return ProgramViolation{
        last_, "structure",
        "the program has " + std::to_string(groups_) + " groups, its header says " + std::to_string(header_.groups)};
  }
  for (const Region& region : header_.dram) {
    const auto held = holds_.find(kDramMemory);
    if (region.size.value() == 0 ||
        (held != holds_.end() && held->second.covers(region.place.address, end_of(region)))) {
      continue;
    }
    return ProgramViolation{last_, "live_out", "dram region " + of_region(region) + " is written by no group"};
  }
  for (const Left& left : left_) {
    if (left.read) continue;
    return ProgramViolation{left.group, "never_read",
                            "region " + of_region(left.region) + " that the group leaves in " +
                                memory_name(memory_of(left.region.place)) + " is read by no later group"};
  }
  return std::nullopt;
}

std::optional<ProgramViolation> verify_program(const Architecture& arch, ProgramSource& source) {
  ProgramVerifier verifier(arch, source.header());
  while (const auto group = source.next()) {
    if (auto violation = verifier.check(*group)) return violation;
  }
  return verifier.finish();
}

}  // namespace accsim::model
