#include "model/workload/loop_nest.h"

#include <algorithm>
#include <numeric>

#include "model/base/error.h"
#include "model/workload/network_spec.h"
#include "model/workload/shape_inference.h"

namespace accsim::model {
namespace {

constexpr std::size_t kMostOperandAxes = 4;

// A nest while it is put together.
struct Draft {
  const Network& network;
  const Operator& op;
  LoopNest nest;

  Draft(const Network& from, OpId id, Engine engine) : network(from), op(from.op(id)) {
    nest.op = id;
    nest.type = op.type;
    nest.engine = engine;
  }
  [[nodiscard]] const Tensor& input(std::size_t i) const { return network.tensor(op.inputs[i]); }
  [[nodiscard]] const Tensor& output() const { return network.tensor(op.outputs[0]); }

  int dim(std::string name, std::int64_t extent, DimKind kind, bool tileable = true) {
    nest.dims.push_back({std::move(name), extent, kind, tileable});
    return static_cast<int>(nest.dims.size()) - 1;
  }
  // An axis that one dimension walks, element by element.
  [[nodiscard]] Axis axis(int dim, std::int64_t stride) const {
    return {{{dim, 1}}, 0, nest.dims[static_cast<std::size_t>(dim)].extent, stride};
  }
  void operand(const Tensor& tensor, OperandRole role, std::vector<Axis> axes) {
    if (axes.empty()) axes.push_back(Axis{});  // one element for all
    if (axes.size() > kMostOperandAxes) {
      throw ConfigError("layer " + quote_name(op.name) + " (" + std::string(name_of(op.type)) + "): tensor " +
                        quote_name(tensor.name) + " needs " + std::to_string(axes.size()) +
                        " axes after merging, at most 4 can be copied at once; put a Reshape or Transpose before it");
    }
    nest.operands.push_back({tensor.id, role, tensor.type, std::move(axes)});
  }
};

// [N, C, L] as [N, C, 1, L].
std::array<std::int64_t, 4> planes(const Shape& shape) {
  return shape.size() == 3 ? std::array<std::int64_t, 4>{shape[0], shape[1], 1, shape[2]}
                           : std::array<std::int64_t, 4>{shape[0], shape[1], shape[2], shape[3]};
}

// Coordinate along a spatial axis: output * stride + window * dilation - padding.
Axis sliding(int out, std::int64_t stride, int window, std::int64_t dilation, std::int64_t pad, std::int64_t extent,
             std::int64_t element_stride) {
  return {{{out, stride}, {window, dilation}}, -pad, extent, element_stride};
}

LoopNest conv_nest(const Network& network, OpId id) {
  Draft d(network, id, Engine::array);
  const auto& conv = std::get<ConvAttributes>(d.op.attributes);
  const auto in = planes(d.input(0).shape);
  const auto out = planes(d.output().shape);
  const std::int64_t in_channels = in[1] / conv.group;
  const std::int64_t out_channels = out[1] / conv.group;
  const int g = d.dim("G", conv.group, DimKind::group);
  const int b = d.dim("B", in[0], DimKind::m);
  const int n = d.dim("N", out_channels, DimKind::n);
  const int p = d.dim("P", out[2], DimKind::m);
  const int q = d.dim("Q", out[3], DimKind::m);
  const int c = d.dim("C", in_channels, DimKind::k);
  const int r = d.dim("R", conv.kernel[0], DimKind::k, false);
  const int s = d.dim("S", conv.kernel[1], DimKind::k, false);
  const auto channels = [&](int inner, std::int64_t per_group, std::int64_t stride) {
    return Axis{{{g, per_group}, {inner, 1}}, 0, per_group * conv.group, stride};
  };
  d.operand(d.input(0), OperandRole::input,
            {d.axis(b, in[1] * in[2] * in[3]), channels(c, in_channels, in[2] * in[3]),
             sliding(p, conv.stride[0], r, conv.dilation[0], conv.pads[0], in[2], in[3]),
             sliding(q, conv.stride[1], s, conv.dilation[1], conv.pads[1], in[3], 1)});
  const std::int64_t window = conv.kernel[0] * conv.kernel[1];
  d.operand(
      d.input(1), OperandRole::weight,
      {channels(n, out_channels, in_channels * window), d.axis(c, window), d.axis(r, conv.kernel[1]), d.axis(s, 1)});
  if (d.op.inputs.size() > 2) d.operand(d.input(2), OperandRole::bias, {channels(n, out_channels, 1)});
  d.operand(d.output(), OperandRole::output,
            {d.axis(b, out[1] * out[2] * out[3]), channels(n, out_channels, out[2] * out[3]), d.axis(p, out[3]),
             d.axis(q, 1)});
  return d.nest;
}

LoopNest pool_nest(const Network& network, OpId id) {
  Draft d(network, id, Engine::vector);
  Shape in_shape = d.input(0).shape;
  Shape out_shape = d.output().shape;
  PoolAttributes pool;
  if (d.op.type == OpType::global_average_pool) {
    // All spatial axes are one window: the first as rows, the others as columns.
    const std::int64_t rows = in_shape.size() == 3 ? 1 : in_shape[2];
    const std::int64_t plane = element_count(Shape(in_shape.begin() + 2, in_shape.end()));
    in_shape = {in_shape[0], in_shape[1], rows, plane / rows};
    out_shape = {in_shape[0], in_shape[1], 1, 1};
    pool.kernel = {rows, plane / rows};
  } else if (const auto* axes = std::get_if<ReduceAttributes>(&d.op.attributes); axes != nullptr) {
    // What lies before the axes are channels, what lies behind them is a row of windows of one column.
    const auto begin = in_shape.begin();
    const std::int64_t outer = element_count(Shape(begin, begin + axes->first));
    const std::int64_t reduced = element_count(Shape(begin + axes->first, begin + axes->last + 1));
    const std::int64_t inner = element_count(Shape(begin + axes->last + 1, in_shape.end()));
    in_shape = inner == 1 ? Shape{1, outer, 1, reduced} : Shape{1, outer, reduced, inner};
    out_shape = {1, outer, 1, inner};
    pool.kernel = inner == 1 ? std::array<std::int64_t, 2>{1, reduced} : std::array<std::int64_t, 2>{reduced, 1};
  } else {
    pool = std::get<PoolAttributes>(d.op.attributes);
  }
  const auto in = planes(in_shape);
  const auto out = planes(out_shape);
  const int b = d.dim("B", in[0], DimKind::m);
  const int n = d.dim("N", in[1], DimKind::m);
  const int p = d.dim("P", out[2], DimKind::m);
  const int q = d.dim("Q", out[3], DimKind::m);
  const int r = d.dim("R", pool.kernel[0], DimKind::row, false);
  const int s = d.dim("S", pool.kernel[1], DimKind::row, false);
  d.operand(d.input(0), OperandRole::input,
            {d.axis(b, in[1] * in[2] * in[3]), d.axis(n, in[2] * in[3]),
             sliding(p, pool.stride[0], r, pool.dilation[0], pool.pads[0], in[2], in[3]),
             sliding(q, pool.stride[1], s, pool.dilation[1], pool.pads[1], in[3], 1)});
  d.operand(d.output(), OperandRole::output,
            {d.axis(b, out[1] * out[2] * out[3]), d.axis(n, out[2] * out[3]), d.axis(p, out[3]), d.axis(q, 1)});
  return d.nest;
}

LoopNest gemm_nest(const Network& network, OpId id) {
  Draft d(network, id, Engine::array);
  const auto& gemm = std::get<GemmAttributes>(d.op.attributes);
  const std::int64_t rows = d.output().shape[0];
  const std::int64_t columns = d.output().shape[1];
  const std::int64_t reduced = d.input(0).shape[gemm.trans_a ? 0 : 1];
  d.dim("G", 1, DimKind::group);
  const int m = d.dim("M", rows, DimKind::m);
  const int n = d.dim("N", columns, DimKind::n);
  const int k = d.dim("K", reduced, DimKind::k);
  using Axes = std::vector<Axis>;
  d.operand(d.input(0), OperandRole::input,
            gemm.trans_a ? Axes{d.axis(k, rows), d.axis(m, 1)} : Axes{d.axis(m, reduced), d.axis(k, 1)});
  d.operand(d.input(1), OperandRole::weight,
            gemm.trans_b ? Axes{d.axis(n, reduced), d.axis(k, 1)} : Axes{d.axis(k, columns), d.axis(n, 1)});
  if (d.op.inputs.size() > 2) {
    const Shape& c = d.input(2).shape;  // broadcast to [M, N]
    Axes axes;
    const std::int64_t c_columns = c.empty() ? 1 : c.back();
    if (c.size() == 2 && c[0] > 1) axes.push_back(d.axis(m, c_columns));
    if (c_columns > 1) axes.push_back(d.axis(n, 1));
    d.operand(d.input(2), OperandRole::bias, std::move(axes));
  }
  d.operand(d.output(), OperandRole::output, {d.axis(m, columns), d.axis(n, 1)});
  return d.nest;
}

// Adjacent output dimensions that the same operands have, taken together; extents of 1 are left out.
struct Merged {
  std::int64_t extent = 1;
  bool in_a = false;
  bool in_b = false;
  bool in_c = false;
  std::size_t axis = 0;  // of the output, the first of them
};
// Dimension that walks an axis of a tensor of so many axes, where a nest keeps the tensor's own: as in convolutions
// and products.
std::string own_name(std::size_t axes, std::size_t axis) {
  static const std::array<std::vector<std::string>, 4> kNames{
      {{"N"}, {"M", "N"}, {"G", "M", "N"}, {"B", "N", "P", "Q"}}};
  return axes <= kNames.size() ? kNames[axes - 1][axis] : "D" + std::to_string(axis);
}

std::vector<Merged> merge_broadcast(TensorAxes axes, const Shape& out, const Shape& a, const Shape& b,
                                    const Shape& c = {}) {
  std::vector<Merged> merged;
  const auto extent_in = [&](const Shape& shape, std::size_t i) {  // aligned at the last axis
    const std::size_t missing = out.size() - shape.size();
    return i < missing ? 1 : shape[i - missing];
  };
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] == 1) continue;
    const Merged next{out[i], extent_in(a, i) != 1, extent_in(b, i) != 1, extent_in(c, i) != 1, i};
    if (axes == TensorAxes::merged && !merged.empty() && merged.back().in_a == next.in_a &&
        merged.back().in_b == next.in_b && merged.back().in_c == next.in_c) {
      merged.back().extent *= next.extent;
    } else {
      merged.push_back(next);
    }
  }
  return merged;
}

