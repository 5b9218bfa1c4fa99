#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

// What the rows that stand on samples say their verdicts with.

namespace tinta::lab {

/// Standard errors that a statistical check allows, and how often a right program exceeds them.
inline constexpr double kDeviations = 5;
inline constexpr double kErrorRate = 5.7e-7;

/// The seed of a row's own run number `index`: runs of one row share no random number.
std::uint64_t sub_seed(std::uint64_t seed, std::uint64_t index);

/// How many standard deviations a chi-square variable lies from its centre, on the scale on which
/// it is nearly normal: (cbrt(statistic / dof) - (1 - 2 / (9 dof))) / sqrt(2 / (9 dof)).
/// Source: Wilson and Hilferty 1931, "The distribution of chi-square".
double chi_square_deviations(double statistic, double dof);

/// The same of a sample variance of normal values, as a share of the true one.
double variance_deviations(double share, std::int64_t count);

/// Pearson's statistic of counts.
struct ChiSquare {
  double statistic = 0;
  double dof = 0;
  double deviations = 0;  ///< chi_square_deviations(): too small is as suspicious as too large
};
/// @param counts any shape @param expected like counts, positive, with the same sum
ChiSquare chi_square(const at::Tensor& counts, const at::Tensor& expected);

/// Counts of values in cells; what lies beyond the edges is counted in the outermost cells.
/// @param values [N] floating @param edges n + 1, rising @return [n] double
at::Tensor counts_between(const at::Tensor& values, const std::vector<double>& edges);

/// Means over `groups` equal parts of a sample, in order: independent values, however the sample's
/// own moments hang together. @param values [N] with N a multiple of groups @return [groups] double
at::Tensor group_means(const at::Tensor& values, std::int64_t groups);

/// Weights w with sum_k w_k y_k the least-squares slope of y on t, a free intercept beside it.
at::Tensor slope_weights(const std::vector<double>& t);

at::Tensor tensor_of(const std::vector<double>& values);     ///< [n] double
std::vector<double> vector_of(const at::Tensor& values);     ///< flattened
std::vector<double> spaced(double low, double high, int n);  ///< n values, both ends included

/// `value` with `digits` significant ones, for a sentence.
std::string brief(double value, int digits = 4);

}  // namespace tinta::lab
