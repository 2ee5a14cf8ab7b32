// How the work of an operator is divided over cores: one dimension of its loop nest is cut into contiguous shares of
// whole tiles, and each core runs the nest of its share as if it were an operator of its own (same tensors, shifted
// along that dimension). Shared by verifier, lowering and cost model. Leaves out: reduction (partial sums) and
// pipeline.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/schedule/schedule.h"

namespace accsim::model {

// Dimension that a split divides, as an index into the nest's; -1 where it has none of that meaning.
//                      rows  columns  channels        batch   heads
//   Conv, pooling      P     Q        N (G if N is 1)  B       -
//   Gemm, MatMul       M, M0 N, N0    N, N0            G       G
//   all others: for each of the five the outermost dimension that can be tiled and has more than one index
int split_dimension(const LoopNest& nest, const std::string& split);

struct Share {
  std::int64_t low = 0, high = 0;  // indices along the dimension; none where equal
  [[nodiscard]] std::int64_t size() const { return high - low; }
};
// `extent` in shares of whole tiles (the last tile may be cut), one for each weight and about in their proportion; with
// equal weights no two differ by more than one tile.
std::vector<Share> shares_of(std::int64_t extent, std::int64_t tile, const std::vector<std::int64_t>& weights);

// MACs a cycle of each core.
std::vector<std::int64_t> core_weights(const Architecture& arch, const std::vector<std::int64_t>& cores);

// The part of the nest with indices [low, high) of a dimension.
LoopNest part_of(const LoopNest& nest, int dim, const Share& share);

// What the core at position `place` of a group does of an operator: parts of its nests, empty ones left out.
std::vector<LoopNest> nests_of_core(const std::vector<LoopNest>& nests, const OperatorMapping& mapping,
                                    const std::string& split, const std::vector<std::int64_t>& weights,
                                    std::size_t place);

}  // namespace accsim::model
