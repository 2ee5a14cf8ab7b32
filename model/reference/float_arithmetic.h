// Floating-point arithmetic for the loops of operators.h: the definitions of the ONNX operator specification, values in
// float, sums and functions in double. Uses libm: for comparison within a tolerance, never for a decision.
#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "model/workload/network.h"

namespace accsim::model::reference {

class FloatValues {
 public:
  using Value = float;

  explicit FloatValues(std::int64_t count) : values_(static_cast<std::size_t>(count)) {}
  explicit FloatValues(std::vector<float> values) : values_(std::move(values)) {}
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(values_.size()); }
  [[nodiscard]] float get(std::int64_t i) const { return values_[static_cast<std::size_t>(i)]; }
  void set(std::int64_t i, float v) { values_[static_cast<std::size_t>(i)] = v; }
  // Unchecked: the elements exist.
  void read(std::int64_t first, std::span<float> out) const;
  void write(std::int64_t first, std::span<const float> in);
  [[nodiscard]] std::span<const float> all() const { return values_; }

 private:
  std::vector<float> values_;
};

class FloatArithmetic {
 public:
  using Value = float;
  using Values = FloatValues;
  using Sum = double;
  using Total = double;
  using Narrow = float;
  using Wide = float;

  static bool narrow(const Values& /*values*/) { return true; }

  [[nodiscard]] static float matrix_result(double sum, float bias) { return static_cast<float>(sum + bias); }
  [[nodiscard]] static float operand(float x, const Values& /*of*/) { return x; }
  // Operators of two operands.
  [[nodiscard]] static float combine(OpType type, float x, float y);
  [[nodiscard]] static float select(float condition, float a, float b) { return condition != 0 ? a : b; }
  static constexpr bool kInterpolates = true;
  [[nodiscard]] static float mean(double total, std::int64_t count) {
    return static_cast<float>(total / static_cast<double>(count));
  }
  [[nodiscard]] static float maximum(float largest, double /*total*/, std::int64_t /*count*/) { return largest; }
  [[nodiscard]] static float activate(OpType type, const ClipAttributes& clip, float x);
  // In place: exp(x - largest) / sum.
  static void softmax(std::span<float> row, const Values& input);
  // In place: (x - mean) / sqrt(variance + epsilon) * scale + bias, bias may be empty.
  static void normalise(std::span<float> row, const Values& input, std::span<const float> scale,
                        std::span<const float> bias, double epsilon);
  // In place: x / sqrt(mean of squares + epsilon) * scale.
  static void normalise_squares(std::span<float> row, const Values& input, std::span<const float> scale,
                                double epsilon);
  // As ONNX: negative indices count from the end. ConfigError outside of [-rows, rows).
  [[nodiscard]] static std::int64_t table_row(float index, std::int64_t rows);
};

}  // namespace accsim::model::reference
