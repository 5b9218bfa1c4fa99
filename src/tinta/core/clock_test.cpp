#include "tinta/core/clock.h"

#include <gtest/gtest.h>

namespace tinta {
namespace {

// By `date -u -d @SECONDS`.
TEST(Clock, TimesAreWrittenInUtcAndCutToMilliseconds) {
  EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(utc_text(951782400), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(utc_text(4102444799.9375), "2099-12-31T23:59:59.937Z");
}

}  // namespace
}  // namespace tinta
