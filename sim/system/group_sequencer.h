// Feeds groups to the cores: the one that runs and the one after it, whose prefetch loads may run, too. Opens the
// border when all instructions of a group have ended, on every core.
#pragma once
#include <memory>
#include <vector>

#include "sim/core/core_module.h"

namespace accsim::sim {

class GroupSequencer : public EventModule, public GroupControl {
 public:
  GroupSequencer(const sc_core::sc_module_name& name, Clock clock, const model::Architecture& arch,
                 model::ProgramSource& source)
      : EventModule(name, clock, Phase::first), out("out"), arch_(&arch), source_(&source) {
    out.bind(*this);
  }
  sc_core::sc_export<GroupControl> out;

  // Before the simulation starts: the cores to feed, by id.
  void connect(std::vector<CoreModule*> cores) { cores_ = std::move(cores); }
  // Execution on data, told when groups end; null = none.
  void set_data(FunctionalChip* data) { data_ = data; }

  void instruction_started(GroupRun& group, Cycles at) override;
  void instruction_ended(GroupRun& group, Cycles at) override;

  [[nodiscard]] bool finished() const { return loaded_.empty(); }
  [[nodiscard]] Cycles end() const { return last_end_; }
  // Instructions started and ended so far, and the cycle of the last.
  [[nodiscard]] std::int64_t progress() const { return progress_; }
  [[nodiscard]] Cycles last_progress() const { return last_progress_; }
  // What was counted for each group, and its actions by core type, in order.
  struct Finished {
    model::GroupMeasurement measured;
    std::vector<ActionCounts> actions;
  };
  [[nodiscard]] std::vector<Finished>& results() { return results_; }

 protected:
  void start_of_simulation() override { wake_at(Cycles(0)); }
  void run(Cycles now) override;

 private:
  void load_next();
  void open_front(Cycles at);
  void close_front();

  const model::Architecture* arch_;
  model::ProgramSource* source_;
  FunctionalChip* data_ = nullptr;
  std::vector<CoreModule*> cores_;
  std::vector<std::unique_ptr<GroupRun>> loaded_;  // at most two
  std::int64_t loaded_count_ = 0;
  bool opened_first_ = false;
  std::int64_t progress_ = 0;
  Cycles last_progress_;
  Cycles last_end_;
  std::vector<Finished> results_;
};

}  // namespace accsim::sim
