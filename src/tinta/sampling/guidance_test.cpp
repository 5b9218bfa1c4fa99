#include "tinta/sampling/guidance.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/sampling/sampler.h"
#include "tinta/sampling/test_support.h"

namespace tinta::sampling {
namespace {

/// eps = 0.5 x_t + offset of the label + time / 1000.
class Toy : public process::TrainableDenoiser {
 public:
  explicit Toy(std::int64_t classes) : classes_(classes) {}

  [[nodiscard]] process::Prediction prediction() const override { return process::Prediction::eps; }
  [[nodiscard]] std::int64_t classes() const override { return classes_; }
  at::Tensor forward(const at::Tensor& x_t, const at::Tensor& time, const at::Tensor& labels,
                     const std::optional<process::TrainingPass>& training) override {
    EXPECT_FALSE(training.has_value());
    batches.push_back(x_t.size(0));
    at::Tensor shift = time / 1000;
    if (labels.defined()) shift = shift + offsets.index_select(0, labels);
    return x_t * 0.5 + shift.reshape({-1, 1, 1, 1});
  }
  std::vector<std::pair<std::string, at::Tensor>> named_parameters() override {
    return {{"offsets", offsets}};
  }

  at::Tensor offsets = at::tensor({0.1f, -0.4f, 0.25f, 0.7f}).set_requires_grad(true);
  std::vector<std::int64_t> batches;  // of each call

 private:
  std::int64_t classes_;
};

const process::NoiseLevel kLevel{.a = 0.6, .s = 0.8, .time = 200};

/// What the toy says for one label.
at::Tensor plain(const at::Tensor& x, double offset) { return x * 0.5 + (offset + 0.2); }

at::Tensor picture(double value) { return at::full({1, 1, 2, 2}, value, at::kFloat); }

struct Case {
  double scale;
  std::vector<std::int64_t> batches;
};

TEST(GuidedDenoiser, LeadsFromTheNullClassThroughTheConditional) {
  const at::Tensor x = at::cat({picture(0.3), picture(-0.9)});
  for (const Case& c : {Case{0, {2}}, Case{1, {2}}, Case{2, {4}}, Case{0.5, {4}}, Case{-1, {4}}}) {
    Toy toy(3);
    const GuidedDenoiser guided(toy, at::tensor({1, 2}, at::kLong), c.scale);
    const double null = 0.7;  // the last offset
    const at::Tensor expected = at::cat({plain(picture(0.3), null + c.scale * (-0.4 - null)),
                                         plain(picture(-0.9), null + c.scale * (0.25 - null))});
    const at::Tensor out = guided.predict(x, kLevel);
    EXPECT_LT(largest_difference(out, expected), 1e-6) << "scale " << c.scale;
    EXPECT_EQ(toy.batches, c.batches) << "one call, doubled only where both halves count";
    EXPECT_FALSE(out.requires_grad());
    EXPECT_EQ(guided.prediction(), process::Prediction::eps);
  }
}

TEST(GuidedDenoiser, AnUnconditionalNetworkHasOnlyScaleOne) {
  Toy toy(0);
  const GuidedDenoiser guided(toy, {}, 1);
  EXPECT_LT(largest_difference(guided.predict(picture(0.3), kLevel), plain(picture(0.3), 0)), 1e-6);
  EXPECT_THROW(GuidedDenoiser(toy, {}, 2), ArgumentError);
  EXPECT_THROW(GuidedDenoiser(toy, {}, 0), ArgumentError);
  EXPECT_THROW(GuidedDenoiser(toy, at::zeros({1}, at::kLong), 1), ArgumentError);
}

TEST(GuidedDenoiser, RefusesLabelsAndScalesThatDoNotFit) {
  Toy toy(3);
  const at::Tensor labels = at::zeros({2}, at::kLong);
  for (const double scale : {0.0, 1.0, 2.0}) {
    EXPECT_THROW(GuidedDenoiser(toy, {}, scale), ArgumentError);
    EXPECT_THROW(GuidedDenoiser(toy, at::zeros({}, at::kLong), scale), ArgumentError);
    const GuidedDenoiser guided(toy, labels, scale);
    EXPECT_THROW((void)guided.predict(picture(0), kLevel), ArgumentError)
        << "one picture, two labels";
  }
  EXPECT_THROW(GuidedDenoiser(toy, labels + 4, 1), ArgumentError);
  EXPECT_THROW(GuidedDenoiser(toy, labels, std::numeric_limits<double>::infinity()), ArgumentError);
}

// What guidance is for: with a conditional mean below the null one, more scale goes lower.
TEST(GuidedDenoiser, SteersASampler) {
  Toy toy(3);
  const process::VpSchedule schedule(process::LinearBeta{});
  std::vector<double> ends;
  for (const double scale : {0.0, 1.0, 2.0}) {
    const GuidedDenoiser guided(toy, at::tensor({1}, at::kLong), scale);
    const Chain chain{schedule, guided, no_noise};
    ends.push_back(
        ddim(chain, {.clip_x0 = false}, time_steps(1000, 20), picture(0)).mean().item<double>());
  }
  EXPECT_LT(ends[0], ends[1]);  // less eps taken away, more left in x_0
  EXPECT_NEAR(ends[1] - ends[0], ends[2] - ends[1], 1e-2 * (ends[2] - ends[0]));
}

}  // namespace
}  // namespace tinta::sampling
