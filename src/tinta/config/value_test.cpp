#include "tinta/config/value.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace tinta::config {
namespace {

TEST(Value, TextIsQuotedAndControlCharactersAreEscaped) {
  EXPECT_EQ(to_text(std::string("a\"b\\c\n\x7F")), R"("a\"b\\c\u000A\u007F")");
  EXPECT_EQ(to_text(std::string("pájaro")), "\"pájaro\"");
}

TEST(Value, BytesThatAreNotUtf8BecomeTheReplacementCharacter) {
  EXPECT_EQ(to_text(std::string("a\xFFz")), "\"a\xEF\xBF\xBDz\"");
}

TEST(Value, Utf8FollowsTheTableOfWellFormedSequences) {
  EXPECT_TRUE(is_utf8("plain"));
  EXPECT_TRUE(is_utf8("\xF0\x9F\xA6\x85"));   // an eagle
  EXPECT_TRUE(is_utf8("\xF4\x8F\xBF\xBF"));   // U+10FFFF
  EXPECT_FALSE(is_utf8("\xC0\xAF"));          // overlong
  EXPECT_FALSE(is_utf8("\xE0\x80\xAF"));      // overlong
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));      // a surrogate
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_FALSE(is_utf8("\xE2\x82"));          // cut short
}

TEST(Value, SeedsBeyondTomlsIntegersAreQuoted) {
  EXPECT_EQ(to_text(std::uint64_t{9223372036854775807U}), "9223372036854775807");
  EXPECT_EQ(to_text(std::uint64_t{9223372036854775808U}), "\"9223372036854775808\"");
}

TEST(Value, NumbersMustFillTheirText) {
  std::int64_t whole = 7;
  EXPECT_FALSE(from_text("12x", whole));
  EXPECT_FALSE(from_text("", whole));
  EXPECT_FALSE(from_text("1.5", whole));
  EXPECT_FALSE(from_text("99999999999999999999", whole));
  EXPECT_EQ(whole, 7) << "a text that does not fit leaves the value alone";
  EXPECT_TRUE(from_text(" -12 ", whole));
  EXPECT_EQ(whole, -12);

  std::uint64_t seed = 7;
  EXPECT_FALSE(from_text("-1", seed));
  EXPECT_TRUE(from_text("18446744073709551615", seed));
  EXPECT_EQ(seed, std::numeric_limits<std::uint64_t>::max());

  double number = 0;
  EXPECT_TRUE(from_text("2e-4", number));
  EXPECT_EQ(number, 2e-4);
  EXPECT_FALSE(from_text("2e-4 3", number));
}

TEST(Value, ListsComeWithOrWithoutBrackets) {
  std::vector<std::int64_t> list;
  EXPECT_TRUE(from_text("[1, 2, 2]", list));
  EXPECT_EQ(list, (std::vector<std::int64_t>{1, 2, 2}));
  EXPECT_TRUE(from_text("4,8", list));
  EXPECT_EQ(list, (std::vector<std::int64_t>{4, 8}));
  EXPECT_TRUE(from_text("[]", list));
  EXPECT_TRUE(list.empty());
  EXPECT_FALSE(from_text("[1, 2", list));
  EXPECT_FALSE(from_text("1,,2", list));
  EXPECT_FALSE(from_text("[", list));
}

TEST(Value, ListsOfNumbersKeepEveryBit) {
  std::vector<double> list;
  EXPECT_TRUE(from_text("[0.05, 1e-1, 2]", list));
  EXPECT_EQ(list, (std::vector<double>{0.05, 0.1, 2}));
  EXPECT_EQ(to_text(list), "[0.05, 0.1, 2.0]");
  EXPECT_FALSE(from_text("0.05, wide", list));
  EXPECT_EQ(list.size(), 3U) << "left alone";
  EXPECT_TRUE(from_text("", list));
  EXPECT_EQ(to_text(list), "[]");
}

TEST(Value, BooleansAreTrueOrFalseOnly) {
  bool flag = false;
  EXPECT_TRUE(from_text("true", flag));
  EXPECT_TRUE(flag);
  EXPECT_FALSE(from_text("1", flag));
  EXPECT_FALSE(from_text("True", flag));
}

}  // namespace
}  // namespace tinta::config
