#include "tests/property/reference_values.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace accsim::tests {

using namespace model;

namespace {

// [N, C, L] as [N, C, 1, L].
Shape four(const Shape& shape) { return shape.size() == 3 ? Shape{shape[0], shape[1], 1, shape[2]} : shape; }

Value at4(const std::vector<Value>& v, const Shape& s, std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
  return v[static_cast<std::size_t>(((a * s[1] + b) * s[2] + c) * s[3] + d)];
}
std::vector<Value> zeros(const Shape& shape) {
  return std::vector<Value>(static_cast<std::size_t>(element_count(shape)), 0);
}

template <class Visit>  // visit(n, c, h, w) in storage order
void each4(const Shape& s, Visit visit) {
  for (std::int64_t n = 0; n < s[0]; ++n)
    for (std::int64_t c = 0; c < s[1]; ++c)
      for (std::int64_t h = 0; h < s[2]; ++h)
        for (std::int64_t w = 0; w < s[3]; ++w) visit(n, c, h, w);
}

// Index of the element of `shape` that is broadcast to the flat index `i` of `out`.
std::size_t broadcast_index(const Shape& out, const Shape& shape, std::int64_t i) {
  std::int64_t index = 0;
  std::int64_t stride = 1;
  for (std::size_t a = out.size(); a-- > 0;) {
    const std::int64_t at = i % out[a];
    i /= out[a];
    const std::size_t missing = out.size() - shape.size();
    if (a < missing) continue;
    const std::int64_t extent = shape[a - missing];
    index += (extent == 1 ? 0 : at) * stride;
    stride *= extent;
  }
  return static_cast<std::size_t>(index);
}

struct Evaluation {
  const Network& network;
  TensorValues& values;
  const Operator& op;

  [[nodiscard]] const Shape& shape(std::size_t i) const { return network.tensor(op.inputs[i]).shape; }
  [[nodiscard]] const std::vector<Value>& in(std::size_t i) const { return values[op.inputs[i].index()]; }
  [[nodiscard]] const Shape& out_shape() const { return network.tensor(op.outputs[0]).shape; }

  std::vector<Value> conv() const {
    const auto& a = std::get<ConvAttributes>(op.attributes);
    const Shape x = four(shape(0));
    const Shape y = four(out_shape());
    const std::int64_t in_group = x[1] / a.group;
    const std::int64_t out_group = y[1] / a.group;
    const Shape w{y[1], in_group, a.kernel[0], a.kernel[1]};
    std::vector<Value> out;
    each4(y, [&](auto n, auto c, auto h, auto v) {
      Value sum = op.inputs.size() > 2 ? in(2)[static_cast<std::size_t>(c)] : 0;
      for (std::int64_t k = 0; k < in_group; ++k)
        for (std::int64_t r = 0; r < a.kernel[0]; ++r)
          for (std::int64_t s = 0; s < a.kernel[1]; ++s) {
            const std::int64_t row = h * a.stride[0] + r * a.dilation[0] - a.pads[0];
            const std::int64_t column = v * a.stride[1] + s * a.dilation[1] - a.pads[1];
            if (row < 0 || row >= x[2] || column < 0 || column >= x[3]) continue;
            sum = add(sum, mul(at4(in(0), x, n, c / out_group * in_group + k, row, column), at4(in(1), w, c, k, r, s)));
          }
      out.push_back(sum);
    });
    return out;
  }

  std::vector<Value> pool() const {
    PoolAttributes a;
    const Shape x = four(shape(0));
    if (op.type == OpType::global_average_pool) {
      a.kernel = {x[2], x[3]};
    } else {
      a = std::get<PoolAttributes>(op.attributes);
    }
    std::vector<Value> out;
    each4(four(out_shape()), [&](auto n, auto c, auto h, auto v) {
      Value sum = 0;
      Value largest = std::numeric_limits<Value>::min();
      std::int64_t valid = 0;
      std::int64_t padded = 0;  // elements of input and pads
      for (std::int64_t r = 0; r < a.kernel[0]; ++r)
        for (std::int64_t s = 0; s < a.kernel[1]; ++s) {
          const std::int64_t row = h * a.stride[0] + r * a.dilation[0] - a.pads[0];
          const std::int64_t column = v * a.stride[1] + s * a.dilation[1] - a.pads[1];
          if (row < x[2] + a.pads[2] && column < x[3] + a.pads[3]) ++padded;
          if (row < 0 || row >= x[2] || column < 0 || column >= x[3]) continue;
          const Value value = at4(in(0), x, n, c, row, column);
          sum = add(sum, value);
          largest = std::max(largest, value);
          ++valid;
        }
      const std::int64_t divisor = a.count_include_pad ? padded : 0;
      out.push_back(op.type == OpType::max_pool ? largest : combine_average(sum, valid, divisor));
    });
    return out;
  }

