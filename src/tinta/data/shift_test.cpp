#include "tinta/data/shift.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <utility>

#include "tinta/kernels/random.h"

namespace tinta::data {
namespace {

Batch drawn(std::int64_t count, std::uint64_t first) {
  return {.x0 = kernels::normal({count, 2, 16, 24}, {.seed = 1, .sample = first}),
          .labels = {},
          .first_sample = first};
}

// By which (down, right) a picture was moved, found by trying all.
std::pair<std::int64_t, std::int64_t> move_of(const at::Tensor& before, const at::Tensor& after) {
  const std::int64_t height = before.size(1), width = before.size(2);
  for (std::int64_t down = -height / 8; down <= height / 8; ++down) {
    for (std::int64_t right = -width / 8; right <= width / 8; ++right) {
      const auto part = [&](const at::Tensor& x, std::int64_t y0, std::int64_t x0) {
        return x.slice(1, std::max<std::int64_t>(y0, 0), height + std::min<std::int64_t>(y0, 0))
            .slice(2, std::max<std::int64_t>(x0, 0), width + std::min<std::int64_t>(x0, 0));
      };
      if (at::equal(part(before, -down, -right), part(after, down, right))) return {down, right};
    }
  }
  ADD_FAILURE() << "not a shift";
  return {};
}

// 800 moves onto 5 x 7 places: chi-square with 34 degrees of freedom, beyond 80 in 1e-5 of seeds.
TEST(RandomShift, EveryMoveComesEquallyOften) {
  const Batch batch = drawn(800, 0);
  const at::Tensor moved = random_shift(batch, 9);
  std::map<std::pair<std::int64_t, std::int64_t>, int> counts;
  for (std::int64_t i = 0; i < 800; ++i) ++counts[move_of(batch.x0[i], moved[i])];
  EXPECT_EQ(counts.size(), 35U);
  double statistic = 0;
  for (const auto& [move, count] : counts) statistic += std::pow(count - 800 / 35.0, 2) * 35 / 800;
  EXPECT_LT(statistic, 80);
}

TEST(RandomShift, WhatComesInIsMirroredFromInside) {
  Batch batch = drawn(40, 0);
  batch.x0 = at::arange(16).view({1, 1, 16, 1}).expand({40, 1, 16, 16}).to(at::kFloat).contiguous();
  const at::Tensor moved = random_shift(batch, 9);
  for (std::int64_t i = 0; i < 40; ++i) {
    const auto top = moved[i][0][0][0].item<int>(), below = moved[i][0][1][0].item<int>();
    EXPECT_TRUE(below == top + 1 || below == top - 1) << top << ", " << below;
  }
}

TEST(RandomShift, IsAFunctionOfSeedAndSampleAlone) {
  const at::Tensor all = random_shift(drawn(8, 0), 9);
  EXPECT_TRUE(at::equal(random_shift(drawn(3, 5), 9), all.slice(0, 5)));
  EXPECT_FALSE(at::equal(random_shift(drawn(8, 0), 10), all));
}

}  // namespace
}  // namespace tinta::data