// Axes of an operand that is stored densely over the dimensions that it has, given outermost first.
std::vector<Axis> packed_axes(const Draft& d, const std::vector<int>& dims) {
  std::vector<Axis> axes;
  std::int64_t stride = 1;
  for (std::size_t i = dims.size(); i-- > 0;) {
    axes.insert(axes.begin(), d.axis(dims[i], stride));
    stride *= d.nest.dims[static_cast<std::size_t>(dims[i])].extent;
  }
  return axes;
}

LoopNest matmul_nest(const Network& network, OpId id, TensorAxes axes) {
  Draft d(network, id, Engine::array);
  Shape a = d.input(0).shape;
  Shape b = d.input(1).shape;
  if (a.size() == 1) a.insert(a.begin(), 1);
  if (b.size() == 1) b.push_back(1);
  const Shape batch_a(a.begin(), a.end() - 2);
  const Shape batch_b(b.begin(), b.end() - 2);
  std::int64_t rows = a[a.size() - 2];
  const std::int64_t reduced = a.back();
  const std::int64_t columns = b.back();
  std::vector<Merged> outer = merge_broadcast(axes, broadcast(batch_a, batch_b).value(), batch_a, batch_b);
  // Batches that share the B operand are further rows.
  if (axes == TensorAxes::merged && !outer.empty() && !outer.back().in_b) {
    rows *= outer.back().extent;
    outer.pop_back();
  }
  const auto kind_of = [](const Merged& dim) {
    if (dim.in_a && dim.in_b) return DimKind::group;
    return dim.in_a ? DimKind::m : DimKind::n;
  };
  const auto groups = std::count_if(outer.begin(), outer.end(), [&](auto& o) { return kind_of(o) == DimKind::group; });
  std::vector<int> in_a;
  std::vector<int> in_b;
  std::vector<int> in_out;
  if (groups == 0) d.dim("G", 1, DimKind::group);
  std::array<int, 3> used{0, 0, 0};  // dims named so far: G, M, N
  for (const Merged& dim : outer) {
    const DimKind kind = kind_of(dim);
    const auto letter = static_cast<std::size_t>(kind);  // group, m, n are 0, 1, 2
    std::string name(1, "GMN"[letter]);
    if (kind != DimKind::group || groups > 1) name += std::to_string(used[letter]++);
    const int index = d.dim(name, dim.extent, kind);
    if (dim.in_a) in_a.push_back(index);
    if (dim.in_b) in_b.push_back(index);
    in_out.push_back(index);
  }
  const int m = d.dim("M", rows, DimKind::m);
  const int n = d.dim("N", columns, DimKind::n);
  const int k = d.dim("K", reduced, DimKind::k);
  in_a.insert(in_a.end(), {m, k});
  in_b.insert(in_b.end(), {k, n});
  in_out.insert(in_out.end(), {m, n});
  d.operand(d.input(0), OperandRole::input, packed_axes(d, in_a));
  d.operand(d.input(1), OperandRole::weight, packed_axes(d, in_b));
  d.operand(d.output(), OperandRole::output, packed_axes(d, in_out));
  return d.nest;
}

