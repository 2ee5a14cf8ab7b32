// The independent check of programs: it knows instructions and semaphores, nothing of schedules or lowering.
// Group by group it finds: addresses outside a memory or a declared region, reads of bytes that nobody wrote,
// overwrites of live bytes, semaphore deadlock, semaphores that are not back at zero, and any two conflicting
// accesses that neither queue order nor semaphores order, whatever their timing. docs/program.md lists the kinds.
// Leaves out: values, and whether the program computes the network it is for (execution on data shows that).
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/arch/arch.h"
#include "model/program/interval_set.h"
#include "model/program/program.h"
#include "model/program/verify_access.h"

namespace accsim::model {

struct ProgramViolation {
  GroupId group;
  std::string
      kind;  // "out_of_bounds", "unwritten_read", "unordered_access", "deadlock", "semaphore", "prefetch", "queue", …
  std::string message;  // names core, queue, instruction index, bytes
};

// State carried from group to group: which bytes hold data, and what the group before touched.
class ProgramVerifier {
 public:
  // `arch` must outlive the verifier.
  ProgramVerifier(const Architecture& arch, const ProgramHeader& header);
  // First violation of this group, or nullopt. Groups in order; after a violation the verifier is of no further use.
  std::optional<ProgramViolation> check(const GroupProgram& group);
  // To be called after the last group: whether there were as many as the header says, whether they have written all
  // tensors in the DRAM, and whether each region that one left on the chip has been read.
  [[nodiscard]] std::optional<ProgramViolation> finish() const;

 private:
  std::optional<ProgramViolation> check_left(const GroupProgram& group,
                                             const std::map<MemoryIndex, IntervalSet>& written);

  const Architecture* arch_;
  ProgramHeader header_;
  std::map<MemoryIndex, IntervalSet> holds_;    // constants, and what earlier groups left in their live_out regions
  std::map<MemoryIndex, IntervalSet> touched_;  // by the group before
  struct Left {
    Region region;
    GroupId group;
    bool read = false;  // a later group has it in live_in
  };
  std::vector<Left> left_;  // live_out regions on the chip that nobody has overwritten
  std::int64_t groups_ = 0;
  GroupId last_;
};

// First violation of all groups, or nullopt.
std::optional<ProgramViolation> verify_program(const Architecture& arch, ProgramSource& source);

}  // namespace accsim::model
