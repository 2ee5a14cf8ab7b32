// Shapes of operators with sliding windows: convolution and pooling.
#include <algorithm>
#include <array>

#include "model/workload/shape_layer.h"

namespace accsim::model::shapes {
namespace {

using Integers = std::vector<std::int64_t>;

// A number an axis, with `fallback` where the list is empty.
std::vector<std::int64_t> per_axis(const Layer& layer, std::string_view key, const Integers& given, std::size_t axes,
                                   std::int64_t fallback) {
  if (given.empty()) return Integers(axes, fallback);
  if (given.size() != axes) {
    layer.fail_key(key, "expected " + number(static_cast<std::int64_t>(axes)) + " numbers or none for input " +
                            shape_text(layer.shape(0)) + ", found " + number(static_cast<std::int64_t>(given.size())));
  }
  return given;
}

struct Window {
  std::array<std::int64_t, 2> kernel{1, 1};
  std::array<std::int64_t, 2> stride{1, 1};
  std::array<std::int64_t, 2> dilation{1, 1};
  std::array<std::int64_t, 4> pads{0, 0, 0, 0};
  std::array<std::int64_t, 2> output{1, 1};
};

// Fills pads of one axis as auto_pad asks; returns the output extent or fails.
std::int64_t slide(const Layer& layer, std::size_t spatial_axis, std::int64_t extent, std::int64_t kernel,
                   std::int64_t stride, std::int64_t dilation, std::int64_t& before, std::int64_t& after) {
  const std::int64_t reach = (kernel - 1) * dilation + 1;  // elements from the first to the last of a window
  const AutoPad mode = layer.spec.auto_pad;
  if (mode == AutoPad::same_upper || mode == AutoPad::same_lower) {
    const std::int64_t output = ceil_div(extent, stride);
    const std::int64_t total = std::max<std::int64_t>((output - 1) * stride + reach - extent, 0);
    before = mode == AutoPad::same_upper ? total / 2 : total - total / 2;
    after = total - before;
  }
  const std::int64_t padded = extent + before + after;
  if (reach > padded) {
    layer.fail_key("kernel_shape", "the window takes " + number(reach) + " elements along spatial axis " +
                                       number(static_cast<std::int64_t>(spatial_axis)) + ", the padded input has " +
                                       number(padded));
  }
  if (layer.spec.ceil_mode == 0) return (padded - reach) / stride + 1;
  std::int64_t output = ceil_div(padded - reach, stride) + 1;
  // A window that would start in the padding at the end does not count.
  if ((output - 1) * stride >= extent + before) --output;
  return output;
}

Window window_of(const Layer& layer, Integers kernel) {
  const Shape& in = layer.shape(0);
  const std::size_t axes = in.size() < 2 ? 0 : in.size() - 2;
  if (axes == 3) layer.fail_input(0, "found " + shape_text(in) + "; 3-D windows are not supported, 1-D and 2-D are");
  if (axes < 1 || axes > 2) {
    layer.fail_input(0, "expected shape [N, C, L] or [N, C, H, W], found " + shape_text(in));
  }
  if (kernel.size() != axes) {
    layer.fail_key("kernel_shape", "expected " + number(static_cast<std::int64_t>(axes)) + " numbers for input " +
                                       shape_text(in) + ", found " + number(static_cast<std::int64_t>(kernel.size())));
  }
  const Integers strides = per_axis(layer, "strides", layer.spec.strides, axes, 1);
  const Integers dilations = per_axis(layer, "dilations", layer.spec.dilations, axes, 1);
  const Integers pads = per_axis(layer, "pads", layer.spec.pads, 2 * axes, 0);
  if (layer.spec.auto_pad != AutoPad::notset && std::any_of(pads.begin(), pads.end(), [](auto p) { return p != 0; })) {
    layer.fail_key("pads", "pads and auto_pad exclude each other");
  }
  Window window;
  const std::size_t first = 2 - axes;  // one spatial axis is the width; the height is 1
  for (std::size_t i = 0; i < axes; ++i) {
    const std::size_t to = first + i;
    window.kernel[to] = kernel[i];
    window.stride[to] = strides[i];
    window.dilation[to] = dilations[i];
    window.pads[to] = pads[i];
    window.pads[to + 2] = pads[i + axes];
    window.output[to] =
        slide(layer, i, in[i + 2], kernel[i], strides[i], dilations[i], window.pads[to], window.pads[to + 2]);
  }
  return window;
}

Shape windowed_shape(const Shape& in, std::int64_t channels, const Window& window) {
  Shape out{in[0], channels};
  for (std::size_t i = 2 - (in.size() - 2); i < 2; ++i) out.push_back(window.output[i]);
  return out;
}

// Every window has an element of the input; else its mean or maximum would be of nothing.
void check_windows_touch_input(const Layer& layer, const Window& w) {
  const Shape& in = layer.shape(0);
  for (std::size_t axis = 4 - in.size(); axis < 2; ++axis) {
    const std::int64_t extent = in[in.size() - 2 + axis];
    const std::int64_t reach = (w.kernel[axis] - 1) * w.dilation[axis] + 1;
    const bool too_wide = w.pads[axis] >= reach || w.pads[axis + 2] >= reach;
    // Windows that start before the input: their first element inside must exist.
    bool empty = false;
    for (std::int64_t p = 0; p < w.output[axis] && p * w.stride[axis] < w.pads[axis]; ++p) {
      const std::int64_t missing = w.pads[axis] - p * w.stride[axis];
      const std::int64_t first = ceil_div(missing, w.dilation[axis]);
      empty = empty || first >= w.kernel[axis] || first * w.dilation[axis] - missing >= extent;
    }
    if (too_wide || empty) {
      layer.fail_key("pads", "a window lies in the padding altogether (window of " + number(reach) + ", padding " +
                                 number(w.pads[axis]) + " and " + number(w.pads[axis + 2]) + ")");
    }
  }
}

}  // namespace

InferredLayer infer_conv(const Layer& layer) {
  const LayerSpec& spec = layer.spec;
  const Shape& in = layer.shape(0);
  check_data(layer, 0);
  const bool explicit_weight = layer.inputs.size() > 1;
  Integers kernel = spec.kernel_shape;
  std::int64_t out_channels = spec.out_channels;
  bool bias = spec.bias;
  if (explicit_weight) {
    const Shape& weight = layer.shape(1);
    check_data(layer, 1);
    if (weight.size() != in.size() || in.size() < 3) {
      layer.fail_input(1, "weight " + shape_text(weight) + " does not go with input " + shape_text(in));
    }
    const Integers stored(weight.begin() + 2, weight.end());
    if (!kernel.empty() && kernel != stored) {
      layer.fail_key("kernel_shape", "is " + shape_text(kernel) + ", the weight is " + shape_text(weight));
    }
    if (out_channels != 0 && out_channels != weight[0]) {
      layer.fail_key("out_channels", "is " + number(out_channels) + ", the weight is " + shape_text(weight));
    }
    kernel = stored;
    out_channels = weight[0];
    bias = explicit_bias(layer);
  } else {
    if (kernel.empty()) layer.fail_at(layer.at, "missing key \"kernel_shape\" (needed without a weight tensor)");
    if (out_channels == 0) layer.fail_at(layer.at, "missing key \"out_channels\" (needed without a weight tensor)");
  }
  if (kernel.size() == 3) {
    layer.fail_key("kernel_shape", "3-D convolution is not supported, 1-D and 2-D are; found " + shape_text(kernel));
  }
  const Window window = window_of(layer, kernel);
  const std::int64_t channels = in[1];
  if (channels % spec.group != 0) {
    layer.fail_key("group", number(spec.group) + " does not divide the " + number(channels) + " input channels");
  }
  if (out_channels % spec.group != 0) {
    layer.fail_key("group", number(spec.group) + " does not divide the " + number(out_channels) + " output channels");
  }
  Shape weight{out_channels, channels / spec.group};
  weight.insert(weight.end(), kernel.begin(), kernel.end());
  InferredLayer out;
  if (explicit_weight) {
    if (layer.shape(1)[1] != weight[1]) {
      layer.fail_input(1, "weight " + shape_text(layer.shape(1)) + ", expected " + shape_text(weight) + " for input " +
                              shape_text(in) + " in " + number(spec.group) + " group(s)");
    }
    if (bias) {
      check_bias_type(layer, 2);
      if (layer.shape(2) != Shape{out_channels}) {
        layer.fail_input(2, "bias " + shape_text(layer.shape(2)) + ", expected [" + number(out_channels) + "]");
      }
    }
  } else {
    check_shape(weight, "layer " + quote_name(spec.name) + ": weight", layer.at);
    out.weights.push_back({"weight", weight, layer.precision});
    if (bias) out.weights.push_back({"bias", {out_channels}, bias_type(layer.precision)});
  }
  out.attributes =
      ConvAttributes{out_channels, window.kernel, window.stride, window.dilation, window.pads, spec.group, bias};
  out.shape = windowed_shape(in, out_channels, window);
  return out;
}

InferredLayer infer_pool(const Layer& layer) {
  check_data(layer, 0);
  const Window w = window_of(layer, layer.spec.kernel_shape);
  check_windows_touch_input(layer, w);
  InferredLayer out;
  out.attributes = PoolAttributes{
      w.kernel, w.stride, w.dilation, w.pads, layer.spec.ceil_mode != 0, layer.spec.count_include_pad != 0};
  out.shape = windowed_shape(layer.shape(0), layer.shape(0)[1], w);
  return out;
}

InferredLayer infer_global_pool(const Layer& layer) {
  check_data(layer, 0);
  if (layer.rank(0) < 3) layer.fail_input(0, "expected [N, C, H, W] or the like, found " + shape_text(layer.shape(0)));
  InferredLayer out;
  out.shape = Shape(layer.shape(0).size(), 1);
  out.shape[0] = layer.shape(0)[0];
  out.shape[1] = layer.shape(0)[1];
  return out;
}

}  // namespace accsim::model::shapes