LoopNest elementwise_nest(const Network& network, OpId id, TensorAxes axes) {
  Draft d(network, id, Engine::vector);
  const std::size_t count = d.op.inputs.size();
  std::vector<Merged> merged =
      merge_broadcast(axes, d.output().shape, d.input(0).shape, d.input(count > 1 ? 1 : 0).shape,
                      count > 2 ? d.input(2).shape : Shape{});
  if (merged.empty()) merged.push_back({1, true, true, true});
  std::array<std::vector<int>, 4> dims;  // of a, b, c, output
  for (std::size_t i = 0; i < merged.size(); ++i) {
    const std::string name = axes == TensorAxes::merged || d.output().shape.empty()
                                 ? "D" + std::to_string(i)
                                 : own_name(d.output().shape.size(), merged[i].axis);
    const int dim = d.dim(name, merged[i].extent, DimKind::m);
    if (merged[i].in_a) dims[0].push_back(dim);
    if (merged[i].in_b) dims[1].push_back(dim);
    if (merged[i].in_c) dims[2].push_back(dim);
    dims[3].push_back(dim);
  }
  for (std::size_t i = 0; i < count; ++i) d.operand(d.input(i), OperandRole::input, packed_axes(d, dims[i]));
  d.operand(d.output(), OperandRole::output, packed_axes(d, dims[3]));
  return d.nest;
}

