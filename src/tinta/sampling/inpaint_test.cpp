#include "tinta/sampling/inpaint.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "tinta/process/exact.h"
#include "tinta/sampling/test_support.h"

// x_0 ~ N(0, [[1, rho], [rho, 1]]), of which the first number is known to be kKnown: the second is
// N(rho kKnown, 1 - rho^2), which is what inpainting should draw. Everything is linear here, so
// that the mean and variance that an algorithm ends with follow from a recursion of a few numbers.

namespace tinta::sampling {
namespace {

constexpr double kRho = 0.8;
constexpr double kKnown = 1;

const process::VpSchedule& schedule() {
  static const process::VpSchedule value(process::LinearBeta{});
  return value;
}

// A matrix [[a, b], [b, a]].
struct Even {
  double a = 0;
  double b = 0;
};

// E[x_0 | x_t] = gain x_t with gain = a C (a^2 C + s^2 I)^-1, by the eigenvalues of C, which are
// 1 + rho and 1 - rho.
Even gain(const process::NoiseLevel& level) {
  const auto of = [&](double variance) {
    return level.a * variance / (level.a * level.a * variance + level.s * level.s);
  };
  const double plus = of(1 + kRho), minus = of(1 - kRho);
  return {.a = (plus + minus) / 2, .b = (plus - minus) / 2};
}

FunctionDenoiser correlated_denoiser() {
  return {process::Prediction::x0,
          [](const at::Tensor& x_t, const process::NoiseLevel& level) -> at::Tensor {
            const Even g = gain(level);
            return x_t.matmul(doubles({g.a, g.b, g.b, g.a}).view({2, 2}));
          }};
}

// The unknown number's mean and variance.
struct Moments {
  double mean = 0;
  double variance = 0;
};

// What the algorithm's draws have, worked out without a draw.
class Propagation {
 public:
  explicit Propagation(const std::vector<int>& ts) : ts_(ts) {}

  Moments run(int resamplings, int jump) {
    const std::vector<int> walk = repaint_walk(static_cast<int>(ts_.size()) - 1, resamplings, jump);
    for (std::size_t i = 1; i < walk.size(); ++i) {
      const int from = ts_[static_cast<std::size_t>(walk[i - 1])];
      const int to = ts_[static_cast<std::size_t>(walk[i])];
      to < from ? down(from, to) : up(from, to);
    }
    return unknown_;
  }

 private:
  // The known number is independent of the unknown one after every step, since it is drawn anew.
  void down(int t, int s) {
    const process::PosteriorCoefficients q = schedule().posterior(s, t);
    const Even g = gain(schedule().level(t));
    const double on_known = q.on_x0 * g.b, on_unknown = q.on_x0 * g.a + q.on_xt;
    unknown_ = {.mean = on_known * known_.mean + on_unknown * unknown_.mean,
                .variance = on_known * on_known * known_.variance +
                            on_unknown * on_unknown * unknown_.variance + q.variance};
    const process::NoiseLevel level = schedule().level(s);
    known_ = {.mean = level.a * kKnown, .variance = level.s * level.s};
  }

  void up(int s, int t) {
    const double beta = schedule().beta(s, t);
    for (Moments* moments : {&known_, &unknown_}) {
      moments->mean *= std::sqrt(1 - beta);
      moments->variance = moments->variance * (1 - beta) + beta;
    }
  }

