// Every operator of the project, by its definition in the ONNX operator specification, over whole tensors in row-major
// order. A template over the arithmetic: integers of docs/arithmetic.md, or floating point. Matrix products are in
// matrix_operators.h; Reshape and Flatten need nothing, their results share their input's values.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/base/error.h"
#include "model/reference/matrix_operators.h"
#include "model/reference/movement_operators.h"
#include "model/reference/tensor_index.h"

namespace accsim::model::reference {

// Calls visit(element's place in the plane) for the elements of a window that are not padding; returns how many
// elements of the window lie in the input and its padding (not beyond, where ceil_mode lets the last window reach).
template <class Visit>
std::int64_t visit_window(const PoolAttributes& pool, const Plane& in, std::int64_t row, std::int64_t column,
                          Visit visit) {
  std::int64_t in_padded = 0;
  for (std::int64_t i = 0; i < pool.kernel[0]; ++i) {
    for (std::int64_t j = 0; j < pool.kernel[1]; ++j) {
      const std::int64_t h = row * pool.stride[0] + i * pool.dilation[0] - pool.pads[0];
      const std::int64_t w = column * pool.stride[1] + j * pool.dilation[1] - pool.pads[1];
      if (h < in.height + pool.pads[2] && w < in.width + pool.pads[3]) ++in_padded;
      if (h >= 0 && h < in.height && w >= 0 && w < in.width) visit(h * in.width + w);
    }
  }
  return in_padded;
}

template <class Arithmetic>
void pool(const Job<Arithmetic>& job) {
  const auto& attributes = std::get<PoolAttributes>(job.op.attributes);
  const Plane in = plane_of(job.shape(0));
  const Plane out = plane_of(job.output_shape());
  const std::int64_t planes = job.shape(0)[0] * job.shape(0)[1];
  for (std::int64_t plane = 0; plane < planes; ++plane) {
    for (std::int64_t place = 0; place < out.size(); ++place) {
      std::optional<typename Arithmetic::Value> largest;
      typename Arithmetic::Total total = 0;
      std::int64_t inside = 0;
      const auto visit = [&](std::int64_t at) {
        const auto value = job.operand(0, plane * in.size() + at);
        largest = largest ? std::max(*largest, value) : value;
        total += value;
        ++inside;
      };
      const std::int64_t in_padded = visit_window(attributes, in, place / out.width, place % out.width, visit);
      if (!largest) throw InternalError("layer " + job.op.name + ": a window without an element");
      const std::int64_t count = attributes.count_include_pad ? in_padded : inside;
      job.output.set(plane * out.size() + place, job.op.type == OpType::max_pool
                                                     ? job.arithmetic.maximum(*largest, total, inside)
                                                     : job.arithmetic.mean(total, count));
    }
  }
}

template <class Arithmetic>
void global_average_pool(const Job<Arithmetic>& job) {
  const std::int64_t planes = job.shape(0)[0] * job.shape(0)[1];
  const std::int64_t size = extent_between(job.shape(0), 2, job.shape(0).size());
  for (std::int64_t plane = 0; plane < planes; ++plane) {
    typename Arithmetic::Total total = 0;
    for (std::int64_t i = 0; i < size; ++i) total += job.operand(0, plane * size + i);
    job.output.set(plane, job.arithmetic.mean(total, size));
  }
}

template <class Arithmetic>
void elementwise(const Job<Arithmetic>& job) {
  const Shape& result = job.output_shape();
  const std::array<Strides, 2> steps{broadcast_strides(job.shape(0), result), broadcast_strides(job.shape(1), result)};
  std::int64_t i = 0;
  for_each_coordinate(result, steps, [&](const std::array<std::int64_t, 2>& at) {
    const auto x = job.operand(0, at[0]);
    const auto y = job.operand(1, at[1]);
    job.output.set(i++, job.arithmetic.combine(job.op.type, x, y));
  });
}

template <class Arithmetic>
void activation(const Job<Arithmetic>& job) {
  const auto* clip = std::get_if<ClipAttributes>(&job.op.attributes);
  const ClipAttributes bounds = clip != nullptr ? *clip : ClipAttributes{};
  for (std::int64_t i = 0; i < job.output.size(); ++i)
    job.output.set(i, job.arithmetic.activate(job.op.type, bounds, job.operand(0, i)));
}

template <class Arithmetic>
void softmax(const Job<Arithmetic>& job) {
  const auto axis = static_cast<std::size_t>(std::get<AxisAttributes>(job.op.attributes).axis);
  const Shape& shape = job.shape(0);
  const std::int64_t outer = extent_between(shape, 0, axis);
  const std::int64_t inner = extent_between(shape, axis + 1, shape.size());
  std::vector<typename Arithmetic::Value> row(static_cast<std::size_t>(shape[axis]));
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < inner; ++i) {
      const auto place = [&](std::size_t k) { return (o * shape[axis] + static_cast<std::int64_t>(k)) * inner + i; };
      for (std::size_t k = 0; k < row.size(); ++k) row[k] = job.inputs[0]->get(place(k));
      job.arithmetic.softmax(row, *job.inputs[0]);
      for (std::size_t k = 0; k < row.size(); ++k) job.output.set(place(k), row[k]);
    }
  }
}

