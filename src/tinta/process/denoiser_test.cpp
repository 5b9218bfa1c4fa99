#include "tinta/process/denoiser.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/error.h"

namespace tinta::process {
namespace {

/// Records what it was called with; output = scale * x_t.
class Recorder : public TrainableDenoiser {
 public:
  explicit Recorder(std::int64_t classes) : classes_(classes) {}

  [[nodiscard]] Prediction prediction() const override { return Prediction::v; }
  [[nodiscard]] std::int64_t classes() const override { return classes_; }
  at::Tensor forward(const at::Tensor& x_t, const at::Tensor& time, const at::Tensor& labels,
                     const std::optional<TrainingPass>& training) override {
    seen_time = time, seen_labels = labels, seen_training = training;
    return x_t * scale;
  }
  std::vector<std::pair<std::string, at::Tensor>> named_parameters() override {
    return {{"scale", scale}};
  }

  at::Tensor scale = at::full({1}, 2.0f).set_requires_grad(true);
  at::Tensor seen_time, seen_labels;
  std::optional<TrainingPass> seen_training = TrainingPass{};

 private:
  std::int64_t classes_;
};

const NoiseLevel kLevel{.a = 0.6, .s = 0.8, .time = 37};

TEST(NetworkDenoiser, TellsTheNetworkTimeAndLabelsAndNoDropout) {
  Recorder network(10);
  const at::Tensor labels = at::tensor({3, 10}, at::kLong);
  const NetworkDenoiser denoiser(network, labels);
  const at::Tensor x = at::ones({2, 1, 2, 2});
  EXPECT_TRUE(denoiser.predict(x, kLevel).equal(x * 2));
  EXPECT_TRUE(network.seen_time.equal(at::full({2}, 37.0f)));
  EXPECT_TRUE(network.seen_labels.equal(labels));
  EXPECT_FALSE(network.seen_training.has_value());
  EXPECT_EQ(denoiser.prediction(), Prediction::v);
}

TEST(NetworkDenoiser, WithoutLabelsUsesTheNullClass) {
  Recorder conditional(10), unconditional(0);
  const at::Tensor x = at::ones({2, 1, 2, 2});
  (void)NetworkDenoiser(conditional, {}).predict(x, kLevel);
  EXPECT_TRUE(conditional.seen_labels.equal(at::full({2}, 10, at::kLong)));
  (void)NetworkDenoiser(unconditional, {}).predict(x, kLevel);
  EXPECT_FALSE(unconditional.seen_labels.defined());
}

TEST(NetworkDenoiser, RecordsNoGradientAndGivesAnOrdinaryTensor) {
  Recorder network(0);
  const NetworkDenoiser denoiser(network, {});
  at::Tensor out = denoiser.predict(at::ones({1, 1, 2, 2}), kLevel);
  EXPECT_FALSE(out.requires_grad());
  EXPECT_FALSE(out.is_inference());
  EXPECT_NO_THROW(out.clamp_(-1, 1));
  EXPECT_TRUE((network.scale * 2).requires_grad()) << "autograd is on again afterwards";
}

TEST(NetworkDenoiser, ConvertsTheNetworksOutput) {
  Recorder network(0);
  const NetworkDenoiser denoiser(network, {});
  const at::Tensor x = at::full({1, 1, 1, 1}, 0.5f);  // v = 1
  EXPECT_NEAR(denoiser.x0(x, kLevel).item<float>(), 0.6 * 0.5 - 0.8 * 1, 1e-6);
  EXPECT_NEAR(denoiser.eps(x, kLevel).item<float>(), 0.8 * 0.5 + 0.6 * 1, 1e-6);
  EXPECT_NEAR(denoiser.score(x, kLevel).item<float>(), -(0.8 * 0.5 + 0.6 * 1) / 0.8, 1e-6);
}

TEST(NetworkDenoiser, RefusesLabelsThatDoNotFit) {
  Recorder conditional(10), unconditional(0);
  const at::Tensor two = at::zeros({2}, at::kLong);
  EXPECT_THROW(NetworkDenoiser(unconditional, two), ArgumentError);
  EXPECT_THROW(NetworkDenoiser(conditional, two + 11), ArgumentError);
  EXPECT_THROW(NetworkDenoiser(conditional, two - 1), ArgumentError);
  EXPECT_THROW(NetworkDenoiser(conditional, two.to(at::kInt)), ArgumentError);
  EXPECT_THROW(NetworkDenoiser(conditional, two.reshape({2, 1})), ArgumentError);
  const NetworkDenoiser denoiser(conditional, two);
  EXPECT_THROW((void)denoiser.predict(at::ones({3, 1, 2, 2}), kLevel), ArgumentError);
  EXPECT_THROW((void)denoiser.predict(at::ones({2, 1, 2, 2}, at::kDouble), kLevel), ArgumentError);
}

}  // namespace
}  // namespace tinta::process
