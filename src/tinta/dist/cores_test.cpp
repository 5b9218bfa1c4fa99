#include "tinta/dist/cores.h"

#include <gtest/gtest.h>

namespace tinta::dist {
namespace {

TEST(Cores, ThatAllMayUseAreSharedInEqualParts) {
  const std::string four = "a 0,1,2,3";
  EXPECT_EQ(cores_for({four}, 0).threads, 4);
  EXPECT_EQ(cores_for({four, four}, 1).threads, 2);
  EXPECT_EQ(cores_for({four, four, four, four}, 3).threads, 1);
  EXPECT_EQ(cores_for({four, four, four}, 0).threads, 1);
  EXPECT_EQ(cores_for({"a 0", "a 0", "a 0"}, 2).threads, 1) << "never none";
  const std::string nine = "a 0,1,2,3,4,5,6,7,8";
  EXPECT_EQ(cores_for({nine, nine, nine}, 1).threads, 3) << "nine thirds are three";
}

TEST(Cores, ThatALauncherGaveToOneProcessAloneAreAllItsOwn) {
  EXPECT_EQ(cores_for({"a 0,1,2", "a 3"}, 0).threads, 3);
  EXPECT_EQ(cores_for({"a 0,1,2", "a 3"}, 1).threads, 1);
}

TEST(Cores, OfOtherMachinesDoNotCount) {
  const std::vector<std::string> all{"a 0,1", "b 0,1,2,3", "b 0,1,2,3", "a 0,1"};
  EXPECT_EQ(cores_for(all, 0).threads, 1);
  EXPECT_EQ(cores_for(all, 1).threads, 2);
  EXPECT_EQ(cores_for(all, 0).local_rank, 0);
  EXPECT_EQ(cores_for(all, 1).local_rank, 0);
  EXPECT_EQ(cores_for(all, 2).local_rank, 1);
  EXPECT_EQ(cores_for(all, 3).local_rank, 1);
}

TEST(Cores, OfThisProcessAreSomeAtLeast) {
  EXPECT_GE(cores_for({cores_of_this_process()}, 0).threads, 1);
}

}  // namespace
}  // namespace tinta::dist