LoopNest normalization_nest(const Network& network, OpId id, TensorAxes axes) {
  Draft d(network, id, Engine::vector);
  const auto axis = static_cast<std::ptrdiff_t>(std::get<AxisAttributes>(d.op.attributes).axis);
  const Shape& shape = d.output().shape;
  const bool to_the_end = d.op.type != OpType::softmax;
  const auto row_end = to_the_end ? shape.end() : shape.begin() + axis + 1;
  const std::int64_t inner_extent = element_count(Shape(row_end, shape.end()));
  std::vector<int> dims;
  if (axes == TensorAxes::merged) {
    dims.push_back(d.dim("OUTER", element_count(Shape(shape.begin(), shape.begin() + axis)), DimKind::m));
  } else {
    for (std::ptrdiff_t i = 0; i < axis; ++i) {
      const std::int64_t extent = shape[static_cast<std::size_t>(i)];
      if (extent > 1) dims.push_back(d.dim(own_name(shape.size(), static_cast<std::size_t>(i)), extent, DimKind::m));
    }
  }
  const int row = d.dim("AXIS", element_count(Shape(shape.begin() + axis, row_end)), DimKind::row, false);
  dims.push_back(row);
  if (inner_extent > 1) dims.push_back(d.dim("INNER", inner_extent, DimKind::m));
  d.operand(d.input(0), OperandRole::input, packed_axes(d, dims));
  if (d.op.inputs.size() > 1) d.operand(d.input(1), OperandRole::weight, {d.axis(row, 1)});
  if (d.op.inputs.size() > 2) d.operand(d.input(2), OperandRole::bias, {d.axis(row, 1)});
  d.operand(d.output(), OperandRole::output, packed_axes(d, dims));
  return d.nest;
}

