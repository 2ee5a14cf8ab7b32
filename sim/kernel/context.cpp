#include "sim/kernel/context.h"

namespace accsim::sim {

SimulationContext* SimulationContext::running_ = nullptr;
SimulationContext* SimulationContext::current_ = nullptr;

SimulationContext::SimulationContext()
    : previous_(current_),
      previous_current_(sc_core::sc_curr_simcontext),
      previous_default_(sc_core::sc_default_global_context) {
  current_ = this;
  own_ = new sc_core::sc_simcontext;
  sc_core::sc_curr_simcontext = own_;
  sc_core::sc_default_global_context = own_;
  // SystemC reports go to stdout; results do, too. Errors still throw.
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  sc_core::sc_report_handler::set_actions(sc_core::SC_WARNING, sc_core::SC_THROW);
}

SimulationContext::~SimulationContext() {
  groups_.clear();  // their events belong to the context
  delete own_;
  current_ = previous_;
  sc_core::sc_curr_simcontext = previous_current_;
  sc_core::sc_default_global_context = previous_default_;
}

void SimulationContext::stop_with(std::exception_ptr failure) {
  if (running_ != nullptr && !running_->failure_) running_->failure_ = std::move(failure);
  sc_core::sc_stop();
}

void SimulationContext::run() {
  running_ = this;
  sc_core::sc_start();
  running_ = nullptr;
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace accsim::sim
