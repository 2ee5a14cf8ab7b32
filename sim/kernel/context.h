// A SystemC context for one simulation. The kernel's state is one process-wide global; giving each simulation its own
// context lets several run one after the other in a process. Not for threads.
#pragma once
#include <systemc>

namespace accsim::sim {

class SimulationContext {
 public:
  SimulationContext();
  ~SimulationContext();
  SimulationContext(const SimulationContext&) = delete;
  SimulationContext& operator=(const SimulationContext&) = delete;

 private:
  sc_core::sc_simcontext* previous_current_;
  sc_core::sc_simcontext* previous_default_;
  sc_core::sc_simcontext* own_;
};

}  // namespace accsim::sim
