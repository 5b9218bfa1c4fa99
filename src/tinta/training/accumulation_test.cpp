#include "tinta/training/accumulation.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tinta/kernels/random.h"
#include "tinta/training/test_support.h"

namespace tinta::training {
namespace {

/// A run of the toy with labels, class dropout, mirroring, clipping and dropout by sample.
struct DivisibleRun : TinyRun {
  explicit DivisibleRun(std::int64_t parts, at::ScalarType dtype = at::kFloat) : TinyRun(3) {
    config.batch = 6;
    config.accumulate = parts;
    config.seed = 5;
    config.class_dropout = 0.3;
    config.clip_norm = 0.5;
    config.log_every = 1;
    dataset.flip = data::Flip::half;
    network = Line(process::Prediction::eps, 3, dtype);
    state = TrainingState::fresh(network.named_parameters());
    network.spoil = [this](const at::Tensor& out, const Line& line) {
      sizes.push_back(out.size(0));
      at::Tensor mask = at::empty(out.sizes());
      kernels::fill_dropout(mask,
                            {.seed = line.last.training->seed,
                             .stream = Stream::dropout,
                             .sample = line.last.training->first_sample,
                             .step = 0},
                            0.3);
      return out * mask;
    };
  }
  std::vector<std::int64_t> sizes;  ///< of the batches that the network saw
};

std::vector<double> losses_of(const TinyRun& run) {
  std::vector<double> losses;
  for (const auto& line : metrics_of(run.folder.path())) losses.push_back(line.at("loss"));
  return losses;
}

class AccumulationIn : public testing::TestWithParam<std::int64_t> {};

TEST_P(AccumulationIn, GivesTheLossesAndWeightsOfWholeBatches) {
  const std::int64_t parts = GetParam();
  DivisibleRun whole(1);
  DivisibleRun divided(parts);
  whole.train(8);
  divided.train(8);
  EXPECT_EQ(divided.sizes,
            std::vector<std::int64_t>(static_cast<std::size_t>(8 * parts), 6 / parts));
  const std::vector<double> wanted = losses_of(whole);
  const std::vector<double> got = losses_of(divided);
  ASSERT_EQ(got.size(), 8u);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(got[i], wanted[i], 1e-5) << i;
  for (std::size_t i = 0; i < 2; ++i) {
    const ParameterState& a = whole.state.parameters[i];
    const ParameterState& b = divided.state.parameters[i];
    EXPECT_TRUE(at::allclose(a.master, b.master, 1e-5, 1e-6)) << a.name;
    EXPECT_TRUE(at::allclose(a.m, b.m, 1e-5, 1e-6)) << a.name;
    EXPECT_GT((a.master - 0.3).abs().max().item<double>(), 1e-3) << "something was learnt";
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, AccumulationIn, testing::Values(1, 2, 3, 6));

TEST(Accumulation, APartHoldsItsSamplesUnderTheirNumbers) {
  data::Batch batch{.x0 = at::arange(24, at::kFloat).view({6, 1, 2, 2}),
                    .labels = at::arange(6, at::kLong),
                    .first_sample = 60};
  const data::Batch part = part_of(batch, 3, 2);
  EXPECT_TRUE(same_bits(part.x0, batch.x0.slice(0, 4, 6)));
  EXPECT_TRUE(same_bits(part.labels, batch.labels.slice(0, 4, 6)));
  EXPECT_EQ(part.first_sample, 64u);
  batch.labels = at::Tensor();
  EXPECT_FALSE(part_of(batch, 3, 0).labels.defined());
}

// In bfloat16 1 + 2^-9 is 1: small parts would be lost one by one.
TEST(Accumulation, SumsInFloat32WhatABfloat16NetworkGives) {
  Line network(process::Prediction::eps, 0, at::kBFloat16);
  constexpr std::int64_t kParts = 257;
  accumulate_gradients(network, kParts, [&](std::int64_t part) {
    const double size = part == 0 ? 1.0 : 1.0 / 512;
    return BatchLoss{.mean = (network.scale * (size * kParts)).to(at::kFloat).sum(),
                     .each = at::zeros({1})};
  });
  EXPECT_EQ(network.scale.grad().scalar_type(), at::kBFloat16);
  EXPECT_NEAR(network.scale.grad().to(at::kFloat).item<float>(), 1.5f, 0.01);
  EXPECT_FALSE(network.offset.grad().defined()) << "no part had one";
}

}  // namespace
}  // namespace tinta::training
