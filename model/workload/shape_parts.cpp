// Shapes of operators that take parts of a tensor, repeat or rearrange it, or take means over some of its axes.
#include <algorithm>

#include "model/workload/checked.h"
#include "model/workload/shape_layer.h"

namespace accsim::model::shapes {
namespace {

using Integers = std::vector<std::int64_t>;

// The axes of a list, from the front, no two the same.
Integers resolve_axes(const Layer& layer) {
  Integers axes;
  for (std::size_t i = 0; i < layer.spec.axes.size(); ++i) {
    const std::int64_t axis = layer.spec.axes[i] < 0 ? layer.spec.axes[i] + layer.rank(0) : layer.spec.axes[i];
    const Origin at = layer.at.key("axes").index(i);
    if (axis < 0 || axis >= layer.rank(0)) {
      layer.fail_at(at, number(layer.spec.axes[i]) + " does not exist: the input is " + shape_text(layer.shape(0)));
    }
    if (std::find(axes.begin(), axes.end(), axis) != axes.end()) layer.fail_at(at, "axis " + number(axis) + " twice");
    axes.push_back(axis);
  }
  return axes;
}

void check_length(const Layer& layer, std::string_view key, const Integers& list, std::size_t expected) {
  if (list.size() == expected) return;
  layer.fail_key(key, "expected " + std::to_string(expected) + " numbers, found " + std::to_string(list.size()));
}

}  // namespace

InferredLayer infer_rms_normalization(const Layer& layer) {
  check_data(layer, 0);
  const std::int64_t axis = resolve_axis(layer, layer.rank(0));
  const Shape normalized(layer.shape(0).begin() + axis, layer.shape(0).end());
  InferredLayer out;
  if (layer.inputs.size() == 1) {
    out.weights.push_back({"scale", normalized, bias_type(layer.precision)});
  } else {
    check_bias_type(layer, 1);
    if (layer.shape(1) != normalized)
      layer.fail_input(1, "found " + shape_text(layer.shape(1)) + ", expected " + shape_text(normalized));
  }
  out.attributes = AxisAttributes{axis, layer.spec.epsilon};
  out.shape = layer.shape(0);
  return out;
}

InferredLayer infer_reduce_mean(const Layer& layer) {
  check_data(layer, 0);
  Integers axes = resolve_axes(layer);
  std::sort(axes.begin(), axes.end());
  if (axes.back() - axes.front() + 1 != static_cast<std::int64_t>(axes.size())) {
    layer.fail_key("axes", shape_text(axes) + " are not next to each other; put a Transpose before it");
  }
  InferredLayer out;
  for (std::int64_t axis = 0; axis < layer.rank(0); ++axis) {
    const bool reduced = axis >= axes.front() && axis <= axes.back();
    if (!reduced) out.shape.push_back(layer.shape(0)[static_cast<std::size_t>(axis)]);
    if (reduced && layer.spec.keep_dims != 0) out.shape.push_back(1);
  }
  out.attributes = ReduceAttributes{axes.front(), axes.back()};
  return out;
}

InferredLayer infer_slice(const Layer& layer) {
  const LayerSpec& spec = layer.spec;
  const Integers axes = resolve_axes(layer);
  check_length(layer, "starts", spec.starts, axes.size());
  check_length(layer, "ends", spec.ends, axes.size());
  if (!spec.steps.empty()) check_length(layer, "steps", spec.steps, axes.size());
  InferredLayer out;
  out.shape = layer.shape(0);
  out.type = layer.inputs[0]->type;
  SliceAttributes slice{Integers(out.shape.size(), 0), Integers(out.shape.size(), 1)};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(axes[i]);
    const std::int64_t extent = out.shape[axis];
    const auto place = [&](std::int64_t v) {
      return v < -extent ? 0 : std::clamp<std::int64_t>(v < 0 ? v + extent : v, 0, extent);
    };
    const std::int64_t begin = place(spec.starts[i]);
    const std::int64_t end = place(spec.ends[i]);
    if (begin >= end) {
      layer.fail_at(layer.at.key("starts").index(i), "nothing lies between " + number(spec.starts[i]) + " and " +
                                                         number(spec.ends[i]) + " on axis " + number(axes[i]) + " of " +
                                                         shape_text(layer.shape(0)));
    }
    slice.starts[axis] = begin;
    slice.steps[axis] = spec.steps.empty() ? 1 : spec.steps[i];
    out.shape[axis] = ceil_div(end - begin, slice.steps[axis]);
  }
  out.attributes = std::move(slice);
  return out;
}

InferredLayer infer_expand(const Layer& layer) {
  const auto shape = broadcast(layer.shape(0), layer.spec.shape);
  if (!shape) {
    layer.fail_key("shape", shape_text(layer.shape(0)) + " cannot be broadcast to " + shape_text(layer.spec.shape));
  }
  InferredLayer out;
  out.shape = *shape;
  out.type = layer.inputs[0]->type;
  return out;
}

InferredLayer infer_pad(const Layer& layer) {
  const auto rank = layer.shape(0).size();
  check_length(layer, "pads", layer.spec.pads, 2 * rank);
  InferredLayer out;
  out.shape = layer.shape(0);
  for (std::size_t i = 0; i < rank; ++i) out.shape[i] += layer.spec.pads[i] + layer.spec.pads[i + rank];
  out.type = layer.inputs[0]->type;
  out.attributes =
      PadAttributes{Integers(layer.spec.pads.begin(), layer.spec.pads.begin() + static_cast<std::ptrdiff_t>(rank))};
  return out;
}

InferredLayer infer_resize(const Layer& layer) {
  check_data(layer, 0);
  const Shape& in = layer.shape(0);
  if (in.size() < 3 || in.size() > 4)
    layer.fail_input(0, "expected [N, C, L] or [N, C, H, W], found " + shape_text(in));
  check_length(layer, "scales", layer.spec.scales, in.size());
  InferredLayer out;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (i < 2 && layer.spec.scales[i] != 1)
      layer.fail_at(layer.at.key("scales").index(i), "must be 1: batch and channels are not resized");
    const auto extent = checked_product(in[i], layer.spec.scales[i]);
    out.shape.push_back(extent.value_or(kMostElements));
  }
  out.attributes = ResizeAttributes{layer.spec.scales, layer.spec.resize_mode};
  return out;
}

InferredLayer infer_depth_to_space(const Layer& layer) {
  const Shape& in = layer.shape(0);
  const std::int64_t block = layer.spec.block;
  if (in.size() != 4) layer.fail_input(0, "expected [N, C, H, W], found " + shape_text(in));
  if (block > in[1] || in[1] % (block * block) != 0) {
    layer.fail_key("blocksize", "blocks of " + number(block) + " do not divide the " + number(in[1]) + " channels");
  }
  InferredLayer out;
  out.shape = {in[0], in[1] / (block * block), in[2] * block, in[3] * block};
  out.type = layer.inputs[0]->type;
  out.attributes = DepthToSpaceAttributes{block, layer.spec.column_row};
  return out;
}

}  // namespace accsim::model::shapes
