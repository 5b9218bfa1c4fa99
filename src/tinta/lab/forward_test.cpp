#include "tinta/lab/forward.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "tinta/core/error.h"
#include "tinta/core/statistics.h"
#include "tinta/lab/rows.h"
#include "tinta/lab/write.h"
#include "tinta/process/forward.h"

namespace tinta::lab {
namespace {

Context quick(std::uint64_t seed = 0) { return {.seed = seed, .effort = Effort::quick}; }

const Check& check(const Result& result, const std::string& words) {
  for (const Check& one : result.checks) {
    if (one.what.find(words) != std::string::npos) return one;
  }
  throw std::runtime_error("no check of " + words);
}

/// The recursion with its noise's amplitude off by a factor.
ForwardFormulas louder(double factor) {
  ForwardFormulas formulas = forward_formulas();
  formulas.step = [factor](const process::VpSchedule& schedule, const at::Tensor& x, int t,
                           const at::Tensor& noise) {
    return process::forward_step(schedule, x, t, noise * factor);
  };
  return formulas;
}

/// The recursion without what shrinks x_{t-1}: a random walk, whose variance has no end.
ForwardFormulas unshrunk() {
  ForwardFormulas formulas = forward_formulas();
  formulas.step = [](const process::VpSchedule& schedule, const at::Tensor& x, int t,
                     const at::Tensor& noise) { return x + noise * std::sqrt(schedule.beta(t)); };
  return formulas;
}

/// The jump with alpha_t for alpha_bar_t.
ForwardFormulas misprinted_jump() {
  ForwardFormulas formulas = forward_formulas();
  formulas.jump = [](const process::VpSchedule& schedule, const at::Tensor& x0, int t,
                     const at::Tensor& noise) {
    const double alpha = schedule.alpha(t);
    return process::add_noise({.a = std::sqrt(alpha), .s = std::sqrt(1 - alpha)}, x0, noise);
  };
  return formulas;
}

TEST(ForwardStrip, Holds) {
  Context context = quick();
  context.steps = 200;
  const Result result = forward_strip(context);
  EXPECT_EQ(status_of(result), Status::pass) << to_text("forward-strip", result);
  EXPECT_NE(result.reading.find("not pure noise"), std::string::npos);
  EXPECT_GE(result.animation->frames.size(), 20);
  for (const Check& one : result.checks) {
    for (const std::string& name : one.arrays) EXPECT_TRUE(result.arrays.contains(name)) << name;
  }
}

TEST(ForwardStrip, TakesTheCosineScheduleAndEndsInNoise) {
  Context context = quick(3);
  context.steps = 150;
  context.overrides = {"process.schedule=cosine"};
  const Result result = forward_strip(context);
  EXPECT_EQ(status_of(result), Status::pass) << to_text("forward-strip", result);
  EXPECT_NO_THROW((void)check(result, "distance of x_T from N(0, 1)"));
}

// What the file holds is enough to compute the residuals' distance again.
TEST(ForwardStrip, ArraysGiveItsResiduals) {
  Context context = quick(1);
  context.steps = 60;
  const Result result = forward_strip(context);
  const at::Tensor& t = result.arrays.at("t");
  double most = 0;
  for (std::int64_t i = 1; i < t.numel(); ++i) {
    const double alpha_bar =
        result.arrays.at("alpha_bar")[t[i].item<std::int64_t>()].item<double>();
    const at::Tensor x = result.arrays.at("x")[i].to(at::kDouble);
    const at::Tensor x0 = result.arrays.at("x0").to(at::kDouble);
    most = std::max(
        most, distance_from_normal((x - x0 * std::sqrt(alpha_bar)) / std::sqrt(1 - alpha_bar)));
  }
  EXPECT_NEAR(check(result, "Kolmogorov distance of the standardised residuals").value, most, 1e-6);
}

TEST(ForwardStrip, FailsWhenTheRecursionIsBroken) {
  Context context = quick();
  context.steps = 40;
  for (const ForwardFormulas& broken : {louder(1.05), unshrunk()}) {
    EXPECT_EQ(status_of(forward_strip(context, broken)), Status::fail);
  }
}

TEST(ForwardStrip, TakesPicturesOfAnySize) {
  Context context = quick();
  context.steps = 20;
  for (const auto& sizes : {std::array<std::int64_t, 3>{1, 1, 1}, {3, 2, 700}, {1, 300, 5}}) {
    context.image = at::full({sizes[0], sizes[1], sizes[2]}, 200, at::kByte);
    const Result result = forward_strip(context);
    EXPECT_EQ(status_of(result), Status::pass) << to_text("forward-strip", result);
    EXPECT_LE(result.arrays.at("x0").size(2), 64);
  }
}

TEST(ForwardCondor, HoldsAndSaysWhatIsLeft) {
  Context context = quick();
  context.image = at::arange(48 * 48).reshape({1, 48, 48}).remainder(251).to(at::kByte);
  const Result result = forward_condor(context);
  EXPECT_EQ(status_of(result), Status::pass) << to_text("forward-condor", result);
  EXPECT_NE(result.reading.find("36%"), std::string::npos) << result.reading;
  EXPECT_EQ(result.figures[0].figure.panels.size(), 12);
}

TEST(ForwardCondor, FailsWhenTheRecursionIsBroken) {
  Context context = quick();
  context.image = at::arange(48 * 48).reshape({1, 48, 48}).remainder(251).to(at::kByte);
  for (const ForwardFormulas& broken : {louder(1.1), unshrunk()}) {
    EXPECT_EQ(status_of(forward_condor(context, broken)), Status::fail);
  }
}

TEST(ForwardCondor, TakesAPictureOfOneColour) {
  Context context = quick();
  context.image = at::full({3, 20, 30}, 255, at::kByte);
  const Result result = forward_condor(context);
  EXPECT_EQ(status_of(result), Status::pass) << to_text("forward-condor", result);
}

TEST(ClosedForm, Holds) {
  Context context = quick();
  context.steps = 25;
  const Result result = closed_form(context);
  EXPECT_EQ(status_of(result), Status::pass) << to_text("closed-form", result);
}

TEST(ClosedForm, ArraysGiveItsDeviations) {
  Context context = quick(2);
  context.steps = 20;
  const Result result = closed_form(context);
  const auto draws = result.arrays.at("draws")[0].item<double>();
  const at::Tensor covariance = result.arrays.at("jump_covariance");
  const at::Tensor mean = result.arrays.at("jump_mean");
  double most = (mean.abs().max() * std::sqrt(draws)).item<double>();
  for (std::int64_t k = 0; k < covariance.size(0); ++k) {
    for (std::int64_t i = 0; i < 16; ++i) {
      for (std::int64_t j = 0; j <= i; ++j) {
        const double entry = covariance[k][i][j].item<double>();
        most = std::max(most, std::abs(i == j ? chi_square_deviations(entry * draws, draws)
                                              : entry * std::sqrt(draws)));
      }
    }
  }
  EXPECT_NEAR(check(result, "by the jump from thesis").value, most, 1e-9);
}

TEST(ClosedForm, FailsWhenEitherWayIsBroken) {
  Context context = quick();
  context.steps = 20;
  for (const ForwardFormulas& broken : {louder(1.05), unshrunk(), misprinted_jump()}) {
    EXPECT_EQ(status_of(closed_form(context, broken)), Status::fail);
  }
}

// Steps whose noise is the same for two pixels leave every variance right: the matrix shows it.
TEST(ClosedForm, SeesACovarianceBetweenPixels) {
  Context context = quick();
  context.steps = 20;
  ForwardFormulas formulas = forward_formulas();
  formulas.step = [](const process::VpSchedule& schedule, const at::Tensor& x, int t,
                     const at::Tensor& noise) {
    at::Tensor shared = noise.clone();
    shared.select(1, 3).copy_(noise.select(1, 4));
    return process::forward_step(schedule, x, t, shared);
  };
  const Result result = closed_form(context, formulas);
  EXPECT_FALSE(check(result, "by the recursion from thesis").pass());
  EXPECT_FALSE(check(result, "tail of all entries of a step together, by the recursion").pass());
}

}  // namespace
}  // namespace tinta::lab
