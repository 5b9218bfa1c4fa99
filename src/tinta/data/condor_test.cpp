#include "tinta/data/condor.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/data/canvas.h"

namespace tinta::data {
namespace {

double psnr(const at::Tensor& a, const at::Tensor& b) {
  return 10 * std::log10(255 * 255 / (a - b).square().mean().item<double>());
}

TEST(Condor, IsTheSamePictureAtEverySize) {
  const at::Tensor large = draw_condor(768, 768).to(at::kDouble);
  for (const std::int64_t side : {32, 96, 256}) {
    const std::int64_t factor = 768 / side;
    const at::Tensor reduced = large.reshape({3, side, factor, side, factor}).mean({2, 4});
    EXPECT_GT(psnr(draw_condor(side, side).to(at::kDouble), reduced), 40) << side;
  }
}

TEST(Condor, WidePictureHoldsTheSquareOneInItsMiddle) {
  const at::Tensor square = draw_condor(64, 64);
  const at::Tensor wide = draw_condor(64, 96).slice(2, 16, 80);
  // The same up to the rounding of the plane's coordinates.
  EXPECT_LE((square.to(at::kInt) - wide.to(at::kInt)).abs().max().item<int>(), 1);
}

TEST(Condor, ThreadsDoNotChangeABit) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = draw_condor(96, 80);
  at::set_num_threads(2);
  const at::Tensor two = draw_condor(96, 80);
  at::set_num_threads(threads);
  EXPECT_TRUE(one.equal(two));
}

TEST(Condor, IsADarkBirdWithWhiteCollarBeforeABrightSky) {
  const at::Tensor image = draw_condor(256, 256).to(at::kInt);
  const auto grey = [&](std::int64_t x, std::int64_t y) {
    return image.select(1, y).select(1, x).sum().item<int>() / 3;
  };
  EXPECT_LT(grey(125, 115), 60);   // its back
  EXPECT_GT(grey(128, 85), 180);   // the collar
  EXPECT_GT(grey(80, 130), 150);   // the white panel of the left wing
  EXPECT_GT(grey(188, 180), 220);  // the sun
  EXPECT_LT(grey(128, 250), 60);   // the near mountains
}

TEST(Condor, ImpossibleSizesAreRefused) {
  EXPECT_THROW(draw_condor(7, 64), ArgumentError);
  EXPECT_THROW(draw_condor(64, 4097), ArgumentError);
}

// A square of side 2 with its corner at (1.25, 0.5) covers known shares of the pixels it touches.
TEST(Renderer, CoverageIsTheSharedArea) {
  const Path square = {{1.25, 0.5}, {3.25, 0.5}, {3.25, 2.5}, {1.25, 2.5}};
  const Color black{0, 0, 0}, white{1, 1, 1};
  const Renderer renderer(
      {.backdrop = [black](Point) { return black; }, .shapes = {{square, Paint::flat(white)}}}, 1,
      {0, 0}, 5);
  const double across[5] = {0, 0.75, 1, 0.25, 0};
  const double down[4] = {0.5, 1, 0.5, 0};
  for (std::int64_t y = 0; y < 4; ++y) {
    std::vector<Color> row(5);
    renderer.draw_row(y, row);
    for (std::size_t x = 0; x < 5; ++x) {
      EXPECT_NEAR(row[x][0], across[x] * down[y], 1e-6) << x << ", " << y;
    }
  }
}

TEST(Renderer, WindingFillsWhereAnOutlineOverlapsItself) {
  // Twice round the same way: filled once, not hollow, not doubled.
  const Path twice = {{0, 0}, {2, 0}, {2, 1}, {0, 1}, {0, 0}, {2, 0}, {2, 1}, {0, 1}};
  const Renderer renderer({.backdrop =
                               [](Point) {
                                 return Color{0, 0, 0};
                               },
                           .shapes = {{twice, Paint::flat({1, 1, 1})}}},
                          1, {0, 0}, 3);
  std::vector<Color> row(3);
  renderer.draw_row(0, row);
  EXPECT_NEAR(row[0][0], 1, 1e-6);
  EXPECT_NEAR(row[1][0], 1, 1e-6);
  EXPECT_NEAR(row[2][0], 0, 1e-6);
}

TEST(Path, SmoothCurvePassesThroughItsKnotsAndKeepsCorners) {
  const Path knots = {{0, 0}, {1, 0}, {2, 1}, {2, 1}, {0, 3}};
  const Path curve = smooth(knots, 4);
  EXPECT_EQ(curve.size(), 1 + 3 * 4);  // the corner's two knots make no span
  EXPECT_EQ(curve[0], knots[0]);
  EXPECT_EQ(curve[4], knots[1]);
  EXPECT_EQ(curve[8], knots[2]);
  EXPECT_EQ(curve[12], knots[4]);
}

TEST(Path, AffineMapsCompose) {
  const Affine turn = Affine::rotation(0.7), move = Affine::translation({3, -1});
  const Point p{0.4, 0.9};
  const Point once = turn.after(move).after(Affine::scale(2, 3))(p);
  const Point stepwise = turn(move(Affine::scale(2, 3)(p)));
  EXPECT_NEAR(once.x, stepwise.x, 1e-15);
  EXPECT_NEAR(once.y, stepwise.y, 1e-15);
}

}  // namespace
}  // namespace tinta::data
