#include "model/reference/integer_values.h"

#include "model/base/error.h"
#include "model/reference/initial_values.h"

namespace accsim::model {

IntegerValues::IntegerValues(DataType type, std::int64_t count)
    : bits_(value_bits(type)),
      width_(bits_ <= 8    ? 1
             : bits_ <= 16 ? 2
                           : 4),
      size_(count) {
  const auto elements = static_cast<std::size_t>(count);
  if (width_ == 1) narrow_.resize(elements);
  if (width_ == 2) middle_.resize(elements);
  if (width_ == 4) wide_.resize(elements);
}

void IntegerValues::check(std::int64_t first, std::size_t count) const {
  if (first < 0 || first > size_ - static_cast<std::int64_t>(count))
    throw InternalError("elements outside of a tensor");
}

void IntegerValues::read(std::int64_t first, std::span<Value> out) const {
  check(first, out.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = get(first + static_cast<std::int64_t>(i));
}

void IntegerValues::write(std::int64_t first, std::span<const Value> in) {
  check(first, in.size());
  for (std::size_t i = 0; i < in.size(); ++i) set(first + static_cast<std::int64_t>(i), in[i]);
}

DistinctCounter::DistinctCounter(DataType type) {
  constexpr int kLargestMap = 24;  // bits
  const int bits = value_bits(type);
  if (bits > kLargestMap) return;
  seen_.resize(std::size_t{1} << static_cast<unsigned>(bits));
  offset_ = std::int32_t{1} << static_cast<unsigned>(bits - 1);
}

void DistinctCounter::add(std::span<const std::int32_t> values) {
  for (const std::int32_t value : values) {
    if (!seen_.empty()) {
      auto seen = seen_[static_cast<std::size_t>(std::int64_t{value} + offset_)];
      if (!seen) ++count_;
      seen = true;
    } else if (count_ < kMost && wide_.insert(value).second) {
      ++count_;
    }
  }
}

}  // namespace accsim::model
