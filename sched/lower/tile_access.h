// Tiles as instructions see them: boxes of an operand, dense in a buffer in the operand's axis order, and the strided
// copies between that buffer and the whole tensor in DRAM.
#pragma once
#include <cstdint>
#include <vector>

#include "model/program/program.h"
#include "model/schedule/tile_sequence.h"
#include "model/workload/loop_nest.h"

namespace accsim::sched {

using model::is_empty;
using model::same_box;
using model::tile_box;
using model::TileIndex;

// Dimensions that an instruction loops over: those with more than one index in the tile, reduced ones (kind k) if asked
// for.
std::vector<int> instruction_dims(const model::LoopNest& nest, const TileIndex& tile, bool reduced);

// The operand's box at `place` as loops over `dims` see it.
model::TileRef tile_ref(const model::Operand& operand, const model::Box& box, const TileIndex& tile,
                        const std::vector<int>& dims, model::Place place, model::DataType type);

// The same where the box is a part of a larger one that the buffer holds densely.
model::TileRef tile_ref_within(const model::Operand& operand, const model::Box& box, const model::Box& held,
                               const TileIndex& tile, const std::vector<int>& dims, model::Place place,
                               model::DataType type);

// One axis of a copy: `count` runs, so many elements apart in memory and in the tile.
struct CopyAxis {
  std::int64_t count = 1;
  std::int64_t memory_stride = 0;
  std::int64_t tile_stride = 0;
};

// Copies between a tensor at `memory` (its first byte) and the tile of `box` at `tile`; as few and as long as possible:
// axes that follow each other without a gap on both sides are merged. `to_tile`: the direction.
std::vector<model::Copy> box_copies(const model::Operand& operand, const model::Box& box, model::Place memory,
                                    model::Place tile, bool to_tile);

// The same from the axes, outermost first, of elements of `type`; the first element in memory is `memory_start`
// elements behind `memory`. Runs are whole bytes (InternalError otherwise), the end of the tensor aside.
std::vector<model::Copy> strided_copies(std::vector<CopyAxis> axes, model::DataType type, model::Place memory,
                                        std::int64_t memory_start, model::Place tile, bool to_tile);

}  // namespace accsim::sched
