#include "sim/functional/burst_pieces.h"

#include <algorithm>
#include <utility>

namespace accsim::sim {

BurstPieces::BurstPieces(const model::Copy& copy, bool remote_is_source, std::int64_t burst_bytes,
                         std::vector<std::int64_t> rows)
    : copy_(&copy),
      remote_(remote_is_source ? &copy.src : &copy.dst),
      local_(remote_is_source ? &copy.dst : &copy.src),
      burst_bytes_(burst_bytes),
      rows_(std::move(rows)),
      done_(copy.bytes().value() == 0) {
  if (!done_) enter_row();
}

void BurstPieces::enter_row() {
  timed_ = remote_->place.address;
  row_ = {remote_->place.address, local_->place.address, copy_->extent[3]};
  for (std::size_t d = 0; d < index_.size(); ++d) {
    std::int64_t timed_row = index_[d];
    std::int64_t data_row = index_[d];
    if (d == 0 && copy_->gather) {
      timed_row = model::gather_row(copy_->gather->seed, copy_->gather->first + index_[d], copy_->gather->rows);
      data_row = rows_[static_cast<std::size_t>(index_[d])];
    }
    timed_ += timed_row * remote_->stride[d];
    row_.remote += data_row * remote_->stride[d];
    row_.local += index_[d] * local_->stride[d];
  }
  position_ = 0;
}

std::int64_t BurstPieces::next(std::vector<Piece>& pieces) {
  const std::int64_t number = (timed_ + position_) / burst_bytes_;
  while (!done_ && (timed_ + position_) / burst_bytes_ == number) {
    const std::int64_t bytes = std::min((number + 1) * burst_bytes_ - timed_ - position_, copy_->extent[3] - position_);
    const Piece piece{row_.remote + position_, row_.local + position_, bytes};
    if (!pieces.empty() && pieces.back().remote + pieces.back().bytes == piece.remote &&
        pieces.back().local + pieces.back().bytes == piece.local) {
      pieces.back().bytes += piece.bytes;
    } else {
      pieces.push_back(piece);
    }
    position_ += bytes;
    if (position_ < copy_->extent[3]) continue;
    std::size_t d = index_.size();
    while (d > 0 && ++index_[d - 1] == copy_->extent[d - 1]) index_[--d] = 0;
    if (d == 0) {
      done_ = true;
    } else {
      enter_row();
    }
  }
  return number * burst_bytes_;
}

}  // namespace accsim::sim