template <class Arithmetic>
void layer_normalization(const Job<Arithmetic>& job) {
  const auto& attributes = std::get<AxisAttributes>(job.op.attributes);
  const Shape& shape = job.shape(0);
  const std::int64_t length = extent_between(shape, static_cast<std::size_t>(attributes.axis), shape.size());
  using Row = std::vector<typename Arithmetic::Value>;
  Row row(static_cast<std::size_t>(length));
  Row scale(row.size());
  Row bias(job.inputs.size() > 2 ? row.size() : 0);
  job.inputs[1]->read(0, scale);
  if (!bias.empty()) job.inputs[2]->read(0, bias);
  for (std::int64_t first = 0; first < job.output.size(); first += length) {
    job.inputs[0]->read(first, row);
    job.arithmetic.normalise(row, *job.inputs[0], scale, bias, attributes.epsilon);
    job.output.write(first, row);
  }
}

template <class Arithmetic>
void rms_normalization(const Job<Arithmetic>& job) {
  const auto& attributes = std::get<AxisAttributes>(job.op.attributes);
  const Shape& shape = job.shape(0);
  const std::int64_t length = extent_between(shape, static_cast<std::size_t>(attributes.axis), shape.size());
  std::vector<typename Arithmetic::Value> row(static_cast<std::size_t>(length));
  auto scale = row;
  job.inputs[1]->read(0, scale);
  for (std::int64_t first = 0; first < job.output.size(); first += length) {
    job.inputs[0]->read(first, row);
    job.arithmetic.normalise_squares(row, *job.inputs[0], scale, attributes.epsilon);
    job.output.write(first, row);
  }
}

template <class Arithmetic>
void reduce_mean(const Job<Arithmetic>& job) {
  const auto& axes = std::get<ReduceAttributes>(job.op.attributes);
  const Shape& shape = job.shape(0);
  const auto first = static_cast<std::size_t>(axes.first);
  const auto end = static_cast<std::size_t>(axes.last) + 1;
  const std::int64_t outer = extent_between(shape, 0, first);
  const std::int64_t count = extent_between(shape, first, end);
  const std::int64_t inner = extent_between(shape, end, shape.size());
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < inner; ++i) {
      typename Arithmetic::Total total = 0;
      for (std::int64_t k = 0; k < count; ++k) total += job.operand(0, (o * count + k) * inner + i);
      job.output.set(o * inner + i, job.arithmetic.mean(total, count));
    }
  }
}

template <class Arithmetic>
void where(const Job<Arithmetic>& job) {
  const Shape& result = job.output_shape();
  const std::array<Strides, 3> steps{broadcast_strides(job.shape(0), result), broadcast_strides(job.shape(1), result),
                                     broadcast_strides(job.shape(2), result)};
  std::int64_t i = 0;
  for_each_coordinate(result, steps, [&](const std::array<std::int64_t, 3>& at) {
    job.output.set(i++, job.arithmetic.select(job.operand(0, at[0]), job.operand(1, at[1]), job.operand(2, at[2])));
  });
}

