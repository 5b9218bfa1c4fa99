#include "tinta/physics/score_field.h"

#include <ATen/ATen.h>

#include "tinta/core/error.h"

namespace tinta::physics {

at::Tensor PlaneGrid::points() const {
  if (side < 1 || !(half_side > 0)) {
    throw ArgumentError(c10::str("[PlaneGrid] expected a side of at least 1 and a positive half ",
                                 "side, got ", side, " and ", half_side));
  }
  const at::Tensor axis = (at::arange(side, at::kDouble) + 0.5) * spacing() - half_side;
  const at::Tensor x = axis.unsqueeze(0).expand({side, side});
  const at::Tensor y = axis.unsqueeze(1).expand({side, side});
  return at::stack({x, y}, 2).reshape({side * side, 2});
}

at::Tensor score_at(const process::Denoiser& denoiser, const process::NoiseLevel& level,
                    const at::Tensor& points) {
  const bool exact = dynamic_cast<const process::NetworkDenoiser*>(&denoiser) == nullptr;
  const at::Tensor x =
      points.to(exact ? at::kDouble : at::kFloat).reshape({points.size(0), points.size(1), 1, 1});
  return denoiser.score(x, level).reshape(points.sizes()).to(at::kDouble);
}

at::Tensor gradient_by_differences(const std::function<at::Tensor(const at::Tensor&)>& f,
                                   const at::Tensor& points, double h) {
  at::Tensor out = at::empty_like(points);
  for (std::int64_t d = 0; d < points.size(1); ++d) {
    at::Tensor shift = at::zeros({1, points.size(1)}, points.options());
    shift.select(1, d).fill_(h);
    const at::Tensor near = f(points + shift) - f(points - shift);
    const at::Tensor far = f(points + shift * 2) - f(points - shift * 2);
    out.select(1, d).copy_((near * 8 - far) / (12 * h));
  }
  return out;
}

at::Tensor follow(const std::function<at::Tensor(const at::Tensor&)>& field, at::Tensor x,
                  double step, std::int64_t steps) {
  for (std::int64_t i = 0; i < steps; ++i) x = x + field(x) * step;
  return x;
}

}  // namespace tinta::physics
