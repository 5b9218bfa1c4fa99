#include "tinta/cli/report.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tinta/core/error.h"
#include "tinta/core/sink.h"

namespace tinta::cli {
namespace {

template <class Thrown>
void expect_report(const Thrown& thrown, int exit_code, const std::string& line) {
  ::testing::internal::CaptureStderr();
  const int got = report_errors([&]() -> int { throw thrown; });
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), line);
  EXPECT_EQ(got, exit_code) << line;
}

TEST(ReportErrors, GivesEachKindOfErrorItsExitCodeAndOneLine) {
  expect_report(ArgumentError("[a] expected b, got c"), 2, "tinta: [a] expected b, got c\n");
  expect_report(NonFiniteError("[train] step 3"), 3, "tinta: [train] step 3\n");
  expect_report(SystemError("disk"), 1, "tinta: disk\n");
  expect_report(std::bad_alloc(), 1, "tinta: out of memory\n");
  // 128 + the signal: here there was none.
  expect_report(Stopped{}, 128, "tinta: stopped before there was anything to save\n");
  expect_report(7, 1, "tinta: failed for an unknown reason\n");
}

TEST(ReportErrors, LeavesOutTheStackTraceOfAForeignError) {
  expect_report(std::runtime_error("what went wrong\nframe #0: ...\nframe #1: ..."), 1,
                "tinta: what went wrong\n");
}

TEST(ReportErrors, SaysInPlainWordsThatMemoryIsShort) {
  const std::string begin = "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: ";
  expect_report(
      std::runtime_error(begin + "can't allocate memory: you tried to allocate 512 bytes."
                                 " Error code 12 (Cannot allocate memory)\nframe #0"),
      1, "tinta: out of memory: 512 bytes more were asked for; a smaller batch takes less\n");
  expect_report(std::runtime_error(begin + "not enough memory"), 1, "tinta: out of memory\n");
}

TEST(ReportErrors, TellsWhatItReports) {
  ::testing::internal::CaptureStderr();
  std::string told;
  const auto fail = []() -> int { throw SystemError("disk"); };
  report_errors(fail, [&](int code, std::string_view text) {
    told = std::to_string(code) + " " + std::string(text);
  });
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "tinta: disk\n");
  EXPECT_EQ(told, "1 disk");
}

TEST(ReportErrors, PassesTheExitCodeOn) {
  EXPECT_EQ(report_errors([] { return 130; }), 130);
}

}  // namespace
}  // namespace tinta::cli
