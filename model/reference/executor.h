// Plain executor on integers: every operator by straight loops over its definition in the ONNX operator
// specification, with the arithmetic of docs/arithmetic.md. The expected side of --verify: it shares no code with the
// lowering, the loop nests or the functional simulation, initial values aside.
// Leaves out: tiles, cores, memories, time.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/reference/initial_values.h"
#include "model/reference/integer_values.h"
#include "model/reference/live_values.h"
#include "model/workload/network.h"

namespace accsim::model {

// Operators are run one by one, in an order in which inputs come first (the network's own order is one). Inputs and
// weights are made when an operator reads them and dropped after it. The values of an activation stay until the last
// operator that reads them has run and release() was called: a caller that compares a tensor releases it afterwards.
// Aliases (Reshape, Flatten) share the values of their storage: releasing one releases all of them, so a caller
// compares and releases the storage, or asks has() first.
class ReferenceExecutor {
 public:
  // accumulator_bits (1 to 32): w of docs/arithmetic.md. Keeps a reference to the network.
  ReferenceExecutor(const Network& network, std::uint64_t seed, int accumulator_bits = 32);

  // Computes the output of one operator, its fused activations included. InternalError if an operator that it needs
  // has not run, or its output has been freed.
  void run(OpId id);
  void run_all();  // all operators that have not run, in network order

  // An activation that has been computed and not freed.
  [[nodiscard]] bool has(TensorId tensor) const;
  // Elements [first, first + out.size()) in row-major order: of an activation that has() holds for, or of any network
  // input or weight. InternalError otherwise.
  void read(TensorId tensor, std::int64_t first, std::span<std::int32_t> out) const;
  [[nodiscard]] std::vector<std::int32_t> values(TensorId tensor) const;  // all of them

  // The caller needs the activation no more. May be called before it is computed (for tensors that are not compared):
  // it is then freed as soon as its last reader has run.
  void release(TensorId tensor);

  [[nodiscard]] Bytes bytes_held() const;  // by the values of activations at this moment

 private:
  [[nodiscard]] IntegerValues initial_values(TensorId id) const;

  const Network& network_;
  InitialValues initial_;
  int accumulator_bits_;
  reference::LiveValues<IntegerValues> activations_;
};

}  // namespace accsim::model
