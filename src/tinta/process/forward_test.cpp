#include "tinta/process/forward.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "tinta/core/error.h"
#include "tinta/core/philox.h"

namespace tinta::process {
namespace {

at::Tensor normals(at::IntArrayRef sizes, std::uint64_t sample) {
  at::Tensor x = at::empty(sizes, at::kDouble);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    x.mutable_data_ptr<double>()[i] =
        random_normal({.seed = 11, .sample = sample}, static_cast<std::uint32_t>(i));
  }
  return x;
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

// Lab exercise 1: the chain of eq. 1 is linear in x_0 and in each noise, so its mean is what it
// does to x_0 alone, and its variance the sum of the squares of what it does to each noise alone.
TEST(AddNoise, StepsOfTheChainHaveTheMeanAndVarianceOfTheJump) {
  const VpSchedule schedule(LinearBeta{.steps = 50});
  const at::Tensor one = at::ones({1}, at::kDouble), zero = at::zeros({1}, at::kDouble);
  at::Tensor mean = one;
  at::Tensor responses = at::zeros({schedule.steps()}, at::kDouble);  // to each step's noise
  for (int t = 1; t <= schedule.steps(); ++t) {
    mean = forward_step(schedule, mean, t, zero);
    at::Tensor noise = at::zeros_like(responses);
    noise[t - 1] = 1;
    responses = forward_step(schedule, responses, t, noise);
    const auto jump = [&](const at::Tensor& x0, const at::Tensor& eps) {
      return add_noise(schedule, x0, at::full({1}, t, at::kLong), eps).item<double>();
    };
    EXPECT_NEAR(mean.item<double>(), jump(one, zero), 1e-14);
    EXPECT_NEAR(responses.square().sum().item<double>(), std::pow(jump(zero, one), 2), 1e-14);
  }
}

TEST(AddNoise, EveryPictureHasItsOwnStep) {
  const VpSchedule schedule(LinearBeta{});
  const at::Tensor x0 = normals({4, 2, 3, 3}, 0), noise = normals({4, 2, 3, 3}, 1);
  const at::Tensor t = at::tensor({0, 1, 500, 1000}, at::kLong);
  const at::Tensor x_t = add_noise(schedule, x0, t, noise);
  for (int i = 0; i < 4; ++i) {
    const int step = t[i].item<int>();
    const double alpha_bar = schedule.alpha_bar(step);
    const at::Tensor expected = std::sqrt(alpha_bar) * x0[i] + std::sqrt(1 - alpha_bar) * noise[i];
    EXPECT_LT(largest_difference(x_t[i], expected), 1e-13);
    EXPECT_TRUE(x_t[i].equal(add_noise(schedule.level(step), x0[i], noise[i])));
  }
  EXPECT_TRUE(x_t[0].equal(x0[0]));
}

TEST(AddNoise, KeepsTheDtypeAndRoundsCoefficientsOnce) {
  const VpSchedule schedule(LinearBeta{});
  const at::Tensor x0 = normals({3, 5}, 0).to(at::kFloat),
                   noise = normals({3, 5}, 1).to(at::kFloat);
  const at::Tensor t = at::tensor({1, 10, 900}, at::kLong);
  const at::Tensor x_t = add_noise(schedule, x0, t, noise);
  ASSERT_EQ(x_t.scalar_type(), at::kFloat);
  const at::Tensor exact = add_noise(schedule, x0.to(at::kDouble), t, noise.to(at::kDouble));
  // Two products and a sum of numbers below 4, each rounded to 24 bits.
  EXPECT_LT(largest_difference(x_t.to(at::kDouble), exact), 4 * 4 * 0x1p-24);
}

TEST(AddNoise, RefusesWhatDoesNotFit) {
  const VpSchedule schedule(LinearBeta{.steps = 10});
  const at::Tensor x = at::zeros({2, 3}), t = at::ones({2}, at::kLong);
  EXPECT_THROW(add_noise(schedule, x, t, at::zeros({2, 1})), ArgumentError);
  EXPECT_THROW(add_noise(schedule, x, t, at::zeros({2, 3}, at::kDouble)), ArgumentError);
  EXPECT_THROW(add_noise(schedule, x.to(at::kInt), t, x.to(at::kInt)), ArgumentError);
  EXPECT_THROW(add_noise(schedule, x, at::ones({3}, at::kLong), x), ArgumentError);
  EXPECT_THROW(add_noise(schedule, x, at::ones({2}, at::kInt), x), ArgumentError);
  EXPECT_THROW(add_noise(schedule, x, t * 11, x), ArgumentError);
  EXPECT_THROW(add_noise(schedule, x, t * -1, x), ArgumentError);
  EXPECT_THROW(add_noise(schedule.level(1), x, at::zeros({3, 2})), ArgumentError);
  EXPECT_THROW(forward_step(schedule, x, 0, x), ArgumentError);
  EXPECT_THROW(forward_step(schedule, x, 1, at::zeros({2})), ArgumentError);
}

}  // namespace
}  // namespace tinta::process
