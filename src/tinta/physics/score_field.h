#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "tinta/process/denoiser.h"
#include "tinta/process/schedule.h"

namespace tinta::physics {

/// A square of the plane around the origin, cut into side x side cells.
struct PlaneGrid {
  double half_side = 2;  ///< the square is |x|, |y| <= half_side
  std::int64_t side = 100;

  [[nodiscard]] double spacing() const { return 2 * half_side / static_cast<double>(side); }
  [[nodiscard]] double cell() const { return spacing() * spacing(); }
  /// Centre of column or row i.
  [[nodiscard]] double at(std::int64_t i) const {
    return (static_cast<double>(i) + 0.5) * spacing() - half_side;
  }
  /// Centres row by row from (-half_side, -half_side). @return [side * side,2] double: (x, y)
  [[nodiscard]] at::Tensor points() const;
};

/// grad log q(x_t) of a denoiser at points of the plane: the force -grad U of U = -log q at k_B T =
/// 1 (thesis sect. 2.3.2, fig. 2.5).
/// @param points [N,2] floating
/// @return [N,2] double. A network answers in single precision.
at::Tensor score_at(const process::Denoiser& denoiser, const process::NoiseLevel& level,
                    const at::Tensor& points);

/// The gradient of a function of the plane by central differences of fourth order, (8 (f(x + h) -
/// f(x - h)) - (f(x + 2 h) - f(x - 2 h))) / (12 h): off by h^4 / 30 times the fifth derivative and
/// by rounding over h.
/// @param f      [N,2] double -> [N] double
/// @param points [N,2] double @return [N,2] double
at::Tensor gradient_by_differences(const std::function<at::Tensor(const at::Tensor&)>& f,
                                   const at::Tensor& points, double h);

/// Follows a field without noise, x <- x + step field(x): what section 2.3.2 of the thesis calls
/// following the score alone. @param x [N,2] double @return [N,2] double
at::Tensor follow(const std::function<at::Tensor(const at::Tensor&)>& field, at::Tensor x,
                  double step, std::int64_t steps);

}  // namespace tinta::physics
