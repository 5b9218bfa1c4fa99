#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>

#include "tinta/core/error.h"
#include "tinta/dist/ranks_testing.h"
#include "tinta/experiment/alike.h"

namespace tinta::experiment {
namespace {

using testing::HasSubstr;

data::Dataset pictures() {
  return {
      .name = "few",
      .images = at::arange(100 * 4, at::kLong).remainder(251).to(at::kByte).view({100, 1, 2, 2}),
      .labels = at::arange(100, at::kLong).remainder(3),
      .classes = 3};
}

/// What is said where rank 1 has something else.
std::string refusal(const std::function<void(data::Dataset&, Compute&)>& change) {
  std::string said = "nothing";
  dist::on_ranks(2, [&](dist::Group& group) {
    data::Dataset dataset = pictures();
    Compute compute;
    if (!group.leads()) change(dataset, compute);
    try {
      require_alike(group, dataset, compute);
    } catch (const SystemError& error) {
      if (group.leads()) said = error.what();
    }
  });
  return said;
}

TEST(Alike, RanksWithTheSamePicturesAreWelcome) {
  EXPECT_EQ(refusal([](data::Dataset& set, Compute&) { set.name = "elsewhere"; }), "nothing");
}

TEST(Alike, RanksThatWouldWorkOnSomethingElseAreRefused) {
  const auto change_byte = [](data::Dataset& set, Compute&) { set.images[0][0][0][0] = 9; };
  const auto change_label = [](data::Dataset& set, Compute&) { set.labels[37] = 2; };
  const auto one_less = [](data::Dataset& set, Compute&) {
    set.images = set.images.narrow(0, 0, 99);
    set.labels = set.labels.narrow(0, 0, 99);
  };
  EXPECT_THAT(refusal(change_byte), HasSubstr("expected the same pictures on every rank, got"));
  EXPECT_THAT(refusal(change_label), HasSubstr("expected the same pictures on every rank, got"));
  EXPECT_THAT(refusal(one_less), HasSubstr("[99, 1, 2, 2]"));
  EXPECT_THAT(refusal([](data::Dataset&, Compute& compute) { compute.dtype = at::kBFloat16; }),
              HasSubstr("expected the same precision on every rank, got Float on rank 0 and "
                        "BFloat16 on rank 1"));
}

}  // namespace
}  // namespace tinta::experiment
