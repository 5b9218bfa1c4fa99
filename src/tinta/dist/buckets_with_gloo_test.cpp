#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/dist/buckets.h"
#include "tinta/dist/ranks_testing.h"

namespace tinta::dist {
namespace {

/// y = sum over weights of (w . x), so that the gradient of each weight is x by closed form.
struct Sums {
  explicit Sums(at::ScalarType dtype = at::kFloat) {
    for (const std::int64_t size : {3, 50, 7, 400, 1}) {
      weights.push_back(at::ones({size}, dtype).set_requires_grad(true));
    }
  }
  [[nodiscard]] at::Tensor value(double factor) const {
    at::Tensor y = at::zeros({});
    for (const at::Tensor& w : weights) {
      y = y + (w.to(at::kFloat) * at::arange(w.numel(), at::kFloat) * factor).sum();
    }
    return y;
  }
  std::vector<at::Tensor> weights;
};

class BucketsOf : public testing::TestWithParam<std::tuple<int, std::int64_t>> {};

TEST_P(BucketsOf, GiveEveryRankTheSumOfAllGradients) {
  const auto [size, bytes] = GetParam();
  on_ranks(size, [bytes = bytes](Group& group) {
    const Sums sums;
    Buckets buckets(group, sums.weights, bytes);
    // 4, 1600, then 28 + 200 + 12 bytes.
    EXPECT_EQ(buckets.count(), bytes < 100 ? 5u : bytes < 1000 ? 3u : 1u);
    for (const double scale : {1.0, 2.0}) {  // used again and again
      buckets.begin(1);
      sums.value(scale * (group.rank() + 1)).backward();
      for (const at::Tensor& w : sums.weights) {
        EXPECT_FALSE(w.grad().defined()) << "on its way";
      }
      buckets.finish();
      const double all = scale * group.size() * (group.size() + 1) / 2;
      for (const at::Tensor& w : sums.weights) {
        EXPECT_TRUE(at::equal(w.grad(), at::arange(w.numel(), at::kFloat) * all));
        w.mutable_grad() = at::Tensor();
      }
    }
  });
}

INSTANTIATE_TEST_SUITE_P(RanksAndBytes, BucketsOf,
                         testing::Combine(testing::Values(2, 3),
                                          testing::Values(1, 250, Buckets::kBytes)));

TEST(Buckets, AddUpPassesAlsoWhereRanksHaveDifferentNumbersOfThem) {
  on_ranks(2, [](Group& group) {
    const Sums sums;
    Buckets buckets(group, sums.weights, 100);
    const int passes = group.leads() ? 3 : 1;
    buckets.begin(passes);
    for (int pass = 0; pass < passes; ++pass) {
      if (pass > 0) buckets.next_pass();
      sums.value(1).backward();
    }
    buckets.finish();
    for (const at::Tensor& w : sums.weights) {
      EXPECT_TRUE(at::equal(w.grad(), at::arange(w.numel(), at::kFloat) * 4));
    }
  });
}

TEST(Buckets, LeaveAWeightThatNoRankHasAGradientOfWithoutOne) {
  on_ranks(2, [](Group& group) {
    const Sums sums;
    Buckets buckets(group, sums.weights, 100);
    buckets.begin(2);
    // Weight 1 on rank 1 alone and in its first pass alone, weight 2 nowhere.
    if (!group.leads()) (sums.weights[0].sum() + sums.weights[1].sum()).backward();
    if (group.leads()) sums.weights[0].sum().backward();
    buckets.next_pass();
    sums.weights[0].sum().backward();
    buckets.finish();
    EXPECT_TRUE(at::equal(sums.weights[0].grad(), at::full({3}, 4.0)));
    EXPECT_TRUE(at::equal(sums.weights[1].grad(), at::ones({50})));
    EXPECT_FALSE(sums.weights[2].grad().defined());
  });
}

// 1 + 2^-9 in bfloat16 is 1: two ranks' small parts would be lost one by one.
TEST(Buckets, AddInFloat32WhatBfloat16WeightsGive) {
  on_ranks(3, [](Group& group) {
    const at::Tensor w = at::ones({2}, at::kBFloat16).set_requires_grad(true);
    Buckets buckets(group, {w});
    buckets.begin(1);
    (w.to(at::kFloat) * (group.leads() ? 1.0 : 1.0 / 256)).sum().backward();
    buckets.finish();
    EXPECT_EQ(w.grad().scalar_type(), at::kBFloat16);
    EXPECT_EQ(w.grad()[0].item<double>(), 1 + 2.0 / 256);
  });
}

TEST(Buckets, KeepTheStridesOfWeights) {
  on_ranks(2, [](Group& group) {
    const at::Tensor w = at::arange(24, at::kFloat)
                             .view({2, 3, 2, 2})
                             .contiguous(at::MemoryFormat::ChannelsLast)
                             .set_requires_grad(true);
    Buckets buckets(group, {w});
    buckets.begin(1);
    (w * w.detach()).sum().backward();
    buckets.finish();
    EXPECT_TRUE(at::equal(w.grad(), w.detach() * 2));
    EXPECT_EQ(w.grad().strides(), w.strides());
  });
}

TEST(Buckets, LetGradientsAloneOnceTheyAreGone) {
  const at::Tensor w = at::ones({2}).set_requires_grad(true);
  {
    Buckets buckets(Group::alone(), {w});
    w.sum().backward();
    EXPECT_TRUE(w.grad().defined()) << "nothing was begun";
    w.mutable_grad() = at::Tensor();
    EXPECT_THROW(buckets.begin(0), ArgumentError);
  }
  w.sum().backward();
  EXPECT_TRUE(w.grad().defined());
}

}  // namespace
}  // namespace tinta::dist
