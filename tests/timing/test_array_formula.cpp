// The closed forms of the array against a cycle-by-cycle model with values: last active cycle, results, and that no
// smaller distance between folds would do.
#include <algorithm>
#include <cstdint>

#include "model/program/timing.h"
#include "tests/catch.h"
#include "tests/timing/systolic_model.h"

namespace {

using accsim::model::ArrayConfig;
using accsim::model::Dataflow;
using accsim::model::ProductShape;
using accsim::test::Interval;
using accsim::test::Matrix;
using accsim::test::OutputFold;
using accsim::test::RunResult;
using accsim::test::StationaryFold;

constexpr std::size_t kLargest = 6;

Matrix values(std::size_t rows, std::size_t cols, unsigned seed) {
  Matrix matrix(rows, std::vector<int>(cols));
  for (auto& row : matrix) {
    for (int& value : row) {
      seed = seed * 1664525U + 1013904223U;
      value = static_cast<int>(seed >> 24U) - 128;
    }
  }
  return matrix;
}

Matrix transposed(const Matrix& a) {
  Matrix out(a.front().size(), std::vector<int>(a.size()));
  for (std::size_t r = 0; r < a.size(); ++r)
    for (std::size_t c = 0; c < a.front().size(); ++c) out[c][r] = a[r][c];
  return out;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix out(a.size(), std::vector<int>(b.front().size(), 0));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < b.size(); ++k)
      for (std::size_t j = 0; j < b.front().size(); ++j) out[i][j] += a[i][k] * b[k][j];
  return out;
}

// Zero outside: edge folds are full ones.
int padded(const Matrix& a, std::size_t row, std::size_t col) {
  return row < a.size() && col < a.front().size() ? a[row][col] : 0;
}
Matrix block(const Matrix& a, std::size_t row, std::size_t col, std::size_t rows, std::size_t cols) {
  Matrix out(rows, std::vector<int>(cols));
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < cols; ++c) out[r][c] = padded(a, row + r, col + c);
  return out;
}

// a (L x K) times b (K x N), b held in the array block by block. Results are added up in `out`.
std::vector<StationaryFold> stationary_folds(const Matrix& a, const Matrix& b, std::size_t rows, std::size_t cols,
                                             Matrix& out) {
  out.assign(a.size(), std::vector<int>(b.front().size(), 0));
  std::vector<StationaryFold> folds;
  for (std::size_t n = 0; n < b.front().size(); n += cols) {
    for (std::size_t k = 0; k < b.size(); k += rows) {
      folds.push_back({block(b, k, n, rows, cols), block(a, 0, k, a.size(), rows),
                       [&out, n](std::size_t l, std::size_t c, int sum) {
                         if (n + c < out.front().size()) out[l][n + c] += sum;
                       }});
    }
  }
  return folds;
}

std::vector<OutputFold> output_folds(const Matrix& a, const Matrix& b, std::size_t rows, std::size_t cols,
                                     Matrix& out) {
  out.assign(a.size(), std::vector<int>(b.front().size(), 0));
  std::vector<OutputFold> folds;
  for (std::size_t m = 0; m < a.size(); m += rows) {
    for (std::size_t n = 0; n < b.front().size(); n += cols) {
      folds.push_back({block(a, m, 0, rows, b.size()), block(b, 0, n, b.size(), cols),
                       [&out, m, n](std::size_t r, std::size_t c, int sum) {
                         if (m + r < out.size() && n + c < out.front().size()) out[m + r][n + c] += sum;
                       }});
    }
  }
  return folds;
}

struct Case {
  std::size_t m, k, n, rows, cols;
};

struct Outcome {
  RunResult run;
  std::size_t folds = 0;
  Matrix result;  // M x N
  Matrix expected;
};

