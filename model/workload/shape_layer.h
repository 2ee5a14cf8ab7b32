// One layer while its shapes are worked out, and the checks that several operators share. Internal to shape inference:
// shape_windows.cpp (convolution, pooling), shape_parts.cpp (parts, copies, means) and shape_inference.cpp (the rest).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "model/workload/shape_inference.h"

namespace accsim::model::shapes {

struct Layer {
  const LayerSpec& spec;
  const std::vector<const Tensor*>& inputs;
  DataType precision;
  const Origin& at;

  [[nodiscard]] const Shape& shape(std::size_t i) const { return inputs[i]->shape; }
  [[nodiscard]] std::int64_t rank(std::size_t i) const { return static_cast<std::int64_t>(inputs[i]->shape.size()); }
  [[noreturn]] void fail_at(const Origin& where, const std::string& what) const {
    fail(where, "layer " + quote_name(spec.name) + " (" + std::string(name_of(spec.op)) + "): " + what);
  }
  [[noreturn]] void fail_key(std::string_view key, const std::string& what) const { fail_at(at.key(key), what); }
  [[noreturn]] void fail_input(std::size_t i, const std::string& what) const {
    fail_at(at.key("inputs").index(i), what);
  }
};

inline std::string number(std::int64_t value) { return std::to_string(value); }

// Activations have the network's precision; constants may be narrower or wider.
void check_data(const Layer& layer, std::size_t i);
// A bias has the network's precision or that of biases.
void check_bias_type(const Layer& layer, std::size_t i);
// Whether a third input is there; the "bias" key beside explicit weights must say the same.
bool explicit_bias(const Layer& layer);

// Axis from the front, 0 to rank-1 (or rank, where `past_end` allows it).
std::int64_t resolve_axis(const Layer& layer, std::int64_t rank, bool past_end = false);

InferredLayer infer_rms_normalization(const Layer& layer);
InferredLayer infer_reduce_mean(const Layer& layer);
InferredLayer infer_slice(const Layer& layer);
InferredLayer infer_expand(const Layer& layer);
InferredLayer infer_pad(const Layer& layer);
InferredLayer infer_resize(const Layer& layer);
InferredLayer infer_depth_to_space(const Layer& layer);
InferredLayer infer_conv(const Layer& layer);
InferredLayer infer_pool(const Layer& layer);
InferredLayer infer_global_pool(const Layer& layer);

}  // namespace accsim::model::shapes