LoopNest transpose_nest(const Network& network, OpId id) {
  const Operator& op = network.op(id);
  const auto& perm = std::get<TransposeAttributes>(op.attributes).perm;
  const Shape& in = network.tensor(op.inputs[0]).shape;
  // Output dimensions as runs of input axes that stay together; extents of 1 are left out.
  struct Run {
    std::int64_t first = 0;  // input axes first … last
    std::int64_t last = 0;
    std::int64_t extent = 1;
  };
  const auto only_ones_between = [&](std::int64_t after, std::int64_t before) {
    for (std::int64_t i = after + 1; i < before; ++i)
      if (in[static_cast<std::size_t>(i)] != 1) return false;
    return after < before;
  };
  std::vector<Run> runs;
  for (const std::int64_t axis : perm) {
    const std::int64_t extent = in[static_cast<std::size_t>(axis)];
    if (extent == 1) continue;
    if (!runs.empty() && only_ones_between(runs.back().last, axis)) {
      runs.back().last = axis;
      runs.back().extent *= extent;
    } else {
      runs.push_back({axis, axis, extent});
    }
  }
  if (runs.empty()) runs.push_back({0, 0, 1});
  std::vector<std::size_t> by_storage(runs.size());
  std::iota(by_storage.begin(), by_storage.end(), std::size_t{0});
  std::sort(by_storage.begin(), by_storage.end(), [&](auto x, auto y) { return runs[x].first < runs[y].first; });
  // The DMA moves runs of elements that are contiguous on both sides; single elements change places in the vector unit.
  const bool innermost_stays = by_storage.back() == runs.size() - 1;
  Draft d(network, id, innermost_stays ? Engine::dma : Engine::vector);
  std::vector<int> out_dims;
  for (std::size_t i = 0; i < runs.size(); ++i)
    out_dims.push_back(d.dim("D" + std::to_string(i), runs[i].extent, DimKind::m));
  std::vector<int> in_dims;
  in_dims.reserve(by_storage.size());
  for (const std::size_t i : by_storage) in_dims.push_back(out_dims[i]);
  d.operand(d.input(0), OperandRole::input, packed_axes(d, in_dims));
  d.operand(d.output(), OperandRole::output, packed_axes(d, out_dims));
  return d.nest;
}

LoopNest gather_nest(const Network& network, OpId id) {
  Draft d(network, id, Engine::dma);
  const auto axis = static_cast<std::ptrdiff_t>(std::get<AxisAttributes>(d.op.attributes).axis);
  const Shape& table = d.input(0).shape;
  const std::int64_t outer = element_count(Shape(table.begin(), table.begin() + axis));
  const std::int64_t width = element_count(Shape(table.begin() + axis + 1, table.end()));
  const std::int64_t table_rows = table[static_cast<std::size_t>(axis)];
  std::vector<int> dims;
  std::vector<Axis> table_axes;
  if (outer > 1) {
    dims.push_back(d.dim("OUTER", outer, DimKind::m));
    table_axes.push_back(d.axis(dims[0], table_rows * width));
  }
  const int rows = d.dim("ROWS", element_count(d.input(1).shape), DimKind::m);
  const int element = d.dim("WIDTH", width, DimKind::m);
  dims.insert(dims.end(), {rows, element});
  table_axes.push_back(d.axis(rows, width));
  table_axes.push_back(d.axis(element, 1));
  d.operand(d.input(0), OperandRole::input, std::move(table_axes));
  d.operand(d.input(1), OperandRole::input, {d.axis(rows, 1)});
  d.operand(d.output(), OperandRole::output, packed_axes(d, dims));
  return d.nest;
}

// Each input is a block of contiguous runs, and so is its part of the output.
std::vector<LoopNest> concat_nests(const Network& network, OpId id) {
  std::vector<LoopNest> nests;
  const Operator& op = network.op(id);
  const auto axis = static_cast<std::ptrdiff_t>(std::get<AxisAttributes>(op.attributes).axis);
  const Shape& out = network.tensor(op.outputs[0]).shape;
  const std::int64_t outer = element_count(Shape(out.begin(), out.begin() + axis));
  const std::int64_t out_run = element_count(Shape(out.begin() + axis, out.end()));
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    Draft d(network, id, Engine::dma);
    const std::int64_t run = element_count(d.input(i).shape) / outer;
    const int d0 = d.dim("D0", outer, DimKind::m);
    const int d1 = d.dim("D1", run, DimKind::m);
    d.operand(d.input(i), OperandRole::input, {d.axis(d0, run), d.axis(d1, 1)});
    d.operand(d.output(), OperandRole::output, {d.axis(d0, out_run), Axis{{{d1, 1}}, offset, out_run, 1}});
    nests.push_back(std::move(d.nest));
    offset += run;
  }
  return nests;
}

