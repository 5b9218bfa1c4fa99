#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <optional>

#include "tinta/dist/ranks_testing.h"
#include "tinta/evaluation/denoising.h"
#include "tinta/kernels/random.h"
#include "tinta/process/exact.h"

namespace tinta::evaluation {
namespace {

struct Task {
  process::VpSchedule schedule{process::LinearBeta{.steps = 20, .end = 0.3}};
  at::Tensor images = kernels::normal({11, 1, 12, 12}, {.seed = 4}).clamp(-1, 1);
  process::GaussianMixtureDenoiser denoiser{
      at::ones({1}, at::kDouble), at::zeros({1, 144}, at::kDouble), at::ones({1}, at::kDouble)};

  [[nodiscard]] std::optional<DenoiseReport> measured(dist::Group& group,
                                                      const StopRequested& stop = {}) const {
    return denoise({.denoiser = denoiser,
                    .schedule = schedule,
                    .images = images,
                    .stop = stop,
                    .group = group},
                   {.t = {3, 15}, .chain_images = 5, .batch = 2, .keep = 6});
  }
};

void expect_same(const Quality& got, const Quality& wanted) {
  EXPECT_EQ(got.psnr.mean, wanted.psnr.mean);
  EXPECT_EQ(got.psnr.standard_error, wanted.psnr.standard_error);
  EXPECT_EQ(got.ssim.mean, wanted.ssim.mean);
  EXPECT_TRUE(at::equal(got.pictures, wanted.pictures));
}

// Batches of 2 of 11 pictures: shares are uneven, and a rank has none of the chain's.
TEST(Denoise, BySharesOfSeveralRanksHasTheBitsOfOneProcess) {
  const Task task;
  const DenoiseReport alone = task.measured(dist::Group::alone()).value();
  dist::on_ranks(4, [&](dist::Group& group) {
    const DenoiseReport report = task.measured(group).value();
    ASSERT_EQ(report.rows.size(), alone.rows.size());
    for (std::size_t i = 0; i < alone.rows.size(); ++i) {
      EXPECT_TRUE(at::equal(report.rows[i].x_t, alone.rows[i].x_t));
      expect_same(report.rows[i].noisy, alone.rows[i].noisy);
      expect_same(report.rows[i].restored, alone.rows[i].restored);
      expect_same(*report.rows[i].chain, *alone.rows[i].chain);
    }
  });
}

TEST(Denoise, ThatOneRankIsAskedToStopStopsOnAll) {
  const Task task;
  dist::on_ranks(3, [&](dist::Group& group) {
    EXPECT_FALSE(task.measured(group, [&] { return group.rank() == 1; }));
  });
}

}  // namespace
}  // namespace tinta::evaluation
