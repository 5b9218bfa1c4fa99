#include "tinta/cli/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tinta::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Progress state(const std::string& what, long long done, long long total,
               const std::string& detail = "", double seconds_left = -1) {
  return {what, done, total, detail, seconds_left};
}

Progress halfway() { return state("training", 120, 240, "loss 0.03", 8); }

/// A display whose clock and page belong to the test.
struct Page {
  explicit Page(Screen screen)
      : display(
            screen, [this](std::string_view text) { written += text; }, [this] { return now; }) {}

  double now = 0;
  std::string written;
  ProgressDisplay display;
};

TEST(LogLine, SaysHowFarAndHowLong) {
  EXPECT_EQ(log_line(halfway()), "training 120/240 (50%), loss 0.03, 8 s left");
  EXPECT_EQ(log_line(state("reading", 7, 0)), "reading 7");
}

TEST(LogLine, KeepsAHundredPercentForWhatIsDone) {
  EXPECT_EQ(log_line(state("x", 999, 1000)), "x 999/1000 (99%)");
  EXPECT_EQ(log_line(state("x", 1000, 1000, "", 0)), "x 1000/1000 (100%)");
}

TEST(BarLine, FillsTheShareThatIsDone) {
  EXPECT_EQ(bar_line(halfway(), 70, Colour::none),
            "training [############-------------]  50% 120/240, loss 0.03, 8 s left");
}

TEST(BarLine, NeverExceedsTheWidth) {
  for (int width = 0; width < 150; ++width) {
    EXPECT_LE(bar_line(halfway(), width, Colour::none).size(), static_cast<std::size_t>(width));
  }
}

TEST(BarLine, HasNoBarWhereThereIsNoRoomOrNoTotal) {
  EXPECT_EQ(bar_line(halfway(), 50, Colour::none), log_line(halfway()));
  EXPECT_EQ(bar_line(state("reading", 7, 0), 80, Colour::none), "reading 7");
}

TEST(BarLine, IsTheSameTextWithColourUpToEscapes) {
  std::string text = bar_line(halfway(), 70, Colour::ansi);
  for (const std::string& escape : {std::string("\x1b[36m"), std::string("\x1b[0m")}) {
    const std::size_t at = text.find(escape);
    ASSERT_NE(at, std::string::npos);
    text.erase(at, escape.size());
  }
  EXPECT_EQ(text, bar_line(halfway(), 70, Colour::none));
}

TEST(ProgressDisplay, WritesALineEveryFewSecondsToALog) {
  Page page(Screen{});
  for (int step = 0; step <= 12; ++step) {
    page.now = step;
    page.display.report(state("x", step, 12));
  }
  EXPECT_EQ(page.written, "x 0/12 (0%)\nx 5/12 (41%)\nx 10/12 (83%)\nx 12/12 (100%)\n");
}

// A budget of minutes makes the number of steps an estimate, which moves with every step.
TEST(ProgressDisplay, IsNotHurriedByATotalThatMoves) {
  Page page(Screen{});
  for (int step = 0; step <= 9; ++step) {
    page.now = step;
    page.display.report(state("x", step, 100 + step));
  }
  EXPECT_EQ(page.written, "x 0/100 (0%)\nx 5/105 (4%)\n");
  Page bar(Screen{.terminal = true, .width = 80});
  bar.display.report(state("x", 1, 100));
  bar.display.report(state("x", 2, 101));
  EXPECT_EQ(bar.written.find('\n'), std::string::npos);
}

TEST(ProgressDisplay, ShowsNewWorkAtOnce) {
  Page page(Screen{});
  page.display.report(state("x", 3, 4));
  page.display.report(state("y", 3, 4));
  page.display.report(state("y", 1, 4));
  EXPECT_EQ(page.written, "x 3/4 (75%)\ny 3/4 (75%)\ny 1/4 (25%)\n");
}

TEST(ProgressDisplay, ShowsTheLastStateOnce) {
  Page page(Screen{});
  page.display.report(state("x", 2, 2));
  page.display.report(state("x", 2, 2));
  EXPECT_EQ(page.written, "x 2/2 (100%)\n");
}

TEST(ProgressDisplay, DrawsOverItsBarOnATerminal) {
  Page page(Screen{.terminal = true, .width = 80});
  page.display.report(state("x", 0, 2));
  page.now = 0.05;
  page.display.report(state("x", 1, 2));
  EXPECT_EQ(page.written.find('\n'), std::string::npos);
  EXPECT_EQ(page.written.find("1/2"), std::string::npos) << "too soon to draw again";
  page.now = 0.2;
  page.display.report(state("x", 1, 2));
  EXPECT_THAT(page.written, HasSubstr("\r\x1b[Kx ["));
  page.display.report(state("x", 2, 2));
  EXPECT_THAT(page.written, EndsWith("100% 2/2\n"));
}

TEST(ProgressDisplay, LogLinesLeaveTheBarStanding) {
  Page page(Screen{.terminal = true, .width = 80});
  page.display.report(state("x", 1, 2));
  const std::string bar = page.written;
  page.written.clear();
  page.display.log(LogLevel::warning, "beware");
  EXPECT_EQ(page.written, "\r\x1b[Kwarning: beware\n" + bar.substr(4));
  page.written.clear();
  page.display.finish();
  EXPECT_EQ(page.written, "\n");
  page.display.finish();
  EXPECT_EQ(page.written, "\n") << "there is no bar to end";
}

TEST(ProgressDisplay, SinksLeadToIt) {
  Page page(Screen{});
  const Sinks sinks = page.display.sinks();
  sinks.info("hello");
  sinks.warn("careful");
  sinks.report(state("x", 1, 4));
  EXPECT_EQ(page.written, "hello\nwarning: careful\nx 1/4 (25%)\n");
}

}  // namespace
}  // namespace tinta::cli
