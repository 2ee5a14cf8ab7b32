// Small random networks for tests: one operator each, with any attributes, sizes and element types (and perhaps an
// activation), and a chain of several.
#pragma once
#include "model/workload/network.h"
#include "tests/support/random_schedule.h"

namespace accsim::tests {

model::Network any_conv(Random& random);           // strided, padded, dilated, grouped, depthwise
model::Network any_gemm(Random& random);           // both operands transposed or not, any form of bias
model::Network any_matmul(Random& random);         // batched, broadcast
model::Network any_pool(Random& random);           // maximum, average, global average
model::Network any_elementwise(Random& random);    // with broadcasting, and activations of their own
model::Network any_normalization(Random& random);  // Softmax, LayerNormalization
model::Network any_transpose(Random& random);
model::Network any_concat(Random& random);
model::Network any_gather(Random& random);
// A small residual network with attention at its end: several groups, aliases, prefetch over borders.
model::Network any_chain(Random& random);

}  // namespace accsim::tests
