#include "model/reference/float_arithmetic.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "model/base/error.h"

namespace accsim::model::reference {

void FloatValues::read(std::int64_t first, std::span<float> out) const {
  std::copy_n(values_.begin() + first, out.size(), out.begin());
}

void FloatValues::write(std::int64_t first, std::span<const float> in) {
  std::copy(in.begin(), in.end(), values_.begin() + first);
}

float FloatArithmetic::activate(OpType type, const ClipAttributes& clip, float x) {
  const double v = x;
  switch (type) {
    case OpType::relu:
      return std::max(x, 0.0F);
    case OpType::clip:
      return static_cast<float>(std::min(std::max(v, clip.min), clip.max));
    case OpType::sigmoid:
      return static_cast<float>(1 / (1 + std::exp(-v)));
    case OpType::tanh:
      return static_cast<float>(std::tanh(v));
    case OpType::gelu:
      if (clip.alpha != 0) {  // by tanh: Hendrycks and Gimpel, arXiv 1606.08415
        constexpr double kTwoOverPi = 0.63661977236758134308;
        return static_cast<float>(0.5 * v * (1 + std::tanh(std::sqrt(kTwoOverPi) * (v + 0.044715 * v * v * v))));
      }
      return static_cast<float>(0.5 * v * (1 + std::erf(v / std::sqrt(2.0))));
    case OpType::neg:
      return -x;
    case OpType::sqrt:
      return static_cast<float>(std::sqrt(v));
    case OpType::exp:
      return static_cast<float>(std::exp(v));
    case OpType::erf:
      return static_cast<float>(std::erf(v));
    case OpType::silu:
      return static_cast<float>(v / (1 + std::exp(-v)));
    case OpType::leaky_relu:
      return x >= 0 ? x : static_cast<float>(clip.alpha * v);
    case OpType::hard_sigmoid:
      return static_cast<float>(std::min(std::max(clip.alpha * v + clip.beta, 0.0), 1.0));
    case OpType::hard_swish:
      return static_cast<float>(v * std::min(std::max(v / 6 + 0.5, 0.0), 1.0));
    case OpType::quantize_linear:  // rounded to even; the quotient in float, as stored scales are
      return static_cast<float>(std::min(
          std::max(std::nearbyint(static_cast<double>(x / static_cast<float>(clip.alpha))) + clip.beta, clip.min),
          clip.max));
    case OpType::dequantize_linear:
      return (x - static_cast<float>(clip.beta)) * static_cast<float>(clip.alpha);
    default:
      throw InternalError(std::string(name_of(type)) + " is no activation");
  }
}

void FloatArithmetic::softmax(std::span<float> row, const Values& /*input*/) {
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (const float x : row) sum += std::exp(x - largest);
  for (float& x : row) x = static_cast<float>(std::exp(x - largest) / sum);
}

float FloatArithmetic::combine(OpType type, float x, float y) {
  switch (type) {
    case OpType::add:
      return x + y;
    case OpType::sub:
      return x - y;
    case OpType::mul:
      return x * y;
    case OpType::div:
      return x / y;
    case OpType::pow:
      return static_cast<float>(std::pow(static_cast<double>(x), static_cast<double>(y)));
    case OpType::prelu:
      return x >= 0 ? x : x * y;
    default:
      throw InternalError(std::string(name_of(type)) + " has not two operands");
  }
}

void FloatArithmetic::normalise_squares(std::span<float> row, const Values& /*input*/, std::span<const float> scale,
                                        double epsilon) {
  double squares = 0;
  for (const float x : row) squares += static_cast<double>(x) * static_cast<double>(x);
  const double root = std::sqrt(squares / static_cast<double>(row.size()) + epsilon);
  for (std::size_t i = 0; i < row.size(); ++i)
    row[i] = static_cast<float>(static_cast<double>(row[i]) / root * static_cast<double>(scale[i]));
}

void FloatArithmetic::normalise(std::span<float> row, const Values& /*input*/, std::span<const float> scale,
                                std::span<const float> bias, double epsilon) {
  const auto n = static_cast<double>(row.size());
  double sum = 0;
  for (const float x : row) sum += x;
  const double mean = sum / n;
  double squares = 0;
  for (const float x : row) squares += (x - mean) * (x - mean);
  const double deviation = std::sqrt(squares / n + epsilon);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const double offset = bias.empty() ? 0.0 : static_cast<double>(bias[i]);
    row[i] = static_cast<float>((row[i] - mean) / deviation * scale[i] + offset);
  }
}

std::int64_t FloatArithmetic::table_row(float index, std::int64_t rows) {
  const auto limit = static_cast<double>(rows);
  const double value = index;
  if (!(value >= -limit && value < limit) || value != std::floor(value)) {
    throw ConfigError("Gather: index " + std::to_string(index) + " of a table with " + std::to_string(rows) + " rows");
  }
  const auto row = static_cast<std::int64_t>(value);
  return row < 0 ? row + rows : row;
}

}  // namespace accsim::model::reference
