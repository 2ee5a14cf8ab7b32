// Mutation tests of the program verifier: every single edit of small valid programs is rejected, or is proven to change
// nothing (every instruction reads the same bytes from the same writers, in every execution), or changes only which
// data are moved. The last sort cannot be told from a program that was meant so; executing it on data does.
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "model/program/verify.h"
#include "model/program/verify_order.h"
#include "tests/catch.h"
#include "tests/support/program_mutations.h"
#include "tests/support/small_programs.h"

namespace {

using namespace accsim;
using namespace accsim::tests;

// Gives every instruction a number that mutants keep.
model::Program numbered(model::Program program) {
  std::int32_t number = 0;
  for (model::GroupProgram& group : program.groups) {
    for (model::CoreProgram& core : group.cores) {
      for (auto& queue : core.queues) {
        for (model::Instruction& instruction : queue) instruction.tile = ++number;
      }
    }
  }
  return program;
}

// Where every byte comes from that is read or stored: the writing instruction and the position in what it writes, or an
// address of the DRAM that no instruction wrote. Conflicting accesses being ordered, one execution stands for all.
struct DataFlow {
  using Origin = std::pair<std::int32_t, std::int64_t>;                        // instruction (0: none), position
  std::map<std::tuple<std::int32_t, std::size_t, std::int64_t>, Origin> read;  // by reader, operand, position
  std::map<std::int64_t, Origin> stored;                                       // by address in the DRAM
  std::map<std::int32_t, std::int64_t> bytes_written;                          // by instruction
  bool operator==(const DataFlow&) const = default;
};

DataFlow data_flow(const model::Program& program) {
  DataFlow flow;
  std::map<std::pair<model::MemoryIndex, std::int64_t>, DataFlow::Origin> origins;
  for (const model::GroupProgram& group : program.groups) {
    model::GroupOrder order(group);
    REQUIRE_FALSE(order.run());
    for (const model::GroupOrder::Node node : order.sequence()) {
      const std::int32_t number = order.instruction(node).tile;
      std::size_t operand = 0;
      for (const model::Access& access : model::accesses_of(order.instruction(node))) {
        std::int64_t position = 0;
        access.range.each_row([&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t byte = begin; byte < end; ++byte, ++position) {
            const auto [origin, unwritten] = origins.try_emplace({access.memory, byte}, 0, byte);
            if (access.write) {
              origin->second = {number, position};
              ++flow.bytes_written[number];
              if (access.memory == model::kDramMemory) flow.stored[byte] = origin->second;
            } else {
              flow.read[{number, operand, position}] = origin->second;
            }
          }
          return true;
        });
        ++operand;
      }
    }
  }
  return flow;
}

struct Tally {
  int made = 0;
  int rejected = 0;
  int equivalent = 0;
};

// Edits that change which data are moved, or what is done with them, not whether it is safe to move them. The table in
// docs/verification.md shows what becomes of them on data.
bool only_data(const Mutant& mutant) {
  static const std::set<std::string> sorts{"swap neighbours",   "swap operations of neighbours", "move to the end",
                                           "move to the front", "swap regions of buffers",       "swap groups"};
  return mutant.kind == EditKind::copy || mutant.kind == EditKind::array_pass || mutant.kind == EditKind::vector_op ||
         sorts.count(mutant.sort) > 0;
}

}  // namespace

TEST_CASE("single edits of valid programs are rejected, proven harmless, or concern data alone") {
  const model::Architecture arch = tiny_architecture();
  std::map<std::string, Tally> tallies;
  std::set<std::string> kinds;
  for (const model::Program& original :
       {numbered(pipeline_program()), numbered(prefetch_program()), numbered(exchange_program()),
        numbered(join_program()), numbered(global_buffer_program()), numbered(multicast_program())}) {
    const DataFlow expected = data_flow(original);
    for (const Mutant& mutant : mutants_of(original, arch.core_count())) {
      CAPTURE(mutant.sort, mutant.where);
      Tally& tally = tallies[mutant.sort];
      ++tally.made;
      const model::Program changed = mutant.apply(original);
      model::StoredProgram source(changed);
      if (const auto violation = model::verify_program(arch, source)) {
        ++tally.rejected;
        kinds.insert(violation->kind);
        CHECK_FALSE(violation->message.empty());
        continue;
      }
      const bool same = data_flow(changed) == expected;
      tally.equivalent += same ? 1 : 0;
      if (!only_data(mutant)) CHECK(same);
    }
  }
  Tally all;
  std::string table;
  for (const auto& [sort, tally] : tallies) {
    all.made += tally.made;
    all.rejected += tally.rejected;
    all.equivalent += tally.equivalent;
    table += sort + ": " + std::to_string(tally.made) + " made, " + std::to_string(tally.rejected) + " rejected, " +
             std::to_string(tally.equivalent) + " equivalent\n";
  }
  INFO(table);
  INFO(all.made << " mutants, " << all.rejected << " rejected, " << all.equivalent << " equivalent");
  CHECK(all.made > 3500);
  CHECK(all.made - all.rejected - all.equivalent < all.made / 10);
  for (const char* kind :
       {"structure", "queue", "semaphore", "out_of_bounds", "undeclared", "alignment", "deadlock", "unordered_access",
        "unwritten_read", "overwrite_unread", "written_twice", "live_in", "live_out", "never_read", "prefetch"}) {
    CAPTURE(kind);
    CHECK(kinds.count(kind) == 1);
  }
}
