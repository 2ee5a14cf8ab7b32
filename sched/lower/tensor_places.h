// Where the tensors of a schedule lie, and the copies between them and tile buffers: in DRAM as one region, on the chip
// in the pieces of model/schedule/chip_homes.h.
#pragma once
#include <vector>

#include "model/schedule/chip_homes.h"
#include "sched/lower/dram_map.h"
#include "sched/lower/tile_access.h"

namespace accsim::sched {

class TensorPlaces {
 public:
  // ConfigError where the DRAM is too small.
  TensorPlaces(const model::Schedule& schedule, const model::Network& network, const model::Architecture& arch);

  [[nodiscard]] const DramMap& dram() const { return dram_; }
  [[nodiscard]] const model::ChipHomes& on_chip() const { return homes_; }
  // All of a tensor's regions.
  [[nodiscard]] std::vector<model::Region> regions_of(model::TensorId tensor) const;

  // Copies between the operand's tensor and the tile of `box` at `tile`. `to_tile`: the direction.
  [[nodiscard]] std::vector<model::Copy> copies(const model::Operand& operand, const model::Box& box, model::Place tile,
                                                bool to_tile) const;
  // The same from axes (see strided_copies).
  [[nodiscard]] std::vector<model::Copy> copies(std::vector<CopyAxis> axes, const model::Operand& operand,
                                                std::int64_t start, model::Place tile, bool to_tile) const;

 private:
  [[nodiscard]] std::vector<model::Copy> placed(const std::vector<model::Copy>& relative, model::TensorId tensor,
                                                bool to_tile) const;

  const model::Network* network_;
  std::int64_t cores_;
  model::ChipHomes homes_;
  DramMap dram_;
};

// Copies whose memory side counts from the tensor's first byte, cut where one piece ends and another one begins.
std::vector<model::Copy> cut_at_pieces(const std::vector<model::Copy>& relative,
                                       const std::vector<model::HomePiece>& pieces, bool to_tile);

}  // namespace accsim::sched
