#include "tinta/training/power_ema.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::training {

double relative_width(double gamma) { return std::sqrt((gamma + 1) / (gamma + 3)) / (gamma + 2); }

double gamma_of(double width) {
  constexpr double kWidest = 0.28;  // gamma = 0 has 0.2887
  if (!(width > 0 && width <= kWidest)) {
    throw ArgumentError("[gamma_of] expected a relative width in (0, " + shortest(kWidest) +
                        "], got " + shortest(width));
  }
  // The width is below 1 / gamma, so this brackets it; it falls with gamma.
  double low = 0;
  double high = 1 / width;
  for (int i = 0; i < 200 && low < high; ++i) {
    const double middle = low + (high - low) / 2;
    if (middle == low || middle == high) break;
    (relative_width(middle) > width ? low : high) = middle;
  }
  return low + (high - low) / 2;
}

double power_ema_decay(std::uint64_t step, double gamma) {
  return std::pow(1 - 1 / static_cast<double>(step), gamma + 1);
}

// With t = min(t_a, t_b): integral of (g_a + 1) (g_b + 1) tau^(g_a + g_b) over [0, t], divided by
// t_a^(g_a + 1) t_b^(g_b + 1). The powers are taken of ratios, which do not overflow.
double inner_product(const Profile& a, const Profile& b) {
  const Profile& sooner = a.step < b.step ? a : b;
  const Profile& later = a.step < b.step ? b : a;
  const double ratio = sooner.step / later.step;
  return (a.gamma + 1) * (b.gamma + 1) / (a.gamma + b.gamma + 1) * std::pow(ratio, later.gamma) /
         later.step;
}

Combination combination(const std::vector<Profile>& there, const Profile& wanted) {
  if (there.empty()) throw ArgumentError("[combination] expected an average or more, got none");
  const auto count = static_cast<std::int64_t>(there.size());
  // Everything is divided by the norms of the profiles, so that the early ones, which are high and
  // narrow, weigh no more than the late ones: weights[i] = x[i] * scale[i].
  const auto norm = [](const Profile& p) { return std::sqrt(inner_product(p, p)); };
  at::Tensor products = at::empty({count, count}, at::kDouble);
  at::Tensor with_wanted = at::empty({count}, at::kDouble);
  at::Tensor scale = at::empty({count}, at::kDouble);
  for (std::int64_t i = 0; i < count; ++i) {
    const Profile& a = there[static_cast<std::size_t>(i)];
    scale.mutable_data_ptr<double>()[i] = norm(wanted) / norm(a);
    with_wanted.mutable_data_ptr<double>()[i] = inner_product(a, wanted) / (norm(a) * norm(wanted));
    for (std::int64_t j = 0; j < count; ++j) {
      const Profile& b = there[static_cast<std::size_t>(j)];
      products.mutable_data_ptr<double>()[i * count + j] =
          inner_product(a, b) / (norm(a) * norm(b));
    }
  }
  // Profiles of neighbouring steps are nearly alike. What tells them apart by rounding errors alone
  // is left out, so that no weight grows large for another to cancel.
  constexpr double kSmallest = 1e-12;
  const at::Tensor inverse = at::linalg_pinv(products, kSmallest, /*hermitian=*/true);
  const at::Tensor free = inverse.matmul(with_wanted);  // as it would be without the sum of 1
  const at::Tensor shift = inverse.matmul(scale);
  const double multiplier = (free.dot(scale).item<double>() - 1) / shift.dot(scale).item<double>();
  const at::Tensor x = free - multiplier * shift;
  const at::Tensor weights = (x * scale).contiguous();
  const double left =
      1 - 2 * x.dot(with_wanted).item<double>() + x.dot(products.matmul(x)).item<double>();
  const double* const first = weights.const_data_ptr<double>();
  return {.weights = {first, first + count}, .residual = std::sqrt(std::max(left, 0.0))};
}

}  // namespace tinta::training
