#include "sim/dma/burst_walker.h"

#include <algorithm>

namespace accsim::sim {

BurstWalker::BurstWalker(const model::Copy& copy, bool remote_is_source, std::int64_t burst_bytes)
    : copy_(&copy),
      remote_(remote_is_source ? &copy.src : &copy.dst),
      local_(remote_is_source ? &copy.dst : &copy.src),
      burst_bytes_(burst_bytes),
      outer_(3),
      run_bytes_(copy.extent[3]) {
  while (outer_ > 0 && !(copy.gather && outer_ == 1)) {
    const auto dim = static_cast<std::size_t>(outer_ - 1);
    if (copy.extent[dim] != 1 && remote_->stride[dim] != run_bytes_) break;
    run_bytes_ *= copy.extent[dim];
    --outer_;
  }
  valid_ = copy.bytes().value() > 0;
  if (!valid_) return;
  enter_run();
  make_burst();
}

void BurstWalker::enter_run() {
  run_start_ = remote_->place.address;
  run_local_ = local_->place.address;
  for (std::size_t d = 0; d < static_cast<std::size_t>(outer_); ++d) {
    const bool gathered = copy_->gather && d == 0;
    const std::int64_t row =
        gathered ? model::gather_row(copy_->gather->seed, copy_->gather->first + index_[0], copy_->gather->rows)
                 : index_[d];
    run_start_ += row * remote_->stride[d];
    run_local_ += index_[d] * local_->stride[d];
  }
  position_ = 0;
}

bool BurstWalker::advance_run() {
  for (int d = outer_ - 1; d >= 0; --d) {
    const auto dim = static_cast<std::size_t>(d);
    if (++index_[dim] < copy_->extent[dim]) return true;
    index_[dim] = 0;
  }
  return false;
}

void BurstWalker::make_burst() {
  for (;;) {
    while (position_ >= run_bytes_) {
      if (!advance_run()) {
        valid_ = false;
        return;
      }
      enter_run();
    }
    const std::int64_t start = run_start_ + position_;
    const std::int64_t number = start / burst_bytes_;
    const std::int64_t bytes = std::min((number + 1) * burst_bytes_ - start, run_bytes_ - position_);
    if (number == last_burst_) {  // came with the burst before
      position_ += bytes;
      continue;
    }
    last_burst_ = number;
    burst_ = {number * burst_bytes_, run_local_ + position_, bytes};
    return;
  }
}

void BurstWalker::next() {
  position_ += burst_.bytes;
  make_burst();
}

}  // namespace accsim::sim
