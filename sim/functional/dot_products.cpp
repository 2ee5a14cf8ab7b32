#include "sim/functional/dot_products.h"

#include <algorithm>

namespace accsim::sim {
namespace {

constexpr int kRows = 2;  // of x and of w that are multiplied at once: their values are loaded once
constexpr int kColumns = 4;
constexpr std::int64_t kBlockBytes = 128 * 1024;  // of w, kept in the cache while all of x goes by

inline std::uint32_t product(std::int16_t a, std::int16_t b) {
  return static_cast<std::uint32_t>(std::int32_t{a} * std::int32_t{b});
}
inline std::uint32_t product(std::int32_t a, std::int32_t b) {
  return static_cast<std::uint32_t>(a) * static_cast<std::uint32_t>(b);
}

template <class Value>
std::uint32_t dot(const Value* a, const Value* b, std::int64_t k) {
  std::uint32_t sum = 0;
  for (std::int64_t l = 0; l < k; ++l) sum += product(a[l], b[l]);
  return sum;
}

template <class Value>
void dot_block(const Value* x, const Value* w, std::int64_t k, std::uint32_t* out, std::int64_t n) {
  const Value* const x0 = x;
  const Value* const x1 = x + k;
  const Value* const w0 = w;
  const Value* const w1 = w + k;
  const Value* const w2 = w + 2 * k;
  const Value* const w3 = w + 3 * k;
  std::uint32_t s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0;
  for (std::int64_t l = 0; l < k; ++l) {
    s00 += product(x0[l], w0[l]);
    s01 += product(x0[l], w1[l]);
    s02 += product(x0[l], w2[l]);
    s03 += product(x0[l], w3[l]);
    s10 += product(x1[l], w0[l]);
    s11 += product(x1[l], w1[l]);
    s12 += product(x1[l], w2[l]);
    s13 += product(x1[l], w3[l]);
  }
  out[0] = s00;
  out[1] = s01;
  out[2] = s02;
  out[3] = s03;
  out[n] = s10;
  out[n + 1] = s11;
  out[n + 2] = s12;
  out[n + 3] = s13;
}

template <class Value>
void multiply(const Value* x, const Value* w, std::int64_t m, std::int64_t n, std::int64_t k, std::uint32_t* out) {
  const std::int64_t row_bytes = std::max<std::int64_t>(k, 1) * static_cast<std::int64_t>(sizeof(Value));
  const std::int64_t block = std::max<std::int64_t>(kBlockBytes / row_bytes / kColumns, 1) * kColumns;
  for (std::int64_t first = 0; first < n; first += block) {
    const std::int64_t end = std::min(n, first + block);
    for (std::int64_t i = 0; i < m; i += kRows) {
      std::int64_t j = first;
      if (i + kRows <= m) {
        for (; j + kColumns <= end; j += kColumns) dot_block(x + i * k, w + j * k, k, out + i * n + j, n);
      }
      for (std::int64_t row = i; row < std::min(m, i + kRows); ++row) {
        for (std::int64_t rest = j; rest < end; ++rest) out[row * n + rest] = dot(x + row * k, w + rest * k, k);
      }
    }
  }
}

}  // namespace

void dot_products(const std::int16_t* x, const std::int16_t* w, std::int64_t m, std::int64_t n, std::int64_t k,
                  std::uint32_t* out) {
  multiply(x, w, m, n, k, out);
}

void dot_products(const std::int32_t* x, const std::int32_t* w, std::int64_t m, std::int64_t n, std::int64_t k,
                  std::uint32_t* out) {
  multiply(x, w, m, n, k, out);
}

}  // namespace accsim::sim