// Slice and Pad: on each axis the input's coordinate is first + step * index, where first is negative in a padding.
// Axes that are taken whole go together with the axis before them.
LoopNest part_nest(const Network& network, OpId id) {
  const Operator& op = network.op(id);
  const Shape& in = network.tensor(op.inputs[0]).shape;
  const Shape& out = network.tensor(op.outputs[0]).shape;
  struct Part {
    std::int64_t first = 0;
    std::int64_t step = 1;
    std::int64_t in = 1;
    std::int64_t out = 1;
  };
  std::vector<Part> parts;
  for (std::size_t axis = 0; axis < in.size(); ++axis) {
    Part next{0, 1, in[axis], out[axis]};
    if (const auto* slice = std::get_if<SliceAttributes>(&op.attributes); slice != nullptr) {
      next.first = slice->starts[axis];
      next.step = slice->steps[axis];
    } else {
      next.first = -std::get<PadAttributes>(op.attributes).begins[axis];
    }
    const bool whole = next.first == 0 && next.step == 1 && next.in == next.out;
    if (whole && next.in == 1 && !parts.empty()) continue;
    if (whole && !parts.empty() && parts.back().step == 1) {
      Part& before = parts.back();
      before = {before.first * next.in, 1, before.in * next.in, before.out * next.in};
    } else if (!parts.empty() && parts.back().in == 1 && parts.back().out == 1 && parts.back().first == 0) {
      parts.back() = next;
    } else {
      parts.push_back(next);
    }
  }
  if (parts.empty()) parts.push_back({});
  // The DMA moves runs of elements; a step along the innermost axis, and zeros, are made in the vector unit.
  const bool copied = op.type == OpType::slice && parts.back().step == 1;
  Draft d(network, id, copied ? Engine::dma : Engine::vector);
  std::vector<int> dims;
  for (std::size_t i = 0; i < parts.size(); ++i)
    dims.push_back(d.dim("D" + std::to_string(i), parts[i].out, DimKind::m));
  std::vector<Axis> in_axes;
  std::int64_t stride = 1;
  for (std::size_t i = parts.size(); i-- > 0;) {
    in_axes.insert(in_axes.begin(), Axis{{{dims[i], parts[i].step}}, parts[i].first, parts[i].in, stride});
    stride *= parts[i].in;
  }
  d.operand(d.input(0), OperandRole::input, std::move(in_axes));
  d.operand(d.output(), OperandRole::output, packed_axes(d, dims));
  return d.nest;
}

// An axis that grows by a factor: index = coarse * factor + fine.
Axis grown(const Draft& d, int coarse, int fine, std::int64_t factor, std::int64_t stride) {
  return {{{coarse, factor}, {fine, 1}}, 0, d.nest.dims[static_cast<std::size_t>(coarse)].extent * factor, stride};
}

