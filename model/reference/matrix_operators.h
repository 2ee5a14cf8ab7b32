// Conv, Gemm and MatMul: each result is a sum over two rows of numbers, what the operator's definition pairs up (for a
// convolution the elements under the window and the weights of an output channel). Rows are copied out of the tensors
// some at a time, so that the sum is a loop over contiguous elements.
// A template over the arithmetic: integers of docs/arithmetic.md, or floating point.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "model/reference/tensor_index.h"
#include "model/workload/network.h"

namespace accsim::model::reference {

// Inputs and output of one operator.
template <class Arithmetic>
struct Job {
  using Values = typename Arithmetic::Values;
  const Network& network;
  const Operator& op;
  const Arithmetic& arithmetic;
  std::vector<const Values*> inputs;
  Values& output;

  [[nodiscard]] const Shape& shape(std::size_t input) const { return network.tensor(op.inputs[input]).shape; }
  [[nodiscard]] const Shape& output_shape() const { return network.tensor(op.outputs[0]).shape; }
  // Element i of an input as operators of elements, windows and rows take it.
  [[nodiscard]] typename Arithmetic::Value operand(std::size_t input, std::int64_t i) const {
    return arithmetic.operand(inputs[input]->get(i), *inputs[input]);
  }
};

inline constexpr std::int64_t kStep = 64;  // rows in memory are padded with zeros to a multiple of this

template <class Sum, class Element>
Sum sum_of_products(const Element* a, const Element* b, std::int64_t padded) {
  Sum sum = 0;
  for (std::int64_t first = 0; first < padded; first += kStep) {
    Sum part = 0;
    for (std::int64_t i = first; i < first + kStep; ++i) part += static_cast<Sum>(a[i]) * static_cast<Sum>(b[i]);
    sum += part;
  }
  return sum;
}

// store(row, column, sum over k < depth of left[row][k] * right[column][k]) for all rows and columns.
// copy_left(row, to), copy_right(column, to) write the `depth` elements of a row.
template <class Sum, class Element, class CopyLeft, class CopyRight, class Store>
void all_sums(std::int64_t rows, std::int64_t columns, std::int64_t depth, CopyLeft copy_left, CopyRight copy_right,
              Store store) {
  constexpr std::int64_t kRowsAtOnce = 64;
  constexpr std::int64_t kElementsAtOnce = std::int64_t{1} << 18;
  const std::int64_t padded = ceil_div(depth, kStep) * kStep;
  const std::int64_t columns_at_once = std::clamp<std::int64_t>(kElementsAtOnce / padded, kRowsAtOnce, 1024);
  std::vector<Element> left(static_cast<std::size_t>(std::min(kRowsAtOnce, rows) * padded));
  std::vector<Element> right(static_cast<std::size_t>(std::min(columns_at_once, columns) * padded));
  for (std::int64_t column0 = 0; column0 < columns; column0 += columns_at_once) {
    const std::int64_t some_columns = std::min(columns_at_once, columns - column0);
    for (std::int64_t c = 0; c < some_columns; ++c) copy_right(column0 + c, right.data() + c * padded);
    for (std::int64_t row0 = 0; row0 < rows; row0 += kRowsAtOnce) {
      const std::int64_t some_rows = std::min(kRowsAtOnce, rows - row0);
      for (std::int64_t r = 0; r < some_rows; ++r) copy_left(row0 + r, left.data() + r * padded);
      for (std::int64_t c = 0; c < some_columns; ++c)
        for (std::int64_t r = 0; r < some_rows; ++r)
          store(row0 + r, column0 + c,
                sum_of_products<Sum>(left.data() + r * padded, right.data() + c * padded, padded));
    }
  }
}

// y[n][m][p][q] = bias[m] + sum over c, i, j of x[n][group's c][p * stride + i * dilation - pad][...] * w[m][c][i][j]
template <class Element, class Arithmetic>
void convolve(const Job<Arithmetic>& job) {
  const auto& conv = std::get<ConvAttributes>(job.op.attributes);
  const auto& x = *job.inputs[0];
  const auto& w = *job.inputs[1];
  const Plane in = plane_of(job.shape(0));
  const Plane out = plane_of(job.output_shape());
  const std::int64_t batch = job.shape(0)[0];
  const std::int64_t all_channels = job.shape(0)[1];
  const std::int64_t channels = all_channels / conv.group;
  const std::int64_t results = conv.out_channels / conv.group;
  const std::int64_t depth = channels * conv.kernel[0] * conv.kernel[1];
  for (std::int64_t group = 0; group < conv.group; ++group) {
    const auto copy_window = [&](std::int64_t place, Element* to) {
      const std::int64_t n = place / out.size();
      const std::int64_t top = place % out.size() / out.width * conv.stride[0] - conv.pads[0];
      const std::int64_t left = place % out.width * conv.stride[1] - conv.pads[1];
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::int64_t plane = (n * all_channels + group * channels + c) * in.size();
        for (std::int64_t i = 0; i < conv.kernel[0]; ++i) {
          for (std::int64_t j = 0; j < conv.kernel[1]; ++j) {
            const std::int64_t h = top + i * conv.dilation[0];
            const std::int64_t v = left + j * conv.dilation[1];
            const bool inside = h >= 0 && h < in.height && v >= 0 && v < in.width;
            *to++ = inside ? static_cast<Element>(x.get(plane + h * in.width + v)) : Element{0};
          }
        }
      }
    };
    const auto copy_weights = [&](std::int64_t m, Element* to) {
      const std::int64_t first = (group * results + m) * depth;
      for (std::int64_t k = 0; k < depth; ++k) to[k] = static_cast<Element>(w.get(first + k));
    };
    const auto store = [&](std::int64_t place, std::int64_t m, typename Arithmetic::Sum sum) {
      const std::int64_t channel = group * results + m;
      const auto bias = job.inputs.size() > 2 ? job.inputs[2]->get(channel) : typename Arithmetic::Value{0};
      const std::int64_t plane = (place / out.size() * conv.out_channels + channel) * out.size();
      job.output.set(plane + place % out.size(), job.arithmetic.matrix_result(sum, bias));
    };
    all_sums<typename Arithmetic::Sum, Element>(batch * out.size(), results, depth, copy_window, copy_weights, store);
  }
}

