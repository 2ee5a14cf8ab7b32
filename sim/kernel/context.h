// A SystemC context for one simulation. The kernel's state is one process-wide global; giving each simulation its own
// context lets several run one after the other in a process. Not for threads.
#pragma once
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <systemc>
#include <tuple>

namespace accsim::sim {

enum class Phase : std::uint8_t;
class PhaseGroup;

class SimulationContext {
 public:
  SimulationContext();
  ~SimulationContext();
  SimulationContext(const SimulationContext&) = delete;
  SimulationContext& operator=(const SimulationContext&) = delete;

  // The one that was made last; null: none.
  static SimulationContext* current() { return current_; }
  // By period (numerator, denominator) and phase.
  using Groups = std::map<std::tuple<std::int64_t, std::int64_t, Phase>, std::shared_ptr<PhaseGroup>>;
  Groups& groups() { return groups_; }

  // Keeps an exception that a process threw (the kernel would turn it into a report of its own) and ends the run.
  static void stop_with(std::exception_ptr failure);
  // Runs until nothing is left to happen; throws again what a process threw.
  void run();

 private:
  Groups groups_;
  SimulationContext* previous_;
  sc_core::sc_simcontext* previous_current_;
  sc_core::sc_simcontext* previous_default_;
  sc_core::sc_simcontext* own_;
  std::exception_ptr failure_;
  static SimulationContext* running_;
  static SimulationContext* current_;
};

}  // namespace accsim::sim
