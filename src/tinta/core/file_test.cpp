#include "tinta/core/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>

#include "tinta/core/error.h"
#include "tinta/core/test_folder.h"

namespace tinta {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  [[nodiscard]] const fs::path& folder() const { return folder_.path(); }
  [[nodiscard]] std::vector<std::string> entries() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder())) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  TestFolder folder_;
};

// The exit status of a child process that runs `body`; 99 when an exception leaves it.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      ::_exit(body());
    } catch (...) {
      ::_exit(99);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

template <class E>
std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const E& error) {
    return error.what();
  }
  return "no error";
}

TEST_F(FileTest, WhatIsWrittenIsRead) {
  const fs::path path = folder() / "new" / "folders" / "file";
  std::string text("line\n\0binary", 12);
  write_file(path, text, Existing::refuse);
  EXPECT_EQ(read_text(path), text);
  EXPECT_EQ(read_bytes(path).size(), 12u);
  write_file(folder() / "empty", std::string_view{}, Existing::refuse);
  EXPECT_EQ(read_text(folder() / "empty"), "");
  EXPECT_EQ(entries(), (std::vector<std::string>{"empty", "new"}));
}

TEST_F(FileTest, AnExistingFileIsRefusedUnlessReplaced) {
  const fs::path path = folder() / "file";
  write_file(path, "old", Existing::refuse);
  EXPECT_THAT(message_of<ArgumentError>([&] { write_file(path, "new", Existing::refuse); }),
              HasSubstr("already exists; --force replaces it"));
  EXPECT_EQ(read_text(path), "old");
  write_file(path, "new", Existing::replace);
  EXPECT_EQ(read_text(path), "new");
  EXPECT_EQ(entries(), std::vector<std::string>{"file"});
}

TEST_F(FileTest, WhatIsNoFileIsNeverReplaced) {
  const fs::path pipe = folder() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const fs::path& path : {pipe, folder()}) {
    EXPECT_THAT(message_of<ArgumentError>([&] { write_file(path, "text", Existing::replace); }),
                HasSubstr("expected a new name or a file, got a folder, pipe or device"));
  }
  EXPECT_TRUE(fs::is_fifo(pipe));
  EXPECT_EQ(entries(), std::vector<std::string>{"pipe"});
}

TEST_F(FileTest, AReaderThatHasTheOldFileOpenKeepsIt) {
  const fs::path path = folder() / "file";
  write_file(path, "old", Existing::refuse);
  fs::create_hard_link(path, folder() / "kept");
  write_file(path, "new", Existing::replace);
  EXPECT_EQ(read_text(folder() / "kept"), "old");  // replaced by a rename, not written in place
}

TEST_F(FileTest, AFullDiskLeavesTheOldFileAndNothingElse) {
  const fs::path path = folder() / "file";
  write_file(path, "old", Existing::refuse);
  const int status = in_child([&] {
    // Past this size a write fails, as it does on a full disk.
    const rlimit limit{.rlim_cur = 4096, .rlim_max = 4096};
    ::signal(SIGXFSZ, SIG_IGN);
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    const std::string large(1 << 20, 'x');
    const std::string message =
        message_of<SystemError>([&] { write_file(path, large, Existing::replace); });
    return message.find("cannot write: File too large") != std::string::npos ? 0 : 2;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_text(path), "old");
  EXPECT_EQ(entries(), std::vector<std::string>{"file"});
}

TEST_F(FileTest, AWriteInPlaceToAFullDeviceIsAnError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  EXPECT_THAT(message_of<SystemError>(
                  [] { write_file_checked("/dev/full", std::as_bytes(std::span("some text"))); }),
              HasSubstr("[/dev/full] cannot write: No space left on device"));
}

TEST_F(FileTest, WhatCannotBeReadIsNamed) {
  const auto message = [](const fs::path& path) {
    return message_of<SystemError>([&] { read_bytes(path); });
  };
  EXPECT_THAT(message(folder() / "absent"), HasSubstr("absent] cannot open: No such file"));
  EXPECT_THAT(message(folder()), HasSubstr("expected a file, got a folder"));
}

TEST_F(FileTest, AFolderThatCannotBeMadeIsNamed) {
  write_file(folder() / "file", "text", Existing::refuse);
  EXPECT_THAT(message_of<SystemError>(
                  [&] { write_file(folder() / "file" / "below", "text", Existing::refuse); }),
              HasSubstr("file]"));
  EXPECT_THAT(message_of<SystemError>([&] { flush_folder(folder() / "absent"); }),
              HasSubstr("cannot flush the folder"));
}

TEST_F(FileTest, APipeIsReadToItsEnd) {
  const fs::path path = folder() / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const std::string text(200000, 'p');
  const pid_t writer = ::fork();
  if (writer == 0) {
    try {
      write_file_checked(path, std::as_bytes(std::span(text)));
    } catch (...) {  // a pipe cannot be flushed; the bytes are through by then
    }
    ::_exit(0);
  }
  EXPECT_EQ(read_text(path), text);
  ::waitpid(writer, nullptr, 0);
}

TEST_F(FileTest, ALockKeepsOtherProcessesOut) {
  const fs::path path = folder() / "run" / "lock";
  {
    const FileLock lock(path);
    const std::string holder = std::to_string(::getpid());
    EXPECT_EQ(read_text(path), holder);
    const int status = in_child([&] {
      const std::string message = message_of<SystemError>([&] { const FileLock second(path); });
      const bool named =
          message == "[" + path.parent_path().string() + "] in use by process " + holder;
      return named ? 0 : 1;
    });
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(in_child([&] {
              const FileLock second(path);
              return 0;
            }),
            0);
}

TEST_F(FileTest, ALockIsSeenFromOutsideAndOnlyWhileItIsHeld) {
  const fs::path path = folder() / "lock";
  EXPECT_FALSE(lock_held(path)) << "no file";
  {
    const FileLock lock(path);
    EXPECT_TRUE(lock_held(path));
    EXPECT_EQ(in_child([&] { return lock_held(path) ? 0 : 1; }), 0);
  }
  EXPECT_FALSE(lock_held(path));
  EXPECT_TRUE(fs::exists(path));
}

TEST_F(FileTest, ALockEndsWithItsProcessHoweverThatEnds) {
  const fs::path path = folder() / "lock";
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const pid_t child = ::fork();
  char byte = 1;
  if (child == 0) {
    ::close(ends[0]);
    const FileLock lock(path);
    // Holds the lock until it is killed, or this test is gone and the other end with it.
    if (::write(ends[1], &byte, 1) == 1 && ::read(ends[1], &byte, 1) == 0) ::_exit(0);
    ::_exit(1);
  }
  ::close(ends[1]);
  ASSERT_EQ(::read(ends[0], &byte, 1), 1);
  EXPECT_THROW(FileLock{path}, SystemError);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_NO_THROW(FileLock{path});
  ::close(ends[0]);
}

}  // namespace
}  // namespace tinta
