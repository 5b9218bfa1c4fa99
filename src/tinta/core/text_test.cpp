#include "tinta/core/text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>

#include "tinta/core/error.h"
#include "tinta/core/philox.h"

namespace tinta {
namespace {

using Texts = std::vector<std::string>;

TEST(Nearest, FindsWhatWasMeant) {
  const Texts known{"training.batch", "training.steps", "process.steps", "out"};
  EXPECT_EQ(nearest("training.bacth", known), "training.batch");
  EXPECT_EQ(nearest("Training.Steps", known), "training.steps");
  EXPECT_EQ(nearest("training_batch", Texts{"training-batch"}), "training-batch");
  EXPECT_EQ(nearest("batch", known), "training.batch");
}

TEST(Nearest, IsEmptyWhenNothingIsNear) {
  EXPECT_EQ(nearest("zzzzzz", Texts{"training.batch", "out"}), "");
  EXPECT_EQ(nearest("x", Texts{}), "");
}

TEST(Suggestion, NamesTheNearestOrElseAllThatAreKnown) {
  const Texts known{"mnist", "glyphs"};
  EXPECT_EQ(suggestion("mnsit", known), ": did you mean \"mnist\"?");
  EXPECT_EQ(suggestion("photographs", known), "; known: mnist, glyphs");
}

TEST(Shortest, ReadsBackAsTheSameDouble) {
  for (std::uint32_t i = 0; i < 20000; ++i) {
    const std::uint64_t high = random_word({.seed = 1}, 2 * i),
                        low = random_word({.seed = 1}, 2 * i + 1);
    const auto value = std::bit_cast<double>(high << 32 | low);
    if (!std::isfinite(value)) continue;
    EXPECT_EQ(std::strtod(shortest(value).c_str(), nullptr), value);
  }
}

TEST(Shortest, LooksLikeADouble) {
  EXPECT_EQ(shortest(0.1), "0.1");
  EXPECT_EQ(shortest(1000), "1000.0");
  EXPECT_EQ(shortest(-0.0), "-0.0");
  EXPECT_EQ(shortest(1e300), "1e+300");
  EXPECT_EQ(shortest(std::nan("")), "nan");
  EXPECT_EQ(shortest(-std::numeric_limits<double>::infinity()), "-inf");
}

TEST(Fixed, KeepsTheDigitsAsked) {
  EXPECT_EQ(fixed(1.25, 1), "1.2");  // exactly half: to even
  EXPECT_EQ(fixed(2, 3), "2.000");
  EXPECT_EQ(fixed(-0.6, 0), "-1");
  EXPECT_EQ(fixed(1e308, 2).size(), 309u + 3u);
}

TEST(JoinAndSplit, AreInverse) {
  const Texts parts{"a", "", "b c"};
  EXPECT_EQ(join(parts, ","), "a,,b c");
  EXPECT_EQ(split("a,,b c", ','), parts);
  EXPECT_EQ(join(Texts{}, ","), "");
  EXPECT_EQ(split("", ','), Texts{});
}

TEST(Split, TrimsPartsAndKeepsEmptyOnes) {
  EXPECT_EQ(split(" 50 ,\t100,", ','), (Texts{"50", "100", ""}));
  EXPECT_EQ(split("  ", ','), Texts{""});
}

TEST(ShellWord, QuotesWhatAShellWouldTakeApart) {
  EXPECT_EQ(shell_word("runs/mnist-2.0"), "runs/mnist-2.0");
  EXPECT_EQ(shell_word("a run"), "'a run'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word("$HOME;*"), "'$HOME;*'");
  EXPECT_EQ(shell_word(""), "''");
}

TEST(Duration, UsesTheUnitsThatMatter) {
  EXPECT_EQ(duration(8.4), "8 s");
  EXPECT_EQ(duration(59.7), "1 min 00 s");
  EXPECT_EQ(duration(200), "3 min 20 s");
  EXPECT_EQ(duration(7500), "2 h 05 min");
  EXPECT_EQ(duration(-3), "0 s");
}

TEST(Errors, NameTheFileTheOffsetAndTheSystemsReason) {
  const DataError located("a.idx", "expected 1, got 2", 7);
  EXPECT_STREQ(located.what(), "[a.idx] byte 7: expected 1, got 2");
  EXPECT_EQ(located.path(), "a.idx");
  EXPECT_EQ(located.offset(), 7u);
  EXPECT_STREQ(DataError("a.idx", "expected 1, got 2").what(), "[a.idx] expected 1, got 2");
  EXPECT_STREQ(SystemError("[a] cannot write", 28).what(),
               "[a] cannot write: No space left on device");
}

}  // namespace
}  // namespace tinta
