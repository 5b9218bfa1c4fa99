// The U-Net as EDM has it: its size, its conditioning, blocks that resample.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/model/init.h"
#include "tinta/model/test_support.h"
#include "tinta/model/unet.h"

namespace tinta::model {
namespace {

using Shapes = std::map<std::vector<std::int64_t>, int>;

/// The shapes of the class-conditional DDPM++ of Karras et al. 2022 (table 7: 128 channels, 2-2-2,
/// 4 blocks, attention at 16 x 16), written down from its layers: 3 x 3 convolutions, 1 x 1
/// shortcuts where widths or sides change, a projection of the 512 of the embedding, norms.
/// Queries, keys and values are three layers here and one of three times the width there.
class PublishedShapes {
 public:
  static Shapes all() {
    PublishedShapes net;
    net.linear(128, 10), net.shapes_[{128, 9}] += 1;
    net.linear(512, 128), net.linear(512, 512);
    net.conv(3, 128, 3);
    std::vector<std::int64_t> skips{128};
    std::int64_t width = 128;
    for (int level = 0; level < 3; ++level) {
      if (level > 0) net.block(width, 256, true), skips.push_back(256);
      for (int i = 0; i < 4; ++i) {
        net.block(width, 256, width != 256);
        if (level == 1) net.attention(256);
        width = 256, skips.push_back(256);
      }
    }
    net.block(256, 256, false), net.attention(256), net.block(256, 256, false);
    for (int level = 2; level >= 0; --level) {
      if (level < 2) net.block(256, 256, true);
      for (int i = 0; i < 5; ++i) net.block(256 + skips.back(), 256, true), skips.pop_back();
      if (level == 1) net.attention(256);
    }
    net.norm(256), net.conv(256, 3, 3);
    EXPECT_TRUE(skips.empty());
    return net.shapes_;
  }

 private:
  void norm(std::int64_t width) { shapes_[{width}] += 2; }
  void linear(std::int64_t out, std::int64_t in) { ++shapes_[{out, in}], ++shapes_[{out}]; }
  void conv(std::int64_t in, std::int64_t out, std::int64_t kernel) {
    ++shapes_[{out, in, kernel, kernel}], ++shapes_[{out}];
  }
  void block(std::int64_t in, std::int64_t out, bool shortcut) {
    norm(in), conv(in, out, 3), linear(out, 512), norm(out), conv(out, out, 3);
    if (shortcut) conv(in, out, 1);
  }
  void attention(std::int64_t width) {
    norm(width);
    for (int i = 0; i < 4; ++i) linear(width, width);
  }