// Every element of the input makes a block of the output; an interpolation reads the elements around it as well.
LoopNest resize_nest(const Network& network, OpId id) {
  Draft d(network, id, Engine::vector);
  const auto& attributes = std::get<ResizeAttributes>(d.op.attributes);
  const auto in = planes(d.input(0).shape);
  const bool line = d.input(0).shape.size() == 3;
  const std::array<std::int64_t, 2> scale{line ? 1 : attributes.scales[2], attributes.scales.back()};
  const bool linear = attributes.mode != ResizeMode::nearest;
  const int n = d.dim("N", in[0] * in[1], DimKind::m);
  const int p = d.dim("P", in[2], DimKind::m);
  const int q = d.dim("Q", in[3], DimKind::m);
  const int a = d.dim("A", scale[0], DimKind::m, false);
  const int b = d.dim("B", scale[1], DimKind::m, false);
  const std::int64_t columns = in[3] * scale[1];
  Axis row = d.axis(p, in[3]);
  Axis column = d.axis(q, 1);
  if (linear) {
    constexpr std::int64_t kAround = 3;
    const int r = d.dim("R", scale[0] > 1 ? kAround : 1, DimKind::row, false);
    const int s = d.dim("S", scale[1] > 1 ? kAround : 1, DimKind::row, false);
    row = sliding(p, 1, r, 1, scale[0] > 1 ? 1 : 0, in[2], in[3]);
    column = sliding(q, 1, s, 1, scale[1] > 1 ? 1 : 0, in[3], 1);
  }
  d.operand(d.input(0), OperandRole::input, {d.axis(n, in[2] * in[3]), std::move(row), std::move(column)});
  d.operand(d.output(), OperandRole::output,
            {d.axis(n, in[2] * scale[0] * columns), grown(d, p, a, scale[0], columns), grown(d, q, b, scale[1], 1)});
  return d.nest;
}

LoopNest depth_to_space_nest(const Network& network, OpId id) {
  Draft d(network, id, Engine::vector);
  const auto& attributes = std::get<DepthToSpaceAttributes>(d.op.attributes);
  const auto in = planes(d.input(0).shape);
  const auto out = planes(d.output().shape);
  const std::int64_t block = attributes.block;
  const int n = d.dim("N", in[0], DimKind::m);
  const int c = d.dim("C", out[1], DimKind::m);
  const int p = d.dim("P", in[2], DimKind::m);
  const int q = d.dim("Q", in[3], DimKind::m);
  const int a = d.dim("A", block, DimKind::m, false);
  const int b = d.dim("B", block, DimKind::m, false);
  Axis channel{{{c, 1}, {a, block * out[1]}, {b, out[1]}}, 0, in[1], in[2] * in[3]};
  if (attributes.column_row) channel.terms = {{c, block * block}, {a, block}, {b, 1}};
  d.operand(d.input(0), OperandRole::input,
            {d.axis(n, in[1] * in[2] * in[3]), std::move(channel), d.axis(p, in[3]), d.axis(q, 1)});
  d.operand(d.output(), OperandRole::output,
            {d.axis(n, out[1] * out[2] * out[3]), d.axis(c, out[2] * out[3]), grown(d, p, a, block, out[3]),
             grown(d, q, b, block, 1)});
  return d.nest;
}

}  // namespace

std::vector<LoopNest> loop_nests_of(const Network& network, OpId op, TensorAxes axes) {
  switch (network.op(op).type) {
    case OpType::conv:
      return {conv_nest(network, op)};
    case OpType::gemm:
      return {gemm_nest(network, op)};
    case OpType::matmul:
      return {matmul_nest(network, op, axes)};
    case OpType::max_pool:
    case OpType::average_pool:
    case OpType::global_average_pool:
    case OpType::reduce_mean:
      return {pool_nest(network, op)};
    case OpType::add:
    case OpType::mul:
    case OpType::sub:
    case OpType::div:
    case OpType::pow:
    case OpType::prelu:
    case OpType::where:
    case OpType::expand:
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
      return {elementwise_nest(network, op, axes)};
    case OpType::slice:
    case OpType::pad:
      return {part_nest(network, op)};
    case OpType::resize:
      return {resize_nest(network, op)};
    case OpType::depth_to_space:
      return {depth_to_space_nest(network, op)};
    case OpType::softmax:
    case OpType::rms_normalization:
    case OpType::layer_normalization:
      return {normalization_nest(network, op, axes)};
    case OpType::gather:
      return {gather_nest(network, op)};
    case OpType::transpose:
      return {transpose_nest(network, op)};
    case OpType::concat:
      return concat_nests(network, op);
    case OpType::flatten:
    case OpType::reshape:
      break;
  }
  throw InternalError("layer " + network.op(op).name + " moves no data and has no loop nest");
}

LoopNest loop_nest_of(const Network& network, OpId op) {
  std::vector<LoopNest> nests = loop_nests_of(network, op);
  if (nests.size() != 1) throw InternalError("layer " + network.op(op).name + " has several loop nests");
  return std::move(nests.front());
}

}  // namespace accsim::model
