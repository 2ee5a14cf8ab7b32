#include "model/workload/shape_inference.h"

#include <algorithm>
#include <numeric>

#include "model/workload/checked.h"
#include "model/workload/operator_table.h"
#include "model/workload/shape_layer.h"

namespace accsim::model {
namespace shapes {

void check_data(const Layer& layer, std::size_t i) {
  const Tensor& tensor = *layer.inputs[i];
  if (tensor.kind == TensorKind::weight || tensor.type == layer.precision) return;
  layer.fail_input(i, "tensor " + quote_name(tensor.name) + " is " + std::string(name_of(tensor.type)) +
                          ", expected the network's precision " + std::string(name_of(layer.precision)));
}

bool explicit_bias(const Layer& layer) {
  const bool given = layer.inputs.size() == 3;
  if (layer.spec.bias_given && layer.spec.bias != given) {
    layer.fail_key("bias", std::string("is ") + (layer.spec.bias ? "true" : "false") + ", but " +
                               (given ? "a third input is there" : "there is no third input"));
  }
  return given;
}

void check_bias_type(const Layer& layer, std::size_t i) {
  const Tensor& tensor = *layer.inputs[i];
  if (tensor.type == layer.precision || tensor.type == bias_type(layer.precision)) return;
  layer.fail_input(i, "tensor " + quote_name(tensor.name) + " is " + std::string(name_of(tensor.type)) + ", expected " +
                          std::string(name_of(bias_type(layer.precision))));
}

std::int64_t resolve_axis(const Layer& layer, std::int64_t rank, bool past_end) {
  const std::int64_t axis = layer.spec.axis < 0 ? layer.spec.axis + rank : layer.spec.axis;
  if (axis < 0 || axis > rank - (past_end ? 0 : 1)) {
    layer.fail_key("axis", number(layer.spec.axis) + " does not exist: the input is " + shape_text(layer.shape(0)));
  }
  return axis;
}

namespace {

using Integers = std::vector<std::int64_t>;

InferredLayer infer_gemm(const Layer& layer) {
  const LayerSpec& spec = layer.spec;
  check_data(layer, 0);
  if (layer.rank(0) != 2) {
    layer.fail_input(0, "expected a matrix, found " + shape_text(layer.shape(0)) +
                            "; put a Flatten or Reshape before it, or use MatMul");
  }
  const std::int64_t m = layer.shape(0)[spec.trans_a != 0 ? 1 : 0];
  const std::int64_t k = layer.shape(0)[spec.trans_a != 0 ? 0 : 1];
  std::int64_t n = spec.out_features;
  bool bias = spec.bias;
  InferredLayer out;
  if (layer.inputs.size() > 1) {
    check_data(layer, 1);
    const Shape& b = layer.shape(1);
    if (b.size() != 2) layer.fail_input(1, "expected a matrix, found " + shape_text(b));
    if (b[spec.trans_b != 0 ? 1 : 0] != k) {
      layer.fail_input(1, "B is " + shape_text(b) + (spec.trans_b != 0 ? " (transposed)" : "") + ", but A has " +
                              number(k) + " columns: inner dimensions differ");
    }
    const std::int64_t columns = b[spec.trans_b != 0 ? 0 : 1];
    if (n != 0 && n != columns) {
      layer.fail_key("out_features", "is " + number(n) + ", the weight is " + shape_text(b));
    }
    n = columns;
    bias = explicit_bias(layer);
    if (bias) {
      check_bias_type(layer, 2);
      const auto result = broadcast(layer.shape(2), {m, n});
      if (!result || *result != Shape{m, n}) {
        layer.fail_input(2, "C is " + shape_text(layer.shape(2)) + ", cannot be broadcast to " + shape_text({m, n}));
      }
    }
  } else {
    if (n == 0) layer.fail_at(layer.at, "missing key \"out_features\" (needed without a weight tensor)");
    const Shape weight = spec.trans_b != 0 ? Shape{n, k} : Shape{k, n};
    check_shape(weight, "layer " + quote_name(spec.name) + ": weight", layer.at);
    out.weights.push_back({"weight", weight, layer.precision});
    if (bias) out.weights.push_back({"bias", {n}, bias_type(layer.precision)});
  }
  out.attributes = GemmAttributes{spec.trans_a != 0, spec.trans_b != 0, bias};
  out.shape = {m, n};
  return out;
}

InferredLayer infer_matmul(const Layer& layer) {
  check_data(layer, 0);
  check_data(layer, 1);
  Shape a = layer.shape(0);
  Shape b = layer.shape(1);
  if (a.empty() || b.empty()) layer.fail_input(a.empty() ? 0 : 1, "a scalar cannot be multiplied as a matrix");
  const bool vector_a = a.size() == 1;
  const bool vector_b = b.size() == 1;
  if (vector_a) a.insert(a.begin(), 1);
  if (vector_b) b.push_back(1);
  if (a.back() != b[b.size() - 2]) {
    layer.fail_input(1, shape_text(layer.shape(0)) + " times " + shape_text(layer.shape(1)) +
                            ": inner dimensions differ (" + number(a.back()) + " and " + number(b[b.size() - 2]) + ")");
  }
  const auto batch = broadcast(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  if (!batch) {
    layer.fail_input(1, shape_text(layer.shape(0)) + " times " + shape_text(layer.shape(1)) +
                            ": batch dimensions cannot be broadcast");
  }
  InferredLayer out;
  out.shape = *batch;
  if (!vector_a) out.shape.push_back(a[a.size() - 2]);
  if (!vector_b) out.shape.push_back(b.back());
  return out;
}

InferredLayer infer_elementwise(const Layer& layer) {
  InferredLayer out;
  out.shape = layer.shape(0);
  check_data(layer, 0);
  for (std::size_t i = 1; i < layer.inputs.size(); ++i) {
    check_data(layer, i);
    const auto shape = broadcast(out.shape, layer.shape(i));
    if (!shape) {
      layer.fail_at(layer.at.key("inputs"), "shapes " + shape_text(out.shape) + " and " + shape_text(layer.shape(i)) +
                                                " cannot be broadcast to each other");
    }
    out.shape = *shape;
  }
  return out;
}

InferredLayer infer_unary(const Layer& layer) {
  check_data(layer, 0);
  InferredLayer out;
  if (layer.spec.op == OpType::clip) {
    if (layer.spec.min > layer.spec.max) layer.fail_key("min", "is larger than max");
    out.attributes = ClipAttributes{layer.spec.min, layer.spec.max};
  } else if (layer.spec.op == OpType::gelu && layer.spec.by_tanh != 0) {
    out.attributes = ClipAttributes{0, 0, 1, 0};
  } else if (layer.spec.op == OpType::leaky_relu || layer.spec.op == OpType::hard_sigmoid) {
    out.attributes = ClipAttributes{0, 0, layer.spec.alpha, layer.spec.beta};
  } else if (layer.spec.op == OpType::quantize_linear || layer.spec.op == OpType::dequantize_linear) {
    out.attributes =
        ClipAttributes{layer.spec.min, layer.spec.max, layer.spec.scale, static_cast<double>(layer.spec.zero_point)};
  }
  out.shape = layer.shape(0);
  return out;
}

InferredLayer infer_softmax(const Layer& layer) {
  check_data(layer, 0);
  InferredLayer out;
  out.attributes = AxisAttributes{resolve_axis(layer, layer.rank(0))};
  out.shape = layer.shape(0);
  return out;
}

InferredLayer infer_layer_normalization(const Layer& layer) {
  check_data(layer, 0);
  const std::int64_t axis = resolve_axis(layer, layer.rank(0));
  const Shape normalized(layer.shape(0).begin() + axis, layer.shape(0).end());
  InferredLayer out;
  if (layer.inputs.size() == 1) {
    const DataType type = bias_type(layer.precision);
    out.weights.push_back({"scale", normalized, type});
    if (layer.spec.bias) out.weights.push_back({"bias", normalized, type});
  } else {
    explicit_bias(layer);
    for (std::size_t i = 1; i < layer.inputs.size(); ++i) {
      check_bias_type(layer, i);
      if (layer.shape(i) != normalized) {
        layer.fail_input(i, "found " + shape_text(layer.shape(i)) + ", expected " + shape_text(normalized));
      }
    }
  }
  out.attributes = AxisAttributes{axis, layer.spec.epsilon};
  out.shape = layer.shape(0);
  return out;
}

InferredLayer infer_gather(const Layer& layer) {
  const std::int64_t axis = resolve_axis(layer, layer.rank(0));
  if (layer.inputs[1]->type != DataType::int32) {
    layer.fail_input(1, "indices must be int32, tensor " + quote_name(layer.inputs[1]->name) + " is " +
                            std::string(name_of(layer.inputs[1]->type)));
  }
  InferredLayer out;
  out.attributes = AxisAttributes{axis};
  out.shape.assign(layer.shape(0).begin(), layer.shape(0).begin() + axis);
  out.shape.insert(out.shape.end(), layer.shape(1).begin(), layer.shape(1).end());
  out.shape.insert(out.shape.end(), layer.shape(0).begin() + axis + 1, layer.shape(0).end());
  out.type = layer.inputs[0]->type;
  return out;
}

InferredLayer infer_flatten(const Layer& layer) {
  const std::int64_t axis = resolve_axis(layer, layer.rank(0), true);
  const Shape& in = layer.shape(0);
  InferredLayer out;
  out.attributes = AxisAttributes{axis};
  out.shape = {element_count(Shape(in.begin(), in.begin() + axis)), element_count(Shape(in.begin() + axis, in.end()))};
  out.type = layer.inputs[0]->type;
  return out;
}

InferredLayer infer_reshape(const Layer& layer) {
  const Shape& in = layer.shape(0);
  const Origin at = layer.at.key("shape");
  Shape shape = layer.spec.shape;
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) {
      if (i >= in.size()) layer.fail_at(at.index(i), "0 copies an axis that the input " + shape_text(in) + " has not");
      shape[i] = in[i];
    } else if (shape[i] == -1) {
      if (open) layer.fail_at(at.index(i), "a second -1");
      open = i;
    }
  }
  if (open) shape[*open] = 1;
  const auto known = checked_product(shape);
  const std::int64_t total = element_count(in);
  const bool fits = known && (open ? total % *known == 0 : total == *known);
  if (!fits) {
    layer.fail_at(
        at, shape_text(layer.spec.shape) + " does not hold the " + number(total) + " elements of " + shape_text(in));
  }
  if (open) shape[*open] = total / *known;
  InferredLayer out;
  out.attributes = ReshapeAttributes{layer.spec.shape};
  out.shape = shape;
  out.type = layer.inputs[0]->type;
  return out;
}

InferredLayer infer_transpose(const Layer& layer) {
  const Shape& in = layer.shape(0);
  Integers perm = layer.spec.perm;
  if (perm.empty()) {
    perm.resize(in.size());
    std::iota(perm.rbegin(), perm.rend(), 0);
  }
  Integers sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  Integers axes(in.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (sorted != axes) {
    layer.fail_key("perm", shape_text(perm) + " is no permutation of the axes of " + shape_text(in));
  }
  InferredLayer out;
  for (const std::int64_t axis : perm) out.shape.push_back(in[static_cast<std::size_t>(axis)]);
  out.attributes = TransposeAttributes{perm};
  out.type = layer.inputs[0]->type;
  return out;
}

InferredLayer infer_concat(const Layer& layer) {
  const std::int64_t axis = resolve_axis(layer, layer.rank(0));
  const auto along = static_cast<std::size_t>(axis);
  InferredLayer out;
  out.attributes = AxisAttributes{axis};
  out.shape = layer.shape(0);
  out.type = layer.inputs[0]->type;
  for (std::size_t i = 1; i < layer.inputs.size(); ++i) {
    Shape same = layer.shape(i);
    if (same.size() == out.shape.size()) same[along] = layer.shape(0)[along];
    if (same != layer.shape(0)) {
      layer.fail_input(i, shape_text(layer.shape(i)) + " cannot be joined with " + shape_text(layer.shape(0)) +
                              " along axis " + number(axis));
    }
    if (layer.inputs[i]->type != out.type) {
      layer.fail_input(i, "is " + std::string(name_of(layer.inputs[i]->type)) + ", the first input is " +
                              std::string(name_of(out.type)));
    }
    out.shape[along] += layer.shape(i)[along];
  }
  return out;
}

InferredLayer infer(const Layer& layer) {
  switch (layer.spec.op) {
    case OpType::conv:
      return infer_conv(layer);
    case OpType::gemm:
      return infer_gemm(layer);
    case OpType::matmul:
      return infer_matmul(layer);
    case OpType::max_pool:
    case OpType::average_pool:
      return infer_pool(layer);
    case OpType::global_average_pool:
      return infer_global_pool(layer);
    case OpType::add:
    case OpType::mul:
    case OpType::sub:
    case OpType::div:
    case OpType::pow:
    case OpType::prelu:
    case OpType::where:
      return infer_elementwise(layer);
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
      return infer_unary(layer);
    case OpType::rms_normalization:
      return infer_rms_normalization(layer);
    case OpType::reduce_mean:
      return infer_reduce_mean(layer);
    case OpType::slice:
      return infer_slice(layer);
    case OpType::expand:
      return infer_expand(layer);
    case OpType::pad:
      return infer_pad(layer);
    case OpType::resize:
      return infer_resize(layer);
    case OpType::depth_to_space:
      return infer_depth_to_space(layer);
    case OpType::softmax:
      return infer_softmax(layer);
    case OpType::layer_normalization:
      return infer_layer_normalization(layer);
    case OpType::gather:
      return infer_gather(layer);
    case OpType::flatten:
      return infer_flatten(layer);
    case OpType::reshape:
      return infer_reshape(layer);
    case OpType::transpose:
      return infer_transpose(layer);
    case OpType::concat:
      return infer_concat(layer);
  }
  throw InternalError("operator without shape inference");
}

}  // namespace
}  // namespace shapes

DataType bias_type(DataType precision) { return info(precision).floating ? precision : DataType::int32; }

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  Shape out(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < out.size(); ++i) {  // from the last axis
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) return std::nullopt;
    out[out.size() - 1 - i] = std::max(x, y);
  }
  return out;
}

