// Values as they lie in memory, and the arithmetic on single values that docs/arithmetic.md defines: integers of b bits
// in the encoding of their type. Bits that encode no such integer (memory that nobody has written) decode to some value
// of the type, always the same.
// Leaves out: rounding, infinities, values that are no integers.
#pragma once
#include <cstdint>

#include "model/base/data_type.h"

namespace accsim::sim {

// b of docs/arithmetic.md.
int integer_bits(model::DataType type);

// The lowest `bits` bits of v (1 to 32) as a signed number.
constexpr std::int32_t signed_low(std::uint32_t v, int bits) {
  const auto drop = static_cast<unsigned>(32 - bits);
  return static_cast<std::int32_t>(v << drop) >> drop;
}

// The top `bits` bits of s times an odd number, which every bit of s reaches.
constexpr std::int32_t requantised(std::uint32_t s, int bits) {
  return static_cast<std::int32_t>(s * 0x9E3779B1U) >> static_cast<unsigned>(32 - bits);
}

// A one-to-one map of the lowest `bits` bits of v to values of as many bits, of which each depends on all of them.
constexpr std::int32_t scattered(std::uint32_t v, int bits) {
  const auto unused = static_cast<unsigned>(32 - bits);
  const auto fold = static_cast<unsigned>(bits - bits / 2);
  v = (v * 0x9E3779B5U + 0x7F4A7C15U) << unused >> unused;
  v = ((v ^ (v >> fold)) * 0x85EBCA6BU) << unused >> unused;
  return signed_low(v ^ (v >> fold), bits);
}

// Whether every value of the type fits 16 bits.
inline bool is_narrow(model::DataType type) { return integer_bits(type) <= 16; }

// Elements [0, count) of a row at `bytes`. `Value` is int32, or int16 where the type is narrow.
template <class Value>
void decode(model::DataType type, const std::uint8_t* bytes, std::int64_t count, Value* out);

// A value into element `index` of a row at `bytes`.
void encode(model::DataType type, std::int32_t value, std::uint8_t* bytes, std::int64_t index);
// Values into elements [0, count).
void encode(model::DataType type, const std::int32_t* values, std::int64_t count, std::uint8_t* bytes);

// Accumulators hold sums modulo 2^w as plain integers as wide as their type, whatever the type: w is that width, at
// most 32.
int sum_bits(model::DataType type);
std::int32_t read_sum(model::DataType type, const std::uint8_t* bytes, std::int64_t index);
void write_sum(model::DataType type, std::uint32_t sum, std::uint8_t* bytes, std::int64_t index);

}  // namespace accsim::sim
