#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <vector>

#include "tinta/figures/figure.h"
#include "tinta/figures/render.h"
#include "tinta/lab/row.h"
#include "tinta/process/forward.h"
#include "tinta/process/schedule.h"

namespace tinta::lab {

/// One step of the chain; process::forward_step but where a test breaks it.
using ForwardStep = at::Tensor (*)(const process::VpSchedule&, const at::Tensor&, int,
                                   const at::Tensor&);

/// A gas in the plane in the well U = |x - x_0|^2 / 2 (thesis eqs. 2.2-2.4).
struct HeatedGas {
  process::VpSchedule schedule;
  std::int64_t particles = 100'000;
  std::array<double, 2> x0 = {2, 1};
  ForwardStep step = process::forward_step;
  int substeps = 4;           ///< of the literal gas, for each t: 4000 / T
  double time_step = 0.0125;  ///< of each, in units of the well's relaxation time
  int frames = 60;            ///< of the animation, about; 0: none
  double noise_factor = 1;    ///< of the literal gas; other values break the check on purpose

  [[nodiscard]] double beta0() const { return schedule.beta(1); }
};

/// The thesis's schedule, beta from 1e-4 to 0.02, at T = 1000; at another T, betas are scaled by
/// 1000 / T so that alpha_bar_T stays. @throws ArgumentError where beta_T would reach 1
process::VpSchedule heating_schedule(std::int64_t steps);

/// What was seen of a gas at t = 0..T, and what its recursion says.
struct GasRecord {
  std::vector<double> exact_variance;               ///< T + 1
  std::array<std::vector<double>, 2> exact_mean{};  ///< of each coordinate, T + 1
  at::Tensor mean, variance;                        ///< [T + 1, 2] double
  at::Tensor density;  ///< [columns, bins]: the first coordinate's density
  std::vector<double> density_times;
  at::Tensor followed;                ///< [T + 1, 6]: first coordinate of some particles
  std::vector<at::Tensor> scattered;  ///< positions of some particles, for the animation
  std::vector<double> scattered_times;
  at::Tensor start, end;  ///< [N,2] float32

  /// Mean and variance against the recursion, in standard errors. [T + 1, 4]
  [[nodiscard]] at::Tensor deviations() const;
};

/// Range of the first coordinate in GasRecord::density.
inline constexpr double kGasLow = -3.5, kGasHigh = 4.5;
inline constexpr std::int64_t kGasBins = 160;

Result heated_gas(const Context& context, const HeatedGas& gas);

struct Gases {
  GasRecord chain, literal;
};

figures::Figure gas_figure(const Gases& gases, const HeatedGas& gas);
figures::Figure gas_deviation_figure(const Gases& gases, const HeatedGas& gas, double critical);
figures::Animation gas_animation(const Gases& gases, const HeatedGas& gas);

}  // namespace tinta::lab
