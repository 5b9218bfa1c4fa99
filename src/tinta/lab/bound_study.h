#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tinta/lab/bound_quadrature.h"
#include "tinta/lab/reverse_forms.h"
#include "tinta/lab/row.h"

// The variational bound of a mixture on the line for two denoisers: its terms by integration, by
// the program on the same nodes, and by the program over draws.

namespace tinta::lab {

/// One denoiser and what it gives at the steps that are watched, in the order of
/// BoundStudy::watched.
struct BoundModel {
  std::string name;
  double scale = 1, shift = 0;  ///< eps_theta = scale E[eps | x_t] + shift
  std::vector<double> kl{}, gradients{}, equal_kl{}, equal_gradients{};  ///< by integration
  std::vector<double> program{};                                         ///< on the same nodes
  std::vector<double> simple{};            ///< mean of |eps - eps_theta|^2
  std::vector<double> sampled{}, error{};  ///< the program's over draws, its standard error
  double prior = 0, prior_integral = 0;    ///< L_T
  double reconstruction = 0, reconstruction_integral = 0;  ///< L_0
  double bound = 0;            ///< the sum of all T + 1 terms, variance beta_t
  double bound_posterior = 0;  ///< variance beta-tilde_t
};

struct BoundStudy {
  const Context& context;
  const LossFormulas& formulas;
  process::VpSchedule schedule;
  LineMixture mixture{};
  process::GaussianMixtureDenoiser denoiser = mixture.denoiser();
  Nodes nodes = nodes_of(mixture);
  std::vector<int> watched{};
  std::vector<double> weight{}, constant{};  ///< of thesis eq. 2.19; what 2.13 drops
  std::array<BoundModel, 2> models{BoundModel{.name = "exact"},
                                   BoundModel{.name = "perturbed", .scale = 0.7, .shift = 0.3}};

  /// eps_theta of [B] states
  [[nodiscard]] at::Tensor predict(const BoundModel& model, const at::Tensor& x_t, int t) const;
};

/// Fills the watched steps and both models. Gives up early when the context says so.
/// @param watched at most so many steps, from 2 to T
/// @param draws   for BoundModel::sampled
void work_out(BoundStudy& study, int watched, std::int64_t draws);

}  // namespace tinta::lab