  std::vector<Value> gemm() const {
    const auto& a = std::get<GemmAttributes>(op.attributes);
    const std::int64_t rows = out_shape()[0];
    const std::int64_t columns = out_shape()[1];
    const std::int64_t depth = shape(0)[a.trans_a ? 0 : 1];
    std::vector<Value> out;
    for (std::int64_t i = 0; i < rows * columns; ++i) {
      const std::int64_t m = i / columns;
      const std::int64_t n = i % columns;
      Value sum = op.inputs.size() > 2 ? in(2)[broadcast_index(out_shape(), shape(2), i)] : 0;
      for (std::int64_t k = 0; k < depth; ++k)
        sum = add(sum, mul(in(0)[static_cast<std::size_t>(a.trans_a ? k * rows + m : m * depth + k)],
                           in(1)[static_cast<std::size_t>(a.trans_b ? n * depth + k : k * columns + n)]));
      out.push_back(sum);
    }
    return out;
  }

  std::vector<Value> matmul() const {
    const Shape& x = shape(0);
    const Shape& y = shape(1);
    const std::int64_t depth = x.back();
    const std::int64_t rows = x[x.size() - 2];
    const std::int64_t columns = y.back();
    const Shape batch(out_shape().begin(), out_shape().end() - 2);
    std::vector<Value> out;
    for (std::int64_t b = 0; b < element_count(batch); ++b) {
      const auto from_x =
          static_cast<std::int64_t>(broadcast_index(batch, Shape(x.begin(), x.end() - 2), b)) * rows * depth;
      const auto from_y =
          static_cast<std::int64_t>(broadcast_index(batch, Shape(y.begin(), y.end() - 2), b)) * depth * columns;
      for (std::int64_t m = 0; m < rows; ++m)
        for (std::int64_t n = 0; n < columns; ++n) {
          Value sum = 0;
          for (std::int64_t k = 0; k < depth; ++k)
            sum = add(sum, mul(in(0)[static_cast<std::size_t>(from_x + m * depth + k)],
                               in(1)[static_cast<std::size_t>(from_y + k * columns + n)]));
          out.push_back(sum);
        }
    }
    return out;
  }

  std::vector<Value> elementwise() const {
    std::vector<Value> out;
    for (std::int64_t i = 0; i < element_count(out_shape()); ++i) {
      const Value a = in(0)[broadcast_index(out_shape(), shape(0), i)];
      const Value b = in(1)[broadcast_index(out_shape(), shape(1), i)];
      out.push_back(op.type == OpType::add ? add(a, b) : mul(a, b));
    }
    return out;
  }

  std::vector<Value> unary() const {
    FusedActivation own{op.type, {}, {}};
    if (const auto* clip = std::get_if<ClipAttributes>(&op.attributes)) own.clip = *clip;
    std::vector<Value> out;
    for (const Value x : in(0)) out.push_back(activate(own, x));
    return out;
  }

  std::vector<Value> normalize() const {
    const auto rank = static_cast<std::int64_t>(out_shape().size());
    std::int64_t axis = std::get<AxisAttributes>(op.attributes).axis;
    if (axis < 0) axis += rank;
    const bool softmax = op.type == OpType::softmax;
    std::int64_t row = 1;
    std::int64_t inner = 1;
    for (std::int64_t a = axis; a < rank; ++a)
      (softmax && a > axis ? inner : row) *= out_shape()[static_cast<std::size_t>(a)];
    std::vector<Value> out = zeros(out_shape());
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto flat = static_cast<std::int64_t>(i);
      const std::int64_t place = flat / inner % row;
      const std::int64_t first = flat - place * inner;
      Value sum = 0;
      for (std::int64_t r = 0; r < row; ++r) sum = add(sum, in(0)[static_cast<std::size_t>(first + r * inner)]);
      const auto p = static_cast<std::size_t>(place);
      out[i] = softmax ? combine_softmax(in(0)[i], sum)
                       : combine_normalization(in(0)[i], sum, row, op.inputs.size() > 1 ? in(1)[p] : 1,
                                               op.inputs.size() > 2 ? in(2)[p] : 0);
    }
    return out;
  }

