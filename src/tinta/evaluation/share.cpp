#include "tinta/evaluation/share.h"

#include <ATen/ATen.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <cmath>

#include "tinta/core/error.h"
#include "tinta/core/statistics.h"
#include "tinta/core/text.h"

namespace tinta::evaluation {
namespace {

void require_labels(const char* name, const at::Tensor& labels, std::int64_t count,
                    std::int64_t classes) {
  const bool fits = labels.defined() && labels.dim() == 1 && labels.scalar_type() == at::kLong &&
                    labels.size(0) == count && count > 0 &&
                    labels.min().item<std::int64_t>() >= 0 &&
                    labels.max().item<std::int64_t>() < classes;
  if (!fits) {
    throw ArgumentError(c10::str("[recognition] ", name,
                                 ": expected as many int64 labels as others, "
                                 "at least one, in 0..",
                                 classes - 1, ", got others"));
  }
}

}  // namespace

double Share::standard_error() const {
  const double n = static_cast<double>(of);
  const double p = std::clamp(value(), 1 / n, 1 - 1 / n);
  return std::sqrt(p * (1 - p) / n);
}

std::pair<double, double> Share::interval() const {
  const double z = normal_quantile(0.975);
  const double n = static_cast<double>(of), p = value();
  const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {middle - half, middle + half};
}

std::string Share::text() const {
  const auto percent = [](double share) { return fixed(100 * share, 1) + "%"; };
  const auto [low, high] = interval();
  return percent(value()) + " (" + percent(low) + " to " + percent(high) + ")";
}

Share agreement(const at::Tensor& labels, const at::Tensor& others) {
  return {.hits = (labels == others).sum().item<std::int64_t>(), .of = labels.size(0)};
}

Recognition recognition(const at::Tensor& asked, const at::Tensor& recognised,
                        std::int64_t classes) {
  const std::int64_t count = recognised.defined() ? recognised.numel() : 0;
  require_labels("asked", asked, count, classes);
  require_labels("recognised", recognised, count, classes);
  Recognition found{.all = agreement(asked, recognised)};
  found.confusion =
      at::bincount(asked * classes + recognised, {}, classes * classes).view({classes, classes});
  const at::Tensor totals = found.confusion.sum(1);
  for (std::int64_t k = 0; k < classes; ++k) {
    found.by_class.push_back(
        {.hits = found.confusion[k][k].item<std::int64_t>(), .of = totals[k].item<std::int64_t>()});
  }
  return found;
}

}  // namespace tinta::evaluation
