#include "tinta/lab/train_mnist.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <utility>

#include "tinta/data/glyphs.h"
#include "tinta/lab/classifier.h"
#include "tinta/lab/rows.h"
#include "tinta/process/exact.h"

namespace tinta::lab {
namespace {

/// A denoiser made of any function that answers for x_0.
class Answering : public process::Denoiser {
 public:
  using Function = std::function<at::Tensor(const at::Tensor&, const process::NoiseLevel&)>;
  explicit Answering(Function function) : function_(std::move(function)) {}

  [[nodiscard]] process::Prediction prediction() const override { return process::Prediction::x0; }
  [[nodiscard]] at::Tensor predict(const at::Tensor& x_t,
                                   const process::NoiseLevel& level) const override {
    return function_(x_t, level);
  }

 private:
  Function function_;
};

// Digits without a network: what answers for it is given to the row apart.
const DigitsModel& digits() {
  static const DigitsModel model = [] {
    DigitsModel made{.network = nullptr,
                     .config = config::preset("glyphs"),
                     .train = data::draw_glyphs({.count = 400, .size = 16}),
                     .test = data::draw_glyphs({.count = 12, .size = 16, .first = 400}),
                     .origin = "A test's denoiser"};
    return made;
  }();
  return model;
}

Result run(const process::Denoiser& denoiser) {
  return denoising_row({.effort = Effort::quick}, digits(), denoiser);
}

// Who knows the twelve pictures by heart, but for a little blur, restores them almost perfectly.
process::GaussianMixtureDenoiser memory() {
  const at::Tensor points = first_pictures(digits().test, 12).flatten(1).to(at::kDouble);
  return {at::full({12}, 1.0 / 12, at::kDouble), points, at::full({12}, 0.02, at::kDouble)};
}

TEST(TrainMnist, AMemoryOfThePicturesPassesAndItsChecksFollowFromItsArrays) {
  const Result result = run(memory());
  for (const Check& check : result.checks) EXPECT_TRUE(check.pass()) << check.what << check.value;
  const auto& arrays = result.arrays;
  const at::Tensor error =
      (arrays.at("restored") - arrays.at("x0")).to(at::kDouble).square().mean({2, 3, 4});
  const at::Tensor psnr = 10 * (4 / error).log10();
  EXPECT_TRUE(at::allclose(psnr[3], arrays.at("psnr_restored")[3]));
  EXPECT_NEAR(result.checks[0].value,
              (arrays.at("psnr_restored")[1] - arrays.at("psnr_noisy")[1]).mean().item<double>(),
              1e-9);
  const at::Tensor ratio =
      arrays.at("noise_mse_model").mean(1) / arrays.at("noise_mse_gaussian").mean(1);
  const at::Tensor told = arrays.at("noise_t") <= 500;
  EXPECT_NEAR(result.checks.back().value, ratio.masked_select(told).max().item<double>(), 1e-9);
}

TEST(TrainMnist, WhoReturnsTheNoisyPictureFailsEveryCheck) {
  const Answering identity([](const at::Tensor& x_t, const process::NoiseLevel& level) {
    return (x_t / level.a).clamp(-1, 1);
  });
  for (const Check& check : run(identity).checks) EXPECT_FALSE(check.pass()) << check.what;
}

// alpha_t in place of alpha_bar_t: the network is told of another level than the picture has.
TEST(TrainMnist, AWrongLevelFails) {
  const auto exact = process::finite_set_denoiser(first_pictures(digits().train, 400));
  const Answering wrong([&](const at::Tensor& x_t, const process::NoiseLevel& level) {
    const process::VpSchedule schedule = digits().schedule();
    const auto t = static_cast<int>(level.time);
    return exact.x0(x_t, {.a = std::sqrt(schedule.alpha(t)), .s = std::sqrt(schedule.beta(t))});
  });
  EXPECT_FALSE(run(wrong).checks.back().pass());
}

TEST(DigitsModel, TrainingIsDoneOnceForTheSameContext) {
  const Context context{.effort = Effort::quick, .steps = 2};
  const auto first = digits_model(context);
  EXPECT_EQ(first, digits_model(context));
  EXPECT_EQ(first->losses.size(), 2U);
  EXPECT_EQ(first->classes(), 10);
}

TEST(GaussianClassifier, TellsDrawnDigitsApart) {
  const data::Dataset train = data::draw_glyphs({.count = 1500, .size = 16});
  const data::Dataset test = data::draw_glyphs({.count = 200, .size = 16, .first = 1500});
  const GaussianClassifier classifier(first_pictures(train, 1500), train.labels, 10);
  const Share share = agreement(classifier.classify(first_pictures(test, 200)), test.labels);
  EXPECT_GT(share.value(), 0.9);
}

}  // namespace
}  // namespace tinta::lab
