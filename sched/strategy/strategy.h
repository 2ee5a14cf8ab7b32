// The one interface of all strategies: a network and an architecture in, a verified schedule out. One file a strategy;
// each states objective, optimality and cost in its header. Registered in strategy.cpp by an explicit call.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/measure.h"
#include "sched/cost/cost_model.h"

namespace accsim::sched {

enum class Objective : std::uint8_t { edp, latency, energy };
std::string_view name_of(Objective objective);

struct Characterization;  // characterize/card.h

struct SearchRequest {
  const model::Network* network = nullptr;  // after fuse_activations
  const model::Architecture* arch = nullptr;
  const CostModel* cost = nullptr;
  const model::Json* network_file = nullptr;  // accsim-net/1 that the network was made of; for strategies that measure
  std::int64_t batch = 1;                     // of the network
  Objective objective = Objective::edp;
  int threads = 1;                      // changes nothing in the result
  model::Measurer* measurer = nullptr;  // for strategies that measure; may be null
  // For strategies that need the architecture's characterisation, which may have to be measured first; may be null.
  std::function<std::shared_ptr<const Characterization>()> characterization;
};

struct SearchResult {
  model::Schedule schedule;
  std::vector<Prediction> groups;  // one a group
  std::int64_t candidates = 0;     // mappings evaluated
  double mapspace_log10 = 0;       // of the space that was searched
  bool exact = false;              // the best of that space under the cost model
};

class Strategy {
 public:
  virtual ~Strategy() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  // InfeasibleError (naming layer, buffer and the smallest size that would do) where nothing fits.
  [[nodiscard]] virtual SearchResult search(const SearchRequest& request) const = 0;
};

// Those that search by themselves; `named_only`: those, too, that run only where they are named, because they take
// long.
std::vector<std::string> strategy_names(bool named_only = false);
std::unique_ptr<Strategy> make_strategy(const std::string& name);  // ConfigError on an unknown name

}  // namespace accsim::sched
