#include "sched/lower/chip_memory.h"

#include <algorithm>
#include <numeric>

#include "model/base/error.h"
#include "model/schedule/tiling.h"

namespace accsim::sched {

using namespace model;

namespace {

// Weights and biases first: they lie where the neighbouring groups' buffers end last.
int rank_of(const std::string& role) {
  if (role.starts_with("weight")) return 0;
  if (role.starts_with("bias")) return 1;
  return 2;
}

// Packs rings into one memory; false if they do not fit.
bool pack(std::vector<RingPlace*>& rings, const MemoryConfig& memory, std::int64_t taken, bool own_banks,
          bool from_top) {
  const std::int64_t unit = tile_alignment(memory);
  const std::int64_t size = memory.size().value() / unit * unit;
  std::int64_t used = from_top ? 0 : taken;  // from the end where packing starts
  for (RingPlace* ring : rings) {
    const bool banked = own_banks && rank_of(ring->role) != 1;
    const std::int64_t align = banked ? std::lcm(memory.bank_bytes(), unit) : unit;
    for (std::int64_t& address : ring->addresses) {
      if (from_top) {
        const std::int64_t start = size - used - ring->bytes.value();
        if (start < 0) return false;
        address = start / align * align;
        if (address < taken) return false;
        used = size - address;
      } else {
        address = ceil_div(used, align) * align;
        used = address + ring->bytes.value();
        if (used > size) return false;
      }
    }
  }
  return true;
}

}  // namespace

std::vector<RingPlace> place_buffers(const std::vector<BufferNeed>& needs, const CoreConfig& core, std::int64_t taken,
                                     bool from_top, const std::string& where) {
  std::vector<RingPlace> places;
  for (const BufferNeed& need : needs) {
    places.push_back({need.role, need.accumulator ? Space::accumulator : Space::scratchpad, need.bytes,
                      std::vector<std::int64_t>(static_cast<std::size_t>(need.buffers), 0)});
  }
  for (const Space space : {Space::scratchpad, Space::accumulator}) {
    std::vector<RingPlace*> rings;
    std::int64_t bytes = 0;
    for (RingPlace& place : places) {
      if (place.space != space) continue;
      rings.push_back(&place);
      bytes += place.bytes.value() * static_cast<std::int64_t>(place.addresses.size());
    }
    std::stable_sort(rings.begin(), rings.end(),
                     [](const RingPlace* a, const RingPlace* b) { return rank_of(a->role) < rank_of(b->role); });
    const MemoryConfig& memory = space == Space::scratchpad ? core.scratchpad : core.accumulator;
    const std::int64_t below = space == Space::scratchpad ? taken : 0;
    if (pack(rings, memory, below, true, from_top) || pack(rings, memory, below, false, from_top)) continue;
    bytes += below;
    throw ConfigError(where + ": its buffers need " + std::to_string(bytes) + " bytes of " +
                      std::string(name_of(space)) + ", core type \"" + core.name + "\" has " +
                      std::to_string(memory.size().value()));
  }
  return places;
}

}  // namespace accsim::sched
