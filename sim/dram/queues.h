// The two FIFOs of the DRAM controller, without allocation while they run: one of fixed capacity from which any entry
// can be taken (cheap near the front), and a ring that grows.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace accsim::sim {

// Never holds more than `capacity` entries: the caller sees to that.
template <class T>
class ErasableFifo {
 public:
  explicit ErasableFifo(std::int64_t capacity) : items_(static_cast<std::size_t>(2 * capacity)) {}
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(tail_ - head_); }
  [[nodiscard]] bool empty() const { return tail_ == head_; }
  [[nodiscard]] const T& at(std::int64_t i) const { return items_[head_ + static_cast<std::size_t>(i)]; }
  void push(const T& item) {
    if (tail_ == items_.size()) compact();
    items_[tail_++] = item;
  }
  // Moves the entries before it.
  void erase(std::int64_t i) {
    const auto first = items_.begin() + static_cast<std::ptrdiff_t>(head_);
    std::copy_backward(first, first + i, first + i + 1);
    if (++head_ == tail_) head_ = tail_ = 0;
  }

 private:
  void compact() {
    const auto first = items_.begin();
    std::copy(first + static_cast<std::ptrdiff_t>(head_), first + static_cast<std::ptrdiff_t>(tail_), first);
    tail_ -= head_;
    head_ = 0;
  }

  std::vector<T> items_;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
};

template <class T>
class GrowingFifo {
 public:
  GrowingFifo() : items_(kFirstSize) {}
  [[nodiscard]] bool empty() const { return head_ == tail_; }
  [[nodiscard]] const T& front() const { return items_[head_ & (items_.size() - 1)]; }
  void pop() { ++head_; }
  void push(const T& item) {
    if (tail_ - head_ == items_.size()) grow();
    items_[tail_++ & (items_.size() - 1)] = item;
  }

 private:
  static constexpr std::size_t kFirstSize = 64;  // a power of two, as all sizes

  void grow() {
    std::vector<T> larger(2 * items_.size());
    for (std::size_t i = head_; i != tail_; ++i) larger[i - head_] = items_[i & (items_.size() - 1)];
    tail_ -= head_;
    head_ = 0;
    items_ = std::move(larger);
  }

  std::vector<T> items_;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
};

}  // namespace accsim::sim
