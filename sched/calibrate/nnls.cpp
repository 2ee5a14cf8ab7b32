#include "sched/calibrate/nnls.h"

#include <algorithm>
#include <vector>

#include "model/base/error.h"

namespace accsim::sched {

namespace {

// Least squares over the columns in `passive`, zeros elsewhere.
Eigen::VectorXd solve_passive(const Eigen::MatrixXd& a, const Eigen::VectorXd& b, const std::vector<bool>& passive) {
  const Eigen::Index columns = std::count(passive.begin(), passive.end(), true);
  Eigen::MatrixXd part(a.rows(), columns);
  Eigen::Index at = 0;
  for (Eigen::Index j = 0; j < a.cols(); ++j)
    if (passive[static_cast<std::size_t>(j)]) part.col(at++) = a.col(j);
  const Eigen::VectorXd solution = part.colPivHouseholderQr().solve(b);
  Eigen::VectorXd x = Eigen::VectorXd::Zero(a.cols());
  at = 0;
  for (Eigen::Index j = 0; j < a.cols(); ++j)
    if (passive[static_cast<std::size_t>(j)]) x(j) = solution(at++);
  return x;
}

}  // namespace

Eigen::VectorXd nnls(const Eigen::MatrixXd& matrix, const Eigen::VectorXd& b) {
  if (matrix.cols() == 0 || matrix.rows() != b.size() || !matrix.allFinite() || !b.allFinite()) {
    throw model::InternalError("non-negative least squares: wrong sizes or values that are not finite");
  }
  // Columns of length one, so that one tolerance serves.
  Eigen::MatrixXd a = matrix;
  Eigen::VectorXd scale(a.cols());
  for (Eigen::Index j = 0; j < a.cols(); ++j) {
    const double norm = a.col(j).norm();
    scale(j) = norm > 0 ? norm : 1.0;
    a.col(j) /= scale(j);
  }
  constexpr double kTolerance = 1e-12;
  const double gain_tolerance = kTolerance * std::max(b.norm(), 1e-300);
  constexpr Eigen::Index kStepsAColumn = 30;

  Eigen::VectorXd x = Eigen::VectorXd::Zero(a.cols());
  std::vector<bool> passive(static_cast<std::size_t>(a.cols()), false);
  std::vector<bool> refused(passive.size(), false);  // entered and left at once: rounding
  for (Eigen::Index step = 0; step < kStepsAColumn * a.cols(); ++step) {
    const Eigen::VectorXd gradient = a.transpose() * (b - a * x);
    Eigen::Index enter = -1;
    for (Eigen::Index j = 0; j < a.cols(); ++j) {
      const auto i = static_cast<std::size_t>(j);
      if (passive[i] || refused[i] || gradient(j) <= gain_tolerance) continue;
      if (enter < 0 || gradient(j) > gradient(enter)) enter = j;
    }
    if (enter < 0) break;
    passive[static_cast<std::size_t>(enter)] = true;
    Eigen::VectorXd next = solve_passive(a, b, passive);
    if (next(enter) <= 0) {
      passive[static_cast<std::size_t>(enter)] = false;
      refused[static_cast<std::size_t>(enter)] = true;
      continue;
    }
    std::fill(refused.begin(), refused.end(), false);
    // Walk towards the solution until the first column would turn negative; that one leaves.
    for (;;) {
      double alpha = 1;
      for (Eigen::Index j = 0; j < a.cols(); ++j)
        if (passive[static_cast<std::size_t>(j)] && next(j) <= 0) alpha = std::min(alpha, x(j) / (x(j) - next(j)));
      if (alpha >= 1) break;
      x += alpha * (next - x);
      for (Eigen::Index j = 0; j < a.cols(); ++j) {
        if (!passive[static_cast<std::size_t>(j)] || (next(j) > 0 || x(j) > kTolerance)) continue;
        passive[static_cast<std::size_t>(j)] = false;
        x(j) = 0;
      }
      next = solve_passive(a, b, passive);
    }
    x = next;
  }
  return x.cwiseMax(0.0).cwiseQuotient(scale);
}

}  // namespace accsim::sched
