// Every schedule file that differs from a given one by a single edit: groups, layers and mappings dropped, doubled,
// exchanged, moved; other cores, splits, homes, tiles, loop orders, buffers; other names of architecture and network.
// Left out: what a schedule says about where it comes from (strategy, objective).
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "model/arch/arch.h"
#include "model/config/json.h"
#include "model/schedule/schedule.h"
#include "model/workload/network.h"

namespace accsim::tests {

struct ScheduleMutant {
  std::string sort;
  std::string where;  // JSON path
  std::function<void(model::Json&)> edit;

  [[nodiscard]] model::Json apply(const model::Schedule& original) const {
    model::Json json = model::to_json(original);
    edit(json);
    return json;
  }
};

std::vector<ScheduleMutant> mutants_of(const model::Schedule& original, const model::Network& network,
                                       const model::Architecture& arch);

}  // namespace accsim::tests
