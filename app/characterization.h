// Where the characterisation card of an architecture comes from: a file that the user names, the store of what was
// measured before, or measurements that are made now and kept there.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "app/measurer.h"
#include "sched/characterize/card.h"

namespace accsim::app {

// ConfigError where it is of another architecture.
sched::Characterization read_characterization(const std::string& file, const model::Architecture& arch);

// With layers of the network's precision. `say`: told what is going on, where something is measured.
sched::Characterization measured_characterization(const Inputs& inputs, ProcessMeasurer& measurer, Store& store,
                                                  int threads, const std::function<void(const std::string&)>& say);

// For SearchSettings: the card of `file`, or where that is empty the measured one, made when it is first asked for.
// What is given must outlive the result.
using CharacterizationSource = std::function<std::shared_ptr<const sched::Characterization>()>;
CharacterizationSource characterization_source(const std::string& file, const Inputs& inputs, ProcessMeasurer& measurer,
                                               Store& store, int threads, std::function<void(const std::string&)> say);

}  // namespace accsim::app
