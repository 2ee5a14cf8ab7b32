// One row an operator type: its ONNX name, how many inputs it takes, and what kind of work it is. Parser, shape
// inference, fusion of activations and documentation read this table and nothing else.
#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

#include "model/workload/network.h"

namespace accsim::model {

enum class OpClass : std::uint8_t {
  matrix,       // multiply-accumulates on the array
  reduction,    // pooling and normalisation on the vector unit
  elementwise,  // two operands with broadcasting
  unary,        // an activation: one operand, element by element
  movement,     // copies elements
  alias         // the same bytes under another shape
};

struct OpInfo {
  OpType type;
  std::string_view name;
  OpClass op_class;
  std::size_t min_inputs;
  std::size_t max_inputs;
  std::string_view inputs;  // for the documentation
  std::string_view doc;
};

const std::vector<OpInfo>& operator_table();  // in the order of OpType
const OpInfo& info(OpType type);

// Unary operators, which may ride on the operator before them.
bool is_activation(OpType type);
// Activations that take the vector unit's exponential unit; the others are free behind another operation.
bool is_transcendental(OpType type);

}  // namespace accsim::model
