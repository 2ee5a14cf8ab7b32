// Non-negative least squares: the x >= 0 that makes |A x - b| least.
// Active sets: exact up to rounding in finitely many steps; every optimum is found, of several one of them. For the few
// columns and hundreds of rows of a calibration; no BLAS, one thread, so that the result is the same everywhere.
// Source: Lawson, Hanson: Solving Least Squares Problems (1974), chapter 23.
#pragma once
#include <Eigen/Dense>

namespace accsim::sched {

// A with at least one column; entries finite.
Eigen::VectorXd nnls(const Eigen::MatrixXd& a, const Eigen::VectorXd& b);

}  // namespace accsim::sched
