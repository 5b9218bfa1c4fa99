#include "tinta/dist/group.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/dist/ranks_testing.h"

namespace tinta::dist {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Group, OfOneLeavesEverythingAsItIs) {
  Group& alone = Group::alone();
  at::Tensor x = at::arange(3, at::kFloat);
  alone.sum(x);
  alone.broadcast(x);
  EXPECT_TRUE(at::equal(x, at::arange(3, at::kFloat)));
  EXPECT_EQ(alone.broadcast_text("text"), "text");
  EXPECT_THAT(alone.gather("a"), ElementsAre("a"));
  EXPECT_EQ(alone.share_of(7), (Share{.first = 0, .count = 7}));
  EXPECT_TRUE(alone.leads());
}

class GroupOf : public testing::TestWithParam<int> {};

TEST_P(GroupOf, SumsOfEveryKindAreThoseOfArithmetic) {
  const int size = GetParam();
  on_ranks(size, [&](Group& group) {
    for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kLong, at::kByte}) {
      at::Tensor x = at::arange(1000, at::kLong).remainder(20).mul(group.rank() + 1).to(type);
      group.sum(x);
      const int factor = size * (size + 1) / 2;  // 1 + 2 + ... + size
      const at::Tensor wanted = at::arange(1000, at::kLong).remainder(20).mul(factor).to(type);
      EXPECT_TRUE(at::equal(x, wanted)) << type;
    }
  });
}

// What decides alike on every rank must be the same bits there, not only nearly so.
TEST_P(GroupOf, SumsHaveTheSameBitsOnEveryRank) {
  std::vector<std::string> bits(static_cast<std::size_t>(GetParam()));
  on_ranks(GetParam(), [&](Group& group) {
    at::Tensor x = at::arange(1, 10'001, at::kFloat).sin().div(group.rank() + 3);
    group.sum(x);
    bits[static_cast<std::size_t>(group.rank())].assign(
        static_cast<const char*>(x.const_data_ptr()), x.nbytes());
  });
  for (const std::string& other : bits) EXPECT_TRUE(other == bits[0]);
}

TEST_P(GroupOf, TextsOfRankZeroReachAllAndThoseOfAllComeInTheirOrder) {
  on_ranks(GetParam(), [](Group& group) {
    const std::string own(static_cast<std::size_t>(group.rank() * 100), 'x');
    EXPECT_EQ(group.broadcast_text(group.leads() ? std::string("zero\0byte", 9) : own),
              std::string("zero\0byte", 9));
    EXPECT_EQ(group.broadcast_text(""), "");
    const std::vector<std::string> all = group.gather(own);
    ASSERT_EQ(all.size(), static_cast<std::size_t>(group.size()));
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      EXPECT_EQ(all[rank], std::string(rank * 100, 'x'));
    }
  });
}

TEST_P(GroupOf, ThatDiffersIsToldOnEveryRankWithBothTexts) {
  on_ranks(GetParam(), [](Group& group) {
    group.require_alike("things", "same");
    const bool last = group.rank() == group.size() - 1;
    try {
      group.require_alike("things", last ? "others" : "same");
      ADD_FAILURE() << "expected an error on rank " << group.rank();
    } catch (const SystemError& error) {
      EXPECT_THAT(error.what(), HasSubstr("same things on every rank, got same on rank 0 and "
                                          "others on rank " +
                                          std::to_string(group.size() - 1)));
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Ranks, GroupOf, testing::Values(2, 3, 4));

}  // namespace
}  // namespace tinta::dist
