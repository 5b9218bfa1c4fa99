#include "tinta/model/unet.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/sink.h"
#include "tinta/model/init.h"
#include "tinta/model/test_support.h"

namespace tinta::model {
namespace {

config::ModelConfig tiny() {
  config::ModelConfig config;
  config.channels = 8;
  config.multipliers = {1, 2};
  config.attention_levels = {1};
  config.groups = 4;
  return config;
}

TEST(UNet, HasThe35746307ParametersOfHoEtAl) {
  UNet net(config::preset("cifar10-ddpm").model);
  EXPECT_EQ(net.parameter_count(), 35'746'307);
  EXPECT_EQ(net.named_parameters().size(), 328U);
  // Of the same net in diffusers 0.42 torch's flop counter finds 12.107907072 GFLOP in convolutions
  // and linear layers; it does not see the two products of attention, five times at 256 positions
  // and once at 16.
  const double products = 2.0 * 256 * (5 * 256 * 256 + 16 * 16);
  EXPECT_NEAR(2.0 * static_cast<double>(net.multiply_adds(32, 32)),
              36.323721216e9 / 3 + 2 * products, 1);
}

TEST(UNet, HasThe1112801ParametersOfTheSmallPeer) {
  UNet net(config::preset("mnist-bench").model);
  EXPECT_EQ(net.parameter_count(), 1'112'801);
  EXPECT_EQ(net.named_parameters().size(), 182U);
  // As above: 1.13286144 / 3 GFLOP, and attention four times at 49 positions.
  EXPECT_NEAR(2.0 * static_cast<double>(net.multiply_adds(28, 28)),
              1.13286144e9 / 3 + 2 * 2.0 * 64 * 4 * 49 * 49, 1);
}

TEST(UNet, StartsAsTheZeroFunction) {
  UNet net(tiny());
  initialise(net, 0);
  const at::Tensor out = net.forward(drawn({2, 1, 8, 8}, 0), at::tensor({1.0f, 9.0f}), {}, {});
  EXPECT_EQ(out.abs().max().item<float>(), 0);
}

TEST(UNet, TakesAnySize) {
  UNet net(tiny());
  initialise(net, 0);
  scramble(net);
  for (const auto& [height, width] : {std::pair{28, 28}, {30, 30}, {33, 47}, {1, 1}}) {
    const at::Tensor x = drawn({2, 1, height, width}, 0);
    const at::Tensor out = net.forward(x, at::tensor({3.0f, 5.0f}), {}, {});
    EXPECT_EQ(out.sizes(), x.sizes());
    EXPECT_TRUE(out.isfinite().all().item<bool>());
  }
}

TEST(UNet, FirstLevelMayBeWiderThanTheStem) {
  config::ModelConfig config = tiny();
  config.multipliers = {3, 2};
  UNet net(config);
  scramble(net);
  const at::Tensor out = net.forward(drawn({1, 1, 4, 4}, 0), at::tensor({3.0f}), {}, {});
  EXPECT_EQ(out.sizes(), at::IntArrayRef({1, 1, 4, 4}));
  EXPECT_GT(out.abs().max().item<float>(), 0);
}

TEST(UNet, PicturesOfABatchDoNotTouchEachOther) {
  config::ModelConfig config = tiny();
  config.classes = 3;
  UNet net(config);
  initialise(net, 0);
  scramble(net);
  const at::Tensor x = drawn({3, 1, 9, 7}, 0);
  const at::Tensor time = at::tensor({3.0f, 50.0f, 900.0f});
  const at::Tensor labels = at::tensor({0, 2, 3}, at::kLong);
  const at::Tensor whole = net.forward(x, time, labels, {});
  for (std::int64_t i = 0; i < 3; ++i) {
    const at::Tensor one =
        net.forward(x.slice(0, i, i + 1), time.slice(0, i, i + 1), labels.slice(0, i, i + 1), {});
    EXPECT_TRUE(at::allclose(one[0], whole[i], 1e-4, 1e-5)) << i;
  }
  EXPECT_FALSE(at::allclose(whole, net.forward(x, time + 1, labels, {}), 1e-3, 1e-4));
  EXPECT_FALSE(
      at::allclose(whole, net.forward(x, time, at::tensor({1, 2, 3}, at::kLong), {}), 1e-3, 1e-4));
}

// "up_blocks.0" of "up_blocks.0.resnets.1.conv1.weight", "conv_in" of "conv_in.bias".
std::string part_of(const std::string& name) {
  const std::size_t dot = name.find('.');
  const bool numbered = std::isdigit(static_cast<unsigned char>(name[dot + 1])) != 0;
  return name.substr(0, numbered ? name.find('.', dot + 1) : dot);
}

// A part of a net and a direction to move it in.
struct Movable {
  std::vector<std::pair<at::Tensor, at::Tensor>> parameters;  // and their directions
  double slope = 0;  // of the value along the direction, by the gradients

