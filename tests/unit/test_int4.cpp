// int4, two elements a byte: which tensors are kept as int8, boxes in whole bytes, tiles that share no byte.
#include "model/schedule/schedule.h"
#include "model/workload/loop_nest.h"
#include "tests/catch.h"
#include "tests/unit/test_network_helpers.h"

namespace {

using namespace accsim;
using namespace accsim::model;
using tests::network_of;

DataType type_of(const Network& network, const std::string& name) {
  for (const Tensor& tensor : network.tensors)
    if (tensor.name == name) return tensor.type;
  FAIL("no tensor " << name);
  return DataType::int8;
}

}  // namespace

TEST_CASE("tensors with rows of an odd number of int4 are int8", "[int4]") {
  const Network network = network_of(
      R"("inputs": [{"name": "x", "shape": [1, 2, 6, 7]}, {"name": "y", "shape": [1, 2, 6, 8]}],
         "layers": [{"name": "c", "op": "Conv", "inputs": ["x"], "out_channels": 4, "kernel_shape": [1, 2]},
                    {"name": "t", "op": "Transpose", "inputs": ["c"], "perm": [0, 3, 1, 2]},
                    {"name": "p", "op": "MaxPool", "inputs": ["y"], "kernel_shape": [2, 4]},
                    {"name": "f", "op": "Flatten", "inputs": ["p"]},
                    {"name": "g", "op": "Gemm", "inputs": ["f"], "out_features": 5}])",
      1, "int4");
  CHECK(type_of(network, "x") == DataType::int8);  // rows of 7
  CHECK(type_of(network, "y") == DataType::int4);
  CHECK(type_of(network, "c") == DataType::int4);
  CHECK(type_of(network, "t") == DataType::int4);
  CHECK(type_of(network, "p") == DataType::int8);  // rows of 5
  CHECK(type_of(network, "f") == DataType::int8);  // the same bytes
  CHECK(type_of(network, "g") == DataType::int4);  // one row only
}

TEST_CASE("what is copied from or to an int8 tensor is int8 as well", "[int4]") {
  const Network network = network_of(
      R"("inputs": [{"name": "x", "shape": [2, 3, 4]}], "weights": [{"name": "w", "shape": [9, 5]}],
         "layers": [{"name": "t", "op": "Transpose", "inputs": ["x"], "perm": [0, 2, 1]},
                    {"name": "m", "op": "MatMul", "inputs": ["x", "t"]}])",
      1, "int4");
  CHECK(type_of(network, "x") == DataType::int8);
  CHECK(type_of(network, "t") == DataType::int8);
  CHECK(type_of(network, "m") == DataType::int8);
}

TEST_CASE("int4 boxes are widened to whole bytes", "[int4]") {
  const Network network = network_of(
      R"("inputs": [{"name": "x", "shape": [1, 2, 6, 8]}],
         "layers": [{"name": "c", "op": "Conv", "inputs": ["x"], "out_channels": 5, "kernel_shape": [3, 3],
                     "pads": [1, 1, 1, 1]}])",
      1, "int4");
  const LoopNest nest = loop_nest_of(network, OpId(0));
  REQUIRE(nest.dims.size() == 8);  // G B N P Q C R S
  const std::vector<std::int64_t> size{1, 1, 2, 2, 2, 1, 3, 3};
  // Output columns 2 and 3 need input columns 1 to 4: with whole bytes 0 to 5.
  const Box input = box_of(nest, nest.operands[0], {0, 0, 0, 2, 2, 1, 0, 0}, size);
  CHECK(input.back().low == 0);
  CHECK(input.back().count == 6);
  CHECK(input[input.size() - 2].low == 1);  // rows of 8: as they are
  CHECK(input[input.size() - 2].count == 4);
  CHECK(largest_box(nest, nest.operands[0], size) == 1 * 4 * 6);
  // A weight's window has 9 elements: channel 1 alone begins inside a byte, so that both are fetched.
  const Operand& weight = nest.operands[1];
  const Box window = box_of(nest, weight, {0, 0, 0, 0, 0, 1, 0, 0}, size);
  CHECK(element_count(window) == 2 * 2 * 9);
}

TEST_CASE("int4 tiles of a result are whole bytes", "[int4]") {
  const Network network = network_of(
      R"("inputs": [{"name": "x", "shape": [1, 2, 6, 8]}],
         "layers": [{"name": "c", "op": "Conv", "inputs": ["x"], "out_channels": 5, "kernel_shape": [1, 1]}])",
      1, "int4");
  const LoopNest nest = loop_nest_of(network, OpId(0));
  std::map<std::string, std::int64_t> unit;
  for (std::size_t d = 0; d < nest.dims.size(); ++d) unit[nest.dims[d].name] = tile_unit(nest, d);
  CHECK(unit.at("Q") == 2);
  CHECK(unit.at("P") == 1);
  CHECK(unit.at("N") == 1);
  CHECK(unit.at("C") == 1);
}

TEST_CASE("what is copied in parts of an odd number of int4 is int8", "[int4]") {
  const Network parts = network_of(
      R"("inputs": [{"name": "x", "shape": [5]}, {"name": "y", "shape": [3]}, {"name": "z", "shape": [2]}],
         "layers": [{"name": "c", "op": "Concat", "inputs": ["x", "y"], "axis": 0},
                    {"name": "d", "op": "Concat", "inputs": ["z", "z"], "axis": 0}])",
      1, "int4");
  CHECK(type_of(parts, "x") == DataType::int8);
  CHECK(type_of(parts, "c") == DataType::int8);
  CHECK(type_of(parts, "z") == DataType::int4);
  CHECK(type_of(parts, "d") == DataType::int4);
  const Network rows = network_of(
      R"("inputs": [{"name": "i", "shape": [2], "type": "int32"}],
         "weights": [{"name": "w", "shape": [1, 3]}, {"name": "v", "shape": [3, 4]}],
         "layers": [{"name": "g", "op": "Gather", "inputs": ["w", "i"], "axis": 1},
                    {"name": "h", "op": "Gather", "inputs": ["v", "i"], "axis": 0}])",
      1, "int4");
  CHECK(type_of(rows, "w") == DataType::int8);
  CHECK(type_of(rows, "g") == DataType::int8);
  CHECK(type_of(rows, "v") == DataType::int4);
  CHECK(type_of(rows, "h") == DataType::int4);
}
