// Values of one tensor, in the narrowest of 8, 16 and 32 bits that holds its type's values; and a counter of distinct
// values. What is saved is the host's memory: 8192 x 8192 elements of int8 take 64 MiB.
#pragma once
#include <cstdint>
#include <span>
#include <unordered_set>
#include <vector>

#include "model/base/data_type.h"

namespace accsim::model {

class IntegerValues {
 public:
  using Value = std::int32_t;

  IntegerValues(DataType type, std::int64_t count);  // all 0
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] int bits() const { return bits_; }  // b of the type
  [[nodiscard]] std::int64_t host_bytes() const { return size_ * width_; }

  // Unchecked: 0 <= i < size(), and v is a value of the type.
  [[nodiscard]] Value get(std::int64_t i) const {
    const auto at = static_cast<std::size_t>(i);
    return width_ == 1 ? narrow_[at] : width_ == 2 ? middle_[at] : wide_[at];
  }
  void set(std::int64_t i, Value v) {
    const auto at = static_cast<std::size_t>(i);
    if (width_ == 1) {
      narrow_[at] = static_cast<std::int8_t>(v);
    } else if (width_ == 2) {
      middle_[at] = static_cast<std::int16_t>(v);
    } else {
      wide_[at] = v;
    }
  }
  // Elements [first, first + length of the span); InternalError outside of the tensor.
  void read(std::int64_t first, std::span<Value> out) const;
  void write(std::int64_t first, std::span<const Value> in);

 private:
  void check(std::int64_t first, std::size_t count) const;

  int bits_;
  int width_;  // bytes an element: 1, 2 or 4; the vector of that width is in use
  std::int64_t size_;
  std::vector<std::int8_t> narrow_;
  std::vector<std::int16_t> middle_;
  std::vector<std::int32_t> wide_;
};

// Number of distinct values among all that are added. Exact for types of up to 24 bits; above (int32, int64) exact up
// to kMost, then kMost.
class DistinctCounter {
 public:
  static constexpr std::int64_t kMost = 65'536;

  explicit DistinctCounter(DataType type);
  void add(std::span<const std::int32_t> values);  // values of the type
  [[nodiscard]] std::int64_t count() const { return count_; }

 private:
  std::vector<bool> seen_;  // by value + offset_; empty for the wide types
  std::int32_t offset_ = 0;
  std::unordered_set<std::int32_t> wide_;
  std::int64_t count_ = 0;
};

}  // namespace accsim::model