Outcome run_case(const Case& x, Dataflow dataflow, Interval interval) {
  const Matrix a = values(x.m, x.k, 1);
  const Matrix b = values(x.k, x.n, 2);
  Outcome outcome;
  outcome.expected = product(a, b);
  if (dataflow == Dataflow::output_stationary) {
    const auto folds = output_folds(a, b, x.rows, x.cols, outcome.result);
    outcome.folds = folds.size();
    outcome.run = accsim::test::run_output_stationary(x.rows, x.cols, folds, interval);
    return outcome;
  }
  const bool swapped = dataflow == Dataflow::input_stationary;  // the inputs are held, the weights stream
  const auto folds = swapped ? stationary_folds(transposed(b), transposed(a), x.rows, x.cols, outcome.result)
                             : stationary_folds(a, b, x.rows, x.cols, outcome.result);
  outcome.folds = folds.size();
  outcome.run = dataflow == Dataflow::vector_mac ? accsim::test::run_dot_products(x.rows, x.cols, folds, interval)
                                                 : accsim::test::run_stationary(x.rows, x.cols, folds, interval);
  if (swapped) outcome.result = transposed(outcome.result);
  return outcome;
}

ArrayConfig array_of(const Case& x, Dataflow dataflow, bool overlapped) {
  ArrayConfig array;
  array.rows = static_cast<std::int64_t>(x.rows);
  array.cols = static_cast<std::int64_t>(x.cols);
  array.dataflow = dataflow;
  array.double_buffered = overlapped;
  return array;
}
ProductShape shape_of(const Case& x) {
  return {1, static_cast<std::int64_t>(x.m), static_cast<std::int64_t>(x.k), static_cast<std::int64_t>(x.n)};
}

// Distance of fold starts that the overlapped closed form counts on.
std::int64_t interval_of(const Case& x, Dataflow dataflow) {
  const std::size_t streamed = dataflow == Dataflow::output_stationary  ? x.k
                               : dataflow == Dataflow::input_stationary ? x.n
                                                                        : x.m;
  return static_cast<std::int64_t>(std::max(streamed, x.rows));
}

// Every combination of extents and array sizes up to kLargest.
template <class Body>
void for_all_sizes(Body body) {
  for (std::size_t rows = 1; rows <= kLargest; ++rows)
    for (std::size_t cols = 1; cols <= kLargest; ++cols)
      for (std::size_t m = 1; m <= kLargest; ++m)
        for (std::size_t k = 1; k <= kLargest; ++k)
          for (std::size_t n = 1; n <= kLargest; ++n) body(Case{m, k, n, rows, cols});
}

void check(const Case& x, Dataflow dataflow, bool overlapped, const Outcome& outcome) {
  const std::int64_t formula = accsim::model::last_active_cycle(shape_of(x), array_of(x, dataflow, overlapped));
  if (!outcome.run.hazard && outcome.run.last_active == formula && outcome.result == outcome.expected) return;
  INFO("M " << x.m << " K " << x.k << " N " << x.n << " rows " << x.rows << " cols " << x.cols);
  CHECK_FALSE(outcome.run.hazard);
  CHECK(outcome.run.last_active == formula);
  CHECK(outcome.result == outcome.expected);
}

}  // namespace

TEST_CASE("array: un-overlapped cycles and values equal the cycle-by-cycle model on all sizes up to 6") {
  const auto dataflow = GENERATE(Dataflow::weight_stationary, Dataflow::output_stationary, Dataflow::input_stationary,
                                 Dataflow::vector_mac);
  std::int64_t cases = 0;
  for_all_sizes([&](const Case& x) {
    check(x, dataflow, false, run_case(x, dataflow, std::nullopt));
    ++cases;
  });
  CHECK(cases == 7776);
}

TEST_CASE("array: overlapped cycles and values equal the cycle-by-cycle model on all sizes up to 6") {
  const auto dataflow = GENERATE(Dataflow::weight_stationary, Dataflow::output_stationary, Dataflow::input_stationary,
                                 Dataflow::vector_mac);
  for_all_sizes([&](const Case& x) { check(x, dataflow, true, run_case(x, dataflow, interval_of(x, dataflow))); });
}