  std::vector<Value> gather() const {
    std::int64_t axis = std::get<AxisAttributes>(op.attributes).axis;
    if (axis < 0) axis += static_cast<std::int64_t>(shape(0).size());
    std::int64_t outer = 1;
    std::int64_t inner = 1;
    for (std::int64_t a = 0; a < static_cast<std::int64_t>(shape(0).size()); ++a) {
      if (a < axis) outer *= shape(0)[static_cast<std::size_t>(a)];
      if (a > axis) inner *= shape(0)[static_cast<std::size_t>(a)];
    }
    const std::int64_t rows = shape(0)[static_cast<std::size_t>(axis)];
    std::vector<Value> out;
    for (std::int64_t o = 0; o < outer; ++o)
      for (const Value row : in(1))
        for (std::int64_t i = 0; i < inner; ++i)
          out.push_back(in(0)[static_cast<std::size_t>((o * rows + row) * inner + i)]);
    return out;
  }

  std::vector<Value> transpose() const {
    const auto& perm = std::get<TransposeAttributes>(op.attributes).perm;
    const Shape& x = shape(0);
    std::vector<Value> out;
    for (std::int64_t i = 0; i < element_count(out_shape()); ++i) {
      std::vector<std::int64_t> at(x.size());
      std::int64_t rest = i;
      for (std::size_t a = x.size(); a-- > 0;) {
        at[static_cast<std::size_t>(perm[a])] = rest % out_shape()[a];
        rest /= out_shape()[a];
      }
      std::int64_t from = 0;
      for (std::size_t a = 0; a < x.size(); ++a) from = from * x[a] + at[a];
      out.push_back(in(0)[static_cast<std::size_t>(from)]);
    }
    return out;
  }

  std::vector<Value> concat() const {
    std::int64_t axis = std::get<AxisAttributes>(op.attributes).axis;
    if (axis < 0) axis += static_cast<std::int64_t>(out_shape().size());
    std::int64_t outer = 1;
    for (std::int64_t a = 0; a < axis; ++a) outer *= out_shape()[static_cast<std::size_t>(a)];
    std::vector<Value> out;
    for (std::int64_t o = 0; o < outer; ++o)
      for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        const std::int64_t run = element_count(shape(i)) / outer;
        for (std::int64_t e = 0; e < run; ++e) out.push_back(in(i)[static_cast<std::size_t>(o * run + e)]);
      }
    return out;
  }

  std::vector<Value> run() const {
    switch (op.type) {
      case OpType::conv:
        return conv();
      case OpType::gemm:
        return gemm();
      case OpType::matmul:
        return matmul();
      case OpType::max_pool:
      case OpType::average_pool:
      case OpType::global_average_pool:
        return pool();
      case OpType::add:
      case OpType::mul:
        return elementwise();
      case OpType::softmax:
      case OpType::layer_normalization:
        return normalize();
      case OpType::gather:
        return gather();
      case OpType::transpose:
        return transpose();
      case OpType::concat:
        return concat();
      case OpType::flatten:
      case OpType::reshape:
        return in(0);
      default:
        return unary();
    }
  }
};

}  // namespace

TensorValues random_inputs(const Network& network, std::uint64_t seed, Random& random) {
  TensorValues values(network.tensors.size());
  for (const Tensor& tensor : network.tensors) {
    if (tensor.kind == TensorKind::activation) continue;
    for (std::int64_t i = 0; i < element_count(tensor.shape); ++i)
      values[tensor.id.index()].push_back(random.range(-1000, 1000));
  }
  for (const Operator& op : network.operators) {
    if (op.type != OpType::gather) continue;
    const Shape& table = network.tensor(op.inputs[0]).shape;
    std::int64_t axis = std::get<AxisAttributes>(op.attributes).axis;
    if (axis < 0) axis += static_cast<std::int64_t>(table.size());
    std::vector<Value>& indices = values[op.inputs[1].index()];
    for (std::size_t i = 0; i < indices.size(); ++i)
      indices[i] = gather_row(seed, static_cast<std::int64_t>(i), table[static_cast<std::size_t>(axis)]);
  }
  return values;
}

TensorValues evaluate(const Network& network, TensorValues values) {
  for (const Operator& op : network.operators) {
    std::vector<Value> out = Evaluation{network, values, op}.run();
    for (const FusedActivation& activation : op.activations)
      for (Value& value : out) value = activate(activation, value);
    values[op.outputs[0].index()] = std::move(out);
  }
  return values;
}

}  // namespace accsim::tests
