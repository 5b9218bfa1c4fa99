#include "tinta/lab/verdicts.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "tinta/core/philox.h"

namespace tinta::lab {

std::uint64_t sub_seed(std::uint64_t seed, std::uint64_t index) {
  const auto words = random_block({.seed = seed, .stream = Stream::lab, .sample = index}, 0);
  return std::uint64_t{words[0]} << 32 | words[1];
}

double chi_square_deviations(double statistic, double dof) {
  const double width = 2 / (9 * dof);
  return (std::cbrt(statistic / dof) - (1 - width)) / std::sqrt(width);
}

double variance_deviations(double share, std::int64_t count) {
  const auto dof = static_cast<double>(count - 1);
  return chi_square_deviations(share * dof, dof);
}

ChiSquare chi_square(const at::Tensor& counts, const at::Tensor& expected) {
  const at::Tensor excess = counts.to(at::kDouble) - expected;
  const double statistic = (excess * excess / expected).sum().item<double>();
  const auto dof = static_cast<double>(counts.numel() - 1);
  return {.statistic = statistic, .dof = dof, .deviations = chi_square_deviations(statistic, dof)};
}

at::Tensor counts_between(const at::Tensor& values, const std::vector<double>& edges) {
  const std::vector<double> inner(edges.begin() + 1, edges.end() - 1);
  const at::Tensor cells =
      at::bucketize(values.to(at::kDouble).flatten().contiguous(), tensor_of(inner));
  return at::bincount(cells, {}, static_cast<std::int64_t>(edges.size()) - 1).to(at::kDouble);
}

at::Tensor group_means(const at::Tensor& values, std::int64_t groups) {
  return values.to(at::kDouble).reshape({groups, -1}).mean(1);
}

at::Tensor slope_weights(const std::vector<double>& t) {
  const at::Tensor times = tensor_of(t);
  const at::Tensor centred = times - times.mean();
  return centred / (centred * centred).sum();
}

at::Tensor tensor_of(const std::vector<double>& values) {
  return at::tensor(values, at::TensorOptions().dtype(at::kDouble));
}

std::vector<double> vector_of(const at::Tensor& values) {
  const at::Tensor flat = values.to(at::kDouble).contiguous().flatten();
  const double* data = flat.const_data_ptr<double>();
  return {data, data + flat.numel()};
}

std::vector<double> spaced(double low, double high, int n) {
  std::vector<double> values;
  for (int i = 0; i < n; ++i) values.push_back(low + (high - low) * i / (n - 1));
  return values;
}

std::string brief(double value, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*g", digits, value);
  return text.data();
}

}  // namespace tinta::lab
