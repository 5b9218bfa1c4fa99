#include "tinta/evaluation/denoise_report.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "tinta/core/error.h"
#include "tinta/evaluation/quality.h"
#include "tinta/io/npz.h"
#include "tinta/process/exact.h"

namespace tinta::evaluation {
namespace {

using testing::HasSubstr;
using testing::Not;

Quality quality(double db, double similarity, std::int64_t pictures) {
  return {.psnr = {.mean = db, .standard_error = 0.25},
          .ssim = {.mean = similarity, .standard_error = 0.01},
          .pictures = at::zeros({pictures, 1, 12, 12})};
}

DenoiseRow row_of(int t) {
  return {.t = t,
          .x_t = at::zeros({3, 1, 12, 12}),
          .noisy = quality(18.16, 0.61, 3),
          .restored = quality(27.5, 0.95, 3),
          .chain = quality(25.125, 0.93, 2),
          .classical = quality(23.04, 0.75, 3)};
}

DenoiseReport two_rows() {
  return {.images = 3,
          .chain_images = 2,
          .seed = 7,
          .x0 = at::zeros({3, 1, 12, 12}),
          .rows = {row_of(50), row_of(100)}};
}

TEST(DenoiseReport, TableHoldsEveryMean) {
  const std::string text = table(two_rows());
  EXPECT_THAT(text, HasSubstr("means over 3 pictures (chain: 2)"));
  EXPECT_THAT(text, HasSubstr("psnr t       noisy    restored       chain   classical\n"
                              "    50       18.16       27.50       25.12       23.04\n"
                              "   100       18.16       27.50       25.12       23.04\n"));
  EXPECT_THAT(text, HasSubstr("ssim t       noisy    restored       chain   classical\n"
                              "    50       0.610       0.950       0.930       0.750\n"));
}

TEST(DenoiseReport, TableShowsADashForWhatWasNotMade) {
  DenoiseReport report = two_rows();
  for (DenoiseRow& row : report.rows) row.chain.reset();
  EXPECT_THAT(table(report), HasSubstr("   100       18.16       27.50           -       23.04\n"));
}

TEST(DenoiseReport, JsonHasOneValuePerLevel) {
  const auto object = nlohmann::json::parse(json(two_rows()));
  EXPECT_EQ(object.at("t"), nlohmann::json({50, 100}));
  EXPECT_EQ(object.at("psnr_noisy"), nlohmann::json({18.16, 18.16}));
  EXPECT_EQ(object.at("psnr_restored"), nlohmann::json({27.5, 27.5}));
  EXPECT_EQ(object.at("psnr_chain"), nlohmann::json({25.125, 25.125}));
  EXPECT_EQ(object.at("psnr_classical"), nlohmann::json({23.04, 23.04}));
  EXPECT_EQ(object.at("ssim_restored"), nlohmann::json({0.95, 0.95}));
  EXPECT_EQ(object.at("psnr_restored_se"), nlohmann::json({0.25, 0.25}));
  EXPECT_EQ(object.at("images"), 3);
  EXPECT_EQ(object.at("chain_images"), 2);
  EXPECT_EQ(object.at("seed"), 7);
}

TEST(DenoiseReport, JsonIsNullWhereThereIsNoNumber) {
  DenoiseReport report = two_rows();
  for (DenoiseRow& row : report.rows) row.chain.reset();
  report.rows[1].restored.psnr.mean = std::numeric_limits<double>::infinity();
  const auto object = nlohmann::json::parse(json(report));
  EXPECT_TRUE(object.at("psnr_chain").at(0).is_null());
  EXPECT_TRUE(object.at("ssim_chain_se").at(1).is_null());
  EXPECT_FALSE(object.at("psnr_restored").at(0).is_null());
  EXPECT_TRUE(object.at("psnr_restored").at(1).is_null());
}

// What the npz is for: the table again, from nothing but the arrays.
TEST(DenoiseReport, ArraysGiveTheMeansAgain) {
  const process::VpSchedule schedule(process::LinearBeta{.steps = 100});
  const at::Tensor points = 0.8 * at::linspace(-1, 1, 6 * 144).sin().view({6, 1, 12, 12});
  const auto denoiser = process::finite_set_denoiser(points);
  const PcaWiener classical(points);
  const auto report = denoise(
      {.denoiser = denoiser, .schedule = schedule, .images = points, .classical = &classical},
      {.t = {30, 80}, .chain_images = 4, .keep = 6});
  ASSERT_TRUE(report);
  const auto bytes = io::encode_npz(arrays(*report, schedule));
  const auto held = io::decode_npz(bytes, "arrays");
  EXPECT_TRUE(at::equal(held.at("index"), at::arange(6, at::kLong)));
  EXPECT_TRUE(at::equal(held.at("chain_index"), at::arange(4, at::kLong)));
  for (std::int64_t r = 0; r < 2; ++r) {
    const DenoiseRow& row = report->rows[static_cast<std::size_t>(r)];
    EXPECT_EQ(held.at("t")[r].item<std::int64_t>(), row.t);
    const auto mean = [&](const at::Tensor& pictures) {
      return psnr(held.at("x0").narrow(0, 0, pictures.size(0)), pictures).mean().item<double>();
    };
    const double a = held.at("alpha_bar")[r].sqrt().item<double>();
    EXPECT_NEAR(mean((held.at("x_t")[r] / a).clamp(-1, 1)), row.noisy.psnr.mean, 1e-6);
    EXPECT_EQ(mean(held.at("restored")[r]), row.restored.psnr.mean);
    EXPECT_EQ(mean(held.at("classical")[r]), row.classical->psnr.mean);
    EXPECT_EQ(mean(held.at("chain")[r]), row.chain->psnr.mean);
  }
}

TEST(DenoiseReport, ArraysLackWhatWasNotMade) {
  DenoiseReport report = two_rows();
  for (DenoiseRow& row : report.rows) row.chain.reset();
  const auto held = arrays(report, process::VpSchedule(process::LinearBeta{}));
  EXPECT_FALSE(held.contains("chain"));
  EXPECT_FALSE(held.contains("chain_index"));
  EXPECT_TRUE(held.contains("classical"));
}

// Nine rows of three pictures (x_0 and twice four kinds), 12 pixels each with 2 between them.
TEST(DenoiseReport, PictureHasARowForEveryKindAtEveryLevel) {
  DenoiseReport report = two_rows();
  report.x0.fill_(1);
  report.rows[0].noisy.pictures.fill_(-1);
  const at::Tensor image = picture(report);
  ASSERT_EQ(image.sizes(), (std::vector<std::int64_t>{1, 9 * 14 + 2, 3 * 14 + 2}));
  EXPECT_EQ(image[0][5][5].item<int>(), 255);
  EXPECT_EQ(image[0][14 + 5][5].item<int>(), 0);
  EXPECT_EQ(image[0][28 + 5][5].item<int>(), 128);
  report.x0 = at::zeros({0, 1, 12, 12});
  EXPECT_THROW((void)picture(report), ArgumentError);
}

}  // namespace
}  // namespace tinta::evaluation
