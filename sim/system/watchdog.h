// Ends a run that makes no progress while events go on: in `patience` cycles no instruction has started or ended and no
// burst was answered, and no array pass or vector instruction runs (their ends are known). A run whose events end is
// found without it.
#pragma once
#include <functional>
#include <utility>

#include "sim/kernel/module.h"

namespace accsim::sim {

class Watchdog : public EventModule {
 public:
  struct State {
    std::int64_t progress = 0;  // grows with everything that gets done
    bool computing = false;
    bool finished = false;
  };
  // `stuck` throws.
  Watchdog(const sc_core::sc_module_name& name, Clock clock, Cycles patience, std::function<State()> look,
           std::function<void()> stuck)
      : EventModule(name, clock, Phase::last), patience_(patience), look_(std::move(look)), stuck_(std::move(stuck)) {}

 protected:
  void start_of_simulation() override { wake_at(patience_); }
  void run(Cycles now) override {
    const State state = look_();
    if (state.finished) return;
    if (state.progress == seen_ && !state.computing) stuck_();
    seen_ = state.progress;
    wake_at(now + patience_);
  }

 private:
  Cycles patience_;
  std::function<State()> look_;
  std::function<void()> stuck_;
  std::int64_t seen_ = -1;
};

}  // namespace accsim::sim
