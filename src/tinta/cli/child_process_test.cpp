#include "tinta/cli/child_process.h"

#include <gtest/gtest.h>

#include <csignal>

#include "tinta/core/file.h"
#include "tinta/core/test_folder.h"

namespace tinta::cli {
namespace {

TEST(ChildProcess, GivesTheExitCodeAndKeepsWhatWasSaidOnStderr) {
  const TestFolder folder;
  const auto log = folder.path() / "log";
  ChildProcess child("/bin/sh", {"-c", "echo heard; echo told >&2; exit 7"}, log);
  EXPECT_EQ(child.wait(), 7);
  EXPECT_EQ(child.wait(), 7) << "asked again";
  EXPECT_FALSE(child.running());
  EXPECT_EQ(read_text(log), "told\n");
}

TEST(ChildProcess, IsKilledAndSaysSo) {
  const TestFolder folder;
  ChildProcess child("/bin/sh", {"-c", "sleep 1000"}, folder.path() / "log");
  EXPECT_TRUE(child.running());
  child.kill();
  EXPECT_EQ(child.wait(), 128 + SIGKILL);
}

TEST(ChildProcess, DoesNotOutliveItsHandle) {
  const TestFolder folder;
  pid_t id = 0;
  {
    ChildProcess child("/bin/sh", {"-c", "sleep 1000"}, folder.path() / "log");
    id = child.id();
    EXPECT_EQ(::kill(id, 0), 0);
  }
  EXPECT_NE(::kill(id, 0), 0);
}

TEST(ChildProcess, AProgramThatIsNotThereEndsWithTheShellsCode) {
  const TestFolder folder;
  ChildProcess child(folder.path() / "none", {}, folder.path() / "log");
  EXPECT_EQ(child.wait(), 127);
}

}  // namespace
}  // namespace tinta::cli
