#include "sim/kernel/module.h"

namespace accsim::sim {

std::shared_ptr<PhaseGroup> PhaseGroup::of(Clock clock, Phase phase) {
  SimulationContext* context = SimulationContext::current();
  if (context == nullptr) return std::make_shared<PhaseGroup>(clock, phase);
  std::shared_ptr<PhaseGroup>& group = context->groups()[{clock.period().numerator, clock.period().denominator, phase}];
  if (!group) group = std::make_shared<PhaseGroup>(clock, phase);
  return group;
}

std::size_t PhaseGroup::add(EventModule& module) {
  modules_.push_back(&module);
  next_.push_back(kNever);
  return modules_.size() - 1;
}

}  // namespace accsim::sim
