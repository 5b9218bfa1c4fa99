// What a loader does beside shuffling: mirrored pictures, balanced classes, held-out shares.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/data/held_out.h"
#include "tinta/data/loader.h"

namespace tinta::data {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// Picture i has the bytes i of its index in base 256, and rows that rise from left to right.
Dataset ramps(std::int64_t count) {
  at::Tensor images = at::arange(4, at::kLong).to(at::kByte).reshape({1, 1, 1, 4});
  images = images.expand({count, 3, 2, 4}).contiguous();
  const at::Tensor index = at::arange(count, at::kLong);
  images.select(1, 0).copy_((index % 256).reshape({count, 1, 1}).expand({count, 2, 4}));
  images.select(1, 1).copy_((index / 256).reshape({count, 1, 1}).expand({count, 2, 4}));
  return {.name = "ramps", .images = images};
}

TEST(Flip, HalfOfThePicturesAreMirroredWhateverTheBatch) {
  Dataset set = ramps(400);
  const at::Tensor plain = Loader(set, 400, 5).batch(0).x0;
  set.flip = Flip::half;
  const at::Tensor flipped = Loader(set, 400, 5).batch(0).x0;
  int mirrored = 0;
  for (std::int64_t i = 0; i < 400; ++i) {
    const bool same = at::equal(flipped[i], plain[i]);
    EXPECT_TRUE(same || at::equal(flipped[i], plain[i].flip({2}))) << i;
    mirrored += same ? 0 : 1;
  }
  // Binomial(400, 1/2): 5 standard deviations are 50; one seed in two million fails.
  EXPECT_NEAR(mirrored, 200, 50);
  const Loader small(set, 40, 5);
  std::vector<at::Tensor> parts;
  for (std::uint64_t step = 0; step < 10; ++step) parts.push_back(small.batch(step).x0);
  EXPECT_TRUE(at::equal(at::cat(parts), flipped));
}

TEST(Flip, APictureIsNotAlwaysMirrored) {
  Dataset set = ramps(1);
  set.flip = Flip::half;
  const at::Tensor x0 = Loader(set, 64, 5).batch(0).x0;
  const at::Tensor turned = x0.select(1, 2).select(1, 0).select(1, 0).gt(-1);
  EXPECT_GT(turned.sum().item<int>(), 10);
  EXPECT_LT(turned.sum().item<int>(), 54);
}

TEST(Streamed, ASetIsServedAsOneInMemory) {
  Dataset set = ramps(300);
  set.streamed = true;
  const Dataset plain = ramps(300);
  const Loader ahead(set, 64, 5), behind(plain, 64, 5);
  for (std::uint64_t step = 0; step < 10; ++step) {
    EXPECT_TRUE(at::equal(ahead.batch(step).x0, behind.batch(step).x0));
  }
}

TEST(Balance, EachClassComesOnceInAsManySamplesAsThereAreClasses) {
  // 40, 7, 1 and no pictures.
  Dataset set = ramps(48);
  set.labels = at::cat(
      {at::full({40}, 0, at::kLong), at::full({7}, 1, at::kLong), at::full({1}, 3, at::kLong)});
  set.classes = 4;
  set.order = Order::balanced;
  const Batch batch = Loader(set, 3 * 40, 5).batch(0);
  std::map<std::int64_t, std::map<float, int>> seen;
  for (std::int64_t i = 0; i < 120; ++i) {
    if (i % 3 == 0) {
      const auto three = batch.labels.narrow(0, i, 3);
      EXPECT_EQ(three.sum().item<int>(), 0 + 1 + 3) << i;
      EXPECT_EQ(std::get<0>(at::_unique(three)).numel(), 3) << i;
    }
    ++seen[batch.labels[i].item<std::int64_t>()][batch.x0[i][0][0][0].item<float>()];
  }
  // Within a class every picture comes equally often.
  EXPECT_EQ(seen[0].size(), 40);
  for (const auto& [picture, times] : seen[0]) EXPECT_EQ(times, 1);
  EXPECT_EQ(seen[1].size(), 7);
  for (const auto& [picture, times] : seen[1]) EXPECT_NEAR(times, 40.0 / 7, 1);
  EXPECT_EQ(seen[3].size(), 1);
}

TEST(Balance, NeedsLabels) {
  Dataset set = ramps(4);
  set.order = Order::balanced;
  EXPECT_THAT([&] { Loader(set, 2, 0); },
              ThrowsMessage<ArgumentError>(HasSubstr("expected labels")));
}

TEST(HeldOut, ThePartsAreTheWholeAndTheShareIsAsAsked) {
  Dataset set = ramps(2000);
  set.labels = at::arange(2000, at::kLong);
  set.classes = 2000;
  const Dataset kept = part_of(set, 0.2, Part::kept), out = part_of(set, 0.2, Part::held_out);
  EXPECT_EQ(kept.size() + out.size(), 2000);
  const at::Tensor all = std::get<0>(at::cat({kept.labels, out.labels}).sort());
  EXPECT_TRUE(at::equal(all, set.labels));
  // Binomial(2000, 0.2): 5 standard deviations are 90; one share in two million fails.
  EXPECT_NEAR(static_cast<double>(out.size()), 400, 90);
  // Labels go with their pictures.
  const at::Tensor low = out.images.select(1, 0).select(1, 0).select(1, 0).to(at::kLong);
  EXPECT_TRUE(at::equal(low, out.labels % 256));
}

TEST(HeldOut, ALargerShareHoldsOutTheSamePicturesAndMore) {
  Dataset set = ramps(300);
  set.labels = at::arange(300, at::kLong);
  set.classes = 300;
  const at::Tensor few = part_of(set, 0.1, Part::held_out).labels;
  const at::Tensor more = part_of(set, 0.3, Part::held_out).labels;
  EXPECT_TRUE(at::isin(few, more).all().item<bool>());
  EXPECT_GT(more.numel(), few.numel());
}

TEST(HeldOut, CopiesOfAPictureFallOnOneSide) {
  Dataset set = ramps(100);
  set.images = at::cat({set.images, set.images});
  set.labels = at::arange(200, at::kLong) % 100;
  set.classes = 100;
  const at::Tensor out = part_of(set, 0.3, Part::held_out).labels;
  EXPECT_EQ(out.numel(), 2 * std::get<0>(at::_unique(out)).numel());
}

TEST(HeldOut, KnownHashesCutThePicturesWhereTheyLie) {
  Dataset set = ramps(4);
  const std::uint64_t quarter = std::uint64_t{1} << 62;
  set.hashes = at::empty({4}, at::kLong);
  for (std::int64_t i = 0; i < 4; ++i) {
    set.hashes[i].fill_(static_cast<std::int64_t>(quarter * static_cast<std::uint64_t>(i)));
  }
  const Dataset out = part_of(set, 0.5, Part::held_out), kept = part_of(set, 0.5, Part::kept);
  EXPECT_EQ(out.images.const_data_ptr(), set.images.const_data_ptr());
  EXPECT_EQ(out.size(), 2);
  EXPECT_TRUE(at::equal(kept.images, set.images.narrow(0, 2, 2)));
  require_valid(kept);
}

TEST(HeldOut, AnEmptyPartIsRefused) {
  const Dataset set = ramps(1);
  EXPECT_THAT([&] { part_of(set, 1e-12, Part::held_out); },
              ThrowsMessage<ArgumentError>(HasSubstr("got none of 1 in ramps held out")));
}

}  // namespace
}  // namespace tinta::data
