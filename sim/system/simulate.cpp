#include "sim/system/simulate.h"

#include <ctime>

#include "sim/kernel/context.h"
#include "sim/system/chip.h"

namespace accsim::sim {
namespace {

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

class EmptyProgram : public model::ProgramSource {
 public:
  [[nodiscard]] const model::ProgramHeader& header() const override { return header_; }
  std::optional<model::GroupProgram> next() override { return std::nullopt; }

 private:
  model::ProgramHeader header_;
};

void list_modules(const std::vector<sc_core::sc_object*>& objects, std::vector<std::string>& names) {
  for (const sc_core::sc_object* object : objects) {
    if (dynamic_cast<const sc_core::sc_module*>(object) == nullptr) continue;
    names.emplace_back(object->name());
    list_modules(object->get_child_objects(), names);
  }
}

}  // namespace

model::Measurement simulate(const model::Architecture& arch, model::ProgramSource& program,
                            const SimulationOptions& options) {
  const double begin = cpu_seconds();
  SimulationContext context;
  Chip chip("chip", arch, program, options);
  context.run();
  if (!chip.sequencer().finished()) chip.throw_no_progress();
  model::Measurement measurement = chip.measurement();
  measurement.simulation_seconds = cpu_seconds() - begin;
  return measurement;
}

std::vector<std::string> module_names(const model::Architecture& arch) {
  const SimulationContext context;
  EmptyProgram program;
  const Chip chip("chip", arch, program, {});
  std::vector<std::string> names;
  list_modules(sc_core::sc_get_top_level_objects(), names);
  return names;
}

}  // namespace accsim::sim
