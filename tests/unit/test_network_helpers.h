// Small networks for tests, from JSON text: inputs and layers only, the rest is filled in.
#pragma once
#include <string>

#include "model/base/error.h"
#include "model/workload/loop_nest.h"
#include "model/workload/network.h"

namespace accsim::tests {

using namespace accsim::model;

// `body`: the text of "inputs": …, "layers": … and what else the network needs.
inline Network network_of(const std::string& body, std::int64_t batch = 1, const std::string& precision = "int8") {
  const std::string text =
      R"({"schema": "accsim-net/1", "name": "t", "precision": ")" + precision + R"(", )" + body + "}";
  return parse_network(parse_json(text, "t.json"), "t.json", batch);
}

// One layer on inputs x (and y) of the given shapes.
inline Network one_layer(const std::string& x, const std::string& layer, const std::string& y = "") {
  std::string inputs = R"({"name": "x", "shape": )" + x + "}";
  if (!y.empty()) inputs += R"(, {"name": "y", "shape": )" + y + "}";
  const std::string names = y.empty() ? R"(["x"])" : R"(["x", "y"])";
  return network_of("\"inputs\": [" + inputs + R"(], "layers": [{"name": "l", "inputs": )" + names + ", " + layer +
                    "}]");
}

inline const Tensor& tensor_called(const Network& network, const std::string& name) {
  for (const Tensor& tensor : network.tensors)
    if (tensor.name == name) return tensor;
  throw InternalError("no tensor " + name);
}

inline const Operator& layer_called(const Network& network, const std::string& name) {
  for (const Operator& op : network.operators)
    if (op.name == name) return op;
  throw InternalError("no layer " + name);
}

inline Shape shape_of(const Network& network, const std::string& name) { return tensor_called(network, name).shape; }

}  // namespace accsim::tests
