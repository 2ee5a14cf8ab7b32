#include "sim/system/group_sequencer.h"

#include <algorithm>

namespace accsim::sim {
namespace {

// Who signals each semaphore, by core of the program.
std::vector<std::vector<std::int64_t>> givers_of(const model::GroupProgram& program) {
  std::vector<std::vector<std::int64_t>> givers;
  std::vector<std::size_t> place;  // of a core, by id
  for (const model::CoreProgram& part : program.cores) {
    place.resize(std::max(place.size(), part.core.index() + 1), program.cores.size());
    place[part.core.index()] = givers.size();
    givers.emplace_back(static_cast<std::size_t>(part.semaphores), model::kNoGiver);
  }
  for (const model::CoreProgram& part : program.cores) {
    for (std::size_t q = 0; q < part.queues.size(); ++q) {
      const auto own = static_cast<std::int64_t>(part.core.index() * part.queues.size() + q);
      for (const model::Instruction& instruction : part.queues[q]) {
        for (const model::Signal& signal : instruction.signals) {
          if (signal.core.index() >= place.size() || place[signal.core.index()] == program.cores.size()) continue;
          std::vector<std::int64_t>& list = givers[place[signal.core.index()]];
          if (static_cast<std::size_t>(signal.semaphore) >= list.size()) continue;  // the simulator will refuse it
          std::int64_t& giver = list[static_cast<std::size_t>(signal.semaphore)];
          giver = giver == model::kNoGiver || giver == own ? own : model::kSeveralGivers;
        }
      }
    }
  }
  return givers;
}

}  // namespace

void GroupSequencer::load_next() {
  std::optional<model::GroupProgram> program = source_->next();
  if (!program) return;
  auto group = std::make_unique<GroupRun>();
  group->program = std::move(*program);
  group->set = static_cast<int>(loaded_count_++ % 2);
  group->actions.resize(arch_->core_types.size());
  group->measured.id = group->program.group.value();
  group->measured.layers = group->program.layers;
  for (const model::CoreProgram& part : group->program.cores) {
    if (!part.core.valid() || part.core.index() >= cores_.size()) {
      throw model::InternalError("a program for core " + std::to_string(part.core.value()) + ", which does not exist");
    }
    group->measured.cores.push_back(part.core.value());
    for (const auto& queue : part.queues) group->remaining += static_cast<std::int64_t>(queue.size());
  }
  group->givers = givers_of(group->program);
  for (const model::CoreProgram& part : group->program.cores) {
    CoreModule& core = *cores_[part.core.index()];
    core.semaphores().open(group->set, part.semaphores);
    for (QueueUnit* unit : core.queues()) unit->load_group(*group, part.queue(unit->queue()));
  }
  loaded_.push_back(std::move(group));
}

void GroupSequencer::open_front(Cycles at) {
  loaded_.front()->open = at;
  loaded_.front()->prefetch_open = std::min(loaded_.front()->prefetch_open, at);
  if (loaded_.size() < 2) load_next();
  if (loaded_.size() > 1) loaded_[1]->prefetch_open = at;
  for (CoreModule* core : cores_) core->wake_queues(at);
}

void GroupSequencer::close_front() {
  GroupRun& group = *loaded_.front();
  group.measured.end = std::max(group.measured.end, last_end_);
  if (!group.started) group.measured.start = last_end_;
  group.measured.cycles = group.measured.end - last_end_;
  last_end_ = group.measured.end;
  if (data_ != nullptr && data_->group_ended) data_->group_ended(group.program);
  results_.push_back({std::move(group.measured), std::move(group.actions)});
  loaded_.erase(loaded_.begin());
}

void GroupSequencer::run(Cycles now) {
  if (!opened_first_) {
    opened_first_ = true;
    load_next();
    if (!loaded_.empty()) open_front(now);
  }
  while (!loaded_.empty() && loaded_.front()->remaining == 0) {
    close_front();
    if (loaded_.empty()) load_next();
    if (!loaded_.empty()) open_front(now);
  }
}

void GroupSequencer::instruction_started(GroupRun& group, Cycles at) {
  ++progress_;
  last_progress_ = std::max(last_progress_, at);
  if (!group.started) group.measured.start = at;
  group.started = true;
}

void GroupSequencer::instruction_ended(GroupRun& group, Cycles at) {
  ++progress_;
  last_progress_ = std::max(last_progress_, at);
  group.measured.end = std::max(group.measured.end, at);
  if (--group.remaining == 0) wake_at(at + Cycles(1));
}

}  // namespace accsim::sim
