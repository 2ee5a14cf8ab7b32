#include "tests/support/mutation_run.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/base/error.h"
#include "sched/lower/lower.h"
#include "tests/support/equivalence.h"
#include "tests/support/execution.h"
#include "tests/support/program_mutations.h"
#include "tests/support/random_schedule.h"
#include "tests/support/schedule_mutations.h"

namespace accsim::tests {

namespace {

constexpr std::uint64_t kSeed = 1;

template <class M>
std::vector<const M*> drawn(const std::vector<M>& mutants, const MutationPlan& plan) {
  Random random(plan.draw);
  std::vector<const M*> chosen;
  for (const M& mutant : mutants)
    if (random.range(0, 999) < plan.per_mille) chosen.push_back(&mutant);
  return chosen;
}

// Why an edit cannot show on data, where that is known.
std::string why_equal(const std::string& sort, Proof proof) {
  if (sort == "gather: wrong seed" || sort == "gather: wrong position")
    return "for timing only: which DRAM bursts the rows take; the indices say which rows they are";
  if (proof == Proof::same_values) return "every result is the same expression of inputs and weights";
  return "";
}

Fate fate_of(const MutationCase& original, const Mutant& mutant, const MutationPlan& plan, KillTable& table) {
  const model::Program program = mutant.apply(original.program);
  if (violation_of(original.arch, program)) return Fate::rejected;
  std::optional<Proof> proof;
  for (int i = 0; i < plan.seeds; ++i) {
    const Execution execution =
        execute(original.network, original.arch, program, kSeed + static_cast<std::uint64_t>(i));
    if (execution.verdict != Verdict::equal && execution.verdict != Verdict::mismatch) return Fate::stopped;
    if (!proof) proof = prove_equivalent(original.program, program);
    if (execution.verdict == Verdict::mismatch) {
      if (*proof == Proof::none) return i == 0 ? Fate::mismatch : Fate::later;
      throw model::InternalError(original.name + ": " + mutant.sort + ", " + mutant.where + ": proven to have the " +
                                 std::string(name_of(*proof)) + ", but " + execution.message);
    }
    if (*proof == Proof::same_graph) return Fate::same_graph;
    if (*proof == Proof::same_flow) return Fate::same_flow;
  }
  const Survivor survivor{original.name, mutant.sort, mutant.where, why_equal(mutant.sort, *proof)};
  table.survivor(survivor);
  return survivor.why.empty() ? Fate::survived : Fate::explained;
}

Fate fate_of(const MutationCase& original, const ScheduleMutant& mutant, KillTable& table) {
  const std::string name = original.name + ": " + mutant.sort + ", " + mutant.where;
  model::Schedule schedule;
  try {  // as a file: what its reader refuses is rejected, too
    schedule = model::parse_schedule(mutant.apply(original.schedule), "schedule");
  } catch (const model::ConfigError&) {
    return Fate::rejected;
  }
  if (model::verify_schedule(schedule, original.network, original.arch, 1)) return Fate::rejected;
  if (sched::find_not_lowered(schedule)) return Fate::rejected;
  std::optional<model::Program> program;
  try {
    const auto source = sched::lower(schedule, original.network, original.arch, kSeed);
    program = model::collect(*source);
  } catch (const model::ConfigError&) {
    return Fate::rejected;
  }
  if (const auto violation = violation_of(original.arch, *program))
    throw model::InternalError(name + ": " + *violation);
  const Execution execution = execute(original.network, original.arch, *program, kSeed);
  if (execution.verdict != Verdict::equal) throw model::InternalError(name + ": " + execution.message);
  if (prove_equivalent(original.program, *program) == Proof::same_graph) return Fate::same_graph;
  if (same_values(original.program, *program)) return Fate::valid;
  table.survivor({original.name, mutant.sort, mutant.where, ""});
  return Fate::survived;
}

}  // namespace

KillTable kill_program_mutants(const MutationCase& original, const MutationPlan& plan) {
  KillTable table;
  const std::vector<Mutant> mutants = mutants_of(original.program, original.arch.core_count());
  for (const Mutant* mutant : drawn(mutants, plan)) {
    table.add(std::string(name_of(mutant->kind)), mutant->sort, fate_of(original, *mutant, plan, table));
  }
  return table;
}

KillTable kill_schedule_mutants(const MutationCase& original, const MutationPlan& plan) {
  KillTable table;
  const std::vector<ScheduleMutant> mutants = mutants_of(original.schedule, original.network, original.arch);
  for (const ScheduleMutant* mutant : drawn(mutants, plan)) {
    table.add("schedule", mutant->sort, fate_of(original, *mutant, table));
  }
  return table;
}

}  // namespace accsim::tests
