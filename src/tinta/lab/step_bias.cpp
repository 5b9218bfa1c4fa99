#include <ATen/ATen.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "tinta/lab/langevin_overdamped.h"
#include "tinta/lab/verdicts.h"

namespace tinta::lab {

double euler_stationary_energy(double step) {
  // The spacing is a seventh of a step's spread or less: the trapezoidal rule is then exact to
  // rounding. Beyond 3 the density is below exp(-64).
  const std::int64_t n = 421;
  const at::Tensor x = at::linspace(-3, 3, n, at::kDouble);
  const double spacing = 6.0 / static_cast<double>(n - 1);
  const at::Tensor drifted = x - 4 * x * (x * x - 1) * step;
  const at::Tensor away = x.unsqueeze(1) - drifted.unsqueeze(0);  // [to, from]
  const at::Tensor kernel =
      at::exp(-away * away / (4 * step)) * spacing / std::sqrt(4 * std::numbers::pi * step);
  // density = kernel density has one free factor: the last equation fixes the sum instead.
  at::Tensor system = at::eye(n, at::kDouble) - kernel;
  system[n - 1].fill_(1);
  at::Tensor right = at::zeros({n}, at::kDouble);
  right[n - 1].fill_(1);
  const at::Tensor density = at::linalg_solve(system, right);
  return (density * at::square(x * x - 1)).sum().item<double>();
}

double relaxing_mean(double friction, double s) {
  if (std::isinf(friction)) return kOverdampedStart * std::exp(-s);
  const double t = friction * s;
  const std::complex<double> root = std::sqrt(std::complex<double>(friction * friction / 4 - 1));
  const std::complex<double> fast = friction / 2 + root, slow = friction / 2 - root;
  const auto mean = (fast * std::exp(-slow * t) - slow * std::exp(-fast * t)) / (fast - slow);
  return kOverdampedStart * mean.real();
}

Extrapolation extrapolate(const std::vector<double>& steps,
                          const std::vector<physics::Estimate>& values, int degree) {
  const auto n = static_cast<std::int64_t>(steps.size());
  at::Tensor design = at::empty({n, degree + 1}, at::kDouble);
  at::Tensor right = at::empty({n}, at::kDouble);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto k = static_cast<std::size_t>(i);
    for (int power = 0; power <= degree; ++power) {
      design[i][power] = std::pow(steps[k], power) / values[k].error;
    }
    right[i] = values[k].value / values[k].error;
  }
  const at::Tensor covariance = at::linalg_inv(design.t().matmul(design));
  const at::Tensor solution = covariance.matmul(design.t().matmul(right));
  return {.value = {.value = solution[0].item<double>(),
                    .error = std::sqrt(covariance[0][0].item<double>())},
          .coefficients = vector_of(solution)};
}

}  // namespace tinta::lab
