#include "tinta/dist/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/dist/socket.h"

namespace tinta::dist {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

/// One rank's watch, and what it noticed.
struct Rank {
  explicit Rank(int rank, int size, milliseconds silence, const Rank* leader = nullptr) {
    const WatchConfig config{
        .rank = rank, .size = size, .silence = silence, .on_loss = [this](const Loss& loss) {
          noticed.set_value(loss);
        }};
    watch = leader == nullptr ? listen_for_peers(config)
                              : watch_leader(config, "127.0.0.1", leader->watch->port());
  }
  /// Waits for what on_loss is told; a minute means never.
  Loss loss() {
    auto future = noticed.get_future();
    if (future.wait_for(std::chrono::minutes(1)) != std::future_status::ready) return {0, "never"};
    return future.get();
  }
  std::promise<Loss> noticed;
  std::unique_ptr<Watch> watch;
};

constexpr milliseconds kLong{60'000};

TEST(Watch, TellsAllWhoseConnectionHasClosed) {
  Rank zero(0, 3, kLong);
  Rank one(1, 3, kLong, &zero);
  auto two = std::make_unique<Rank>(2, 3, kLong, &zero);
  two->watch.reset();
  EXPECT_THAT(zero.loss().text, HasSubstr("rank 2 ended without a word"));
  EXPECT_THAT(one.loss().text, HasSubstr("rank 2 ended without a word"));
}

TEST(Watch, TellsTheOthersThatRankZeroHasGone) {
  auto zero = std::make_unique<Rank>(0, 2, kLong);
  Rank one(1, 2, kLong, zero.get());
  zero->watch.reset();
  EXPECT_THAT(one.loss().text, HasSubstr("rank 0 ended without a word"));
}

TEST(Watch, CarriesAnErrorWithItsCodeToEveryRank) {
  Rank zero(0, 3, kLong);
  Rank one(1, 3, kLong, &zero);
  Rank two(2, 3, kLong, &zero);
  one.watch->fail(3, "[train] expected a finite loss");
  const Loss wanted{.exit_code = 3, .text = "rank 1: [train] expected a finite loss"};
  EXPECT_EQ(zero.loss(), wanted);
  EXPECT_EQ(two.loss(), wanted);
}

TEST(Watch, CarriesRankZerosErrorToo) {
  Rank zero(0, 2, kLong);
  Rank one(1, 2, kLong, &zero);
  zero.watch->fail(2, "no");
  EXPECT_EQ(one.loss(), (Loss{.exit_code = 2, .text = "rank 0: no"}));
}

// Another process, because it is stopped whole.
TEST(Watch, NoticesAStoppedProcessByItsSilence) {
  Rank zero(0, 2, milliseconds(500));
  const pid_t child = fork();
  if (child == 0) {
    const auto watch =
        watch_leader({.rank = 1, .size = 2, .silence = milliseconds(500), .on_loss = {}},
                     "127.0.0.1", zero.watch->port());
    raise(SIGSTOP);
    _exit(0);
  }
  EXPECT_THAT(zero.loss().text, HasSubstr("rank 1 has said nothing for 1 s"));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST(Watch, OfRankZeroNamesWhoNeverCame) {
  Rank zero(0, 3, milliseconds(300));
  Rank one(1, 3, milliseconds(300), &zero);
  EXPECT_THAT(zero.loss().text, HasSubstr("rank 2 did not come"));
}

TEST(Watch, TakesClosedConnectionsForGrantedAtTheEnd) {
  Rank zero(0, 2, kLong);
  auto one = std::make_unique<Rank>(1, 2, kLong, &zero);
  one->watch->leave();
  zero.watch->leave();
  one.reset();
  // A third one proves that rank 0 has had time to look, by an error of its own.
  Rank late(1, 2, kLong, &zero);
  late.watch->fail(9, "the end");
  EXPECT_EQ(zero.loss(), (Loss{.exit_code = 9, .text = "rank 1: the end"}));
}

// Any program may connect to an open port.
TEST(Watch, IsNotMovedByStrangers) {
  Rank zero(0, 2, kLong);
  std::vector<Socket> strangers;
  for (const std::string& said :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("L\xff\xff\xff\xff\xff\xff\xff\xff"),
        std::string("E"), std::string("")}) {
    strangers.push_back(connect_to("127.0.0.1", zero.watch->port(), kLong));
    EXPECT_TRUE(strangers.back().write(said));
  }
  strangers.pop_back();
  Rank one(1, 2, kLong, &zero);
  one.watch->fail(7, "mine");
  EXPECT_EQ(zero.loss(), (Loss{.exit_code = 7, .text = "rank 1: mine"}));
}

TEST(Watch, SaysWhereRankZeroCannotBeReached) {
  std::uint16_t port = 0;
  { const Socket listening = listen_anywhere(port); }
  try {
    watch_leader({.rank = 1, .size = 2, .silence = kLong, .on_loss = {}}, "127.0.0.1", port);
    FAIL() << "expected an error";
  } catch (const SystemError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("[127.0.0.1:" + std::to_string(port) + "] cannot connect to rank 0"));
  }
  EXPECT_THROW(address_towards("no.such.machine.invalid", 1), SystemError);
  EXPECT_EQ(address_towards("127.0.0.1", 1), "127.0.0.1");
}

}  // namespace
}  // namespace tinta::dist
