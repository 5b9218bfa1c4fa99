#include "tinta/training/state.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tinta/core/error.h"
#include "tinta/training/test_support.h"

namespace tinta::training {
namespace {

using ::testing::HasSubstr;

TEST(TrainingState, BeginsWithTheWeightsAsMasterAndAverageAndNoMoments) {
  Line network(process::Prediction::eps, 3, at::kBFloat16);
  const TrainingState state = TrainingState::fresh(network.named_parameters());
  ASSERT_EQ(state.parameters.size(), 2u);
  EXPECT_EQ(state.parameters[0].name, "scale");
  EXPECT_EQ(state.parameters[1].name, "offset");
  for (const auto& [p, weight] :
       {std::pair(state.parameters[0], network.scale), {state.parameters[1], network.offset}}) {
    const at::Tensor start = weight.detach().to(at::kFloat);
    EXPECT_TRUE(same_bits(p.master, start));
    EXPECT_TRUE(same_bits(p.ema, start));
    EXPECT_TRUE(same_bits(p.m, at::zeros_like(start)));
    EXPECT_TRUE(same_bits(p.v, at::zeros_like(start)));
    EXPECT_FALSE(p.master.requires_grad());
  }
  EXPECT_EQ(state.step, 0u);
  EXPECT_EQ(state.images, 0u);
  EXPECT_EQ(state.loss_count, 0u);
  EXPECT_EQ(state.loss_sum, 0);
  EXPECT_EQ(state.seconds, 0);
}

TEST(TrainingState, SharesNoMemoryWithTheNetworkOrWithinItself) {
  Line network;
  TrainingState state = TrainingState::fresh(network.named_parameters());
  network.scale.detach().fill_(7);
  state.parameters[0].master.fill_(8);
  EXPECT_FLOAT_EQ(state.parameters[0].ema.item<float>(), 0.3f);
  state.parameters[0].ema.fill_(9);
  EXPECT_EQ(network.scale.item<float>(), 7);
  EXPECT_EQ(state.masters().at(0).first, "scale");
  EXPECT_EQ(state.masters().at(0).second.item<float>(), 8);
  EXPECT_EQ(state.averages().at(0).second.item<float>(), 9);
  EXPECT_EQ(state.averages().at(1).first, "offset");
}

TEST(CopyWeights, GoesByNameAndConvertsTheType) {
  Line network(process::Prediction::eps, 1, at::kBFloat16);
  copy_weights({{"offset", at::tensor({1.5f, 1.0f / 3})}, {"scale", at::tensor({-2.0f})}},
               network.named_parameters());
  EXPECT_TRUE(same_bits(network.scale, at::tensor({-2.0f}).to(at::kBFloat16)));
  EXPECT_TRUE(same_bits(network.offset, at::tensor({1.5f, 1.0f / 3}).to(at::kBFloat16)));
  EXPECT_TRUE(network.scale.requires_grad());
}

TEST(CopyWeights, RefusesWhatIsMissingLeftOverOrOfAnotherShape) {
  Line network;  // one scale, one offset
  const NamedTensors to = network.named_parameters();
  const at::Tensor one = at::tensor({5.0f});
  const auto message = [&](const NamedTensors& from) {
    return message_of<ArgumentError>([&] { copy_weights(from, to); });
  };
  EXPECT_EQ(message({{"scale", one}}), "[copy_weights] expected 2 tensors, got 1");
  EXPECT_EQ(message({{"scale", one}, {"offset", one}, {"more", one}}),
            "[copy_weights] expected 2 tensors, got 3");
  EXPECT_EQ(message({{"scale", one}, {"shift", one}}),
            "[copy_weights] expected a tensor named \"offset\", got none");
  EXPECT_THAT(message({{"scale", one}, {"offset", at::zeros({2, 3})}}),
              HasSubstr("expected offset of shape [1], got [2, 3]"));
  EXPECT_EQ(message({{"scale", one}, {"offset", one}}), "no error");
}

}  // namespace
}  // namespace tinta::training
