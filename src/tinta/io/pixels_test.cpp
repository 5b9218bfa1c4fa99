#include "tinta/io/pixels.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tinta/core/error.h"

namespace tinta::io {
namespace {

std::vector<int> as_ints(const at::Tensor& tensor) {
  std::vector<int> values;
  for (std::int64_t i = 0; i < tensor.numel(); ++i)
    values.push_back(tensor.view(-1)[i].item<int>());
  return values;
}

TEST(Pixels, BytesSurviveTheRoundTripThroughFloats) {
  const at::Tensor all = at::arange(256, at::kByte);
  EXPECT_TRUE(at::equal(to_bytes(from_bytes(all)), all));
  EXPECT_TRUE(at::equal(to_bytes(from_bytes(all).to(at::kDouble)), all));
}

TEST(Pixels, TheEndsAreExactlyMinusOneAndOne) {
  const at::Tensor ends = from_bytes(at::tensor({0, 255}).to(at::kByte));
  EXPECT_EQ(ends.scalar_type(), at::kFloat);
  EXPECT_EQ(ends[0].item<float>(), -1.0f);
  EXPECT_EQ(ends[1].item<float>(), 1.0f);
}

TEST(Pixels, FloatsAreRoundedToTheNearestByteAndClamped) {
  // 100.4 and 100.6 steps of 1 / 127.5 above -1; then values outside of the range.
  const at::Tensor x =
      at::tensor({-1 + 100.4 / 127.5, -1 + 100.6 / 127.5, -1.01, -1e30, 1.01, 1e30});
  EXPECT_EQ(as_ints(to_bytes(x)), (std::vector<int>{100, 101, 0, 0, 255, 255}));
}

TEST(Pixels, WhatIsNotFiniteBecomesZeroInEveryDtype) {
  const double infinity = std::numeric_limits<double>::infinity();
  const at::Tensor x = at::tensor({std::nan(""), infinity, -infinity, 1.0}, at::kDouble);
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16}) {
    EXPECT_EQ(as_ints(to_bytes(x.to(type))), (std::vector<int>{0, 0, 0, 255})) << type;
  }
}

TEST(Pixels, WrongDtypesAreTheCallersFault) {
  EXPECT_THROW(to_bytes(at::zeros({2}, at::kInt)), ArgumentError);
  EXPECT_THROW(from_bytes(at::zeros({2})), ArgumentError);
}

TEST(Grid, PicturesLieInRowsWithTwoGreyPixelsBetween) {
  const at::Tensor images = at::arange(3, at::kByte).view({3, 1, 1, 1}).expand({3, 2, 3, 4});
  const at::Tensor out = grid(images, 2);
  ASSERT_EQ(out.sizes(), at::IntArrayRef({2, 2 * 5 + 2, 2 * 6 + 2}));
  for (std::int64_t y = 0; y < 12; ++y) {
    for (std::int64_t x = 0; x < 14; ++x) {
      const bool gap = y % 5 < 2 || x % 6 < 2;
      const std::int64_t number = y / 5 * 2 + x / 6;
      const int expected = gap || number >= 3 ? 128 : static_cast<int>(number);
      EXPECT_EQ(out[1][y][x].item<int>(), expected) << y << " " << x;
    }
  }
}

TEST(Grid, WrongArgumentsAreTheCallersFault) {
  const at::Tensor images = at::zeros({2, 1, 3, 3}, at::kByte);
  EXPECT_THROW(grid(images, 0), ArgumentError);
  EXPECT_THROW(grid(images.to(at::kFloat), 1), ArgumentError);
  EXPECT_THROW(grid(images[0], 1), ArgumentError);
  EXPECT_THROW(grid(images.narrow(0, 0, 0), 1), ArgumentError);
  EXPECT_THROW(square_columns(0, 1, 1), ArgumentError);
}

TEST(Grid, SquareColumnsAreNeverFartherFromSquareThanOthers) {
  EXPECT_EQ(square_columns(64, 28, 28), 8);
  EXPECT_EQ(square_columns(10, 28, 28), 4);  // 4 x 3 and 3 x 4 are as square; the wider one
  EXPECT_EQ(square_columns(1, 28, 28), 1);
  EXPECT_EQ(square_columns(4, 100, 25), 4);
  EXPECT_EQ(square_columns(4, 25, 100), 1);
}

}  // namespace
}  // namespace tinta::io
