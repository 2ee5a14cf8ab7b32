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
  };
  return kTable;
}

const OpInfo& info(OpType type) {
  const auto& table = operator_table();
  const auto index = static_cast<std::size_t>(type);
  if (index >= table.size() || table[index].type != type) throw InternalError("operator type is not in the table");
  return table[index];
}

}  // namespace accsim::model
