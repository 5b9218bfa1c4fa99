#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tinta/training/test_support.h"
#include "tinta/training/trainer.h"

namespace tinta::training {
namespace {

/// The line that predicts best, and the loss it has.
struct Optimum {
  double scale = 0;
  double offset = 0;
  double loss = 0;
};

// Least squares of the target on x_t = a x_0 + s eps, over t, x_0 and eps: all that a line can know
// of x_0 is its mean and variance. For a single t and Gaussian x_0 it is E[target | x_t].
Optimum least_squares(process::Prediction prediction, const std::vector<double>& alpha_bars,
                      double mean, double variance) {
  double x = 0, xx = 0, y = 0, xy = 0, yy = 0;  // means of x_t, x_t^2, target, ...
  const double second = variance + mean * mean;
  for (const double alpha_bar : alpha_bars) {
    const double a = std::sqrt(alpha_bar);
    const double s = std::sqrt(1 - alpha_bar);
    // target = on_noise eps + on_x0 x_0
    double on_noise = 1;
    double on_x0 = 0;
    if (prediction == process::Prediction::x0) on_noise = 0, on_x0 = 1;
    if (prediction == process::Prediction::v) on_noise = a, on_x0 = -s;
    const double share = 1 / static_cast<double>(alpha_bars.size());
    x += share * a * mean;
    xx += share * (a * a * second + s * s);
    y += share * on_x0 * mean;
    xy += share * (on_x0 * a * second + on_noise * s);
    yy += share * (on_x0 * on_x0 * second + on_noise * on_noise);
  }
  const double scale = (xy - x * y) / (xx - x * x);
  return {scale, y - scale * x, yy - y * y - scale * (xy - x * y)};
}

class Convergence : public testing::TestWithParam<process::Prediction> {};

// The averages hold about the last 100 steps of 1024 pixels each, so that their standard error is
// about 0.003; the tolerance is five times that (once in 1.7 million seeds).
TEST_P(Convergence, TheToyEndsAtTheOptimumInClosedForm) {
  TinyRun run;
  run.schedule = process::VpSchedule(std::vector<double>{0.2, 0.5, 0.6});
  run.dataset = tiny_pictures(500);
  run.network = Line(GetParam());
  run.config.batch = 256;
  run.config.learning_rate = 0.05;
  run.config.decay = "cosine";
  run.config.ema_decay = 0.98;
  run.config.log_every = 200;
  run.state = TrainingState::fresh(run.network.named_parameters());
  run.train(600);

  const at::Tensor pixels = run.dataset.images.to(at::kDouble).div(127.5).sub(1);
  const double mean = pixels.mean().item<double>();
  const Optimum best = least_squares(GetParam(), {0.8, 0.4, 0.16}, mean,
                                     pixels.sub(mean).square().mean().item<double>());
  ASSERT_GT(std::abs(best.scale - 0.3), 0.05) << "where the toy begins";
  EXPECT_NEAR(run.state.parameters[0].ema.item<double>(), best.scale, 0.015);
  EXPECT_NEAR(run.state.parameters[1].ema.item<double>(), best.offset, 0.015);
  // Its last line has the mean loss of 204,800 pixels, whose standard error is 0.3%.
  EXPECT_NEAR(metrics_of(run.folder.path()).back().at("loss").get<double>() / best.loss, 1, 0.02);
}

INSTANTIATE_TEST_SUITE_P(Predictions, Convergence,
                         testing::Values(process::Prediction::eps, process::Prediction::x0,
                                         process::Prediction::v),
                         [](const auto& item) { return process::to_string(item.param); });

}  // namespace
}  // namespace tinta::training
