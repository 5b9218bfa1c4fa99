#include "tinta/data/loader.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/data/loader_ahead.h"

namespace tinta::data {
namespace {

/// Picture i has the label i and is filled with the byte i.
Dataset numbered(std::int64_t count) {
  const at::Tensor labels = at::arange(count, at::kLong);
  return {.name = "numbered",
          .images =
              labels.to(at::kByte).reshape({count, 1, 1, 1}).expand({count, 3, 4, 5}).contiguous(),
          .labels = labels,
          .classes = count};
}

std::vector<std::int64_t> served(const Loader& loader, std::uint64_t steps) {
  std::vector<std::int64_t> order;
  for (std::uint64_t step = 0; step < steps; ++step) {
    const at::Tensor labels = loader.batch(step).labels;
    for (std::int64_t i = 0; i < labels.size(0); ++i) {
      order.push_back(labels[i].item<std::int64_t>());
    }
  }
  return order;
}

TEST(Loader, EveryEpochHoldsEachPictureOnceAlsoAcrossBatches) {
  const Dataset set = numbered(10);
  const std::vector<std::int64_t> order = served(Loader(set, 4, 3), 10);  // four epochs of ten
  for (int epoch = 0; epoch < 4; ++epoch) {
    std::map<std::int64_t, int> seen;
    for (int i = 0; i < 10; ++i) ++seen[order[static_cast<std::size_t>(10 * epoch + i)]];
    EXPECT_EQ(seen.size(), 10) << epoch;
  }
  EXPECT_NE(std::vector(order.begin(), order.begin() + 10),
            std::vector(order.begin() + 10, order.begin() + 20));
}

TEST(Loader, OrderDoesNotDependOnTheBatchSize) {
  const Dataset set = numbered(30);
  const std::vector<std::int64_t> expected = served(Loader(set, 1, 9), 120);
  for (const std::int64_t batch :
       {4, 15, 40, 120}) {  // 40 and 120: more than a whole epoch at once
    EXPECT_EQ(served(Loader(set, batch, 9), static_cast<std::uint64_t>(120 / batch)), expected);
  }
  EXPECT_NE(served(Loader(set, 1, 10), 120), expected);
}

TEST(Loader, PicturesComeWithTheirLabelsInMinusOneToOne) {
  const Dataset set = numbered(256);
  const Batch batch = Loader(set, 64, 1).batch(2);
  EXPECT_EQ(batch.first_sample, 128);
  EXPECT_EQ(batch.x0.sizes(), (at::IntArrayRef{64, 3, 4, 5}));
  const at::Tensor expected =
      batch.labels.to(at::kFloat).div(127.5).sub(1).reshape({64, 1, 1, 1}).expand({64, 3, 4, 5});
  EXPECT_LE((batch.x0 - expected).abs().max().item<double>(), 1.2e-7);
}

TEST(LoaderAhead, ServesWhatTheLoaderServesInAnyOrderOfSteps) {
  Dataset set = numbered(30);
  set.augment = 0.5;
  const Loader loader(set, 4, 2);
  LoaderAhead ahead(loader);
  // One after another, back after a rollback, on past steps; another share, the same step again.
  struct Part {
    std::uint64_t step;
    std::int64_t first, count;
  };
  for (const Part& part : std::vector<Part>{{0, 0, 4},
                                            {1, 0, 4},
                                            {2, 0, 4},
                                            {1, 0, 4},
                                            {2, 0, 4},
                                            {9, 0, 4},
                                            {10, 1, 2},
                                            {11, 1, 2},
                                            {11, 1, 2}}) {
    const Batch got = ahead.part(part.step, part.first, part.count);
    const Batch wanted = loader.part(part.step, part.first, part.count);
    EXPECT_TRUE(at::equal(got.x0, wanted.x0)) << part.step;
    EXPECT_TRUE(at::equal(got.labels, wanted.labels)) << part.step;
    EXPECT_TRUE(at::equal(got.augment, wanted.augment)) << part.step;
    EXPECT_EQ(got.first_sample, wanted.first_sample) << part.step;
  }
}

TEST(Loader, OnePictureMakesABatch) {
  const Dataset set{.name = "one", .images = at::full({1, 3, 2, 2}, 255, at::kByte)};
  const Batch batch = Loader(set, 5, 0).batch(1000000);
  EXPECT_FALSE(batch.labels.defined());
  EXPECT_EQ(batch.first_sample, 5000000);
  EXPECT_EQ(batch.x0.sizes(), (at::IntArrayRef{5, 3, 2, 2}));
  EXPECT_TRUE(batch.x0.eq(1).all().item<bool>());
}

TEST(Loader, RefusesAnEmptySetAnEmptyBatchAndLabelsThatDoNotFit) {
  const Dataset good = numbered(3);
  EXPECT_THROW(Loader(good, 0, 0), ArgumentError);
  const Dataset empty{.name = "empty", .images = at::empty({0, 1, 2, 2}, at::kByte)};
  EXPECT_THROW(Loader(empty, 1, 0), ArgumentError);
  EXPECT_THROW(Loader(Dataset{}, 1, 0), ArgumentError);
  Dataset bad = good;
  bad.labels = at::zeros({2}, at::kLong);
  EXPECT_THROW(Loader(bad, 1, 0), ArgumentError);
  bad = good;
  bad.classes = 2;
  EXPECT_THROW(Loader(bad, 1, 0), ArgumentError);
  bad = good;
  bad.labels = at::Tensor();
  EXPECT_THROW(Loader(bad, 1, 0), ArgumentError);
  bad = good;
  bad.images = good.images.to(at::kFloat);
  EXPECT_THROW(Loader(bad, 1, 0), ArgumentError);
}

TEST(Gather, CoversBothEndsOfTheRangeExactly) {
  const Dataset set = numbered(256);
  const at::Tensor x = gather(set, at::arange(256, at::kLong));
  EXPECT_EQ(x.min().item<double>(), -1);
  EXPECT_EQ(x.max().item<double>(), 1);
}

TEST(Gather, RefusesIndicesOutOfRange) {
  const Dataset set = numbered(4);
  EXPECT_THROW(gather(set, at::full({1}, 4, at::kLong)), ArgumentError);
  EXPECT_THROW(gather(set, at::full({1}, -1, at::kLong)), ArgumentError);
  EXPECT_THROW(gather(set, at::zeros({1}, at::kInt)), ArgumentError);
  EXPECT_THROW(gather(set, at::zeros({1, 1}, at::kLong)), ArgumentError);
}

}  // namespace
}  // namespace tinta::data
