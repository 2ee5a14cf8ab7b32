// Products of small dense matrices, both with the reduced dimension innermost, modulo 2^32: the one loop of execution
// on data that takes long. Written so that compilers make vector instructions of it (16-bit values: multiply-and-add of
// pairs).
#pragma once
#include <cstdint>

namespace accsim::sim {

// out[i * n + j] = sum over l of x[i * k + l] * w[j * k + l], for i < m, j < n.
void dot_products(const std::int16_t* x, const std::int16_t* w, std::int64_t m, std::int64_t n, std::int64_t k,
                  std::uint32_t* out);
void dot_products(const std::int32_t* x, const std::int32_t* w, std::int64_t m, std::int64_t n, std::int64_t k,
                  std::uint32_t* out);

}  // namespace accsim::sim
