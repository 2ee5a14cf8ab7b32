// A SystemC context for one simulation. The kernel's state is one process-wide global; giving each simulation its own
// context lets several run one after the other in a process. Not for threads.
#pragma once
#include <exception>
#include <systemc>

namespace accsim::sim {

class SimulationContext {
 public:
  SimulationContext();
  ~SimulationContext();
  SimulationContext(const SimulationContext&) = delete;
  SimulationContext& operator=(const SimulationContext&) = delete;

  // Keeps an exception that a process threw (the kernel would turn it into a report of its own) and ends the run.
  static void stop_with(std::exception_ptr failure);
  // Runs until nothing is left to happen; throws again what a process threw.
  void run();

 private:
  sc_core::sc_simcontext* previous_current_;
  sc_core::sc_simcontext* previous_default_;
  sc_core::sc_simcontext* own_;
  std::exception_ptr failure_;
  static SimulationContext* running_;
};

}  // namespace accsim::sim
