#include "tinta/core/seal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tinta/core/error.h"
#include "tinta/core/sha256.h"

namespace tinta {
namespace {

using ::testing::HasSubstr;

std::string open_text() {
  return "# seal " + std::string(kOpenSeal) + "\n\n[training]\nsteps = 100\nname = \"abc\"\n";
}

std::string complaint(const std::string& text) {
  try {
    require_seal(text, "runs/a/config.toml");
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

// By hand: the sum of the text with zeros, put where the zeros were.
TEST(Seal, IsTheSumOfTheTextWithZerosInItsPlace) {
  std::string expected = open_text();
  expected.replace(7, 64, sha256(open_text()));
  EXPECT_EQ(sealed(open_text()), expected);
  EXPECT_TRUE(has_seal(expected));
  EXPECT_EQ(complaint(expected), "no error");
}

TEST(Seal, EveryFlippedBitIsSeen) {
  const std::string good = sealed(open_text());
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1u << bit));
      ASSERT_THAT(complaint(bad), HasSubstr("[runs/a/config.toml] expected"))
          << "byte " << i << " bit " << bit;
    }
  }
}

TEST(Seal, EveryCutAndEveryAddedByteIsSeen) {
  const std::string good = sealed(open_text());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(complaint(good.substr(0, size)), "no error") << size;
    EXPECT_NE(complaint(good.substr(0, size) + "a" + good.substr(size)), "no error") << size;
    EXPECT_NE(complaint(good.substr(0, size) + good.substr(size + 1)), "no error") << size;
  }
  EXPECT_NE(complaint(good + "\n"), "no error");
}

TEST(Seal, ATextWithoutAPlaceForItIsTheCallersFault) {
  EXPECT_THROW(static_cast<void>(sealed("steps = 100\n")), ArgumentError);
  EXPECT_FALSE(has_seal("steps = 100\n"));
  EXPECT_FALSE(has_seal(std::string(63, 'a')));
}

}  // namespace
}  // namespace tinta
