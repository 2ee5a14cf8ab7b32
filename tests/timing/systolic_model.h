// A systolic array, one step a cycle, every processing element a set of registers with values in them: the independent
// check of the closed forms in model/program/timing.h. It shares no code with the library.
//
// Stationary operand (weight and input stationary): an R x C block is loaded from the top, one row a cycle, column c a
// cycle later than column c-1. A row's values travel down through the rows above and stay in the shadow register of
// their own row. The first value of a fold that a processing element sees makes it take its shadow register over.
// Streamed vectors enter from the left, row r a cycle later than row r-1, and move right; partial sums move down.
// Output stationary: both operands stream; a finished sum moves to a shadow register, and each column's shadow
// registers shift out at the bottom, R cycles a fold, starting when the lowest row has finished.
//
// Whatever two folds would need at once (a port, a register) is a hazard, recorded and not resolved.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace accsim::test {

using Matrix = std::vector<std::vector<int>>;  // [row][column]

struct RunResult {
  std::int64_t last_active = -1;  // index of the last cycle in which a processing element multiplied
  bool hazard = false;
};

// How folds follow each other: a fixed distance between their starts, or none: when the one before has done its last
// multiplication.
using Interval = std::optional<std::int64_t>;

// One load of the array. stationary: R x C; streamed: L x R; take(l, c, sum) receives the result of row l, column c.
struct StationaryFold {
  Matrix stationary;
  Matrix streamed;
  std::function<void(std::size_t, std::size_t, int)> take;
};
RunResult run_stationary(std::size_t rows, std::size_t cols, const std::vector<StationaryFold>& folds,
                         Interval interval);

// left: R x K, top: K x C; take(r, c, sum) receives what leaves at the bottom.
struct OutputFold {
  Matrix left;
  Matrix top;
  std::function<void(std::size_t, std::size_t, int)> take;
};
RunResult run_output_stationary(std::size_t rows, std::size_t cols, const std::vector<OutputFold>& folds,
                                Interval interval);

// C dot-product units of length R: a row of `stationary` a cycle is loaded into shadow registers, then one streamed
// vector a cycle gives one row of results.
RunResult run_dot_products(std::size_t rows, std::size_t cols, const std::vector<StationaryFold>& folds,
                           Interval interval);

}  // namespace accsim::test