  void move(double distance) {
    for (auto& [parameter, direction] : parameters) parameter.add_(direction, distance);
  }
};

// The directions are random but for their lengths, which make every parameter weigh alike in the
// slope: none can hide behind the others.
std::map<std::string, Movable> parts_with_gradients(UNet& net) {
  std::map<std::string, Movable> parts;
  std::uint32_t step = 500;
  for (const auto& [name, parameter] : net.named_parameters()) {
    const double length = 1 / std::max(0.1, parameter.grad().norm().item<double>());
    const at::Tensor direction =
        drawn({1, parameter.numel()}, step++).view(parameter.sizes()).to(at::kDouble) * length;
    Movable& part = parts[part_of(name)];
    part.parameters.emplace_back(parameter.detach(), direction);  // shares its memory
    part.slope += (parameter.grad() * direction).sum().item<double>();
  }
  return parts;
}

// Central differences in double, one part of the net at a time.
TEST(UNet, GradientsAgreeWithFiniteDifferences) {
  for (const char* conditioning : {"shift", "scale-shift"}) {
    config::ModelConfig config = tiny();
    config.classes = 2;
    config.head_dim = 8;
    config.time_conditioning = conditioning;
    UNet net(config);
    initialise(net, 1);
    scramble(net);
    net.to(at::kDouble);
    const at::Tensor x = drawn({2, 1, 6, 6}, 0).to(at::kDouble);
    const at::Tensor weight = drawn({2, 1, 6, 6}, 1).to(at::kDouble);
    const auto value = [&] {
      const at::Tensor labels = at::tensor({0, 2}, at::kLong);
      return (net.forward(x, at::tensor({3.0f, 70.0f}), labels, {}) * weight).sum();
    };
    value().backward();
    auto parts = parts_with_gradients(net);
    EXPECT_EQ(parts.size(), 10U);
    const at::NoGradGuard no_grad;
    for (auto& [name, part] : parts) {
      constexpr double kStep = 1e-6;
      part.move(kStep);
      const double up = value().item<double>();
      part.move(-2 * kStep);
      const double down = value().item<double>();
      part.move(kStep);
      EXPECT_NEAR((up - down) / (2 * kStep), part.slope, 1e-6 * (1 + std::abs(part.slope))) << name;
    }
  }
}

TEST(UNet, Bfloat16StaysNearFloat32) {
  config::ModelConfig config = tiny();
  UNet net(config);
  initialise(net, 1);
  const at::Tensor x = drawn({2, 1, 12, 12}, 0);
  const at::Tensor time = at::tensor({3.0f, 70.0f});
  scramble(net);
  const at::Tensor wide = net.forward(x, time, {}, {});
  net.to(at::kBFloat16);
  const at::Tensor narrow = net.forward(x, time, {}, {});
  EXPECT_EQ(narrow.scalar_type(), at::kFloat);
  EXPECT_LT(((narrow - wide).norm() / wide.norm()).item<double>(), 0.05);
}

TEST(UNet, DropoutIsAFunctionOfItsKey) {
  config::ModelConfig config = tiny();
  config.dropout = 0.5;
  UNet net(config);
  initialise(net, 1);
  scramble(net);
  const at::Tensor x = drawn({2, 1, 8, 8}, 0);
  const at::Tensor time = at::tensor({3.0f, 70.0f});
  const at::Tensor once = net.forward(x, time, {}, process::TrainingPass{1, 40});
  EXPECT_TRUE(at::equal(once, net.forward(x, time, {}, process::TrainingPass{1, 40})));
  EXPECT_FALSE(at::equal(once, net.forward(x, time, {}, process::TrainingPass{1, 42})));
  EXPECT_FALSE(at::equal(once, net.forward(x, time, {}, {})));
  const at::Tensor second =
      net.forward(x.slice(0, 1, 2), time.slice(0, 1, 2), {}, process::TrainingPass{1, 41});
  EXPECT_TRUE(at::allclose(second[0], once[1], 1e-4, 1e-5));
}

TEST(UNet, AsksBetweenBlocksInBothPassesAndChangesNothing) {
  UNet net(tiny());
  initialise(net, 1);
  scramble(net);
  const at::Tensor x = drawn({2, 1, 8, 8}, 0);
  const at::Tensor time = at::tensor({3.0f, 70.0f});
  int asked = 0;
  process::TrainingPass pass{.seed = 1};
  const auto gradients = [&] {
    const at::Tensor out = net.forward(x, time, {}, pass);
    const int forward = asked;
    out.square().sum().backward();
    std::vector<at::Tensor> all;
    for (at::Tensor& weight : net.parameters()) {
      all.push_back(weight.grad());
      weight.mutable_grad() = at::Tensor();
    }
    EXPECT_EQ(asked, 2 * forward);
    return all;
  };
  const std::vector<at::Tensor> plain = gradients();
  pass.at_each_block = [&] { ++asked; };
  const std::vector<at::Tensor> got = gradients();
  EXPECT_EQ(asked, 2 * (2 + 2 + 4));  // one block a level down, two in the middle, two a level up
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_TRUE(at::equal(got[i], plain[i])) << i;
}

TEST(UNet, EndsEitherPassWithWhatIsThrownBetweenBlocks) {
  UNet net(tiny());
  initialise(net, 1);
  const at::Tensor x = drawn({2, 1, 8, 8}, 0);
  int left = 0;
  const process::TrainingPass pass{.seed = 1, .at_each_block = [&] {
                                     if (left-- == 0) throw Stopped{};
                                   }};
  left = 5;
  EXPECT_THROW(net.forward(x, at::tensor({3.0f, 70.0f}), {}, pass), Stopped);
  left = 8 + 3;
  const at::Tensor out = net.forward(x, at::tensor({3.0f, 70.0f}), {}, pass);
  EXPECT_THROW(out.sum().backward(), Stopped);
}

TEST(UNet, RefusesInputsThatDoNotFit) {
  config::ModelConfig config = tiny();
  config.classes = 2;
  UNet net(config);
  EXPECT_THROW(net.forward(at::zeros({1, 3, 8, 8}), at::ones({1}), {}, {}), ArgumentError);
  EXPECT_THROW(net.forward(at::zeros({1, 1, 8, 8}), at::ones({2}), {}, {}), ArgumentError);
  EXPECT_THROW(net.forward(at::zeros({1, 1, 8, 8}), at::ones({1}), {}, {}), ArgumentError);
  config.groups = 5;
  EXPECT_THROW(UNet{config}, ArgumentError);
}

TEST(Initialise, DependsOnTheSeedAlone) {
  UNet first(tiny());
  UNet second(tiny());
  initialise(first, 3);
  initialise(second, 3);
  const auto a = first.named_parameters();
  const auto b = second.named_parameters();
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i].second, b[i].second));
  initialise(second, 4);
  EXPECT_FALSE(at::equal(a[0].second, second.named_parameters()[0].second));
}

// 18432 weights: the variance is within 5 standard errors of 1 / fan, missed once in 10^6.
TEST(Initialise, WeightsHaveTheStatedVariance) {
  Conv2d conv({.in = 64, .out = 32});
  torch::nn::Module parent;
  parent.register_module("conv", std::shared_ptr<Conv2d>(&conv, [](Conv2d*) {}));
  initialise(parent, 0);
  const double fan = 0.5 * (64 + 32) * 9;
  const auto n = static_cast<double>(conv.weight.numel());
  // The fourth moment of a uniform is 1.8 variances squared.
  EXPECT_NEAR(conv.weight.square().mean().item<double>() * fan, 1, 5 * std::sqrt(0.8 / n));
}

}  // namespace
}  // namespace tinta::model
