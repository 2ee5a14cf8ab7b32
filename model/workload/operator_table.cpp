#include "model/workload/operator_table.h"

#include "model/base/error.h"

namespace accsim::model {

const std::vector<OpInfo>& operator_table() {
  constexpr std::size_t kMostConcatInputs = 1024;
  static const std::vector<OpInfo> kTable{
      {OpType::conv, "Conv", OpClass::matrix, 1, 3, "X, W?, B?",
       "convolution, 1-D on [N, C, L] or 2-D on [N, C, H, W]; grouped, depthwise, strided, padded, dilated"},
      {OpType::gemm, "Gemm", OpClass::matrix, 1, 3, "A, B?, C?", "matrix product A' B' + C of matrices of rank 2"},
      {OpType::matmul, "MatMul", OpClass::matrix, 2, 2, "A, B", "matrix product over the last two axes, batched"},
      {OpType::max_pool, "MaxPool", OpClass::reduction, 1, 1, "X",
       "largest element of each window; padding never wins"},
      {OpType::average_pool, "AveragePool", OpClass::reduction, 1, 1, "X", "mean of each window"},
      {OpType::global_average_pool, "GlobalAveragePool", OpClass::reduction, 1, 1, "X", "mean over all spatial axes"},
      {OpType::add, "Add", OpClass::elementwise, 2, 2, "A, B", "sum with broadcasting in both directions"},
      {OpType::mul, "Mul", OpClass::elementwise, 2, 2, "A, B", "product with broadcasting in both directions"},
      {OpType::relu, "Relu", OpClass::unary, 1, 1, "X", "max(x, 0)"},
      {OpType::clip, "Clip", OpClass::unary, 1, 1, "X", "limited to [min, max]"},
      {OpType::sigmoid, "Sigmoid", OpClass::unary, 1, 1, "X", "1 / (1 + exp(-x))"},
      {OpType::tanh, "Tanh", OpClass::unary, 1, 1, "X", "hyperbolic tangent"},
      {OpType::gelu, "Gelu", OpClass::unary, 1, 1, "X", "Gaussian error linear unit"},
      {OpType::softmax, "Softmax", OpClass::reduction, 1, 1, "X", "exponentials that sum to 1 along one axis"},
      {OpType::layer_normalization, "LayerNormalization", OpClass::reduction, 1, 3, "X, scale?, bias?",
       "mean 0 and variance 1 over `axis` and all axes after it, then scale and bias"},
      {OpType::gather, "Gather", OpClass::movement, 2, 2, "table, indices", "rows of a table (embedding)"},
      {OpType::flatten, "Flatten", OpClass::alias, 1, 1, "X", "to a matrix: axes before `axis`, axes from `axis` on"},
      {OpType::reshape, "Reshape", OpClass::alias, 1, 1, "X", "the same elements in another shape"},
      {OpType::transpose, "Transpose", OpClass::movement, 1, 1, "X", "axes in another order"},
      {OpType::concat, "Concat", OpClass::movement, 1, kMostConcatInputs, "X1, X2, …", "joined along one axis"},
      {OpType::sub, "Sub", OpClass::elementwise, 2, 2, "A, B", "difference with broadcasting in both directions"},
      {OpType::div, "Div", OpClass::elementwise, 2, 2, "A, B", "quotient with broadcasting in both directions"},
      {OpType::pow, "Pow", OpClass::elementwise, 2, 2, "A, B", "A to the power of B, with broadcasting"},
      {OpType::prelu, "PRelu", OpClass::elementwise, 2, 2, "X, slope",
       "x where x >= 0, else slope * x; the slope is broadcast"},
      {OpType::where, "Where", OpClass::elementwise, 3, 3, "condition, A, B",
       "A where the condition is not 0, else B, with broadcasting"},
      {OpType::neg, "Neg", OpClass::unary, 1, 1, "X", "-x"},
      {OpType::sqrt, "Sqrt", OpClass::unary, 1, 1, "X", "square root"},
      {OpType::exp, "Exp", OpClass::unary, 1, 1, "X", "exponential"},
      {OpType::erf, "Erf", OpClass::unary, 1, 1, "X", "error function"},
      {OpType::leaky_relu, "LeakyRelu", OpClass::unary, 1, 1, "X", "x where x >= 0, else alpha * x"},
      {OpType::hard_sigmoid, "HardSigmoid", OpClass::unary, 1, 1, "X", "alpha * x + beta, limited to [0, 1]"},
      {OpType::hard_swish, "HardSwish", OpClass::unary, 1, 1, "X", "x * HardSigmoid(x) with alpha 1/6 and beta 1/2"},
      {OpType::silu, "Silu", OpClass::unary, 1, 1, "X", "x * Sigmoid(x)"},
      {OpType::quantize_linear, "QuantizeLinear", OpClass::unary, 1, 1, "X",
       "x / scale rounded to even, plus the zero point, limited to [min, max]"},
      {OpType::dequantize_linear, "DequantizeLinear", OpClass::unary, 1, 1, "X", "(x - zero point) * scale"},
      {OpType::rms_normalization, "RMSNormalization", OpClass::reduction, 1, 2, "X, scale?",
       "mean of squares 1 over `axis` and all axes after it, then scale"},
      {OpType::reduce_mean, "ReduceMean", OpClass::reduction, 1, 1, "X", "mean over adjacent axes"},
      {OpType::slice, "Slice", OpClass::movement, 1, 1, "X", "a part along some axes, or every n-th element"},
      {OpType::expand, "Expand", OpClass::movement, 1, 1, "X", "repeated along axes of extent 1"},
      {OpType::pad, "Pad", OpClass::movement, 1, 1, "X", "zeros before and behind"},
      {OpType::resize, "Resize", OpClass::reduction, 1, 1, "X", "larger by whole factors along the spatial axes"},
      {OpType::depth_to_space, "DepthToSpace", OpClass::movement, 1, 1, "X",
       "blocks of channels become blocks of pixels"},
  };
  return kTable;
}

const OpInfo& info(OpType type) {
  const auto& table = operator_table();
  const auto index = static_cast<std::size_t>(type);
  if (index >= table.size() || table[index].type != type) throw InternalError("operator type is not in the table");
  return table[index];
}

bool is_activation(OpType type) { return info(type).op_class == OpClass::unary; }

bool is_transcendental(OpType type) {
  switch (type) {
    case OpType::sigmoid:
    case OpType::tanh:
    case OpType::gelu:
    case OpType::silu:
    case OpType::erf:
    case OpType::exp:
    case OpType::sqrt:
      return true;
    default:
      return false;
  }
}

}  // namespace accsim::model