  Shapes shapes_;
};

TEST(EdmNetwork, HasThe55735299ParametersOfEdm) {
  UNet net(config::preset("cifar10-edm").model);
  EXPECT_EQ(net.parameter_count(), 55'735'299);
  Shapes ours;
  for (const auto& [name, parameter] : net.named_parameters()) ++ours[parameter.sizes().vec()];
  EXPECT_EQ(ours, PublishedShapes::all());
}

config::ModelConfig tiny_edm() {
  config::ModelConfig config;
  config.channels = 8;
  config.multipliers = {1, 2};
  config.attention_levels = {1};
  config.groups = 4;
  config.resample = "residual";
  config.up_attention = "last";
  config.residual_scale = std::sqrt(0.5);
  config.classes = 3;
  config.conditioning = "features";
  config.augment_conditioning = true;
  return config;
}

// Without a word on augmentations it is as if nothing was done, which is what drawing asks for.
TEST(EdmNetwork, IsToldOfAugmentations) {
  UNet net(tiny_edm());
  initialise(net, 0);
  scramble(net);
  const at::Tensor x = drawn({2, 1, 10, 8}, 0);
  const at::Tensor time = at::tensor({-0.3f, 0.9f});
  const at::Tensor labels = at::tensor({1, 3}, at::kLong);
  const auto told = [&](const at::Tensor& augment) {
    process::TrainingPass key{1, 40};
    key.augment = augment;
    return net.forward(x, time, labels, key);
  };
  const at::Tensor plain = net.forward(x, time, labels, {});
  EXPECT_EQ(plain.sizes(), x.sizes());
  EXPECT_TRUE(at::equal(told({}), plain));
  EXPECT_TRUE(at::equal(told(at::zeros({2, 9})), plain));
  at::Tensor augment = at::zeros({2, 9});
  augment[1][4] = 1;
  const at::Tensor turned = told(augment);
  EXPECT_TRUE(at::allclose(turned[0], plain[0], 1e-4, 1e-5));
  EXPECT_FALSE(at::allclose(turned[1], plain[1], 1e-2, 1e-3));
  EXPECT_THROW((void)told(at::zeros({2, 8})), ArgumentError);
  config::ModelConfig config = tiny_edm();
  config.augment_conditioning = false;
  UNet untold(config);
  process::TrainingPass key{1, 40};
  key.augment = at::zeros({2, 9});
  EXPECT_THROW((void)untold.forward(x, time, labels, key), ArgumentError);
}

// A class is a row of the projection, sqrt(classes) of it; the null class is its bias alone.
TEST(EdmNetwork, ClassesAmongTheFeaturesAreOneHotOfUnitVariance) {
  UNet net(tiny_edm());
  initialise(net, 0);
  scramble(net);
  const at::Tensor x = drawn({2, 1, 8, 8}, 0);
  const at::Tensor time = at::tensor({-0.3f, 0.9f});
  const auto of = [&](std::int64_t label) {
    return net.forward(x, time, at::full({2}, label, at::kLong), {}).clone();
  };
  const at::Tensor second = of(1), null = of(3);
  EXPECT_FALSE(at::allclose(second, of(0), 1e-2, 1e-3));
  std::map<std::string, at::Tensor> weights;
  for (const auto& [name, parameter] : net.named_parameters()) weights[name] = parameter;
  at::Tensor table = weights.at("class_projection.weight");  // [channels, classes]
  at::Tensor bias = weights.at("class_projection.bias");
  {
    const at::AutoDispatchBelowAutograd no_autograd;
    bias.add_(table.select(1, 1), std::sqrt(3.0));
  }
  EXPECT_TRUE(at::allclose(of(3), second, 1e-4, 1e-5));
  EXPECT_FALSE(at::allclose(of(3), null, 1e-2, 1e-3));
}

// Every block's sum is scaled: at sqrt(1/2), a branch of the variance of the input leaves it.
TEST(ResidualBlock, ScalesItsSumAndResamplesBothOfItsBranches) {
  const BlockOptions plain{.embedding = 8, .norm = {.groups = 2}};
  BlockOptions halving = plain;
  halving.scale = 0.25;
  halving.resample = Resample::halve;
  BlockOptions doubling = plain;
  doubling.resample = Resample::twice;
  const at::Tensor x = drawn({2, 4, 6, 8}, 0);
  for (const BlockOptions& options : {halving, doubling}) {
    ResidualBlock block(4, 4, options);
    // Convolutions of zeros, but for a shortcut that is the identity: the input, resampled.
    for (auto& item : block.named_parameters()) {
      if (item.key() != "conv_shortcut.weight") continue;
      const at::AutoDispatchBelowAutograd no_autograd;
      item.value().copy_(at::eye(4).reshape({4, 4, 1, 1}));
    }
    Pass pass{.embedding = at::zeros({2, 8})};
    const at::Tensor y = block.forward(x, pass);
    if (options.resample == Resample::halve) {
      const at::Tensor means = x.reshape({2, 4, 3, 2, 4, 2}).mean({3, 5});
      EXPECT_TRUE(at::allclose(y, means * 0.25, 1e-5, 1e-6));
    } else {
      EXPECT_TRUE(at::allclose(y.slice(2, 0, 12, 2).slice(3, 1, 16, 2), x, 1e-5, 1e-6));
      EXPECT_TRUE(at::allclose(y.slice(2, 1, 12, 2).slice(3, 0, 16, 2), x, 1e-5, 1e-6));
    }
  }
}

}  // namespace
}  // namespace tinta::model
