#include "sim/kernel/context.h"

namespace accsim::sim {

SimulationContext::SimulationContext()
    : previous_current_(sc_core::sc_curr_simcontext), previous_default_(sc_core::sc_default_global_context) {
  own_ = new sc_core::sc_simcontext;
  sc_core::sc_curr_simcontext = own_;
  sc_core::sc_default_global_context = own_;
  // SystemC reports go to stdout; results do, too. Errors still throw.
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  sc_core::sc_report_handler::set_actions(sc_core::SC_WARNING, sc_core::SC_THROW);
}

SimulationContext::~SimulationContext() {
  delete own_;
  sc_core::sc_curr_simcontext = previous_current_;
  sc_core::sc_default_global_context = previous_default_;
}

}  // namespace accsim::sim
