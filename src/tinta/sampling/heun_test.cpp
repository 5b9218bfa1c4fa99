// Heun's method on the probability-flow ODE, where that can be solved by hand.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "tinta/process/edm.h"
#include "tinta/process/exact.h"
#include "tinta/sampling/sampler.h"
#include "tinta/sampling/test_support.h"

namespace tinta::sampling {
namespace {

process::EdmSchedule edm(std::int64_t steps) {
  return process::EdmSchedule({.schedule = "edm", .steps = steps});
}

at::Tensor solved(const process::Schedule& schedule, const process::Denoiser& denoiser, int steps,
                  const at::Tensor& start) {
  const Chain chain{schedule, denoiser, no_noise};
  return heun(chain, {.clip_x0 = false}, time_steps(schedule.steps(), steps), start);
}

/// The last step, from sigma_min to 0, is a single one of Euler's: what it leaves out is of its own
/// size, and far below what is looked for.
double gaussian_error(std::int64_t steps) {
  const process::EdmSchedule schedule = edm(steps);
  const double spread = 0.3;
  const FunctionDenoiser denoiser = gaussian_denoiser(0, spread);
  const double x = solved(schedule, denoiser, schedule.steps(), doubles({80})).item<double>();
  // dx / dsigma = x sigma / (sigma^2 + spread^2): x falls as the deviation of x_t does.
  return std::abs(x - 80 * spread / std::hypot(80, spread));
}

TEST(Heun, OfAGaussianHasTheClosedFormAndSecondOrder) {
  EXPECT_LT(gaussian_error(18), 0.025);
  const double coarse = gaussian_error(40), fine = gaussian_error(80);
  EXPECT_GT(coarse / fine, 3.5);
  EXPECT_LT(coarse / fine, 4.6);
}

TEST(Heun, Of18StepsTakes35Evaluations) {
  int asked = 0;
  const FunctionDenoiser denoiser(
      process::Prediction::x0,
      [&](const at::Tensor& x_t, const process::NoiseLevel&) -> at::Tensor {
        ++asked;
        return x_t * 0;
      });
  const process::EdmSchedule schedule = edm(18);
  const at::Tensor x = solved(schedule, denoiser, 18, doubles({80}));
  EXPECT_EQ(asked, 35);
  EXPECT_NEAR(x.item<double>(), 0, 1e-12);
}

// A variance-preserving schedule of the same sigmas is the same ODE in y = x / a.
TEST(Heun, DoesNotDependOnTheScaleOfTheProcess) {
  const process::VpSchedule vp(process::LinearBeta{});
  class Exploding : public process::Schedule {
   public:
    explicit Exploding(const process::VpSchedule& scaled) : vp_(&scaled) {}
    [[nodiscard]] int steps() const noexcept override { return vp_->steps(); }
    [[nodiscard]] process::NoiseLevel level(int t) const override {
      const process::NoiseLevel level = vp_->level(t);
      return {.a = 1, .s = level.s / level.a, .time = level.time};
    }
    [[nodiscard]] double alpha_bar(int t) const override { return vp_->alpha_bar(t); }
    [[nodiscard]] process::Transition transition(int, int) const override { return {}; }
    [[nodiscard]] process::PosteriorCoefficients posterior(int, int) const override { return {}; }
    [[nodiscard]] double prior_deviation() const override { return level(steps()).s; }

   private:
    const process::VpSchedule* vp_;
  };
  const Exploding exploding(vp);
  const process::GaussianMixtureDenoiser denoiser(
      doubles({0.4, 0.6}), doubles({-0.5, 0.8}).unsqueeze(1), doubles({0.1, 0.2}));
  const at::Tensor start = doubles({-1.3, 0.1, 0.9}).unsqueeze(1);
  const at::Tensor small = solved(vp, denoiser, 50, start);
  const at::Tensor large = solved(exploding, denoiser, 50, start / vp.level(1000).a);
  EXPECT_LT(largest_difference(small, large), 1e-9);
}

// All samplers end at the same pictures where the same noise leads there: Euler's and Heun's
// methods of the same ODE, with many steps. (From -20 the paths part between the two components,
// and no two methods agree.)
TEST(Heun, AgreesWithDdimOnEdmsProcess) {
  const process::GaussianMixtureDenoiser denoiser(
      doubles({0.4, 0.6}), doubles({-0.5, 0.8}).unsqueeze(1), doubles({0.1, 0.2}));
  const at::Tensor start = doubles({-90, 5, 60, 150}).unsqueeze(1);
  const process::EdmSchedule schedule = edm(2000);
  const Chain chain{schedule, denoiser, no_noise};
  const config::SamplingConfig euler{.sampler = "ddim", .eta = 0, .clip_x0 = false};
  const at::Tensor first = ddim(chain, euler, time_steps(2000, 2000), start);
  EXPECT_LT(largest_difference(first, solved(schedule, denoiser, 2000, start)), 5e-3);
  EXPECT_LT(largest_difference(solved(edm(200), denoiser, 200, start),
                               solved(schedule, denoiser, 2000, start)),
            2e-3);
}

// x_T alone decides, through F as through x_0.
TEST(Heun, TakesAnyMeaningOfTheOutput) {
  const FunctionDenoiser by_x0 = gaussian_denoiser(0.2, 0.3);
  const FunctionDenoiser by_f(
      process::Prediction::edm,
      [&](const at::Tensor& x_t, const process::NoiseLevel& level) -> at::Tensor {
        return process::convert(by_x0.predict(x_t, level), process::Prediction::x0,
                                process::Prediction::edm, x_t, level);
      });
  const process::EdmSchedule schedule = edm(18);
  const at::Tensor start = doubles({-70, 3, 95});
  EXPECT_LT(
      largest_difference(solved(schedule, by_x0, 18, start), solved(schedule, by_f, 18, start)),
      1e-9);
}

}  // namespace
}  // namespace tinta::sampling
