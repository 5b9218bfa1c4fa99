#include "tinta/lab/two_sample.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>
#include <string>

#include "tinta/core/error.h"

namespace tinta::lab {

at::Tensor spread_directions(std::int64_t count) {
  const at::Tensor angle =
      at::arange(count, at::kDouble) * (std::numbers::pi / static_cast<double>(count));
  return at::stack({angle.cos(), angle.sin()}, 1);
}

at::Tensor projected_ks(const at::Tensor& a, const at::Tensor& b, const at::Tensor& directions) {
  const at::Tensor turned = directions.to(at::kDouble).t();
  const auto sorted = [&](const at::Tensor& x) {
    return std::get<0>(x.to(at::kDouble).matmul(turned).t().contiguous().sort(1));
  };
  const at::Tensor pa = sorted(a);
  const at::Tensor pb = sorted(b);
  // The distance is greatest just after one of the points of either sample.
  const at::Tensor where = at::cat({pa, pb}, 1);
  const auto share = [&](const at::Tensor& p) {
    return at::searchsorted(p, where, false, true).to(at::kDouble) / static_cast<double>(p.size(1));
  };
  return std::get<0>((share(pa) - share(pb)).abs().max(1));
}

double projected_ks_critical(std::int64_t count, std::int64_t directions, double error_rate) {
  if (count < 458) {
    throw ArgumentError("[projected_ks_critical] expected at least 458 points, got " +
                        std::to_string(count));
  }
  return std::sqrt(std::log(2 * static_cast<double>(directions) / error_rate) /
                   static_cast<double>(count));
}

}  // namespace tinta::lab
