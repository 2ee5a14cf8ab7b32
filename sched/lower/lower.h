// Schedule -> program, group by group, when the simulator asks for it.
#pragma once
#include <memory>
#include <optional>

#include "model/arch/arch.h"
#include "model/program/program.h"
#include "model/schedule/schedule.h"
#include "model/workload/network.h"

namespace accsim::sched {

// What the format can say but this version cannot lower: splits of reductions, pipelines, halos kept or exchanged.
// The schedule has been verified.
std::optional<model::ScheduleViolation> find_not_lowered(const model::Schedule& schedule);

// The three must outlive the source. The schedule has been verified and is one that can be lowered.
// `seed`: which rows a Gather reads where there are no data.
std::unique_ptr<model::ProgramSource> lower(const model::Schedule& schedule, const model::Network& network,
                                            const model::Architecture& arch, std::uint64_t seed);

}  // namespace accsim::sched