void check_shape(const Shape& shape, const std::string& who, const Origin& at) {
  if (shape.size() > kMostAxes) {
    fail(at, who + " has " + shapes::number(static_cast<std::int64_t>(shape.size())) + " axes, at most " +
                 shapes::number(static_cast<std::int64_t>(kMostAxes)) + " are possible");
  }
  for (const std::int64_t extent : shape) {
    if (extent < 1 || extent > kLargestDimension) {
      fail(at, who + " " + shape_text(shape) + ": extents must be 1 to " + shapes::number(kLargestDimension));
    }
  }
  const auto count = checked_product(shape);
  if (!count || *count > kMostElements) {
    fail(at, who + " " + shape_text(shape) + " has more than " + shapes::number(kMostElements) + " elements");
  }
}

InferredLayer infer_layer(const LayerSpec& layer, const std::vector<const Tensor*>& inputs, DataType precision,
                          const Origin& at) {
  InferredLayer inferred = shapes::infer(shapes::Layer{layer, inputs, precision, at});
  const OpClass op_class = info(layer.op).op_class;
  if (op_class != OpClass::movement && op_class != OpClass::alias) inferred.type = precision;
  check_shape(inferred.shape, "layer " + quote_name(layer.name) + ": output", at);
  return inferred;
}

}  // namespace accsim::model