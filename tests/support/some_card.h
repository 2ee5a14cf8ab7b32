// Characterisation cards that nothing was measured for: any advice must lead to a valid schedule.
#pragma once
#include <algorithm>
#include <cstdint>

#include "sched/calibrate/card.h"
#include "sched/characterize/card.h"
#include "sched/strategy/block_ways.h"

namespace accsim::tests {

// Layers of every kind with core counts and blocks that follow from the seed.
inline sched::Characterization some_card(const model::Architecture& arch, std::uint64_t seed) {
  std::uint64_t state = seed;
  const auto below = [&](std::int64_t n) {  // splitmix64
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return static_cast<std::int64_t>((z ^ (z >> 31U)) % static_cast<std::uint64_t>(n));
  };
  sched::Characterization card;
  card.arch = arch.name;
  card.arch_hash = sched::architecture_hash(arch);
  card.precision = "int8";
  for (const std::size_t n : sched::core_counts(arch)) card.core_counts.push_back(static_cast<std::int64_t>(n));
  const auto a_count = [&] {
    return card.core_counts[static_cast<std::size_t>(below(static_cast<std::int64_t>(card.core_counts.size())))];
  };
  for (std::size_t kind = 0; kind < sched::kLayerKinds.size(); ++kind) {
    for (int i = 0; i < 3; ++i) {
      sched::CharacterizedLayer layer;
      layer.features = {static_cast<sched::LayerKind>(kind), std::int64_t{1} << below(24), std::int64_t{1} << below(8)};
      layer.size = 1 + below(64);
      for (const std::int64_t cores : card.core_counts)
        for (const std::int64_t layers : {1, 2, 3})
          layer.figures.push_back({layers, cores, 1000 + below(3000), static_cast<double>(1 + below(1000))});
      for (auto& best : layer.best) {
        best = {a_count(), 1 + below(4), a_count(), 0};
        if (best.block > 1) best.critical_operations = layer.features.operations * best.block / best.block_cores;
      }
      card.layers.push_back(std::move(layer));
    }
  }
  return card;
}

}  // namespace accsim::tests