  std::vector<int> ts_;
  Moments known_{.mean = 0, .variance = 1};
  Moments unknown_{.mean = 0, .variance = 1};
};

Moments moments_of(int count, int resamplings, int jump) {
  return Propagation(time_steps(1000, count)).run(resamplings, jump);
}

Inpainting first_known(double value) {
  return {.known = doubles({value, 0}), .fill = at::tensor(std::vector<int>{0, 1}).to(at::kBool)};
}

at::Tensor fillings(const process::Denoiser& denoiser, const Inpainting& inpainting, int count,
                    std::int64_t samples, std::int64_t first = 0) {
  const std::array<std::int64_t, 2> sizes{samples, 2};
  const Chain chain{schedule(), denoiser,
                    philox_noise(sizes, 7, static_cast<std::uint64_t>(first), Stream::inpaint)};
  const at::Tensor start =
      philox_noise(sizes, 7, static_cast<std::uint64_t>(first), Stream::sample_start)(0).to(
          at::kDouble);
  return inpaint(chain, {.sampler = "ddpm", .clip_x0 = false}, inpainting, time_steps(1000, count),
                 start);
}

TEST(RepaintWalk, IsThePapersSchedule) {
  EXPECT_EQ(repaint_walk(4, 1, 1), (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(repaint_walk(3, 2, 1), (std::vector<int>{0, 1, 0, 1, 2, 1, 2, 3}));
  EXPECT_EQ(repaint_walk(5, 2, 2), (std::vector<int>{0, 1, 2, 0, 1, 2, 3, 4, 2, 3, 4, 5}));
  EXPECT_EQ(repaint_walk(3, 3, 2), (std::vector<int>{0, 1, 2, 0, 1, 2, 0, 1, 2, 3}));
  EXPECT_EQ(repaint_walk(2, 9, 2), (std::vector<int>{0, 1, 2})) << "no room for a jump";
}

TEST(RepaintWalk, RefusesCountsBelowOne) {
  EXPECT_THROW(repaint_walk(0, 1, 1), ArgumentError);
  EXPECT_THROW(repaint_walk(5, 0, 1), ArgumentError);
  EXPECT_THROW(repaint_walk(5, 1, 0), ArgumentError);
}

// 4,000 chains, 5 standard errors each of mean and variance (of a Gaussian: sqrt(2 / n) of it): a
// right program fails with about one seed in 400,000.
TEST(Inpaint, DrawsHaveTheMomentsOfTheRecursion) {
  constexpr std::int64_t kSamples = 4000;
  for (const auto& [resamplings, jump] : {std::pair{1, 1}, std::pair{10, 1}, std::pair{4, 5}}) {
    Inpainting inpainting = first_known(kKnown);
    inpainting.resamplings = resamplings;
    inpainting.jump = jump;
    const at::Tensor x = fillings(correlated_denoiser(), inpainting, 20, kSamples).select(1, 1);
    const Moments expected = moments_of(20, resamplings, jump);
    EXPECT_NEAR(x.mean().item<double>(), expected.mean,
                5 * std::sqrt(expected.variance / kSamples));
    EXPECT_NEAR(x.var().item<double>() / expected.variance, 1, 5 * std::sqrt(2.0 / kSamples));
  }
}

// Without an error of sampling: replacement ignores more than a third of what the known part says,
// RePaint comes to a twentieth with ten resamplings, and nearer with more.
TEST(Inpaint, RepaintNearsTheExactConditionalAndReplacementDoesNot) {
  const double mean = kRho * kKnown, variance = 1 - kRho * kRho;
  const Moments replacement = moments_of(1000, 1, 1);
  EXPECT_LT(replacement.mean, mean - 0.29);
  EXPECT_GT(replacement.variance, variance + 0.12);
  const Moments repaint = moments_of(1000, 10, 1);
  EXPECT_NEAR(repaint.mean, mean, 0.035);
  EXPECT_NEAR(repaint.variance, variance, 0.005);
  const Moments more = moments_of(1000, 40, 1);
  EXPECT_LT(std::abs(more.mean - mean), 0.6 * std::abs(repaint.mean - mean));
}

// Points of which the first number tells two of the three apart from the third, and not from each
// other: no filling belongs to the third, and the two are drawn equally often. 2000 chains, 5
// standard errors.
TEST(Inpaint, FillsInWhatGoesWithTheKnownPart) {
  constexpr std::int64_t kSamples = 2000;
  const process::GaussianMixtureDenoiser denoiser =
      process::finite_set_denoiser(doubles({0.5, 0.7, 0.5, -0.6, -0.5, 0.1}).view({3, 2}));
  Inpainting inpainting = first_known(0.5);
  inpainting.resamplings = 5;
  inpainting.jump = 5;
  const at::Tensor x = fillings(denoiser, inpainting, 50, kSamples).select(1, 1);
  const at::Tensor first = (x - 0.7).abs() < 0.05, second = (x + 0.6).abs() < 0.05;
  EXPECT_TRUE(first.logical_or(second).all().item<bool>());
  EXPECT_NEAR(first.to(at::kDouble).mean().item<double>(), 0.5, 5 * 0.5 / std::sqrt(kSamples));
}

TEST(Inpaint, KeepsTheKnownPartBitForBitAndForgetsWhatLiesUnderTheMask) {
  const FunctionDenoiser denoiser = gaussian_denoiser(0.1, 0.5);
  const std::array<std::int64_t, 4> sizes{3, 1, 4, 4};
  const at::Tensor known = at::linspace(-1, 1, 16, at::kFloat).view({1, 4, 4});
  at::Tensor fill = at::zeros({4, 4}, at::kBool);
  fill.slice(0, 1, 3).fill_(true);
  const Chain chain{schedule(), denoiser, philox_noise(sizes, 3, 0, Stream::inpaint)};
  const auto run = [&](const at::Tensor& x0) {
    return inpaint(chain, {.sampler = "ddim"},
                   {.known = x0, .fill = fill, .resamplings = 2, .jump = 2}, time_steps(1000, 6),
                   at::zeros(sizes, at::kFloat));
  };
  const at::Tensor filled = run(known);
  const at::Tensor wanted = known.expand({3, 1, 4, 4});
  EXPECT_TRUE(at::equal(filled.masked_select(fill.logical_not()),
                        wanted.masked_select(fill.logical_not())));
  EXPECT_TRUE(at::equal(filled, run(known.masked_fill(fill, 0.3))));
  EXPECT_FALSE(at::equal(filled[0], filled[1]));
}

TEST(Inpaint, AFillingDoesNotDependOnTheBatch) {
  Inpainting inpainting = first_known(0.3);
  inpainting.resamplings = 3;
  const FunctionDenoiser denoiser = gaussian_denoiser(0, 1);
  const at::Tensor together = fillings(denoiser, inpainting, 10, 6);
  EXPECT_TRUE(at::equal(together.slice(0, 4), fillings(denoiser, inpainting, 10, 2, 4)));
}

TEST(Inpaint, WithoutAKnownPartItSamples) {
  const FunctionDenoiser denoiser = gaussian_denoiser(0.2, 0.3);
  const at::Tensor start = at::linspace(-1, 1, 4, at::kDouble).view({2, 2});
  const Chain chain{schedule(), denoiser, no_noise};
  const config::SamplingConfig sampling{.sampler = "ddim"};
  const std::vector<int> one_step{1000, 0};
  EXPECT_TRUE(
      at::equal(inpaint(chain, sampling,
                        {.known = at::zeros({2}, at::kDouble), .fill = at::ones({2}, at::kBool)},
                        one_step, start),
                ddim(chain, sampling, one_step, start)));
}

TEST(Inpaint, CountsReverseStepsAndStopsWhenAsked) {
  const FunctionDenoiser denoiser = gaussian_denoiser(0, 1);
  int last = 0, wanted = 0;
  Chain chain{schedule(), denoiser, philox_noise({1, 2}, 0, 0, Stream::inpaint)};
  chain.progress = [&](int done, int total) { last = done, wanted = total; };
  Inpainting inpainting = first_known(0);
  inpainting.resamplings = 3;
  inpainting.jump = 2;
  const auto run = [&] {
    return inpaint(chain, {}, inpainting, time_steps(1000, 6), at::zeros({1, 2}, at::kDouble));
  };
  run();
  EXPECT_EQ(wanted, 6 + 2 * 2 * 2);
  EXPECT_EQ(last, wanted);
  chain.stop = [&] { return last == 3; };
  last = 0;
  run();
  EXPECT_EQ(last, 3);
}

TEST(Inpaint, RefusesWhatDoesNotFit) {
  const FunctionDenoiser denoiser = gaussian_denoiser(0, 1);
  const Chain chain{schedule(), denoiser, philox_noise({1, 2}, 0, 0, Stream::inpaint)};
  const at::Tensor x = at::zeros({1, 2}, at::kDouble);
  const Inpainting good = first_known(0);
  const auto run = [&](const Inpainting& inpainting, const std::vector<int>& ts) {
    return inpaint(chain, {}, inpainting, ts, x);
  };
  EXPECT_NO_THROW(run(good, {10, 0}));
  EXPECT_THROW(run(good, {10, 5}), ArgumentError);
  EXPECT_THROW(run(good, {}), ArgumentError);
  EXPECT_THROW(run({.known = doubles({1, 2, 3}), .fill = good.fill}, {10, 0}), ArgumentError);
  EXPECT_THROW(run({.known = good.known, .fill = doubles({1, 0})}, {10, 0}), ArgumentError);
  EXPECT_THROW(run({.known = good.known, .fill = {}}, {10, 0}), ArgumentError);
  EXPECT_THROW(inpaint(chain, {.sampler = "ddmp"}, good, {10, 0}, x), ArgumentError);
}

}  // namespace
}  // namespace tinta::sampling
