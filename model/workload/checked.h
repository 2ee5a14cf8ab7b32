// Products and sums of sizes that come from a file, with overflow seen.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace accsim::model {

inline std::optional<std::int64_t> checked_product(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

inline std::optional<std::int64_t> checked_sum(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
  return result;
}

// Product of all factors (1 of none); nullopt if any step overflows.
inline std::optional<std::int64_t> checked_product(const std::vector<std::int64_t>& factors) {
  std::optional<std::int64_t> product = 1;
  for (const std::int64_t factor : factors) {
    product = checked_product(*product, factor);
    if (!product) return std::nullopt;
  }
  return product;
}

}  // namespace accsim::model
