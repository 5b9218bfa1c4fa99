#include "tinta/sampling/sampler.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tinta/config/names.h"
#include "tinta/core/error.h"
#include "tinta/sampling/test_support.h"

namespace tinta::sampling {
namespace {

using config::SamplingConfig;

const process::VpSchedule& schedule() {
  static const process::VpSchedule value(process::LinearBeta{});
  return value;
}

std::vector<SamplingConfig> every_kind() {
  return {{.sampler = "ddpm", .variance = "posterior"},
          {.sampler = "ddpm", .variance = "beta"},
          {.sampler = "ddim", .eta = 0},
          {.sampler = "ddim", .eta = 0.5},
          {.sampler = "ddim", .eta = 1},
          {.sampler = "heun"}};
}

TEST(TimeSteps, FallStrictlyFromStartToZero) {
  for (const auto& [start, count] :
       std::vector<std::pair<int, int>>{{1000, 50}, {1000, 1000}, {1000, 1}, {1, 1}, {997, 600}}) {
    const std::vector<int> ts = time_steps(start, count);
    ASSERT_EQ(ts.size(), static_cast<std::size_t>(count) + 1);
    EXPECT_EQ(ts.front(), start);
    EXPECT_EQ(ts.back(), 0);
    for (std::size_t i = 1; i < ts.size(); ++i) {
      EXPECT_LT(ts[i], ts[i - 1]);
      const double even = start * (1 - static_cast<double>(i) / count);
      EXPECT_LE(std::abs(ts[i] - even), 0.5 + 1e-9);
    }
  }
  EXPECT_EQ(time_steps(10, 4), (std::vector<int>{10, 8, 5, 3, 0}));
}

TEST(TimeSteps, RefuseMoreStepsThanThereAre) {
  EXPECT_THROW(time_steps(10, 11), ArgumentError);
  EXPECT_THROW(time_steps(10, 0), ArgumentError);
  EXPECT_THROW(time_steps(0, 1), ArgumentError);
}

TEST(PhiloxNoise, IsIndependentOfBatchingAndOrder) {
  const NoiseSource whole = philox_noise({6, 1, 3, 3}, 5, 100);
  const NoiseSource head = philox_noise({2, 1, 3, 3}, 5, 100);
  const NoiseSource tail = philox_noise({4, 1, 3, 3}, 5, 102);
  const at::Tensor late = whole(700), early = whole(3);  // in one order here, the other below
  EXPECT_TRUE(early.equal(at::cat({head(3), tail(3)})));
  EXPECT_TRUE(late.equal(at::cat({head(700), tail(700)})));
  EXPECT_TRUE(late.equal(philox_noise({6, 1, 3, 3}, 5, 100)(700))) << "as after a resume";
}

TEST(PhiloxNoise, DiffersBySeedSampleStepAndStream) {
  const at::Tensor z = philox_noise({1, 4}, 5, 100)(7);
  EXPECT_FALSE(z.equal(philox_noise({1, 4}, 6, 100)(7)));
  EXPECT_FALSE(z.equal(philox_noise({1, 4}, 5, 101)(7)));
  EXPECT_FALSE(z.equal(philox_noise({1, 4}, 5, 100)(8)));
  EXPECT_FALSE(z.equal(philox_noise({1, 4}, 5, 100, Stream::denoise_chain)(7)));
  EXPECT_THROW(philox_noise({}, 5, 100), ArgumentError);
}

// The denoiser works number by number, so that no library's reduction can differ with the batch.
TEST(Sampler, ABatchIsTheSameBitsAsItsParts) {
  const FunctionDenoiser denoiser = gaussian_denoiser(0.2, 0.5);
  const std::vector<int> ts = time_steps(1000, 20);
  for (const SamplingConfig& config : every_kind()) {
    const auto run = [&](std::int64_t batch, std::uint64_t first) {
      const at::Tensor start = philox_noise({batch, 1, 4, 4}, 9, first, Stream::sample_start)(0);
      const Chain chain{schedule(), denoiser, philox_noise({batch, 1, 4, 4}, 9, first)};
      return sampler(config.sampler)(chain, config, ts, start);
    };
    const at::Tensor whole = run(8, 40);
    EXPECT_TRUE(whole.equal(at::cat({run(4, 40), run(4, 44)}))) << config.sampler;
    EXPECT_EQ(whole.scalar_type(), at::kFloat);
  }
}

TEST(Sampler, AChainIsTheSameBitsAsItsParts) {
  const FunctionDenoiser denoiser = gaussian_denoiser(0.2, 0.5);
  const Chain chain{schedule(), denoiser, philox_noise({3, 2}, 1, 0)};
  const at::Tensor start = philox_noise({3, 2}, 1, 0, Stream::sample_start)(0);
  for (const SamplingConfig& config : every_kind()) {
    const SampleFunction run = sampler(config.sampler);
    const at::Tensor whole = run(chain, config, {900, 500, 200, 0}, start);
    const at::Tensor part = run(chain, config, {900, 500}, start);
    EXPECT_TRUE(whole.equal(run(chain, config, {500, 200, 0}, part)));
  }
}

TEST(Sampler, DrawsNoNoiseAtTheLastStep) {
  const FunctionDenoiser denoiser = gaussian_denoiser(0.2, 0.5);
  for (const SamplingConfig& config : every_kind()) {
    std::multiset<std::uint32_t> asked;
    const Chain chain{schedule(), denoiser, [&](std::uint32_t step) -> at::Tensor {
                        asked.insert(step);
                        if (step == 100) return no_noise(step);
                        return at::ones({2, 3}, at::kDouble);
                      }};
    EXPECT_NO_THROW(sampler(config.sampler)(chain, config, {1000, 400, 100, 0},
                                            at::zeros({2, 3}, at::kDouble)));
    const bool deterministic =
        config.sampler == "heun" || (config.sampler == "ddim" && config.eta == 0);
    EXPECT_EQ(asked, deterministic ? std::multiset<std::uint32_t>{}
                                   : (std::multiset<std::uint32_t>{1000, 400}))
        << "once for each other step";
  }
}

// A schedule that leaves nothing of x_0, in one jump: s_s^2 and DDIM's variance then differ by
// rounding alone, to either side.
TEST(Sampler, AJumpFromPureNoiseIsFinite) {
  const process::VpSchedule all(process::LinearBeta{.steps = 1000, .start = 1e-4, .end = 0.1});
  const FunctionDenoiser denoiser = gaussian_denoiser(0.2, 0.5);
  const Chain chain{all, denoiser, philox_noise({4, 3}, 1, 0)};
  for (const SamplingConfig& config : every_kind()) {
    for (int s = 400; s < 1000; s += 25) {
      const at::Tensor x =
          sampler(config.sampler)(chain, config, {1000, s, 0}, philox_noise({4, 3}, 2, 0)(0));
      EXPECT_TRUE(x.isfinite().all().item<bool>()) << config.sampler << " by way of " << s;
    }
  }
}

TEST(Sampler, TellsProgressAfterEachStep) {
  const FunctionDenoiser denoiser = gaussian_denoiser(0.2, 0.5);
  std::vector<std::pair<int, int>> told;
  const Chain chain{schedule(), denoiser, no_noise,
                    [&](int done, int total) { told.emplace_back(done, total); }};
  ddim(chain, {}, {800, 600, 0}, doubles({1}));
  EXPECT_EQ(told, (std::vector<std::pair<int, int>>{{1, 2}, {2, 2}}));
}

// Asked once more after it said yes, this stop would say no: the walk must have ended by then.
TEST(Sampler, StopsBeforeTheStepWhenAsked) {
  const FunctionDenoiser denoiser = gaussian_denoiser(0.2, 0.5);
  const std::vector<int> ts = {900, 800, 600, 400, 0};
  const Chain plain{schedule(), denoiser, no_noise};
  for (std::size_t steps = 0; steps < ts.size(); ++steps) {
    std::size_t asked = 0;
    const Chain chain{schedule(), denoiser, no_noise, {}, [&] { return asked++ == steps; }};
    const at::Tensor x = ddim(chain, {}, ts, doubles({1.5}));
    const std::vector<int> part(ts.begin(), ts.begin() + static_cast<std::ptrdiff_t>(steps) + 1);
    EXPECT_TRUE(x.equal(ddim(plain, {}, part, doubles({1.5})))) << steps << " steps";
  }
}

TEST(Sampler, ClampsTheEstimateOfX0WhenAsked) {
  const FunctionDenoiser wild(
      process::Prediction::x0,
      [](const at::Tensor& x_t, const process::NoiseLevel&) -> at::Tensor { return x_t * 0 + 3; });
  const Chain chain{schedule(), wild, constant_noise(at::zeros({1}, at::kDouble))};
  const at::Tensor x = at::ones({1}, at::kDouble);
  for (SamplingConfig config : every_kind()) {
    config.clip_x0 = true;
    EXPECT_NEAR(sampler(config.sampler)(chain, config, {500, 100, 0}, x).item<double>(), 1, 1e-14);
    config.clip_x0 = false;
    EXPECT_NEAR(sampler(config.sampler)(chain, config, {500, 100, 0}, x).item<double>(), 3, 1e-14);
  }
}

TEST(Sampler, RefusesABadWalk) {
  const FunctionDenoiser denoiser = gaussian_denoiser(0, 1);
  const at::Tensor x = at::zeros({2, 3}, at::kDouble);
  const Chain chain{schedule(), denoiser, constant_noise(at::zeros({3, 2}, at::kDouble))};
  for (const SamplingConfig& config : every_kind()) {
    const SampleFunction run = sampler(config.sampler);
    EXPECT_THROW(run(chain, config, {}, x), ArgumentError);
    EXPECT_THROW(run(chain, config, {1001, 0}, x), ArgumentError);
    EXPECT_THROW(run(chain, config, {10, -1}, x), ArgumentError);
    EXPECT_THROW(run(chain, config, {10, 10, 0}, x), ArgumentError);
    EXPECT_THROW(run(chain, config, {10, 20, 0}, x), ArgumentError);
    EXPECT_THROW(run(chain, config, {10, 0}, {}), ArgumentError);
    EXPECT_THROW(run(chain, config, {10, 0}, x.to(at::kInt)), ArgumentError);
  }
  EXPECT_THROW(ddpm(chain, {}, {20, 10}, x), ArgumentError) << "noise of another shape";
}

TEST(Sampler, RefusesABadConfig) {
  const FunctionDenoiser denoiser = gaussian_denoiser(0, 1);
  const Chain chain{schedule(), denoiser, no_noise};
  const at::Tensor x = at::zeros({2}, at::kDouble);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(ddpm(chain, {.variance = "beeta"}, {10, 0}, x), ArgumentError);
  EXPECT_THROW(ddim(chain, {.eta = -0.1}, {10, 0}, x), ArgumentError);
  EXPECT_THROW(ddim(chain, {.eta = 1.1}, {10, 0}, x), ArgumentError);
  EXPECT_THROW(ddim(chain, {.eta = nan}, {10, 0}, x), ArgumentError);
}

// The front validates names without torch, so it keeps a list of its own.
TEST(Sampler, NamesAreThoseThatAConfigMayHold) {
  EXPECT_THAT(sampler_names(), testing::UnorderedElementsAreArray(config::sampler_names()));
  const FunctionDenoiser denoiser = gaussian_denoiser(0, 1);
  const Chain chain{schedule(), denoiser, no_noise};
  for (const std::string& variance : config::variance_names()) {
    EXPECT_NO_THROW(ddpm(chain, {.variance = variance}, {10, 0}, doubles({0}))) << variance;
  }
}

TEST(Sampler, NamesFindTheirFunctions) {
  EXPECT_EQ(sampler("ddpm"), &ddpm);
  EXPECT_EQ(sampler("ddim"), &ddim);
  EXPECT_EQ(sampler("heun"), &heun);
  try {
    sampler("dddim");
    FAIL() << "an unknown sampler was accepted";
  } catch (const ArgumentError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean \"ddim\"?"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace tinta::sampling
