#include "tinta/model/point_net.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tinta/core/error.h"
#include "tinta/model/init.h"
#include "tinta/model/test_support.h"

namespace tinta::model {
namespace {

TEST(PointNet, ANewOneAnswersZeroAndAScrambledOneFeelsPlaceAndTime) {
  PointNet net({.width = 16, .layers = 2});
  initialise(net, 1);
  const at::Tensor x = drawn({5, 2, 1, 1}, 0);
  const at::Tensor time = at::full({5}, 7.0f);
  EXPECT_TRUE(net.forward(x, time, {}, {}).eq(0).all().item<bool>());
  initialise(net, 3);
  scramble(net);
  const at::Tensor out = net.forward(x, time, {}, {});
  EXPECT_EQ(out.sizes(), x.sizes());
  EXPECT_GT((out - net.forward(x + 1, time, {}, {})).abs().min().item<double>(), 0);
  EXPECT_GT((out - net.forward(x, time + 1, {}, {})).abs().min().item<double>(), 0);
  EXPECT_TRUE(net.forward(x.reshape({5, 2}), time, {}, {}).equal(out.reshape({5, 2})));
}

TEST(PointNet, AnswersEachPointByItself) {
  PointNet net({.dimensions = 3, .width = 16});
  initialise(net, 3);
  scramble(net);
  const at::Tensor x = drawn({6, 3, 1, 1}, 0);
  const at::Tensor time = at::arange(1, 7, at::kFloat);
  const at::Tensor together = net.forward(x, time, {}, {});
  const at::Tensor alone = net.forward(x.slice(0, 4, 5), time.slice(0, 4, 5), {}, {});
  EXPECT_LT((together.slice(0, 4, 5) - alone).abs().max().item<double>(), 1e-5);
}

TEST(PointNet, RefusesWhatIsNoPointOrNoNet) {
  PointNet net({.width = 8});
  EXPECT_THROW(net.forward(at::zeros({2, 3, 1, 1}), at::ones({2}), {}, {}), ArgumentError);
  EXPECT_THROW(PointNet({.width = 2}), ArgumentError);
  EXPECT_THROW(PointNet({.layers = 0}), ArgumentError);
  EXPECT_THROW(PointNet({.octaves = -1}), ArgumentError);
  EXPECT_THROW(PointNet({.dimensions = 0}), ArgumentError);
  EXPECT_THROW(EnergyNet({.prediction = process::Prediction::v}), ArgumentError);
}

TEST(EnergyNet, ItsNoiseIsTheGradientOfItsEnergy) {
  EnergyNet net({.width = 16, .layers = 2, .octaves = 2});
  initialise(net, 3);
  scramble(net);
  net.to(at::kDouble);
  const at::Tensor x = drawn({4, 2}, 0).to(at::kDouble);
  const at::Tensor time = at::full({4}, 9.0, at::kDouble);
  const at::Tensor eps = net.forward(x, time, {}, {});
  const double h = 1e-5;
  for (std::int64_t d = 0; d < 2; ++d) {
    at::Tensor shift = at::zeros({1, 2}, at::kDouble);
    shift.select(1, d).fill_(h);
    const at::Tensor slope =
        (net.energy(x + shift, time) - net.energy(x - shift, time)).detach() / (2 * h);
    EXPECT_LT((slope - eps.select(1, d)).abs().max().item<double>(), 1e-8);
  }
}

TEST(EnergyNet, LearnsThroughTheGradientAndAnswersWithoutAutograd) {
  EnergyNet net({.width = 16, .layers = 2});
  initialise(net, 3);
  scramble(net);
  const at::Tensor x = drawn({4, 2, 1, 1}, 0);
  const at::Tensor time = at::full({4}, 9.0f);
  net.forward(x, time, {}, {}).square().mean().backward();
  // The bias of the energy is the only parameter that no gradient depends on.
  for (const auto& [name, parameter] : net.named_parameters()) {
    if (name == "out.bias") continue;
    ASSERT_TRUE(parameter.grad().defined()) << name;
    EXPECT_GT(parameter.grad().abs().max().item<double>(), 0) << name;
  }
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(net.forward(x, time, {}, {}).requires_grad());
}

TEST(EnergyNet, GrowsInEveryDirectionFarAway) {
  EnergyNet net({.width = 16, .layers = 2});
  initialise(net, 3);
  scramble(net);
  const at::NoGradGuard no_grad;
  const at::Tensor angle = at::arange(16, at::kFloat) * (2 * 3.14159265 / 16);
  const at::Tensor ray = at::stack({angle.cos(), angle.sin()}, 1);
  const at::Tensor time = at::full({16}, 9.0f);
  EXPECT_TRUE((net.energy(ray * 2000, time) > net.energy(ray * 1000, time)).all().item<bool>());
}

}  // namespace
}  // namespace tinta::model
