#include "tinta/dist/share.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tinta::dist {
namespace {

TEST(Share, SharesFollowEachOtherWithoutAGapAndDifferByOneAtMost) {
  for (const std::int64_t all : {0, 1, 2, 7, 8, 100, 129}) {
    for (std::int64_t size = 1; size <= 9; ++size) {
      std::int64_t next = 0, least = all, most = 0;
      for (std::int64_t rank = 0; rank < size; ++rank) {
        const Share share = share_of(all, rank, size);
        EXPECT_EQ(share.first, next) << all << " things, rank " << rank << " of " << size;
        next = share.first + share.count;
        least = std::min(least, share.count);
        most = std::max(most, share.count);
      }
      EXPECT_EQ(next, all);
      EXPECT_LE(most - least, 1) << all << " things, " << size << " ranks";
    }
  }
}

}  // namespace
}  // namespace tinta::dist
