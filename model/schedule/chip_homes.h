// Where tensors live that stay on the chip between groups (Group::homes), from the group that computes them to the last
// one that reads them.
//   global_buffer: one piece.
//   scratchpad: the tensor's bytes in contiguous pieces, one for each core of the chip, in their order; a piece is so
//     many whole rows of the outermost axes as make equal pieces. So a reader fetches from each piece what it needs of
//     it, whatever axes it sees the tensor with; the ports of all cores serve it; and a group on all cores that is
//     split by the outermost axis stores into its own.
// Pieces lie at the lowest addresses where they overlap no other that lives at the same time, tile buffers behind them.
// Shared by verifier and lowering.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/program/program.h"
#include "model/schedule/schedule.h"

namespace accsim::model {

struct HomePiece {
  Place place;
  std::int64_t first = 0;  // bytes of the tensor: [first, first + bytes)
  std::int64_t bytes = 0;
};

class ChipHomes {
 public:
  // The schedule's homes have been verified (InternalError otherwise).
  ChipHomes(const Schedule& schedule, const Network& network, const Architecture& arch);

  // Pieces of a tensor, or of the one whose bytes it shares; null where it lives in DRAM.
  [[nodiscard]] const std::vector<HomePiece>* pieces_of(TensorId tensor) const;
  // Storage roots of the tensors that live on the chip.
  [[nodiscard]] std::vector<TensorId> tensors() const;
  // Pieces that live while a group runs.
  [[nodiscard]] std::vector<HomePiece> alive(std::size_t group) const;
  // Bytes from the start of a core's scratchpad, or of the global buffer, that they reach to.
  [[nodiscard]] std::int64_t reach(std::size_t group, Space space, CoreId core = CoreId()) const;
  // Bytes from the start of the scratchpads of these cores that the tile buffers of a group leave alone: where they
  // reach furthest, so that all cores can have the same buffers at the same addresses; whole lines of the ports.
  [[nodiscard]] std::int64_t taken(std::size_t group, const std::vector<std::int64_t>& cores,
                                   const Architecture& arch) const;

 private:
  struct Tenant {
    TensorId root;
    std::size_t first = 0, last = 0;  // groups
    std::vector<HomePiece> pieces;
  };
  void place(Tenant& tenant, const Architecture& arch);

  const Network* network_;
  std::vector<Tenant> tenants_;
  std::map<TensorId, std::size_t> by_root_;
};

// The pieces of a tensor, at most so many, without places.
std::vector<HomePiece> home_pieces(const Tensor& tensor, std::int64_t parts);

}  // namespace accsim::model
