// Evaluates a network in floating point, following the ONNX operator specification, on values that the caller gives:
// for comparison with results from outside. Same loops as ReferenceExecutor, real functions; the network's number type
// plays no part. Indices of a Gather are given as floats too (exact up to 2^24).
// Leaves out: quantisation, reduced precision, initial values of its own.
#pragma once
#include <span>
#include <vector>

#include "model/reference/float_arithmetic.h"
#include "model/reference/live_values.h"
#include "model/workload/network.h"

namespace accsim::model {

class FloatExecutor {
 public:
  explicit FloatExecutor(const Network& network);  // keeps a reference

  // Row-major values of a network input or weight. ConfigError if their number is not that of the tensor's elements.
  void set(TensorId id, std::vector<float> values);
  // Computes the output of one operator, its fused activations included. ConfigError if an input or weight that it
  // reads has not been set, InternalError if an operator before it has not run.
  void run(OpId id);
  void run_all();  // all operators that have not run, in network order

  [[nodiscard]] bool has(TensorId tensor) const { return values_.has(tensor); }
  // Of any tensor that has() holds for; valid until it is freed. InternalError otherwise.
  [[nodiscard]] std::span<const float> values(TensorId tensor) const { return values_.get(tensor).all(); }
  // As in ReferenceExecutor, for inputs and weights as well: freed once the last operator that reads it has run.
  void release(TensorId tensor) { values_.release(tensor); }

 private:
  const Network& network_;
  reference::LiveValues<reference::FloatValues> values_;
};

}  // namespace accsim::model
