#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "tinta/lab/row.h"
#include "tinta/process/schedule.h"

// The rows that watch the forward process. They take the program's two formulas as arguments, so
// that a test can show that broken ones do not pass.

namespace tinta::lab {

struct ForwardFormulas {
  /// x_{t-1} -> x_t (thesis eq. 2.1)
  std::function<at::Tensor(const process::VpSchedule&, const at::Tensor& x_previous, int t,
                           const at::Tensor& noise)>
      step;
  /// x_0 -> x_t (thesis eqs. 2.7, 2.15)
  std::function<at::Tensor(const process::VpSchedule&, const at::Tensor& x0, int t,
                           const at::Tensor& noise)>
      jump;
};

/// forward_step() and add_noise() of process/forward.h.
ForwardFormulas forward_formulas();

Result forward_strip(const Context& context, const ForwardFormulas& formulas);
Result forward_condor(const Context& context, const ForwardFormulas& formulas);
Result closed_form(const Context& context, const ForwardFormulas& formulas);

/// One chain of thesis eq. 2.1, and what each x_t says of eq. 2.7. Index t; [0] is unused.
struct Walk {
  std::vector<double> amplitude;          ///< <x_t, x_0> / <x_0, x_0>; predicted sqrt(alpha_bar_t)
  std::vector<double> residual_mean;      ///< of (x_t - sqrt(alpha_bar_t) x_0) / sqrt(1 -
                                          ///< alpha_bar_t), over all numbers of x; predicted 0
  std::vector<double> residual_variance;  ///< mean square of the same; predicted 1
  std::map<int, at::Tensor> kept;         ///< x_t where it was asked for
};

/// What walk() needs; `seed` and `sample` name the noise: (seed, Stream::lab, sample, t).
struct WalkTask {
  const process::VpSchedule& schedule;
  const at::Tensor& x0;  ///< [C,H,W] float32
  const ForwardFormulas& formulas;
  std::set<int> keep;  ///< each in 0..T
  std::uint64_t sample = 0;
};

/// Goes from x_0 to x_T by task.formulas.step. Stops early when the context says so.
Walk walk(const Context& context, const WalkTask& task);

/// (x_t - sqrt(alpha_bar_t) x_0) / sqrt(1 - alpha_bar_t), double. @param t in 1..T
at::Tensor residuals(const process::VpSchedule& schedule, const at::Tensor& x0,
                     const at::Tensor& x_t, int t);

/// Kolmogorov's distance of a tensor's numbers from N(0, 1).
double distance_from_normal(const at::Tensor& values);

}  // namespace tinta::lab
