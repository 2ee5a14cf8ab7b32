#include "sched/strategy/strategy.h"

#include <array>
#include <utility>

#include "model/base/error.h"
#include "sched/strategy/corf.h"
#include "sched/strategy/dlfusion.h"
#include "sched/strategy/joint.h"
#include "sched/strategy/layerwise.h"
#include "sched/strategy/optimal_layer.h"

namespace accsim::sched {

namespace {

template <class S>
std::unique_ptr<Strategy> make() {
  return std::make_unique<S>();
}

// One line a strategy.
constexpr std::array<std::pair<const char*, std::unique_ptr<Strategy> (*)()>, 5> kStrategies{{
    {"corf", &make<Corf>},
    {"dlfusion", &make<DlFusion>},
    {"joint", &make<Joint>},
    {"layerwise", &make<Layerwise>},
    {"optimal-layer", &make<OptimalLayer>},
}};

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

std::vector<std::string> strategy_names() {
  std::vector<std::string> names;
  for (const auto& [name, maker] : kStrategies) names.emplace_back(name);
  return names;
}

std::unique_ptr<Strategy> make_strategy(const std::string& wanted) {
  for (const auto& [name, maker] : kStrategies)
    if (wanted == name) return maker();
  std::string known;
  for (const std::string& name : strategy_names()) known += (known.empty() ? "" : ", ") + name;
  throw model::ConfigError("unknown strategy \"" + wanted + "\": " + known +
                           model::did_you_mean(wanted, strategy_names()));
}

}  // namespace accsim::sched
