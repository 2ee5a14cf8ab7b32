#include "sched/lower/dram_map.h"

#include "model/base/error.h"

namespace accsim::sched {

using namespace model;

DramMap::DramMap(const Network& network, const Architecture& arch, const std::set<TensorId>& on_chip)
    : network_(&network), region_index_(network.tensors.size(), -1) {
  std::int64_t next = 0;
  for (const Tensor& tensor : network.tensors) {
    if (tensor.storage != tensor.id) continue;
    const Bytes size = network.bytes_of(tensor.id);
    if (!on_chip.contains(tensor.id)) {
      region_index_[tensor.id.index()] = static_cast<std::int32_t>(regions_.size());
      regions_.push_back({tensor.name, Place{Space::dram, CoreId(), next}, size});
    }
    next += ceil_div(size.value(), kDramAlignment) * kDramAlignment;
  }
  if (next > arch.dram.capacity().value()) {
    throw ConfigError("network " + network.name + ": its tensors need " + std::to_string(next) +
                      " bytes of DRAM, the architecture " + arch.name + " has " +
                      std::to_string(arch.dram.capacity().value()));
  }
}

const Region& DramMap::region_of(TensorId tensor) const {
  const TensorId root = network_->tensor(tensor).storage;
  return regions_[static_cast<std::size_t>(region_index_[root.index()])];
}

std::int64_t DramMap::address_of(TensorId tensor) const { return region_of(tensor).place.address; }

ProgramHeader DramMap::header(const Schedule& schedule) const {
  ProgramHeader header;
  header.arch = schedule.arch;
  header.net = schedule.net;
  header.dram = regions_;
  for (const Tensor& tensor : network_->tensors) {
    if (tensor.storage != tensor.id || tensor.kind == TensorKind::activation) continue;
    header.constant.push_back(region_of(tensor.id));
  }
  header.groups = static_cast<std::int64_t>(schedule.groups.size());
  return header;
}

}  // namespace accsim::sched
