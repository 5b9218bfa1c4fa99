#include "tinta/evaluation/quality.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/io/npz.h"
#include "tinta/kernels/random.h"

namespace tinta::evaluation {
namespace {

at::Tensor picture(std::uint32_t step, at::IntArrayRef sizes = {2, 1, 16, 20}) {
  return (0.4 * kernels::normal(sizes, {.step = step})).clamp(-1, 1);
}

TEST(Psnr, IsTheDecibelsOfPeakSquaredOverMeanSquaredError) {
  const at::Tensor a = at::zeros({3, 2, 4, 5});
  const at::Tensor b = a.clone();
  b[0] += 0.1;
  b[1][0] += 0.2;  // half of the numbers: a mean square of 0.02
  const at::Tensor value = psnr(a, b);
  EXPECT_EQ(value.scalar_type(), at::kDouble);
  EXPECT_NEAR(value[0].item<double>(), 10 * std::log10(4 / 0.01), 1e-6);
  EXPECT_NEAR(value[1].item<double>(), 10 * std::log10(4 / 0.02), 1e-6);
  EXPECT_EQ(value[2].item<double>(), std::numeric_limits<double>::infinity());
}

TEST(Ssim, IsOneForEqualPicturesAndSymmetric) {
  const at::Tensor a = picture(1), b = picture(2);
  EXPECT_TRUE(at::allclose(ssim(a, a), at::ones({2}, at::kDouble), 0, 1e-12));
  EXPECT_TRUE(at::allclose(ssim(a, b), ssim(b, a), 0, 1e-12));
  EXPECT_LT(ssim(a, b).max().item<double>(), 0.5);
}

// Between flat pictures variances vanish, and the luminance term is all that is left.
TEST(Ssim, OfFlatPicturesIsTheLuminanceTerm) {
  const double p = 0.5, q = -0.25, c1 = 0.02 * 0.02;
  const at::Tensor value =
      ssim(at::full({1, 1, 11, 12}, p, at::kDouble), at::full({1, 1, 11, 12}, q, at::kDouble));
  EXPECT_NEAR(value.item<double>(), (2 * p * q + c1) / (p * p + q * q + c1), 1e-10);
}

// tests/golden/make_evaluation_golden.py: scikit-image 0.26.0, NumPy 2.4.6, seed 20240611.
TEST(Quality, AgreesWithScikitImage) {
  const std::string path = std::string(TINTA_SOURCE_DIR) + "/tests/golden/evaluation_quality.npz";
  const auto golden = io::decode_npz(read_bytes(path), path);
  for (const std::string set : {"grey", "rgb"}) {
    const at::Tensor &a = golden.at(set + "_a"), &b = golden.at(set + "_b");
    EXPECT_TRUE(at::allclose(psnr(a, b), golden.at(set + "_psnr"), 0, 1e-9)) << set;
    EXPECT_TRUE(at::allclose(ssim(a, b), golden.at(set + "_ssim"), 0, 1e-9)) << set;
  }
}

TEST(Quality, RefusesPicturesThatDoNotPairOrAreSmallerThanTheWindow) {
  EXPECT_THROW(psnr(picture(1), picture(1, {1, 1, 16, 20})), ArgumentError);
  EXPECT_THROW(psnr(picture(1), at::zeros({2, 1, 16, 20}, at::kByte)), ArgumentError);
  EXPECT_THROW(psnr(at::zeros({3, 3}), at::zeros({3, 3})), ArgumentError);
  EXPECT_THROW(ssim(picture(1, {1, 1, 10, 20}), picture(2, {1, 1, 10, 20})), ArgumentError);
  EXPECT_THROW(ssim(picture(1, {1, 1, 20, 10}), picture(2, {1, 1, 20, 10})), ArgumentError);
}

}  // namespace
}  // namespace tinta::evaluation
