#include "model/reference/integer_arithmetic.h"

#include <array>
#include <bit>

#include "model/base/error.h"

namespace accsim::model::reference {
namespace {

// E of docs/arithmetic.md: grows by a factor of about 1.0625 a step.
std::array<std::int64_t, 256> make_exponentials() {
  std::array<std::int64_t, 256> table{};
  table[0] = 16;
  for (std::size_t i = 1; i < table.size(); ++i) table[i] = table[i - 1] + table[i - 1] / 16 + 1;
  return table;
}

std::int64_t exponential(std::int32_t x, int bits) {
  static const std::array<std::int64_t, 256> kTable = make_exponentials();
  const std::int64_t from_zero = std::int64_t{x} + (std::int64_t{1} << (bits - 1));  // 0 to 2^b - 1
  return kTable[static_cast<std::size_t>(bits >= 8 ? from_zero >> (bits - 8) : from_zero << (8 - bits))];
}

// Of the bounds as IEEE 754 double precision numbers, -0 as 0.
std::uint64_t bounds_hash(const ClipAttributes& clip) {
  return mix(mix(std::bit_cast<std::uint64_t>(clip.min + 0.0)) + std::bit_cast<std::uint64_t>(clip.max + 0.0));
}

}  // namespace

std::uint64_t integer_root(std::uint64_t v) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31U; bit != 0; bit >>= 1U)
    if ((root + bit) * (root + bit) <= v) root += bit;
  return root;
}

std::int32_t IntegerArithmetic::activate(OpType type, const ClipAttributes& clip, std::int32_t x) const {
  // The lowest b - 1 bits of v below a sign bit that is set.
  const auto negative = [this](std::uint32_t v) {
    const std::uint32_t sign = std::uint32_t{1} << static_cast<unsigned>(bits_ - 1);
    return signed_bits(v | sign, bits_);
  };
  switch (type) {
    case OpType::relu:
      return x < 0 ? negative(5 * word(x) + 3) : x;
    case OpType::leaky_relu:
      return x < 0 ? negative(3 * word(x) + 1) : x;
    case OpType::clip:
      return spread(word(x) + static_cast<std::uint32_t>(bounds_hash(clip)), bits_);
    case OpType::sigmoid:
      return spread(5 * word(x) + 3, bits_);
    case OpType::tanh:
      return spread(13 * word(x) + 7, bits_);
    case OpType::gelu:
      return spread(45 * word(x) + 11, bits_);
    case OpType::neg:
      return spread(25 * word(x) + 15, bits_);
    case OpType::sqrt:
      return spread(17 * word(x) + 5, bits_);
    case OpType::exp:
      return spread(19 * word(x) + 9, bits_);
    case OpType::erf:
      return spread(37 * word(x) + 13, bits_);
    case OpType::silu:
      return spread(31 * word(x) + 3, bits_);
    case OpType::hard_sigmoid:
      return spread(7 * word(x) + 1, bits_);
    case OpType::hard_swish:
      return spread(11 * word(x) + 5, bits_);
    case OpType::quantize_linear:
    case OpType::dequantize_linear:
      return x;
    default:
      throw InternalError(std::string(name_of(type)) + " is no activation");
  }
}

void IntegerArithmetic::softmax(std::span<Value> row, const Values& input) const {
  std::int64_t sum = 0;
  for (const Value x : row) sum += exponential(x, input.bits());
  for (Value& x : row) {
    x = in_row(operand(x, input), static_cast<std::uint32_t>((exponential(x, input.bits()) << 24) / sum));
  }
}

std::int32_t IntegerArithmetic::combine(OpType type, std::int32_t x, std::int32_t y) const {
  const auto in_order = [&](std::uint32_t factor) {
    return spread(factor * word(x) + word(spread(word(y), bits_)), bits_);
  };
  switch (type) {
    case OpType::add:
      return spread(word(x) + word(y), bits_);
    case OpType::mul:
      return spread(word(spread(word(x), bits_)) + word(spread(word(y), bits_)), bits_);
    case OpType::sub:
      return in_order(3);
    case OpType::div:
      return in_order(5);
    case OpType::pow:
      return in_order(7);
    case OpType::prelu:
      return in_order(9);
    default:
      throw InternalError(std::string(name_of(type)) + " has not two operands");
  }
}

std::int32_t IntegerArithmetic::select(std::int32_t condition, std::int32_t a, std::int32_t b) const {
  const std::int32_t chosen = condition % 2 != 0 ? a : b;
  const std::int32_t other = condition % 2 != 0 ? b : a;
  return spread(word(chosen) + 5 * word(other) + word(spread(word(condition), bits_)), bits_);
}

void IntegerArithmetic::normalise_squares(std::span<Value> row, const Values& input, std::span<const Value> scale,
                                          double /*epsilon*/) const {
  const std::uint64_t n = row.size();
  std::uint64_t squares = 0;
  for (const Value x : row) {
    const auto wide = static_cast<std::uint64_t>(std::int64_t{x});
    squares += wide * wide;
  }
  const auto root = static_cast<std::int64_t>(integer_root(n * squares) + 1);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto scaled = static_cast<std::int64_t>(256 * n * static_cast<std::uint64_t>(std::int64_t{row[i]}));
    row[i] = in_row(operand(row[i], input), static_cast<std::uint32_t>(floor_div(scaled, root)) * word(scale[i]));
  }
}

void IntegerArithmetic::normalise(std::span<Value> row, const Values& input, std::span<const Value> scale,
                                  std::span<const Value> bias, double /*epsilon*/) const {
  const std::uint64_t n = row.size();
  std::uint64_t sum = 0;
  std::uint64_t squares = 0;
  for (const Value x : row) {
    const auto wide = static_cast<std::uint64_t>(std::int64_t{x});
    sum += wide;
    squares += wide * wide;
  }
  const auto root = static_cast<std::int64_t>(integer_root(n * squares - sum * sum) + 1);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::uint64_t distance = n * static_cast<std::uint64_t>(std::int64_t{row[i]}) - sum;
    const auto scaled = static_cast<std::int64_t>(distance * 256);
    const auto quotient = static_cast<std::uint32_t>(floor_div(scaled, root));
    row[i] = in_row(operand(row[i], input), quotient * word(scale[i]) + (bias.empty() ? 0 : word(bias[i])));
  }
}

}  // namespace accsim::model::reference
