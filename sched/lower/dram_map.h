// Where every tensor lies in DRAM: weights, network inputs and activations, one region for each storage root, packed in
// the order of the tensors' ids and aligned to 4096 bytes. A tensor that shares another one's bytes (Reshape) has no
// region. Leaves out: reuse of the space of dead activations.
#pragma once
#include <set>
#include <vector>

#include "model/arch/arch.h"
#include "model/program/program.h"
#include "model/schedule/schedule.h"
#include "model/workload/network.h"

namespace accsim::sched {

inline constexpr std::int64_t kDramAlignment = 4096;

class DramMap {
 public:
  // `on_chip`: tensors (storage roots) that never leave the chip and have no region (their
  // addresses stay free, so that all others are where they are without fusion). ConfigError where the DRAM is too
  // small.
  DramMap(const model::Network& network, const model::Architecture& arch,
          const std::set<model::TensorId>& on_chip = {});

  // Address of a tensor's first byte (that of its storage root).
  [[nodiscard]] std::int64_t address_of(model::TensorId tensor) const;
  [[nodiscard]] const model::Region& region_of(model::TensorId tensor) const;
  [[nodiscard]] model::ProgramHeader header(const model::Schedule& schedule) const;

 private:
  const model::Network* network_;
  std::vector<model::Region> regions_;
  std::vector<std::int32_t> region_index_;  // by tensor, -1 where it is no root
};

}  // namespace accsim::sched
