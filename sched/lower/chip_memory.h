// Where the tile buffers of a group lie in a core's scratchpad and accumulator. Even groups are packed from the bottom,
// odd groups from the top, weights first, so that the first weights of a group can be loaded while the group before
// still runs; tensors that live in the scratchpad (model/schedule/chip_homes.h) lie below all of them. Rings of tiles
// start in banks of their own where everything still fits; biases are packed behind what is before them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/arch/arch.h"
#include "model/program/program.h"
#include "model/schedule/schedule.h"

namespace accsim::sched {

struct RingPlace {
  std::string role;
  model::Space space = model::Space::scratchpad;
  model::Bytes bytes;                   // a buffer
  std::vector<std::int64_t> addresses;  // one a buffer
};

// `taken`: bytes from the start of the scratchpad that are not free. ConfigError naming `where`, the memory and the
// bytes needed if the buffers do not fit.
std::vector<RingPlace> place_buffers(const std::vector<model::BufferNeed>& needs, const model::CoreConfig& core,
                                     std::int64_t taken, bool from_top, const std::string& where);

}  // namespace accsim::sched
