#include "tinta/model/recompute.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "tinta/model/init.h"
#include "tinta/model/test_support.h"
#include "tinta/model/unet.h"

namespace tinta::model {
namespace {

/// Of one training step: the loss and every parameter's gradient.
struct Step {
  float loss = 0;
  std::map<std::string, at::Tensor> gradients;
};

Step step_of(const config::ModelConfig& config, at::ScalarType dtype) {
  UNet net(config);
  initialise(net, 1);
  scramble(net);
  net.to(dtype);
  const at::Tensor out =
      net.forward(drawn({3, 1, 8, 8}, 0), at::tensor({3.0f, 40.0f, 700.0f}),
                  at::tensor({0, 1, 2}, at::kLong), process::TrainingPass{7, 40});
  const at::Tensor loss = (out - drawn({3, 1, 8, 8}, 1)).square().mean();
  loss.backward();
  Step step;
  step.loss = loss.item<float>();
  for (const auto& [name, parameter] : net.named_parameters())
    step.gradients[name] = parameter.grad();
  return step;
}

using Case = std::tuple<std::string, double, at::ScalarType>;  // conditioning, dropout, dtype
class Recompute : public testing::TestWithParam<Case> {};

TEST_P(Recompute, GivesTheLossAndGradientsOfAPlainPass) {
  const auto& [conditioning, dropout, dtype] = GetParam();
  config::ModelConfig config;
  config.channels = 8;
  config.multipliers = {1, 2};
  config.attention_levels = {1};
  config.groups = 4;
  config.classes = 2;
  config.time_conditioning = conditioning == "scale-shift" ? "scale-shift" : "shift";
  if (conditioning == "edm") {  // its kind of net
    config.resample = "residual";
    config.residual_scale = 0.7;
    config.conditioning = "features";
  }
  config.dropout = dropout;
  const Step plain = step_of(config, dtype);
  config.recompute = true;
  const Step again = step_of(config, dtype);
  // bfloat16: gradients of what is used twice are summed in another order, and every layer below
  // rounds the difference again. Where that is more than the tolerance, it is no more than what
  // bfloat16 is off float32 there anyhow; in float32 that is nothing.
  const double tolerance = dtype == at::kFloat ? 1e-5 : 0.02;
  config.recompute = false;
  const Step exact = step_of(config, at::kFloat);
  EXPECT_EQ(plain.loss, again.loss);
  ASSERT_EQ(plain.gradients.size(), again.gradients.size());
  double all = 0;
  for (const auto& [name, gradient] : plain.gradients) {
    all += gradient.to(at::kDouble).square().sum().item<double>();
  }
  for (const auto& [name, gradient] : plain.gradients) {
    ASSERT_TRUE(gradient.defined() && again.gradients.at(name).defined()) << name;
    const at::Tensor wanted = gradient.to(at::kDouble);
    const double distance =
        (again.gradients.at(name).to(at::kDouble) - wanted).norm().item<double>();
    // Some are zero but for rounding, as the bias of the keys is.
    const double size = std::max(wanted.norm().item<double>(), 1e-2 * std::sqrt(all));
    const double rounding =
        (exact.gradients.at(name).to(at::kDouble) - wanted).norm().item<double>();
    EXPECT_LE(distance, std::max(tolerance * size, rounding)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, Recompute,
                         testing::Combine(testing::Values("shift", "scale-shift", "edm"),
                                          testing::Values(0.0, 0.4),
                                          testing::Values(at::kFloat, at::kBFloat16)));

// What is kept between the passes: the segment is asked once forward and once backward, and not at
// all where no gradient is wanted.
TEST(Recomputed, ComputesTheSegmentOnceInEachPass) {
  int calls = 0;
  const at::Tensor weight = at::tensor({2.0f}).requires_grad_(true);
  const Segment square = [&](const std::vector<at::Tensor>& inputs) {
    ++calls;
    return (inputs[0] * weight).square();
  };
  const at::Tensor x = at::tensor({1.0f, 3.0f}).requires_grad_(true);
  const at::Tensor y = recomputed(square, {x}, {weight});
  EXPECT_EQ(calls, 1);
  y.sum().backward();
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(at::allclose(x.grad(), at::tensor({8.0f, 24.0f})));  // 2 w^2 x
  EXPECT_TRUE(at::allclose(weight.grad(), at::tensor({40.0f})));   // sum of 2 w x^2
}

TEST(Recomputed, AnInputThatWantsNoGradientGetsNone) {
  const at::Tensor weight = at::tensor({2.0f}).requires_grad_(true);
  const at::Tensor x = at::tensor({1.0f, 3.0f});
  recomputed([&](const std::vector<at::Tensor>& inputs) { return inputs[0] * weight; }, {x},
             {weight})
      .sum()
      .backward();
  EXPECT_FALSE(x.grad().defined());
  EXPECT_TRUE(at::allclose(weight.grad(), at::tensor({4.0f})));
}

}  // namespace
}  // namespace tinta::model
