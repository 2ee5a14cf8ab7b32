#include "sched/strategy/strategy.h"

#include <array>
#include <utility>

#include "model/base/error.h"
#include "sched/strategy/corf.h"
#include "sched/strategy/dlfusion.h"
#include "sched/strategy/joint.h"
#include "sched/strategy/layerwise.h"
#include "sched/strategy/optimal_layer.h"
#include "sched/strategy/oracle.h"

namespace accsim::sched {

namespace {

template <class S>
std::unique_ptr<Strategy> make() {
  return std::make_unique<S>();
}

struct Entry {
  const char* name;
  std::unique_ptr<Strategy> (*maker)();
  bool named_only;
};

// One line a strategy.
// clang-format off
constexpr std::array kStrategies{
    Entry{"corf", &make<Corf>, false},
    Entry{"dlfusion", &make<DlFusion>, false},
    Entry{"joint", &make<Joint>, false},
    Entry{"layerwise", &make<Layerwise>, false},
    Entry{"optimal-layer", &make<OptimalLayer>, false},
    Entry{"oracle", &make<Oracle>, true},
};
// clang-format on

}  // namespace

std::string_view name_of(Objective objective) {
  switch (objective) {
    case Objective::edp:
      return "edp";
    case Objective::latency:
      return "latency";
    case Objective::energy:
      return "energy";
  }
  throw model::InternalError("unknown objective");
}

std::vector<std::string> strategy_names(bool named_only) {
  std::vector<std::string> names;
  for (const Entry& entry : kStrategies)
    if (named_only || !entry.named_only) names.emplace_back(entry.name);
  return names;
}

std::unique_ptr<Strategy> make_strategy(const std::string& wanted) {
  for (const Entry& entry : kStrategies)
    if (wanted == entry.name) return entry.maker();
  const std::vector<std::string> names = strategy_names(true);
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  throw model::ConfigError("unknown strategy \"" + wanted + "\": " + known + model::did_you_mean(wanted, names));
}

}  // namespace accsim::sched
