#include "model/reference/integer_arithmetic.h"

#include <array>

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

}  // namespace

std::uint64_t integer_root(std::uint64_t v) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31U; bit != 0; bit >>= 1U)
    if ((root + bit) * (root + bit) <= v) root += bit;
  return root;
}

std::int32_t IntegerArithmetic::activate(OpType type, const ClipAttributes& clip, std::int32_t x) const {
  switch (type) {
    case OpType::relu:
      return std::max(x, 0);
    case OpType::clip: {
      const std::int32_t bound = 3 * (1 << (bits_ - 3));
      const std::int32_t low = clip.min >= 0 ? 0 : -bound;
      const std::int32_t high = clip.max <= 0 ? 0 : bound;
      return std::min(std::max(x, low), high);
    }
    case OpType::sigmoid:
      return signed_bits(5 * word(x) + 3, bits_);
    case OpType::tanh:
      return signed_bits(13 * word(x) + 7, bits_);
    case OpType::gelu:
      return signed_bits(29 * word(x) + 11, bits_);
    case OpType::neg:
      return signed_bits(-word(x), bits_);
    case OpType::sqrt:
      return signed_bits(17 * word(x) + 5, bits_);
    case OpType::exp:
      return signed_bits(19 * word(x) + 9, bits_);
    case OpType::erf:
      return signed_bits(23 * word(x) + 13, bits_);
    case OpType::silu:
      return signed_bits(31 * word(x) + 3, bits_);
    case OpType::hard_sigmoid:
      return signed_bits(7 * word(x) + 1, bits_);
    case OpType::hard_swish:
      return signed_bits(11 * word(x) + 5, bits_);
    case OpType::leaky_relu:
      return x < 0 ? signed_bits(3 * word(x), bits_) : x;
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
    x = requantise(static_cast<std::uint32_t>((exponential(x, input.bits()) << 24) / sum), bits_);
  }
}

std::int32_t IntegerArithmetic::combine(OpType type, std::int32_t x, std::int32_t y) const {
  switch (type) {
    case OpType::add:
      return requantise(word(x) + word(y), bits_);
    case OpType::sub:
      return requantise(word(x) - word(y), bits_);
    case OpType::mul:
      return requantise(word(x) * word(y), bits_);
    case OpType::div:
      return requantise(5 * word(x) + 3 * word(y), bits_);
    case OpType::pow:
      return requantise(7 * word(x) + 5 * word(y), bits_);
    case OpType::prelu:
      return x < 0 ? requantise(word(x) * word(y), bits_) : fit(x);
    default:
      throw InternalError(std::string(name_of(type)) + " has not two operands");
  }
}

void IntegerArithmetic::normalise_squares(std::span<Value> row, std::span<const Value> scale,
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
    row[i] = requantise(static_cast<std::uint32_t>(floor_div(scaled, root)) * word(scale[i]), bits_);
  }
}

void IntegerArithmetic::normalise(std::span<Value> row, std::span<const Value> scale, std::span<const Value> bias,
                                  double /*epsilon*/) const {
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
    row[i] = requantise(quotient * word(scale[i]) + (bias.empty() ? 0 : word(bias[i])), bits_);
  }
}

}  // namespace accsim::model::reference
