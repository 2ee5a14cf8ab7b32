// What one layer produces, given the shapes of its inputs: resolved attributes, the weights it brings along when the
// file does not name them, the shape and type of its output. Rules as in the ONNX operator specifications
// (https://onnx.ai/onnx/operators); what is wrong is a ConfigError naming file, JSON path and layer.
#pragma once
#include <string>
#include <vector>

#include "model/workload/network_spec.h"

namespace accsim::model {

struct ImplicitWeight {
  std::string suffix;  // the tensor is called "<layer>.<suffix>"
  Shape shape;
  DataType type = DataType::int8;
};

struct InferredLayer {
  Attributes attributes;
  std::vector<ImplicitWeight> weights;  // further inputs, after those that the file names
  Shape shape;
  DataType type = DataType::int8;
};

// Type of biases and of LayerNormalization's scale: int32 in integer networks.
DataType bias_type(DataType precision);

InferredLayer infer_layer(const LayerSpec& layer, const std::vector<const Tensor*>& inputs, DataType precision,
                          const Origin& at);

// Shape after broadcasting both ways (numpy's rule); nullopt if the shapes do not go together.
std::optional<Shape> broadcast(const Shape& a, const Shape& b);

// Throws ConfigError at `at` unless: at most 8 axes, every extent 1 to 2^31, at most 2^40 elements.
void check_shape(const Shape& shape, const std::string& who, const Origin& at);

}  // namespace accsim::model
