#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "tinta/lab/row.h"
#include "tinta/process/schedule.h"

// The rows that check the algebra of the reverse step. They take the program's formulas as
// arguments, so that a test can show that broken ones do not pass.

namespace tinta::lab {

/// q(x_{t-1} | x_t, x_0). @param t in 1..T
using PosteriorFormula =
    std::function<process::PosteriorCoefficients(const process::VpSchedule&, int t)>;

/// Lab eq. 4, as the program has it: VpSchedule::posterior().
PosteriorFormula posterior_formula();

/// Thesis eq. 2.11 as printed, with sqrt(alpha_bar_t) in both factors of the mean: wrong.
process::PosteriorCoefficients printed_posterior(const process::VpSchedule& schedule, int t);

Result posterior(const Context& context, const PosteriorFormula& formula);

struct MeanFormulas {
  PosteriorFormula by_x0;  ///< lab eq. 4
  /// lab eq. 6
  std::function<process::EpsMeanCoefficients(const process::VpSchedule&, int t)> by_eps;
};
MeanFormulas mean_formulas();

Result mean_forms(const Context& context, const MeanFormulas& formulas);

struct LossFormulas {
  /// What one unit of |eps - eps_theta|^2 adds to L_{t-1} (thesis eq. 2.19)
  std::function<double(const process::VpSchedule&, int t)> weight;
  /// L_{t-1} of each row, its reverse step of variance beta_t: VariationalBound::transition()
  std::function<at::Tensor(const process::VpSchedule&, int t, const at::Tensor& x0,
                           const at::Tensor& x_t, const at::Tensor& eps)>
      transition;
};
LossFormulas loss_formulas();

Result loss_weights(const Context& context, const LossFormulas& formulas);

}  // namespace tinta::lab
