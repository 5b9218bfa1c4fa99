#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

// Whether two sets of points in the plane come from one density.

namespace tinta::lab {

/// Directions spread evenly over half a turn. @return [count,2] double
at::Tensor spread_directions(std::int64_t count);

/// Kolmogorov's distance between the two samples' projections on each direction.
/// @param a [N,2], b [M,2] floating, directions [K,2] @return [K] double
at::Tensor projected_ks(const at::Tensor& a, const at::Tensor& b, const at::Tensor& directions);

/// What the largest of `directions` such distances between independent samples of one density
/// exceeds with a probability of at most `error_rate`: the two-sample bound of Wei and Dudley 2012
/// (for equal sizes of at least 458 its constant is 2, as Massart's), and Bonferroni's over the
/// directions. @param count size of each sample. @throws ArgumentError below 458
double projected_ks_critical(std::int64_t count, std::int64_t directions, double error_rate);

}  // namespace tinta::lab
