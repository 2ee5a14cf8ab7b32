// Which bytes travel in which burst of a copy. The bursts are those of the DMA engine (sim/dma/burst_walker.h): rows in
// order, a burst that two neighbouring rows share is moved once. Here each burst is taken apart into the pieces of rows
// that it carries, useful bytes only, with their places on both sides.
// A gather: its timing follows the fixed hash of model::gather_row, its data the rows that the indices name.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "model/program/program.h"

namespace accsim::sim {

struct Piece {
  std::int64_t remote = 0;  // byte addresses
  std::int64_t local = 0;
  std::int64_t bytes = 0;
};

class BurstPieces {
 public:
  // remote_is_source: a load; else a store. `rows`: of a gather, the row that each index of dimension 0 names.
  BurstPieces(const model::Copy& copy, bool remote_is_source, std::int64_t burst_bytes, std::vector<std::int64_t> rows);

  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] const model::Place& remote() const { return remote_->place; }
  // Appends the pieces of the next burst; returns the burst's address as timing sees it.
  std::int64_t next(std::vector<Piece>& pieces);

 private:
  void enter_row();

  const model::Copy* copy_;
  const model::Copy::Side* remote_;
  const model::Copy::Side* local_;
  std::int64_t burst_bytes_;
  std::vector<std::int64_t> rows_;
  std::array<std::int64_t, 3> index_{0, 0, 0};
  std::int64_t timed_ = 0;  // first byte of the row on the remote side, as timing sees it
  Piece row_;               // the row as the data see it
  std::int64_t position_ = 0;
  bool done_ = false;
};

}  // namespace accsim::sim