TEST_CASE("array: folds that start a cycle closer than the closed form says collide") {
  const auto dataflow = GENERATE(Dataflow::weight_stationary, Dataflow::output_stationary, Dataflow::input_stationary,
                                 Dataflow::vector_mac);
  std::int64_t tried = 0;
  std::int64_t collided = 0;
  for_all_sizes([&](const Case& x) {
    const Outcome outcome = run_case(x, dataflow, interval_of(x, dataflow) - 1);
    if (outcome.folds < 2) return;
    ++tried;
    collided += outcome.run.hazard ? 1 : 0;
  });
  CHECK(tried > 1000);
  CHECK(collided == tried);
}

TEST_CASE("array: groups on the diagonal of a fold give each group's product in the cycles of the closed form") {
  // Depthwise-like: 7 groups of 2 x 1 weights on 5 rows x 3 columns: two groups a fold, four folds.
  const Case x{4, 2, 1, 5, 3};
  constexpr std::size_t kGroups = 7;
  const std::size_t packed = std::min(x.rows / x.k, x.cols / x.n);
  std::vector<Matrix> results(kGroups, Matrix(x.m, std::vector<int>(x.n, 0)));
  std::vector<Matrix> expected;
  std::vector<StationaryFold> folds;
  for (std::size_t first = 0; first < kGroups; first += packed) {
    StationaryFold fold{Matrix(x.rows, std::vector<int>(x.cols, 0)), Matrix(x.m, std::vector<int>(x.rows, 0)), {}};
    for (std::size_t i = 0; i < packed && first + i < kGroups; ++i) {
      const auto seed = static_cast<unsigned>(first + i);
      const Matrix a = values(x.m, x.k, 100 + seed);
      const Matrix b = values(x.k, x.n, 200 + seed);
      expected.push_back(product(a, b));
      for (std::size_t k = 0; k < x.k; ++k) {
        for (std::size_t n = 0; n < x.n; ++n) fold.stationary[i * x.k + k][i * x.n + n] = b[k][n];
        for (std::size_t m = 0; m < x.m; ++m) fold.streamed[m][i * x.k + k] = a[m][k];
      }
    }
    fold.take = [&results, first, packed, n = x.n](std::size_t m, std::size_t c, int sum) {
      const std::size_t group = first + c / n;
      if (c / n < packed && group < results.size()) results[group][m][c % n] += sum;
    };
    folds.push_back(std::move(fold));
  }
  ProductShape shape = shape_of(x);
  shape.groups = kGroups;
  const auto overlapped = GENERATE(true, false);
  const Interval interval = overlapped ? Interval(interval_of(x, Dataflow::weight_stationary)) : Interval(std::nullopt);
  const RunResult run = accsim::test::run_stationary(x.rows, x.cols, folds, interval);
  CHECK_FALSE(run.hazard);
  CHECK(results == expected);
  CHECK(run.last_active ==
        accsim::model::last_active_cycle(shape, array_of(x, Dataflow::weight_stationary, overlapped)));
}

TEST_CASE("array: a pass takes its last active cycle, one more, and the drain of output stationary") {
  const Case x{7, 9, 5, 4, 3};
  const auto overlapped = GENERATE(true, false);
  for (const Dataflow dataflow :
       {Dataflow::weight_stationary, Dataflow::output_stationary, Dataflow::input_stationary, Dataflow::vector_mac}) {
    const ArrayConfig array = array_of(x, dataflow, overlapped);
    const auto timing = accsim::model::array_timing(shape_of(x), array);
    const std::int64_t drain = dataflow == Dataflow::output_stationary ? array.rows : 0;
    CHECK(timing.latency.value() == accsim::model::last_active_cycle(shape_of(x), array) + 1 + drain);
    CHECK(timing.interval <= timing.latency);
  }
}
