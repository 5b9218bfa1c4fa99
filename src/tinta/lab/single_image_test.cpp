#include "tinta/lab/single_image.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tinta/data/condor.h"
#include "tinta/io/pixels.h"
#include "tinta/lab/rows.h"

namespace tinta::lab {
namespace {

// The row at its smallest: 8 x 8 pixels, a net of two levels, T = 100.
PortraitConfig smallest(std::int64_t steps) {
  PortraitConfig config{.chain_steps = 25};
  config.process.steps = 100;
  config.model = {.image_channels = 3,
                  .channels = 8,
                  .multipliers = {1, 1},
                  .attention_levels = {},
                  .mid_attention = false,
                  .groups = 4};
  config.training = {.steps = steps,
                     .batch = 8,
                     .learning_rate = 1e-2,
                     .warmup_steps = 5,
                     .decay = "cosine",
                     .ema_decay = 0.9};
  return config;
}

at::Tensor picture() { return io::from_bytes(data::draw_condor(8, 8)); }

Result run(const PortraitConfig& config, double wanted = 20, std::int64_t repeats = 1) {
  return single_image_row({.effort = Effort::quick}, config, picture(), repeats, {.psnr = wanted});
}

TEST(SingleImage, LearnsThePictureAndItsChecksFollowFromItsArrays) {
  // So small a net learns it less well than the row asks for.
  const Result result = run(smallest(150), 17);
  EXPECT_TRUE(result.checks[0].pass()) << result.checks[0].value;
  const at::Tensor error = (result.arrays.at("generated_v") - result.arrays.at("x0")).square();
  EXPECT_NEAR(result.checks[0].value,
              10 * std::log10(4 / error.to(at::kDouble).mean().item<double>()), 1e-6);
  EXPECT_NEAR(result.checks[1].value,
              (result.arrays.at("noise_mse_after_v") / result.arrays.at("noise_mse_before_v"))
                  .item<double>(),
              1e-12);
  EXPECT_EQ(result.figures.size(), 3U);
}

TEST(SingleImage, FailsWithoutTraining) {
  for (const Check& check : run(smallest(1)).checks) EXPECT_FALSE(check.pass()) << check.what;
}

// What the network answers, v, is taken for the noise.
at::Tensor unconverted(const sampling::Chain& chain, const config::SamplingConfig&,
                       const std::vector<int>& ts, at::Tensor x) {
  for (std::size_t i = 0; i + 1 < ts.size(); ++i) {
    const process::NoiseLevel level = chain.schedule.level(ts[i]);
    const at::Tensor eps = chain.denoiser.predict(x, level);
    const process::PosteriorCoefficients q = chain.schedule.posterior(ts[i + 1], ts[i]);
    x = (x - eps * level.s) / level.a * q.on_x0 + x * q.on_xt;
  }
  return x;
}

TEST(SingleImage, FailsWhenVIsTakenForTheNoise) {
  PortraitConfig config = smallest(100);
  config.sampler = unconverted;
  EXPECT_FALSE(run(config).checks[0].pass());
}

TEST(SingleImage, TheMedianIsOfEverySeed) {
  const Result result = run(smallest(1), 20, 4);
  at::Tensor psnr = std::get<0>(result.arrays.at("psnr_v").sort());
  ASSERT_EQ(psnr.size(0), 4);
  EXPECT_DOUBLE_EQ(result.checks[0].value, ((psnr[1] + psnr[2]) / 2).item<double>());
  EXPECT_GT((psnr[3] - psnr[0]).item<double>(), 0) << "seeds differ";
}

}  // namespace
}  // namespace tinta::lab