// Y = A' B' + C, where ' is a transposition or not and C is broadcast.
template <class Element, class Arithmetic>
void multiply_gemm(const Job<Arithmetic>& job) {
  const auto& gemm = std::get<GemmAttributes>(job.op.attributes);
  const auto& a = *job.inputs[0];
  const auto& b = *job.inputs[1];
  const Shape& result = job.output_shape();
  const std::int64_t depth = job.shape(0)[gemm.trans_a ? 0 : 1];
  const std::array<std::int64_t, 2> a_step = gemm.trans_a ? std::array{std::int64_t{1}, result[0]}  // of m, k
                                                          : std::array{depth, std::int64_t{1}};
  const std::array<std::int64_t, 2> b_step = gemm.trans_b ? std::array{depth, std::int64_t{1}}  // of n, k
                                                          : std::array{std::int64_t{1}, result[1]};
  const Strides c_step = job.inputs.size() > 2 ? broadcast_strides(job.shape(2), result) : Strides{0, 0};
  all_sums<typename Arithmetic::Sum, Element>(
      result[0], result[1], depth,
      [&](std::int64_t m, Element* to) {
        for (std::int64_t k = 0; k < depth; ++k) to[k] = static_cast<Element>(a.get(m * a_step[0] + k * a_step[1]));
      },
      [&](std::int64_t n, Element* to) {
        for (std::int64_t k = 0; k < depth; ++k) to[k] = static_cast<Element>(b.get(n * b_step[0] + k * b_step[1]));
      },
      [&](std::int64_t m, std::int64_t n, typename Arithmetic::Sum sum) {
        const auto bias =
            job.inputs.size() > 2 ? job.inputs[2]->get(m * c_step[0] + n * c_step[1]) : typename Arithmetic::Value{0};
        job.output.set(m * result[1] + n, job.arithmetic.matrix_result(sum, bias));
      });
}

// numpy.matmul: a vector is a row on the left, a column on the right; the axes before the last two are broadcast.
template <class Element, class Arithmetic>
void multiply_matmul(const Job<Arithmetic>& job) {
  const auto& a = *job.inputs[0];
  const auto& b = *job.inputs[1];
  Shape a_shape = job.shape(0);
  Shape b_shape = job.shape(1);
  Shape batch = job.output_shape();
  if (a_shape.size() == 1) {
    a_shape.insert(a_shape.begin(), 1);
  } else {
    batch.pop_back();
  }
  if (b_shape.size() == 1) {
    b_shape.push_back(1);
  } else {
    batch.pop_back();
  }
  const std::int64_t rows = a_shape[a_shape.size() - 2];
  const std::int64_t depth = a_shape.back();
  const std::int64_t columns = b_shape.back();
  a_shape.resize(a_shape.size() - 2);
  b_shape.resize(b_shape.size() - 2);
  std::int64_t y_first = 0;
  const std::array<Strides, 2> steps{broadcast_strides(a_shape, batch), broadcast_strides(b_shape, batch)};
  for_each_coordinate(batch, steps, [&](const std::array<std::int64_t, 2>& matrix) {
    const std::int64_t a_first = matrix[0] * rows * depth;
    const std::int64_t b_first = matrix[1] * depth * columns;
    all_sums<typename Arithmetic::Sum, Element>(
        rows, columns, depth,
        [&](std::int64_t m, Element* to) {
          for (std::int64_t k = 0; k < depth; ++k) to[k] = static_cast<Element>(a.get(a_first + m * depth + k));
        },
        [&](std::int64_t n, Element* to) {
          for (std::int64_t k = 0; k < depth; ++k) to[k] = static_cast<Element>(b.get(b_first + k * columns + n));
        },
        [&](std::int64_t m, std::int64_t n, typename Arithmetic::Sum sum) {
          job.output.set(y_first + m * columns + n, job.arithmetic.matrix_result(sum, typename Arithmetic::Value{0}));
        });
    y_first += rows * columns;
  });
}

template <class Element, class Arithmetic>
void matrix_operator_on(const Job<Arithmetic>& job) {
  if (job.op.type == OpType::conv) return convolve<Element>(job);
  if (job.op.type == OpType::gemm) return multiply_gemm<Element>(job);
  multiply_matmul<Element>(job);
}

template <class Arithmetic>
void matrix_operator(const Job<Arithmetic>& job) {
  const bool narrow = Arithmetic::narrow(*job.inputs[0]) && Arithmetic::narrow(*job.inputs[1]);
  if (narrow) return matrix_operator_on<typename Arithmetic::Narrow>(job);
  matrix_operator_on<typename Arithmetic::Wide>(job);
}

}  // namespace accsim::model::reference
