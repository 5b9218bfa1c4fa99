#include "tinta/cli/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

namespace tinta::cli {
namespace {

// Each body runs in a process of its own, as signal handlers and the flag are the process's.
class InterruptDeathTest : public ::testing::TestWithParam<int> {};

TEST_P(InterruptDeathTest, TheFirstSignalIsRememberedAndTheWorkGoesOn) {
  const auto body = [] {
    catch_interrupts();
    if (interrupted_by() != 0) std::_Exit(1);
    static_cast<void>(std::raise(GetParam()));
    std::_Exit(interrupted_by() == GetParam() ? 0 : 2);
  };
  EXPECT_EXIT(body(), ::testing::ExitedWithCode(0), "stopping after this step");
}

TEST_P(InterruptDeathTest, TheSecondSignalEndsTheProgramWithItsNumber) {
  const auto body = [] {
    catch_interrupts();
    static_cast<void>(std::raise(SIGTERM));
    static_cast<void>(std::raise(GetParam()));
    std::_Exit(0);
  };
  EXPECT_EXIT(body(), ::testing::ExitedWithCode(128 + GetParam()), "");
}

INSTANTIATE_TEST_SUITE_P(Signals, InterruptDeathTest, ::testing::Values(SIGINT, SIGTERM));

TEST(HangUpDeathTest, ATerminalThatClosesMaySaySoTwice) {
  const auto body = [] {
    catch_interrupts();
    for (int i = 0; i < 3; ++i) static_cast<void>(std::raise(SIGHUP));
    std::_Exit(interrupted_by() == SIGHUP ? 0 : 2);
  };
  EXPECT_EXIT(body(), ::testing::ExitedWithCode(0), "stopping after this step");
}

TEST(HangUpDeathTest, OneThatComesAfterAnotherSignalChangesNothing) {
  const auto body = [] {
    catch_interrupts();
    static_cast<void>(std::raise(SIGTERM));
    static_cast<void>(std::raise(SIGHUP));
    std::_Exit(interrupted_by() == SIGTERM ? 0 : 2);
  };
  EXPECT_EXIT(body(), ::testing::ExitedWithCode(0), "");
}

TEST(HangUpDeathTest, AHangUpThatIsIgnoredStaysSo) {
  const auto body = [] {
    static_cast<void>(std::signal(SIGHUP, SIG_IGN));
    catch_interrupts();
    static_cast<void>(std::raise(SIGHUP));
    std::_Exit(interrupted_by() == 0 ? 0 : 2);
  };
  EXPECT_EXIT(body(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace tinta::cli