// out[outer][indices...][inner] = table[outer][row that the index selects][inner]
template <class Arithmetic>
void gather(const Job<Arithmetic>& job) {
  const auto axis = static_cast<std::size_t>(std::get<AxisAttributes>(job.op.attributes).axis);
  const auto& table = *job.inputs[0];
  const auto& indices = *job.inputs[1];
  const Shape& shape = job.shape(0);
  const std::int64_t outer = extent_between(shape, 0, axis);
  const std::int64_t inner = extent_between(shape, axis + 1, shape.size());
  std::int64_t to = 0;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < indices.size(); ++i) {
      const std::int64_t row = job.arithmetic.table_row(indices.get(i), shape[axis]);
      for (std::int64_t k = 0; k < inner; ++k) job.output.set(to++, table.get((o * shape[axis] + row) * inner + k));
    }
  }
}

template <class Arithmetic>
void transpose(const Job<Arithmetic>& job) {
  const Strides in = strides_of(job.shape(0));
  std::array<Strides, 1> steps;
  for (const std::int64_t axis : std::get<TransposeAttributes>(job.op.attributes).perm)
    steps[0].push_back(in[static_cast<std::size_t>(axis)]);
  std::int64_t to = 0;
  for_each_coordinate(job.output_shape(), steps,
                      [&](const std::array<std::int64_t, 1>& at) { job.output.set(to++, job.inputs[0]->get(at[0])); });
}

template <class Arithmetic>
void concat(const Job<Arithmetic>& job) {
  const auto axis = static_cast<std::size_t>(std::get<AxisAttributes>(job.op.attributes).axis);
  const std::int64_t outer = extent_between(job.output_shape(), 0, axis);
  std::int64_t to = 0;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::size_t k = 0; k < job.inputs.size(); ++k) {
      const std::int64_t length = extent_between(job.shape(k), axis, job.shape(k).size());
      for (std::int64_t i = 0; i < length; ++i) job.output.set(to++, job.inputs[k]->get(o * length + i));
    }
  }
}

template <class Arithmetic>
void evaluate_unfused(const Job<Arithmetic>& job) {
  switch (job.op.type) {
    case OpType::conv:
    case OpType::gemm:
    case OpType::matmul:
      return matrix_operator(job);
    case OpType::max_pool:
    case OpType::average_pool:
      return pool(job);
    case OpType::global_average_pool:
      return global_average_pool(job);
    case OpType::add:
    case OpType::mul:
    case OpType::sub:
    case OpType::div:
    case OpType::pow:
    case OpType::prelu:
      return elementwise(job);
    case OpType::where:
      return where(job);
    case OpType::relu:
    case OpType::clip:
    case OpType::sigmoid:
    case OpType::tanh:
    case OpType::gelu:
    case OpType::neg:
    case OpType::sqrt:
    case OpType::exp:
    case OpType::erf:
    case OpType::leaky_relu:
    case OpType::hard_sigmoid:
    case OpType::hard_swish:
    case OpType::silu:
    case OpType::quantize_linear:
    case OpType::dequantize_linear:
      return activation(job);
    case OpType::softmax:
      return softmax(job);
    case OpType::layer_normalization:
      return layer_normalization(job);
    case OpType::rms_normalization:
      return rms_normalization(job);
    case OpType::reduce_mean:
      return reduce_mean(job);
    case OpType::slice:
      return slice(job);
    case OpType::expand:
      return expand(job);
    case OpType::pad:
      return pad(job);
    case OpType::resize:
      return resize(job);
    case OpType::depth_to_space:
      return depth_to_space(job);
    case OpType::gather:
      return gather(job);
    case OpType::transpose:
      return transpose(job);
    case OpType::concat:
      return concat(job);
    case OpType::flatten:
    case OpType::reshape:
      break;
  }
  throw InternalError("layer " + job.op.name + " computes nothing");
}

// Fills job.output with the operator's result, its fused activations included.
template <class Arithmetic>
void evaluate(const Job<Arithmetic>& job) {
  evaluate_unfused(job);
  for (const FusedActivation& fused : job.op.activations)
    for (std::int64_t i = 0; i < job.output.size(); ++i)
      job.output.set(i, job.arithmetic.activate(fused.type, fused.clip, job.output.get(i)));
}

}  // namespace accsim::model::reference
