// A characterisation card (accsim-characterization/1): what synthetic layers took on an architecture, alone on 1, 2, 4,
// … and all cores, and in fused chains; and what follows from that for every objective: the best number of cores, the
// best length of a chain with its number of cores, and the critical operation count, the work per core below which
// another layer in the chain pays. A layer of a network is looked up by its kind, operation count and channels.
// Source of the method: Liu et al., DLFusion: An Auto-Tuning Compiler for Layer Fusion on Deep Neural Network
// Accelerator, 2020. There it is one critical operation count for a machine; here it goes with the layer, because what
// fusion is worth on a machine whose halos are recomputed depends on window and channels as much.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/arch/arch.h"
#include "model/config/json.h"
#include "model/workload/network.h"
#include "sched/strategy/strategy.h"

namespace accsim::sched {

// window: convolution with a kernel larger than one; pointwise: with a kernel of one; vector: no operator of the array.
enum class LayerKind : std::uint8_t { window, pointwise, depthwise, gemm, vector };
inline constexpr std::array<const char*, 5> kLayerKinds{"window", "pointwise", "depthwise", "gemm", "vector"};

// Kinds of little work, which fused blocks take along whatever they bring: they have no chains of their own.
inline bool rides_along(LayerKind kind) { return kind == LayerKind::depthwise || kind == LayerKind::vector; }

// How a layer is looked up. Operations: multiply-accumulates; of operators without them, elements of the result times
// those of the window. Channels: of the result.
struct LayerFeatures {
  LayerKind kind = LayerKind::vector;
  std::int64_t operations = 0;
  std::int64_t channels = 0;
};
LayerFeatures features_of(const model::Network& network, model::OpId op);

// A chain of so many equal layers, fused where there are several, on so many cores.
struct ChainFigure {
  std::int64_t layers = 1;
  std::int64_t cores = 1;
  std::int64_t cycles = 0;  // of the whole chain
  double energy_pj = 0;
};
// What is best for one objective.
struct LayerChoice {
  std::int64_t cores = 1;                // alone
  std::int64_t block = 1;                // layers of the best chain; 1: fusion does not pay
  std::int64_t block_cores = 1;          // of that chain
  std::int64_t critical_operations = 0;  // operations per core of that chain; 0 where fusion does not pay
};
struct CharacterizedLayer {
  LayerFeatures features;
  std::int64_t size = 0;    // rows and columns of the feature map; rows of a GEMM
  std::int64_t kernel = 1;  // rows and columns
  std::vector<ChainFigure> figures;
  std::array<LayerChoice, 3> best;  // by Objective
};
struct Characterization {
  std::string arch;       // name
  std::string arch_hash;  // architecture_hash()
  std::string precision;
  std::vector<std::int64_t> core_counts;
  std::vector<CharacterizedLayer> layers;
};

// From the figures. Of chains and counts within one percent of the best per layer the shortest chain, then the fewest
// cores.
LayerChoice choice_from(const CharacterizedLayer& layer, Objective objective);

// The layer of its kind that is nearest in operations and channels, each on a logarithmic scale; of equals the first.
// Where the card has none of its kind, of any. InternalError on a card without layers.
const CharacterizedLayer& nearest_layer(const Characterization& card, const LayerFeatures& features);

model::Json to_json(const Characterization& card);
// Strict. ConfigError where something is unknown, missing or out of range, and where `arch` is another architecture
// than the card's.
Characterization parse_characterization(const model::Json& json, const model::Architecture& arch,
                                        const std::string& file);

}  // namespace accsim::sched
