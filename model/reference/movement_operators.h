// Operators that copy elements to other places, and Resize, which also mixes neighbours: by their definitions in the
// ONNX operator specification, over whole tensors. A template over the arithmetic.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "model/reference/matrix_operators.h"
#include "model/reference/tensor_index.h"

namespace accsim::model::reference {

template <class Arithmetic>
void slice(const Job<Arithmetic>& job) {
  const auto& attributes = std::get<SliceAttributes>(job.op.attributes);
  std::array<Strides, 1> steps{strides_of(job.shape(0))};
  std::int64_t first = 0;
  for (std::size_t axis = 0; axis < steps[0].size(); ++axis) {
    first += attributes.starts[axis] * steps[0][axis];
    steps[0][axis] *= attributes.steps[axis];
  }
  std::int64_t to = 0;
  for_each_coordinate(job.output_shape(), steps, [&](const std::array<std::int64_t, 1>& at) {
    job.output.set(to++, job.inputs[0]->get(first + at[0]));
  });
}

template <class Arithmetic>
void expand(const Job<Arithmetic>& job) {
  const std::array<Strides, 1> steps{broadcast_strides(job.shape(0), job.output_shape())};
  std::int64_t to = 0;
  for_each_coordinate(job.output_shape(), steps,
                      [&](const std::array<std::int64_t, 1>& at) { job.output.set(to++, job.inputs[0]->get(at[0])); });
}

template <class Arithmetic>
void pad(const Job<Arithmetic>& job) {
  const auto& begins = std::get<PadAttributes>(job.op.attributes).begins;
  const Strides out = strides_of(job.output_shape());
  std::int64_t first = 0;
  for (std::size_t axis = 0; axis < out.size(); ++axis) first += begins[axis] * out[axis];
  for (std::int64_t i = 0; i < job.output.size(); ++i) job.output.set(i, typename Arithmetic::Value{0});
  const std::array<Strides, 1> steps{out};
  std::int64_t from = 0;
  for_each_coordinate(job.shape(0), steps, [&](const std::array<std::int64_t, 1>& at) {
    job.output.set(first + at[0], job.inputs[0]->get(from++));
  });
}

// out[n][c][h * b + i][w * b + j] = in[n][(i * b + j) * C + c][h][w], or in[n][(c * b + i) * b + j][h][w]
template <class Arithmetic>
void depth_to_space(const Job<Arithmetic>& job) {
  const auto& attributes = std::get<DepthToSpaceAttributes>(job.op.attributes);
  const Shape& out = job.output_shape();
  const Shape& in = job.shape(0);
  const std::int64_t b = attributes.block;
  std::int64_t to = 0;
  for (std::int64_t n = 0; n < out[0]; ++n) {
    for (std::int64_t c = 0; c < out[1]; ++c) {
      for (std::int64_t y = 0; y < out[2]; ++y) {
        for (std::int64_t x = 0; x < out[3]; ++x) {
          const std::int64_t channel =
              attributes.column_row ? (c * b + y % b) * b + x % b : (y % b * b + x % b) * out[1] + c;
          job.output.set(to++, job.inputs[0]->get(((n * in[1] + channel) * in[2] + y / b) * in[3] + x / b));
        }
      }
    }
  }
}

// Where output element `i` of an axis lies between elements of the input.
struct Between {
  std::int64_t low = 0;
  std::int64_t high = 0;
  double weight = 0;  // of the higher one
};
inline Between between(ResizeMode mode, std::int64_t i, std::int64_t extent, std::int64_t scale) {
  double at = static_cast<double>(i) / static_cast<double>(scale);
  if (mode == ResizeMode::half_pixel) at = (static_cast<double>(i) + 0.5) / static_cast<double>(scale) - 0.5;
  const std::int64_t last = extent * scale - 1;
  if (mode == ResizeMode::align_corners)
    at = last == 0 ? 0 : static_cast<double>(i) * static_cast<double>(extent - 1) / static_cast<double>(last);
  const double below = std::floor(at);
  Between out;
  out.weight = at - below;
  out.low = std::clamp<std::int64_t>(static_cast<std::int64_t>(below), 0, extent - 1);
  out.high = std::clamp<std::int64_t>(static_cast<std::int64_t>(below) + 1, 0, extent - 1);
  return out;
}

// The last two axes grow (the last one of three); the others keep their extents.
// In integers an interpolated element is the mean of the elements of the input that are at most one place away from the
// one that it lies in, along each axis that grows.
template <class Arithmetic>
void resize(const Job<Arithmetic>& job) {
  const auto& attributes = std::get<ResizeAttributes>(job.op.attributes);
  const Plane in = plane_of(job.shape(0));
  const Plane out = plane_of(job.output_shape());
  const std::int64_t down = job.shape(0).size() == 4 ? attributes.scales[2] : 1;
  const std::int64_t across = attributes.scales.back();
  const auto& x = *job.inputs[0];
  for (std::int64_t plane = 0; plane < job.output.size() / out.size(); ++plane) {
    const auto element = [&](std::int64_t h, std::int64_t w) { return x.get(plane * in.size() + h * in.width + w); };
    for (std::int64_t place = 0; place < out.size(); ++place) {
      const std::int64_t row = place / out.width;
      const std::int64_t column = place % out.width;
      const std::int64_t to = plane * out.size() + place;
      if (attributes.mode == ResizeMode::nearest) {
        job.output.set(to, element(row / down, column / across));
      } else if constexpr (Arithmetic::kInterpolates) {
        const Between h = between(attributes.mode, row, in.height, down);
        const Between w = between(attributes.mode, column, in.width, across);
        const double top = element(h.low, w.low) * (1 - w.weight) + element(h.low, w.high) * w.weight;
        const double bottom = element(h.high, w.low) * (1 - w.weight) + element(h.high, w.high) * w.weight;
        job.output.set(to, static_cast<typename Arithmetic::Value>(top * (1 - h.weight) + bottom * h.weight));
      } else {
        const std::int64_t reach_h = down > 1 ? 1 : 0;
        const std::int64_t reach_w = across > 1 ? 1 : 0;
        typename Arithmetic::Total total = 0;
        std::int64_t count = 0;
        for (std::int64_t h = row / down - reach_h; h <= row / down + reach_h; ++h) {
          for (std::int64_t w = column / across - reach_w; w <= column / across + reach_w; ++w) {
            if (h < 0 || h >= in.height || w < 0 || w >= in.width) continue;
            total += job.arithmetic.operand(element(h, w), x);
            ++count;
          }
        }
        job.output.set(to, job.arithmetic.mean(total, count));
      }
    }
  }
}

}  // namespace accsim::model::reference
