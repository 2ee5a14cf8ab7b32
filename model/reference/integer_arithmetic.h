// The integer arithmetic of docs/arithmetic.md for one operator: what an element of its result is, from a sum, a
// window, a row or a pair of elements. The loops over the tensors are in operators.h.
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>

#include "model/reference/initial_values.h"
#include "model/reference/integer_values.h"

namespace accsim::model::reference {

// floor(a / d), d positive.
constexpr std::int64_t floor_div(std::int64_t a, std::int64_t d) { return a / d - (a % d < 0 ? 1 : 0); }

// floor(sqrt(v))
std::uint64_t integer_root(std::uint64_t v);

constexpr std::int32_t requantise(std::uint32_t s, int bits) {
  return signed_bits((s * 0x9E3779B1U) >> static_cast<unsigned>(32 - bits), bits);
}

// z modulo 2^b, put in another place among the b-bit numbers: one-to-one, and every bit of z reaches the sign.
constexpr std::int32_t spread(std::uint32_t z, int bits) {
  const std::uint32_t mask = 0xFFFFFFFFU >> static_cast<unsigned>(32 - bits);
  const auto half = static_cast<unsigned>((bits + 1) / 2);
  z = (z * 0x9E3779B5U + 0x7F4A7C15U) & mask;
  z ^= z >> half;
  z = (z * 0x85EBCA6BU) & mask;
  return signed_bits(z ^ (z >> half), bits);
}

class IntegerArithmetic {
 public:
  using Value = std::int32_t;
  using Values = IntegerValues;
  using Sum = std::uint32_t;   // of products, modulo 2^32
  using Total = std::int64_t;  // of elements
  using Narrow = std::int16_t;
  using Wide = std::int32_t;

  // result_bits: b of the operator's output.
  IntegerArithmetic(int result_bits, int accumulator_bits) : bits_(result_bits), accumulator_bits_(accumulator_bits) {}

  // Elements fit Narrow.
  static bool narrow(const Values& values) { return values.bits() <= 16; }

  [[nodiscard]] Value matrix_result(Sum sum, Value bias) const {
    return requantise(word(signed_bits(sum, accumulator_bits_)) + word(bias), bits_);
  }
  // An element of an operand as the functions below take it: with no more bits than the result has.
  [[nodiscard]] Value operand(Value x, const Values& of) const {
    return of.bits() <= bits_ ? x : requantise(word(x), bits_);
  }
  // Operators of two operands.
  [[nodiscard]] Value combine(OpType type, Value x, Value y) const;
  [[nodiscard]] Value select(Value condition, Value a, Value b) const;
  [[nodiscard]] Value mean(Total total, std::int64_t count) const { return spread(low(total) + 5 * low(count), bits_); }
  // Of a window: its largest element, the sum of its elements, and how many there are without padding.
  [[nodiscard]] Value maximum(Value /*largest*/, Total total, std::int64_t count) const {
    return spread(3 * low(total) + low(count), bits_);
  }
  [[nodiscard]] Value activate(OpType type, const ClipAttributes& clip, Value x) const;
  // In place, on a row of `input`.
  void softmax(std::span<Value> row, const Values& input) const;
  // In place, on a row of `input`; bias may be empty.
  void normalise(std::span<Value> row, const Values& input, std::span<const Value> scale, std::span<const Value> bias,
                 double epsilon) const;
  // In place: without the mean, and without a bias.
  void normalise_squares(std::span<Value> row, const Values& input, std::span<const Value> scale, double epsilon) const;
  // One element of a Resize by interpolation: `total` is the sum of the `count` elements around one of the input.
  static constexpr bool kInterpolates = false;
  // The row of a Gather table that an index selects: index modulo rows, not negative.
  [[nodiscard]] static std::int64_t table_row(Value index, std::int64_t rows) {
    return index - floor_div(index, rows) * rows;
  }

 private:
  static constexpr std::uint32_t word(std::int32_t v) { return static_cast<std::uint32_t>(v); }
  static constexpr std::uint32_t low(std::int64_t v) {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(v));
  }
  // Of a row's element x, with what its row gave it.
  [[nodiscard]] Value in_row(Value x, std::uint32_t v) const {
    return spread(word(x) + word(requantise(v, bits_)), bits_);
  }

  int bits_;
  int accumulator_bits_;
};

}  // namespace accsim::model::reference
